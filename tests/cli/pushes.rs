//! What a push says that was refused or only half done, whose word lifts the guard, and what never becomes an annotation.

use super::platform;
use runway_testkit::env::{Env, Run};
use runway_testkit::terminal::{Terminal, plain};
use serde_json::Value;
use std::time::Duration;

const FIVE: &str =
    "- runway_service_id: a\n- runway_service_id: b\n- runway_service_id: c\n- runway_service_id: d\n- runway_service_id: e\n";
const ONE: &str = "- runway_service_id: a\n";

fn push(env: &Env, more: &[&str]) -> Run {
    env.run([&["inventory", "push", "--runtime", "gke", "-e", "production", "--to", "layout:out"], more].concat())
}

fn item(env: &Env) -> Value {
    let list = env.run(["inventory", "list", "layout:out", "-o", "json"]).ok();
    let document: Value = serde_json::from_str(&list).unwrap();
    document["items"][0].clone()
}

#[test]
fn variables_of_a_refused_push_name_what_is_still_there() {
    let env = platform(FIVE);
    let published = push(&env, &["-o", "dotenv"]).ok();
    let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    env.write("config/runtimes/gke/workloads.yml", ONE);
    let refused = push(&env, &["-o", "dotenv"]).exits(5).stdout;
    for name in ["RUNWAY_REF=", "RUNWAY_DIGEST=", "RUNWAY_TAG="] {
        assert_eq!(line(&refused, name), line(&published, name), "{refused}");
    }
    assert!(refused.contains("RUNWAY_CHANGED=false\n"), "{refused}");
    let planned = push(&env, &["-o", "dotenv", "--dry-run", "--allow-removals", "4"]).ok();
    assert_ne!(line(&planned, "RUNWAY_DIGEST="), line(&published, "RUNWAY_DIGEST="), "{planned}");
}

#[test]
fn yes_is_an_answer_at_a_terminal_only() {
    let env = platform(FIVE);
    push(&env, &[]).ok();
    env.write("config/runtimes/gke/workloads.yml", ONE);
    let index = env.read("out/index.json");
    let run = push(&env, &["--yes"]).exits(5);
    assert!(run.stderr.contains("--yes lifts the guard only where") && run.stderr.contains("--allow-removals 4"), "{run}");
    assert!(!push(&env, &[]).exits(5).stderr.contains("--yes"));
    assert_eq!(env.read("out/index.json"), index);

    let at_a_terminal = |more: &[&str]| {
        let mut command = env.command();
        command.args(["inventory", "push", "--runtime", "gke", "-e", "production", "--to", "layout:out"]).args(more);
        let (code, drawn) = Terminal::start(&command, (24, 160), Duration::from_secs(20)).end();
        (code, plain(&drawn))
    };
    assert_eq!(at_a_terminal(&[]).0, Some(5));
    let (code, drawn) = at_a_terminal(&["--yes"]);
    assert!(code == Some(0) && drawn.contains("4 removed"), "{drawn}");
    assert_ne!(env.read("out/index.json"), index);
}

#[test]
fn receipts_name_the_further_tags() {
    let env = platform(ONE);
    let planned = push(&env, &["--dry-run", "--tag", "v1"]).ok();
    assert!(planned.contains("planned ") && planned.contains("; further tags: v1\n"), "{planned}");
    let pushed = push(&env, &["--tag", "v1", "--tag", "v2"]).ok();
    assert!(pushed.contains("pushed ") && pushed.contains("; further tags: v1, v2\n"), "{pushed}");
    let unchanged: Value = serde_json::from_str(&push(&env, &["--tag", "v1", "--tag", "v3", "-o", "json"]).ok()).unwrap();
    assert_eq!((unchanged["result"].as_str(), &unchanged["tags"]), (Some("unchanged"), &serde_json::json!(["v1", "v3"])));
    let none: Value = serde_json::from_str(&push(&env, &["-o", "json"]).ok()).unwrap();
    assert_eq!(none.get("tags"), None);
}

