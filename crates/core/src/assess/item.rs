//! One line of the answer, with everything that it rests on.

use super::objects::ObjectView;
use super::words::{Link, State, Verdict};

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemKind {
    /// A runtime's parent pair.
    Parent,
    /// A workload.
    Workload,
}

impl ItemKind {
    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Workload => "workload",
        }
    }
}

/// A judged link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which link.
    pub link: Link,
    /// Whether it holds.
    pub state: State,
    /// What that rests on: fields, digests, times.
    pub evidence: String,
    /// CamelCase reason when it is broken; Flux's own where there is one.
    pub reason: String,
    /// Since when it is broken, or when it was last seen to hold; RFC 3339, where an object says so.
    pub since: Option<String>,
}

impl Step {
    /// A link that holds.
    pub(super) fn holds(link: Link, evidence: impl Into<String>) -> Self {
        Self { link, state: State::Holds, evidence: evidence.into(), reason: String::new(), since: None }
    }

    /// A link that could not be asked.
    pub(super) fn unknown(link: Link, evidence: impl Into<String>) -> Self {
        Self { link, state: State::Unknown, evidence: evidence.into(), reason: String::new(), since: None }
    }

    /// A link that is broken.
    pub(super) fn broken(link: Link, reason: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self { link, state: State::Broken, evidence: evidence.into(), reason: reason.into(), since: None }
    }

    /// Says since when.
    pub(super) fn since(mut self, time: Option<&String>) -> Self {
        self.since = time.cloned();
        self
    }
}

/// The first broken link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// Which link.
    pub link: Link,
    /// CamelCase reason.
    pub reason: String,
    /// What a person must read.
    pub message: String,
    /// Since when, RFC 3339.
    pub since: Option<String>,
    /// What to do next, as commands that can be pasted.
    pub next: Vec<String>,
}

/// What the deploy tag should give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedView {
    /// Digest that the tag has in the registry now.
    pub digest: Option<String>,
    /// `<tag>@<digest>`.
    pub revision: Option<String>,
    /// The tag.
    pub tag: Option<String>,
}

/// What a controller said last about an object, as far as waiting needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Ready's reason.
    pub reason: String,
    /// The spec's generation.
    pub generation: i64,
    /// Whether the controller has seen that generation.
    pub current: bool,
    /// Value of the request annotation that was handled last.
    pub handled: Option<String>,
    /// When Ready changed last, RFC 3339.
    pub since: Option<String>,
    /// Changes with every attempt that failed: when Ready and Reconciling changed last. Seen live: Flux moves one of them each
    /// time, also when the words stay the same.
    pub attempt: String,
}

/// The source, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceView {
    /// `<tag>@<digest>` that was fetched.
    pub revision: Option<String>,
    /// The digest in it.
    pub digest: Option<String>,
    /// When that was stored, RFC 3339.
    pub stored: Option<String>,
    /// `spec.suspend`.
    pub suspended: bool,
    /// `True`, `False` or `Unknown`.
    pub ready: String,
    /// What source-controller said.
    pub look: Look,
}

/// The kustomization, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KustomizationView {
    /// Digest of what was applied and found healthy last.
    pub applied_digest: Option<String>,
    /// Digest of what was tried last.
    pub attempted_digest: Option<String>,
    /// Git revision of what was applied.
    pub origin_revision: Option<String>,
    /// When Flux last finished a run, RFC 3339.
    pub last_reconciled: Option<String>,
    /// `spec.suspend`.
    pub suspended: bool,
    /// `True`, `False` or `Unknown`.
    pub ready: String,
    /// What kustomize-controller said.
    pub look: Look,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Parent or workload.
    pub kind: ItemKind,
    /// The cluster.
    pub cluster: String,
    /// The runtime.
    pub runtime: String,
    /// The environment.
    pub environment: String,
    /// The workload's id, or the parent's name.
    pub workload: String,
    /// The verdict.
    pub verdict: Verdict,
    /// CamelCase reason of the verdict.
    pub reason: String,
    /// What a person must read, one or two sentences.
    pub message: String,
    /// The first broken link; none when Ready, and when nothing could be asked.
    pub broken: Option<Break>,
    /// All links, in order.
    pub links: Vec<Step>,
    /// The applied objects; none when they were not looked at.
    pub objects: Option<Vec<ObjectView>>,
    /// Applied objects that were not looked at, since there are too many.
    pub objects_left_out: usize,
    /// What the deploy tag should give.
    pub expected: ExpectedView,
    /// The source; none when it is absent or could not be read.
    pub source: Option<SourceView>,
    /// The kustomization; none when it is absent or could not be read.
    pub kustomization: Option<KustomizationView>,
}
