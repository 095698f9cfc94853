//! HTTP/1.1 messages as they come off a connection: taken apart as far as a fake needs, and kept byte by byte.

use std::fmt::Write as _;
use std::io::{self, Read, Write};

/// Bytes of a head; a client that sends more is broken.
const MAX_HEAD: usize = 1 << 20;
/// The first byte of a TLS connection, which begins no line of HTTP.
const TLS: u8 = 0x16;

/// A connection, with TLS or without.
pub(super) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection that is read in messages.
pub(super) struct Wire {
    pub(super) stream: Box<dyn Stream>,
    /// Read and not yet used.
    buffer: Vec<u8>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// The path with its query.
    pub target: String,
    headers: Vec<(String, String)>,
    /// Without the framing of chunks.
    pub body: Vec<u8>,
    /// Everything, as it came.
    pub raw: Vec<u8>,
    /// How much of `raw` is the head.
    pub(super) head: usize,
}

/// An answer as it came from a server behind a proxy.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) raw: Vec<u8>,
    /// Whether the connection ends with it.
    pub(super) last: bool,
}

/// An answer of a fake.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Such as 200.
    pub status: u16,
    /// In the order in which they are sent; `Content-Length` comes by itself.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// `GET /v2/`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// All values of a query parameter, decoded.
    pub fn query(&self, name: &str) -> Vec<String> {
        pairs(self.target.split_once('?').map_or("", |(_, query)| query), name)
    }

    /// All values of a form's field, decoded.
    pub fn form(&self, name: &str) -> Vec<String> {
        pairs(&String::from_utf8_lossy(&self.body), name)
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl Reply {
    /// An answer without headers and body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// An error as registries word it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"errors": [{"code": code, "message": message}]});
        Self::new(status).with("Content-Type", "application/json").body(format!("{body}\n"))
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Takes headers of a name away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Puts a body in.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The bytes of the head; `length` instead of the body's own.
    pub fn head(&self, length: Option<usize>) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            let _infallible = write!(text, "{name}: {value}\r\n");
        }
        if let Some(length) = length {
            let _infallible = write!(text, "Content-Length: {length}\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }

    /// All bytes, as an answer to this method.
    pub(super) fn bytes(&self, method: &str) -> Vec<u8> {
        let mut bytes = self.head((self.status != 204 && self.status != 304).then_some(self.body.len()));
        if method != "HEAD" {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

impl Wire {
    pub(super) fn new(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), buffer: Vec::new() }
    }

    /// The next request; `None` when the client is done.
    pub(super) fn request(&mut self) -> io::Result<Option<Request>> {
        let Some((first, headers, mut raw)) = self.head()? else { return Ok(None) };
        let head = raw.len();
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
        let body = self.body(&headers, false, &mut raw)?;
        Ok(Some(Request { method, target, headers, body, raw, head }))
    }

    /// The next answer, to a request of this method.
    pub(super) fn answer(&mut self, method: &str) -> io::Result<Answer> {
        let (first, headers, mut raw) = self.head()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = first.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or_default();
        if method != "HEAD" && status != 204 && status != 304 {
            self.body(&headers, true, &mut raw)?;
        }
        let last = find(&headers, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Ok(Answer { status, raw, last })
    }

    #[expect(clippy::type_complexity, reason = "the parts of a head, for two callers")]
    fn head(&mut self) -> io::Result<Option<(String, Vec<(String, String)>, Vec<u8>)>> {
        let mut raw = Vec::new();
        loop {
            let Some(line) = self.line()? else {
                return if raw.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            };
            raw.extend_from_slice(&line);
            if line == b"\r\n" {
                break;
            }
            if raw.len() > MAX_HEAD {
                return Err(io::Error::other("the head has no end"));
            }
        }
        let text = String::from_utf8_lossy(&raw).into_owned();
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let split = lines.filter_map(|line| line.split_once(':'));
        let headers = split.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        Ok(Some((first, headers, raw)))
    }

    /// A body by its length or in chunks; `to_end`: without either, all there is.
    fn body(&mut self, headers: &[(String, String)], to_end: bool, raw: &mut Vec<u8>) -> io::Result<Vec<u8>> {
        if find(headers, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            let mut body = Vec::new();
            loop {
                let line = self.line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
                raw.extend_from_slice(&line);
                let text = String::from_utf8_lossy(&line);
                let size = text.trim().split(';').next().unwrap_or_default();
                let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
                let chunk = self.take(size + 2)?;
                raw.extend_from_slice(&chunk);
                body.extend(chunk.into_iter().take(size));
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        let body = match find(headers, "content-length").and_then(|text| text.parse().ok()) {
            Some(length) => self.take(length)?,
            None if to_end => {
                let mut rest = std::mem::take(&mut self.buffer);
                self.stream.read_to_end(&mut rest)?;
                rest
            }
            None => Vec::new(),
        };
        raw.extend_from_slice(&body);
        Ok(body)
    }

    /// Up to the next line's end, with it; `None` when there is nothing any more.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut looked = 0;
        loop {
            if self.buffer.first() == Some(&TLS) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a client that speaks TLS"));
            }
            if let Some(at) = self.buffer.iter().skip(looked).position(|byte| *byte == b'\n') {
                return Ok(Some(self.buffer.drain(..=looked + at).collect()));
            }
            looked = self.buffer.len();
            if looked > MAX_HEAD {
                return Err(io::Error::other("a line has no end"));
            }
            if self.fill()? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut piece = [0; 16 << 10];
        let count = self.stream.read(&mut piece)?;
        self.buffer.extend(piece.iter().take(count));
        Ok(count)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn pairs(text: &str, name: &str) -> Vec<String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(known, _)| *known == name).map(|(_, value)| decoded(value)).collect()
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let value = digit(rest.next()).zip(digit(rest.next())).map(|(high, low)| high * 16 + low);
                bytes.extend(value.and_then(|value| u8::try_from(value).ok()));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Whatever",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(io::Cursor<Vec<u8>>);

    impl Read for Bytes {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            // In small pieces, as a network may.
            let length = into.len().min(3);
            self.0.read(into.get_mut(..length).unwrap_or_default())
        }
    }

    impl Write for Bytes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn messages_are_read_one_by_one() {
        let text = "PUT /a?b=c%20d&b=e HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc\
                    PATCH /u HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        let mut wire = Wire::new(Bytes(io::Cursor::new(text.as_bytes().to_vec())));
        let mut next = || wire.request().expect("sound");
        let first = next().expect("a request");
        assert_eq!((first.line().as_str(), first.body.as_slice()), ("PUT /a?b=c%20d&b=e", b"abc".as_slice()));
        assert_eq!(first.query("b"), ["c d", "e"]);
        let second = next().expect("a request");
        assert_eq!(second.body, b"abc");
        assert!(second.raw.ends_with(b"\r\n0\r\n\r\n"));
        assert_eq!(next().expect("a request").path(), "/");
        assert!(next().is_none());
    }

    #[test]
    fn an_answer_without_a_length_ends_with_its_connection() {
        let text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it";
        let mut wire = Wire::new(Bytes(io::Cursor::new(text.as_bytes().to_vec())));
        let answer = wire.answer("GET").expect("sound");
        assert_eq!((answer.status, answer.last, answer.raw.len()), (200, true, text.len()));
    }
}
