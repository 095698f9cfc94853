//! Which cluster is meant: where one is, several are refused; where several may be, each is asked.

use super::fake::{Fake, kubeconfig, refusing};
use super::platform;
use runway_testkit::env::Env;
use serde_json::{Value, json};

/// A platform with a workload, and these clusters; the first is the current context's.
fn with(contexts: &[(&str, &str)]) -> Env {
    let mut env = platform("- runway_service_id: web\n");
    let file = env.write("kubeconfig", kubeconfig(contexts));
    env.var("KUBECONFIG", file);
    env
}

/// A cluster that takes the objects of the workload.
fn willing() -> Fake {
    let object = |kind: &str, group: &str| {
        json!({"apiVersion": format!("{group}.toolkit.fluxcd.io/v1"), "kind": kind,
            "metadata": {"name": "web", "namespace": "runway-provisioner"}})
    };
    Fake::start(vec![object("OCIRepository", "source"), object("Kustomization", "kustomize")], "\0")
}

/// A cluster that has none of them, and says so.
fn unwilling() -> Fake {
    Fake::start(Vec::new(), "\0")
}

#[test]
fn several_contexts_change_no_cluster_and_no_tag() {
    let (current, staging, production) = (unwilling(), unwilling(), unwilling());
    let env = with(&[("current", &current.url), ("stg", &staging.url), ("prod", &production.url)]);
    let place = ["--runtime", "gke", "-e", "production", "--context", "stg", "--context", "prod"];
    for command in [
        &["bootstrap", "--apply"][..],
        &["bootstrap", "--apply", "--dry-run"],
        &["bootstrap", "--check"],
        &["bootstrap"],
        &["inventory", "push", "--to", "layout:out"],
        &["inventory", "push", "--dry-run", "--to", "layout:out"],
    ] {
        let run = env.run([command, &place].concat()).exits(2);
        assert!(run.stderr.contains("this command takes one cluster") && run.stderr.contains("stg, prod"), "{run}");
        assert_eq!(run.stdout, "", "{run}");
    }
    let run = env.run([&["inventory", "diff", "local", "cluster:stg"], &place[..6]].concat()).exits(2);
    assert!(run.stderr.contains("cluster:CONTEXT"), "{run}");
    for cluster in [current, staging, production] {
        assert_eq!(cluster.asked(), Vec::<String>::new());
    }
    assert!(!env.work().join("out").exists());
    // A pattern is no name of one.
    let run = env.run(["bootstrap", "--apply", "--runtime", "gke", "-e", "production", "--context", "*"]).exits(2);
    assert!(run.stderr.contains("there is no context named"), "{run}");
}

#[test]
fn verify_asks_each_cluster_and_says_which_refuses() {
    let (good, other) = (willing(), unwilling());
    let dead = refusing();
    let env = with(&[("good-1", &good.url), ("good-2", &good.url), ("other", &other.url), ("dead", &dead)]);
    let verify = |more: &[&str]| env.run([&["inventory", "verify", "-e", "production", "-o", "json"], more].concat());
    let refusals = |text: &str| -> Vec<String> {
        let document: Value = serde_json::from_str(text).unwrap();
        let items = document["items"].as_array().unwrap().iter();
        items.map(|item| item["message"].as_str().unwrap().to_owned()).collect()
    };
    let run = verify(&["--context", "good-1", "--context", "other"]).exits(1);
    let said = refusals(&run.stdout);
    assert_eq!(said.len(), 2, "{run}");
    assert!(said.iter().all(|text| text.starts_with("the cluster other refuses ")), "{run}");
    assert!(good.asked().iter().any(|path| path.contains("/ocirepositories/web")), "{:?}", good.asked());

    let before = good.asked().len();
    let run = verify(&["--context", "good-*"]).exits(0);
    assert!(refusals(&run.stdout).is_empty() && run.stderr.contains("no findings"), "{run}");
    let asked = good.asked().split_off(before);
    assert_eq!(asked.iter().filter(|path| path.contains("/kustomizations/web")).count(), 2, "{asked:?}");

    let run = verify(&["--context", "x*"]).exits(2);
    assert!(run.stderr.contains("no context matches"), "{run}");
    let run = verify(&["--context", "good-1", "--context", "dead"]).exits(3);
    assert!(run.stderr.contains("warning: dead gave no answer"), "{run}");
    drop(verify(&["--context", "other", "--context", "dead"]).exits(1));
    drop(verify(&["--context", "dead"]).exits(2));
}

#[test]
fn the_help_says_how_many_contexts_a_command_takes() {
    let help = |command: &[&str]| super::env().run([command, &["--help"]].concat()).ok();
    for one in [&["bootstrap"][..], &["inventory", "push"]] {
        let text = help(one);
        assert!(text.contains("The kubeconfig context [default: the current one]") && !text.contains("match several"), "{text}");
    }
    for several in [&["status"][..], &["reconcile"], &["inventory", "verify"]] {
        let text = help(several);
        assert!(text.contains("* and ? match several; may be repeated"), "{text}");
    }
    assert!(!help(&["inventory", "diff"]).contains("--context"));
}
