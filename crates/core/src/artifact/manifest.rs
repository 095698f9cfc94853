//! Manifest and config of a Flux artifact.
//!
//! Media types are Flux's (`fluxcd/pkg` oci/globals.go). The config is the form that Flux wrote before 2.9: it carries
//! `created` and the layer's `diff_ids`, which GitLab's registry pages show; nothing in Flux reads it.
//! `artifactType` and `subject` stay out: GitLab's registry refuses manifests with types that it does not know.

use super::digest::Digest;
use super::pack;
use super::tree::Tree;
use crate::problem::{Class, Problem};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Media type of the manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an index, which a tag may point to as well.
pub const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of Flux's config.
pub const CONFIG_TYPE: &str = "application/vnd.cncf.flux.config.v1+json";
/// Media type of Flux's layer.
pub const LAYER_TYPE: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
/// Annotation with the time of creation.
pub const CREATED: &str = "org.opencontainers.image.created";
/// Annotation with the repository that the content comes from.
pub const SOURCE: &str = "org.opencontainers.image.source";
/// Annotation with the git revision that the content comes from.
pub const REVISION: &str = "org.opencontainers.image.revision";
/// Largest manifest that is read; registries have the same limit.
pub const MAX_MANIFEST: usize = 4 << 20;

/// Where content comes from: the three annotations that Flux itself writes, and more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// RFC 3339, seconds.
    pub created: String,
    /// URL of the repository, without userinfo; `unknown` when there is none.
    pub source: String,
    /// `<branch|tag>@sha1:<hex>`; `unknown` when there is none.
    pub revision: String,
    /// Further annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Default for Provenance {
    /// What is written when nothing is known: constants, so that the digest depends on the content alone.
    fn default() -> Self {
        Self {
            created: "1970-01-01T00:00:00Z".to_owned(),
            source: "unknown".to_owned(),
            revision: "unknown".to_owned(),
            annotations: BTreeMap::new(),
        }
    }
}

/// Bytes with their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Blob {
    fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), bytes }
    }
}

/// A whole artifact, ready to be written to a registry or to disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The manifest; its digest is the artifact's.
    pub manifest: Blob,
    /// The config.
    pub config: Blob,
    /// The one layer.
    pub layer: Blob,
}

/// A packed tree: what does not depend on where it comes from, and so tells whether content is equal.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Digest of the tar before compression.
    diff_id: Digest,
    /// The layer.
    pub layer: Blob,
}

impl Packed {
    /// Packs a tree.
    pub fn new(tree: &Tree) -> Self {
        let tar = pack::tar(tree);
        Self { diff_id: Digest::of(&tar), layer: Blob::new(pack::gzip(&tar)) }
    }

    /// Adds config and manifest.
    pub fn artifact(self, provenance: &Provenance) -> Artifact {
        finish(self, provenance)
    }
}

/// Packs a tree, with config and manifest.
pub fn build(tree: &Tree, provenance: &Provenance) -> Artifact {
    Packed::new(tree).artifact(provenance)
}

fn finish(Packed { diff_id, layer }: Packed, provenance: &Provenance) -> Artifact {
    let created = json_text(&provenance.created);
    let config = Blob::new(
        format!(
            "{{\"architecture\":\"\",\"created\":{created},\"history\":[{{\"created\":\"0001-01-01T00:00:00Z\"}}],\
             \"os\":\"\",\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"{diff_id}\"]}},\"config\":{{}}}}"
        )
        .into_bytes(),
    );
    let mut annotations = provenance.annotations.clone();
    for (key, value) in [(CREATED, &provenance.created), (SOURCE, &provenance.source), (REVISION, &provenance.revision)] {
        annotations.entry(key.to_owned()).or_insert_with(|| value.clone());
    }
    let annotations: Vec<String> =
        annotations.iter().map(|(key, value)| format!("{}:{}", json_text(key), json_text(value))).collect();
    let descriptor = |kind: &str, blob: &Blob| {
        format!("{{\"mediaType\":\"{kind}\",\"size\":{},\"digest\":\"{}\"}}", blob.bytes.len(), blob.digest)
    };
    let manifest = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{MANIFEST_TYPE}\",\"config\":{},\"layers\":[{}],\"annotations\":{{{}}}}}",
        descriptor(CONFIG_TYPE, &config),
        descriptor(LAYER_TYPE, &layer),
        annotations.join(",")
    );
    Artifact { manifest: Blob::new(manifest.into_bytes()), config, layer }
}

