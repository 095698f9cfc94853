//! Builds the parts of the bed into the user's cache, each once for each hash of its own pins.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::pins::{Part, Pins};
use super::process::log_tail;
use super::trouble::{Context as _, Result, Trouble};
use crate::command::mortal;

/// What a finished part has: programs, and custom resource definitions.
const KEPT: [&str; 2] = ["bin", "crds"];

/// A finished build.
#[derive(Debug, Clone)]
pub struct Built {
    /// The folder of all programs.
    pub bin: PathBuf,
    /// The folder of the custom resource definitions to install.
    pub crds: PathBuf,
}

/// The build of these pins, when the cache has it.
///
/// # Errors
///
/// When the user has no home folder.
pub fn find_built(pins: &Pins) -> Result<Option<Built>> {
    let folder = pins.folder()?;
    let built = Built { bin: folder.join("bin"), crds: folder.join("crds") };
    let complete = built.crds.is_dir() && pins.programs().all(|name| built.bin.join(name).is_file());
    Ok(complete.then_some(built))
}

/// Builds what the cache does not have; `say` gets one line for each part.
///
/// Two builders of the same pins wait for each other. A build that was broken off leaves nothing that counts as one,
/// and the next goes on from Go's own cache.
///
/// # Errors
///
/// When a part does not build: with the end of its log.
pub fn build(pins: &Pins, mut say: impl FnMut(&str)) -> Result<Built> {
    if let Some(built) = find_built(pins)? {
        return Ok(built);
    }
    let folder = pins.folder()?;
    let above = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(above).context(|| above.display().to_string())?;
    let lock_file = folder.with_extension("lock");
    let lock = File::create(&lock_file).context(|| lock_file.display().to_string())?;
    if lock.try_lock().is_err() {
        say("testbed: another build of the same pins is running, waiting for it");
        lock.lock().context(|| lock_file.display().to_string())?;
    }
    if let Some(built) = find_built(pins)? {
        return Ok(built);
    }

    let start = Instant::now();
    let missing = pins.parts.iter().filter(|part| !part_folder(above, part).is_dir()).count();
    if missing > 0 {
        say(&format!(
            "testbed: building {missing} parts into {} (all of them, cold: about half an hour on two cores)",
            above.display()
        ));
    }
    for part in &pins.parts {
        build_part(part, above, &mut say)?;
    }
    let unfinished = folder.with_extension("unfinished");
    remove_folder(&unfinished)?;
    for name in KEPT {
        let to = unfinished.join(name);
        fs::create_dir_all(&to).context(|| to.display().to_string())?;
        for part in &pins.parts {
            link_files(&part_folder(above, part).join(name), &to).context(|| to.display().to_string())?;
        }
    }
    remove_folder(&folder)?;
    fs::rename(&unfinished, &folder).context(|| folder.display().to_string())?;
    say(&format!("testbed: built everything in {} s", start.elapsed().as_secs()));
    find_built(pins)?.ok_or_else(|| Trouble::new(format!("{} is not complete", folder.display())))
}

/// Where a part is kept, for every set of pins that has it.
fn part_folder(above: &Path, part: &Part) -> PathBuf {
    above.join("parts").join(format!("{}-{}", part.name, part.hash))
}

/// Builds a part, unless it is there.
fn build_part(part: &Part, above: &Path, say: &mut impl FnMut(&str)) -> Result<()> {
    let folder = part_folder(above, part);
    if folder.is_dir() {
        return Ok(());
    }
    let start = Instant::now();
    let unfinished = folder.with_extension("unfinished");
    let lock_file = folder.with_extension("lock");
    let parts = above.join("parts");
    fs::create_dir_all(&parts).context(|| parts.display().to_string())?;
    // Another set of pins may have the same part.
    let lock = File::create(&lock_file).context(|| lock_file.display().to_string())?;
    lock.lock().context(|| lock_file.display().to_string())?;
    if folder.is_dir() {
        return Ok(());
    }
    remove_folder(&unfinished)?;
    for name in KEPT.iter().chain(&["logs", "work"]) {
        let path = unfinished.join(name);
        fs::create_dir_all(&path).context(|| path.display().to_string())?;
    }
    make_part(part, &unfinished)?;
    remove_folder(&unfinished.join("work"))?;
    fs::rename(&unfinished, &folder).context(|| folder.display().to_string())?;
    say(&format!("testbed: built {} in {} s", part.name, start.elapsed().as_secs()));
    Ok(())
}

