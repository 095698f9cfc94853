//! Writes that happen whole or not at all: a file beside the target, then a rename. An output that the user names may be no file
//! (a pipe, a device, a link): that is written to, or through, and never replaced.

use runway_core::artifact::Tree;
use runway_core::problem::{Class, Place, Problem};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Links that are followed until it must be a circle, as the kernel has it.
const MAX_LINKS: usize = 40;

/// Writes a file atomically; its folder must exist.
pub(crate) fn atomic(path: &Path, content: &[u8]) -> Result<(), Problem> {
    with_mode(path, content, 0o644)
}

/// Writes a program atomically; its folder must exist.
pub(crate) fn program(path: &Path, content: &[u8]) -> Result<(), Problem> {
    with_mode(path, content, 0o755)
}

/// Writes to whatever a user names: a file as [`atomic`] does, a pipe or a device as it is.
pub(crate) fn output(path: &Path, content: &[u8]) -> Result<(), Problem> {
    let written = match target(path) {
        Ok(Target::Stream) => OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(content)),
        Ok(Target::File(path)) => replace(&path, content, 0o644),
        Err(error) => Err(error),
    };
    written.map_err(|error| fault(path, &error))
}

fn with_mode(path: &Path, content: &[u8], mode: u32) -> Result<(), Problem> {
    if path.is_dir() {
        return Err(fault(path, &folder_there()));
    }
    replace(path, content, mode).map_err(|error| fault(path, &error))
}

fn folder_there() -> std::io::Error {
    std::io::Error::other("there is a folder of that name")
}

fn replace(path: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file = beside(path)?;
    file.write_all(content)?;
    set_mode(file.as_file(), mode)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A file that will take the place of another, in its folder: a rename does not cross disks.
fn beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".kubectl-runway-").tempfile_in(folder)
}

fn fault(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Class::Output, "the file cannot be written").caused_by(error).at(Place::file(path.display().to_string()))
}

/// Says why a file could not be written, before there is anything to write; nothing is left behind. A pipe or a device is
/// not opened: its other side may wait for that.
pub(crate) fn check(path: &Path) -> Result<(), Problem> {
    match target(path) {
        Ok(Target::Stream) => Ok(()),
        Ok(Target::File(path)) => beside(&path).map(drop),
        Err(error) => Err(error),
    }
    .map_err(|error| fault(path, &error))
}

/// What a path leads to.
enum Target {
    /// A file, there or not, behind all links: replaced is the file, never a link to it.
    File(PathBuf),
    /// A pipe, a device, or a descriptor that somebody handed to this program.
    Stream,
}

fn target(path: &Path) -> std::io::Result<Target> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match std::fs::metadata(&path) {
            Ok(there) if there.is_dir() => return Err(folder_there()),
            Ok(there) if !there.is_file() => return Ok(Target::Stream),
            _ => {}
        }
        // A descriptor's file is open already, and its reader holds on to it, whatever its name leads to later.
        if path.starts_with("/proc") || path.starts_with("/dev/fd") {
            return Ok(Target::Stream);
        }
        match std::fs::read_link(&path) {
            Ok(next) => path = path.parent().map_or_else(|| next.clone(), |folder| folder.join(&next)),
            Err(_) => return Ok(Target::File(path)),
        }
    }
    Err(std::io::Error::other("its links go in a circle"))
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
