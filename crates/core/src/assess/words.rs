//! The words of the answer: verdicts, links, states. Each has a list of all its values, so that no document keeps its own.

/// The one word per workload and cluster. The order is that in which the rules are tried; the first match wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The cluster gave no answer.
    Unreachable,
    /// One of the two objects is being deleted.
    Terminating,
    /// Expected, and an object is absent.
    Missing,
    /// Applied by this parent, and not published.
    Unexpected,
    /// Somebody switched reconciliation off.
    Suspended,
    /// Flux gave up until the object changes.
    Stalled,
    /// The last attempt at what is wanted failed, or the deploy artifact is gone.
    Failed,
    /// The objects are not what is published, and nothing is on its way to repair that.
    Drifted,
    /// Under way.
    Reconciling,
    /// It runs, and something newer is published.
    Outdated,
    /// No link is broken.
    Ready,
    /// The objects could not be read.
    Unknown,
}

impl Verdict {
    /// Every verdict, in the order of the rules.
    pub const ALL: [Self; 12] = [
        Self::Unreachable,
        Self::Terminating,
        Self::Missing,
        Self::Unexpected,
        Self::Suspended,
        Self::Stalled,
        Self::Failed,
        Self::Drifted,
        Self::Reconciling,
        Self::Outdated,
        Self::Ready,
        Self::Unknown,
    ];

    /// The word in tables and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "Unreachable",
            Self::Terminating => "Terminating",
            Self::Missing => "Missing",
            Self::Unexpected => "Unexpected",
            Self::Suspended => "Suspended",
            Self::Stalled => "Stalled",
            Self::Failed => "Failed",
            Self::Drifted => "Drifted",
            Self::Reconciling => "Reconciling",
            Self::Outdated => "Outdated",
            Self::Ready => "Ready",
            Self::Unknown => "Unknown",
        }
    }
}

impl Verdict {
    /// What it means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Unreachable => "the cluster gave no answer",
            Self::Terminating => "one of the two objects is being deleted",
            Self::Missing => "expected, and an object is absent",
            Self::Unexpected => "applied by this parent, and not published",
            Self::Suspended => "somebody switched reconciliation off",
            Self::Stalled => "Flux gave up until the object changes",
            Self::Failed => "the last attempt at what is wanted failed, or the deploy artifact is gone",
            Self::Drifted => "the objects are not what is published, and nothing is on its way to repair that",
            Self::Reconciling => "under way",
            Self::Outdated => "it runs, and something newer is published",
            Self::Ready => "no link is broken",
            Self::Unknown => "the objects could not be read",
        }
    }
}

/// A link of the chain from the file to healthy objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// In workloads.yml.
    Declared,
    /// In the inventory that the tag holds.
    Published,
    /// The cluster's parent has applied that inventory.
    Parent,
    /// The two objects are there, and are what is published.
    Installed,
    /// The deploy artifact is in the registry.
    Deployed,
    /// The source has fetched it.
    Fetched,
    /// The kustomization has applied it.
    Applied,
    /// What was applied is healthy.
    Healthy,
}

impl Link {
    /// Every link, from the file to the objects.
    pub const ALL: [Self; 8] = [
        Self::Declared,
        Self::Published,
        Self::Parent,
        Self::Installed,
        Self::Deployed,
        Self::Fetched,
        Self::Applied,
        Self::Healthy,
    ];

    /// The word in tables and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Published => "published",
            Self::Parent => "parent",
            Self::Installed => "installed",
            Self::Deployed => "deployed",
            Self::Fetched => "fetched",
            Self::Applied => "applied",
            Self::Healthy => "healthy",
        }
    }
}

/// What is known about a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It holds.
    Holds,
    /// It does not.
    Broken,
    /// It could not be asked.
    Unknown,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Holds, Self::Broken, Self::Unknown];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}
