//! The runner against real programs.

use super::{Failure, Output, Program, run};
use crate::clock;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

async fn shell(script: &str, stdin: &[u8], limit: Duration) -> Result<Output, Failure> {
    let path = Path::new("/bin/sh");
    run(Program { path, arguments: &["-c", script], folder: None, stdin, limit, max_stdout: 100 }).await
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn gives_input_and_takes_output() {
    let output = shell("cat; echo problem\u{1b}[31m >&2; exit 3", b"hello", LONG).await.map_err(|_| ()).unwrap();
    assert_eq!((output.success, output.code), (false, Some(3)));
    assert_eq!(output.stdout, b"hello");
    assert_eq!(output.stderr, "problem\\u{1b}[31m");
}

#[tokio::test]
async fn ends_what_takes_too_long_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; wait", pid.display());
    let failure = shell(&script, b"", Duration::from_millis(500)).await.err();
    assert_eq!(failure, Some(Failure::TimedOut(Duration::from_millis(500))));
    let pid: i32 = std::io::read_to_string(File::open(pid).unwrap()).unwrap().trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let gone = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        // A zombie that nobody has collected yet still answers; /proc says so.
        rustix::process::test_kill_process(pid).is_err()
            || File::open(format!("/proc/{}/stat", pid.as_raw_nonzero()))
                .and_then(std::io::read_to_string)
                .is_ok_and(|stat| stat.contains(") Z "))
    });
    assert!(gone);
}

#[tokio::test]
async fn stops_what_writes_too_much() {
    assert_eq!(shell("yes", b"", LONG).await.err(), Some(Failure::TooMuch(100)));
    let output = shell("yes >&2 & sleep 0.3; kill $!", b"", LONG).await.map_err(|_| ()).unwrap();
    assert!(output.stderr.len() <= 4096);
}

/// helm warns line after line before it says what is wrong, and repeats the address that it was given.
#[tokio::test]
async fn the_end_of_a_complaint_is_kept_without_logins() {
    let script = "i=0; while [ $i -lt 300 ]; do echo \"coalesce.go:237: warning number $i\" >&2; i=$((i+1)); done
        echo 'Error: cannot get https://user:hunter2@charts.example/x/index.yaml' >&2; echo 'and oci://robot:hunter2@r.example' >&2; exit 1";
    let output = shell(script, b"", LONG).await.map_err(|_| ()).unwrap();
    assert!(
        output.stderr.ends_with("Error: cannot get https://charts.example/x/index.yaml\nand oci://r.example"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.len() <= 4096 && output.stderr.starts_with("coalesce.go:237: warning number "), "{}", output.stderr);
}

#[tokio::test]
async fn does_not_wait_for_a_daemon_that_was_left_behind() {
    let start = clock::monotonic();
    let output = shell("sleep 5 & echo done", b"", LONG).await.map_err(|_| ()).unwrap();
    assert_eq!(output.stdout, b"done\n");
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn says_what_cannot_be_started() {
    let path = Path::new("/does/not/exist");
    let result = run(Program { path, arguments: &[], folder: None, stdin: b"", limit: LONG, max_stdout: 1 }).await;
    assert!(matches!(result.err(), Some(Failure::Start(_))));
}
