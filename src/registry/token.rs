//! Tokens: asked once per scope, kept until shortly before they end.

use super::jwt::Claims;
use super::secret::Secret;
use crate::clock;
use reqwest::Url;
use reqwest::header::HeaderValue;
use runway_core::problem::Problem;
use serde::Deserialize;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex as Turn;

/// Life of a token whose endpoint does not say it; the token specification's own default.
const LIFE: Duration = Duration::from_secs(60);
/// A token is renewed this long before its end, or after three quarters of a shorter life.
const MARGIN: Duration = Duration::from_secs(10);
/// Bytes of all tokens that are kept, with what they say of themselves; the oldest is asked for anew when it is needed again.
const MAX_KEPT: usize = 8 << 20;
/// How long a refusal is taken as the answer for those who ask the same.
const REMEMBERED: Duration = Duration::from_secs(10);

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
    pub(super) scopes: Vec<String>,
}

/// A token in use.
#[derive(Debug, Clone)]
pub(super) struct Token {
    /// `Bearer …`, marked as sensitive.
    pub(super) header: HeaderValue,
    /// Tells tokens apart, to say which one a registry did not take.
    pub(super) serial: u64,
    /// What it says about itself; `None`: nothing.
    pub(super) claims: Option<Arc<Claims>>,
    until: Instant,
}

/// Why there is no token.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) problem: Problem,
    pub(super) reach: Reach,
}

/// What else fails for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This scope.
    Scope,
    /// Every scope for some time: the endpoint has trouble.
    Endpoint,
    /// Every scope until this program ends: the login is wrong, and a server that is asked with it again and again
    /// locks the user or the address out.
    Login,
}

/// All tokens of a client.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<HashMap<Key, Arc<Turn<Slot>>>>,
    gates: Mutex<Gates>,
    kept: Mutex<Kept>,
    last: AtomicU64,
}

/// The keys of tokens, the oldest first, each with the size of its token.
#[derive(Default)]
struct Kept {
    keys: VecDeque<(Key, usize)>,
    bytes: usize,
}

type Gates = HashMap<(Url, String), Arc<Turn<Gate>>>;

#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    Good(Token),
    Failed(Failure, Instant),
}

/// Whether a login is known to be good at an endpoint. One wrong password is tried once, not once per workload.
#[derive(Default)]
enum Gate {
    #[default]
    New,
    Open,
    Shut(Failure, Instant),
}

/// A token endpoint's answer.
#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<f64>,
}

/// A token as it came, and how long it lives.
pub(super) struct Fresh {
    pub(super) header: HeaderValue,
    life: Duration,
    claims: Option<Claims>,
}

impl Fresh {
    /// Reads an answer; `Err` says what is wrong with it, and nothing of what it holds.
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let given: Given = serde_json::from_slice(body).map_err(|_| "its answer is not the JSON of a token endpoint")?;
        let token = given.token.filter(|token| !token.is_empty()).or(given.access_token).unwrap_or_default();
        if token.is_empty() {
            return Err("its answer holds no token");
        }
        let token = Secret::new(token);
        let header = bearer(&token).ok_or("its token has characters that no token has")?;
        let life =
            given.expires_in.filter(|seconds| *seconds > 0.0).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let claims = Claims::of(token.expose());
        Ok(Self { header, life: life.unwrap_or(LIFE), claims })
    }
}

/// `Bearer <token>`; `None` when the token cannot stand in a header.
pub(super) fn bearer(token: &Secret) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {}", token.expose()))
}

