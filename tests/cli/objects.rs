//! The applied objects themselves: `status --objects`, `tree`, `explain`, over a server on loopback.

use super::env;
use super::fake::{Fake, folder, kubeconfig, recorded};
use runway_testkit::env::{Env, Run};
use serde_json::{Value, json};

/// svc's `ConfigMap` was deleted by hand, and Flux has not looked again.
const CASE: &str = "with-parent/object-deleted-by-hand";
const NAMESPACE: &str = "object-deleted-by-hand";

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE}, "data": {"secret": "canary"}})
}

/// What the case has, with svc having applied these objects beside its `ConfigMap`.
fn with_applied(ids: &[&str]) -> Vec<Value> {
    let mut objects = recorded(CASE);
    let svc = objects.iter_mut().find(|it| it["kind"] == "Kustomization" && it["metadata"]["name"] == "svc").unwrap();
    let entries = svc["status"]["inventory"]["entries"].as_array_mut().unwrap();
    entries.extend(ids.iter().map(|id| json!({"id": format!("{NAMESPACE}_{id}"), "v": "v1"})));
    objects.push(config_map("other"));
    objects
}

fn env_of(server: &Fake) -> Env {
    let mut env = env();
    let file = env.write("kubeconfig", kubeconfig(&[("a", &server.url)]));
    env.var("KUBECONFIG", file);
    env
}

fn run(env: &Env, command: &[&str]) -> Run {
    let expected = format!("{}/published", folder(CASE));
    let mut arguments = command.to_vec();
    arguments.extend(["-n", NAMESPACE, "--no-registry", "--expected", &expected]);
    env.run(arguments)
}

fn row(run: &Run, name: &str) -> Value {
    let document: Value = serde_json::from_str(&run.stdout).map_err(|error| format!("{error}: {run}")).unwrap();
    document["items"].as_array().unwrap().iter().find(|item| item["workload"] == name).cloned().unwrap()
}

#[test]
fn an_object_deleted_by_hand_is_seen_when_objects_are_looked_at() {
    let server = Fake::start(with_applied(&[]), "\0");
    let env = env_of(&server);
    let calm = run(&env, &["status", "-o", "json"]).exits(0);
    assert_eq!(row(&calm, "svc")["verdict"], "Ready");
    assert!(row(&calm, "svc").get("objects").is_none());

    let looked = run(&env, &["status", "--objects", "-o", "json"]).exits(1);
    let svc = row(&looked, "svc");
    assert_eq!(
        (&svc["verdict"], &svc["break"]["link"], &svc["reason"]),
        (&"Failed".into(), &"healthy".into(), &"ObjectMissing".into())
    );
    assert_eq!(svc["message"], "ConfigMap object-deleted-by-hand/svc is absent");
    assert_eq!(svc["objects"][0]["health"], "NotFound");
    assert_eq!(svc["break"]["next"][0], "flux -n object-deleted-by-hand reconcile kustomization svc");
    let other = row(&looked, "other");
    assert_eq!((&other["verdict"], &other["objects"][0]["health"]), (&"Ready".into(), &"Current".into()));
    assert!(!looked.stdout.contains("canary"), "the content of an object is nobody's business: {looked}");

    let why = run(&env, &["explain", "svc"]).exits(1);
    for words in [
        "svc on a (gke production): Failed at healthy",
        "why:  ObjectMissing: ConfigMap object-deleted-by-hand/svc is absent",
        "✔ applied",
        "1 applied object: 1 NotFound",
        "ago)",
    ] {
        assert!(why.stdout.contains(words), "{words}: {why}");
    }
    let tree = run(&env, &["tree", "svc", "other"]).exits(1);
    for words in [
        "   └─ ConfigMap object-deleted-by-hand/svc: NotFound",
        "   └─ ConfigMap object-deleted-by-hand/other: Current\n",
        "├─ OCIRepository svc: Ready=True",
    ] {
        assert!(tree.stdout.contains(words), "{words}: {tree}");
    }
    drop(run(&env, &["tree", "workload/other"]).exits(0));
}

#[test]
fn one_question_for_a_version_and_one_for_each_object() {
    let ids: Vec<String> = (0..20).map(|n| format!("c{n}__ConfigMap")).collect();
    let mut objects = with_applied(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    objects.extend((0..20).map(|n| config_map(&format!("c{n}"))));
    objects.push(config_map("svc"));
    let server = Fake::start(objects, "\0");
    let env = env_of(&server);
    let tree = run(&env, &["tree", "svc", "--runtime", "gke", "-o", "json"]).exits(0);
    assert_eq!(row(&tree, "svc")["objects"].as_array().unwrap().len(), 21);
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|target| *target == "/api/v1").count(), 1, "{asked:?}");
    assert_eq!(asked.len(), 4 + 1 + 21, "no list, no other discovery: {asked:?}");
}

