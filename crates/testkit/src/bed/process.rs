//! One server of the bed: started with a log file, stopped by process id, dead at the latest when the process that started it is.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::trouble::{Context as _, Result, Trouble};
use crate::command::mortal;

/// How to start a server; kept, so that it can be started again.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    /// Where it may write: its HOME and TMPDIR.
    pub(crate) scratch: PathBuf,
    pub(crate) log: PathBuf,
}

/// A server; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    spec: Spec,
    child: Option<Child>,
}

impl Process {
    pub(crate) fn start(spec: Spec) -> Result<Self> {
        let mut process = Self { spec, child: None };
        process.start_again()?;
        Ok(process)
    }

    /// Starts it with what it was started with before.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        if self.exited().is_none() {
            return Err(Trouble::new(format!("{} runs already", self.spec.name)));
        }
        let child = self.spec.spawn().context(|| format!("starting {}", self.spec.program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    pub(crate) fn log(&self) -> &Path {
        &self.spec.log
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// How it ended; `None` while it runs.
    pub(crate) fn exited(&mut self) -> Option<String> {
        let Some(child) = &mut self.child else {
            return Some("not started".to_owned());
        };
        match child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Waits until `ready` says so; fails as soon as the server has ended, with the end of its log.
    pub(crate) fn wait_ready(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !ready() {
            let state = match self.exited() {
                Some(status) => status,
                None if Instant::now() >= deadline => format!("not ready after {limit:?}"),
                None => {
                    thread::sleep(Duration::from_millis(50));
                    continue;
                }
            };
            return Err(Trouble::new(format!(
                "{}: {state}; the end of {}:\n{}",
                self.name(),
                self.log().display(),
                log_tail(self.log(), 30)
            )));
        }
        Ok(())
    }

    /// Asks it to end, without waiting.
    pub(crate) fn ask_to_end(&self) {
        // `Child` is not reaped before `try_wait` says so: the id still means this process.
        if let Some(pid) = self.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            let _gone_already = rustix::process::kill_process(pid, Signal::TERM);
        }
    }

    /// Ends it: asks, waits this long, then kills.
    pub(crate) fn stop(&mut self, grace: Duration) {
        if self.exited().is_none() {
            self.ask_to_end();
            let deadline = Instant::now() + grace;
            while self.exited().is_none() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(20));
            }
        }
        if let Some(mut child) = self.child.take() {
            // Both only fail on a process that is gone.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop(Duration::from_secs(2));
    }
}

impl Spec {
    fn spawn(&self) -> io::Result<Child> {
        let folder = self.log.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        fs::create_dir_all(&self.scratch)?;
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = mortal(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.scratch)
            .env("TMPDIR", &self.scratch)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.scratch)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in a terminal is for whoever owns the bed, not for its servers.
            .process_group(0);
        spawn_from_lasting_thread(command)
    }
}

/// Starts a command on a thread that lives as long as this process.
///
/// The death signal of [`mortal`] fires when the *thread* that forked ends; a test's thread may end before what it shares does.
fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, Sender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, orders) = channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in orders {
                drop(answer.send(command.spawn()));
            }
        });
        sender
    });
    let (sender, answer) = channel();
    let gone = || io::Error::other("the thread that starts servers is gone");
    spawner.send((command, sender)).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

/// The last lines of a log file, or why it cannot be read.
pub fn log_tail(log: &Path, lines: usize) -> String {
    log_lines(log, lines, "")
}

/// The last lines of a log file that hold this word.
pub(crate) fn log_lines(log: &Path, lines: usize, word: &str) -> String {
    let text = match fs::read(log) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => return format!("({error})"),
    };
    let all: Vec<&str> = text.lines().filter(|line| line.contains(word)).collect();
    let skipped = all.len().saturating_sub(lines);
    all.into_iter().skip(skipped).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(folder: &Path, script: &str) -> Spec {
        Spec {
            name: "sh".to_owned(),
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            variables: vec![("WORD".to_owned(), "here".to_owned())],
            scratch: folder.join("scratch"),
            log: folder.join("logs/sh.log"),
        }
    }

    #[test]
    fn a_server_is_stopped_even_when_it_does_not_listen() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut process =
            Process::start(spec(folder.path(), "trap '' TERM; echo $WORD; while :; do sleep 0.05; done")).expect("starts");
        let log = process.log().to_owned();
        process.wait_ready(Duration::from_secs(20), || log_tail(&log, 1) == "here").expect("ready");
        let start = Instant::now();
        process.stop(Duration::from_millis(100));
        assert!(process.exited().is_some());
        assert!(start.elapsed() < Duration::from_secs(10));
        process.start_again().expect("starts again");
        assert!(process.exited().is_none());
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error_with_its_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut process = Process::start(spec(folder.path(), "echo cannot listen; exit 7")).expect("starts");
        let error = process.wait_ready(Duration::from_secs(20), || false).expect_err("it ended");
        assert!(error.to_string().contains("exit status: 7"), "{error}");
        assert!(error.to_string().contains("cannot listen"), "{error}");
    }

    #[test]
    fn servers_outlive_the_thread_that_asked_for_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let spec = spec(folder.path(), "while :; do sleep 0.05; done");
        let mut process = thread::spawn(|| Process::start(spec)).join().expect("no panic").expect("starts");
        thread::sleep(Duration::from_millis(100));
        assert_eq!(process.exited(), None);
    }
}
