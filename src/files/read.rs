//! Reads with a limit, and errors that say what was found instead.

use runway_core::problem::{Place, Problem};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// Largest file that is read whole.
pub(crate) const MAX_FILE: u64 = 256 << 20;
/// Largest secret that is read; no server takes a header as large as this.
const MAX_SECRET: u64 = 64 << 10;

/// The content of a file; `-` is standard input.
pub(crate) fn text(path: &Path, what: &str) -> Result<String, Problem> {
    String::from_utf8(raw(path, what)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Problem::input(format!("{what} cannot be read")).cause(format!("byte {at} is no UTF-8 text")).at(Place::file(shown(path)))
    })
}

/// The content of a file that may be no text; `-` is standard input.
pub(crate) fn raw(path: &Path, what: &str) -> Result<Vec<u8>, Problem> {
    if path.as_os_str() == "-" { stdin(what, MAX_FILE) } else { bytes(path, what, MAX_FILE) }
}

/// The bytes of a file, up to a limit.
pub(crate) fn bytes(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>, Problem> {
    let fault = |error: &std::io::Error| {
        let problem = Problem::input(format!("{what} cannot be read")).at(Place::file(shown(path)));
        match error.kind() {
            ErrorKind::NotFound => problem.cause("there is no such file"),
            ErrorKind::IsADirectory => problem.cause("it is a folder, not a file"),
            ErrorKind::PermissionDenied => problem.cause("permission denied"),
            _ => problem.caused_by(error),
        }
    };
    let file = File::open(path).map_err(|error| fault(&error))?;
    if file.metadata().is_ok_and(|meta| meta.is_dir()) {
        return Err(fault(&std::io::Error::from(ErrorKind::IsADirectory)));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| fault(&error))?;
    if bytes.len() as u64 > limit {
        return Err(Problem::input(format!("{what} cannot be read"))
            .cause(format!("it has more than {} MiB", limit >> 20))
            .at(Place::file(shown(path))));
    }
    Ok(bytes)
}

/// The bytes of a file, or nothing when there is none.
pub(crate) fn optional(path: &Path, what: &str) -> Result<Option<String>, Problem> {
    if path.exists() { text(path, what).map(Some) } else { Ok(None) }
}

/// One line of standard input: a secret, so nothing of it is in any message.
pub(crate) fn line(what: &str) -> Result<String, Problem> {
    let text = String::from_utf8(stdin(what, MAX_SECRET)?).map_err(|_| Problem::input(format!("{what} is no UTF-8 text")))?;
    let text = text.trim();
    if text.is_empty() || text.lines().count() > 1 {
        return Err(Problem::input(format!("{what} is expected as one line of standard input")));
    }
    Ok(text.to_owned())
}

fn stdin(what: &str, limit: u64) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Problem::input(format!("{what} cannot be read from standard input")).caused_by(&error))?;
    if bytes.len() as u64 > limit {
        let most = if limit < 1 << 20 { format!("{} KiB", limit >> 10) } else { format!("{} MiB", limit >> 20) };
        return Err(
            Problem::input(format!("{what} cannot be read from standard input")).cause(format!("it has more than {most}"))
        );
    }
    Ok(bytes)
}

/// A path as the user reads it.
pub(crate) fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "<stdin>".to_owned() } else { path.display().to_string() }
}
