//! Many workloads, long names and long messages, on a cluster without controllers: the objects are as Flux would leave them, and
//! what is tested is how they are read and shown, not what Flux does.

use crate::clusters::{rows, said};
use crate::stage::{ENVIRONMENT, Stage, documents};
use crate::terminal::{Terminal, is_sane, widths};
use runway_testkit::bed::{Cluster, DEADLINE, Handle, Options};
use runway_testkit::env::Run;
use runway_testkit::fake::Proxy;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn stage(name: &str) -> (Stage, Cluster) {
    let bed = Handle::connect();
    let cluster = bed.cluster_with(name, Options { flux: false, ..Options::default() });
    let ns = cluster.namespace(name);
    let stage = Stage::on(bed, ns, name, "gke");
    (stage, cluster)
}

/// The status of an object that Flux has looked at and found good.
fn good(kind: &str) -> Value {
    let ready = |reason: &str| {
        json!([{"type": "Ready", "status": "True", "reason": reason, "message": "stored", "observedGeneration": 1,
            "lastTransitionTime": "2026-11-23T00:00:00Z"}])
    };
    let revision = format!("{ENVIRONMENT}@{DIGEST}");
    if kind == "ocirepository" {
        json!({"observedGeneration": 1, "conditions": ready("Succeeded"), "artifact": {
            "revision": revision, "digest": DIGEST, "lastUpdateTime": "2026-11-23T00:00:00Z", "path": "p", "url": "http://localhost/p"}})
    } else {
        json!({"observedGeneration": 1, "conditions": ready("ReconciliationSucceeded"), "lastAppliedRevision": revision,
            "lastAttemptedRevision": revision, "inventory": {"entries": []}})
    }
}

impl Stage {
    /// Writes both objects of every workload and of the parent, as Flux would, with a good status. `out` is the inventory.
    fn written(&self, ids: &[String]) {
        self.declare(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let built = self.built();
        let owner = json!({"kustomize.toolkit.fluxcd.io/name": self.parent_name(), "kustomize.toolkit.fluxcd.io/namespace": self.ns.name()});
        let mut objects = Vec::new();
        for (documents, labels) in [(built, owner), (documents(&self.parent_yaml()), json!({}))] {
            objects.extend(documents.into_iter().map(|mut object| {
                object["metadata"]["labels"] = labels.clone();
                object
            }));
        }
        std::thread::scope(|scope| {
            for part in objects.chunks(objects.len().div_ceil(4)) {
                scope.spawn(move || {
                    for object in part {
                        let kind = object["kind"].as_str().expect("a kind").to_lowercase();
                        self.ns.create(&kind, object);
                        self.patch_status(&kind, object["metadata"]["name"].as_str().expect("a name"), &good(&kind));
                    }
                });
            }
        });
    }

    fn patch_status(&self, kind: &str, name: &str, status: &Value) {
        self.ns.kube().patch_status(kind, self.ns.name(), name, &json!({"status": status}));
    }

    /// A Kustomization that failed with these words.
    fn fails(&self, name: &str, words: &str) {
        let mut status = good("kustomization");
        status["conditions"][0]["status"] = "False".into();
        status["conditions"][0]["reason"] = "BuildFailed".into();
        status["conditions"][0]["message"] = words.into();
        self.patch_status("kustomization", name, &status);
    }

    /// Status of what was written, by the cluster alone.
    fn alone(&self, more: &[&str]) -> Run {
        self.status(&[&["--no-registry", "--expected", "out"], more].concat())
    }
}

/// How many workloads Flux itself brings up here, within a minute on two cores that have more to do: it makes five a second
/// Ready on an idle machine, and one or two on a busy one. A thousand would be minutes, so those below are written as it
/// leaves them.
const BROUGHT_UP: usize = 60;

/// Flux's own controllers bring them up, from one push of the inventory; then one new artifact is told from all the others.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn dozens_that_flux_itself_has_brought_up() {
    let bed = Handle::connect();
    let cluster = bed.cluster("dozens");
    let ns = cluster.namespace("dozens");
    let mut stage = Stage::on(bed, ns, "dozens", "gke");
    stage.env.limit(Duration::from_secs(120));
    let ids: Vec<String> = (0..BROUGHT_UP).map(|n| format!("workload-{n:03}")).collect();
    let one = |id: &String| {
        format!(
            "- runway_service_id: {id}\n  flux: {{interval: 1h, postBuild: {{substitute: {{id: {id}}}}}, source: {{interval: 1h}}}}\n"
        )
    };
    stage.env.write("config/runtimes/gke/workloads.yml", ids.iter().map(one).collect::<String>());
    // One artifact for all of them: each puts its own name in.
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"${id}\", namespace: NAMESPACE}\n";
    let object = object.replace("NAMESPACE", stage.ns.name());
    let repositories: Vec<String> = ids.iter().map(|id| stage.deploy_repository(id)).collect();
    let (first, others) = repositories.split_first().expect("one at least");
    let digest = stage.bed.push_deploy(first, ENVIRONMENT, &[("configmap.yaml", &object)]);
    stage.bed.copy_to(first, ENVIRONMENT, others);
    stage.push(&[]).ok();
    let begun = Instant::now();
    stage.ns.apply(&stage.parent_yaml().replace("interval: 10s", "interval: 1h"));
    let there = |object: &Value| object["status"]["lastAppliedRevision"].is_string();
    stage.ns.wait_for("all to be applied", DEADLINE, || {
        // Asking costs the controllers their time.
        std::thread::sleep(Duration::from_secs(1));
        (stage.ns.list_json("kustomization").iter().filter(|object| there(object)).count() == BROUGHT_UP + 1).then_some(())
    });
    let run = stage.all_ready(&stage.status_line(&["-o", "json"]));
    println!("{BROUGHT_UP} workloads were Ready {:?} after the parent was applied", begun.elapsed());
    let found = rows(&run.stdout);
    assert_eq!(found.len(), BROUGHT_UP + 1);
    for row in found.values().filter(|row| row["kind"] == "workload") {
        assert_eq!((said(row).0, &row["kustomization"]["appliedDigest"]), ("Ready", &digest.clone().into()), "{row}");
    }
    assert_eq!(
        stage.ns.list_json("configmap").iter().filter(|map| map["metadata"]["name"] != "kube-root-ca.crt").count(),
        BROUGHT_UP
    );

