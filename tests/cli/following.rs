//! What goes on goes on: a wait, a watch and a request to Flux, over servers that fail for a while, or one of several.

use super::api::{Api, Instead, Request};
use super::env;
use super::fake::{Case, folder, hanging, kubeconfig, refusing};
use runway_testkit::env::{Env, Run};
use runway_testkit::fake::{Deed, Hostile, Reply};
use serde_json::Value;
use std::io::BufRead as _;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CASE: &str = "with-parent/drifted-by-kubectl";
const NAMESPACE: &str = "drifted-by-kubectl";

/// A cluster on which everything is as it should be.
fn fine() -> Case {
    let mut case = Case::recorded(CASE);
    case.object("OCIRepository", "svc")["spec"]["interval"] = "5m0s".into();
    case.object("Kustomization", "svc")["spec"]["interval"] = "5m0s".into();
    case.object("Kustomization", "svc")["spec"]["prune"] = true.into();
    case
}

fn api() -> Api {
    Api::start(fine().objects, |_, _| None)
}

fn env_of(contexts: &[(&str, &str)]) -> Env {
    let mut env = env();
    let file = env.write("kubeconfig", kubeconfig(contexts));
    env.var("KUBECONFIG", file);
    env
}

/// Runs a command against what was recorded as published, without a registry.
fn run(env: &Env, more: &[&str]) -> Run {
    let published = format!("{}/published", folder(CASE));
    let against = ["-n", NAMESPACE, "--no-registry", "--expected", &published];
    env.run(more.iter().chain(&against))
}

fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).map_err(|error| format!("{error}: {run}")).unwrap()
}

const SHORT: [&str; 4] = ["--wait-timeout", "8s", "--grace", "1s"];

#[test]
fn a_request_that_is_refused_for_a_moment_is_made_again() {
    let deeds: [fn() -> Instead; 4] = [
        || Instead::Refuse(409, "the object has been modified"),
        || Instead::Refuse(429, "slow down"),
        || Instead::Refuse(500, "etcd: leader changed"),
        || Instead::Cut,
    ];
    for deed in deeds {
        let server = Api::start(fine().objects, move |request, before| (request.method == "PATCH" && before == 0).then(deed));
        let env = env_of(&[("a", &server.url)]);
        let waited = run(&env, &[&["status", "svc", "--wait", "--trigger", "-o", "json"][..], &SHORT].concat()).exits(0);
        assert_eq!(document(&waited)["items"][0]["verdict"], "Ready", "{waited}");
        assert!(server.lines("PATCH").len() >= 3 && waited.stderr.contains("it is tried again"), "{waited}");
        let server = Api::start(fine().objects, move |request, before| (request.method == "PATCH" && before == 1).then(deed));
        let env = env_of(&[("a", &server.url)]);
        let words = ["reconcile", "--all", "-n", NAMESPACE, "--wait-timeout", "8s", "-o", "json"];
        assert_eq!(document(&env.run(words).exits(0))["result"], "handled");
    }
}

#[test]
fn a_request_that_may_not_be_made_is_the_trouble_of_its_row() {
    let forbids = |request: &Request, _| {
        let is_svc = request.method == "PATCH" && request.target.contains("/svc?");
        is_svc.then_some(Instead::Refuse(403, "you may not patch svc"))
    };
    let (server, good) = (Api::start(fine().objects, forbids), api());
    let env = env_of(&[("a", &server.url), ("b", &good.url)]);
    let all = ["status", "--wait", "--trigger", "--all-contexts", "-o", "json"];
    let waited = run(&env, &[&all[..], &SHORT].concat()).exits(1);
    assert_eq!(document(&waited)["items"].as_array().unwrap().len(), 6, "{waited}");
    assert!(
        waited.stderr.contains("svc on a will not become Ready") && waited.stderr.contains("you may not patch svc"),
        "{waited}"
    );
    assert!(!waited.stderr.contains("on b will not"), "{waited}");
    assert_eq!(good.lines("PATCH").len(), 6, "the others were asked");
    let words = ["reconcile", "--all", "--all-contexts", "-n", NAMESPACE, "--wait-timeout", "8s"];
    let asked = env.run([&words[..], &["-o", "json"]].concat()).exits(1);
    let document = document(&asked);
    assert_eq!(document["result"], "refused", "{asked}");
    let handled = document["items"].as_array().unwrap().iter().filter(|item| item["handled"] == true).count();
    assert_eq!(handled, 3, "{asked}");
    assert!(env.run(words).exits(1).stdout.contains("svc on a: not asked: cannot change"), "{asked}");
}