#[test]
fn no_user_and_no_password_becomes_an_annotation() {
    const SOURCE: &str = "org.opencontainers.image.source";
    let secret = "s3cret-of-somebody";
    let url = format!("https://user:{secret}@host.example/a/b.git");
    let ssh = format!("user:{secret}@host.example:a/b.git");
    let (clean, clean_ssh) = ("https://host.example/a/b.git", "host.example:a/b.git");
    let published = |prepare: &dyn Fn(&mut Env), more: &[&str]| {
        let mut env = platform(ONE);
        prepare(&mut env);
        let run = push(&env, more).exits(0);
        let mut all = format!("{run}");
        for blob in std::fs::read_dir(env.work().join("out/blobs/sha256")).unwrap() {
            all.push_str(&String::from_utf8_lossy(&std::fs::read(blob.unwrap().path()).unwrap()));
        }
        assert!(!all.contains(secret), "{all}");
        item(&env)["source"].as_str().unwrap().to_owned()
    };
    let nothing = |_: &mut Env| {};
    assert_eq!(published(&nothing, &["--source", &url]), clean);
    assert_eq!(published(&nothing, &["--source", &ssh]), clean_ssh);
    assert_eq!(published(&nothing, &["--source", "git@host.example:a/b.git"]), clean_ssh);
    assert_eq!(published(&nothing, &["--annotation", &format!("{SOURCE}={url}")]), clean);
    assert_eq!(published(&nothing, &["--annotation", &format!("{SOURCE}={ssh}")]), clean_ssh);
    published(&nothing, &["--annotation", &format!("note=see {url} for more"), "--source", "x"]);
    let ci = |env: &mut Env| {
        env.var("CI_PROJECT_URL", &url);
    };
    assert_eq!(published(&ci, &[]), clean);
    for (remote, expected) in [(&url, clean), (&ssh, clean_ssh)] {
        let git = |env: &mut Env| {
            env.path_add("/usr/bin");
            let run = |arguments: &[&str]| {
                let mut git = std::process::Command::new("git");
                git.args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-C"]).arg(env.work()).args(arguments);
                assert!(git.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", env.home()).output().unwrap().status.success());
            };
            run(&["init", "--quiet"]);
            run(&["commit", "--quiet", "--allow-empty", "-m", "x"]);
            run(&["remote", "add", "origin", remote]);
        };
        assert_eq!(published(&git, &[]), expected);
    }
}

#[test]
fn annotations_that_flux_refuses_are_refused() {
    let env = platform(ONE);
    let created = |text: &str| format!("org.opencontainers.image.created={text}");
    for (more, words) in [
        (&["--annotation", &created("yesterday")][..], "RFC 3339"),
        (&["--annotation", &created("2026-01-31 12:00:00Z")], "RFC 3339"),
        (&["--annotation", &created("")], "RFC 3339"),
        (&["--source", ""], "--source is empty"),
        (&["--revision", " "], "--revision is empty"),
    ] {
        let run = push(&env, more).exits(2);
        assert!(run.stderr.contains(words) && !env.work().join("out").exists(), "{run}");
    }
    push(&env, &["--annotation", &created("2026-01-31T12:00:00Z")]).ok();
    assert_eq!(item(&env)["created"], "2026-01-31T12:00:00Z");
    // Also when nothing is pushed, and so no annotation is written.
    drop(push(&env, &["--source", ""]).exits(2));
}

/// What a file may be read by is no part of what is published.
#[test]
fn the_mask_of_new_files_is_no_part_of_the_digest() {
    let digest = |mask: &str| {
        let env = platform(FIVE);
        let program = env!("CARGO_BIN_EXE_kubectl-runway");
        let script = format!("umask {mask} && exec {program} inventory push --runtime gke -e production --to layout:out -o json");
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &script]).env_clear().env("HOME", env.home()).current_dir(env.work());
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        document["digest"].as_str().unwrap().to_owned()
    };
    let usual = digest("022");
    assert_eq!((digest("000"), digest("077")), (usual.clone(), usual));
}

