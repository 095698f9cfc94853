//! The tags of a repository or layout, each with its manifest's digest and annotations.

use super::source::Source;
use crate::files::layout::Layout;
use crate::registry::Client;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use runway_core::artifact::manifest::{CREATED, Manifest, REVISION, SOURCE};
use runway_core::flux::reference::Target;
use runway_core::problem::{Class, Place, Problem};

/// Requests side by side.
const PARALLEL: usize = 16;
/// Bytes of an annotation that is shown.
const MAX_TEXT: usize = 4 << 10;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tagged {
    /// Its name.
    pub(crate) tag: String,
    /// Digest of its manifest.
    pub(crate) digest: String,
    /// When it was made.
    pub(crate) created: Option<String>,
    /// Git revision.
    pub(crate) revision: Option<String>,
    /// Repository of the content.
    pub(crate) source: Option<String>,
}

impl Tagged {
    fn new(tag: String, digest: String, manifest: &Manifest) -> Self {
        let text = |key: &str| manifest.annotations.get(key).filter(|text| !text.is_empty() && text.len() <= MAX_TEXT).cloned();
        Self { tag, digest, created: text(CREATED), revision: text(REVISION), source: text(SOURCE) }
    }
}

/// All tags, in the registry's or the index's order.
pub(crate) async fn list(source: &Source, client: &Client) -> Result<Vec<Tagged>, Problem> {
    match source {
        Source::Registry(reference) => {
            let repository = &reference.repository;
            let tags = client.tags(repository).await?;
            let one = |tag: String| async move {
                // A tag that went away between the two questions is not listed.
                let fetched = client.manifest(repository, &Target::Tag(tag.clone())).await?;
                Ok::<_, Problem>(fetched.map(|fetched| Tagged::new(tag, fetched.digest.to_string(), &fetched.manifest)))
            };
            let found: Vec<Option<Tagged>> = stream::iter(tags).map(one).buffered(PARALLEL).try_collect().await?;
            Ok(found.into_iter().flatten().collect())
        }
        Source::Layout(root, _) => {
            let layout = Layout::new(root.clone());
            let tags = layout.tags()?;
            if tags.is_empty() && !root.join("index.json").exists() {
                return Err(Problem::new(Class::Registry, "there is no such layout")
                    .at(Place::file(source.to_string()))
                    .hint("write layout:DIR, where DIR holds an index.json"));
            }
            let mut found = Vec::new();
            for tag in tags {
                if let Some((digest, _, manifest)) = layout.manifest(&tag)? {
                    found.push(Tagged::new(tag, digest.to_string(), &manifest));
                }
            }
            Ok(found)
        }
        _ => Err(Problem::usage("only registries and layouts have tags").hint("write oci://REPOSITORY or layout:DIR")),
    }
}
