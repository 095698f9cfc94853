//! The runner.

use runway_core::text;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

/// Bytes of stderr that are kept.
const MAX_STDERR: usize = 4 << 10;
/// How long output is still read after the program itself has ended: a daemon that it left behind may hold the pipe.
const GRACE: Duration = Duration::from_millis(250);

/// What to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program<'a> {
    /// The file itself; nothing is looked up.
    pub(crate) path: &'a Path,
    /// Arguments; anybody on the machine can read them.
    pub(crate) arguments: &'a [&'a str],
    /// The folder that it runs in; none: ours.
    pub(crate) folder: Option<&'a Path>,
    /// What it reads.
    pub(crate) stdin: &'a [u8],
    /// How long it may take.
    pub(crate) limit: Duration,
    /// How many bytes it may write to stdout.
    pub(crate) max_stdout: usize,
}

/// What a program did.
pub(crate) struct Output {
    /// Whether it ended with 0.
    pub(crate) success: bool,
    /// The exit code; a program that was ended by a signal has none.
    pub(crate) code: Option<i32>,
    /// What it wrote, complete. It may be a secret.
    pub(crate) stdout: Vec<u8>,
    /// The end of what it complained about, safe to show; it may have several lines.
    pub(crate) stderr: String,
}

/// Why there is no output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It could not be started.
    Start(String),
    /// It was not done in time, and was ended.
    TimedOut(Duration),
    /// It wrote more than it may, and was ended.
    TooMuch(usize),
}

/// Runs a program to its end. Whatever happens, it has ended when this returns.
pub(crate) async fn run(program: Program<'_>) -> Result<Output, Failure> {
    let mut child = command(program).spawn().map_err(|error| Failure::Start(error.to_string()))?;
    let result = match tokio::time::timeout(program.limit, drive(&mut child, program)).await {
        Ok(result) => result,
        Err(_) => Err(Failure::TimedOut(program.limit)),
    };
    if result.is_err() {
        end(&mut child).await;
    }
    result
}

#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
fn command(program: Program<'_>) -> Command {
    let mut command = Command::new(program.path);
    command.args(program.arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    if let Some(folder) = program.folder {
        command.current_dir(folder);
    }
    // A group of its own, so that what it has started can be ended with it.
    #[cfg(unix)]
    command.process_group(0);
    command
}

async fn drive(child: &mut Child, program: Program<'_>) -> Result<Output, Failure> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A program that does not read its input closes the pipe; its exit code says whether that is a fault.
            drop(stdin.write_all(program.stdin).await);
            drop(stdin.shutdown().await);
        }
    };
    let (mut out, mut complaint) = (Vec::new(), Vec::new());
    let status = {
        let read = async {
            // Too much ends the reading at once: whoever still writes is ended, not waited for.
            tokio::try_join!(
                async {
                    write.await;
                    Ok(())
                },
                keep(stdout, &mut out, program.max_stdout),
                keep_end(stderr, &mut complaint)
            )
        };
        tokio::pin!(read);
        tokio::select! {
            result = &mut read => {
                result?;
                child.wait().await
            }
            status = child.wait() => {
                // Not done in time: what was read until here is all.
                if let Ok(Err(failure)) = tokio::time::timeout(GRACE, &mut read).await {
                    return Err(failure);
                }
                status
            }
        }
    };
    let status = status.map_err(|error| Failure::Start(error.to_string()))?;
    let stderr = complained(&complaint);
    Ok(Output { success: status.success(), code: status.code(), stdout: out, stderr })
}

/// Reads to the end; more than `most` bytes are a failure.
async fn keep(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>, most: usize) -> Result<(), Failure> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        if n > most.saturating_sub(kept.len()) {
            return Err(Failure::TooMuch(most));
        }
        kept.extend_from_slice(buffer.get(..n).unwrap_or_default());
    }
    Ok(())
}

/// Reads to the end and keeps the last bytes: warnings come first, and what went wrong comes last.
async fn keep_end(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) -> Result<(), Failure> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut buffer = vec![0; 64 << 10];
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        kept.extend_from_slice(buffer.get(..n).unwrap_or_default());
        // One byte more than is shown says that something was cut.
        let surplus = kept.len().saturating_sub(MAX_STDERR + 1);
        kept.drain(..surplus);
    }
    Ok(())
}

/// A program's complaint as it may be shown: whole lines of its end, without what a terminal would obey, and without the
/// logins that addresses carry.
fn complained(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = match text.split_once('\n') {
        Some((_, rest)) if bytes.len() > MAX_STDERR && !rest.trim().is_empty() => rest,
        _ => &text,
    };
    let mut end = text.len().saturating_sub(MAX_STDERR);
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let text = text.get(end..).unwrap_or_default();
    let lines: Vec<String> = text.trim().lines().map(|line| without_logins(&text::visible(line.trim_end()))).collect();
    lines.join("\n")
}

/// A line without the user and password of every `scheme://user:password@host` in it.
fn without_logins(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let authority = after.find(|c: char| c == '/' || c == '"' || c == '\'' || c.is_whitespace()).unwrap_or(after.len());
        let (place, behind) = after.split_at(authority);
        out.push_str(place.rsplit_once('@').map_or(place, |(_, host)| host));
        rest = behind;
    }
    out.push_str(rest);
    out
}

async fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
        let _nobody_left = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    drop(child.kill().await);
}
