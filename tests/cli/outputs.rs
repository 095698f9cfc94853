//! `-o FORMAT=PATH`: what a path may lead to, and that nothing is pushed whose report has no place.

use super::platform;
use runway_testkit::env::{Env, Run};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::process::Command;

fn push(env: &Env, more: &[&str]) -> Run {
    env.run([&["inventory", "push", "-e", "production", "--to", "layout:out"], more].concat())
}

/// The program by a shell, with its redirections.
fn shell(env: &Env, script: &str) -> String {
    let program = env!("CARGO_BIN_EXE_kubectl-runway");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script.replace("PUSH", &format!("{program} inventory push -e production --to layout:out"))]);
    let output =
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", env.home()).current_dir(env.work()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_pipe_is_written_to_and_stays_one() {
    let env = platform("- runway_service_id: a\n");
    let pipe = env.work().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    push(&env, &["-o", "dotenv=pipe", "-o", "text"]).ok();
    assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo(), "the pipe was replaced");
    assert!(reader.join().unwrap().contains("RUNWAY_CHANGED=true\n"));
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_replaced() {
    let env = platform("- runway_service_id: a\n");
    let at = |name: &str| env.work().join(name);
    fs::create_dir(at("reports")).unwrap();
    env.write("reports/old.json", "old");
    symlink("reports/old.json", at("link")).unwrap();
    symlink("link", at("link-to-link")).unwrap();
    symlink("reports/new.env", at("dangling")).unwrap();
    push(&env, &["-o", "json=link-to-link", "-o", "dotenv=dangling"]).ok();
    for link in ["link", "link-to-link", "dangling"] {
        assert!(fs::symlink_metadata(at(link)).unwrap().file_type().is_symlink(), "{link} was replaced");
    }
    assert!(env.read("reports/old.json").contains("PushResult"));
    assert!(env.read("reports/new.env").contains("RUNWAY_REF="));
    assert_eq!(fs::read_dir(at("reports")).unwrap().count(), 2, "something was left behind");

    symlink("b", at("a")).unwrap();
    symlink("a", at("b")).unwrap();
    let run = push(&env, &["-o", "json=a"]).exits(2);
    assert!(run.stderr.contains("circle"), "{run}");
}

#[test]
fn a_descriptor_is_written_to() {
    let env = platform("- runway_service_id: a\n");
    let piped = shell(&env, "{ PUSH -q -o json=/dev/fd/3 3>&1 >&2; } | cat");
    assert!(piped.contains("PushResult"), "{piped}");
    shell(&env, "exec 3>got; echo before >&3; PUSH -q -o text -o json=/dev/fd/3");
    let got = env.read("got");
    assert!(got.starts_with("before\n{") && got.contains("PushResult"), "{got}");
}

#[test]
fn nothing_is_pushed_when_a_report_has_no_place() {
    let env = platform("- runway_service_id: a\n");
    env.write("file", "x");
    fs::create_dir(env.work().join("folder")).unwrap();
    for (path, words) in [("absent/x.json", "No such file"), ("folder", "there is a folder"), ("file/x.json", "Not a directory")]
    {
        let run = push(&env, &["-o", "text", "-o", &format!("json={path}")]).exits(2);
        assert!(run.stderr.contains("the file cannot be written") && run.stderr.contains(words), "{run}");
        assert!(run.stdout.is_empty() && !env.work().join("out").exists(), "{run}");
    }
    let left = fs::read_dir(env.work().join("folder")).unwrap().count();
    assert_eq!(left, 0, "the check left something behind");
}

#[test]
fn a_size_does_not_depend_on_what_was_moved() {
    let env = platform("- runway_service_id: a\n");
    let size = |more: &[&str]| {
        let document: Value = serde_json::from_str(&push(&env, &[&["-o", "json"], more].concat()).ok()).unwrap();
        (document["result"].as_str().unwrap().to_owned(), document["size"].as_u64().unwrap())
    };
    let (planned, pushed, unchanged) = (size(&["--dry-run"]), size(&[]), size(&[]));
    assert_eq!((planned.0.as_str(), pushed.0.as_str(), unchanged.0.as_str()), ("planned", "pushed", "unchanged"));
    assert!(planned.1 == pushed.1 && pushed.1 == unchanged.1, "{planned:?} {pushed:?} {unchanged:?}");
}
