//! What krew's installer does with an archive, and what it refuses.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};

use super::manifest::{FileOperation, Manifest, Platform};
use super::rules::is_exe;
use crate::archive::{Entry, Kind, entries};
use crate::sha256;

/// What the index accepts as a license, by the file's name in lower case.
const LICENSES: [&str; 8] =
    ["license", "license.txt", "license.md", "licenses", "licenses.txt", "licenses.md", "copying", "copying.txt"];

/// An installed plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The folder to have on PATH.
    pub bin: PathBuf,
    /// The link in it: what kubectl finds.
    pub link: PathBuf,
    /// The plugin's own folder.
    pub folder: PathBuf,
}

/// Installs an archive below `root` as krew does: checks the sum, unpacks, moves what `files` says, looks for the license, links
/// the program as `bin/kubectl-NAME`.
///
/// # Errors
///
/// What krew, or the index's check after it, would refuse.
pub fn install(manifest: &Manifest, platform: &Platform, archive: &[u8], root: &Path) -> Result<Installed, String> {
    let actual = sha256(archive);
    if actual != platform.sha256 {
        return Err(format!("checksum does not match, want: {}, got {actual}", platform.sha256));
    }
    let (name, version) = (&manifest.metadata.name, &manifest.spec.version);
    let staging = root.join("staging");
    let folder = root.join("store").join(name).join(version);
    for path in [&staging, &folder, &root.join("bin")] {
        fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    unpack(archive, &staging)?;
    let all = [FileOperation { from: "*".to_owned(), to: ".".to_owned() }];
    for operation in platform.files.as_deref().unwrap_or(&all) {
        move_files(&staging, &folder, operation)?;
    }
    let program = folder.join(&platform.bin);
    if !is_inside(Path::new(&platform.bin)) {
        return Err(format!("bin leaves the plugin's folder: {}", platform.bin));
    }
    let metadata = fs::metadata(&program).map_err(|_| format!("bin is not in the archive: {}", platform.bin))?;
    // krew links whatever is there; it would only fail when it is called.
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(format!("bin cannot be executed: {}", platform.bin));
    }
    if !has_license(&folder) {
        return Err("there is no license in the archive: LICENSE, or what else the index knows by name".to_owned());
    }
    let exe = if is_exe(&platform.bin) { ".exe" } else { "" };
    let bin = root.join("bin");
    let link = bin.join(format!("kubectl-{}{exe}", name.replace('-', "_")));
    symlink(&program, &link).map_err(|error| format!("{}: {error}", link.display()))?;
    Ok(Installed { bin, link, folder })
}

fn unpack(archive: &[u8], to: &Path) -> Result<(), String> {
    for entry in entries(archive).map_err(|error| format!("not an archive that is unpacked: {error}"))? {
        // What `git archive` puts first.
        if entry.name == "pax_global_header" {
            continue;
        }
        check_name(&entry.name)?;
        let path = to.join(&entry.name);
        match entry.kind {
            Kind::Folder => make_folder(&path)?,
            Kind::File => {
                make_folder(path.parent().unwrap_or(to))?;
                write(&path, &entry)?;
            }
            Kind::Other => return Err(format!("neither a file nor a folder: {}", entry.name)),
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    if name.contains("..") {
        return Err(format!("refusing to unpack archive with suspicious entry {name}"));
    }
    if name.starts_with(['/', '\\']) {
        return Err(format!("refusing to unpack archive with absolute entry {name}"));
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, entry: &Entry) -> Result<(), String> {
    fs::write(path, &entry.content).map_err(|error| format!("{}: {error}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(entry.mode)).map_err(|error| format!("{}: {error}", path.display()))
}

/// A path that exists is moved itself; all else is a pattern.
fn move_files(staging: &Path, folder: &Path, operation: &FileOperation) -> Result<(), String> {
    let to = Path::new(&operation.to);
    // As Go cleans a path: a leading `./`, which stays in Rust's components, goes too.
    let clean: PathBuf = to.strip_prefix("./").unwrap_or(to).components().collect();
    if clean.as_os_str() != to.as_os_str() && operation.to != "." {
        return Err(format!("files: the path is not clean: {}", operation.to));
    }
    if !is_inside(to) || !is_inside(Path::new(&operation.from)) {
        return Err(format!("files: out of bounds: {} to {}", operation.from, operation.to));
    }
    let direct = staging.join(&operation.from);
    if direct.exists() {
        let name = direct.file_name().unwrap_or_default();
        let target = if operation.to == "." { folder.join(name) } else { folder.join(to) };
        return rename(&direct, &target);
    }
    let pattern = direct.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut any = false;
    let inside = fs::read_dir(direct.parent().unwrap_or(staging)).into_iter().flatten().flatten();
    for found in inside.filter(|found| matches(pattern.as_bytes(), found.file_name().as_encoded_bytes())) {
        any = true;
        rename(&found.path(), &folder.join(to).join(found.file_name()))?;
    }
    if any { Ok(()) } else { Err(format!("files: nothing in the archive matches {}", operation.from)) }
}

fn rename(from: &Path, to: &Path) -> Result<(), String> {
    make_folder(to.parent().unwrap_or(to))?;
    fs::rename(from, to).map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))
}

/// `*` is any text, `?` any character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|skipped| name.get(skipped..).is_some_and(|name| matches(rest, name))),
        ([b'?', pattern @ ..], [_, name @ ..]) => matches(pattern, name),
        ([one, pattern @ ..], [other, name @ ..]) => one == other && matches(pattern, name),
        _ => false,
    }
}

fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Anywhere in the plugin's folder, as krew's index looks for it.
fn has_license(folder: &Path) -> bool {
    fs::read_dir(folder).into_iter().flatten().flatten().any(|found| {
        let name = found.file_name().to_string_lossy().to_lowercase();
        LICENSES.contains(&name.as_str()) || (found.path().is_dir() && has_license(&found.path()))
    })
}
