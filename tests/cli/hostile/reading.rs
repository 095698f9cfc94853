//! Lies about what is read.

use super::{Deed, Hostile, MEMORY, Reply, Request, SOON, Scene, each, holds, is_clean, learnt_nothing, lure};
use std::sync::Arc;
use std::time::Duration;

fn is_manifest(request: &Request) -> bool {
    request.path().contains("/manifests/")
}

fn is_blob(request: &Request) -> bool {
    request.path().contains("/blobs/sha256:")
}

/// A lie about one kind of answer.
fn only(which: fn(&Request) -> bool, lie: impl Fn(Reply) -> Deed + Send + Sync + 'static) -> Scene {
    Scene::published(move |request, reply| if which(request) { lie(reply) } else { Deed::Answer(reply) })
}

#[test]
fn a_wrong_digest_is_told() {
    let other = format!("sha256:{}", "0".repeat(64));
    let scene = only(is_manifest, move |reply| {
        Deed::Answer(reply.without("Docker-Content-Digest").with("Docker-Content-Digest", other.clone()))
    });
    holds(&scene.show(&[]), 2, &["has another digest"], SOON);
    let changed = |reply: Reply| {
        let body = String::from_utf8_lossy(&reply.body).replace("sha256:", "sha256:0").into_bytes();
        Deed::Answer(reply.body(body))
    };
    holds(&only(is_manifest, changed).show(&[]), 2, &["digest"], SOON);
    let blob = |reply: Reply| {
        let mut body = reply.body.clone();
        body.reverse();
        Deed::Answer(reply.body(body))
    };
    holds(&only(is_blob, blob).show(&[]), 2, &["has another digest"], SOON);
    // Without a digest in its header, what was fetched counts; nobody has promised anything.
    let silent = only(is_manifest, |reply| Deed::Answer(reply.without("Docker-Content-Digest")));
    silent.show(&[]).ok();
}

#[test]
fn what_is_not_there_is_told_in_the_registry_s_words() {
    let host = |scene: &Scene| scene.registry.address();
    for (code, message, words) in [
        ("MANIFEST_UNKNOWN", "manifest unknown", "r/provisioner/gke-inventory has no tag production"),
        ("NAME_UNKNOWN", "repository name not known to registry", "there is no repository r/provisioner/gke-inventory"),
    ] {
        let scene = Scene::published(move |_, _| Deed::Answer(Reply::error(404, code, message)));
        let said = format!("{} answered 404 Not Found: {code}: {message}", host(&scene));
        for run in [
            scene.show(&[]),
            scene.env.run(["inventory", "pull", "--runtime", "gke", "-e", "production", "--output-dir", "out"]),
            scene.env.run(["inventory", "diff", "published", "local", "--runtime", "gke", "-e", "production"]),
        ] {
            holds(&run, 2, &["error: there is no such inventory", &said, words, "hint: "], SOON);
        }
        let run = scene.env.run(["deploy", "show", "a", "-e", "production"]);
        holds(&run, 2, &["error: there is no such deploy artifact", &said, "hint: "], SOON);
        let run = scene.env.run(["inventory", "diff", "--runtime", "gke", "-e", "production"]);
        holds(&run, 1, &["is not there: everything would be added", &said], SOON);
    }
    let scene = Scene::published(|_, _| Deed::Answer(Reply::error(404, "NAME_UNKNOWN", "repository name not known")));
    let run = scene.env.run(["inventory", "list", "--runtime", "gke"]);
    holds(&run, 2, &["cannot list the tags", "NAME_UNKNOWN", "there is no repository", "hint: check the path"], SOON);
}

#[test]
fn endless_bodies_are_left() {
    let flood = |which| only(which, |reply| Deed::Endless(reply.body("x".repeat(1 << 16))));
    holds(&flood(is_manifest).show(&[]), 2, &["larger than 4 MiB"], SOON);
    holds(&flood(is_blob).show(&[]), 2, &["is larger than"], SOON);
    let chunks = |which| only(which, Deed::EndlessChunks);
    holds(&chunks(is_manifest).show(&[]), 2, &["larger than 4 MiB"], SOON);
    holds(&chunks(is_blob).show(&[]), 2, &["is larger than"], SOON);
    // A length that nobody could hold, and hardly any bytes.
    let promise = |which| only(which, |reply| Deed::Lying(reply, 9_000_000_000));
    holds(&promise(is_manifest).show(&[]), 2, &["broke"], SOON);
    holds(&promise(is_blob).show(&[]), 2, &["broke"], SOON);
    // An answer that says no may be as long as it likes; its beginning is shown.
    let no = only(is_manifest, |_| Deed::Endless(Reply::new(403).body("denied ".repeat(10_000))));
    holds(&no.show(&[]), 2, &["403", "denied denied"], SOON);
}