#[test]
fn strangers_in_the_environments_folder_are_told() {
    let env = platform(ONE);
    let build = |more: &[&str]| env.run([&["inventory", "build", "-e", "production", "--output-dir", "out"], more].concat());
    build(&[]).ok();
    build(&["--check"]).ok();
    env.write("out/staging/other.yaml", "x: 1\n");
    build(&["--check"]).ok();
    env.write("out/production/old.yaml", "x: 1\n");
    env.write("out/production/.hidden/deep.yaml", "x: 1\n");
    let run = build(&["--check"]).exits(1);
    assert_eq!(run.stdout, "out/production/.hidden/deep.yaml is not built\nout/production/old.yaml is not built\n", "{run}");
    let run = build(&[]).exits(0);
    assert!(run.stderr.contains("warning: out/production/old.yaml was not built"), "{run}");
    assert_eq!(env.read("out/production/old.yaml"), "x: 1\n", "it is not ours to delete");
    let run = build(&["--check", "--exit-code=false"]).exits(0);
    assert!(run.stdout.contains("old.yaml"), "{run}");
}

#[test]
fn a_no_is_no_failure_when_that_is_asked_for() {
    let env = platform(FIVE);
    push(&env, &[]).ok();
    env.run(["inventory", "build", "-e", "production", "--output-dir", "built"]).ok();
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: a\n- runway_service_id: B_ad\n");
    drop(env.run(["inventory", "verify", "--exit-code=false"]).exits(0));
    env.write("config/runtimes/gke/workloads.yml", ONE);
    env.write("deploy.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: a}\n");
    env.write("bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n");
    env.run(["deploy", "push", "a", "-e", "production", "-f", "deploy.yaml", "--to", "layout:deployed"]).ok();
    env.write("deploy.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: z, namespace: a}\n");
    let case = super::fake::folder("with-parent/parent-suspended");
    let snapshot = ["--snapshot", &case, "--runtime", "gke", "-e", "production"];
    for command in [
        &["inventory", "diff", "-e", "production", "local", "layout:out"][..],
        &["inventory", "build", "-e", "production", "--output-dir", "built", "--check"],
        &["inventory", "build", "-e", "production", "--to", "layout:out", "--check"],
        &["deploy", "verify", "a", "-e", "production", "-f", "bad.yaml"],
        &["deploy", "diff", "a", "-e", "production", "-f", "deploy.yaml", "--with", "layout:deployed"],
        &[&["status"], &snapshot[..]].concat(),
        &[&["explain", "added"], &snapshot[..]].concat(),
        &[&["tree", "added"], &snapshot[..]].concat(),
    ] {
        let no = env.run(command).exits(1);
        let soft = env.run([command, &["--exit-code=false"]].concat()).exits(0);
        assert_eq!(soft.stdout, no.stdout, "{command:?}");
    }
    let other = super::fake::Fake::start(Vec::new(), "\0");
    let mut env = env;
    let file = env.write("kubeconfig", super::fake::kubeconfig(&[("a", &other.url)]));
    env.var("KUBECONFIG", file);
    let bootstrap = ["bootstrap", "--check", "--runtime", "gke", "-e", "production"];
    let no = env.run(bootstrap).exits(1);
    assert!(no.stdout.ends_with("is absent\n"), "{no}");
    drop(env.run([&bootstrap[..], &["--exit-code=false"]].concat()).exits(0));
    // What is no answer stays none.
    drop(env.run(["inventory", "diff", "-e", "production", "local", "layout:out:no", "--exit-code=false", "-f", "x"]).exits(2));
}

#[test]
fn what_a_source_says_need_not_be_said_again() {
    let env = platform(FIVE);
    push(&env, &[]).ok();
    env.run(["inventory", "push", "-e", "staging", "--to", "layout:other"]).ok();
    env.write("config/runtimes/eks/workloads.yml", ONE);
    let pull = |more: &[&str]| env.run([&["inventory", "pull", "--output-dir", "pulled"], more].concat());
    pull(&["layout:out:production"]).ok();
    assert!(env.read("pulled/production/inventory.yaml").contains("name: e\n"));
    pull(&["layout:other"]).ok();
    assert!(env.read("pulled/staging/inventory.yaml").contains("name: e\n"));
    assert!(env.run(["inventory", "show", "layout:other"]).ok().contains("name: e\n"));
    // The same workloads, for two environments.
    let diff = |sides: &[&str]| env.run([&["inventory", "diff"], sides].concat());
    assert_eq!(diff(&["layout:out:production", "layout:out:production"]).exits(0).stdout, "");
    assert!(diff(&["layout:out", "layout:other"]).exits(1).stdout.contains("~ a\n"));
    // Where it says nothing, somebody has to.
    env.run(["inventory", "push", "--runtime", "gke", "-e", "staging", "--to", "layout:out"]).ok();
    assert!(pull(&["layout:out"]).exits(2).stderr.contains("no environment was named"));
    assert!(env.run(["inventory", "show", "pulled"]).exits(2).stderr.contains("no environment was named"));
    assert!(pull(&[]).exits(2).stderr.contains("no inventory was named"));
    assert!(pull(&["oci://localhost/a"]).exits(2).stderr.contains("no environment was named"));
}