#[test]
fn a_cluster_without_an_answer_makes_a_wait_partial() {
    let unauthorized = |_: &Request, _| Some(Instead::Refuse(401, "who are you"));
    let (good, strange, dead) = (api(), Api::start(Vec::new(), unauthorized), refusing());
    let env = env_of(&[("good", &good.url), ("strange", &strange.url), ("dead", &dead)]);
    let wait = |contexts: &[&str]| {
        let mut words = vec!["status", "svc", "--wait", "--runtime", "gke", "-e", "production", "-o", "json"];
        words.extend(["--wait-timeout", "3s", "--grace", "1s"]);
        words.extend(contexts.iter().flat_map(|name| ["--context", name]));
        run(&env, &words)
    };
    assert_eq!(document(&wait(&["good", "strange"]).exits(3))["summary"]["clusters"][1]["reachable"], false);
    drop(wait(&["good", "dead"]).exits(3));
    drop(wait(&["strange"]).exits(2));
    drop(wait(&["dead"]).exits(2));
    // What is still on its way on a cluster that answers is late, whatever the others do.
    good.change("Kustomization", "svc", |object| {
        for condition in object["status"]["conditions"].as_array_mut().unwrap() {
            condition["status"] = "Unknown".into();
            condition["reason"] = "Progressing".into();
        }
    });
    drop(wait(&["good", "strange"]).exits(4));
}

#[test]
fn one_deadline_whoever_hangs() {
    let (good, slow) = (api(), hanging());
    let env = env_of(&[("good", &good.url), ("slow", &slow)]);
    let words = ["status", "--all-contexts", "--runtime", "gke", "-e", "production", "--wait", "--wait-timeout", "3s"];
    let waited = run(&env, &words).exits(3);
    assert!(waited.took < Duration::from_secs(8), "{:?}: {waited}", waited.took);
    assert!(waited.stderr.contains("svc on good Ready"), "{waited}");
    assert!(waited.stderr.contains("slow gave no answer: it has not answered yet"), "{waited}");
    let alone = run(
        &env,
        &[&words[..], &["--context", "slow"]].concat().iter().copied().filter(|it| *it != "--all-contexts").collect::<Vec<_>>(),
    )
    .exits(2);
    assert!(alone.took < Duration::from_secs(8), "{:?}: {alone}", alone.took);
}

/// A registry that holds the recorded inventory; it has a fault while it is told to.
struct Published {
    registry: Arc<Hostile>,
    faulty: Arc<AtomicBool>,
}

impl Published {
    fn start() -> Self {
        let faulty = Arc::new(AtomicBool::new(false));
        let fault = Arc::clone(&faulty);
        let registry = Hostile::start(move |request, reply| {
            let refuses = fault.load(Ordering::SeqCst) && request.path().contains("/manifests/");
            Deed::Answer(if refuses { Reply::error(500, "UNKNOWN", "out of order") } else { reply })
        });
        Self { registry: Arc::new(registry), faulty }
    }

    fn push(&self, env: &Env, list: &str) {
        env.write("pushed.yml", list);
        let to = format!("oci://{}/p/gke-inventory:production", self.registry.address());
        let words = ["inventory", "push", "-f", "pushed.yml", "--runtime", "gke", "-e", "production", "-n", NAMESPACE];
        env.run(words.iter().copied().chain(["--to", &to, "--yes", "--plain-http"])).ok();
    }

    fn expected(&self) -> String {
        format!("oci://{}/p/gke-inventory:production", self.registry.address())
    }
}