#[test]
fn a_manifest_that_promises_a_large_layer_is_no_reason_to_hold_one() {
    let large = |reply: Reply| {
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let mut manifest: serde_json::Value = serde_json::from_str(&text).expect("a manifest");
        manifest["layers"][0]["size"] = (15_u64 << 20).into();
        Deed::Answer(reply.without("Docker-Content-Digest").body(manifest.to_string()))
    };
    let scene = Scene::published(move |request, reply| match request.path() {
        path if path.contains("/manifests/") => large(reply),
        path if path.contains("/blobs/") => Deed::Endless(reply.body("x".repeat(1 << 16))),
        _ => Deed::Answer(reply),
    });
    let run = scene.show(&["--timeout", "20s"]);
    is_clean(&run);
    assert_eq!(run.code, Some(2), "{run}");
    // The bytes themselves, and what the program is; not the same bytes several times.
    assert!(run.peak.is_none_or(|bytes| bytes < MEMORY), "{:?} bytes of memory\n{run}", run.peak);
}

#[test]
fn slow_and_silent_registries_are_given_up_in_time() {
    let slow = |which| only(which, |reply| Deed::Slow(reply, Duration::from_secs(1)));
    let silent = |which| only(which, |_| Deed::Silence);
    each([slow(is_manifest), slow(is_blob), silent(is_manifest), silent(is_blob)], |scene| {
        let run = scene.show(&["--timeout", "2s"]);
        holds(&run, 2, &["no complete answer", "--timeout"], Duration::from_secs(4));
        assert!(run.took >= Duration::from_millis(1500), "{:?}\n{run}", run.took);
    });
}

#[test]
fn heads_without_an_end_are_left() {
    let scene = only(is_manifest, |_| Deed::EndlessHead);
    holds(&scene.show(&[]), 2, &["cannot read the tag 'production'"], SOON);
    // One header that fills a whole buffer.
    let scene = only(is_manifest, |reply| Deed::Answer(reply.with("X-Large", "x".repeat(8 << 20))));
    holds(&scene.show(&[]), 2, &["cannot read the tag 'production'"], SOON);
}

#[test]
fn what_is_no_answer_at_all() {
    let cases = ["", "HTTP/1.1 200", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 99999 X\r\n\r\n"];
    each(cases, |bytes| {
        let scene = only(is_manifest, move |_| Deed::Bytes(bytes.as_bytes().to_vec()));
        let run = scene.show(&[]);
        holds(&run, 2, &["cannot read the tag 'production'"], SOON);
        assert!(scene.registry.lines().len() <= 6, "{bytes}: {:?}", scene.registry.lines());
    });
}

#[test]
fn cut_bodies_are_told() {
    each([0, 30, 200, 500], |keep| {
        for which in [is_manifest, is_blob] {
            let scene = only(which, move |reply| Deed::Short(reply, keep));
            let run = scene.show(&[]);
            holds(&run, 2, &["broke"], SOON);
            assert_eq!(run.stdout, "");
        }
    });
}

#[test]
fn redirects_lead_nowhere_else_and_end() {
    let scene =
        only(is_blob, |_| Deed::Answer(Reply::new(302).with("Location", "/v2/r/provisioner/gke-inventory/blobs/sha256:round")));
    holds(&scene.show(&[]), 2, &["redirects"], SOON);
    assert!(scene.registry.lines().len() <= 10, "{:?}", scene.registry.lines());
    // Two that send it back and forth.
    let scene = only(is_blob, |_| Deed::Answer(Reply::new(307).with("Location", "/open/a")));
    holds(&scene.show(&[]), 2, &["404"], SOON);
    for location in
        ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://user:pw@127.0.0.1:1/", "//", "http://["]
    {
        let scene = only(is_blob, move |_| Deed::Answer(Reply::new(302).with("Location", location)));
        holds(&scene.show(&[]), 2, &["redirects, and this is not followed"], SOON);
    }
}

#[test]
fn a_redirect_takes_the_login_nowhere() {
    let lure = lure();
    let there = Arc::clone(&lure);
    let to = format!("http://127.0.0.1:{}/blob?signature=abc", lure.port());
    for which in [is_manifest, is_blob] {
        let to = to.clone();
        let scene = only(which, move |_| Deed::Answer(Reply::new(307).with("Location", to.clone())));
        let run = scene.show(&[]);
        holds(&run, 2, &[], SOON);
        assert!(!run.stderr.contains("signature=abc"), "{run}");
    }
    assert!(!there.lines().is_empty());
    learnt_nothing(&there);
}

#[test]
fn head_and_get_that_disagree_move_nothing() {
    let other = format!("sha256:{}", "1".repeat(64));
    let named = other.clone();
    let scene = Scene::published(move |request, reply| match request.method.as_str() {
        "HEAD" if is_manifest(request) => Deed::Answer(
            Reply::new(200)
                .with("Docker-Content-Digest", named.clone())
                .with("Content-Type", "application/vnd.oci.image.manifest.v1+json"),
        ),
        _ => Deed::Answer(reply),
    });
    let before = scene.tag();
    scene.change();
    let run = scene.push(&[]);
    holds(&run, 5, &["somebody has moved it", &other], SOON);
    assert_eq!(scene.tag(), before);
}

#[test]
fn storms_of_429_end() {
    let storm = |after: Option<&'static str>| {
        Scene::published(move |_, _| {
            let reply = Reply::error(429, "TOOMANYREQUESTS", "slow down");
            Deed::Answer(after.iter().fold(reply, |reply, after| reply.with("Retry-After", *after)))
        })
    };
    each([None, Some("1"), Some("86400"), Some("-1"), Some("99999999999999999999")], |after| {
        let scene = storm(after);
        let run = scene.show(&[]);
        holds(&run, 2, &["429", "slow down"], SOON);
        // The first try meets the question for a login.
        assert!(scene.registry.lines().len() <= 4, "{after:?} {:?}", scene.registry.lines());
    });
    let scene = storm(None);
    let run = scene.push(&[]);
    holds(&run, 2, &["429"], SOON);
}

