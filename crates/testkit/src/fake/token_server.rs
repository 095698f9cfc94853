//! A token endpoint that decides as GitLab's does (`GET /jwt/auth`), with knobs for the days on which it does not.
//!
//! A right login is never refused: it gets a token that allows less, down to nothing, and the refusal is the registry's.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::jwt::Signer;
use super::listen::{Listening, locked};
use super::message::{Reply, Request};
use super::tls::Tls;

/// The `service` of the registry that takes these tokens, and their `issuer`.
pub(crate) const SERVICE: &str = "container_registry";
pub(crate) const ISSUER: &str = "gitlab-issuer";
/// How far past its end the registry still takes a token, in seconds.
const LEEWAY: i64 = 60;
const WRONG: &str = "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect";
/// No two tokens are the same, even within a second.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Somebody with a password.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user.
    pub name: String,
    /// The password.
    pub password: String,
    /// What is allowed: the beginning of a repository's path, and the actions.
    pub rights: Vec<(String, Vec<&'static str>)>,
}

/// How the endpoint behaves.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// Life of a token in seconds, as the registry sees it; negative: it has ended before it is given.
    pub ttl: i64,
    /// So many of the next tokens have ended before they are given.
    pub expired: usize,
    /// `expires_in` of the answer; GitLab gives none.
    pub expires_in: Option<i64>,
    /// Answers `access_token` instead of `token`.
    pub access_token: bool,
    /// Every token's text has this at its end.
    pub suffix: &'static str,
    /// Waits before it answers.
    pub delay: Duration,
    /// Answers this, whoever asks.
    pub canned: Option<Canned>,
}

/// An answer that does not depend on the question.
#[derive(Debug, Clone)]
pub struct Canned {
    /// Such as 429.
    pub status: u16,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// Whatever.
    pub body: String,
}

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `GET /jwt/auth?…`.
    pub line: String,
    /// `Authorization`, as it came.
    pub authorization: Option<String>,
    /// The scopes.
    pub scopes: Vec<String>,
    /// What was answered.
    pub status: u16,
}

/// A running token endpoint.
pub struct TokenServer {
    listening: Listening,
    shared: Arc<Shared>,
}

struct Shared {
    signer: Signer,
    people: Mutex<Vec<Person>>,
    public: Mutex<Vec<String>>,
    knobs: Mutex<Knobs>,
    log: Mutex<Vec<Asked>>,
}

impl Person {
    /// Somebody who may read and write below this path.
    pub fn writer(name: &str, password: &str, path: &str) -> Self {
        Self::new(name, password, path, vec!["pull", "push", "delete"])
    }

    /// Somebody who may only read below this path.
    pub fn reader(name: &str, password: &str, path: &str) -> Self {
        Self::new(name, password, path, vec!["pull"])
    }

    fn new(name: &str, password: &str, path: &str, actions: Vec<&'static str>) -> Self {
        Self { name: name.to_owned(), password: password.to_owned(), rights: vec![(path.to_owned(), actions)] }
    }
}

impl Default for Knobs {
    fn default() -> Self {
        let (delay, suffix, canned) = (Duration::ZERO, "", None);
        Self { ttl: 300, expired: 0, expires_in: None, access_token: false, suffix, delay, canned }
    }
}

impl TokenServer {
    /// An endpoint at `https://localhost:PORT/jwt/auth`.
    pub fn start(tls: Tls, people: Vec<Person>) -> Self {
        let shared = Arc::new(Shared {
            signer: Signer::new(),
            people: Mutex::new(people),
            public: Mutex::default(),
            knobs: Mutex::default(),
            log: Mutex::default(),
        });
        let state = Arc::clone(&shared);
        let listening = Listening::start(move |stream| {
            let mut wire = Tls::accept(Some(&tls), stream);
            while let Ok(Some(request)) = wire.request() {
                let reply = state.reply(&request);
                if wire.stream.write_all(&reply.bytes(&request.method)).and_then(|()| wire.stream.flush()).is_err() {
                    return;
                }
            }
        });
        Self { listening, shared }
    }

    /// What a registry names as its realm.
    pub fn realm(&self) -> String {
        format!("https://localhost:{}/jwt/auth", self.listening.port())
    }

    /// The keys that a registry has to trust.
    pub fn jwks(&self) -> Value {
        self.shared.signer.jwks()
    }