#[test]
fn what_is_forbidden_is_unknown_and_said() {
    let mut objects = with_applied(&["hidden__Secret", "gone_example.com_Thing"]);
    objects.push(config_map("svc"));
    let server = Fake::start(objects, "/secrets/");
    let env = env_of(&server);
    let looked = run(&env, &["status", "svc", "--objects", "-o", "json"]).exits(0);
    let svc = row(&looked, "svc");
    assert_eq!(svc["verdict"], "Ready", "what could not be asked never breaks");
    let healthy = &svc["links"][7];
    assert_eq!((&healthy["link"], &healthy["state"]), (&"healthy".into(), &"unknown".into()));
    let evidence = healthy["evidence"].as_str().unwrap();
    assert!(evidence.contains("1 of 3 objects were read") && evidence.contains("hidden is forbidden"), "{evidence}");
    let states: Vec<(&str, &str)> = svc["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["health"].as_str().unwrap(), it["reason"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(states, [("Current", ""), ("Unknown", "Forbidden"), ("Unknown", "NotInstalled")]);
}

#[test]
fn failing_pods_are_named_with_their_reason_and_last_event() {
    let mut objects = with_applied(&["web_apps_Deployment"]);
    objects.push(config_map("svc"));
    objects.push(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE, "generation": 1},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "progressDeadlineSeconds": 600},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 0, "availableReplicas": 0}}));
    for (name, reason) in [("web-a", "CrashLoopBackOff"), ("web-b", "ImagePullBackOff"), ("web-c", "")] {
        let waiting = json!([{"name": "app", "state": {"waiting": {"reason": reason, "message": "back-off \u{1b}[2J"}}}]);
        let status = if reason.is_empty() {
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
        } else {
            json!({"phase": "Running", "containerStatuses": waiting})
        };
        objects.push(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": "web"}}, "status": status}));
    }
    objects.push(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranger", "namespace": NAMESPACE, "labels": {"app": "db"}}}));
    objects.push(json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": NAMESPACE}, "type": "Warning", "reason": "BackOff",
        "message": "Back-off restarting failed container", "lastTimestamp": "2026-11-23T21:00:00Z", "involvedObject": {"kind": "Pod", "name": "web-a"}}));
    let server = Fake::start(objects, "\0");
    let env = env_of(&server);
    let looked = run(&env, &["status", "svc", "--objects", "-o", "json"]).exits(1);
    let svc = row(&looked, "svc");
    assert_eq!(
        (&svc["verdict"], &svc["break"]["link"], &svc["reason"]),
        (&"Reconciling".into(), &"healthy".into(), &"ObjectInProgress".into())
    );
    assert!(
        svc["message"]
            .as_str()
            .unwrap()
            .contains("Deployment object-deleted-by-hand/web is InProgress: Available: 0/2 (Pod web-a: CrashLoopBackOff"),
        "{svc}"
    );
    let pods = svc["objects"][1]["pods"].as_array().unwrap();
    assert_eq!(pods.len(), 2, "{pods:?}");
    assert_eq!((&pods[0]["reason"], &pods[0]["lastEvent"]["reason"]), (&"CrashLoopBackOff".into(), &"BackOff".into()));
    assert_eq!(svc["break"]["next"][0], format!("kubectl -n {NAMESPACE} logs web-a --all-containers --previous"));
    let tree = run(&env, &["tree", "svc"]).exits(1);
    for words in [
        "├─ Pod web-a: CrashLoopBackOff",
        "│  last event ",
        "BackOff: Back-off restarting failed container",
        "└─ Pod web-b: ImagePullBackOff",
    ] {
        assert!(tree.stdout.contains(words), "{words}: {tree}");
    }
    assert!(!tree.stdout.contains('\u{1b}') && !tree.stdout.contains("stranger"), "{tree}");
}

#[test]
fn a_snapshot_has_no_objects_and_says_so() {
    let env = env();
    let folder = folder(CASE);
    let run = env.run(["tree", "svc", "--snapshot", &folder, "--runtime", "gke", "-e", "production"]).exits(0);
    assert!(
        run.stdout.contains("the applied objects were not looked at") && run.stderr.contains("a snapshot has no applied objects"),
        "{run}"
    );
}

#[test]
fn a_wait_with_objects_ends_when_they_are_there() {
    let waits = |server: &Fake, more: &[&str]| {
        let mut command = vec!["status", "svc", "--wait", "--objects"];
        command.extend(more);
        run(&env_of(server), &command)
    };
    // Flux says Ready, and has not seen that somebody deleted an object.
    let gone = waits(&Fake::start(with_applied(&[]), "\0"), &["--grace", "0s"]).exits(1);
    assert!(gone.stderr.contains("svc on a will not become Ready: Failed at healthy: ConfigMap"), "{gone}");
    let mut objects = with_applied(&[]);
    objects.push(config_map("svc"));
    drop(waits(&Fake::start(objects.clone(), "\0"), &[]).exits(0));
    // What may not be read is said, and holds nothing up.
    let forbidden = waits(&Fake::start(objects.clone(), "/configmaps/"), &[]).exits(0);
    assert!(forbidden.stderr.contains("warning: not all that svc applied on a could be looked at"), "{forbidden}");
    // A rollout that goes on when the time is up.
    let mut objects = with_applied(&["web_apps_Deployment"]);
    objects.push(config_map("svc"));
    objects.push(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE, "generation": 2},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}}, "status": {"observedGeneration": 1}}));
    let late = waits(&Fake::start(objects, "\0"), &["--wait-timeout", "2s"]).exits(4);
    assert!(late.stderr.contains("svc on a is not Ready after 2s"), "{late}");
    assert!(late.stderr.contains("Deployment"), "{late}");
}
