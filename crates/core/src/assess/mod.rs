//! Judges: what was expected, what was observed, and which link of the chain broke first.
//!
//! In: [`Expected`], [`Observed`] and the registries' answers. Out: [`Item`]s, one per workload and one for the parent.
//! Uses: flux, inventory, observed, diff, text, problem, suggest, actions.
//! Never: asking anything; what is not in the input is unknown, and an unknown link neither breaks nor forbids Ready.
//! Start at [`assess`].
//!
//! [`Observed`]: crate::observed::Observed

mod applied;
mod chain;
pub mod expected;
pub mod health;
mod installed;
pub mod item;
mod next;
pub mod objects;
mod parent;
pub mod reasons;
pub mod rollout;
mod rows;
pub mod scope;
pub mod select;
mod standing;
mod verdict;
pub mod wait;
pub mod words;

pub use expected::{Expected, Published};
pub use health::{Health, HealthState};
pub use item::{Break, Item, ItemKind, KustomizationView, Look, SourceView, Step};
pub use next::{Way, flags};
pub use objects::{ObjectView, PodView};
pub use rows::{assess, assess_with, references, unscoped};
pub use scope::{Parent, parentless, parents, strangers};
pub use select::Selection;
pub use words::{Link, State, Verdict};
