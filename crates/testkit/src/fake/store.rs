//! An honest registry in memory, for a fake that lies about one thing only.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use sha2::{Digest as _, Sha256};

use super::listen::locked;
use super::message::{Reply, Request};

/// What a registry holds.
#[derive(Debug, Default)]
pub struct Store {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    blobs: BTreeMap<String, Vec<u8>>,
    /// By digest: type and bytes.
    manifests: BTreeMap<String, (String, Vec<u8>)>,
    /// By repository and tag: a digest.
    tags: BTreeMap<(String, String), String>,
    uploads: usize,
}

impl Store {
    /// The digest that a tag holds.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<String> {
        locked(&self.held).tags.get(&(repository.to_owned(), tag.to_owned())).cloned()
    }

    /// How many blobs it holds.
    pub fn blobs(&self) -> usize {
        locked(&self.held).blobs.len()
    }

    /// The answer of a registry that works.
    pub fn answer(&self, request: &Request) -> Reply {
        let path = request.path();
        let Some(rest) = path.strip_prefix("/v2/") else { return unknown() };
        let reply = if rest.is_empty() {
            Reply::new(200)
        } else if let Some((repository, session)) = rest.split_once("/blobs/uploads/") {
            self.upload(request, repository, session)
        } else if let Some((repository, digest)) = rest.split_once("/blobs/") {
            self.blob(request, repository, digest)
        } else if let Some((repository, reference)) = rest.split_once("/manifests/") {
            self.manifest(request, repository, reference)
        } else if let Some(repository) = rest.strip_suffix("/tags/list") {
            let held = locked(&self.held);
            let tags: Vec<&str> = held.tags.keys().filter(|(name, _)| name == repository).map(|(_, tag)| tag.as_str()).collect();
            json(&serde_json::json!({"name": repository, "tags": tags}))
        } else {
            unknown()
        };
        reply.with("Docker-Distribution-Api-Version", "registry/2.0")
    }

    fn upload(&self, request: &Request, repository: &str, session: &str) -> Reply {
        let mut held = locked(&self.held);
        if request.method == "POST" {
            held.uploads += 1;
            let location = format!("/v2/{repository}/blobs/uploads/{}?_state=abc", held.uploads);
            return Reply::new(202).with("Location", location).with("Docker-Upload-UUID", held.uploads.to_string());
        }
        let named = request.query("digest");
        let found = sha256(&request.body);
        if request.method != "PUT" || session.is_empty() || named != [found.as_str()] {
            return Reply::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        held.blobs.insert(found.clone(), request.body.clone());
        let location = format!("/v2/{repository}/blobs/{found}");
        Reply::new(201).with("Location", location).with("Docker-Content-Digest", found)
    }

    fn blob(&self, _request: &Request, _repository: &str, digest: &str) -> Reply {
        match locked(&self.held).blobs.get(digest) {
            Some(bytes) => Reply::new(200)
                .with("Content-Type", "application/octet-stream")
                .with("Docker-Content-Digest", digest)
                .body(bytes.clone()),
            None => Reply::error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        }
    }

    fn manifest(&self, request: &Request, repository: &str, reference: &str) -> Reply {
        let mut held = locked(&self.held);
        if request.method == "PUT" {
            let digest = sha256(&request.body);
            let media_type = request.header("content-type").unwrap_or_default().to_owned();
            held.manifests.insert(digest.clone(), (media_type, request.body.clone()));
            if !reference.starts_with("sha256:") {
                held.tags.insert((repository.to_owned(), reference.to_owned()), digest.clone());
            } else if reference != digest {
                return Reply::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            }
            let location = format!("/v2/{repository}/manifests/{digest}");
            return Reply::new(201).with("Location", location).with("Docker-Content-Digest", digest);
        }
        let tag = (repository.to_owned(), reference.to_owned());
        let digest = held.tags.get(&tag).cloned().unwrap_or_else(|| reference.to_owned());
        match held.manifests.get(&digest) {
            Some((media_type, bytes)) => {
                Reply::new(200).with("Content-Type", media_type.clone()).with("Docker-Content-Digest", digest).body(bytes.clone())
            }
            None => Reply::error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
        }
    }
}

fn json(value: &serde_json::Value) -> Reply {
    Reply::new(200).with("Content-Type", "application/json").body(value.to_string())
}

fn unknown() -> Reply {
    Reply::new(404).with("Content-Type", "text/plain").body("404 page not found\n")
}

/// The digest of some bytes, as registries write it.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}
