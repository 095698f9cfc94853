//! Our program while it runs: what it said so far, signals, and its end.

use runway_testkit::env::{Env, Run};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long it may take to say or do something.
const LIMIT: Duration = Duration::from_secs(120);

/// What came out of one stream so far.
#[derive(Default)]
struct Heard {
    text: Mutex<String>,
    enough: AtomicBool,
}

/// A program in the background; it is killed when it is dropped.
pub(crate) struct Background {
    child: Child,
    out: Arc<Heard>,
    err: Arc<Heard>,
    readers: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts our program.
    pub(crate) fn start(env: &Env, arguments: &[&str]) -> Self {
        let mut command = env.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let (out, err): (Arc<Heard>, Arc<Heard>) = Default::default();
        let readers = vec![listen(child.stdout.take().unwrap(), &out), listen(child.stderr.take().unwrap(), &err)];
        Self { child, out, err, readers }
    }

    pub(crate) fn out(&self) -> String {
        self.out.text.lock().unwrap().clone()
    }

    pub(crate) fn err(&self) -> String {
        self.err.text.lock().unwrap().clone()
    }

    /// Everything that it said.
    pub(crate) fn text(&self) -> String {
        format!("{}--- stderr ---\n{}", self.out(), self.err())
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is ours").is_none()
    }

    /// Waits until it says this on stderr.
    #[track_caller]
    pub(crate) fn until(&mut self, words: &str) {
        self.wait_for(words, |it| it.err().contains(words));
    }

    /// Waits until its stdout is like this.
    #[track_caller]
    pub(crate) fn until_out(&mut self, is: impl Fn(&str) -> bool) {
        self.wait_for("something on stdout", |it| is(&it.out()));
    }

    #[track_caller]
    fn wait_for(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is(self) {
            assert!(self.is_running(), "it ended before it said {what:?}:\n{}", self.text());
            assert!(begun.elapsed() < LIMIT, "it did not say {what:?}:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).expect("it is ours");
    }

    /// Stops reading its stdout: the pipe is closed at its next word, or at once when it says nothing.
    pub(crate) fn close_out(&mut self) {
        self.out.enough.store(true, Ordering::SeqCst);
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Run {
        let begun = Instant::now();
        while self.is_running() {
            assert!(begun.elapsed() < LIMIT, "it did not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
        let status = self.child.wait().expect("it is ours");
        for reader in self.readers.drain(..) {
            reader.join().expect("no panic");
        }
        Run::told(self.out(), self.err(), status.code())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn listen(mut pipe: impl Read + Send + std::os::fd::AsFd + 'static, heard: &Arc<Heard>) -> JoinHandle<()> {
    let heard = Arc::clone(heard);
    std::thread::spawn(move || {
        let mut piece = [0_u8; 4096];
        loop {
            if heard.enough.load(Ordering::SeqCst) {
                return;
            }
            // Looks first, so that it can stop without a word having come.
            let mut asked = [rustix::event::PollFd::new(&pipe, rustix::event::PollFlags::IN)];
            let short = rustix::event::Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
            if rustix::event::poll(&mut asked, Some(&short)).unwrap_or(0) == 0 {
                continue;
            }
            match pipe.read(&mut piece) {
                Ok(count) if count > 0 => heard.text.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count])),
                _ => return,
            }
        }
    })
}
