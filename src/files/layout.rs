//! OCI image layouts on disk: a registry that is a folder.
//!
//! Source: OCI image-spec, image-layout.md: `oci-layout`, `index.json` whose descriptors carry the tag in
//! `org.opencontainers.image.ref.name`, and `blobs/sha256/<hex>`.

use super::{read, write};
use runway_core::artifact::manifest::{Artifact, Blob, Descriptor, MANIFEST_TYPE, MAX_MANIFEST, Manifest};
use runway_core::artifact::{Digest, Tree, unpack};
use runway_core::problem::{Place, Problem};
use serde_json::{Value, json};
use std::path::PathBuf;

const TAG: &str = "org.opencontainers.image.ref.name";

/// A layout's folder.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// A layout at a folder; nothing is touched.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The manifest of a tag: digest, bytes, content.
    pub(crate) fn manifest(&self, tag: &str) -> Result<Option<(Digest, Vec<u8>, Manifest)>, Problem> {
        let index = self.index()?;
        let entry =
            index.get("manifests").and_then(Value::as_array).into_iter().flatten().find(|entry| tag_of(entry) == Some(tag));
        let Some(entry) = entry else { return Ok(None) };
        let digest = entry.get("digest").and_then(Value::as_str).and_then(Digest::parse);
        let digest = digest.ok_or_else(|| self.fault("index.json names a digest that is none"))?;
        let bytes = self.blob(&digest, MAX_MANIFEST as u64)?;
        let manifest = Manifest::parse(&bytes)?;
        Ok(Some((digest, bytes, manifest)))
    }

    /// The tags, in the index's order.
    pub(crate) fn tags(&self) -> Result<Vec<String>, Problem> {
        let index = self.index()?;
        let entries = index.get("manifests").and_then(Value::as_array).into_iter().flatten();
        Ok(entries.filter_map(tag_of).map(str::to_owned).collect())
    }

    /// The files of a manifest's layer.
    pub(crate) fn tree(&self, manifest: &Manifest) -> Result<Tree, Problem> {
        let Descriptor { digest, .. } = manifest.content()?;
        let digest = Digest::parse(digest).ok_or_else(|| self.fault("the manifest names a digest that is none"))?;
        unpack::layer(&self.blob(&digest, read::MAX_FILE)?, unpack::Limits::default())
    }

    /// Writes blobs, then the index: a failure leaves the old tag.
    pub(crate) fn push(&self, artifact: &Artifact, tag: &str) -> Result<(), Problem> {
        let mut index = self.index()?;
        let blobs = self.root.join("blobs/sha256");
        write::folder(&blobs)?;
        for Blob { digest, bytes } in [&artifact.config, &artifact.layer, &artifact.manifest] {
            let path = blobs.join(digest.hex());
            // An artifact that gets one more tag comes without its blobs: they are here.
            if !bytes.is_empty() && !path.is_file() {
                write::atomic(&path, bytes)?;
            }
        }
        write::atomic(&self.root.join("oci-layout"), b"{\"imageLayoutVersion\":\"1.0.0\"}")?;
        let entry = json!({
            "mediaType": MANIFEST_TYPE,
            "digest": artifact.manifest.digest.as_str(),
            "size": artifact.manifest.bytes.len(),
            "annotations": { TAG: tag },
        });
        let list = index
            .get_mut("manifests")
            .and_then(Value::as_array_mut)
            .ok_or_else(|| self.fault("index.json has no list of manifests"))?;
        list.retain(|entry| tag_of(entry) != Some(tag));
        list.push(entry);
        write::atomic(&self.root.join("index.json"), index.to_string().as_bytes())
    }

    fn index(&self) -> Result<Value, Problem> {
        let path = self.root.join("index.json");
        if !path.exists() {
            let is_empty = !self.root.exists() || std::fs::read_dir(&self.root).is_ok_and(|mut entries| entries.next().is_none());
            if !is_empty {
                return Err(self.fault("the folder is not empty and has no index.json"));
            }
            return Ok(json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}));
        }
        let bytes = read::bytes(&path, "the layout's index", MAX_MANIFEST as u64)?;
        serde_json::from_slice(&bytes).map_err(|error| self.fault("index.json cannot be read").caused_by(&error))
    }

    /// A blob whose content has the digest that names it.
    fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Problem> {
        let bytes = read::bytes(&self.root.join("blobs/sha256").join(digest.hex()), "a blob of the layout", limit)?;
        if Digest::of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(self.fault(&format!("the blob {digest} has other content than its name says")))
        }
    }

    fn fault(&self, cause: &str) -> Problem {
        Problem::input("this is no OCI layout that can be used").cause(cause).at(Place::file(self.root.display().to_string()))
    }
}

fn tag_of(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(TAG)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use runway_core::artifact::{Provenance, Tree, build};

    fn artifact(text: &str) -> runway_core::artifact::Artifact {
        let mut tree = Tree::new();
        tree.insert("production/inventory.yaml", text.as_bytes().to_vec()).unwrap();
        build(&tree, &Provenance::default())
    }

    #[test]
    fn push_replaces_a_tag_and_keeps_others() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().join("new/layout"));
        assert_eq!(layout.manifest("production").unwrap(), None);
        layout.push(&artifact("a: 1\n"), "production").unwrap();
        layout.push(&artifact("a: 2\n"), "staging").unwrap();
        layout.push(&artifact("a: 3\n"), "production").unwrap();
        assert_eq!(layout.tags().unwrap(), ["staging", "production"]);
        let (digest, _, manifest) = layout.manifest("production").unwrap().unwrap();
        assert_eq!(digest, artifact("a: 3\n").manifest.digest);
        assert_eq!(layout.tree(&manifest).unwrap().get("production/inventory.yaml"), Some(b"a: 3\n".as_slice()));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test spoils files")]
    fn foreign_folders_and_spoiled_blobs_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("precious"), "x").unwrap();
        assert!(Layout::new(folder.path().to_path_buf()).push(&artifact("a"), "t").is_err());
        assert!(!folder.path().join("blobs").exists());

        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().to_path_buf());
        let artifact = artifact("a: 1\n");
        layout.push(&artifact, "t").unwrap();
        std::fs::write(folder.path().join("blobs/sha256").join(artifact.manifest.digest.hex()), "{}").unwrap();
        assert!(layout.manifest("t").unwrap_err().to_string().contains("other content"));
    }
}
