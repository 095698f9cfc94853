//! The smallest HTTP client that does for loopback: one request a connection, HTTP/1.0, so that no answer comes in chunks.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// An answer, of whatever status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A server on loopback, with TLS or without.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

impl Endpoint {
    /// Sends a request and reads the whole answer.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let tcp = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        tcp.set_read_timeout(Some(Duration::from_secs(60)))?;
        tcp.set_write_timeout(Some(Duration::from_secs(60)))?;
        tcp.set_nodelay(true)?;

        let mut head = format!("{method} {path} HTTP/1.0\r\nHost: localhost:{}\r\n", self.port);
        for (name, value) in headers {
            let _infallible = write!(head, "{name}: {value}\r\n");
        }
        if !body.is_empty() {
            let _infallible = write!(head, "Content-Length: {}\r\n", body.len());
        }
        head.push_str("\r\n");

        match &self.tls {
            None => exchange(tcp, &head, body),
            Some(config) => {
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                exchange(StreamOwned::new(connection, tcp), &head, body)
            }
        }
    }
}

fn exchange(mut stream: impl Read + Write, head: &str, body: &[u8]) -> io::Result<Answer> {
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    stream.flush()?;
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        // A server may close without TLS's own goodbye; a cut body then shows as broken JSON.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !bytes.is_empty() => {}
        result => drop(result?),
    }
    parse(&bytes).ok_or_else(|| io::Error::other("not an HTTP answer"))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    Some(Answer { status, headers, body: rest.get(4..)?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let answer = parse(b"HTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\nX: y: z\r\n\r\nbody\r\n\r\n").expect("an answer");
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("content-type"), Some("a/b"));
        assert_eq!(answer.header("x"), Some("y: z"));
        assert_eq!(answer.text(), "body\r\n\r\n");
        assert!(parse(b"HTTP/1.1 200").is_none());
        assert!(parse(b"").is_none());
    }
}
