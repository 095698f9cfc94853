//! What is said of a push that was done, when something after it could not be; and of its requests.

use super::{Deed, LOGIN, PASSWORD, Reply, Scene, is_clean};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// A registry that says that it does not set these tags.
fn without(tags: &'static [&'static str]) -> Scene {
    let scene = Scene::published(move |request, reply| {
        let named = |tag: &&str| request.path().ends_with(&format!("/manifests/{tag}"));
        let refused = request.method == "PUT" && tags.iter().any(named);
        Deed::Answer(if refused { Reply::error(403, "DENIED", "not this one") } else { reply })
    });
    scene.change();
    scene
}

#[test]
fn a_tag_that_cannot_be_set_hides_no_push() {
    let scene = without(&["v2", "v9"]);
    let before = scene.tag();
    let run = scene.push(&["--tag", "v1", "--tag", "v2", "--tag", "v3", "-o", "json", "-o", "text=receipt"]).exits(2);
    assert!(run.stderr.contains("error: pushed, but the tag v2 was not set") && run.stderr.contains("not this one"), "{run}");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((document["result"].as_str(), &document["tags"]), (Some("pushed"), &serde_json::json!(["v1"])), "{run}");
    assert_eq!(scene.tag().as_deref(), document["digest"].as_str());
    assert_ne!(scene.tag(), before);
    let text = scene.env.read("receipt");
    assert!(text.contains("pushed oci://") && text.contains("; further tags: v1\n"), "{text}");
    // The content is there already: only the tag is missing.
    let run = scene.push(&["--tag", "v9"]).exits(2);
    assert!(
        run.stderr.contains("the content is there, but the tag v9 was not set") && run.stdout.contains("unchanged "),
        "{run}"
    );
    is_clean(&run);
}

/// The folder of the report goes away while the push is under way.
#[test]
fn a_report_that_cannot_be_written_hides_no_push() {
    let folder = Arc::new(Mutex::new(None::<std::path::PathBuf>));
    let target = Arc::clone(&folder);
    let scene = Scene::published(move |request, reply| {
        let folder = target.lock().unwrap().clone();
        if let Some(folder) = folder.filter(|_| request.method == "PUT" && request.path().ends_with("/manifests/production")) {
            std::fs::remove_dir_all(folder).unwrap();
        }
        Deed::Answer(reply)
    });
    scene.change();
    scene.env.write("reports/empty", "");
    *folder.lock().unwrap() = Some(scene.env.work().join("reports"));
    let run = scene.push(&["-o", "json=reports/a.json", "-o", "dotenv=kept.env", "-o", "text"]).exits(2);
    assert!(run.stdout.contains("+ b\n") && run.stdout.contains("pushed oci://"), "the receipt comes first: {run}");
    assert!(run.stderr.contains("error: pushed, but the file cannot be written") && run.stderr.contains("a.json"), "{run}");
    let digest = scene.tag().unwrap();
    assert!(run.stderr.contains(&format!("production holds {digest}")), "{run}");
    assert!(scene.env.read("kept.env").contains(&digest), "the other file is written all the same");
}

#[test]
fn requests_are_told_without_the_login() {
    let scene = Scene::published(|_, reply| Deed::Answer(reply));
    scene.change();
    let run = scene.push(&["-v"]).exits(0);
    let host = scene.registry.address();
    let place = "/v2/r/provisioner/gke-inventory";
    let told = |start: &str| run.stderr.lines().any(|line| line.starts_with(start) && line.ends_with(" ms"));
    assert!(told(&format!("GET {host}{place}/manifests/production 401 ")), "{run}");
    assert!(told(&format!("GET {host}{place}/manifests/production 200 ")), "{run}");
    assert!(told(&format!("PUT {host}{place}/manifests/production 201 ")), "{run}");
    assert!(!run.stderr.contains('?') && !run.stderr.contains("digest="), "{run}");
    for secret in [PASSWORD, LOGIN] {
        assert!(!run.stderr.contains(secret), "{run}");
    }
    is_clean(&run);
}
