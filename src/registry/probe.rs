//! `doctor registry`: one step after the other, from the name to the right to write, each with what was found.
//!
//! Nothing is written: the right to write is known once a registry has begun an upload, and the upload is ended at once.

use super::client::{Client, Head};
use super::errand::{Doing, Errand};
use super::exchange::Meeting;
use super::explain;
use super::fault::{Fault, Kind};
use super::http::{CONNECT, Call};
use super::logins::Login;
use super::origin;
use super::proxy::Route;
use crate::clock;
use reqwest::{Method, Url};
use runway_core::flux::reference::{Reference, Target};
use runway_core::problem::{Class, Problem};
use runway_core::settings::PlainHttp;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Addresses of one name that are named.
const SHOWN: usize = 4;

/// One step, and how it went.
#[derive(Debug)]
pub(crate) struct Check {
    /// Such as `login`.
    pub(crate) name: &'static str,
    /// How it went.
    pub(crate) state: State,
    /// What was found.
    pub(crate) message: String,
    /// Why it failed.
    pub(crate) problem: Option<Problem>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// As it should.
    Ok,
    /// Not as it should.
    Failed,
    /// It was not looked at.
    Skipped,
}

/// The steps, in their order.
const STEPS: [&str; 10] = ["address", "login", "proxy", "dns", "connect", "tls", "auth", "token", "pull", "push"];

/// What a look at the tag has shown.
type Looked = Result<Option<Head>, Problem>;

/// The steps so far.
#[derive(Default)]
struct Walk {
    checks: Vec<Check>,
}

impl Walk {
    fn add(&mut self, state: State, message: impl Into<String>, problem: Option<Problem>) {
        if let Some(name) = STEPS.get(self.checks.len()) {
            self.checks.push(Check { name, state, message: message.into(), problem });
        }
    }

    fn ok(&mut self, message: impl Into<String>) {
        self.add(State::Ok, message, None);
    }

    fn skip(&mut self, message: impl Into<String>) {
        self.add(State::Skipped, message, None);
    }

    fn failed(&mut self, problem: Problem) {
        // A problem with the errand itself says what the step already says.
        let is_errand = problem.class == Class::Registry && problem.place.is_some() && !problem.causes.is_empty();
        let message = if is_errand { problem.causes.join(": ") } else { problem.to_string() };
        self.add(State::Failed, message, Some(problem));
    }

    fn result(&mut self, result: Result<String, Problem>) {
        match result {
            Ok(message) => self.ok(message),
            Err(problem) => self.failed(problem),
        }
    }

    /// Nothing can be said about the steps that are left.
    fn end(mut self) -> Vec<Check> {
        while self.checks.len() < STEPS.len() {
            self.skip("not looked at");
        }
        self.checks
    }
}

impl Client {
    /// Everything that a command needs of a repository; with `push` the right to write as well.
    pub(crate) async fn probe(&self, reference: &Reference, target: &Target, push: bool) -> Vec<Check> {
        let mut checks = self.walk(reference, target, push).await;
        for check in &mut checks {
            check.message = self.exchange.clean_text(&check.message);
            check.problem = check.problem.take().map(|problem| self.exchange.clean(problem));
        }
        checks
    }

