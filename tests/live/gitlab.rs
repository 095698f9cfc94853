//! As much of GitLab as a job talks to: the notes of a merge request.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A GitLab on loopback; it ends with the test.
pub(crate) struct GitLab {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    notes: Vec<String>,
    methods: Vec<String>,
    tokens: Vec<String>,
}

const NOTES: &str = "/api/v4/projects/42/merge_requests/7/notes";

impl GitLab {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &shared);
            }
        });
        Self { port, state }
    }

    /// `CI_API_V4_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v4", self.port)
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.state.lock().expect("no panic").notes.clone()
    }

    pub(crate) fn methods(&self) -> Vec<String> {
        self.state.lock().expect("no panic").methods.clone()
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.state.lock().expect("no panic").tokens.clone()
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = lines.iter().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)));
        found.map(|(_, value)| value.to_owned())
    };
    let mut body = vec![0; header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).expect("the body");
    let text = String::from_utf8(body).expect("a form").strip_prefix("body=").map(decoded).unwrap_or_default();
    let mut words = lines.first().map(String::as_str).unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split('?').next().unwrap_or_default();

    let mut state = state.lock().expect("no panic");
    state.methods.push(method.to_owned());
    state.tokens.extend(header("private-token"));
    let note = path.strip_prefix(NOTES).and_then(|rest| rest.strip_prefix('/')).and_then(|id| id.parse::<usize>().ok());
    let (status, answer) = match (method, note) {
        ("GET", None) if path == NOTES => {
            let notes = state.notes.iter().enumerate().map(|(n, text)| {
                serde_json::json!({"id": 100 + n, "type": null, "body": text, "author": {"id": 1, "name": "{\"id\":5}"}})
            });
            ("200 OK", serde_json::Value::Array(notes.collect()).to_string())
        }
        ("POST", None) if path == NOTES => {
            state.notes.push(text);
            ("201 Created", "{}".to_owned())
        }
        ("PUT", Some(id)) => match id.checked_sub(100).and_then(|n| state.notes.get_mut(n)) {
            Some(found) => {
                *found = text;
                ("200 OK", "{}".to_owned())
            }
            None => ("404 Not Found", "{}".to_owned()),
        },
        _ => ("404 Not Found", "{}".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    );
    drop(stream.write_all(format!("{head}{answer}").as_bytes()));
}

/// Text of a form's field.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.push(u8::from_str_radix(&hex, 16).expect("two hex digits"));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
