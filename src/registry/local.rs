//! Files that the user names: bounded in size, and never waited for without a limit.
//!
//! A FIFO that nobody writes to would hold the whole program, signals included. What is no regular file is refused, but for
//! the pipe of a shell's `<(…)`, which has a writer, and for `/dev/null`, which says "none".

use std::fs::File;
use std::io::{Error, Read as _};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// The longest that a file may let us wait, and whatever else gives a login.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The bytes of a file, one more than `most` at most; a pipe has to give them within `limit`.
pub(super) fn read(path: &Path, most: u64, limit: Duration) -> Result<Vec<u8>, Error> {
    let found = std::fs::metadata(path)?;
    if found.is_file() || path == Path::new("/dev/null") {
        return whole(path, most);
    }
    if found.is_dir() {
        return Err(Error::other("it is a folder, not a file"));
    }
    if !["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.starts_with(folder)) {
        return Err(Error::other("it is no regular file"));
    }
    let (sender, receiver) = mpsc::channel();
    let path = path.to_owned();
    // The thread ends with its pipe, or with the program.
    std::thread::Builder::new().spawn(move || sender.send(whole(&path, most)))?;
    let late = |_| Err(Error::other(format!("it gave no end within {} ms", limit.as_millis())));
    receiver.recv_timeout(limit).unwrap_or_else(late)
}

fn whole(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Duration, Path, read};
    use std::os::fd::AsRawFd as _;

    #[test]
    fn what_is_no_file_is_refused_at_once_and_a_shell_s_pipe_is_read_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let said = |path: &Path| read(path, 10, Duration::from_millis(100)).unwrap_err().to_string();
        assert_eq!(said(&socket), "it is no regular file");
        assert_eq!(said(folder.path()), "it is a folder, not a file");
        assert_eq!(read(Path::new("/dev/null"), 10, Duration::ZERO).unwrap(), b"");
        let (reader, mut writer) = std::io::pipe().unwrap();
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        std::io::Write::write_all(&mut writer, b"0123456789abc").unwrap();
        assert_eq!(read(Path::new(&path), 10, Duration::from_secs(5)).unwrap(), b"0123456789a");
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(said(Path::new(&format!("/dev/fd/{}", reader.as_raw_fd()))), "it gave no end within 100 ms");
    }
}
