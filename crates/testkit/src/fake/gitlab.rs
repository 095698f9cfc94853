//! As much of GitLab as a job talks to: whose a token is, and the notes of a merge request.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::listen::{Listening, locked};
use super::message::{Reply, Request, Wire};
use super::received::Received;

/// The user whose token the jobs have.
const OURS: u64 = 7;
/// Notes of one page, whatever is asked for.
const PAGE: usize = 100;

/// A GitLab on loopback; it ends with the test.
pub struct GitLab {
    listening: Listening,
    received: Received,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    notes: Vec<(u64, String)>,
    refuses: bool,
}

impl GitLab {
    /// A GitLab whose merge request 7 of this project has no notes yet.
    pub fn start(project: u64) -> Self {
        let (received, state) = (Received::default(), Arc::new(Mutex::new(State::default())));
        let (log, shared) = (received.clone(), Arc::clone(&state));
        let notes = format!("/api/v4/projects/{project}/merge_requests/7/notes");
        let listening = Listening::start(move |stream| {
            let mut wire = Wire::new(stream);
            while let Ok(Some(request)) = wire.request() {
                log.push(request.clone());
                let reply = locked(&shared).answer(&request, &notes);
                if wire.stream.write_all(&reply.bytes(&request.method)).and_then(|()| wire.stream.flush()).is_err() {
                    return;
                }
            }
        });
        Self { listening, received, state }
    }

    /// `CI_API_V4_URL`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v4", self.listening.port())
    }

    /// The notes that we wrote.
    pub fn notes(&self) -> Vec<String> {
        locked(&self.state).notes.iter().filter(|(author, _)| *author == OURS).map(|(_, text)| text.clone()).collect()
    }

    /// Somebody else writes a note.
    pub fn note(&self, text: &str) {
        locked(&self.state).notes.push((1, text.to_owned()));
    }

    /// From now on the token is over, or not.
    pub fn refuse(&self, refuses: bool) {
        locked(&self.state).refuses = refuses;
    }

    /// The methods of the requests that change something.
    pub fn changes(&self) -> Vec<String> {
        self.received().into_iter().map(|request| request.method).filter(|method| method != "GET").collect()
    }
}

impl Deref for GitLab {
    type Target = Received;

    fn deref(&self) -> &Received {
        &self.received
    }
}

impl fmt::Debug for GitLab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitLab({})", self.url())
    }
}

impl State {
    fn answer(&mut self, request: &Request, notes: &str) -> Reply {
        if self.refuses || request.header("private-token").is_none_or(str::is_empty) {
            return json_of(401, &json!({"message": "401 Unauthorized"}));
        }
        let path = request.path();
        let note = path.strip_prefix(notes).and_then(|rest| rest.strip_prefix('/')).and_then(|id| id.parse::<usize>().ok());
        let text = request.form("body").into_iter().next().unwrap_or_default();
        match (request.method.as_str(), note) {
            ("GET", None) if path == "/api/v4/user" => {
                json_of(200, &json!({"id": OURS, "username": "bot", "name": "{\"id\":5}"}))
            }
            ("GET", None) if path == notes => self.page(request),
            ("POST", None) if path == notes => {
                self.notes.push((OURS, text));
                json_of(201, &json!({}))
            }
            ("PUT", Some(id)) => match id.checked_sub(100).and_then(|n| self.notes.get_mut(n)) {
                Some((OURS, found)) => {
                    *found = text;
                    json_of(200, &json!({}))
                }
                Some(_) => json_of(403, &json!({"message": "403 Forbidden"})),
                None => missing(),
            },
            _ => missing(),
        }
    }

    fn page(&self, request: &Request) -> Reply {
        let number = |name: &str| request.query(name).first().and_then(|text| text.parse::<usize>().ok());
        let size = number("per_page").unwrap_or(20).min(PAGE);
        let page = number("page").unwrap_or(1).max(1);
        let note = |(n, (author, text)): (usize, &(u64, String))| {
            json!({"id": 100 + n, "type": null, "body": text, "attachment": null, "author": {"id": author, "name": "{\"id\":7,\"x\""},
                "system": false, "noteable_type": "MergeRequest"})
        };
        let all = self.notes.iter().enumerate().map(note);
        let found: Vec<Value> = all.skip((page - 1) * size).take(size).collect();
        let more = self.notes.len() > page * size;
        let next = if more { (page + 1).to_string() } else { String::new() };
        json_of(200, &Value::Array(found)).with("X-Next-Page", next)
    }
}

/// As GitLab writes JSON: without `<`, `>` and `&`.
fn json_of(status: u16, value: &Value) -> Reply {
    let text = value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    Reply::new(status).with("Content-Type", "application/json").body(text)
}

fn missing() -> Reply {
    json_of(404, &json!({"message": "404 Not found"}))
}