#[test]
fn an_inventory_that_cannot_be_read_ends_nothing() {
    let (server, published) = (api(), Published::start());
    let env = env_of(&[("a", &server.url)]);
    published.push(&env, "- runway_service_id: svc\n- runway_service_id: other\n");
    published.faulty.store(true, Ordering::SeqCst);
    let expected = published.expected();
    let flags = ["-n", NAMESPACE, "--expected", &expected, "--plain-http"];
    let once = env.run(["status", "-o", "json"].iter().chain(&flags));
    assert_eq!(document(&once)["summary"]["total"], 2, "what this parent applied is judged all the same: {once}");
    assert!(once.stderr.contains("warning: what is published could not be read: oci://"), "{once}");
    let begun = Instant::now();
    let waited = env.run(["status", "--wait", "--wait-timeout", "3s", "--grace", "1s", "-o", "json"].iter().chain(&flags));
    assert_eq!(waited.code, Some(4), "{waited}");
    assert!(begun.elapsed() > Duration::from_secs(3) && document(&waited)["items"].is_array(), "{waited}");
    // A watch goes on until somebody ends it.
    let mut command = env.command();
    command.args(["status", "-w"]).args(flags).stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, rows) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    // The registry is asked again and again first: how long that takes depends on the machine.
    let deadline = Instant::now() + Duration::from_secs(60);
    let is_told = std::iter::from_fn(|| rows.recv_timeout(deadline - Instant::now()).ok()).any(|row| row.contains("svc"));
    assert!(is_told, "a row of the workload");
    std::thread::sleep(Duration::from_secs(4));
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_fault_of_one_scope_takes_nothing_else_down() {
    let env = env();
    let mut case = fine();
    case.published.push_str("---\na: [\n");
    case.write(&env, "broken");
    env.write("w.yml", "- runway_service_id: svc\n- runway_service_id: other\n");
    let flags = ["--snapshot", "broken", "-f", "w.yml", "-n", NAMESPACE, "-o", "json"];
    let run = env.run(["status"].iter().chain(&flags));
    assert!(run.code < Some(2), "{run}");
    let found = document(&run);
    assert_eq!(found["summary"]["total"], 2, "the declared file is what is expected: {run}");
    assert!(run.stderr.contains("what is published could not be read") && run.stderr.contains("inventory.yaml"), "{run}");
    // An environment that the settings do not know, as the cluster has it.
    let mut canary = fine();
    canary.object("OCIRepository", "gke-inventory")["spec"]["ref"]["tag"] = "canary".into();
    canary.write(&env, "canary");
    let run = env.run(["status", "--snapshot", "canary", "-f", "w.yml", "-o", "json"]);
    assert_eq!(document(&run)["items"][0]["environment"], "canary", "{run}");
    // A path with nothing there is a slip of the finger.
    for source in ["nowhere", "layout:nowhere", "nowhere.yml"] {
        let run = env.run(["status", "--snapshot", "canary", "--expected", source]).exits(2);
        assert!(run.stderr.contains("nowhere") && run.stdout.is_empty(), "{run}");
    }
    let run = env.run(["status", "--snapshot", "canary", "--expected", "oci://localhost:1/x", "-o", "json"]);
    assert_eq!(document(&run)["items"][1]["links"][1]["state"], "unknown", "{run}");
}

#[test]
fn a_cluster_without_a_parent_has_its_own_words_and_a_row() {
    let (good, empty) = (api(), Api::start(Vec::new(), |_, _| None));
    let env = env_of(&[("good", &good.url), ("empty", &empty.url)]);
    let all = ["status", "--all-contexts", "-o"];
    let found = run(&env, &[&all[..], &["json"]].concat()).exits(3);
    let items = document(&found)["items"].clone();
    let row = items.as_array().unwrap().iter().find(|item| item["cluster"] == "empty").unwrap();
    assert_eq!((&row["verdict"], &row["reason"]), (&"Unknown".into(), &"NoParent".into()), "{found}");
    assert!(found.stderr.contains("empty answers, and cannot be judged: ") && !found.stderr.contains("no answer"), "{found}");
    assert!(run(&env, &[&all[..], &["matrix"]].concat()).exits(3).stdout.contains("Unknown"), "{found}");
}
