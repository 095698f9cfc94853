//! A registry with a token endpoint beside it, as GitLab has them.

use super::server::{Reply, Request, Server, error};
use super::store::Store;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

type Answer = dyn Fn(&Request) -> Option<Reply> + Send + Sync;

/// What the two do; tests change it before they start.
pub(super) struct Rules {
    /// `Authorization` that the endpoint takes; `None`: everybody gets a token.
    pub(super) login: Option<&'static str>,
    /// `expires_in`.
    pub(super) expires_in: Option<f64>,
    /// The registry takes no token before this one (counted from 1).
    pub(super) first_good: usize,
    /// Tokens give the right to write.
    pub(super) may_push: bool,
    /// Tokens give the right to read a second repository.
    pub(super) may_mount: bool,
    /// The endpoint refuses to give any token when it is asked for two repositories.
    pub(super) refuses_mounts: bool,
    /// Answers in place of the endpoint's.
    pub(super) answer: Box<Answer>,
    /// In place of the endpoint's own address.
    pub(super) realm: Option<String>,
}

impl Default for Rules {
    fn default() -> Self {
        // base64("runway:s3cret")
        let login = Some("Basic cnVud2F5OnMzY3JldA==");
        let (may_push, may_mount, refuses_mounts) = (true, true, false);
        Self {
            login,
            expires_in: None,
            first_good: 1,
            may_push,
            may_mount,
            refuses_mounts,
            answer: Box::new(|_| None),
            realm: None,
        }
    }
}

pub(super) struct Bed {
    pub(super) registry: Server,
    pub(super) endpoint: Server,
    pub(super) store: Arc<Store>,
    pub(super) rules: Arc<Mutex<Rules>>,
}

/// Starts both.
pub(super) fn start(rules: Rules) -> Bed {
    let rules = Arc::new(Mutex::new(rules));
    let store = Arc::new(Store::default());
    let given = Arc::new(AtomicUsize::new(0));
    let endpoint = {
        let rules = Arc::clone(&rules);
        Server::start(move |request| token(request, &rules.lock().unwrap(), &given))
    };
    let registry = {
        let (rules, store, host) = (Arc::clone(&rules), Arc::clone(&store), endpoint.host.clone());
        Server::start(move |request| match refusal(request, &rules.lock().unwrap(), &host) {
            Some(reply) => reply,
            None => store.handle(request),
        })
    };
    Bed { registry, endpoint, store, rules }
}

fn token(request: &Request, rules: &Rules, given: &AtomicUsize) -> Reply {
    if let Some(reply) = (rules.answer)(request) {
        return reply;
    }
    let login = request.header("authorization");
    if rules.login.is_some() && login.is_some() && login != rules.login {
        return error(401, "UNAUTHORIZED", "HTTP Basic: Access denied.");
    }
    if rules.login.is_some() && login.is_none() && request.method == "GET" {
        return error(403, "DENIED", "access forbidden");
    }
    let serial = given.fetch_add(1, Ordering::SeqCst) + 1;
    let asked = format!("{}&{}", request.path, String::from_utf8_lossy(&request.body));
    // Two scopes, as a mount needs them: who may not read the second repository gets a token for the first alone.
    let both = asked.matches("scope=").count() > 1 && rules.may_mount;
    let actions = match asked.contains("push") && rules.may_push {
        true if both => "mount",
        true => "push",
        false => "pull",
    };
    if rules.refuses_mounts && asked.matches("scope=").count() > 1 {
        return error(403, "DENIED", "access forbidden");
    }
    let life = rules.expires_in.map(|seconds| format!(r#","expires_in":{seconds}"#)).unwrap_or_default();
    Reply::new(200).with("Content-Type", "application/json").body(format!(r#"{{"token":"token-{actions}-{serial}"{life}}}"#))
}

fn refusal(request: &Request, rules: &Rules, endpoint: &str) -> Option<Reply> {
    let writes = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    let name = request.path.strip_prefix("/v2/")?.split("/blobs/").next()?.split("/manifests/").next()?.split("/tags/").next()?;
    let actions = if writes { "push,pull" } else { "pull" };
    // distribution: one attribute, a space between the two.
    let from = request.path.split("from=").nth(1).map(|from| from.replace("%2F", "/"));
    let near = from.map(|from| format!(" repository:{from}:pull")).unwrap_or_default();
    let challenge = |error: &str| {
        let realm = rules.realm.clone().unwrap_or_else(|| format!("http://{endpoint}/jwt/auth"));
        let scope = format!("repository:{name}:{actions}{near}");
        let text = format!(r#"Bearer realm="{realm}",service="container_registry",scope="{scope}"{error}"#);
        Some(super::server::error(401, "UNAUTHORIZED", "authentication required").with("WWW-Authenticate", text))
    };
    let Some(token) = request.header("authorization").and_then(|text| text.strip_prefix("Bearer token-")) else {
        return challenge("");
    };
    let (right, serial) = token.split_once('-')?;
    match serial.parse::<usize>() {
        Ok(serial) if serial < rules.first_good => challenge(r#",error="invalid_token""#),
        Ok(_) if writes && right == "pull" => challenge(r#",error="insufficient_scope""#),
        Ok(_) if !near.is_empty() && right != "mount" => challenge(r#",error="insufficient_scope""#),
        _ => None,
    }
}