/// A JSON string as Go's encoder writes it, so that equal content has an equal digest whoever packs it.
fn json_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A manifest as read from a registry or a layout.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Absent in some manifests; then the Content-Type says it.
    #[serde(default)]
    pub media_type: Option<String>,
    /// The config; an index has none.
    #[serde(default)]
    pub config: Option<Descriptor>,
    /// The layers.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// The annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// A pointer to a blob.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    #[serde(default)]
    pub media_type: String,
    /// Its size in bytes.
    #[serde(default)]
    pub size: u64,
    /// Its digest.
    pub digest: String,
}

impl Manifest {
    /// Reads a manifest.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        // Where, and never what: whoever wrote it may have been told a secret.
        serde_json::from_slice(bytes).map_err(|error| {
            Problem::new(Class::Registry, "the manifest cannot be read").cause(format!(
                "it is not the JSON of a manifest (line {}, column {})",
                error.line(),
                error.column()
            ))
        })
    }

    /// The layer that source-controller takes: the first one, whatever its type.
    pub fn content(&self) -> Result<&Descriptor, Problem> {
        if self.media_type.as_deref() == Some(INDEX_TYPE) {
            return Err(Problem::new(Class::Registry, "the tag points to an index, not to a Flux artifact")
                .hint("it was pushed by another tool; Flux artifacts are pushed by `inventory push`, `deploy push` or `flux push artifact`"));
        }
        self.layers.first().ok_or_else(|| Problem::new(Class::Registry, "the manifest has no layer"))
    }

    /// Whether its types are those of a Flux artifact.
    pub fn is_flux(&self) -> bool {
        self.config.as_ref().is_some_and(|config| config.media_type == CONFIG_TYPE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Manifest, Provenance, build, json_text};
    use crate::artifact::Tree;
    use std::collections::BTreeMap;

    fn tree() -> Tree {
        let mut tree = Tree::new();
        tree.insert("production/inventory.yaml", b"a: 1\n".to_vec()).unwrap();
        tree
    }

    #[test]
    fn same_input_same_digest() {
        assert_eq!(build(&tree(), &Provenance::default()), build(&tree(), &Provenance::default()));
        let other = Provenance { revision: "main@sha1:abc".into(), ..Provenance::default() };
        let (a, b) = (build(&tree(), &Provenance::default()), build(&tree(), &other));
        assert_ne!(a.manifest.digest, b.manifest.digest);
        assert_eq!(a.layer, b.layer);
    }

    #[test]
    fn reads_back() {
        let annotations = BTreeMap::from([("k".to_owned(), "a=<b>\u{2028}\"".to_owned())]);
        let artifact = build(&tree(), &Provenance { annotations, ..Provenance::default() });
        let manifest = Manifest::parse(&artifact.manifest.bytes).unwrap();
        assert!(manifest.is_flux());
        assert_eq!(manifest.content().unwrap().digest, artifact.layer.digest.as_str());
        assert_eq!(manifest.annotations["k"], "a=<b>\u{2028}\"");
        let config: serde_json::Value = serde_json::from_slice(&artifact.config.bytes).unwrap();
        assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn escapes_like_go() {
        assert_eq!(json_text("<a>&\u{1}"), "\"\\u003ca\\u003e\\u0026\\u0001\"");
    }
}
