//! A proxy that understands HTTP/1.1: it keeps a log of requests, and a test decides at each of them what happens.

use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::listen::{Listening, locked};
use super::message::{Request, Wire};
use super::tls::Tls;

/// A moment of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// It came, and nothing of it was passed on.
    Before,
    /// Half of its body was passed on; only for requests with a body.
    During,
    /// The server has answered, and nothing of the answer was passed on.
    After,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// All as usual.
    GoOn,
    /// This connection ends; others may be made.
    Cut,
    /// This connection ends, all others too, and none is made any more.
    Down,
}

/// A request that came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `GET /v2/`.
    pub line: String,
    /// What the server answered; `None` when it was not asked, or gave no answer.
    pub status: Option<u16>,
    /// Whether it carried a login or a token.
    pub authorized: bool,
    /// Bytes of its body.
    pub sent: usize,
}

/// A proxy to a port of loopback.
#[derive(Debug)]
pub struct Proxy {
    listening: Listening,
    log: Arc<Mutex<Vec<Entry>>>,
}

type Hook = dyn Fn(usize, &Request, Site) -> Then + Send + Sync;

struct Shared {
    target: u16,
    tls: Option<Tls>,
    hook: Box<Hook>,
    log: Arc<Mutex<Vec<Entry>>>,
    next: AtomicUsize,
    down: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A proxy that only keeps its log. With `tls`, both of its sides speak TLS.
    pub fn start(target: u16, tls: Option<Tls>) -> Self {
        Self::with_hook(target, tls, |_, _, _| Then::GoOn)
    }

    /// A proxy that asks `hook` at every moment of every request, which it counts from 0 in the order in which they come.
    pub fn with_hook(
        target: u16,
        tls: Option<Tls>,
        hook: impl Fn(usize, &Request, Site) -> Then + Send + Sync + 'static,
    ) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            target,
            tls,
            hook: Box::new(hook),
            log: Arc::clone(&log),
            next: AtomicUsize::new(0),
            down: AtomicBool::new(false),
            open: Mutex::default(),
        };
        let listening = Listening::start(move |client| {
            shared.serve(client);
        });
        Self { listening, log }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.listening.port()
    }

    /// `localhost:PORT`.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port())
    }

    /// What came through, in the order in which it came.
    pub fn log(&self) -> Vec<Entry> {
        locked(&self.log).clone()
    }

    /// The request lines, with what was answered: `GET /v2/ 401`.
    pub fn lines(&self) -> Vec<String> {
        let status = |entry: &Entry| entry.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        locked(&self.log).iter().map(|entry| format!("{} {}", entry.line, status(entry))).collect()
    }

    /// Forgets what came through; the count of requests goes on.
    pub fn clear(&self) {
        locked(&self.log).clear();
    }
}

impl Shared {
    /// One client's connection, and one to the server for it.
    fn serve(&self, client: TcpStream) -> Option<()> {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target)).ok()?;
        drop(server.set_nodelay(true));
        let ends = [client.try_clone().ok()?, server.try_clone().ok()?];
        for end in &ends {
            locked(&self.open).push(end.try_clone().ok()?);
        }
        let mut client = Tls::accept(self.tls.as_ref(), client);
        let mut server = Tls::connect(self.tls.as_ref(), server);
        while !self.down.load(Ordering::SeqCst) {
            if self.pass(&mut client, &mut server).is_none() {
                break;
            }
        }
        for end in &ends {
            drop(end.shutdown(Shutdown::Both));
        }
        Some(())
    }

    /// One request and its answer; `None` when the connection ends.
    fn pass(&self, client: &mut Wire, server: &mut Wire) -> Option<()> {
        let request = client.request().ok()??;
        if self.down.load(Ordering::SeqCst) {
            return None;
        }
        let (number, at) = self.enter(&request);
        self.ask(number, &request, Site::Before)?;
        let (head, body) = request.raw.split_at_checked(request.head)?;
        let (first, second) = body.split_at_checked(body.len() / 2)?;
        server.stream.write_all(head).ok()?;
        server.stream.write_all(first).ok()?;
        server.stream.flush().ok()?;
        if !body.is_empty() {
            self.ask(number, &request, Site::During)?;
        }
        server.stream.write_all(second).ok()?;
        server.stream.flush().ok()?;
        let answer = server.answer(&request.method).ok()?;
        if let Some(entry) = locked(&self.log).get_mut(at) {
            entry.status = Some(answer.status);
        }
        self.ask(number, &request, Site::After)?;
        client.stream.write_all(&answer.raw).ok()?;
        client.stream.flush().ok()?;
        (!answer.last).then_some(())
    }

    fn enter(&self, request: &Request) -> (usize, usize) {
        let mut log = locked(&self.log);
        let authorized = request.header("authorization").is_some();
        log.push(Entry { line: request.line(), status: None, authorized, sent: request.body.len() });
        (self.next.fetch_add(1, Ordering::SeqCst), log.len() - 1)
    }

    fn ask(&self, number: usize, request: &Request, site: Site) -> Option<()> {
        if self.down.load(Ordering::SeqCst) {
            return None;
        }
        match (self.hook)(number, request, site) {
            Then::GoOn => Some(()),
            Then::Cut => None,
            Then::Down => {
                self.down.store(true, Ordering::SeqCst);
                for stream in locked(&self.open).drain(..) {
                    drop(stream.shutdown(Shutdown::Both));
                }
                None
            }
        }
    }
}
