//! Programs on PATH.

use std::path::{Path, PathBuf};

/// A program's file. `path` is the variable PATH; only absolute folders of it count, so that nothing in the current folder
/// is run.
pub(crate) fn find(program: &str, path: Option<&str>) -> Option<PathBuf> {
    let names = [program.to_owned(), format!("{program}.exe")];
    let names = names.iter().take(if cfg!(windows) { 2 } else { 1 });
    let folders: Vec<PathBuf> = std::env::split_paths(path?).filter(|folder| folder.is_absolute()).collect();
    folders.iter().flat_map(|folder| names.clone().map(|name| folder.join(name))).find(|file| is_program(file))
}

/// The number of the user who runs this; `None`: users have none here.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
pub(crate) fn user_id() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

/// The number of the user who runs this; `None`: users have none here.
#[cfg(not(unix))]
pub(crate) fn user_id() -> Option<u32> {
    None
}

/// Whether files can be made in a folder, as far as its modes say.
#[cfg(unix)]
pub(crate) fn may_write(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    folder.is_dir() && access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Whether files can be made in a folder: the write says it.
#[cfg(not(unix))]
pub(crate) fn may_write(folder: &Path) -> bool {
    folder.is_dir()
}

fn is_program(file: &Path) -> bool {
    let Ok(metadata) = std::fs::metadata(file) else { return false };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    metadata.is_file() && may_run
}
