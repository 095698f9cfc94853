//! Compares objects: what is published with what a cluster has, what is new with what is published.
//!
//! In: two objects. Out: the fields that differ, each with both values.
//! Uses: flux.
//! Never: saying who is right.
//! Start at [`fields::differences`].

pub mod fields;
pub mod managers;

pub use fields::{Difference, differences, written};
