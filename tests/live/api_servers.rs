//! API servers that answer badly, or no longer know us: through a real TLS server in front of the real one, by the real program.

use crate::background::Background;
use crate::clusters::{ready, rows, said};
use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::{Handle, Options, merge_kubeconfig};
use runway_testkit::env::Run;
use runway_testkit::fake::{Deed, Hostile, Reply};
use rustix::process::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};

/// What a server does instead of the honest answer.
type Answers = Box<dyn Fn(Reply) -> Deed + Send + Sync>;

/// A kubeconfig whose one context leads through another server with the bed's certificate.
fn through(stage: &Stage, port: u16) -> String {
    let config = merge_kubeconfig(&[("prod", stage.ns.kube(), "admin")]);
    let mut config: Value = serde_json::from_str(&config).expect("JSON");
    config["clusters"][0]["cluster"]["server"] = format!("https://localhost:{port}").into();
    stage.env.write(format!("through-{port}"), config.to_string()).display().to_string()
}

fn ask(stage: &Stage, kubeconfig: &str, more: &[&str]) -> Run {
    let mut arguments = vec!["--kubeconfig", kubeconfig, "--request-timeout", "3s", "-o", "json"];
    arguments.extend(more);
    stage.status(&arguments)
}

/// Every row is Unreachable for this reason, the document is there, and it took no longer than it may.
#[track_caller]
fn is_unreachable(run: &Run, reason: &str, words: &str) {
    let found = rows(&run.stdout);
    assert!(!found.is_empty(), "{run}");
    for row in found.values() {
        assert_eq!(said(row), ("Unreachable", "", reason), "{run}");
        assert!(row["message"].as_str().expect("text").contains(words), "{words}: {row}");
    }
    assert!(run.took < Duration::from_secs(20), "{:?}", run.took);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_api_server_that_hangs_breaks_off_or_talks_nonsense() {
    let stage = ready("badly");
    let half = |reply: Reply| {
        let count = reply.body.len() / 2;
        Deed::Short(reply, count)
    };
    let json = |text: &'static str| Reply::new(200).with("Content-Type", "application/json").body(text);
    let cases: Vec<(&str, &str, Answers)> = vec![
        ("TimedOut", "did not answer within", Box::new(|_| Deed::Silence)),
        ("TimedOut", "did not answer within", Box::new(|reply| Deed::Slow(reply, Duration::from_millis(20)))),
        ("ConnectionClosed", "", Box::new(half)),
        ("ConnectionClosed", "", Box::new(|_| Deed::Cut)),
        ("Garbage", "does not speak HTTP", Box::new(|_| Deed::Bytes(b"\x00\x01 this is no HTTP\r\n\r\n".to_vec()))),
        (
            "Garbage",
            "did not answer like a Kubernetes API server",
            Box::new(|_| Deed::Answer(Reply::new(200).with("Content-Type", "text/html").body("<html>please log in</html>"))),
        ),
        ("Garbage", "", Box::new(move |_| Deed::Answer(json("{\"kind\": \"Status\"")))),
        ("Garbage", "", Box::new(move |_| Deed::Answer(json("[1, 2]")))),
        ("ServerError", "answered 502", Box::new(|_| Deed::Answer(Reply::new(502).body("bad gateway")))),
    ];
    for (n, (reason, words, deed)) in cases.into_iter().enumerate() {
        let kube = stage.ns.kube().clone();
        let server = Hostile::with_tls(Some(stage.bed.tls()), move |request, _| {
            let body = kube.kubectl(["get", "--raw", &request.target]);
            deed(Reply::new(200).with("Content-Type", "application/json").body(body.stdout))
        });
        let kubeconfig = through(&stage, server.port());
        for more in [&[][..], &["svc"][..]] {
            let run = ask(&stage, &kubeconfig, more).exits(2);
            println!("case {n}: {run}");
            is_unreachable(&run, reason, words);
        }
    }
    // The same way with an honest answer is Ready: it is not the way that is broken.
    let kube = stage.ns.kube().clone();
    let server = Hostile::with_tls(Some(stage.bed.tls()), move |request, _| {
        let body = kube.kubectl(["get", "--raw", &request.target]).ok();
        Deed::Answer(Reply::new(200).with("Content-Type", "application/json").body(body))
    });
    drop(ask(&stage, &through(&stage, server.port()), &[]).exits(0));
}

/// One of the two lists comes, and the other does not: nothing is Missing, and nothing is Ready.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn half_an_answer_is_no_answer() {
    let stage = ready("half");
    let kube = stage.ns.kube().clone();
    let server = Hostile::with_tls(Some(stage.bed.tls()), move |request, _| {
        let body = kube.kubectl(["get", "--raw", &request.target]).ok();
        let reply = Reply::new(200).with("Content-Type", "application/json").body(body);
        if request.target.contains("kustomizations") { Deed::Short(reply, 300) } else { Deed::Answer(reply) }
    });
    let run = ask(&stage, &through(&stage, server.port()), &[]).exits(1);
    let found = rows(&run.stdout);
    assert!(found.values().all(|row| said(row) == ("Unknown", "", "ConnectionClosed")), "{run}");
    assert!(!run.stdout.contains("docs.rs"), "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_token_that_is_over_is_said_and_a_new_one_is_read_from_its_file() {
    let bed = Handle::connect();
    let mut cluster = bed.cluster_with("expired", Options { flux: false, ..Options::default() });
    let ns = cluster.namespace("expired");
    let stage = Stage::on(bed, ns, "expired", "gke");
    stage.declare(&["svc"]);
    stage.push(&[]).ok();
    stage.ns.reader("bot");
    let over = stage.ns.token_of("bot", Err(Duration::from_secs(60)));
    let good = stage.ns.token_of("bot", Ok(Duration::from_secs(600)));
    let run = stage.status(&["--token", &good, "-o", "json"]).exits(1);
    assert_eq!(said(&rows(&run.stdout)[&("expired".to_owned(), "svc".to_owned())]).0, "Missing", "a good one is taken: {run}");
    let run = stage.status(&["--token", &over, "-o", "json"]).exits(2);
    is_unreachable(&run, "Unauthorized", "");
    assert!(!run.to_string().contains(&over), "the token is in what was said: {run}");

    // As in a Pod, where the kubelet writes a new token into the file before the old one ends.
    let file = stage.env.write("token", stage.ns.token_of("bot", Ok(Duration::from_secs(6))));
    let mut config: Value = serde_json::from_str(&merge_kubeconfig(&[("prod", stage.ns.kube(), "admin")])).expect("JSON");
    config["users"][0]["user"] = serde_json::json!({"tokenFile": file});
    let kubeconfig = stage.env.write("by-file", config.to_string()).display().to_string();
    let arguments = ["status", "-w", "--no-registry", "--runtime", "gke", "-e", ENVIRONMENT, "--kubeconfig", &kubeconfig];
    let mut watch = Background::start(&stage.env, &arguments);
    watch.until_out(|out| out.contains("svc"));
    let begun = Instant::now();
    stage.env.write("token", &good);
    // Every connection ends, and the first token is over before there can be another one.
    cluster.stop("kube-apiserver");
    watch.until("gives no answer");
    std::thread::sleep(Duration::from_secs(8).saturating_sub(begun.elapsed()));
    cluster.start_again("kube-apiserver");
    watch.until("answers again");
    stage.ns.apply(&stage.parent_yaml());
    watch.until_out(|out| out.lines().any(|line| line.starts_with("gke-inventory") && line.contains("Reconciling")));
    watch.signal(Signal::INT);
    drop(watch.end().exits(130));
}
