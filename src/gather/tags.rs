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
/// Tags whose manifests are read; a repository with more is no inventory's.
const MAX_TAGS: usize = 2_000;

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
        let text = |key: &str| manifest.annotations.get(key).cloned().filter(|text| !text.is_empty());
        Self { tag, digest, created: text(CREATED), revision: text(REVISION), source: text(SOURCE) }
    }
}

/// All tags, in the registry's or the index's order.
pub(crate) async fn list(source: &Source, client: &Client) -> Result<Vec<Tagged>, Problem> {
    match source {
        Source::Registry(reference) => {
            let repository = &reference.repository;
            let tags = client.tags(repository).await?;
            if tags.len() > MAX_TAGS {
                return Err(Problem::new(Class::Registry, "the tags cannot be listed")
                    .cause(format!("the repository has {} tags; at most {MAX_TAGS} are looked at", tags.len()))
                    .at(Place::file(format!("oci://{repository}")))
                    .hint(
                        "name the one that you want: oci://REPOSITORY:TAG; old tags can be removed by the registry's clean-up",
                    ));
            }
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
            let mut found = Vec::new();
            for tag in layout.tags()? {
                if let Some((digest, _, manifest)) = layout.manifest(&tag)? {
                    found.push(Tagged::new(tag, digest.to_string(), &manifest));
                }
            }
            Ok(found)
        }
        _ => Err(Problem::usage("only registries and layouts have tags").hint("write oci://REPOSITORY or layout:DIR")),
    }
}
