//! Servers that are away, and ones that do not know us.

use crate::stage::{ENVIRONMENT, Stage};

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn refused_files_push_nothing() {
    let stage = Stage::new("refused", "gke");
    stage.declare(&["a", "b", "c"]);
    stage.push(&[]).ok();
    let before = stage.bed.tag_digest(&stage.inventory_repository(), ENVIRONMENT);
    let file = "config/runtimes/gke/workloads.yml";
    for (text, code, words) in [
        ("- runway_service_id: [a\n", 2, "yaml-syntax"),
        ("- runway_service_id: A_b\n", 2, "invalid-id"),
        ("- runway_service_id: a\n- runway_service_id: a\n", 2, "duplicate-id"),
        ("[]\n", 2, "empty-inventory"),
        ("", 2, "empty-inventory"),
        ("- runway_service_id: a\n", 5, "would remove 2 of 3"),
    ] {
        stage.env.write(file, text);
        let run = stage.push(&[]).exits(code);
        assert!(run.stderr.contains(words), "{run}");
        assert_eq!(stage.bed.tag_digest(&stage.inventory_repository(), ENVIRONMENT), before, "{run}");
    }
    stage.declare(&["a"]);
    drop(stage.push(&["--allow-removals", "2"]).exits(0));
    assert_ne!(stage.bed.tag_digest(&stage.inventory_repository(), ENVIRONMENT), before);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn an_unknown_token_is_said() {
    let stage = Stage::new("token", "gke");
    stage.declare(&["a"]);
    stage.push(&[]).ok();
    let run = stage.status(&["--token", "canary-of-a-token", "-o", "json"]).exits(2);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("the document is still printed");
    assert_eq!(document["summary"]["clusters"][0]["reachable"], false);
    assert_eq!(document["items"][0]["verdict"], "Unreachable");
    assert_eq!(document["items"][0]["reason"], "Unauthorized", "{run}");
    assert!(!run.to_string().contains("canary-of-a-token"), "{run}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_forbidden_namespace_is_said() {
    let stage = Stage::new("forbidden", "gke");
    stage.declare(&["a"]);
    stage.push(&[]).ok();
    let run = stage.status(&["--as", "nobody-at-all", "-o", "json"]).exits(1);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["items"][1]["verdict"], "Unknown", "{run}");
    assert_eq!(document["items"][1]["reason"], "Forbidden", "{run}");
    assert!(document["items"][1]["message"].as_str().unwrap().contains("nobody-at-all"), "{run}");
}
