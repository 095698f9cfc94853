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

fn is_program(file: &Path) -> bool {
    let Ok(metadata) = std::fs::metadata(file) else { return false };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    metadata.is_file() && may_run
}
