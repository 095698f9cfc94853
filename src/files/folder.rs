//! A folder on disk to a tree; links are refused, since they could bring files in from outside.

use super::read;
use runway_core::artifact::Tree;
use runway_core::problem::{Place, Problem};
use std::path::Path;

/// Files of a folder, at most so many.
const MAX_FILES: usize = 100_000;

/// Every file below a folder.
pub(crate) fn tree(root: &Path) -> Result<Tree, Problem> {
    let mut tree = Tree::new();
    let mut open = vec![(root.to_path_buf(), String::new())];
    let mut count = 0;
    while let Some((folder, prefix)) = open.pop() {
        let fault = |error: &std::io::Error| {
            Problem::input("the folder cannot be read").caused_by(error).at(Place::file(folder.display().to_string()))
        };
        for entry in std::fs::read_dir(&folder).map_err(|error| fault(&error))? {
            let entry = entry.map_err(|error| fault(&error))?;
            let place = || Place::file(entry.path().display().to_string());
            let name = entry.file_name().into_string().map_err(|_| Problem::input("a file's name is no UTF-8").at(place()))?;
            let kind = entry.file_type().map_err(|error| fault(&error))?;
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            count += 1;
            if count > MAX_FILES {
                return Err(Problem::input(format!("the folder has more than {MAX_FILES} files"))
                    .at(Place::file(root.display().to_string())));
            }
            if kind.is_symlink() {
                return Err(Problem::input("the folder holds a symbolic link")
                    .cause("it could bring in files from outside")
                    .at(place())
                    .hint("replace the link by the file"));
            } else if kind.is_dir() {
                open.push((entry.path(), path));
            } else {
                tree.insert(&path, read::bytes(&entry.path(), "a file of the folder", read::MAX_FILE)?)?;
            }
        }
    }
    Ok(tree)
}
