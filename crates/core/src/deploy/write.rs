//! Objects to the tree that is published.

use super::read::Object;
use crate::artifact::Tree;
use crate::problem::Problem;

/// Name of the one file.
///
/// One file for all, as in inventories: source-controller drops files by name, and kustomize takes some as its own.
pub const FILE: &str = "manifests.yaml";

/// The text of the file: a document for each object, in the order in which they were read.
pub fn text(objects: &[Object]) -> String {
    let mut out = String::with_capacity(objects.iter().map(|object| object.text.len() + 4).sum());
    for object in objects {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        out.push_str(&object.text);
    }
    out
}

/// The tree. Nothing to publish makes an error, never an empty artifact: Flux would delete everything that it applied.
pub fn write(objects: &[Object]) -> Result<Tree, Problem> {
    if objects.is_empty() {
        return Err(Problem::input("there is no object to publish")
            .hint("an artifact without objects would make Flux delete everything that it applied; it is never built"));
    }
    let mut tree = Tree::new();
    tree.insert(FILE, text(objects).into_bytes())?;
    Ok(tree)
}
