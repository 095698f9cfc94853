//! Writes that happen whole or not at all: a file beside the target, then a rename.

use runway_core::artifact::Tree;
use runway_core::problem::{Class, Place, Problem};
use std::io::Write as _;
use std::path::Path;

/// Writes a file atomically; its folder must exist.
pub(crate) fn atomic(path: &Path, content: &[u8]) -> Result<(), Problem> {
    with_mode(path, content, 0o644)
}

/// Writes a program atomically; its folder must exist.
pub(crate) fn program(path: &Path, content: &[u8]) -> Result<(), Problem> {
    with_mode(path, content, 0o755)
}

fn with_mode(path: &Path, content: &[u8], mode: u32) -> Result<(), Problem> {
    let fault = |error: &std::io::Error| {
        Problem::new(Class::Output, "the file cannot be written").caused_by(error).at(Place::file(path.display().to_string()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() {
        return Err(fault(&std::io::Error::other("there is a folder of that name")));
    }
    let mut file = tempfile::Builder::new().prefix(".kubectl-runway-").tempfile_in(folder).map_err(|error| fault(&error))?;
    file.write_all(content).map_err(|error| fault(&error))?;
    set_mode(file.as_file(), mode).map_err(|error| fault(&error))?;
    file.persist(path).map_err(|error| fault(&error.error))?;
    Ok(())
}

/// Writes the files of a tree below a folder, and says of each that it is written. The tree has refused every path that
/// could leave the folder.
pub(crate) fn tree(root: &Path, tree: &Tree, mut wrote: impl FnMut(&str)) -> Result<(), Problem> {
    for (path, content) in tree.files() {
        let file = root.join(&path);
        if let Some(above) = file.parent() {
            folder(above)?;
        }
        atomic(&file, content)?;
        wrote(&path);
    }
    Ok(())
}

/// A temporary file is private; what is written here is as public as any file that a program makes.
#[cfg(unix)]
fn set_mode(file: &std::fs::File, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &std::fs::File, _: u32) -> std::io::Result<()> {
    Ok(())
}

/// Makes a folder and those above it.
pub(crate) fn folder(path: &Path) -> Result<(), Problem> {
    std::fs::create_dir_all(path).map_err(|error| {
        Problem::new(Class::Output, "the folder cannot be made").caused_by(&error).at(Place::file(path.display().to_string()))
    })
}
