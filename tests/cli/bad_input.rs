//! Every mistake a user can make: a clear error with place and hint, the table's exit code, and nothing written.

use super::{env, platform};
use std::net::TcpListener;

/// A port on which nothing listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn files_that_cannot_be_used() {
    for (text, place, words) in [
        ("- runway_service_id: [a\n", "workloads.yml:1:22", "yaml-syntax"),
        ("- runway_service_id: A_b\n", "workloads.yml:1:22", "invalid-id"),
        ("- runway_service_id: a\n- runway_service_id: a\n", "workloads.yml:2:22", "duplicate-id"),
        ("- runway_service_id: a\n  runway_service_id: b\n", "workloads.yml:2:3", "duplicate-key"),
        ("[]\n", "workloads.yml:1:1", "empty-inventory"),
        ("", "workloads.yml", "empty-inventory"),
        ("- runway_service_id: no\n", "workloads.yml:1:22", "quote it"),
        ("- runway_service_id: a\n  flux: {suspend: true}\n", "workloads.yml:2:10", "never generated"),
    ] {
        let env = platform(text);
        for command in [&["build", "--output-dir", "out"][..], &["push", "--to", "layout:out"][..]] {
            let mut arguments = vec!["inventory"];
            arguments.extend(command);
            arguments.extend(["-e", "production"]);
            let run = env.run(arguments).exits(2);
            assert!(run.stderr.contains(place) && run.stderr.contains(words), "{place} {words}: {run}");
            assert!(run.stdout.is_empty() && !env.work().join("out").exists(), "{run}");
        }
    }
}

#[test]
fn things_that_are_not_there() {
    let env = platform("- runway_service_id: a\n");
    for (arguments, words) in [
        (&["inventory", "build", "--runtime", "gkee", "-e", "production"][..], "did you mean gke?"),
        (&["inventory", "build", "-e", "prodution"], "did you mean production?"),
        (&["inventory", "build"], "add -e, one of staging, production"),
        (&["inventory", "build", "--runtime", "eks", "-e", "production"], "no workloads.yml for the runtime eks"),
        (&["inventory", "build", "-f", "nothing.yml", "--runtime", "gke", "-e", "production"], "there is no such file"),
        (&["inventory", "build", "-f", "config", "--runtime", "gke", "-e", "production"], "it is a folder, not a file"),
        (&["inventory", "build", "-f", "config/runtimes/gke/workloads.yml", "-C", "nowhere"], "-C names no folder"),
        (&["inventory", "push", "-e", "production", "--to", "https://x/y"], "write oci://"),
        (&["inventory", "push", "-e", "production", "--to", "oci://h/a@sha256:1"], "is no digest"),
        (&["inventory", "push", "-e", "production", "-o", "jsn"], "did you mean json?"),
        (&["inventory", "push", "-e", "production", "--annotation", "x", "--to", "layout:out"], "KEY=VALUE"),
        (&["status", "--snapshot", "nothing", "--runtime", "gke", "-e", "production"], "there is no such file"),
        (&["status", "--snapshot", "config", "--runtime", "gke", "-e", "production"], "has no cluster.json"),
        (&["status", "--timeout", "1d"], "the unit 'd' does not exist"),
        (&["statsu"], "a similar subcommand exists: 'status'"),
    ] {
        let run = env.run(arguments).exits(2);
        assert!(run.stderr.contains(words), "{words}: {run}");
        assert!(run.stdout.is_empty(), "{run}");
    }
}

#[test]
fn settings_with_a_fault_are_not_used() {
    let env = platform("- runway_service_id: a\n");
    env.write("kubectl-runway.yaml", "namespce: x\n");
    let run = env.run(["inventory", "build", "-e", "production"]).exits(2);
    assert!(run.stderr.contains("kubectl-runway.yaml:1:1") && run.stderr.contains("did you mean namespace?"), "{run}");
    let mut env = platform("- runway_service_id: a\n");
    env.var("RUNWAY_SOURCE_INTERVAL", "5");
    let run = env.run(["inventory", "build", "-e", "production"]).exits(2);
    assert!(run.stderr.contains("RUNWAY_SOURCE_INTERVAL") && run.stderr.contains("a unit is missing"), "{run}");
}

#[test]
fn no_kubeconfig_is_said() {
    let mut env = env();
    let run = env.run(["status"]).exits(2);
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains("hint: "), "{run}");
    assert!(run.stdout.is_empty(), "{run}");
    env.var("KUBECONFIG", "/not/there");
    let run = env.run(["status"]).exits(2);
    assert!(run.stderr.contains("/not/there"), "{run}");
}

#[test]
fn a_cluster_that_is_away_is_a_row_and_not_silence() {
    let env = platform("- runway_service_id: a\n");
    let server = format!("http://127.0.0.1:{}", closed_port());
    let run =
        env.run(["status", "--server", &server, "--runtime", "gke", "-e", "production", "--no-registry", "-o", "json"]).exits(2);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("the document is still printed");
    assert_eq!(document["summary"]["clusters"][0]["reachable"], false, "{run}");
    assert_eq!(document["items"][1]["verdict"], "Unreachable", "{run}");
    assert_eq!(document["items"][1]["reason"], "ConnectionRefused", "{run}");
}

#[test]
fn a_registry_that_is_away_is_said() {
    let mut env = platform("- runway_service_id: a\n");
    let base = format!("localhost:{}/x", closed_port());
    env.var("RUNWAY_REGISTRY_BASE", &base);
    let run = env.run(["inventory", "push", "-e", "production"]).exits(2);
    assert!(run.stderr.contains("connection refused") && run.stderr.contains(&base), "{run}");
    assert!(run.stdout.is_empty(), "{run}");
}
