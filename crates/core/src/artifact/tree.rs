//! Files by their path inside an artifact.

use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// Files, each by a relative path with `/`; directories follow from the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    files: BTreeMap<Vec<String>, Vec<u8>>,
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; a path that could leave the artifact's root, or that Flux would refuse, is an error.
    pub fn insert(&mut self, path: &str, content: Vec<u8>) -> Result<(), Problem> {
        let parts = safe_parts(path)?;
        let clash = (1..parts.len()).any(|n| parts.get(..n).is_some_and(|dir| self.files.contains_key(dir)))
            // Keys are ordered by component, so what lies below a path follows it at once.
            || self.files.range(parts.clone()..).find(|(file, _)| **file != parts).is_some_and(|(file, _)| file.starts_with(&parts));
        if clash {
            return Err(Problem::input(format!("'{path}' is a file and a folder at the same time")));
        }
        self.files.insert(parts, content);
        Ok(())
    }

    /// All files in the order in which Flux's packer walks them: by path component, in bytes.
    pub fn files(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.files.iter().map(|(parts, content)| (parts.join("/"), content.as_slice()))
    }

    /// The content of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        self.files.get(&parts).map(Vec::as_slice)
    }

    /// Whether a folder exists, that is: holds a file at any depth.
    pub fn has_folder(&self, path: &str) -> bool {
        let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        self.files.range(parts.clone()..).find(|(file, _)| **file != parts).is_some_and(|(file, _)| file.starts_with(&parts))
    }

    /// The names of the folders at the top.
    pub fn top_folders(&self) -> BTreeSet<&str> {
        self.files.keys().filter(|file| file.len() > 1).filter_map(|file| file.first()).map(String::as_str).collect()
    }

    /// Whether another tree has files at the same paths.
    pub fn has_same_files(&self, other: &Self) -> bool {
        self.files.keys().eq(other.files.keys())
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Files and the folders above them, in the packer's order: a folder stands before its children.
    pub(super) fn entries(&self) -> Vec<(String, Option<&[u8]>)> {
        let mut entries = Vec::new();
        let mut last: &[String] = &[];
        for (parts, content) in &self.files {
            let common = parts.iter().zip(last).take_while(|(a, b)| a == b).count();
            for n in (common + 1)..parts.len() {
                entries.push((parts.get(..n).unwrap_or_default().join("/"), None));
            }
            entries.push((parts.join("/"), Some(content.as_slice())));
            last = parts;
        }
        entries
    }
}

/// The parts of a relative path.
///
/// Flux refuses an entry whose name is empty, absolute, holds a backslash or `../` (`fluxcd/pkg` tar/untar.go); the rest is
/// refused here because a reader on another system would.
fn safe_parts(path: &str) -> Result<Vec<String>, Problem> {
    let fault = |cause: &str| Err(Problem::input(format!("'{path}' cannot be a path inside an artifact")).cause(cause));
    if path.is_empty() || path.starts_with('/') {
        return fault("it is empty or absolute");
    }
    if path.contains('\\') || path.contains('\0') || path.chars().any(char::is_control) {
        return fault("it has a backslash or a control character");
    }
    let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if parts.iter().any(|part| part.is_empty() || part == "." || part.ends_with("..")) {
        return fault("a part of it is empty, '.' or ends with '..'");
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn order_is_by_component() {
        let mut tree = Tree::new();
        for path in ["a.yaml", "a/x.yaml", "a-b.yaml", "a.d/x.yaml"] {
            tree.insert(path, Vec::new()).unwrap();
        }
        let names: Vec<String> = tree.entries().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "a/x.yaml", "a-b.yaml", "a.d", "a.d/x.yaml", "a.yaml"]);
    }

    #[test]
    fn paths_stay_inside() {
        let mut tree = Tree::new();
        for bad in ["", "/a", "../a", "a/../b", "a//b", "./a", "a\\b", "a/b../c", "a\nb"] {
            assert!(tree.insert(bad, Vec::new()).is_err(), "{bad}");
        }
        tree.insert("a", Vec::new()).unwrap();
        assert!(tree.insert("a/b", Vec::new()).is_err());
        tree.insert("c/d", Vec::new()).unwrap();
        assert!(tree.insert("c", Vec::new()).is_err());
    }
}
