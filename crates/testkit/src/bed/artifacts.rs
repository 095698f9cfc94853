//! What a test does to a registry: pushes with the real flux, reads and deletes tags by the registry's own HTTP.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::handle::Handle;
use super::kube::or_panic;
use super::trouble::{Context as _, Result, Trouble};
use super::wire::{Answer, Endpoint};

pub(crate) const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json";

/// A `repository` is `localhost:PORT/PATH`, of the shared registry or of one of the test's own.
impl Handle {
    /// Pushes these files as a Flux artifact, by `flux push artifact`; gives the digest (`sha256:…`).
    ///
    /// # Panics
    ///
    /// Panics when flux does.
    #[track_caller]
    pub fn push_deploy(&self, repository: &str, tag: &str, files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder for the file");
            fs::write(path, text).expect("the file is written");
        }
        self.push_folder(repository, tag, folder.path())
    }

    /// Pushes a folder as a Flux artifact, by `flux push artifact`; gives the digest (`sha256:…`).
    ///
    /// # Panics
    ///
    /// Panics when flux does.
    #[track_caller]
    pub fn push_folder(&self, repository: &str, tag: &str, folder: &Path) -> String {
        let url = format!("oci://{repository}:{tag}");
        let folder = folder.to_str().expect("a folder's name in UTF-8");
        let run = self.flux([
            "push",
            "artifact",
            &url,
            "--path",
            folder,
            "--source=https://example.com/test-bed.git",
            "--revision=main@sha1:0000000000000000000000000000000000000000",
            "--reproducible",
            "--insecure-registry",
            "-o=json",
        ]);
        let shown = run.to_string();
        let answer: Option<Value> = serde_json::from_str(&run.ok()).ok();
        let digest = answer.as_ref().and_then(|answer| answer.get("digest")?.as_str().map(str::to_owned));
        digest.unwrap_or_else(|| panic!("flux push artifact told no digest:\n{shown}"))
    }

    /// Deletes a tag; the artifact stays. Tells whether there was one.
    ///
    /// # Panics
    ///
    /// Panics when the registry refuses.
    #[track_caller]
    pub fn delete_tag(&self, repository: &str, tag: &str) -> bool {
        let answer = or_panic(manifest("DELETE", repository, tag));
        match answer.status {
            202 => true,
            404 => false,
            status => panic!("deleting {repository}:{tag}: {status} {}", answer.text()),
        }
    }

    /// The digest that a tag names (`sha256:…`); `None` when there is no such tag.
    ///
    /// # Panics
    ///
    /// Panics when the registry fails.
    #[track_caller]
    pub fn tag_digest(&self, repository: &str, tag: &str) -> Option<String> {
        let answer = or_panic(manifest("HEAD", repository, tag));
        match answer.status {
            200 => answer.header("docker-content-digest").map(str::to_owned),
            404 => None,
            status => panic!("{repository}:{tag}: {status}"),
        }
    }

    /// Points a tag at what another one names, as somebody else would who pushes at the same time.
    ///
    /// # Panics
    ///
    /// Panics when the registry refuses.
    #[track_caller]
    pub fn copy_tag(&self, repository: &str, from: &str, to: &str) {
        let held = or_panic(manifest("GET", repository, from));
        let (port, path) = split(repository).expect("a repository on loopback");
        let target = format!("/v2/{path}/manifests/{to}");
        let headers = [("Content-Type", held.header("content-type").unwrap_or_default())];
        let answer =
            or_panic(Endpoint { port, tls: None }.send("PUT", &target, &headers, &held.body).context(|| format!("PUT {target}")));
        assert_eq!(answer.status, 201, "PUT {target}: {}", answer.text());
    }

    /// Puts what a tag names into other repositories of the same registry, under the same tag: its blobs are mounted there.
    ///
    /// # Panics
    ///
    /// Panics when the registry refuses.
    #[track_caller]
    pub fn copy_to(&self, repository: &str, tag: &str, others: &[String]) {
        let held = or_panic(manifest("GET", repository, tag));
        let parsed: Value = serde_json::from_slice(&held.body).expect("a manifest is JSON");
        let layers = parsed.get("layers").and_then(Value::as_array).into_iter().flatten();
        let blobs: Vec<&str> = layers.chain(parsed.get("config")).filter_map(|blob| blob.get("digest")?.as_str()).collect();
        let (port, from) = split(repository).expect("a repository on loopback");
        let endpoint = Endpoint { port, tls: None };
        let media = [("Content-Type", held.header("content-type").unwrap_or_default())];
        let send = |method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]| {
            let answer = or_panic(endpoint.send(method, target, headers, body).context(|| format!("{method} {target}")));
            assert_eq!(answer.status, 201, "{method} {target}: {}", answer.text());
        };
        for other in others {
            let (_, to) = split(other).expect("a repository on loopback");
            for digest in &blobs {
                send("POST", &format!("/v2/{to}/blobs/uploads/?mount={digest}&from={from}"), &[("Content-Length", "0")], b"");
            }
            send("PUT", &format!("/v2/{to}/manifests/{tag}"), &media, &held.body);
        }
    }

    /// The manifest that a tag or digest names; `None` when there is none.
    ///
    /// # Panics
    ///
    /// Panics when the registry fails.
    #[track_caller]
    pub fn manifest_json(&self, repository: &str, reference: &str) -> Option<Value> {
        let answer = or_panic(manifest("GET", repository, reference));
        match answer.status {
            200 => Some(serde_json::from_slice(&answer.body).expect("a manifest is JSON")),
            404 => None,
            status => panic!("{repository} {reference}: {status} {}", answer.text()),
        }
    }
}

fn manifest(method: &str, repository: &str, reference: &str) -> Result<Answer> {
    let (port, path) = split(repository).ok_or_else(|| Trouble::new(format!("not localhost:PORT/PATH: {repository}")))?;
    let path = format!("/v2/{path}/manifests/{reference}");
    let endpoint = Endpoint { port, tls: None };
    endpoint.send(method, &path, &[("Accept", MANIFESTS)], b"").context(|| format!("{method} {path}"))
}

fn split(repository: &str) -> Option<(u16, &str)> {
    let (host, path) = repository.split_once('/')?;
    let (name, port) = host.rsplit_once(':')?;
    matches!(name, "localhost" | "127.0.0.1").then_some((port.parse().ok()?, path))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn only_loopback_is_a_repository() {
        assert_eq!(split("localhost:5000/a/b"), Some((5000, "a/b")));
        assert_eq!(split("example.com:5000/a"), None);
        assert_eq!(split("localhost/a"), None);
    }
}
