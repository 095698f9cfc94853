//! Objects to the tree that is published.

use crate::artifact::Tree;
use crate::objects::Pair;
use crate::problem::Problem;
use crate::yaml::emit;

/// Name of the one file below `<environment>/`.
///
/// One file for all: source-controller drops files by name (`cloudbuild.yaml`, `appveyor.yml`, …) and kustomize takes
/// `kustomization.yaml` as its own, so a file per workload breaks for some ids.
pub const FILE: &str = "inventory.yaml";

/// The text of the file.
pub fn text(pairs: &[Pair]) -> Result<String, Problem> {
    emit::documents(pairs.iter().flat_map(|pair| [&pair.source, &pair.kustomization]))
}

/// The tree. An empty list makes an error, never an empty folder: Flux would delete everything that it applied.
pub fn write(pairs: &[Pair], environment: &str) -> Result<Tree, Problem> {
    if pairs.is_empty() {
        return Err(Problem::input(format!("no workload is in the environment {environment}"))
            .hint("an inventory without workloads would make Flux delete everything that it applied; it is never built"));
    }
    let mut tree = Tree::new();
    tree.insert(&format!("{environment}/{FILE}"), text(pairs)?.into_bytes())?;
    Ok(tree)
}