/// Gives every file of a folder another name in another one: no second copy of large programs.
fn link_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

fn make_part(part: &Part, to: &Path) -> Result<()> {
    let log = to.join("logs").join(format!("{}.log", part.name));
    let folder = match &part.source {
        None => part.folder.clone(),
        Some(module) => copy_source(part, module, &to.join("work").join(&part.name), &log)?,
    };
    let mut flags = vec!["-s -w"];
    flags.extend(part.linker_flags.iter().map(String::as_str));
    for (name, package) in &part.programs {
        let mut go = mortal(Path::new("go"));
        go.args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", &flags.join(" "), "-o"]);
        go.arg(to.join("bin").join(name)).arg(package).current_dir(&folder);
        run_go(go, &log)?;
    }
    for module in &part.crds {
        let from = module_folder(&folder, module, &log)?.join("config/crd/bases");
        for entry in fs::read_dir(&from).context(|| from.display().to_string())? {
            let file = entry.context(|| from.display().to_string())?.path();
            let name = file.file_name().unwrap_or_default();
            let bytes = fs::read(&file).context(|| file.display().to_string())?;
            fs::write(to.join("crds").join(name), bytes).context(|| file.display().to_string())?;
        }
    }
    Ok(())
}

/// Copies a module's folder out of Go's module cache and adds what it lacks.
fn copy_source(part: &Part, module: &str, to: &Path, log: &Path) -> Result<PathBuf> {
    // Checked against the part's go.sum by this download.
    let mut go = mortal(Path::new("go"));
    go.args(["mod", "download", module]).current_dir(&part.folder);
    run_go(go, log)?;
    copy_folder(&module_folder(&part.folder, module, log)?, to).context(|| format!("copying {module}"))?;
    for placeholder in &part.placeholders {
        let path = to.join(placeholder);
        let folder = path.parent().unwrap_or(to);
        fs::create_dir_all(folder).context(|| folder.display().to_string())?;
        fs::write(&path, "").context(|| path.display().to_string())?;
    }
    Ok(to.to_owned())
}

fn module_folder(part: &Path, module: &str, log: &Path) -> Result<PathBuf> {
    let mut go = mortal(Path::new("go"));
    go.args(["list", "-m", "-f", "{{.Dir}}", module]).env("GOWORK", "off").current_dir(part).stdin(Stdio::null());
    let output = go.output().context(|| "running go list".to_owned())?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || path.is_empty() {
        drop(fs::write(log, &output.stderr));
        return Err(Trouble::new(format!("no folder of {module}: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(path.into())
}

fn run_go(mut go: Command, log: &Path) -> Result<()> {
    let output = File::options().create(true).append(true).open(log).context(|| log.display().to_string())?;
    let errors = output.try_clone().context(|| log.display().to_string())?;
    let shown = format!("{go:?}");
    let status = go.env("GOWORK", "off").stdin(Stdio::null()).stdout(output).stderr(errors).status().context(|| shown.clone())?;
    if status.success() {
        return Ok(());
    }
    Err(Trouble::new(format!("{shown}: {status}; the end of {}:\n{}", log.display(), log_tail(log, 30))))
}

/// Copies files and folders; the module cache is read-only, the copy is not.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::write(target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Trouble::new(format!("{}: {error}", path.display()))),
        _ => Ok(()),
    }
}
