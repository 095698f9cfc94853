//! A listening port on loopback, with a thread for each connection.

use std::fmt;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A port that is served until this value is dropped.
pub(super) struct Listening {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    ended: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Listening {
    /// Serves each connection on a thread of its own.
    pub(super) fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let (serve, state) = (Arc::new(serve), Arc::clone(&shared));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if state.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                // A peer that is gone must not hold a thread for ever.
                drop(stream.set_write_timeout(Some(Duration::from_secs(60))));
                drop(stream.set_nodelay(true));
                let (Ok(copy), Ok(end)) = (stream.try_clone(), stream.try_clone()) else { continue };
                locked(&state.open).push(copy);
                let serve = Arc::clone(&serve);
                thread::spawn(move || {
                    serve(stream);
                    // The copy would keep it open.
                    drop(end.shutdown(Shutdown::Both));
                });
            }
        });
        Self { port, shared }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        for stream in locked(&self.shared.open).drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listening({})", self.port)
    }
}

/// A lock that a failed test elsewhere has not taken away.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
