//! Runs one program to its end, with its output captured and a time limit.

use std::fmt;
use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// How a program ended and what it said.
#[must_use = "a program's exit code has to be looked at"]
#[derive(Debug, Clone)]
pub struct Run {
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// From its start to its end.
    pub took: Duration,
    /// The most memory that it was seen to hold, in bytes, where the system tells (Linux).
    pub peak: Option<u64>,
    /// What `Display` replaces by `$ROOT`.
    root: Option<String>,
}

impl Run {
    /// Its stdout, when it exited 0.
    ///
    /// # Panics
    ///
    /// Panics with everything it said when it exited otherwise.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.code == Some(0), "the command failed:\n{self}");
        self.stdout
    }

    /// Itself, when it exited with this code.
    ///
    /// # Panics
    ///
    /// Panics with everything it said when it exited otherwise.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit {code}:\n{self}");
        self
    }

    /// A run that a test drove by itself.
    pub fn told(stdout: String, stderr: String, code: Option<i32>) -> Self {
        Self { stdout, stderr, code, took: Duration::ZERO, peak: None, root: None }
    }

    /// The same run, whose `Display` shows this path as `$ROOT`.
    pub(crate) fn with_root(mut self, root: String) -> Self {
        self.root = Some(root);
        self
    }
}

/// Everything in one text, fit for a snapshot: stdout, `--- stderr ---`, stderr, `[exit N]`.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for part in [&*self.stdout, "--- stderr ---\n", &*self.stderr] {
            text.push_str(part);
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
        }
        if let Some(root) = &self.root {
            text = text.replace(root, "$ROOT");
        }
        match self.code {
            Some(code) => write!(f, "{text}[exit {code}]"),
            None => write!(f, "{text}[ended by a signal]"),
        }
    }
}

/// A command that dies with the thread that starts it, where the system can do that (Linux with util-linux).
///
/// The start goes through `setpriv`, since the program asks for its own death signal between fork and exec, which safe Rust cannot do.
pub fn mortal(program: &Path) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    const ARGUMENTS: [&str; 3] = ["--pdeathsig", "KILL", "--"];
    static THERE: LazyLock<bool> = LazyLock::new(|| {
        // Tried, since there are smaller ones (busybox) that cannot do it.
        let mut probe = Command::new(SETPRIV);
        probe.args(ARGUMENTS).arg("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    });
    if *THERE {
        let mut command = Command::new(SETPRIV);
        command.args(ARGUMENTS).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Runs a command; past the limit it is killed, with everything that it started.
///
/// # Errors
///
/// When the command does not start, or does not end in time. The error then tells what it had said.
pub fn run(mut command: Command, stdin: &[u8], limit: Duration) -> io::Result<Run> {
    let start = Instant::now();
    let deadline = start + limit;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn()?;
    let input = stdin.to_vec();
    let mut pipe = child.stdin.take();
    thread::spawn(move || {
        if let Some(pipe) = &mut pipe {
            // A program may end without reading its input.
            drop(pipe.write_all(&input));
        }
    });
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());

    let mut peak = None;
    let status = wait_until(&mut child, deadline, &mut peak)?;
    let took = start.elapsed();
    let ended = status.is_some();
    if !ended {
        kill_group(&child);
        child.wait()?;
    }
    // What a program leaves running may hold its output open: that counts as not ended.
    let stdout = receive(&stdout, deadline);
    let stderr = receive(&stderr, deadline);
    let open = stdout.is_none() || stderr.is_none();
    let result = Run {
        stdout: stdout.unwrap_or_default(),
        stderr: stderr.unwrap_or_default(),
        code: status.and_then(|status| status.code()),
        took,
        peak,
        root: None,
    };
    if ended && open {
        kill_group(&child);
        return Err(io::Error::other(format!("something that the command started still held its output after {limit:?}")));
    }
    if !ended {
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("not ended after {limit:?}, killed; it said:\n{result}")));
    }
    Ok(result)
}

/// How it ended in time; `None` while it still runs. Looks at its memory meanwhile.
fn wait_until(child: &mut Child, deadline: Instant, peak: &mut Option<u64>) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    let status = format!("/proc/{}/status", child.id());
    let exe = format!("/proc/{}/exe", child.id());
    let own = std::fs::read_link("/proc/self/exe").ok();
    loop {
        // Not there any more once it has ended: what was seen last counts. Until it runs a program of its own, its memory is ours.
        if std::fs::read_link(&exe).is_ok_and(|exe| Some(exe) != own) {
            *peak = (*peak).max(high_water_mark(&status));
        }
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

fn high_water_mark(file: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// Kills a child that leads a process group, and the group.
pub fn kill_group(child: &Child) {
    signal_group(child.id(), Signal::KILL);
}

/// Kills a process that is nobody's group, at once (`kill -9`), and waits until nothing of it runs any more. Its parent still
/// has to wait for it.
pub fn kill_now(process: u32) {
    let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return };
    let _gone_already = rustix::process::kill_process(pid, Signal::KILL);
    let runs = || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    };
    while runs() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a signal to the process group that this process leads.
pub fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _gone_already = rustix::process::kill_process_group(pid, signal);
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error still counts.
            drop(pipe.read_to_end(&mut bytes));
        }
        drop(sender.send(String::from_utf8_lossy(&bytes).into_owned()));
    });
    receiver
}

fn receive(from: &Receiver<String>, deadline: Instant) -> Option<String> {
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
    from.recv_timeout(left).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = mortal(Path::new("/bin/sh"));
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_code_and_input_are_passed() {
        let run = run(shell("cat; echo oops >&2; exit 3"), b"hello", Duration::from_secs(20)).expect("starts");
        assert_eq!(run.to_string(), "hello\n--- stderr ---\noops\n[exit 3]");
    }

    #[test]
    fn a_slow_program_is_killed_with_its_children() {
        let start = Instant::now();
        let error = run(shell("echo started; sleep 60 & sleep 60"), b"", Duration::from_millis(300)).expect_err("must time out");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains("started"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn the_root_is_hidden() {
        let run = run(shell("echo /tmp/abc/file"), b"", Duration::from_secs(20)).expect("starts");
        assert_eq!(run.with_root("/tmp/abc".to_owned()).to_string(), "$ROOT/file\n--- stderr ---\n[exit 0]");
    }
}
