//! A program on a terminal of its own: what a person would see, and what they type.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::kill_group;

/// A terminal, and the program that it belongs to, which is killed when the value is dropped.
#[derive(Debug)]
pub struct Terminal {
    front: File,
    child: Child,
    drawn: Arc<Mutex<String>>,
    limit: Duration,
}

impl Terminal {
    /// Starts a command as the leader of a session with a terminal of so many rows and columns.
    ///
    /// # Panics
    ///
    /// Panics when it does not start.
    pub fn start(inner: &Command, (rows, columns): (u16, u16), limit: Duration) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        // A program that some other test starts would hold it open, and the shell behind it would never be told to hang up.
        #[cfg(target_os = "linux")]
        let flags = flags | OpenptFlags::CLOEXEC;
        let front = openpt(flags).expect("a terminal");
        grantpt(&front).and_then(|()| unlockpt(&front)).expect("it is ours");
        tcsetwinsize(&front, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
        let name = ptsname(&front, Vec::new()).expect("it has a name");
        let name = name.to_str().expect("a name in ASCII");
        let back = || File::options().read(true).write(true).open(name).expect("its other side");
        let mut command = Command::new("/usr/bin/setsid");
        // It leads no group yet, so that setsid need not fork: the child that is known here is the session's leader.
        command.args(["--ctty"]).arg(inner.get_program()).args(inner.get_args());
        command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = inner.get_current_dir() {
            command.current_dir(folder);
        }
        command.stdin(back()).stdout(back()).stderr(back());
        let child = command.spawn().expect("it starts");
        let front: OwnedFd = front;
        let (front, drawn) = (File::from(front), Arc::new(Mutex::new(String::new())));
        let (mut reader, heard) = (front.try_clone().expect("a second handle"), Arc::clone(&drawn));
        thread::spawn(move || {
            let mut piece = [0_u8; 4096];
            while let Ok(count @ 1..) = reader.read(&mut piece) {
                let text = String::from_utf8_lossy(piece.get(..count).unwrap_or_default()).into_owned();
                heard.lock().expect("nobody panics with it").push_str(&text);
            }
        });
        Self { front, child, drawn, limit }
    }

    /// Everything that was drawn so far, with its escapes.
    ///
    /// # Panics
    ///
    /// Panics when the reader did.
    pub fn drawn(&self) -> String {
        self.drawn.lock().expect("nobody panics with it").clone()
    }

    /// Types.
    ///
    /// # Panics
    ///
    /// Panics when nobody can.
    pub fn types(&mut self, keys: &str) {
        self.front.write_all(keys.as_bytes()).expect("the terminal takes it");
    }

    /// Waits until what was drawn since `from`, without escapes, is as wanted; gives it.
    ///
    /// # Panics
    ///
    /// Panics when it does not become so in time.
    #[track_caller]
    pub fn until(&self, from: usize, what: &str, is: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let drawn = self.drawn();
            let text = plain(drawn.get(from..).unwrap_or_default());
            if is(&text) {
                return text;
            }
            assert!(begun.elapsed() < self.limit, "{what}: not drawn in {:?}; what was: {text:?}", self.limit);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the program's end; gives its exit code and all that it has drawn.
    ///
    /// # Panics
    ///
    /// Panics when it does not end in time.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status.code();
            }
            assert!(begun.elapsed() < self.limit, "it does not end: {:?}", self.drawn());
            thread::sleep(Duration::from_millis(10));
        };
        // What it wrote last is still on its way through the terminal.
        let mut drawn = self.drawn();
        loop {
            thread::sleep(Duration::from_millis(50));
            let now = self.drawn();
            if now == drawn {
                return (code, drawn);
            }
            drawn = now;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may not have come as far as to lead a group of its own.
        drop(self.child.kill());
        kill_group(&self.child);
        drop(self.child.wait());
    }
}

/// A text without its escapes: CSI, OSC, and those of one letter.
pub fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\u{1b}' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('[') => while rest.next_if(|c| !('@'..='~').contains(c)).is_some() {},
            Some(']') => {
                while rest.next_if(|c| *c != '\u{7}' && *c != '\u{1b}').is_some() {}
                if rest.peek() == Some(&'\u{1b}') {
                    rest.next();
                }
            }
            Some('(' | ')') => {}
            _ => continue,
        }
        // What ends it.
        rest.next();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Terminal, plain};
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn escapes_are_left_out() {
        assert_eq!(plain("a\u{1b}[1;31mb\u{1b}]0;title\u{7}c\u{1b}(Bd\u{1b}=e"), "abcde");
    }

    /// Nothing of it may stay: a shell that is left behind works on for hours.
    #[test]
    fn a_terminal_that_is_dropped_leaves_nothing_behind() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "trap '' HUP TERM; sleep 600 & echo shell $$ sleep $! end; wait"]);
        let terminal = Terminal::start(&command, (24, 80), Duration::from_secs(20));
        let text = terminal.until(0, "its numbers", |text| text.contains(" end"));
        let numbers: Vec<u32> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        // What else is started meanwhile does not hold the terminal.
        let held = Command::new("/bin/ls").args(["-l", "/proc/self/fd"]).output().unwrap();
        let held = String::from_utf8_lossy(&held.stdout).into_owned();
        assert!(held.contains("/proc/") && !held.contains("ptmx"), "{held}");
        drop(terminal);
        let is_there = |number: &&u32| {
            let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
        };
        let begun = std::time::Instant::now();
        while numbers.iter().any(|number| is_there(&number)) && begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let left: Vec<&u32> = numbers.iter().filter(is_there).collect();
        assert!(numbers.len() == 2 && left.is_empty(), "{left:?} of {text:?}");
    }

    #[test]
    fn what_is_typed_is_read() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "read line; echo got $line; exit 3"]);
        let mut terminal = Terminal::start(&command, (24, 80), Duration::from_secs(20));
        terminal.types("hello\n");
        let (code, drawn) = terminal.end();
        assert_eq!((code, drawn.contains("got hello")), (Some(3), true), "{drawn:?}");
    }
}
