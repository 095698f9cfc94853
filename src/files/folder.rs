//! A folder on disk to a tree; links are refused, since they could bring files in from outside.

use super::read;
use runway_core::artifact::Tree;
use runway_core::problem::{Place, Problem};
use std::path::{Path, PathBuf};

/// Files of a folder, at most so many.
const MAX_FILES: usize = 100_000;

/// Folders inside each other; deeper is a mistake, or meant to harm.
const MAX_DEPTH: usize = 32;

/// What is looked at of hidden files, at most, and how deep.
const MAX_HIDDEN: (usize, usize) = (1000, 4);

/// Files below a folder that [`select`] does not see, since they or their folder are hidden: for somebody who looks for what
/// is missing. Some of them when there are many; links and git's own are left out.
pub(crate) fn hidden(root: &Path) -> Vec<(String, PathBuf)> {
    let (most, deepest) = MAX_HIDDEN;
    let mut open = vec![(root.to_path_buf(), String::new(), None)];
    let (mut found, mut seen) = (Vec::new(), 0);
    while let Some((folder, prefix, depth)) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
            let is_hidden = depth.is_some() || name.starts_with('.');
            seen += usize::from(is_hidden);
            if is_hidden && (seen > most || name == ".git") {
                continue;
            }
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let below = is_hidden.then(|| depth.map_or(0, |depth: usize| depth + 1));
            if kind.is_dir() && below.is_none_or(|depth| depth <= deepest) {
                open.push((entry.path(), path, below));
            } else if kind.is_file() && is_hidden {
                found.push((path, entry.path()));
            }
        }
    }
    found.sort();
    found
}

/// Files below a folder, path and place, by name; hidden folders are not entered. A link is refused: to a folder always, to
/// a file when `wanted` would take it.
pub(crate) fn select(root: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<(String, PathBuf)>, Problem> {
    let mut found = Vec::new();
    for entry in walk(root, &|name| !name.starts_with('.'))? {
        let is_taken = wanted(&entry.path);
        if entry.is_link && (is_taken || entry.place.is_dir()) {
            return Err(link(&entry.place));
        }
        if is_taken && !entry.is_link {
            plain(&entry.place, entry.is_file)?;
            found.push((entry.path, entry.place));
        }
    }
    found.sort();
    Ok(found)
}

/// Everything below a folder but folders, by path; a folder that is not there has nothing.
pub(crate) fn names(root: &Path) -> Result<Vec<String>, Problem> {
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = walk(root, &|_| true)?.into_iter().map(|entry| entry.path).collect();
    names.sort();
    Ok(names)
}

/// Refuses a folder with a link that leads out of it.
pub(crate) fn links_stay_inside(root: &Path) -> Result<(), Problem> {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let inside = real(root);
    let all = walk(root, &|_| true)?;
    // helm would wait for what a pipe never says.
    all.iter().filter(|entry| !entry.is_link).try_for_each(|entry| plain(&entry.place, entry.is_file))?;
    for entry in all.iter().filter(|entry| entry.is_link) {
        let stays = real(&entry.place).zip(inside.as_ref()).is_some_and(|(target, root)| target.starts_with(root));
        if !stays {
            return Err(link(&entry.place));
        }
    }
    Ok(())
}

/// Refuses what would never end, or is no content: pipes, sockets, devices.
fn plain(place: &Path, is_file: bool) -> Result<(), Problem> {
    if is_file {
        return Ok(());
    }
    Err(Problem::input("the folder holds something that is no file")
        .cause("it is a pipe, a socket or a device")
        .at(Place::file(place.display().to_string()))
        .hint("only files can be published"))
}

fn link(place: &Path) -> Problem {
    Problem::input("the folder holds a symbolic link")
        .cause("it could bring in files from outside")
        .at(Place::file(place.display().to_string()))
        .hint("replace the link by the file")
}

/// A file or link below a folder.
struct Found {
    path: String,
    place: PathBuf,
    is_link: bool,
    is_file: bool,
}

/// Everything below a folder but folders; links are not followed.
fn walk(root: &Path, enter: &dyn Fn(&str) -> bool) -> Result<Vec<Found>, Problem> {
    let mut found = Vec::new();
    let mut open = vec![(root.to_path_buf(), String::new(), 0)];
    let too_large = |what: String| Err(Problem::input(what).at(Place::file(root.display().to_string())));
    while let Some((folder, prefix, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return too_large(format!("the folder nests deeper than {MAX_DEPTH} levels"));
        }
        let fault = |error: &std::io::Error| {
            Problem::input("the folder cannot be read").caused_by(error).at(Place::file(folder.display().to_string()))
        };
        for entry in std::fs::read_dir(&folder).map_err(|error| fault(&error))? {
            let entry = entry.map_err(|error| fault(&error))?;
            let place = entry.path();
            let shown = Place::file(place.display().to_string());
            let name = entry.file_name().into_string().map_err(|_| Problem::input("a file's name is no UTF-8").at(shown))?;
            let kind = entry.file_type().map_err(|error| fault(&error))?;
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            if kind.is_dir() {
                if enter(&name) {
                    open.push((place, path, depth + 1));
                }
            } else {
                found.push(Found { path, place, is_link: kind.is_symlink(), is_file: kind.is_file() });
            }
            if found.len() + open.len() > MAX_FILES {
                return too_large(format!("the folder has more than {MAX_FILES} files"));
            }
        }
    }
    Ok(found)
}

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
                plain(&entry.path(), kind.is_file())?;
                tree.insert(&path, read::bytes(&entry.path(), "a file of the folder", read::MAX_FILE)?)?;
            }
        }
    }
    Ok(tree)
}