/// A header's value that reqwest and hyper do not show.
pub(super) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Tokens {
    /// A token that is there and fresh, without waiting.
    pub(super) fn ready(&self, key: &Key) -> Option<Token> {
        let slot = locked(&self.slots).get(key).map(Arc::clone)?;
        let slot = slot.try_lock().ok()?;
        match &*slot {
            Slot::Good(token) if token.until > clock::monotonic() => Some(token.clone()),
            _ => None,
        }
    }

    /// A token; `ask` runs when there is none, and everybody else who wants the same waits for its answer. `worn` is one
    /// that the registry did not take; `login` names the login, if there is one.
    pub(super) async fn get(
        &self,
        key: Key,
        worn: Option<u64>,
        login: Option<String>,
        ask: impl AsyncFnOnce() -> Result<Fresh, Failure>,
    ) -> Result<Token, Failure> {
        let gate = login.map(|login| Arc::clone(locked(&self.gates).entry((key.realm.clone(), login)).or_default()));
        let slot = Arc::clone(locked(&self.slots).entry(key.clone()).or_default());
        let mut slot = slot.lock().await;
        match &*slot {
            Slot::Good(token) if Some(token.serial) != worn && token.until > clock::monotonic() => return Ok(token.clone()),
            Slot::Failed(failure, at) if clock::monotonic() < *at + REMEMBERED => return Err(failure.clone()),
            _ => {}
        }
        let asked_at = clock::monotonic();
        let result = match gate {
            Some(gate) => through(&gate, ask).await,
            None => ask().await,
        };
        match result {
            Ok(fresh) => {
                let until = asked_at + fresh.life.saturating_sub(MARGIN.min(fresh.life / 4)).min(Duration::from_secs(86_400));
                let serial = self.last.fetch_add(1, Ordering::Relaxed);
                let token = Token { header: fresh.header, serial, claims: fresh.claims.map(Arc::new), until };
                *slot = Slot::Good(token.clone());
                self.keep(key, token.header.len());
                Ok(token)
            }
            Err(failure) => {
                *slot = Slot::Failed(failure.clone(), clock::monotonic());
                Err(failure)
            }
        }
    }
}

impl Tokens {
    /// Notes a token that is kept, and lets go of the oldest where there are too many.
    fn keep(&self, key: Key, size: usize) {
        let mut kept = locked(&self.kept);
        // What it says of itself is taken from it, and about as large.
        let size = 2 * size;
        if let Some((_, old)) = kept.keys.iter().position(|(known, _)| *known == key).and_then(|at| kept.keys.remove(at)) {
            kept.bytes -= old;
        }
        kept.keys.push_back((key, size));
        kept.bytes += size;
        while kept.bytes > MAX_KEPT {
            let Some((oldest, size)) = kept.keys.pop_front() else { return };
            kept.bytes -= size;
            locked(&self.slots).remove(&oldest);
        }
    }
}

async fn through(gate: &Turn<Gate>, ask: impl AsyncFnOnce() -> Result<Fresh, Failure>) -> Result<Fresh, Failure> {
    let mut state = gate.lock().await;
    match &*state {
        Gate::Open => {
            drop(state);
            return ask().await;
        }
        Gate::Shut(failure, at) if failure.reach == Reach::Login || clock::monotonic() < *at + REMEMBERED => {
            return Err(failure.clone());
        }
        _ => {}
    }
    let result = ask().await;
    *state = match &result {
        Err(failure) if failure.reach != Reach::Scope => Gate::Shut(failure.clone(), clock::monotonic()),
        _ => Gate::Open,
    };
    result
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Fresh};

    #[test]
    fn answers_of_token_endpoints() {
        let read = |body: &str| {
            Fresh::read(body.as_bytes())
                .map(|fresh| (fresh.header.to_str().unwrap().trim_start_matches("Bearer ").to_owned(), fresh.life.as_secs()))
        };
        assert_eq!(read(r#"{"token":"a"}"#), Ok(("a".to_owned(), 60)));
        assert_eq!(read(r#"{"access_token":"b","expires_in":300}"#), Ok(("b".to_owned(), 300)));
        assert_eq!(read(r#"{"token":"a","access_token":"b","expires_in":0}"#), Ok(("a".to_owned(), 60)));
        assert_eq!(read(r#"{"token":"a","expires_in":-5}"#), Ok(("a".to_owned(), 60)));
        assert_eq!(read("{}"), Err("its answer holds no token"));
        assert!(read("<html>").is_err());
        assert_eq!(read(r#"{"token":"a\nb"}"#), Err("its token has characters that no token has"));
        assert!(Fresh::read(br#"{"token":"s3cret"}"#).is_ok_and(|fresh| !format!("{:?}", fresh.header).contains("s3cret")));
        assert!(Fresh::read(br#"{"token":"a","expires_in":1e300}"#).is_ok_and(|fresh| fresh.life == Duration::from_secs(60)));
    }
}
