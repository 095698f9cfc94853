//! What is looked for in a built program is found: this test's own program has nearly all of it.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its own program and fails by panicking")]

use runway_dist::binary::{MOST, problems};
use runway_dist::targets::{TARGETS, Target};

fn target(name: &str) -> Target {
    Target::find(name).unwrap()
}

#[test]
fn each_problem_can_be_found() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let marker = "/a/folder/of/this/machine/".to_owned();
    let found = problems(&own, target("linux_amd64"), std::slice::from_ref(&marker));
    let has = |found: &[String], text: &str| found.iter().any(|problem| problem.contains(text));
    assert!(has(&found, "debugging symbols") && has(&found, "not static") && has(&found, &marker), "{found:?}");
    assert!(!has(&found, "not a program for"), "{found:?}");
    // Written backwards, since this text is in the program too.
    let absent: String = "/eman/ton/si/taht/redlof/".chars().rev().collect();
    assert!(!has(&problems(&own, target("linux_amd64"), &[absent]), "a folder of the machine"));
    for other in TARGETS.into_iter().filter(|other| *other != target("linux_amd64")) {
        assert!(has(&problems(&own, other, &[]), &format!("not a program for {other}")));
    }
    assert!(has(&problems(b"#!/bin/sh\n", target("linux_amd64"), &[]), "not a program:"));
    let mut heavy = own;
    heavy.resize(MOST + 1, 0);
    assert!(has(&problems(&heavy, target("linux_amd64"), &[]), "more than 20 MiB"));
}