    async fn walk(&self, reference: &Reference, target: &Target, push: bool) -> Vec<Check> {
        let mut walk = Walk::default();
        let repository = &reference.repository;
        let reading = Errand::new(repository, Doing::Read, Some(target));
        let writing = Errand::new(repository, Doing::Upload, None);
        let base = match self.address(&reading, "") {
            Ok((base, _)) => base,
            Err(problem) => {
                walk.failed(problem);
                return walk.end();
            }
        };
        walk.ok(self.address_line(&base));
        let own_token = self.login(&mut walk, &reading).await;
        if let Err(problem) = self.reach(&mut walk, &reading, &base).await {
            walk.failed(problem);
            return walk.end();
        }
        let Ok(early) = self.meet(&mut walk, &reading, &base, target).await else { return walk.end() };
        match self.exchange.met(&base) {
            _ if own_token => walk.skip("none is asked for: the login is a token itself"),
            Meeting::Open | Meeting::Basic => walk.skip("none is needed"),
            Meeting::Bearer { .. } => {
                let errand = if push { &writing } else { &reading };
                let granted = self.exchange.granted(errand, &base).await;
                walk.result(granted.map(|granted| match granted {
                    Some(granted) if granted.is_empty() => "the one that was given allows nothing here".to_owned(),
                    Some(granted) => format!("the one that was given allows {}", granted.join(" and ")),
                    None => "one was given; it does not say what it allows".to_owned(),
                }));
            }
        }
        let found = match early {
            Some(found) => found,
            None => self.look(&reading, target).await,
        };
        walk.result(found.map(|head| match head {
            Some(head) => format!("allowed; {} is {}", target.as_str(), head.digest),
            None => format!("allowed; there is no {} yet", target.as_str()),
        }));
        if push {
            walk.result(self.may_push(&writing, &base).await);
        } else {
            walk.skip("not asked for");
        }
        walk.end()
    }

    fn address_line(&self, base: &Url) -> String {
        let shown = origin::shown(base);
        let shown = shown.trim_end_matches('/');
        match (base.scheme(), self.exchange.transport.plain) {
            ("http", PlainHttp::Auto) => format!("{shown}, plain http since it is this machine"),
            ("http", _) => format!("{shown}, plain http as it was asked for"),
            _ => shown.to_owned(),
        }
    }

