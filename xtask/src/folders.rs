//! Where things are: the workspace, and below its target folder what the test bed writes.

use std::fs;
use std::path::{Path, PathBuf};

/// Writes a generated file of the workspace where it differs, and says so.
pub(crate) fn generate(path: &Path, content: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|old| old == content) {
        println!("unchanged {}", path.display());
        return Ok(());
    }
    write(path, content.as_bytes())?;
    println!("wrote {}", path.display());
    Ok(())
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), String> {
    let at = |error: std::io::Error| format!("{}: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(at)?;
    fs::write(path, content).map_err(at)
}

/// How many folders of earlier runs, kept for their logs, stay.
const KEPT: usize = 3;

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().map_or_else(|| own.clone(), Path::to_owned)
}

/// Where cargo writes.
pub(crate) fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    // A relative target folder counts from the workspace.
    workspace().join(target)
}

/// Where the test bed writes.
pub(crate) fn testbed() -> PathBuf {
    target().join("testbed")
}

/// The folder of the bed that `up` starts.
pub(crate) fn up() -> PathBuf {
    testbed().join("up")
}

/// A new folder for the bed of a test run. Data of runs that were killed goes, and all but the newest logs.
pub(crate) fn test_run() -> std::io::Result<PathBuf> {
    let root = testbed();
    fs::create_dir_all(&root)?;
    let mut ended = Vec::new();
    for entry in fs::read_dir(&root)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let owner = name.strip_prefix("test-").and_then(|pid| pid.parse().ok());
        if owner.is_some_and(|owner| !lives(owner)) {
            ended.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    ended.sort();
    let extra = ended.len().saturating_sub(KEPT);
    for (index, (_, path)) in ended.iter().enumerate() {
        let useless = if index < extra { path.clone() } else { path.join("data") };
        if useless.exists() {
            fs::remove_dir_all(useless)?;
        }
    }
    let own = root.join(format!("test-{}", std::process::id()));
    if own.exists() {
        fs::remove_dir_all(&own)?;
    }
    fs::create_dir(&own)?;
    Ok(own)
}

/// Whether a process is there.
pub(crate) fn lives(pid: i32) -> bool {
    rustix::process::Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}
