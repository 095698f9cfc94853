//! A push that is cut off, killed or overtaken at every request that it makes: the tag holds the old inventory or the new one.
//!
//! The requests are counted in the log of a proxy, never guessed by sleeping.

use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::command::kill_now;
use runway_testkit::fake::{Proxy, Site, Then};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

const SITES: [Site; 3] = [Site::Before, Site::During, Site::After];

/// What befalls a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// Its connection is cut, once.
    Cut,
    /// Its connection is cut, and there is no other.
    Down,
    /// `kill -9`.
    Kill,
}

/// One push with one blow.
#[derive(Debug, Clone, Copy)]
struct Round {
    blow: Blow,
    request: usize,
    site: Site,
    /// Whether the tag holds something before it.
    is_first: bool,
}

/// A scenario with two inventories, and a repository for each round.
struct Scenario {
    stage: Stage,
    port: u16,
    rounds: AtomicUsize,
}

impl Scenario {
    fn new(name: &str) -> Self {
        let stage = Stage::new(name, "gke");
        for (file, ids) in [
            ("old.yml", "- runway_service_id: a\n"),
            ("new.yml", "- runway_service_id: a\n- runway_service_id: b\n"),
            ("theirs.yml", "- runway_service_id: a\n- runway_service_id: c\n"),
        ] {
            stage.env.write(file, ids);
        }
        let port = stage.bed.registry().rsplit(':').next().unwrap().parse().unwrap();
        Self { stage, port, rounds: AtomicUsize::new(0) }
    }

    /// A path in the registry that no other round uses.
    fn path(&self) -> String {
        let base = self.stage.base.split_once('/').unwrap().1;
        format!("{base}/round-{}", self.rounds.fetch_add(1, Ordering::SeqCst))
    }

    /// Pushes a file's inventory without a proxy; gives the tag's digest.
    fn publish(&self, path: &str, file: &str, tag: &str) -> String {
        let repository = self.repository(path);
        let to = format!("oci://{repository}:{tag}");
        self.stage.push(&["-f", file, "--to", &to]).ok();
        self.stage.bed.tag_digest(&repository, tag).expect("the tag")
    }

    fn repository(&self, path: &str) -> String {
        format!("localhost:{}/{path}", self.port)
    }

    fn tag(&self, path: &str) -> Option<String> {
        self.stage.bed.tag_digest(&self.repository(path), ENVIRONMENT)
    }

    /// The tag has what a file declares, whole, as we read it and as flux does.
    fn is_complete(&self, path: &str, file: &str) {
        let reference = format!("oci://{}:{ENVIRONMENT}", self.repository(path));
        let shown = self.stage.env.run(["inventory", "show", &reference, "-e", ENVIRONMENT]).ok();
        let built = self.stage.env.run(["inventory", "build", "--runtime", "gke", "-e", ENVIRONMENT, "-f", file]).ok();
        assert_eq!(shown, built);
        let folder = tempfile(&self.stage);
        self.stage.bed.flux(["pull", "artifact", &reference, "--output", &folder, "--insecure-registry"]).ok();
    }

    /// The request lines of a push that nothing befalls, without what differs between two of them.
    fn requests(&self, is_first: bool) -> Vec<String> {
        let path = self.path();
        if !is_first {
            self.publish(&path, "old.yml", ENVIRONMENT);
        }
        let proxy = Proxy::start(self.port, None);
        self.through(&proxy, &path).wait().unwrap();
        self.is_complete(&path, "new.yml");
        proxy.lines().iter().map(|line| line.replace(&path, "R").split('?').next().unwrap().to_owned()).collect()
    }

