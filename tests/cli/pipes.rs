//! Nobody reads what is printed: no command makes a noise about it, and each ends as it would have ended.

use super::api::Api;
use super::env;
use super::fake::{Fake, folder, kubeconfig, recorded};
use std::io::{Read as _, pipe};
use std::process::Stdio;
use std::time::{Duration, Instant};

const CASE: &str = "with-parent/drifted-by-kubectl";

#[test]
fn a_closed_pipe_ends_quietly_in_every_mode() {
    let good = Fake::recorded(CASE);
    let mut env = env();
    let live = Api::start(recorded(CASE), |_, _| None);
    let file = env.write("kubeconfig", kubeconfig(&[("a", &good.url), ("live", &live.url)]));
    env.var("KUBECONFIG", file);
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: svc\n");
    let published = format!("{}/published", folder(CASE));
    let look = ["-n", "drifted-by-kubectl", "--no-registry", "--expected", &published];
    let build = ["--runtime", "gke", "-e", "production"];
    let mut cases: Vec<(Vec<&str>, i32)> = Vec::new();
    for format in ["table", "wide", "matrix", "tree", "name", "markdown", "junit", "json", "yaml"] {
        cases.push(([&["status", "-o", format][..], &look].concat(), 1));
    }
    cases.push(([&["status", "svc"][..], &look].concat(), 1));
    cases.push(([&["explain", "svc"][..], &look].concat(), 1));
    cases.push(([&["tree", "svc"][..], &look].concat(), 1));
    cases.push(([&["status", "svc", "--objects"][..], &look].concat(), 1));
    cases.push(([&["status", "svc", "--wait", "--wait-timeout", "1s", "-o", "json"][..], &look].concat(), 4));
    cases.push(([&["status", "-w"][..], &look].concat(), 0));
    cases.push(([&["status", "-w", "-o", "wide"][..], &look].concat(), 0));
    let reconcile = ["reconcile", "svc", "-n", "drifted-by-kubectl"];
    cases.push(([&reconcile[..], &["--dry-run"]].concat(), 0));
    cases.push(([&reconcile[..], &["--context", "live", "--wait-timeout", "20s"]].concat(), 0));
    cases.push(([&["snapshot", "save", "saved"][..], &look].concat(), 0));
    cases.push(([&["status", "--snapshot", "saved"][..], &look].concat(), 1));
    cases.push(([&["inventory", "build"][..], &build].concat(), 0));
    cases.push(([&["inventory", "verify", "-o", "json"][..], &build].concat(), 0));
    cases.push(([&["inventory", "show", "--expected"][..], &[&published], &build].concat(), 2));
    cases.push(([&["bootstrap"][..], &build].concat(), 0));
    for words in [
        "help",
        "help finding",
        "help exit-codes",
        "help verdicts",
        "help status",
        "--help",
        "status --help",
        "--version",
        "config view",
    ] {
        cases.push((words.split(' ').collect(), 0));
    }
    for (arguments, code) in cases {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let mut child = env.command();
        child.args(&arguments).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let mut child = child.spawn().expect("it starts");
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        let begun = Instant::now();
        let status = child.wait().expect("it ends");
        assert!(begun.elapsed() < Duration::from_secs(30), "{arguments:?}");
        assert_eq!(status.code(), Some(code), "{arguments:?}: {said}");
        for noise in ["panicked", "roken pipe", "os error 32", "cannot be written"] {
            assert!(!said.contains(noise), "{arguments:?}: {said}");
        }
    }
}
