//! What to do next: for the very thing that was looked at, however it was reached.

use super::documents::{schema, valid};
use super::env;
use super::fake::{Case, Fake, folder, kubeconfig};
use runway_testkit::env::{Env, Run};
use serde_json::Value;

const CASE: &str = "with-parent/drifted-by-kubectl";
const NAMESPACE: &str = "drifted-by-kubectl";

/// The next steps of a workload.
fn next(run: &Run, workload: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(&run.stdout).map_err(|error| format!("{error}: {run}")).unwrap();
    let row = document["items"].as_array().unwrap().iter().find(|item| item["workload"] == workload).unwrap();
    row["break"]["next"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn suspended() -> Case {
    let mut case = Case::recorded(CASE);
    case.object("OCIRepository", "svc")["spec"]["suspend"] = true.into();
    case
}

fn look(env: &Env, more: &[&str]) -> Run {
    let flags = ["status", "svc", "-n", NAMESPACE, "--no-registry", "-o", "json"];
    env.run(flags.iter().chain(more)).exits(1)
}

#[test]
fn it_goes_the_way_that_was_typed() {
    let server = Fake::start(suspended().objects, "\0");
    let mut env = env();
    env.write("other config", kubeconfig(&[("a", &server.url)]));
    let resume = |way: &str| vec![format!("flux{way} -n {NAMESPACE} resume source oci svc")];
    assert_eq!(next(&look(&env, &["--kubeconfig", "other config"]), "svc"), resume(" --kubeconfig 'other config'"));
    let with = ["--kubeconfig", "other config", "--context", "a", "--as", "jane", "--token", "secret"];
    let run = look(&env, &with);
    assert_eq!(next(&run, "svc"), resume(" --kubeconfig 'other config' --as jane --context a"), "and no token");
    let server_flag = format!(" --server {}", server.url);
    assert_eq!(next(&look(&env, &["-s", &server.url]), "svc"), resume(&server_flag));
    // A snapshot knows the context that it was made of; one that does not leads nowhere, rather than to the current one.
    let file = env.write("kubeconfig", kubeconfig(&[("a", &server.url)]));
    env.var("KUBECONFIG", file);
    drop(env.run(["snapshot", "save", "saved", "-n", NAMESPACE, "--no-registry"]).exits(0));
    assert_eq!(next(&look(&env, &["--snapshot", "saved"]), "svc"), resume(" --context a"));
    suspended().write(&env, "by-hand");
    assert_eq!(next(&look(&env, &["--snapshot", "by-hand"]), "svc"), resume(" --context CLUSTER"));
}

#[test]
fn a_command_of_ours_has_what_was_typed() {
    let env = env();
    let mut case = Case::recorded(CASE);
    let ready = case.condition("Kustomization", "gke-inventory", "Ready");
    (ready["status"], ready["reason"]) = ("False".into(), "ReconciliationFailed".into());
    case.object("Kustomization", "gke-inventory")["status"]["lastAppliedRevision"] = "production@sha256:0".into();
    case.without("OCIRepository", "svc");
    case.without("Kustomization", "svc");
    case.write(&env, "case");
    env.write("w.yml", "- runway_service_id: svc\n- runway_service_id: other\n- runway_service_id: unpublished\n");
    let flags = ["status", "-f", "w.yml", "--snapshot", "case", "-o", "json"];
    let run = env.run(flags).exits(1);
    assert_eq!(
        next(&run, "svc"),
        [format!("kubectl runway explain gke-inventory -n {NAMESPACE} -f w.yml --snapshot case")],
        "{run}"
    );
    let push = format!("kubectl runway inventory push --dry-run --runtime gke -e production -n {NAMESPACE} -f w.yml");
    assert_eq!(next(&run, "unpublished"), [push], "{run}");
}

/// A parent is asked to put something back only when it can.
#[test]
fn a_parent_that_cannot_run_is_not_asked_to() {
    let missing = |change: &dyn Fn(&mut Case)| {
        let env = env();
        let mut case = Case::recorded(CASE);
        case.without("OCIRepository", "svc");
        change(&mut case);
        case.write(&env, "case");
        let flags = ["status", "--runtime", "gke", "-e", "production", "--snapshot", "case", "-o", "json"];
        next(&env.run(flags).exits(1), "svc")
    };
    let flux = format!("flux --context CLUSTER -n {NAMESPACE}");
    assert_eq!(missing(&|_| {}), [format!("{flux} reconcile kustomization gke-inventory")]);
    let suspend = |case: &mut Case| case.object("Kustomization", "gke-inventory")["spec"]["suspend"] = true.into();
    assert_eq!(missing(&suspend), [format!("{flux} resume kustomization gke-inventory")]);
    let going = |case: &mut Case| {
        case.object("Kustomization", "gke-inventory")["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:00Z".into();
    };
    let next = missing(&going);
    assert!(next.len() == 1 && next[0].contains(" describe ") && next[0].ends_with(" gke-inventory"), "{next:?}");
    let gone = |case: &mut Case| {
        case.without("OCIRepository", "gke-inventory");
        case.without("Kustomization", "gke-inventory");
    };
    assert_eq!(missing(&gone), [format!("kubectl runway bootstrap --runtime gke -e production -n {NAMESPACE}")]);
}

#[test]
fn one_workload_shows_what_was_applied_for_it() {
    let env = env();
    let mut case = Case::recorded(CASE);
    let flags = ["status", "svc", "--snapshot", "case"];
    case.write(&env, "case");
    let run = env.run(flags).exits(1);
    assert!(run.stdout.contains("applied, by its name only:\n  └─ "), "{run}");
    let entry = |n: usize| serde_json::json!({"id": format!("n_c{n}__ConfigMap"), "v": "v1"});
    case.object("Kustomization", "svc")["status"]["inventory"]["entries"] = (0..33).map(entry).collect();
    case.write(&env, "case");
    let run = env.run(flags).exits(1);
    assert!(run.stdout.contains("├─ ConfigMap n/c19\n  └─ and 13 more\n") && !run.stdout.contains("c20"), "{run}");
    let live = super::env();
    let server = Fake::start(case.objects.clone(), "\0");
    live.write("config", kubeconfig(&[("a", &server.url)]));
    let run = live.run(["status", "svc", "-n", NAMESPACE, "--no-registry", "--kubeconfig", "config"]);
    let more = format!("and 13 more: kubectl runway tree svc -n {NAMESPACE} --kubeconfig config\n");
    assert!(run.stdout.contains(&more) && run.stdout.contains("names only (--objects looks at them):\n"), "{run}");
    assert_eq!(server.asked().iter().filter(|path| path.contains("configmaps")).count(), 0, "no further request");
    // All of them are not asked for one by one.
    let all = env.run(["status", "--snapshot", "case"]).exits(1);
    assert!(!all.stdout.contains("ConfigMap"), "{all}");
}

#[test]
fn a_snapshot_says_its_age_and_keeps_what_registries_said_to_itself() {
    let env = env();
    let mut case = Case::recorded(CASE);
    let digest = format!("sha256:{}", "e".repeat(64));
    for (_, answer) in case.registry.as_object_mut().unwrap() {
        *answer = digest.as_str().into();
    }
    case.write(&env, "case");
    let about = |time: &str| env.write("case/snapshot.json", format!("{{\"cluster\": \"c\", \"time\": \"{time}\"}}"));
    let run = |more: &[&str]| env.run(["status", "other", "--snapshot", "case"].iter().chain(more));
    about("2026-01-01T00:00:00Z");
    let old = run(&[]).exits(1);
    assert!(old.stderr.contains("warning: the snapshot was saved ") && old.stderr.contains("(2026-01-01T00:00:00Z)"), "{old}");
    about("2999-01-01T00:00:00Z");
    assert!(!run(&[]).exits(1).stderr.contains("was saved"), "{old}");
    let silent = run(&["--no-registry"]).exits(0);
    assert!(silent.stdout.contains("was not asked"), "{silent}");
}

#[test]
fn names_are_those_of_workloads() {
    let env = env();
    Case::recorded(CASE).write(&env, "case");
    for name in ["svc", "workload/svc", "kustomization/svc", "OCIRepository/svc", "kustomization.kustomize.toolkit.fluxcd.io/svc"]
    {
        let run = env.run(["status", name, "--snapshot", "case"]).exits(1);
        assert!(run.stdout.starts_with("svc on "), "{run}");
    }
    for name in ["", "pod/svc", "a b", "workload/"] {
        for command in ["status", "explain", "tree"] {
            let run = env.run([command, name, "--snapshot", "case"]).exits(2);
            assert!(run.stderr.contains("is no name of a workload"), "{command} {name:?}: {run}");
        }
        assert!(env.run(["reconcile", name]).exits(2).stderr.contains("is no name of a workload"), "{name:?}");
    }
}

#[test]
fn odd_objects_are_judged_all_the_same() {
    let env = env();
    let mut case = Case::recorded(CASE);
    let ready = case.condition("Kustomization", "other", "Ready");
    (ready["status"], ready["reason"], ready["message"]) = ("Perhaps".into(), Value::Null, Value::Null);
    case.object("OCIRepository", "svc")["metadata"]["annotations"] = Value::Null;
    case.write(&env, "case");
    let run = env.run(["status", "--snapshot", "case", "-o", "json"]).exits(1);
    let document = valid(&schema("status-report"), &run.stdout);
    let row = document["items"].as_array().unwrap().iter().find(|item| item["workload"] == "other").unwrap();
    assert_eq!(row["kustomization"]["ready"], "Unknown", "{row}");
    assert!(row["break"]["reason"] != "" && row["break"]["message"] != "", "{row}");
    // A tree says why.
    let folder = folder("alone/was-ok-then-bad-artifact");
    let run =
        env.run(["tree", "was-ok-then-bad-artifact", "--runtime", "gke", "-e", "production", "--snapshot", &folder]).exits(1);
    assert!(run.stdout.lines().any(|line| line.contains("Ready=False") && line.contains("; ") && line.len() > 80), "{run}");
    // kubectl takes a bare number of seconds.
    let server = Fake::recorded(CASE);
    env.write("config", kubeconfig(&[("a", &server.url)]));
    let flags = ["-n", NAMESPACE, "--no-registry", "--kubeconfig", "config"];
    drop(env.run(["status", "--request-timeout", "5"].iter().chain(&flags)).exits(0));
}
