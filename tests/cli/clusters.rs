//! Many clusters at once, over servers on loopback that answer, hang, or are not there.

use super::env;
use super::fake::{Fake, folder, hanging, kubeconfig, refusing};
use runway_testkit::env::{Env, Run};
use serde_json::Value;
use std::time::{Duration, Instant};

const OK: &str = "with-parent/drifted-by-kubectl";
const NAMESPACE: &str = "drifted-by-kubectl";

/// Arguments that make a recorded case the truth: its namespace and its inventory, and no registry.
fn against(case: &str) -> Vec<String> {
    ["-n", NAMESPACE, "--no-registry", "--expected", &format!("{}/published", folder(case))].map(str::to_owned).to_vec()
}

fn run(env: &Env, more: &[&str]) -> Run {
    let mut arguments = vec!["status".to_owned()];
    arguments.extend(against(OK));
    arguments.extend(more.iter().map(|text| (*text).to_owned()));
    env.run(arguments)
}

fn with_contexts(contexts: &[(&str, &str)]) -> Env {
    let mut env = env();
    let file = env.write("kubeconfig", kubeconfig(contexts));
    env.var("KUBECONFIG", file);
    env
}

fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).map_err(|error| format!("{error}: {run}")).unwrap()
}

/// (cluster, workload, verdict) of every row.
fn rows(document: &Value) -> Vec<(String, String, String)> {
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let items = document["items"].as_array().unwrap();
    items.iter().map(|item| (text(item, "cluster"), text(item, "workload"), text(item, "verdict"))).collect()
}

#[test]
fn a_dead_and_a_slow_cluster_hide_nothing() {
    let good = Fake::recorded(OK);
    let (slow, dead) = (hanging(), refusing());
    let contexts = [("prod-a", good.url.as_str()), ("prod-slow", &slow), ("prod-dead", &dead), ("broken-user", &good.url)];
    let env = with_contexts(&contexts);
    let start = Instant::now();
    let run = run(&env, &["--all-contexts", "--timeout", "3s", "-o", "json"]).exits(1);
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    let document = document(&run);
    let rows = rows(&document);
    let row =
        |cluster: &str, workload: &str| rows.iter().find(|row| row.0 == cluster && row.1 == workload).map(|row| row.2.as_str());
    assert_eq!(row("prod-a", "svc"), Some("Drifted"), "{run}");
    assert_eq!(row("prod-a", "other"), Some("Ready"), "{run}");
    for (cluster, reason, words) in [
        ("prod-slow", "TimedOut", "did not answer within"),
        ("prod-dead", "ConnectionRefused", "refused the connection"),
        ("broken-user", "Kubeconfig", "names the user \"nobody\""),
    ] {
        let item = document["items"].as_array().unwrap().iter().find(|item| item["cluster"] == cluster).unwrap();
        assert_eq!((&item["verdict"], &item["reason"]), (&"Unreachable".into(), &reason.into()), "{item}");
        assert!(item["message"].as_str().unwrap().contains(words), "{item}");
        let summary = document["summary"]["clusters"].as_array().unwrap().iter().find(|it| it["name"] == cluster).unwrap();
        assert!(summary["reachable"] == false && summary["error"].as_str().unwrap().contains(words), "{summary}");
        assert!(run.stderr.contains(&format!("warning: {cluster} gave no answer")), "{run}");
    }
    let drifted = document["items"].as_array().unwrap().iter().find(|item| item["verdict"] == "Drifted").unwrap();
    let next = drifted["break"]["next"][0].as_str().unwrap();
    assert!(next.starts_with("kubectl --context prod-a -n "), "for that cluster, whatever the current context is: {next}");
    let table = self::run(&env, &["--all-contexts", "--timeout", "3s"]).exits(1);
    assert!(table.stdout.starts_with("CLUSTER") && table.stdout.contains("prod-dead     *"), "{table}");
    assert!(table.stderr.contains("2 workloads on 4 clusters: 1 Drifted, 1 Ready"), "{table}");
}