    /// proxy, dns, connect.
    async fn reach(&self, walk: &mut Walk, errand: &Errand<'_>, base: &Url) -> Result<(), Problem> {
        let route = self.exchange.transport.proxies.route(base);
        let own = (base.host_str().unwrap_or_default().to_owned(), base.port_or_known_default().unwrap_or_default());
        let through_proxy = matches!(route, Route::Through { .. });
        let (host, port) = match route {
            Route::Local => {
                walk.ok("none: this machine is reached directly");
                own
            }
            Route::Direct => {
                walk.ok("none: no variable names one for it");
                own
            }
            Route::Excepted => {
                walk.ok("none: NO_PROXY names it");
                own
            }
            Route::Through { host, port, variable, has_login, .. } => {
                let login = if has_login { ", with a login" } else { "" };
                walk.ok(format!("{host}:{port}, by {variable}{login}"));
                (host, port)
            }
        };
        let fault = |kind: Kind, detail: String| {
            explain::fault(
                errand,
                &Fault::new(if through_proxy { format!("{host}:{port}") } else { origin::host(base) }, kind, detail),
                &self.exchange.transport.ground(&errand.repository.host),
            )
        };
        let budget = self.exchange.transport.budget;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let found = budget.call(tokio::net::lookup_host((bare, port))).await;
        let addresses: Vec<SocketAddr> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(fault(Kind::Dns, error.to_string())),
            Err(elapsed) => return Err(fault(Kind::TimedOut(elapsed.0), String::new())),
        };
        let shown: Vec<String> = addresses.iter().take(SHOWN).map(|address| address.ip().to_string()).collect();
        walk.ok(format!("{bare} is {}", shown.join(", ")));
        let start = clock::monotonic();
        let mut last = fault(Kind::NoConnection, String::new());
        for address in addresses {
            let limit = CONNECT.min(budget.per_request());
            last = match tokio::time::timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(_)) => {
                    walk.ok(format!("{address} in {} ms", start.elapsed().as_millis()));
                    return Ok(());
                }
                Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => fault(Kind::ConnectionRefused, String::new()),
                Ok(Err(error)) => fault(Kind::NoConnection, error.to_string()),
                Err(_) => fault(Kind::NoConnection, String::new()),
            };
        }
        Err(last)
    }

    /// tls, auth. Whoever is let in at the door may still be asked who he is at the repository, so that it is then looked at
    /// right away, and the result is given back. `Err`: there is nothing more to look at.
    async fn meet(&self, walk: &mut Walk, errand: &Errand<'_>, base: &Url, target: &Target) -> Result<Option<Looked>, ()> {
        let transport = &self.exchange.transport;
        let ground = transport.ground(&errand.repository.host);
        let certificate = ground.certificate.map(|from| format!("; a client certificate is at hand: {from}")).unwrap_or_default();
        let met = self.exchange.greet(errand, base).await;
        match (&met, base.scheme()) {
            (_, "http") => walk.skip("plain http"),
            (Err(shut), _) if !shut.is_met => {}
            _ => walk.ok(format!("trusted: {}{certificate}", ground.trust)),
        }
        let (early, shut) = match met {
            Ok(Meeting::Basic | Meeting::Bearer { .. }) => (None, None),
            Ok(Meeting::Open) => (Some(self.look(errand, target).await), None),
            Err(shut) if shut.has_answered => {
                // An answer to HEAD has no words: only those of the same question as a GET say whether a registry gave it.
                let found = match self.look(errand, target).await {
                    Ok(None) => self.compute(errand, target).await,
                    found => found,
                };
                let Ok(found) = found else {
                    walk.failed(shut.problem);
                    return Err(());
                };
                // The door alone is shut.
                (Some(Ok(found)), Some(shut.problem))
            }
            Err(shut) => {
                walk.failed(shut.problem);
                return Err(());
            }
        };
        let message = match self.exchange.met(base) {
            Meeting::Open => "no login is wanted".to_owned(),
            Meeting::Basic => "basic: a user and a password".to_owned(),
            Meeting::Bearer { realm, service } => {
                let service = service.map(|service| format!(" for {service}")).unwrap_or_default();
                format!("bearer: tokens{service} from {realm}")
            }
        };
        match shut {
            Some(problem) => walk.failed(problem.hint(
                "the repository itself answers, so that this program works; Flux and docker ask for /v2/ first, and may not",
            )),
            None if early.is_some() && !matches!(self.exchange.met(base), Meeting::Open) => {
                walk.ok(format!("{message}; none at the door, /v2/"));
            }
            None => walk.ok(message),
        }
        Ok(early)
    }

    /// login; whether it is a token itself.
    async fn login(&self, walk: &mut Walk, errand: &Errand<'_>) -> bool {
        match self.exchange.logins.find(errand.repository).await {
            Ok(Ok(found)) => {
                let kind = match &found.login {
                    Login::Basic { .. } => "a user and a password",
                    Login::Bearer(_) => "a token",
                    Login::Identity(_) => "a refresh token",
                };
                walk.ok(format!("{kind} from {}", found.from));
                matches!(found.login, Login::Bearer(_))
            }
            Ok(Err(looked)) => {
                walk.ok(format!("none is known; looked in {}", looked.join(", ")));
                false
            }
            Err(problem) => {
                walk.failed(problem);
                false
            }
        }
    }

    /// Begins an upload and ends it.
    async fn may_push(&self, errand: &Errand<'_>, base: &Url) -> Result<String, Problem> {
        let location = match self.open(errand, base).await? {
            Ok(location) => location,
            Err(answer) => return Err(self.exchange.explain(errand, &answer).await),
        };
        // Registries forget an upload that nobody goes on with; to end it at once is only polite.
        let ending = Errand { doing: Doing::Abandon, ..errand.clone() };
        let call = Call::write(Method::DELETE, location, None, &[]);
        let ended = self.exchange.perform(&ending, base, &call).await.is_ok_and(|answer| answer.status.is_success());
        let end = if ended { "was begun and ended" } else { "was begun, which the registry forgets by itself" };
        Ok(format!("allowed; an upload {end}, and nothing was stored"))
    }
}
