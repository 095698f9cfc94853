//! Values to text: tables, chains, documents. Pure: a renderer gets a value and a style and returns a string.
//!
//! Uses: nothing.
//! Never: streams, networks, clocks. Text from outside passes `text::visible` here, once.

pub(crate) mod findings;
pub(crate) mod follow;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod markdown_rows;
pub(crate) mod matrix;
pub(crate) mod objects;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod reports;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