#[test]
fn exit_codes_by_what_the_clusters_say() {
    let (good, drifted) = (Fake::recorded("with-parent/parent-suspended"), Fake::recorded(OK));
    let dead = refusing();
    let env = with_contexts(&[("good", &good.url), ("drifted", &drifted.url), ("dead", &dead)]);
    let ready = |more: &[&str]| {
        let mut arguments =
            vec!["status", "other", "-n", "parent-suspended", "--no-registry", "--runtime", "gke", "-e", "production"];
        arguments.extend(more);
        env.run(arguments).code
    };
    assert_eq!(ready(&["--context", "good"]), Some(0));
    assert_eq!(ready(&["--context", "good", "--context", "dead"]), Some(3), "the rest are fine");
    assert_eq!(ready(&["--context", "dead"]), Some(2), "the only one");
    assert_eq!(run(&env, &["--context", "d*"]).code, Some(1), "not Ready wins over partial");
    assert_eq!(run(&env, &["--context", "d*", "--exit-code=false"]).code, Some(3));
    assert_eq!(run(&env, &["--context", "drifted", "--exit-code=false"]).code, Some(0));
}

#[test]
fn contexts_are_chosen_by_name_pattern_and_exclusion() {
    let good = Fake::recorded(OK);
    let env = with_contexts(&[("dev", &good.url), ("prod-a", &good.url), ("prod-b", &good.url), ("prod-c", &good.url)]);
    let clusters = |more: &[&str]| -> Vec<String> {
        let mut arguments = vec!["-o", "json"];
        arguments.extend(more);
        let document = document(&run(&env, &arguments).exits(1));
        document["summary"]["clusters"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(clusters(&[]), ["dev"]);
    assert_eq!(clusters(&["--context", "prod-*"]), ["prod-a", "prod-b", "prod-c"]);
    assert_eq!(clusters(&["--context", "prod-c", "--context", "prod-?"]), ["prod-c", "prod-a", "prod-b"]);
    assert_eq!(clusters(&["--all-contexts", "--exclude-context", "prod-*"]), ["dev"]);
    for (more, words) in [
        (&["--context", "prd-a"][..], "did you mean \"prod-a\"?"),
        (&["--context", "x*"], "no context matches"),
        (&["--all-contexts", "--exclude-context", "*"], "every one is excluded"),
        (&["--exclude-context", "dev"], "excludes from several"),
        (&["--all-clusters"], "the settings name no clusters"),
        (&["--all-contexts", "--server", "http://127.0.0.1:1"], "name one cluster"),
        (&["--context", "dev", "--region", "eu"], "none of them is known to be in eu"),
        (&["--verdict", "Redy"], "did you mean Ready?"),
    ] {
        let run = run(&env, more).exits(2);
        assert!(run.stderr.contains(words), "{words}: {run}");
    }
}

#[test]
fn the_settings_name_clusters() {
    let good = Fake::recorded(OK);
    let env = with_contexts(&[("ctx-a", &good.url), ("ctx-b", &good.url)]);
    env.write(
        "kubectl-runway.yaml",
        "clusters:\n- {name: eu, context: ctx-a, runtime: gke, environment: production, region: europe-west1, labels: {tier: canary}}\n- {name: us, context: ctx-b, runtime: eks, environment: production, region: us-east1}\n- {name: gone, context: ctx-c, runtime: gke, environment: production}\n",
    );
    let all = document(&run(&env, &["--all-clusters", "-o", "json"]).exits(1));
    let rows = rows(&all);
    assert!(rows.contains(&("eu".into(), "svc".into(), "Drifted".into())), "{rows:?}");
    assert!(rows.contains(&("gone".into(), "svc".into(), "Unreachable".into())), "{rows:?}");
    // The settings say what is expected there, so the rows of a cluster without an answer have their names.
    assert!(rows.contains(&("gone".into(), "gke-inventory".into(), "Unreachable".into())), "{rows:?}");
    assert!(rows.contains(&("us".into(), "eks-inventory".into(), "Missing".into())), "{rows:?}");
    let some = document(&run(&env, &["--all-clusters", "--region", "europe-*", "-o", "json"]).exits(1));
    assert_eq!(some["summary"]["clusters"].as_array().unwrap().len(), 1);
    let names = |more: &[&str]| -> Vec<String> {
        let document = document(&run(&env, &[&["--all-clusters", "-o", "json"], more].concat()));
        document["summary"]["clusters"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["--label", "tier=canary"]), ["eu"]);
    assert_eq!(names(&["--label", "!tier", "--exclude-context", "gone"]), ["us"]);
    let none = run(&env, &["--all-clusters", "--label", "tier=stable"]).exits(2);
    assert!(none.stderr.contains("none of them has the labels"), "{none}");
    let some = document(&run(&env, &["--all-clusters", "--runtime", "eks", "-o", "json"]).exits(1));
    assert_eq!(some["summary"]["clusters"][0]["name"], "us");

    let matrix = run(&env, &["--all-clusters", "-o", "matrix"]).exits(1).stdout;
    let lines: Vec<Vec<&str>> = matrix.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["WORKLOAD", "eu", "us", "gone"]);
    assert!(lines.contains(&vec!["svc", "Drifted:installed", "Drifted:installed", "Unreachable"]), "{matrix}");
    assert!(lines.contains(&vec!["gke-inventory", "Ready", "-", "Unreachable"]), "{matrix}");
}

#[test]
fn a_named_workload_is_asked_by_gets_only() {
    let good = Fake::recorded(OK);
    let env = with_contexts(&[("a", &good.url)]);
    let whole = document(&run(&env, &["-o", "json"]).exits(1));
    let before = good.asked().len();
    let one = document(&run(&env, &["svc", "-o", "json"]).exits(1));
    let asked: Vec<String> = good.asked().split_off(before);
    assert!(asked.iter().all(|target| !target.ends_with("ocirepositories?limit=500") && !target.contains('?')), "{asked:?}");
    assert_eq!(asked.len(), 6, "svc and two runtimes' parents, two kinds each: {asked:?}");
    let row = |document: &Value| document["items"].as_array().unwrap().iter().find(|it| it["workload"] == "svc").cloned();
    assert_eq!(row(&one), row(&whole));
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    let before = good.asked().len();
    drop(run(&env, &["svc", "--runtime", "gke"]).exits(1));
    assert_eq!(good.asked().len() - before, 4);
}

#[test]
fn dependencies_of_a_named_workload_are_asked_too() {
    let good = Fake::recorded("alone/depends-on");
    let env = with_contexts(&[("a", &good.url)]);
    let arguments = [
        "status",
        "-n",
        "drill",
        "--runtime",
        "gke",
        "-e",
        "production",
        "--no-registry",
        "--expected",
        &format!("{}/published", folder("alone/depends-on")),
        "-o",
        "json",
    ];
    let whole = document(&env.run(arguments).exits(1));
    let one = document(&env.run(arguments.into_iter().chain(["depends-on"])).exits(1));
    assert_eq!(one["items"][0]["verdict"], "Reconciling", "{one}");
    let row = |document: &Value| document["items"].as_array().unwrap().iter().find(|it| it["workload"] == "depends-on").cloned();
    assert_eq!(row(&one), row(&whole));
}

#[test]
fn rows_are_chosen_by_verdict_and_counted_all_the_same() {
    let good = Fake::recorded(OK);
    let env = with_contexts(&[("a", &good.url)]);
    for more in [&["--not-ready"][..], &["--verdict", "drifted"], &["--verdict", "!Ready,!Failed"]] {
        let document = document(&run(&env, &[more, &["-o", "json"]].concat()).exits(1));
        assert_eq!(rows(&document), [("a".into(), "svc".into(), "Drifted".into())]);
        assert_eq!(document["summary"]["total"], 2);
    }
    let none = run(&env, &["--verdict", "Failed"]).exits(1);
    assert!(none.stdout.is_empty() && none.stderr.contains("1 Drifted"), "{none}");
}
