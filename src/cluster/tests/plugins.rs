//! Exec plugins: once, bounded, without our stdin, and silent about what they print.

use super::server::{Reply, Server};
use super::{CANARY, Folder, budget, connect, flags, nowhere, run};
use crate::clock::monotonic;
use crate::cluster::{Cluster, KubeFlags};
use crate::net::Budget;
use runway_core::observed::Gap;
use serde_json::json;
use std::time::Duration;

/// A kubeconfig with contexts `c0`, `c1`, … that share one user with a plugin of this text.
fn with_plugin(folder: &Folder, server: &str, script: &str, more: &str) -> KubeFlags {
    let path = folder.write("plugin", format!("#!/bin/sh\necho run >> '{}/runs'\n{script}\n", folder.path().display()));
    // Read by a shell and not started itself: a file that was just written can be "busy" while another test forks.
    let path = path.display();
    let contexts: Vec<String> = (0..10).map(|number| format!("{{name: c{number}, context: {{cluster: c, user: u}}}}")).collect();
    flags(folder.write(
        "config",
        format!(
            "contexts: [{}]\ncurrent-context: c0\nclusters: [{{name: c, cluster: {{server: '{server}'}}}}]\nusers:\n- name: u\n  \
             user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: /bin/sh, args: ['{path}'], {more}}}}}\n",
            contexts.join(", ")
        ),
    ))
}

fn runs(folder: &Folder) -> usize {
    std::io::read_to_string(std::fs::File::open(folder.path().join("runs")).unwrap()).unwrap().lines().count()
}

fn prints(status: &serde_json::Value) -> String {
    let answer = json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status});
    format!("cat <<'END'\n{answer}\nEND")
}

fn fine() -> Server {
    Server::start(|_| Reply::Json(200, json!({"kind": "XList", "items": []})))
}

async fn gap_of(flags: &KubeFlags) -> Gap {
    let gap = connect(flags, None, &nowhere(), budget()).await.unwrap().objects("apps").await.unwrap_err();
    assert!(!format!("{gap:?}").contains(CANARY), "{gap:?}");
    gap
}

#[test]
fn contexts_that_share_a_user_start_its_plugin_once() {
    let (server, folder) = (fine(), Folder::new());
    // It reads stdin, which would hang or eat ours if it had it.
    let script = format!("cat\nsleep 0.2\n{}", prints(&json!({"token": CANARY, "expirationTimestamp": "2999-01-01T00:00:00Z"})));
    let flags = with_plugin(&folder, &server.url, &script, "env: [{name: A, value: b}], interactiveMode: IfAvailable");
    run(async {
        let mut clusters: Vec<Cluster> = Vec::new();
        for number in 0..10 {
            clusters.push(connect(&flags, Some(&format!("c{number}")), &nowhere(), budget()).await.unwrap());
        }
        let all = futures_util::future::join_all(clusters.iter().map(|cluster| cluster.objects("apps"))).await;
        assert!(all.into_iter().all(|answer| answer.is_ok_and(|objects| objects.sources.is_ok())));
    });
    assert_eq!(runs(&folder), 1);
    assert!(server.asked().iter().all(|ask| ask.headers.contains(&format!("Bearer {CANARY}"))));
}

#[test]
fn a_credential_that_is_over_is_asked_anew() {
    let (server, folder) = (fine(), Folder::new());
    let script = prints(&json!({"token": CANARY, "expirationTimestamp": "2001-01-01T00:00:00Z"}));
    let flags = with_plugin(&folder, &server.url, &script, "interactiveMode: Never");
    run(async {
        let cluster = connect(&flags, None, &nowhere(), budget()).await.unwrap();
        cluster.get_raw("/a").await.unwrap();
        cluster.get_raw("/b").await.unwrap();
    });
    assert_eq!(runs(&folder), 2);
}

#[test]
fn a_credential_that_a_server_does_not_take_is_asked_anew() {
    let server = Server::start(|_| Reply::Json(401, json!({"kind": "Status", "message": CANARY})));
    let folder = Folder::new();
    let flags = with_plugin(&folder, &server.url, &prints(&json!({"token": CANARY})), "interactiveMode: Never");
    run(async {
        let cluster = connect(&flags, None, &nowhere(), budget()).await.unwrap();
        for _ in 0..2 {
            super::all_text(&cluster.get_raw("/a").await.unwrap_err());
        }
    });
    assert_eq!(runs(&folder), 2);
}