    /// Begins to push the new inventory through a proxy.
    fn through(&self, proxy: &Proxy, path: &str) -> Child {
        let to = format!("oci://{}/{path}:{ENVIRONMENT}", proxy.address());
        let mut command = self.stage.env.command();
        command.args([
            "inventory",
            "push",
            "--runtime",
            "gke",
            "-e",
            ENVIRONMENT,
            "-f",
            "new.yml",
            "--timeout",
            "20s",
            "--to",
            &to,
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// One round; `false` when its moment did not come.
    fn play(&self, round: Round) -> bool {
        let path = self.path();
        let old = (!round.is_first).then(|| self.publish(&path, "old.yml", ENVIRONMENT));
        let (struck, victim) = (Arc::new(AtomicBool::new(false)), Arc::new(OnceLock::new()));
        let (hit, process) = (Arc::clone(&struck), Arc::clone(&victim));
        let proxy = Proxy::with_hook(self.port, None, move |number, _, site| {
            if (number, site) != (round.request, round.site) {
                return Then::GoOn;
            }
            hit.store(true, Ordering::SeqCst);
            match round.blow {
                Blow::Cut => Then::Cut,
                Blow::Down => Then::Down,
                Blow::Kill => {
                    kill_now(*process.wait());
                    Then::Down
                }
            }
        });
        let child = self.through(&proxy, &path);
        victim.set(child.id()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !struck.load(Ordering::SeqCst) {
            assert_eq!(output.status.code(), Some(0), "{round:?} {said}");
            return false;
        }
        let case = format!("{round:?}\n{:?}\n{said}", proxy.lines());
        let tag = self.tag(&path);
        if tag != old {
            self.is_complete(&path, "new.yml");
        } else if let Some(old) = &old {
            assert_eq!(tag.as_ref(), Some(old), "{case}");
            self.is_complete(&path, "old.yml");
        }
        match (round.blow, output.status.code()) {
            (Blow::Kill, code) => assert_eq!(code, None, "{case}"),
            (_, Some(0)) => assert_ne!(tag, old, "said to be pushed, and it is not: {case}"),
            (_, Some(2)) => assert!(said.contains("error: ") && !said.contains("panicked"), "{case}"),
            (_, code) => panic!("exit {code:?} {case}"),
        }
        true
    }

    /// All rounds of some blows, several at a time.
    fn play_all(&self, blows: &[Blow], is_first: bool) {
        let requests = self.requests(is_first);
        // A retry after a blow asks more than a push without one: until no moment comes any more.
        let mut rounds = Vec::new();
        for blow in blows {
            for (request, line) in requests.iter().enumerate() {
                for site in SITES {
                    let has_body = line.starts_with("PUT");
                    if site != Site::During || has_body {
                        rounds.push(Round { blow: *blow, request, site, is_first });
                    }
                }
            }
        }
        assert!(rounds.len() >= blows.len() * 18, "{requests:?}");
        let next = AtomicUsize::new(0);
        let struck = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(round) = rounds.get(next.fetch_add(1, Ordering::SeqCst)) {
                        struck.fetch_add(usize::from(self.play(*round)), Ordering::SeqCst);
                    }
                });
            }
        });
        let struck = struck.into_inner();
        println!("{struck} of {} rounds struck a push of {} requests:\n{}", rounds.len(), requests.len(), requests.join("\n"));
        // Blobs go up side by side: the n-th request has a body in one push and none in another.
        assert!(struck * 10 >= rounds.len() * 8, "{struck} of {}", rounds.len());
    }
}

