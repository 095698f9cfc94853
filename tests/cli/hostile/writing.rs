//! Lies about what is written: the tag keeps what it held.

use super::{Deed, Reply, SOON, Scene, each, holds, learnt_nothing, lure};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

/// A lie about the answer to `POST …/uploads/`.
fn opening(lie: impl Fn(Reply) -> Reply + Send + Sync + 'static) -> Scene {
    let scene = Scene::published(move |request, reply| Deed::Answer(if request.method == "POST" { lie(reply) } else { reply }));
    scene.change();
    scene
}

#[track_caller]
fn refused(scene: &Scene, words: &[&str]) {
    let before = scene.tag();
    assert!(before.is_some());
    holds(&scene.push(&[]), 2, words, SOON);
    assert_eq!(scene.tag(), before);
}

/// An ingress whose registry is away answers 404 to everything. A tag that cannot be read is none that is free: what it holds
/// would be lost past the guard.
#[test]
fn a_tag_behind_a_page_is_not_taken_for_a_free_one() {
    let page = || Reply::new(404).with("Content-Type", "text/html").body("<html>ingress: no backend</html>");
    let scene = Scene::published(move |request, reply| {
        Deed::Answer(if request.path().ends_with("/manifests/production") { page() } else { reply })
    });
    scene.change();
    refused(&scene, &["a web page, not a registry's answer", "whether it is there is not known", "check the host and the path"]);
    holds(&scene.push(&["--dry-run"]), 2, &["whether it is there is not known"], SOON);
    assert!(!scene.registry.lines().iter().any(|line| line.starts_with("PUT ")), "{:?}", scene.registry.lines());
    // A registry's own word is one.
    let scene = Scene::published(|_, reply| Deed::Answer(reply));
    scene.push(&["--to", &format!("oci://{}/r/elsewhere:new", scene.registry.address())]).ok();
}

#[test]
fn an_upload_without_a_place() {
    refused(&opening(|reply| reply.without("Location")), &["does not say where"]);
    refused(&opening(|reply| reply.without("Location").with("Location", "")), &["cannot upload"]);
    refused(&opening(|reply| reply.without("Location").with("Location", "http://[")), &["it is no address"]);
}

#[test]
fn an_upload_to_a_place_beside_it() {
    // Relative, as some registries have it: followed, and the blob does arrive.
    let relative = |reply: Reply| {
        let absolute = reply.header("Location").unwrap_or_default().to_owned();
        let last = absolute.rsplit('/').next().unwrap_or_default().to_owned();
        reply.without("Location").with("Location", last)
    };
    let scene = opening(relative);
    let before = scene.tag();
    scene.push(&[]).ok();
    assert_ne!(scene.tag(), before);
}

#[test]
fn an_upload_to_somebody_else() {
    let lure = lure();
    let port = lure.port();
    let foreign = move |reply: Reply| reply.without("Location").with("Location", format!("http://127.0.0.1:{port}/upload"));
    refused(&opening(foreign), &["sends the upload elsewhere"]);
    for location in ["http://10.0.0.1/up", "ftp://127.0.0.1/up", "http://user:pw@localhost/up", "//10.0.0.1/up"] {
        refused(&opening(move |reply| reply.without("Location").with("Location", location)), &["sends the upload elsewhere"]);
    }
    learnt_nothing(&lure);
    assert_eq!(lure.lines().len(), 0);
}

#[test]
fn a_redirected_write_keeps_the_login_at_home() {
    let lure = lure();
    let (here, there) = (Arc::clone(&lure), Arc::clone(&lure));
    for method in ["POST", "PUT", "HEAD"] {
        let to = format!("http://127.0.0.1:{}/x", here.port());
        let scene = Scene::published(move |request, reply| {
            let led = request.method == method && !request.path().contains("/manifests/production");
            Deed::Answer(if led { Reply::new(307).with("Location", to.clone()) } else { reply })
        });
        scene.change();
        let before = scene.tag();
        there.clear();
        let run = scene.push(&[]);
        super::is_clean(&run);
        assert!(run.took < SOON, "{run}");
        // The redirect was followed, or there would be nothing to see.
        assert!(there.lines().iter().any(|line| line.starts_with(method)), "{method}: {:?}\n{run}", there.lines());
        learnt_nothing(&there);
        // A stranger that says yes to everything: to a question whether a blob is there, it is believed. It says 200 to an upload
        // that begins, and no place for it.
        if method == "POST" {
            assert_eq!((run.code, scene.tag()), (Some(2), before), "{run}");
        } else {
            assert_eq!(run.code, Some(0), "{run}");
        }
    }
}