#[test]
fn what_a_registry_repeats_is_not_shown() {
    let scene = Scene::published(|request, _| {
        let login = request.header("authorization").unwrap_or_default().to_owned();
        let body = format!("you said {login}, which is {}:{}\u{1b}[2J\u{7}\u{202e} and\r\nmore", super::USER, super::PASSWORD);
        Deed::Answer(Reply::error(403, "DENIED", &body).with("X-Echo", login))
    });
    holds(&scene.show(&[]), 2, &["403", "you said"], SOON);
    holds(&scene.push(&[]), 2, &["403", "you said"], SOON);
}

#[test]
fn a_layer_that_unpacks_to_too_much_is_left() {
    let bomb = bomb();
    let digest = runway_testkit::fake::sha256(&bomb);
    let size = bomb.len();
    let scene = Scene::published(move |request, reply| match request.path() {
        path if path.contains("/manifests/") => {
            let mut manifest: serde_json::Value = serde_json::from_slice(&reply.body).expect("a manifest");
            manifest["layers"][0]["size"] = size.into();
            manifest["layers"][0]["digest"] = digest.clone().into();
            Deed::Answer(reply.without("Docker-Content-Digest").body(manifest.to_string()))
        }
        path if path.contains("/blobs/") => Deed::Answer(Reply::new(200).body(bomb.clone())),
        _ => Deed::Answer(reply),
    });
    let run = scene.show(&[]);
    is_clean(&run);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("it unpacks to more than 128 MiB"), "{run}");
    assert!(run.peak.is_none_or(|bytes| bytes < MEMORY + (256 << 20)), "{:?} bytes of memory\n{run}", run.peak);
}

/// Two GiB of zeros in one file of a tar, as gzip'ed pieces: a small layer that is large.
fn bomb() -> Vec<u8> {
    let gzipped = |script: &str| {
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", script]).stderr(std::process::Stdio::null());
        command.output().expect("a shell").stdout
    };
    let head = gzipped("d=$(mktemp -d) && truncate -s 2G $d/f && tar -C $d -c f | head -c 512 | gzip -1; rm -r $d");
    let zeros = gzipped("head -c 16777216 /dev/zero | gzip -1");
    [head, zeros.repeat(128)].concat()
}

#[test]
fn a_port_of_something_else_is_told() {
    // TLS where plain http is expected, and the other way round.
    let registry = Hostile::start(|_, _| Deed::Bytes(b"\x15\x03\x03\x00\x02\x02\x28".to_vec()));
    let env = super::platform(&registry.address());
    holds(&super::show(&env, &[]), 2, &["cannot read the tag"], SOON);
    let plain = Hostile::start(|_, reply| Deed::Answer(reply));
    let mut env = super::platform(&plain.address());
    env.var("RUNWAY_REGISTRY_PLAIN_HTTP", "false");
    holds(&super::show(&env, &[]), 2, &["does not speak it", "--plain-http"], SOON);
    assert!(plain.received().is_empty());
}

