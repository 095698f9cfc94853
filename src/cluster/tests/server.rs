//! A server on 127.0.0.1 that answers by a script, one answer for each connection.

use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// `GET`.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Header lines in lower case.
    pub(crate) headers: String,
    /// Body.
    pub(crate) body: String,
}

/// What is answered.
pub(crate) enum Reply {
    /// JSON with a status.
    Json(u16, Value),
    /// A status, a content type and a body.
    Text(u16, &'static str, String),
    /// Bytes, and then the connection is closed.
    Bytes(Vec<u8>),
    /// Nothing, for as long as the client waits.
    Hang,
    /// The start of a list whose body never ends.
    Endless,
}

/// A running server.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Ask>>>,
}

impl Server {
    pub(crate) fn start(script: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (Arc::new(script), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, script.as_ref(), &log));
            }
        });
        Self { url, asked }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Ask> {
        self.asked.lock().unwrap().clone()
    }

    /// The paths that were asked.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.asked().into_iter().map(|ask| ask.target).collect()
    }
}

fn serve(mut stream: TcpStream, script: &dyn Fn(&Ask) -> Reply, log: &Mutex<Vec<Ask>>) {
    let Some(ask) = read(&mut stream) else { return };
    log.lock().unwrap().push(ask.clone());
    let bytes = match script(&ask) {
        Reply::Json(code, value) => whole(code, "application/json", &value.to_string()),
        Reply::Text(code, kind, body) => whole(code, kind, &body),
        Reply::Bytes(bytes) => bytes,
        Reply::Hang => {
            let mut rest = [0_u8; 64];
            while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
            return;
        }
        Reply::Endless => {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"kind\":\"AList\",\"items\":[";
            let filler = vec![b' '; 1 << 20];
            if stream.write_all(head.as_bytes()).is_ok() {
                while stream.write_all(&filler).is_ok() {}
            }
            return;
        }
    };
    // The client may have gone: that is what some tests are about.
    stream.write_all(&bytes).ok();
}

fn whole(code: u16, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {code} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

fn read(stream: &mut TcpStream) -> Option<Ask> {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (first, headers) = head.split_once("\r\n").unwrap();
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let length = headers.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => body.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
    Some(Ask { method, target, headers: headers.to_owned(), body: String::from_utf8(body).unwrap() })
}
