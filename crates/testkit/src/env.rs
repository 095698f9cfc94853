//! A hermetic environment for the product's program: what a test does not put there is not there.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

pub use crate::command::Run;
use crate::command::{mortal, run};

/// One temporary root with a home, a work folder, an empty PATH and a fixed set of variables.
///
/// The root holds `work` (the current folder), `home`, `tmp` and `bin` (the whole PATH, empty). It is gone when the value is dropped.
#[derive(Debug)]
pub struct Env {
    root: TempDir,
    program: PathBuf,
    variables: BTreeMap<OsString, OsString>,
    path: Vec<PathBuf>,
    limit: Duration,
}

impl Env {
    /// An environment for this program: `Env::new(env!("CARGO_BIN_EXE_kubectl-runway"))`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let root = tempfile::Builder::new().prefix("runway-test-").tempdir().expect("a temporary folder");
        for folder in ["work", "home", "tmp", "bin"] {
            fs::create_dir(root.path().join(folder)).expect("a folder in the temporary root");
        }
        let mut variables = BTreeMap::new();
        for (name, folder) in [("HOME", "home"), ("TMPDIR", "tmp")] {
            variables.insert(name.into(), root.path().join(folder).into_os_string());
        }
        for (name, value) in [("COLUMNS", "100"), ("TZ", "UTC"), ("LC_ALL", "C.UTF-8")] {
            variables.insert(name.into(), value.into());
        }
        let path = vec![root.path().join("bin")];
        Self { root, program: program.into(), variables, path, limit: Duration::from_secs(60) }
    }

    /// The temporary root, shown as `$ROOT` by [`Run`]'s `Display`.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// The current folder of the program.
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// HOME of the program.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Sets an environment variable.
    pub fn var(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.variables.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Takes an environment variable away.
    pub fn unset(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.variables.remove(name.as_ref());
        self
    }

    /// Adds a folder to PATH, after what is there.
    pub fn path_add(&mut self, folder: impl Into<PathBuf>) -> &mut Self {
        self.path.push(folder.into());
        self
    }

    /// Another time limit than 60 seconds.
    pub fn limit(&mut self, limit: Duration) -> &mut Self {
        self.limit = limit;
        self
    }

    /// Writes a file, with its folders; a relative path is below [`Env::work`].
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(path);
        let folder = path.parent().expect("a file in a folder");
        fs::create_dir_all(folder).expect("the file's folder");
        fs::write(&path, text).expect("the file is written");
        path
    }

    /// Reads a text file; a relative path is below [`Env::work`].
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.work().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Runs the program with these arguments and no input.
    ///
    /// # Panics
    ///
    /// Panics when it does not start, or does not end within the limit.
    #[track_caller]
    pub fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        self.run_with_stdin(arguments, "")
    }

    /// Runs the program with these arguments and this on its stdin.
    ///
    /// # Panics
    ///
    /// Panics when it does not start, or does not end within the limit.
    #[track_caller]
    pub fn run_with_stdin(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, stdin: impl AsRef<[u8]>) -> Run {
        let mut command = self.command();
        command.args(arguments);
        let shown = format!("{command:?}");
        match run(command, stdin.as_ref(), self.limit) {
            Ok(run) => run.with_root(self.root.path().to_string_lossy().into_owned()),
            Err(error) => panic!("{shown}: {error}"),
        }
    }

    /// The program in this environment, for a test that has to hold the process itself. It dies with the thread that starts it.
    pub fn command(&self) -> Command {
        let mut command = mortal(&self.program);
        command.env_clear().envs(&self.variables).current_dir(self.work());
        command.env("PATH", std::env::join_paths(&self.path).expect("folders without a colon"));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_put_there_is_there() {
        let mut env = Env::new("/usr/bin/env");
        env.var("RUNWAY_X", "1");
        let run = env.run([""; 0]);
        assert_eq!(
            run.to_string(),
            "COLUMNS=100\nHOME=$ROOT/home\nLC_ALL=C.UTF-8\nPATH=$ROOT/bin\nRUNWAY_X=1\nTMPDIR=$ROOT/tmp\nTZ=UTC\n--- stderr ---\n[exit 0]"
        );
    }

    #[test]
    fn files_are_below_the_work_folder() {
        let env = Env::new("/bin/cat");
        env.write("a/b.txt", "text\n");
        assert_eq!(env.run(["a/b.txt"]).ok(), "text\n");
        assert_eq!(env.run_with_stdin(["-"], "in").ok(), "in");
        assert_eq!(env.read("a/b.txt"), "text\n");
        let missing = env.run(["nope"]);
        assert_eq!(missing.code, Some(1));
    }
}
