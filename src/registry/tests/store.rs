//! A registry in memory, as CNCF distribution v3.1.2 answers.

use super::server::{Reply, Request, error};
use runway_core::artifact::{Artifact, Digest};
use std::collections::HashMap;
use std::sync::Mutex;

#[derive(Default)]
pub(super) struct Store {
    pub(super) state: Mutex<State>,
    /// Locations are paths without a host.
    pub(super) relative: bool,
    /// A PUT with a body is refused: only PATCH takes bytes.
    pub(super) only_pieces: bool,
}

#[derive(Default)]
pub(super) struct State {
    /// By `repository@digest`.
    blobs: HashMap<String, Vec<u8>>,
    /// By `repository:tag` and `repository@digest`.
    manifests: HashMap<String, (String, Vec<u8>)>,
    sessions: HashMap<String, Vec<u8>>,
    opened: usize,
}

impl Store {
    /// Points a tag at an artifact, as somebody else's push does.
    pub(super) fn put(&self, name: &str, tag: &str, artifact: &Artifact) {
        let mut state = self.state.lock().unwrap();
        for blob in [&artifact.config, &artifact.layer] {
            state.blobs.insert(format!("{name}@{}", blob.digest), blob.bytes.clone());
        }
        let manifest = ("application/vnd.oci.image.manifest.v1+json".to_owned(), artifact.manifest.bytes.clone());
        state.manifests.insert(format!("{name}@{}", artifact.manifest.digest), manifest.clone());
        state.manifests.insert(format!("{name}:{tag}"), manifest);
    }

    pub(super) fn tag(&self, name: &str, tag: &str) -> Option<Digest> {
        self.state.lock().unwrap().manifests.get(&format!("{name}:{tag}")).map(|(_, bytes)| Digest::of(bytes))
    }

    pub(super) fn has(&self, name: &str, digest: &Digest) -> bool {
        self.state.lock().unwrap().manifests.contains_key(&format!("{name}@{digest}"))
    }

    pub(super) fn handle(&self, request: &Request) -> Reply {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let Some(rest) = path.strip_prefix("/v2/") else { return Reply::new(404).body("404 page not found") };
        if let Some((name, _)) = rest.split_once("/blobs/uploads/") {
            return self.upload(request, name, rest, query);
        }
        if let Some((name, digest)) = rest.split_once("/blobs/") {
            return match self.state.lock().unwrap().blobs.get(&format!("{name}@{digest}")) {
                Some(bytes) => Reply::new(200).with("Docker-Content-Digest", digest).body(bytes.clone()),
                None => error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
            };
        }
        if let Some((name, target)) = rest.split_once("/manifests/") {
            return self.manifest(request, name, target);
        }
        if let Some((name, _)) = rest.split_once("/tags/list") {
            return self.tags(name);
        }
        Reply::new(404).body("404 page not found")
    }

    fn manifest(&self, request: &Request, name: &str, target: &str) -> Reply {
        let separator = if target.starts_with("sha256:") { '@' } else { ':' };
        let key = format!("{name}{separator}{target}");
        let mut state = self.state.lock().unwrap();
        if request.method == "PUT" {
            let digest = Digest::of(&request.body);
            if separator == '@' && target != digest.as_str() {
                return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            }
            let media_type = request.header("content-type").unwrap_or_default().to_owned();
            state.manifests.insert(format!("{name}@{digest}"), (media_type.clone(), request.body.clone()));
            state.manifests.insert(key, (media_type, request.body.clone()));
            return Reply::new(201).with("Docker-Content-Digest", digest.as_str());
        }
        if !request.header("accept").unwrap_or_default().contains("vnd.oci.image.manifest") {
            return error(404, "MANIFEST_UNKNOWN", "OCI manifest found, but accept header does not support OCI manifests");
        }
        match state.manifests.get(&key) {
            Some((media_type, bytes)) => Reply::new(200)
                .with("Docker-Content-Digest", Digest::of(bytes).as_str())
                .with("Content-Type", media_type.as_str())
                .body(bytes.clone()),
            None => error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
        }
    }

    fn tags(&self, name: &str) -> Reply {
        let state = self.state.lock().unwrap();
        let mut tags: Vec<&str> = state.manifests.keys().filter_map(|key| key.strip_prefix(&format!("{name}:"))).collect();
        tags.sort_unstable();
        if tags.is_empty() {
            return error(404, "NAME_UNKNOWN", "repository name not known to registry");
        }
        Reply::new(200).body(format!(r#"{{"name":"{name}","tags":["{}"]}}"#, tags.join(r#"",""#)))
    }

    fn upload(&self, request: &Request, name: &str, rest: &str, query: &str) -> Reply {
        let mut state = self.state.lock().unwrap();
        let id = rest.rsplit('/').next().unwrap_or_default().to_owned();
        let host = if self.relative { String::new() } else { format!("http://{}", request.header("host").unwrap()) };
        let location = |id: &str| format!("{host}/v2/{name}/blobs/uploads/{id}?_state=a%2Bb");
        match request.method.as_str() {
            "POST" => {
                let asked = |key: &str| {
                    let value = query.split('&').find_map(|pair| pair.strip_prefix(key)).unwrap_or_default();
                    value.replace("%3A", ":").replace("%2F", "/")
                };
                let (digest, from) = (asked("mount="), asked("from="));
                if let Some(bytes) = state.blobs.get(&format!("{from}@{digest}")).cloned() {
                    state.blobs.insert(format!("{name}@{digest}"), bytes);
                    return Reply::new(201).with("Docker-Content-Digest", digest);
                }
                state.opened += 1;
                let id = format!("session{}", state.opened);
                state.sessions.insert(id.clone(), Vec::new());
                Reply::new(202).with("Location", location(&id))
            }
            "PATCH" => {
                let Some(bytes) = state.sessions.get_mut(&id) else { return error(404, "BLOB_UPLOAD_UNKNOWN", "gone") };
                bytes.extend(&request.body);
                Reply::new(202).with("Location", location(&id))
            }
            _ => {
                let Some(mut bytes) = state.sessions.remove(&id) else { return error(404, "BLOB_UPLOAD_UNKNOWN", "gone") };
                if self.only_pieces && !request.body.is_empty() {
                    return Reply::new(405).body("no");
                }
                bytes.extend(&request.body);
                let digest = Digest::of(&bytes).to_string();
                if query != format!("_state=a%2Bb&digest={digest}") {
                    return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
                }
                state.blobs.insert(format!("{name}@{digest}"), bytes);
                Reply::new(201).with("Docker-Content-Digest", digest)
            }
        }
    }
}