/// A new folder below the scenario's.
fn tempfile(stage: &Stage) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let folder = stage.env.work().join(format!("pulled-{}", COUNT.fetch_add(1, Ordering::SeqCst)));
    std::fs::create_dir(&folder).unwrap();
    folder.display().to_string()
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn cut_at_every_request() {
    Scenario::new("cut").play_all(&[Blow::Cut, Blow::Down], false);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn killed_at_every_request() {
    Scenario::new("killed").play_all(&[Blow::Kill], false);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_first_push_is_cut_and_killed_at_every_request() {
    Scenario::new("first").play_all(&[Blow::Down, Blow::Kill], true);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_tag_that_somebody_moves_meanwhile() {
    let scenario = Scenario::new("moved");
    let requests = scenario.requests(false);
    let position = |from: usize, word: &str| from + requests[from..].iter().position(|line| line.starts_with(word)).expect(word);
    let planned = position(0, "GET /v2/R/manifests/production");
    let looked = position(planned, "HEAD /v2/R/manifests/production");
    let set = position(looked, "PUT /v2/R/manifests/production");
    assert_eq!(set, looked + 1, "nothing comes between the look and the change: {requests:?}");
    let asked = position(set, "HEAD /v2/R/manifests/production");
    let mut refused = 0;
    for (moment, line) in requests.iter().enumerate() {
        let path = scenario.path();
        let theirs = scenario.publish(&path, "theirs.yml", "theirs");
        scenario.publish(&path, "old.yml", ENVIRONMENT);
        let (bed, repository) = (scenario.stage.bed.clone(), scenario.repository(&path));
        let proxy = Proxy::with_hook(scenario.port, None, move |number, _, site| {
            if (number, site) == (moment, Site::Before) {
                bed.copy_tag(&repository, "theirs", ENVIRONMENT);
            }
            Then::GoOn
        });
        let output = scenario.through(&proxy, &path).wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let (code, tag) = (output.status.code(), scenario.tag(&path).unwrap());
        let case = format!("before request {moment}, {line}: {said}");
        if moment <= planned {
            // Before the plan: it is theirs that the plan is made against.
            assert_eq!(code, Some(0), "{case}");
            scenario.is_complete(&path, "new.yml");
        } else if moment <= looked {
            assert_eq!((code, &tag), (Some(5), &theirs), "{case}");
            assert!(said.contains("somebody has moved it since the plan was made") && said.contains(&theirs), "{case}");
            refused += 1;
        } else if moment <= set {
            // No registry can compare and swap: this one moment is lost, and said to be so in push.rs.
            assert_eq!(code, Some(0), "{case}");
            assert_ne!(tag, theirs, "{case}");
        } else if moment <= asked {
            assert_eq!((code, &tag), (Some(2), &theirs), "{case}");
            assert!(said.contains("the tag does not hold what was pushed"), "{case}");
        }
    }
    assert!(refused >= 6, "{requests:?}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_second_push_moves_no_blob() {
    let scenario = Scenario::new("twice");
    let path = scenario.path();
    let proxy = Proxy::start(scenario.port, None);
    assert!(scenario.through(&proxy, &path).wait().unwrap().success());
    let first = proxy.lines();
    let before = scenario.tag(&path);
    proxy.clear();
    let output = scenario.through(&proxy, &path).wait_with_output().unwrap();
    assert!(output.status.success());
    let second = proxy.lines();
    println!(
        "a new push: {} requests\n{}\nthe same again: {}\n{}",
        first.len(),
        first.join("\n"),
        second.len(),
        second.join("\n")
    );
    assert!(second.iter().all(|line| line.starts_with("GET") || line.starts_with("HEAD")), "{second:?}");
    assert_eq!(second.len(), 1, "{second:?}");
    assert_eq!(scenario.tag(&path), before);
    // Another tag of the same content: no blob goes up.
    proxy.clear();
    let to = format!("oci://{}/{path}:other", proxy.address());
    scenario.stage.push(&["-f", "new.yml", "--to", &to]).ok();
    let third = proxy.lines();
    println!("another tag: {}\n{}", third.len(), third.join("\n"));
    assert!(!third.iter().any(|line| line.starts_with("POST") || line.starts_with("PATCH")), "{third:?}");
    proxy.clear();
    let from = format!("oci://{}/{path}:other", proxy.address());
    scenario.stage.env.run(["inventory", "show", &from, "-e", ENVIRONMENT]).ok();
    println!("show: {}\n{}", proxy.lines().len(), proxy.lines().join("\n"));
    assert_eq!(proxy.lines().len(), 2);
}