#[test]
fn what_would_be_ignored_is_refused_or_told() {
    let env = platform(FIVE);
    push(&env, &[]).ok();
    env.write("config/runtimes/eks/workloads.yml", FIVE);
    for command in
        [&["bootstrap"][..], &["inventory", "pull", "layout:out", "--output-dir", "p"], &["inventory", "list", "layout:out"]]
    {
        let run = env.run([command, &["-f", "config/runtimes/gke/workloads.yml"]].concat()).exits(2);
        assert!(run.stderr.contains("there is no flag '-f'"), "{run}");
    }
    let run = env.run(["snapshot", "save", "-f", "config/runtimes/gke/workloads.yml"]).exits(2);
    assert!(run.stderr.contains("a snapshot has none"), "{run}");
    let run = env.run(["inventory", "diff", "layout:out", "layout:out", "-e", "production", "-f", "x"]).exits(2);
    assert!(run.stderr.contains("neither side is local"), "{run}");
    for command in ["build", "verify"] {
        let arguments = ["inventory", command, "-e", "production", "--runtime", "gke", "-f", "config/runtimes/eks/workloads.yml"];
        let run = env.run(arguments).exits(0);
        assert!(run.stderr.contains("is the list of the runtime eks, and the runtime is gke"), "{run}");
        let run = env.run(["inventory", command, "-e", "production", "-f", "config/runtimes/eks/workloads.yml"]).exits(0);
        assert!(!run.stderr.contains("is the list of"), "{run}");
    }
}

#[test]
fn places_are_as_they_were_typed() {
    let env = platform(FIVE);
    let run = env.run(["inventory", "list", "layout:../nonexist"]).exits(2);
    assert!(run.stderr.contains("there is no such layout") && run.stdout.is_empty(), "{run}");
    let run = env.run(["inventory", "push", "--runtime", "gke", "-e", "production", "--to", "layout:../lq:bad/tag"]).exits(2);
    assert!(run.stderr.contains("'bad/tag' is no tag") && !env.root().join("lq:bad").exists(), "{run}");
    std::fs::create_dir_all(env.root().join("with:colon/x")).unwrap();
    env.run(["inventory", "push", "--runtime", "gke", "-e", "production", "--to", "layout:../with:colon/x"]).ok();
    assert!(env.root().join("with:colon/x/index.json").exists());

    env.write("../elsewhere/production/inventory.yaml", "a: [\n");
    let run = env.run(["inventory", "verify", "../elsewhere", "-e", "production"]).exits(1);
    assert!(run.stdout.contains(" ../elsewhere/production/inventory.yaml:"), "{run}");
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(env.root().to_str().unwrap()), "{run}");
    let run = env.run(["inventory", "verify", ""]).exits(2);
    assert!(run.stderr.contains("the name of a source is empty"), "{run}");
    let run = env.run(["inventory", "list", "layout:out", "--to", "x"]).exits(2);
    assert!(!run.stderr.contains("did you mean"), "{run}");
}

#[test]
fn what_is_explained_first_is_an_error() {
    let env = platform("- runway_service_id: good\n  regons: [x]\n- runway_service_id: B_ad\n");
    let run = env.run(["inventory", "verify"]).exits(1);
    assert!(run.stderr.contains("help finding invalid-id"), "{run}");
    let env = platform("- runway_service_id: good\n  regons: [x]\n");
    assert!(env.run(["inventory", "verify"]).exits(0).stderr.contains("help finding unknown-key"));
}
