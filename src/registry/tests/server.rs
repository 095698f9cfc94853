//! A small HTTP/1.1 server: one thread per connection, a function that answers, a list of what was asked.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the client has shown a certificate.
    pub(super) certified: bool,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What is answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) delay: Duration,
    /// Close the connection after this many bytes of the body, while Content-Length promises all of it.
    pub(super) cut: Option<usize>,
    /// Send the body again and again, without an end.
    pub(super) endless: bool,
    /// Send the body byte by byte, with a pause after each.
    pub(super) slow: bool,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// `{"errors": [{"code": …, "message": …}]}`.
pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::new(status)
        .with("Content-Type", "application/json")
        .body(format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#))
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

pub(super) struct Server {
    /// `127.0.0.1:<port>`, or `localhost:<port>` with TLS.
    pub(super) host: String,
    log: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    port: u16,
}

impl Server {
    pub(super) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Arc::new(handler), None, usize::MAX)
    }

    /// Takes so many bytes of a body in a second, no more.
    pub(super) fn start_slow(rate: usize, handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Arc::new(handler), None, rate)
    }

    pub(super) fn tls(config: rustls::ServerConfig, handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Arc::new(handler), Some(Arc::new(config)), usize::MAX)
    }

    fn serve(handler: Arc<Handler>, tls: Option<Arc<rustls::ServerConfig>>, rate: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let host = if tls.is_some() { format!("localhost:{port}") } else { format!("127.0.0.1:{port}") };
        let (log, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (seen, ended) = (Arc::clone(&log), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (handler, seen, tls) = (Arc::clone(&handler), Arc::clone(&seen), tls.clone());
                std::thread::spawn(move || {
                    let Ok(stream) = stream else { return };
                    stream.set_nodelay(true).unwrap();
                    match tls {
                        None => converse(stream, (false, rate), &*handler, &seen),
                        Some(config) => {
                            let mut stream = stream;
                            let mut connection = rustls::ServerConnection::new(config).unwrap();
                            while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok_and(|n| n != (0, 0)) {}
                            let certified = connection.peer_certificates().is_some();
                            converse(rustls::StreamOwned::new(connection, stream), (certified, rate), &*handler, &seen);
                        }
                    }
                });
            }
        });
        Self { host, log, stop, port }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// `METHOD /path` of everything that was asked.
    pub(super) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Request::line).collect()
    }

    /// Forgets what was asked so far.
    pub(super) fn forget(&self) {
        self.log.lock().unwrap().clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn converse(stream: impl Read + Write, (certified, rate): (bool, usize), handler: &Handler, log: &Mutex<Vec<Request>>) {
    let mut stream = BufReader::new(stream);
    // As Go's server does when it hears a TLS handshake.
    if stream.fill_buf().is_ok_and(|bytes| bytes.first() == Some(&0x16)) {
        drop(stream.get_mut().write_all(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n"));
        return;
    }
    while let Some(request) = read(&mut stream, rate).map(|request| Request { certified, ..request }) {
        log.lock().unwrap().push(request.clone());
        let reply = handler(&request);
        std::thread::sleep(reply.delay);
        if write(stream.get_mut(), &request, &reply).is_err() || reply.cut.is_some() {
            return;
        }
    }
}

fn read(stream: &mut BufReader<impl Read>, rate: usize) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, headers, body: Vec::new(), certified: false };
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    for piece in request.body.chunks_mut((rate / 50).max(1)) {
        stream.read_exact(piece).ok()?;
        if rate < usize::MAX {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Some(request)
}

fn write(stream: &mut impl Write, request: &Request, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} X\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let has_length = reply.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if reply.endless {
        head.push_str("Connection: close\r\n");
    } else if !has_length {
        head.extend(["Content-Length: ", &reply.body.len().to_string(), "\r\n"]);
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if request.method != "HEAD" {
        for byte in reply.body.iter().take(if reply.slow { usize::MAX } else { 0 }) {
            stream.write_all(&[*byte])?;
            stream.flush()?;
            std::thread::sleep(Duration::from_millis(60));
        }
        if reply.slow {
            return Ok(());
        }
        stream.write_all(reply.body.get(..reply.cut.unwrap_or(reply.body.len())).unwrap_or_default())?;
        if reply.endless {
            loop {
                stream.write_all(&reply.body)?;
            }
        }
    }
    stream.flush()
}