/// Memory is bounded for all answers together, not for each of those that are read side by side.
#[test]
fn many_floods_at_a_time_are_bounded_together() {
    let scene = Scene::honest(|request, reply| match request.path() {
        path if path.contains("/manifests/") => Deed::Endless(Reply::new(200).body("x".repeat(1 << 16))),
        _ => Deed::Answer(reply),
    })
    .lie();
    scene.env.write("config/runtimes/gke/workloads.yml", super::list_of(64));
    let run = scene.env.run(["inventory", "verify", "--runtime", "gke", "-e", "production", "--artifacts"]);
    is_clean(&run);
    assert!(run.to_string().contains("larger than 4 MiB"), "{run}");
    assert!(run.peak.is_none_or(|bytes| bytes < MEMORY), "{:?} bytes of memory", run.peak);
}

#[test]
fn lists_of_tags_without_an_end_are_left() {
    // Long tags on page after page: more than are listed end it.
    let long = (0..50_000).map(|n| format!("\"{n:06}-{}\"", "x".repeat(110))).collect::<Vec<_>>().join(",");
    let scene = Scene::honest(move |request, _| {
        let page = request.query("i").first().and_then(|text| text.parse().ok()).unwrap_or(0);
        let link = format!("</v2/x/tags/list?i={}>; rel=\"next\"", page + 1);
        Deed::Answer(Reply::new(200).with("Link", link).body(format!("{{\"tags\":[{long}]}}")))
    })
    .lie();
    holds(&scene.env.run(["inventory", "list", "--runtime", "gke"]), 2, &["more than 2000 tags"], SOON);
    assert!(scene.registry.lines().len() <= 2, "{:?}", scene.registry.lines());
    // Millions of texts that are no tags are not kept.
    let none = format!("{{\"tags\":[{}\"\"]}}", "\"\",".repeat(2_700_000));
    let scene = Scene::honest(move |_, _| Deed::Answer(Reply::new(200).body(none.clone()))).lie();
    let run = scene.env.run(["inventory", "list", "--runtime", "gke"]);
    assert!(matches!(run.code, Some(0..=2)), "{run}");
    assert!(run.peak.is_none_or(|bytes| bytes < MEMORY), "{:?} bytes of memory", run.peak);
}

/// Many tokens, each as large as one may be, are not all kept; a larger one is none.
#[test]
fn large_tokens_are_bounded_together() {
    for (size, count, words) in [(1_000_000, 40, "larger than 64 KiB"), (60_000, 500, "is not in the registry")] {
        let registry = Hostile::start(move |request, reply| {
            let host = request.header("host").unwrap_or_default();
            match (request.path(), request.header("authorization")) {
                ("/token", _) => {
                    let scope = request.query("scope").join("").replace(['/', ':'], "");
                    let token = scope + &"x".repeat(size);
                    Deed::Answer(Reply::new(200).body(format!("{{\"token\":\"{token}\"}}")))
                }
                (_, Some(login)) if login.starts_with("Bearer ") => Deed::Answer(reply),
                _ => {
                    let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"s\"");
                    Deed::Answer(Reply::error(401, "UNAUTHORIZED", "log in").with("WWW-Authenticate", challenge))
                }
            }
        });
        let env = super::platform(&registry.address());
        let list = super::list_of(count);
        env.write("config/runtimes/gke/workloads.yml", list);
        let run = env.run(["inventory", "verify", "--runtime", "gke", "-e", "production", "--artifacts"]);
        is_clean(&run);
        assert!(run.to_string().contains(words), "{run}");
        assert!(run.peak.is_none_or(|bytes| bytes < MEMORY), "{:?} bytes of memory", run.peak);
    }
}

#[test]
fn a_next_page_with_a_login_in_it_is_not_followed() {
    let scene = Scene::honest(|request, reply| {
        let host = request.header("host").unwrap_or_default().to_owned();
        Deed::Answer(reply.with("Link", format!("<http://evil:pw@{host}/v2/x/tags/list?n=2>; rel=\"next\"")))
    })
    .lie();
    holds(&scene.env.run(["inventory", "list", "--runtime", "gke"]), 2, &["carries a user name or a password"], SOON);
    assert!(scene.registry.lines().len() <= 2, "{:?}", scene.registry.lines());
}

#[test]
fn plain_http_is_no_reason_to_look_around_in_the_network() {
    for location in
        ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/x", "https://192.168.0.1/x", "http://[fd00::1]/x"]
    {
        let scene = only(is_manifest, move |_| Deed::Answer(Reply::new(302).with("Location", location)));
        let run = scene.show(&["--plain-http", "--timeout", "4s"]);
        holds(&run, 2, &["redirects, and this is not followed", "address, and"], Duration::from_secs(3));
    }
}
