//! Credential helpers: `docker-credential-<name> get`, the host on stdin, JSON with the secret on stdout.

use super::docker;
use super::local::PATIENCE;
use super::logins::Login;
use crate::net::Budget;
use crate::process::{self, Failure, Output, Program};
use runway_core::problem::{Class, Problem};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Bytes that it may answer.
const MAX_ANSWER: usize = 64 << 10;

/// What a helper has.
#[derive(Debug, Clone)]
pub(super) enum Lookup {
    /// A login.
    Login(Login),
    /// Nothing for this host.
    None,
    /// There is no such program.
    NotInstalled,
}

type Slot = Arc<OnceCell<Result<Lookup, Problem>>>;

/// The helpers that were asked; each is asked once for a host, however many repositories there are.
pub(super) struct Helpers {
    path: Option<String>,
    asked: Mutex<HashMap<(String, String), Slot>>,
    budget: Budget,
    /// How long one may take, if there is so much time; some ask a keychain, some a cloud.
    pub(super) limit: Duration,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username", default)]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

impl Helpers {
    /// `path`: the variable PATH.
    pub(super) fn new(path: Option<String>, budget: Budget) -> Self {
        Self { path, asked: Mutex::default(), budget, limit: PATIENCE }
    }

    /// Forgets what they said.
    pub(super) fn forget(&self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Asks a helper that `source` names for a host's login.
    pub(super) async fn get(&self, name: &str, host: &str, source: &str) -> Result<Lookup, Problem> {
        // Docker stores its own registry's login under this address, and helpers look it up by that text.
        let server = if docker::canonical(host) == "docker.io" { "https://index.docker.io/v1/" } else { host };
        let slot = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asked.entry((name.to_owned(), server.to_owned())).or_default())
        };
        slot.get_or_init(|| Box::pin(self.ask(name, server, source))).await.clone()
    }

    async fn ask(&self, name: &str, server: &str, source: &str) -> Result<Lookup, Problem> {
        let fault = |why: String| {
            Problem::new(Class::Registry, format!("the credential helper docker-credential-{name} gave no login for {server}"))
                .cause(why)
                .hint(format!("log in again (`docker login`), or remove the helper from {source}"))
        };
        // A name is not a path: otherwise a login file could have any program run.
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
            return Err(fault(format!("{source} names it, and this is no helper's name")));
        }
        let Some(path) = process::find(&format!("docker-credential-{name}"), self.path.as_deref()) else {
            return Ok(Lookup::NotInstalled);
        };
        let limit = self.limit.min(self.budget.per_request());
        if limit.is_zero() {
            return Err(fault("the time for the whole command is over".to_owned()));
        }
        let program =
            Program { path: &path, arguments: &["get"], folder: None, stdin: server.as_bytes(), limit, max_stdout: MAX_ANSWER };
        match process::run(program).await {
            Ok(output) => read(&output).map_err(fault),
            Err(Failure::TimedOut(limit)) => Err(fault(format!("it gave no answer within {} ms", limit.as_millis()))),
            Err(Failure::TooMuch(most)) => Err(fault(format!("it wrote more than {} KiB", most >> 10))),
            Err(Failure::Start(why)) => Err(fault(format!("it cannot be started: {why}"))),
        }
    }
}

/// Reads the answer. What stands on stdout is never shown: it may be the secret, also when the helper failed.
fn read(output: &Output) -> Result<Lookup, String> {
    if !output.success {
        // Helpers say this on stdout, and end with 1 (docker-credential-helpers, credentials/error.go).
        if String::from_utf8_lossy(&output.stdout).contains("credentials not found") {
            return Ok(Lookup::None);
        }
        let code = output.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        let words = if output.stderr.is_empty() { String::new() } else { format!(": {}", output.stderr.replace('\n', "; ")) };
        return Err(format!("it ended with {code}{words}"));
    }
    let answer: Answer =
        serde_json::from_slice(&output.stdout).map_err(|_| "its answer is not the JSON of a credential helper".to_owned())?;
    match (answer.user.as_str(), answer.secret) {
        ("", secret) if secret.is_empty() => Ok(Lookup::None),
        ("<token>", token) => Ok(Lookup::Login(Login::Identity(super::secret::Secret::new(token)))),
        (_, secret) => Ok(Lookup::Login(Login::basic(answer.user, secret))),
    }
}