#[test]
fn a_plugin_is_told_about_the_cluster_when_it_wants_to_know() {
    let (server, folder) = (fine(), Folder::new());
    let script =
        format!("echo \"$KUBERNETES_EXEC_INFO $A\" > '{}/info'\n{}", folder.path().display(), prints(&json!({"token": "t"})));
    let flags = with_plugin(&folder, &server.url, &script, "provideClusterInfo: true, env: [{name: A, value: b}]");
    run(async { connect(&flags, None, &nowhere(), budget()).await.unwrap().objects("apps").await.unwrap() });
    let info = std::io::read_to_string(std::fs::File::open(folder.path().join("info")).unwrap()).unwrap();
    let expected = format!(
        "{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"spec\":{{\"interactive\":false,\
         \"cluster\":{{\"server\":\"{}\"}}}}}} b\n",
        server.url
    );
    assert_eq!(info, expected);
}

#[test]
fn what_goes_wrong_with_a_plugin_is_told_without_its_output() {
    let long = "x".repeat(2 * 1024 * 1024);
    let jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.x";
    let cases = [
        (
            format!("echo 'please log in {CANARY} {jwt}' >&2; exit 7"),
            "failed (exit status: 7): please log in [redacted] [redacted]",
        ),
        (format!("echo {CANARY}"), "something else than an ExecCredential"),
        (prints(&json!({"token": format!("{CANARY}\n")})), "no header can carry"),
        (prints(&json!({})), "neither a token nor a certificate"),
        (prints(&json!({"clientKeyData": CANARY})), "without the other"),
        (prints(&json!({"token": CANARY, "expirationTimestamp": CANARY})), "no RFC 3339 time"),
        (prints(&json!({"token": CANARY})).replace("io/v1\"", "io/v1beta1\""), "while the kubeconfig asks for"),
        (format!("echo {long}"), "more than 1 MiB"),
    ];
    for (script, expected) in cases {
        let folder = Folder::new();
        let flags = with_plugin(&folder, "http://127.0.0.1:1", &script, &format!("env: [{{name: A, value: {CANARY}}}]"));
        let gap = run(gap_of(&flags));
        assert_eq!(gap.reason, "ExecPlugin", "{gap:?}");
        assert!(gap.message.contains(expected), "{gap:?}");
    }
    let folder = Folder::new();
    let text = super::kubeconfig(
        "https://x",
        "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin-here, installHint: brew install it}}",
    );
    let gap = run(gap_of(&flags(folder.write("config", text))));
    assert!(gap.message.contains("no-such-plugin-here is not installed; brew install it"), "{gap:?}");
}

#[test]
fn yaml_is_understood_and_a_daemon_left_behind_does_not_hold_us_up() {
    let (server, folder) = (fine(), Folder::new());
    let script =
        "sleep 30 &\ncat <<'END'\nkind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\nstatus: {token: abc}\nEND";
    let flags = with_plugin(&folder, &server.url, script, "interactiveMode: Never");
    let started = monotonic();
    run(async { connect(&flags, None, &nowhere(), budget()).await.unwrap().objects("apps").await.unwrap() });
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_plugin_that_never_ends_is_ended_with_its_children() {
    let folder = Folder::new();
    let pid = folder.path().join("pid");
    let script = format!("sleep 300 &\necho $! > '{}'\nwait", pid.display());
    let flags = with_plugin(&folder, "http://127.0.0.1:1", &script, "interactiveMode: Never");
    let short = Budget::new(Duration::from_secs(60), Duration::from_secs(2));
    let gap = run(async { connect(&flags, None, &nowhere(), short).await.unwrap().objects("apps").await.unwrap_err() });
    assert_eq!(gap.reason, "ExecPlugin");
    assert!(gap.message.contains("did not answer within 2 s"), "{gap:?}");
    let child: i32 = std::io::read_to_string(std::fs::File::open(pid).unwrap()).unwrap().trim().parse().unwrap();
    let child = rustix::process::Pid::from_raw(child).unwrap();
    let until = monotonic() + Duration::from_secs(10);
    while rustix::process::test_kill_process(child).is_ok() && !is_zombie(child) {
        assert!(monotonic() < until, "the plugin's child still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// In a container nobody may be there to take leave of it.
fn is_zombie(id: rustix::process::Pid) -> bool {
    std::fs::File::open(format!("/proc/{}/stat", id.as_raw_nonzero()))
        .and_then(std::io::read_to_string)
        .is_ok_and(|text| text.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
}