#[test]
fn a_manifest_under_another_digest() {
    let other = format!("sha256:{}", "2".repeat(64));
    let scene = Scene::published(move |request, reply| {
        let put = request.method == "PUT" && request.path().contains("/manifests/sha256:");
        Deed::Answer(if put {
            reply.without("Docker-Content-Digest").with("Docker-Content-Digest", other.clone())
        } else {
            reply
        })
    });
    scene.change();
    refused(&scene, &["stored it under another digest"]);
    // No digest and no Location, as some registries answer: nothing is wrong with that.
    let scene = Scene::published(|request, reply| {
        Deed::Answer(if request.method == "PUT" { reply.without("Location").without("Docker-Content-Digest") } else { reply })
    });
    scene.change();
    scene.push(&[]).ok();
}

#[test]
fn a_registry_that_says_yes_and_has_something_else() {
    let other = format!("sha256:{}", "3".repeat(64));
    let written = AtomicBool::new(false);
    let scene = Scene::published(move |request, reply| {
        if request.path().ends_with("/manifests/production") {
            if request.method == "PUT" {
                written.store(true, SeqCst);
            } else if written.load(SeqCst) {
                return Deed::Answer(
                    reply.without("Docker-Content-Digest").with("Docker-Content-Digest", other.clone()).body(""),
                );
            }
        }
        Deed::Answer(reply)
    });
    scene.change();
    holds(&scene.push(&[]), 2, &["the tag does not hold what was pushed"], SOON);
}

#[test]
fn cut_and_silent_uploads() {
    each(["HEAD", "POST", "PUT"], |method| {
        let cut = Scene::published(move |request, reply| if request.method == method { Deed::Cut } else { Deed::Answer(reply) });
        cut.change();
        let run = cut.push(&[]);
        holds(&run, 2, &["broke"], SOON);
        let silent = Scene::published(move |request, reply| {
            if request.method == method && !request.path().ends_with("/manifests/production") {
                Deed::Silence
            } else {
                Deed::Answer(reply)
            }
        });
        silent.change();
        let before = silent.tag();
        holds(&silent.push(&["--timeout", "2s"]), 2, &["no complete answer"], Duration::from_secs(4));
        assert_eq!(silent.tag(), before);
    });
}

#[test]
fn refusals_in_the_middle_leave_the_tag() {
    each([400, 403, 413, 429, 500, 503, 507], |status: u16| {
        for method in ["POST", "PUT"] {
            let scene = Scene::published(move |request, reply| {
                let no = request.method == method && !request.path().ends_with("/manifests/production");
                Deed::Answer(if no { Reply::error(status, "NO", "not today") } else { reply })
            });
            scene.change();
            refused(&scene, &[&status.to_string(), "not today"]);
            assert!(scene.registry.lines().len() < 30, "{:?}", scene.registry.lines());
        }
    });
}

#[test]
fn a_flood_in_answer_to_an_upload() {
    for method in ["HEAD", "POST", "PUT"] {
        let scene = Scene::published(move |request, reply| {
            let at = request.method == method && !request.path().ends_with("/manifests/production");
            if at {
                Deed::Endless(Reply::new(202).with("Location", "/v2/r/x").body("x".repeat(1 << 16)))
            } else {
                Deed::Answer(reply)
            }
        });
        scene.change();
        let before = scene.tag();
        let run = scene.push(&["--timeout", "5s"]);
        super::is_clean(&run);
        assert!(run.took < SOON && run.peak.is_none_or(|bytes| bytes < super::MEMORY), "{:?} {:?}\n{run}", run.took, run.peak);
        assert!(run.code == Some(2) || method == "HEAD", "{run}");
        assert!(run.code == Some(0) || scene.tag() == before, "{run}");
    }
}
