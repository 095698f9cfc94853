//! A registry, a token endpoint or any other server that does what no honest one does, byte by byte.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::listen::Listening;
use super::message::{Reply, Request, Wire};
use super::received::Received;
use super::store::Store;
use super::tls::Tls;

/// The longest that a connection is held by a deed without an end.
const LONGEST: Duration = Duration::from_secs(300);

/// What it does about a request.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Answers, and says how long the answer is.
    Answer(Reply),
    /// Answers as [`Deed::Answer`] does, but names this length.
    Lying(Reply, usize),
    /// Sends the first so many bytes of an answer, head included, then ends the connection.
    Short(Reply, usize),
    /// Sends the head and then the body again and again, until the client is gone; names no length.
    Endless(Reply),
    /// The same, in chunks that never end.
    EndlessChunks(Reply),
    /// Sends the answer one byte after the other, with this pause.
    Slow(Reply, Duration),
    /// Sends these bytes and then ends the connection.
    Bytes(Vec<u8>),
    /// Sends a header line again and again, within the head.
    EndlessHead,
    /// Says nothing.
    Silence,
    /// Ends the connection without a word.
    Cut,
}

/// A server that was told how to behave.
pub struct Hostile {
    listening: Listening,
    received: Received,
    store: Arc<Store>,
}

impl Hostile {
    /// A server without TLS. `deed` is told the request and the answer that an honest registry would give.
    pub fn start(deed: impl Fn(&Request, Reply) -> Deed + Send + Sync + 'static) -> Self {
        Self::with_tls(None, deed)
    }

    /// The same with TLS.
    pub fn with_tls(tls: Option<Tls>, deed: impl Fn(&Request, Reply) -> Deed + Send + Sync + 'static) -> Self {
        let (received, store) = (Received::default(), Arc::new(Store::default()));
        let (log, honest) = (received.clone(), Arc::clone(&store));
        let listening = Listening::start(move |stream| {
            let mut wire = Tls::accept(tls.as_ref(), stream);
            loop {
                let request =
                    match wire.request() {
                        Ok(Some(request)) => request,
                        Ok(None) => return,
                        Err(error) => {
                            // As Go's servers answer a client that speaks TLS.
                            if error.kind() == io::ErrorKind::InvalidData {
                                drop(wire.stream.write_all(
                                    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n",
                                ));
                            }
                            return;
                        }
                    };
                log.push(request.clone());
                let reply = honest.answer(&request);
                if !matches!(act(&mut wire, &request, deed(&request, reply)), Ok(true)) {
                    return;
                }
            }
        });
        Self { listening, received, store }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.listening.port()
    }

    /// `localhost:PORT`.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port())
    }

    /// What the honest registry behind it holds.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Deref for Hostile {
    type Target = Received;

    fn deref(&self) -> &Received {
        &self.received
    }
}

impl fmt::Debug for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hostile({})", self.address())
    }
}

/// Tells whether the connection may go on.
fn act(wire: &mut Wire, request: &Request, deed: Deed) -> io::Result<bool> {
    let mut send = |bytes: &[u8]| wire.stream.write_all(bytes).and_then(|()| wire.stream.flush());
    match deed {
        Deed::Answer(reply) => {
            send(&reply.bytes(&request.method))?;
            return Ok(true);
        }
        Deed::Lying(reply, length) => {
            send(&reply.head(Some(length)))?;
            send(&reply.body)?;
        }
        Deed::Short(reply, count) => send(reply.bytes(&request.method).get(..count).unwrap_or_default())?,
        Deed::Endless(reply) => {
            send(&reply.head(None))?;
            loop {
                send(&reply.body)?;
            }
        }
        Deed::EndlessChunks(reply) => {
            send(&reply.with("Transfer-Encoding", "chunked").head(None))?;
            let chunk = [b"10000\r\n", vec![b'x'; 0x1_0000].as_slice(), b"\r\n"].concat();
            loop {
                send(&chunk)?;
            }
        }
        Deed::Slow(reply, pause) => {
            for byte in reply.bytes(&request.method) {
                send(&[byte])?;
                thread::sleep(pause);
            }
        }
        Deed::Bytes(bytes) => send(&bytes)?,
        Deed::EndlessHead => {
            send(b"HTTP/1.1 200 OK\r\n")?;
            let lines = format!("X-More: {}\r\n", "x".repeat(1000)).repeat(64);
            loop {
                send(lines.as_bytes())?;
            }
        }
        Deed::Silence => thread::sleep(LONGEST),
        Deed::Cut => {}
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpStream};

    use super::super::{Proxy, Site, Then};
    use super::*;

    fn ask(port: u16, text: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connects");
        stream.write_all(text.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        // A connection that is reset has said what it had to say.
        drop(stream.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn what_was_put_is_there_and_what_was_received_is_kept() {
        let server = Hostile::start(|request, reply| match request.path() {
            "/cut" => Deed::Cut,
            "/half" => Deed::Short(Reply::new(200).body("all of it"), 20),
            _ => Deed::Answer(reply),
        });
        let put = "PUT /v2/a/manifests/v1 HTTP/1.1\r\nContent-Length: 2\r\nX: secret\r\n\r\n{}";
        let get = "HEAD /v2/a/manifests/v1 HTTP/1.1\r\n\r\nGET /cut HTTP/1.1\r\n\r\n";
        let answers = ask(server.port(), &format!("{put}{get}"));
        assert_eq!(answers.matches("HTTP/1.1 20").count(), 2, "{answers}");
        assert_eq!(server.store().tag("a", "v1").as_deref(), Some(super::super::sha256(b"{}").as_str()));
        assert_eq!(ask(server.port(), "GET /half HTTP/1.1\r\n\r\n").len(), 20);
        assert!(server.has_seen("secret") && !server.has_seen("public"));
        assert_eq!(server.lines().len(), 4);
    }

    #[test]
    fn a_proxy_counts_and_cuts() {
        let server = Hostile::start(|_, reply| Deed::Answer(reply));
        let proxy = Proxy::with_hook(server.port(), None, |number, _, site| match (number, site) {
            (1, Site::After) => Then::Cut,
            (2, Site::Before) => Then::Down,
            _ => Then::GoOn,
        });
        let twice = "GET /v2/ HTTP/1.1\r\n\r\n".repeat(2);
        assert_eq!(ask(proxy.port(), &twice).matches("200 OK").count(), 1);
        assert_eq!(ask(proxy.port(), &twice), "");
        assert_eq!(ask(proxy.port(), &twice), "");
        assert_eq!(proxy.lines(), ["GET /v2/ 200", "GET /v2/ 200", "GET /v2/ -"]);
        assert_eq!(server.lines().len(), 2);
    }
}
