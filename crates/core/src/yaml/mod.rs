//! YAML with positions: text to a tree that remembers where each node stands, and values back to text.
//!
//! In: the text of a file, and its name for messages. Out: [`Node`]s, or a [`Problem`] with line and column.
//! Uses: finding, problem, text.
//! Never: guessing a type while reading (`no`, `010`); the raw text stays until [`value`] or a caller decides.
//! Start at [`parse::documents`].
//!
//! [`Problem`]: crate::problem::Problem

pub mod emit;
mod merge;
pub mod node;
pub mod parse;
pub mod value;

pub use node::{Kind, Node};
pub use parse::{Limits, documents, each, items};
