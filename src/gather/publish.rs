//! Where an artifact goes: what the tag holds now, the push, and the question whether it arrived.
//!
//! Registries have no compare-and-swap, so a push is: blobs, manifest by digest, a look at the tag, the tag, and a look
//! again. A failure at any point leaves the old tag.

use super::expected::{self, Held};
use super::source::layout;
use crate::files::layout::Layout;
use crate::registry::Client;
use runway_core::artifact::{Artifact, Digest, Manifest};
use runway_core::flux::reference::{Reference, Repository, Target};
use runway_core::problem::{Class, Place, Problem};
use std::path::{Path, PathBuf};

/// A place for an artifact.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// A tag in a registry.
    Registry(Repository, String),
    /// A tag in a layout on disk.
    Layout(PathBuf, String),
}

/// What a tag holds.
pub(crate) struct Found {
    /// The manifest's digest.
    pub(crate) digest: Digest,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// What they say.
    pub(crate) manifest: Manifest,
}

impl Destination {
    /// Reads `--to`; without a tag in it, that of the environment.
    pub(crate) fn parse(to: &str, environment: &str, start: &Path) -> Result<Self, Problem> {
        if let Some(rest) = to.strip_prefix("layout:") {
            let (root, tag) = layout(rest, start)?;
            return Ok(Self::Layout(root, tag.unwrap_or_else(|| environment.to_owned())));
        }
        if !to.starts_with("oci://") {
            return Err(Problem::usage(format!("--to '{to}' is no place for an artifact"))
                .hint("write oci://REPOSITORY[:TAG] or layout:DIR[:TAG]"));
        }
        let reference = Reference::parse(to)?;
        match reference.target {
            None => Ok(Self::Registry(reference.repository, environment.to_owned())),
            Some(Target::Tag(tag)) => Ok(Self::Registry(reference.repository, tag)),
            Some(Target::Digest(_)) => {
                Err(Problem::usage("--to names a digest").cause("a digest follows from the content; a push needs a tag"))
            }
        }
    }

    /// The repository, for receipts.
    pub(crate) fn repository(&self) -> String {
        match self {
            Self::Registry(repository, _) => format!("oci://{repository}"),
            Self::Layout(root, _) => format!("layout:{}", root.display()),
        }
    }

    /// The tag.
    pub(crate) fn tag(&self) -> &str {
        match self {
            Self::Registry(_, tag) | Self::Layout(_, tag) => tag,
        }
    }

    /// The same place under another tag.
    pub(crate) fn with_tag(&self, tag: &str) -> Self {
        match self {
            Self::Registry(repository, _) => Self::Registry(repository.clone(), tag.to_owned()),
            Self::Layout(root, _) => Self::Layout(root.clone(), tag.to_owned()),
        }
    }

    /// The manifest that the tag holds now. A tag that cannot be read, other than "not there", is a problem: what would
    /// be lost is not known.
    pub(crate) async fn found(&self, client: &Client) -> Result<Option<Found>, Problem> {
        match self {
            Self::Registry(repository, tag) => {
                let fetched = client.manifest(repository, &Target::Tag(tag.clone())).await?;
                Ok(fetched.map(|fetched| Found { digest: fetched.digest, bytes: fetched.bytes, manifest: fetched.manifest }))
            }
            Self::Layout(root, tag) => {
                let found = Layout::new(root.clone()).manifest(tag)?;
                Ok(found.map(|(digest, bytes, manifest)| Found { digest, bytes, manifest }))
            }
        }
    }

    /// The files of a manifest that was found here.
    pub(crate) async fn held(&self, client: &Client, found: &Found) -> Result<Held, Problem> {
        let tree = match self {
            Self::Registry(repository, _) => expected::tree(client, repository, &found.manifest).await?,
            Self::Layout(root, _) => Layout::new(root.clone()).tree(&found.manifest)?,
        };
        Ok(Held { digest: Some(found.digest.clone()), tree, origin: format!("{}:{}", self.repository(), self.tag()) })
    }

    /// Points a tag at a manifest that is here already, when it does not hold it yet.
    pub(crate) async fn also(&self, client: &Client, artifact: &Artifact) -> Result<(), Problem> {
        match self {
            Self::Registry(repository, tag) => client.tag(repository, artifact, tag, None).await,
            Self::Layout(root, tag) => Layout::new(root.clone()).push(artifact, tag),
        }
    }

    /// Pushes, and asks whether the tag holds it now. `before` is what the tag held when the plan was made; `near` is where such
    /// artifacts usually lie, when this is another place.
    pub(crate) async fn push(
        &self,
        client: &Client,
        artifact: &Artifact,
        before: Option<&Digest>,
        near: Option<&Repository>,
    ) -> Result<(), Problem> {
        let now = match self {
            Self::Registry(repository, tag) => {
                client.upload(repository, artifact, near).await?;
                client.tag(repository, artifact, tag, before).await?;
                client.head(repository, &Target::Tag(tag.clone())).await?.map(|head| head.digest)
            }
            Self::Layout(root, tag) => {
                let layout = Layout::new(root.clone());
                layout.push(artifact, tag)?;
                layout.manifest(tag)?.map(|(digest, ..)| digest)
            }
        };
        if now.as_ref() == Some(&artifact.manifest.digest) {
            return Ok(());
        }
        let found = now.map_or_else(|| "nothing".to_owned(), |digest| digest.to_string());
        Err(Problem::new(Class::Registry, "the tag does not hold what was pushed")
            .cause(format!("it holds {found}, pushed was {}", artifact.manifest.digest))
            .at(Place::file(format!("{}:{}", self.repository(), self.tag())))
            .hint("somebody else pushed at the same time; look at both and push again"))
    }
}
