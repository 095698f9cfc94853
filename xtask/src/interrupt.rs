//! Ctrl-C and its like: ends the running cargo with all its tests, and lets the rest of the run end in order.

use std::io;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use runway_testkit::command::signal_group;
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Knows whether the run was interrupted, and which child has to go then.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    seen: AtomicBool,
    /// The leader of the child's process group.
    child: Mutex<Option<u32>>,
}

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> io::Result<Arc<Self>> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let interrupt = Arc::new(Self::default());
        let own = Arc::clone(&interrupt);
        thread::spawn(move || {
            for _signal in signals.forever() {
                own.signalled();
            }
        });
        Ok(interrupt)
    }

    /// Whether the run was interrupted.
    pub(crate) fn seen(&self) -> bool {
        self.seen.load(Ordering::SeqCst)
    }

    /// Remembers the child, which leads a process group, until [`Interrupt::forget_child`].
    pub(crate) fn watch_child(&self, child: &Child) {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child.id());
        if self.seen() {
            signal_group(child.id(), Signal::KILL);
        }
    }

    /// To be called before the child is waited for to its end: after that its id may be another's.
    pub(crate) fn forget_child(&self) {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn signalled(&self) {
        let again = self.seen.swap(true, Ordering::SeqCst);
        eprintln!("interrupted, ending");
        let child = *self.child.lock().unwrap_or_else(PoisonError::into_inner);
        match child {
            Some(leader) if !again => {
                signal_group(leader, Signal::TERM);
                thread::sleep(Duration::from_secs(1));
                if *self.child.lock().unwrap_or_else(PoisonError::into_inner) == child {
                    signal_group(leader, Signal::KILL);
                }
            }
            // Nothing to wait for (a build, a starting bed), or no patience: what runs dies with this process.
            _ => end_now(),
        }
    }
}

#[expect(clippy::exit, reason = "the main thread is busy with what is to end; all that it started dies with the process")]
fn end_now() -> ! {
    std::process::exit(130)
}
