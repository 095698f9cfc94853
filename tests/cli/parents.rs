//! Which parents a cluster has, and whose row a name is.

use super::env;
use super::fake::{Case, Fake, kubeconfig};
use runway_testkit::env::{Env, Run};
use serde_json::Value;

const CASE: &str = "with-parent/drifted-by-kubectl";
const NAMESPACE: &str = "drifted-by-kubectl";

/// (cluster, kind, workload, verdict, break) of every row.
fn rows(run: &Run) -> Vec<[String; 5]> {
    let document: Value = serde_json::from_str(&run.stdout).map_err(|error| format!("{error}: {run}")).unwrap();
    let text = |item: &Value, pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let row = |item: &Value| ["/cluster", "/kind", "/workload", "/verdict", "/break/link"].map(|pointer| text(item, pointer));
    document["items"].as_array().unwrap().iter().map(row).collect()
}

fn brief(run: &Run) -> Vec<String> {
    rows(run).into_iter().map(|[_, kind, workload, verdict, link]| format!("{kind} {workload} {verdict} {link}")).collect()
}

fn cluster_env(contexts: &[(&str, &Fake)]) -> Env {
    let mut env = env();
    let contexts: Vec<(&str, &str)> = contexts.iter().map(|(name, fake)| (*name, fake.url.as_str())).collect();
    let file = env.write("kubeconfig", kubeconfig(&contexts));
    env.var("KUBECONFIG", file);
    env
}

#[test]
fn a_workload_that_is_called_like_a_parent_is_a_workload() {
    let mut case = Case::recorded(CASE);
    case.rename("svc", "stock-inventory");
    let env = env();
    case.write(&env, "case");
    let expected = ["parent gke-inventory Ready ", "workload stock-inventory Drifted installed", "workload other Ready "];
    let all = env.run(["status", "--snapshot", "case", "-o", "json"]).exits(1);
    assert_eq!(brief(&all), expected, "{all}");
    let one = env.run(["status", "stock-inventory", "--snapshot", "case", "-o", "json"]).exits(1);
    assert_eq!(brief(&one), ["workload stock-inventory Drifted installed"], "{one}");
    // The same by GETs.
    let live = cluster_env(&[("a", &Fake::start(case.objects.clone(), "\0"))]);
    case.write(&live, "case");
    let flags = ["-n", NAMESPACE, "--no-registry", "--expected", "case/published", "-o", "json"];
    let one = live.run(["status", "stock-inventory"].iter().chain(&flags)).exits(1);
    assert_eq!(brief(&one), ["workload stock-inventory Drifted installed"], "{one}");
}

#[test]
fn half_a_pair_is_a_parent_of_a_runtime_that_the_settings_know() {
    let (mut case, env) = (Case::recorded(CASE), env());
    case.without("OCIRepository", "gke-inventory");
    case.write(&env, "case");
    let run = env.run(["status", "--snapshot", "case", "-o", "json"]).exits(1);
    assert_eq!(brief(&run)[0], "parent gke-inventory Missing installed", "{run}");
    case.rename("gke-inventory", "unheard-of-inventory");
    case.write(&env, "case");
    let run = env.run(["status", "--snapshot", "case", "-o", "json"]).exits(2);
    assert!(run.stderr.contains("there is no parent <runtime>-inventory"), "{run}");
}

#[test]
fn a_parent_that_is_pinned_to_a_digest_has_the_environment_of_its_folder() {
    let (mut case, env) = (Case::recorded(CASE), env());
    let source = case.object("OCIRepository", "gke-inventory");
    let digest = source["status"]["artifact"]["revision"].as_str().unwrap().split_once('@').unwrap().1.to_owned();
    source["spec"]["ref"] = serde_json::json!({ "digest": digest });
    case.write(&env, "case");
    let run = env.run(["status", "other", "--snapshot", "case", "-o", "json"]).exits(0);
    assert_eq!(brief(&run), ["workload other Ready "], "{run}");
    assert!(run.stdout.contains("\"environment\": \"production\""), "{run}");
}

/// A second pair with workloads of its own beside the first.
fn two_pairs() -> Case {
    let mut case = Case::recorded(CASE);
    let mut second = case.clone();
    second.rename("svc", "third");
    second.rename("other", "fourth");
    second.rename("gke-inventory", "eks-inventory");
    case.objects.extend(second.objects);
    case
}

#[test]
fn a_name_belongs_to_the_parent_that_has_it() {
    let live = cluster_env(&[("a", &Fake::start(two_pairs().objects, "\0"))]);
    let flags = ["-n", NAMESPACE, "--no-registry", "-o", "json"];
    for (name, expected) in
        [("svc", "workload svc Ready "), ("third", "workload third Ready "), ("gke-inventory", "parent gke-inventory Ready ")]
    {
        let run = live.run(["status", name].iter().chain(&flags)).exits(0);
        assert_eq!(brief(&run), [expected], "{run}");
    }
    let waits = ["--wait", "--wait-timeout", "3s", "--grace", "1s"];
    let run = live.run(["status", "svc"].iter().chain(&flags).chain(&waits)).exits(0);
    assert_eq!(brief(&run), ["workload svc Ready "], "{run}");
}

/// Where nothing expects it and nothing is of its name it is not missing; a thing of that name is shown while nobody can say
/// whether it is expected.
#[test]
fn a_name_belongs_to_the_cluster_that_has_it() {
    let mut foreign = Case::recorded(CASE);
    foreign.rename("gke-inventory", "eks-inventory");
    let mut without = foreign.clone();
    for kind in ["OCIRepository", "Kustomization"] {
        foreign.object(kind, "svc")["metadata"].as_object_mut().unwrap().remove("labels");
        without.without(kind, "svc");
    }
    let look = |other: &Case, code| {
        let live = cluster_env(&[("a", &Fake::recorded(CASE)), ("b", &Fake::start(other.objects.clone(), "\0"))]);
        let run = live.run(["status", "svc", "--all-contexts", "-n", NAMESPACE, "--no-registry", "-o", "json"]).exits(code);
        rows(&run).into_iter().map(|[cluster, _, _, verdict, _]| format!("{cluster} {verdict}")).collect::<Vec<_>>()
    };
    assert_eq!(look(&without, 0), ["a Ready"]);
    assert_eq!(look(&foreign, 1), ["a Ready", "b Drifted"]);
}