    let newer = stage.deploy("workload-007", "2");
    let found = rows(&stage.status(&["-o", "json"]).exits(1).stdout);
    let behind: Vec<_> = found.values().filter(|row| said(row).0 != "Ready").collect();
    assert_eq!(behind.len(), 1, "{behind:?}");
    assert_eq!(behind[0]["workload"], "workload-007");
    assert_eq!((said(behind[0]), &behind[0]["expected"]["digest"]), (("Outdated", "fetched", "NewRevision"), &newer.into()));
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_thousand_and_one_workloads() {
    let (mut stage, cluster) = stage("many");
    stage.env.limit(Duration::from_secs(120));
    let ids: Vec<String> = (0..1_001).map(|n| format!("workload-{n:04}")).collect();
    stage.written(&ids);
    let run = stage.alone(&["-o", "json"]).exits(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["summary"]["total"], 1_001);
    assert_eq!(document["summary"]["verdicts"]["Ready"], 1_001, "{}", document["summary"]);
    let names: Vec<&str> =
        document["items"].as_array().expect("rows").iter().map(|row| row["workload"].as_str().unwrap()).collect();
    assert_eq!((names.len(), names[0], names[1_001]), (1_002, "gke-inventory", "workload-1000"));

    // The last one is on the third page; that it is broken must not be lost.
    stage.fails("workload-1000", "it is the last");
    let port = cluster.server().rsplit_once(':').expect("a port").1.parse().expect("a port");
    let proxy = Proxy::start(port, Some(stage.bed.tls()));
    let server = format!("https://localhost:{}", proxy.port());
    let found = rows(&stage.alone(&["-o", "json", "-s", &server]).exits(1).stdout);
    let broken: Vec<_> = found.values().filter(|row| said(row).0 != "Ready").map(|row| row["workload"].clone()).collect();
    assert_eq!(broken, ["workload-1000"]);
    for kind in ["ocirepositories", "kustomizations"] {
        let lists: Vec<String> = proxy.lines().into_iter().filter(|line| line.contains(kind)).collect();
        assert_eq!(lists.len(), 3, "pages of 500: {lists:?}");
        assert!(lists.iter().all(|line| line.contains("limit=500")), "{lists:?}");
    }
    assert_eq!(proxy.log().len(), 6, "and nothing else: {:?}", proxy.lines());

    proxy.clear();
    let run = stage.alone(&["workload-1000", "-s", &server]).exits(1);
    assert!(run.stdout.contains("it is the last"), "{run}");
    assert!(proxy.lines().iter().all(|line| !line.contains("limit=")), "GETs only: {:?}", proxy.lines());
    let table = stage.alone(&["--not-ready"]).exits(1);
    assert_eq!(table.stdout.lines().count(), 2, "{table}");
    assert!(
        table.stderr.contains("1001 workloads: 1 Failed, 1000 Ready")
            || table.stderr.contains("1001 workloads: 1000 Ready, 1 Failed"),
        "{table}"
    );

    // On a terminal with ten rows the broken one is among those that are shown.
    let watch = Terminal::start(
        &stage,
        &["status", "-w", "--no-registry", "--expected", "out", "--runtime", "gke", "-e", ENVIRONMENT],
        (10, 80),
    );
    watch.until(|drawn| drawn.contains("workload-1000") && drawn.contains("more"));
    let (code, drawn) = watch.interrupt();
    assert_eq!(code, Some(130));
    assert!(is_sane(&drawn) && widths(&drawn).into_iter().all(|width| width <= 80), "{drawn:?}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn long_names_and_hostile_messages_in_forty_columns() {
    let (stage, _cluster) = stage("long");
    let long = "a".repeat(63);
    stage.written(&[long.clone(), "svc".to_owned()]);
    // What a terminal would obey: a colour, a cleared screen, a title, a bell, a line that is drawn over, a reversed text.
    let nasty = "\u{1b}[31mred\u{1b}[2J\u{1b}]0;title\u{7}\r\nsecond line\t\u{202e}reversed\u{9b}31m ";
    let message = nasty.repeat(20_000 / nasty.len() + 1);
    stage.fails(&long, &message);
    let stored = stage.ns.get_json("kustomization", &long).expect("it is there");
    assert_eq!(stored["status"]["conditions"][0]["message"], message.as_str(), "the API server keeps every byte");

    let bad = |text: &str| text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{9b}'));
    for more in [
        &[][..],
        &["-o", "wide"],
        &["-o", "tree"],
        &["-o", "name"],
        &["-o", "markdown"],
        &["-o", "junit"],
        &["-o", "matrix"],
        &["-o", "json"],
        &["-o", "yaml"],
        &[&long],
    ] {
        let run = stage.alone(more).exits(1);
        assert_eq!((bad(&run.stdout), bad(&run.stderr)), (None, None), "{more:?}");
        assert!(run.stdout.contains(&long), "a name is never cut: {run}");
        // One line for each row, whatever the message is.
        if matches!(more, [] | [_, "wide" | "name" | "matrix"]) {
            assert!(run.stdout.lines().count() <= 4, "{more:?}: {run}");
        }
    }
    let document: Value = serde_json::from_str(&stage.alone(&["-o", "json"]).stdout).expect("JSON");
    let row =
        document["items"].as_array().expect("rows").iter().find(|row| row["workload"] == long.as_str()).expect("a row").clone();
    assert!(row["message"].as_str().expect("text").contains(nasty), "a document has every byte, escaped");
    for command in ["explain", "tree"] {
        let run =
            stage.env.run([command, &long, "--no-registry", "--expected", "out", "--runtime", "gke", "-e", ENVIRONMENT]).exits(1);
        assert_eq!((bad(&run.stdout), bad(&run.stderr)), (None, None), "{run}");
    }
    on_a_terminal(&stage, &long);
}

/// The same on terminals of forty columns: nothing of the message is obeyed, and what is drawn over never wraps.
fn on_a_terminal(stage: &Stage, long: &str) {
    let base = ["--no-registry", "--expected", "out", "--runtime", "gke", "-e", ENVIRONMENT];
    for command in [&["status"][..], &["status", "-o", "wide"], &["status", long], &["explain", long], &["tree", long]] {
        let terminal = Terminal::start(stage, &[command, &base].concat(), (24, 40));
        let (code, drawn) = terminal.end();
        assert_eq!(code, Some(1), "{drawn}");
        assert!(
            is_sane(&drawn) && !drawn.contains("\u{1b}]") && !drawn.contains('\u{7}') && !drawn.contains('\u{202e}'),
            "{command:?}: {drawn:?}"
        );
    }
    let watch = Terminal::start(stage, &[&["status", "-w"][..], &base].concat(), (8, 40));
    watch.until(|drawn| drawn.matches("WORKLOAD").count() > 1);
    let (code, drawn) = watch.interrupt();
    assert_eq!(code, Some(130), "{drawn:?}");
    assert!(is_sane(&drawn) && !drawn.contains("\u{1b}]") && !drawn.contains('\u{202e}'), "{drawn:?}");
    assert!(widths(&drawn).into_iter().all(|width| width <= 40), "a line wraps: {drawn:?}");
    let arguments =
        [
            &["status", "--wait", "--grace", "10m", "--expected", "out", "--no-registry", "--runtime", "gke", "-e", ENVIRONMENT]
                [..],
        ]
        .concat();
    let wait = Terminal::start(stage, &arguments, (8, 40));
    wait.until(|drawn| drawn.matches(" there; ").count() > 1);
    let (code, drawn) = wait.interrupt();
    assert_eq!(code, Some(130), "{drawn:?}");
    assert!(is_sane(&drawn) && !drawn.contains("\u{1b}]") && !drawn.contains('\u{202e}'), "{drawn:?}");
}
