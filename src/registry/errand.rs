//! What a request is for: the words and the place of its problems, and the rights that it needs.

use runway_core::flux::reference::{Reference, Repository, Target};
use runway_core::problem::{Class, Place, Problem};

/// What a request is for.
#[derive(Debug, Clone)]
pub(super) struct Errand<'a> {
    pub(super) repository: &'a Repository,
    pub(super) target: Option<Target>,
    pub(super) doing: Doing,
    /// Another repository of the registry, from which a blob is taken.
    pub(super) near: Option<&'a Repository>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// A manifest is read.
    Read,
    /// A blob is read.
    Fetch,
    /// Tags are listed.
    List,
    /// Blobs and a manifest are written, under no tag.
    Upload,
    /// A tag is set.
    Tag,
    /// An upload is ended before its end, which some registries take for a deletion.
    Abandon,
}

/// The rights that a token needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Access {
    /// Reading.
    Pull,
    /// Reading and writing.
    Push,
    /// Reading, writing, and taking back what was begun.
    Abandon,
}

impl Access {
    /// As it stands in a scope.
    pub(super) fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
            Self::Abandon => "pull,push,delete",
        }
    }
}

impl<'a> Errand<'a> {
    /// An errand.
    pub(super) fn new(repository: &'a Repository, doing: Doing, target: Option<&Target>) -> Self {
        Self { repository, target: target.cloned(), doing, near: None }
    }

    /// The rights that it needs.
    pub(super) fn access(&self) -> Access {
        match self.doing {
            Doing::Read | Doing::Fetch | Doing::List => Access::Pull,
            Doing::Upload | Doing::Tag => Access::Push,
            Doing::Abandon => Access::Abandon,
        }
    }

    /// A problem with this errand: what did not work, and where.
    pub(super) fn problem(&self) -> Problem {
        Problem::new(Class::Registry, self.what()).at(self.place())
    }

    fn what(&self) -> String {
        let host = &self.repository.host;
        match (self.doing, &self.target) {
            (Doing::Read, Some(Target::Tag(tag))) => format!("cannot read the tag '{tag}' from {host}"),
            (Doing::Read, _) => format!("cannot read a manifest from {host}"),
            (Doing::Fetch, _) => format!("cannot read a blob from {host}"),
            (Doing::List, _) => format!("cannot list the tags on {host}"),
            (Doing::Upload | Doing::Abandon, _) => format!("cannot upload the artifact to {host}"),
            (Doing::Tag, Some(target)) => format!("cannot set the tag '{}' on {host}", target.as_str()),
            (Doing::Tag, None) => format!("cannot set the tag on {host}"),
        }
    }

    fn place(&self) -> Place {
        Place::file(Reference { repository: self.repository.clone(), target: self.target.clone() }.to_string())
    }
}
