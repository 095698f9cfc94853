//! What a push did.

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The tag points to new content, and the registry said so.
    Pushed,
    /// The tag already holds this content.
    Unchanged,
    /// Nothing was done: a dry run.
    Planned,
    /// The guard, or a tag that somebody moved, forbade it.
    Refused,
}

impl Outcome {
    /// Every end.
    pub const ALL: [Self; 4] = [Self::Pushed, Self::Unchanged, Self::Planned, Self::Refused];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Refused => "refused",
        }
    }
}

/// Why a push was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The guard: more would be removed than is allowed.
    TooManyRemovals,
    /// The guard: nothing would be left. No number of removals allows that.
    NothingLeft,
    /// Somebody has moved the tag since the plan was made.
    TagMoved,
    /// A further tag holds something else.
    TagTaken,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::TooManyRemovals, Self::NothingLeft, Self::TagMoved, Self::TagTaken];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooManyRemovals => "TooManyRemovals",
            Self::NothingLeft => "NothingLeft",
            Self::TagMoved => "TagMoved",
            Self::TagTaken => "TagTaken",
        }
    }
}

/// What a push did, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// How it ended.
    pub result: Outcome,
    /// Why it was refused, when it was.
    pub refusal: Option<Refusal>,
    /// The repository, or `layout:DIR`.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// Digest of the manifest that the tag holds now, or would hold.
    pub digest: String,
    /// Bytes of manifest, config and layer, whether they were moved or not.
    pub size: u64,
    /// Further tags that hold it now, or would.
    pub tags: Vec<String>,
    /// Digest of the manifest that the tag held before; none: there was no such tag.
    pub before: Option<String>,
}
