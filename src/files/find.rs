//! Finds the repository's root, its runtimes, and settings files.

use runway_core::problem::{Place, Problem};
use std::path::{Path, PathBuf};

/// Where runtimes lie below the repository's root.
const RUNTIMES: &str = "config/runtimes";
/// Name of the file of a runtime.
const WORKLOADS: &str = "workloads.yml";
/// Name of the project's settings file.
pub(crate) const SETTINGS: &str = "kubectl-runway.yaml";

/// A folder and those above it, up to the repository's root: the first that has `.git`.
fn upwards(start: &Path) -> impl Iterator<Item = &Path> {
    let mut ended = false;
    start.ancestors().take_while(move |folder| {
        let go_on = !ended;
        ended = folder.join(".git").exists();
        go_on
    })
}

/// The project's settings file, searched from a folder up to the repository's root.
pub(crate) fn settings(start: &Path) -> Option<PathBuf> {
    upwards(start).map(|folder| folder.join(SETTINGS)).find(|file| file.is_file())
}

/// The folder that holds `config/runtimes`, searched in the same way.
pub(crate) fn root(start: &Path) -> Option<&Path> {
    upwards(start).find(|folder| folder.join(RUNTIMES).is_dir())
}

/// workloads.yml of a runtime, when it exists.
pub(crate) fn workloads(start: &Path, runtime: &str) -> Option<PathBuf> {
    Some(root(start)?.join(RUNTIMES).join(runtime).join(WORKLOADS)).filter(|file| file.is_file())
}

/// Every runtime of the repository that has a workloads.yml, by name, with its file.
pub(crate) fn runtimes(start: &Path) -> Vec<(String, PathBuf)> {
    let folder = root(start).map(|root| root.join(RUNTIMES));
    let entries = folder.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let files = entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().join(WORKLOADS)));
    let mut found: Vec<(String, PathBuf)> = files.filter(|(_, file)| file.is_file()).collect();
    found.sort();
    found
}

/// The repository's root: the first folder upwards that has `.git`.
pub(crate) fn repository(start: &Path) -> Option<&Path> {
    start.ancestors().find(|folder| folder.join(".git").exists())
}

/// The only runtime that has a workloads.yml; none or several is an error that lists them.
pub(crate) fn only_runtime(start: &Path) -> Result<String, Problem> {
    let found: Vec<String> = runtimes(start).into_iter().map(|(name, _)| name).collect();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Problem::usage("there is no workloads.yml")
            .cause(format!(
                "looked for {RUNTIMES}/<runtime>/{WORKLOADS} in {} and above, up to the repository's root",
                start.display()
            ))
            .hint("name the file with -f FILE --runtime NAME, or go into the repository (-C DIR)")),
        several => Err(Problem::usage("there are several runtimes, and none was named")
            .cause(several.join(", "))
            .hint(format!("choose one: --runtime {}", several.first().map_or("", String::as_str)))),
    }
}

/// The runtime that a path `…/config/runtimes/<runtime>/workloads.yml` names.
pub(crate) fn runtime_of(file: &Path) -> Option<String> {
    let mut above = file.ancestors().skip(1);
    let runtime = above.next()?;
    above.next()?.ends_with(RUNTIMES).then(|| runtime.file_name()).flatten()?.to_str().map(str::to_owned)
}

/// The folder to start from: `-C`, or the current one.
pub(crate) fn start(directory: Option<&Path>) -> Result<PathBuf, Problem> {
    let here = std::env::current_dir().map_err(|error| Problem::input("the current folder cannot be read").caused_by(&error))?;
    let Some(directory) = directory else { return Ok(here) };
    let path = here.join(directory);
    if !path.is_dir() {
        return Err(Problem::usage("-C names no folder").at(Place::file(directory.display().to_string())));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::runtime_of;
    use std::path::Path;

    #[test]
    fn runtime_from_path() {
        assert_eq!(runtime_of(Path::new("/x/config/runtimes/gke/workloads.yml")).as_deref(), Some("gke"));
        assert_eq!(runtime_of(Path::new("config/runtimes/eks/workloads.yml")).as_deref(), Some("eks"));
        assert_eq!(runtime_of(Path::new("workloads.yml")), None);
    }
}