    /// Turns the knobs.
    pub fn turn(&self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut locked(&self.shared.knobs));
    }

    /// Lets everybody read below this path.
    pub fn open_to_all(&self, path: &str) {
        locked(&self.shared.public).push(path.to_owned());
    }

    /// Adds somebody.
    pub fn add(&self, person: Person) {
        locked(&self.shared.people).push(person);
    }

    /// What was asked.
    pub fn log(&self) -> Vec<Asked> {
        locked(&self.shared.log).clone()
    }

    /// Forgets what was asked.
    pub fn clear(&self) {
        locked(&self.shared.log).clear();
    }

    /// A good token for a repository, without asking.
    pub fn token(&self, repository: &str) -> String {
        self.shared.sign(&[("repository".to_owned(), repository.to_owned(), vec!["pull", "push", "delete"])], "bed", 300)
    }
}

impl fmt::Debug for TokenServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenServer({})", self.realm())
    }
}

type Grant = (String, String, Vec<&'static str>);

impl Shared {
    fn reply(&self, request: &Request) -> Reply {
        let knobs = locked(&self.knobs).clone();
        thread::sleep(knobs.delay);
        // GitLab takes `scope` several times and several scopes in one.
        let scopes = request.query("scope");
        let scopes: Vec<String> = scopes.iter().flat_map(|scope| scope.split(' ')).map(str::to_owned).collect();
        let reply = self.decide(request, &scopes, &knobs);
        let line = request.line();
        let authorization = request.header("authorization").map(str::to_owned);
        locked(&self.log).push(Asked { line, authorization, scopes, status: reply.status });
        reply
    }

    fn decide(&self, request: &Request, scopes: &[String], knobs: &Knobs) -> Reply {
        if let Some(canned) = &knobs.canned {
            let reply = Reply::new(canned.status).body(canned.body.clone());
            return canned.headers.iter().fold(reply, |reply, (name, value)| reply.with(name, value.clone()));
        }
        let known = request.path() == "/jwt/auth" && request.query("service") == [SERVICE];
        if request.method != "GET" || !known {
            return Reply::error(404, "NOT_FOUND", "404 Not Found");
        }
        let header = request.header("authorization");
        let person = header.and_then(|header| self.person(header));
        if header.is_some() && person.is_none() {
            return Reply::error(401, "UNAUTHORIZED", WRONG);
        }
        let (name, rights) = person.map_or_else(Default::default, |person| (Some(person.name), person.rights));
        let granted: Vec<Grant> = scopes.iter().filter_map(|scope| self.grant(scope, &rights)).collect();
        if name.is_none() && granted.is_empty() {
            return Reply::error(403, "DENIED", "access forbidden");
        }
        let ttl = {
            let mut knobs = locked(&self.knobs);
            let expired = knobs.expired > 0;
            knobs.expired = knobs.expired.saturating_sub(1);
            if expired { -3600 } else { knobs.ttl }
        };
        let token = self.sign(&granted, name.as_deref().unwrap_or_default(), ttl) + knobs.suffix;
        let mut answer = json!({ if knobs.access_token { "access_token" } else { "token" }: token });
        if let (Some(seconds), Some(object)) = (knobs.expires_in, answer.as_object_mut()) {
            object.insert("expires_in".to_owned(), json!(seconds));
        }
        Reply::new(200).with("Content-Type", "application/json").body(answer.to_string())
    }

    fn person(&self, header: &str) -> Option<Person> {
        let text = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        let text = String::from_utf8(text).ok()?;
        let (name, password) = text.split_once(':')?;
        locked(&self.people).iter().find(|person| person.name == name && person.password == password).cloned()
    }

    /// What is allowed of `repository:PATH:ACTIONS`; `None` when nothing is.
    fn grant(&self, scope: &str, rights: &[(String, Vec<&'static str>)]) -> Option<Grant> {
        let (kind, rest) = scope.split_once(':')?;
        let (path, actions) = rest.rsplit_once(':')?;
        let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let mut allowed: Vec<&'static str> =
            rights.iter().filter(|(prefix, _)| below(prefix)).flat_map(|(_, actions)| actions.iter().copied()).collect();
        if locked(&self.public).iter().any(|prefix| below(prefix)) {
            allowed.push("pull");
        }
        allowed.retain(|action| actions.split(',').any(|asked| asked == *action));
        (kind == "repository" && !allowed.is_empty()).then(|| (kind.to_owned(), path.to_owned(), allowed))
    }

    fn sign(&self, granted: &[Grant], name: &str, ttl: i64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or_default();
        let access: Vec<Value> =
            granted.iter().map(|(kind, path, actions)| json!({"type": kind, "name": path, "actions": actions})).collect();
        let id = COUNT.fetch_add(1, Ordering::Relaxed);
        // What the registry forgives is taken off, so that a short life is a short life.
        let end = now + ttl - LEEWAY;
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": name, "jti": id.to_string(), "iat": now, "exp": end, "access": access, "auth_type": "personal_access_token",
        });
        self.signer.sign(&claims)
    }
}
