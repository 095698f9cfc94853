//! One request and its answer: TLS, proxies, redirects, size limits, time limits, repetition.
//!
//! Nothing here knows what a registry is. `Authorization` comes in from `exchange` and leaves this machine only towards
//! the origin that the call names.

use super::certificate;
use super::explain::Ground;
use super::fault::{Fault, Kind, Tls};
use super::origin;
use super::proxy::Proxies;
use super::retry;
use super::room::{Room, SMALL};
use super::tls::Trust;
use crate::net::Budget;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode, Url};
use runway_core::settings::PlainHttp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Redirects that are followed for one call; registries use one, to their storage.
const MAX_REDIRECTS: usize = 5;
/// Bytes of an answer that says no; more than that is not read.
const MAX_REFUSAL: usize = 16 << 10;
/// The longest that making a connection may take, and the longest silence while reading.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of a body that the slowest line takes in a second: a large upload is given the time that it needs.
const SLOWEST: usize = 32 << 10;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) accept: Option<&'static str>,
    pub(super) content_type: Option<&'a str>,
    pub(super) body: Option<&'a [u8]>,
    /// The largest answer that is read, in bytes.
    pub(super) limit: usize,
    /// Whether it may be made again after a failure.
    pub(super) repeatable: bool,
    /// Whether a redirect may lead to another origin.
    pub(super) may_leave: bool,
}

impl<'a> Call<'a> {
    /// A GET, which may be repeated.
    pub(super) fn get(url: Url, limit: usize) -> Self {
        let (accept, content_type, body) = (None, None, None);
        Self { method: Method::GET, url, accept, content_type, body, limit, repeatable: true, may_leave: true }
    }

    /// A HEAD, which may be repeated.
    pub(super) fn head(url: Url) -> Self {
        Self { method: Method::HEAD, ..Self::get(url, 0) }
    }

    /// Something with a body, which may not be repeated.
    pub(super) fn write(method: Method, url: Url, content_type: Option<&'a str>, body: &'a [u8]) -> Self {
        Self { method, content_type, body: Some(body), repeatable: false, ..Self::get(url, MAX_REFUSAL) }
    }
}

/// An answer with its body: whole when it is a success, cut to 16 KiB when it is not.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Who answered, after redirects.
    pub(super) url: Url,
    /// How often it was asked.
    pub(super) tries: u32,
    /// What it was asked with.
    pub(super) sent: Sent,
}

/// What a request had with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sent {
    /// No login.
    #[default]
    Nothing,
    /// A user and a password.
    Login,
    /// A token that is the login itself, and its end.
    Bearer(Option<Timestamp>),
    /// A token of a token endpoint: its number, and its end.
    Token(u64, Option<Timestamp>),
}

/// Who is asked as whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Papers<'a> {
    /// The registry that it is about, `host` or `host:port`; its authorities are trusted wherever it leads.
    pub(super) registry: &'a str,
    /// Goes to the origin of the call, and no further.
    pub(super) authorization: Option<&'a HeaderValue>,
    /// Whether the origin of the call may see the client certificate.
    pub(super) certificate: bool,
}

impl Answer {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Makes requests.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) budget: Budget,
    pub(super) plain: PlainHttp,
    pub(super) first_pause: Duration,
    trust: Trust,
    /// Proxies for whatever is not this machine.
    pub(super) proxies: Proxies,
    clients: Mutex<HashMap<Way, reqwest::Client>>,
    room: Room,
}

/// What tells clients apart: connections of one are never used for another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Way {
    local: bool,
    plain: bool,
    /// The registry, when it is met in a way of its own, and whether its client certificate is shown.
    own: Option<(String, bool)>,
}

impl Transport {
    /// A transport; connections and certificates come later, when they are needed.
    pub(super) fn new(budget: Budget, plain: PlainHttp, trust: Trust, proxies: Proxies) -> Self {
        Self { budget, plain, first_pause: retry::FIRST_PAUSE, trust, proxies, clients: Mutex::default(), room: Room::new() }
    }

    /// What requests about a registry stand on, for explanations.
    pub(super) fn ground(&self, registry: &str) -> Ground {
        Ground { trust: self.trust.shown(registry), certificate: self.trust.certificate(registry) }
    }

    /// Asks, again when that may help and the budget allows it, and gives the last answer.
    pub(super) async fn send(&self, call: &Call<'_>, papers: Papers<'_>) -> Result<Answer, Fault> {
        let mut tries = 1;
        loop {
            let mut result = self.once(call, papers).await;
            let asked = match &result {
                Ok(answer) if retry::is_transient(answer.status) => retry::after(&answer.headers),
                Err(fault) if fault.is_transient() => None,
                _ => return result,
            };
            let pause = asked.unwrap_or_else(|| retry::pause(self.first_pause, tries));
            if !call.repeatable || tries >= retry::TRIES || pause >= self.budget.per_request() {
                if let Ok(answer) = &mut result {
                    answer.tries = tries;
                }
                return result;
            }
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    /// One try, with its redirects. The login stays with the origin that it was made for.
    async fn once(&self, call: &Call<'_>, mut papers: Papers<'_>) -> Result<Answer, Fault> {
        let mut url = call.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.hop(call, &url, papers).await?;
            let followed = match answer.status.as_u16() {
                301..=303 => matches!(call.method, Method::GET | Method::HEAD),
                307 | 308 => true,
                _ => false,
            };
            if !followed {
                return Ok(answer);
            }
            let refused = |why: String| Fault::new(origin::host(&url), Kind::Redirect, why);
            let location = answer.header(LOCATION.as_str()).ok_or_else(|| refused("it names no address".to_owned()))?;
            let next = origin::follow(&url, location, self.plain, &call.url).map_err(refused)?;
            if !origin::same(&next, &call.url) {
                if !call.may_leave {
                    return Err(refused(format!("{} is another host, and the request carries a login", origin::shown(&next))));
                }
                papers = Papers { authorization: None, certificate: false, ..papers };
            }
            url = next;
        }
        Err(Fault::new(origin::host(&url), Kind::Redirect, format!("it is the {}th in a row", MAX_REDIRECTS + 1)))
    }

    async fn hop(&self, call: &Call<'_>, url: &Url, papers: Papers<'_>) -> Result<Answer, Fault> {
        let host = || origin::host(url);
        let mut request = self.client(url, papers)?.request(call.method.clone(), url.clone());
        if let Some(accept) = call.accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(content_type) = call.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(authorization) = papers.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(body) = call.body {
            request = request.body(body.to_vec());
        }
        let sending = Duration::from_secs((call.body.map_or(0, <[u8]>::len) / SLOWEST) as u64);
        let limit = if sending.is_zero() {
            self.budget.per_request()
        } else {
            self.budget.remaining().min(self.budget.per_request() + sending)
        };
        // A timer of zero still lets a quick answer through.
        if limit.is_zero() {
            return Err(Fault::new(host(), Kind::TimedOut(limit), ""));
        }
        let begun = self.budget.begun();
        let exchange = async {
            // Connections have a shorter limit of their own.
            let late = |limit: Duration| Fault {
                via: self.proxies.via(url),
                is_met: limit > CONNECT,
                ..Fault::new(host(), Kind::TimedOut(limit), "")
            };
            let fault = |error: reqwest::Error| Fault { via: self.proxies.via(url), ..Fault::of(&error, host()) };
            let response = tokio::time::timeout(limit, request.send()).await.map_err(|_| late(limit))?.map_err(fault)?;
            let left = self.budget.answer();
            tokio::time::timeout(left, read(response, call, url, &self.room)).await.map_err(|_| late(left))?
        };
        let result = exchange.await;
        let status = result.as_ref().ok().map(|answer| answer.status.as_u16());
        self.budget.ended(begun, call.method.as_str(), (&host(), url.path()), status);
        let fault = match result {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        // The library keeps the proxy's answer for itself.
        match fault.kind {
            Kind::NoTunnel(_) => {
                let status = self.budget.call(self.proxies.tunnel_status(url)).await.ok().flatten();
                Err(Fault { kind: Kind::NoTunnel(status), ..fault })
            }
            Kind::Tls(Tls::UnknownIssuer) if fault.via.is_none() => {
                let shown = self.budget.call(certificate::shown(url)).await.ok().flatten();
                let detail = shown.unwrap_or(fault.detail);
                Err(Fault { detail, ..Fault::new(fault.host, fault.kind, "") })
            }
            _ => Err(fault),
        }
    }

    /// The client for an address. This machine is never reached through a proxy, and loading the system's certificates
    /// takes longer than a whole request on loopback, so that plain http does without.
    fn client(&self, url: &Url, papers: Papers<'_>) -> Result<reqwest::Client, Fault> {
        let plain = url.scheme() == "http";
        let special = !plain && self.trust.is_special(papers.registry);
        let own = special.then(|| (papers.registry.to_owned(), papers.certificate));
        let way = Way { local: origin::is_loopback(url.host_str().unwrap_or_default()), plain, own };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&way) {
            return Ok(client.clone());
        }
        let setup = |detail: String| Fault::new(origin::host(url), Kind::Setup, detail);
        let builder = client_builder();
        // Windows and macOS keep proxies in their own settings as well.
        let may_be_set = self.proxies.is_any() || cfg!(any(windows, target_os = "macos"));
        let builder = if way.local || !may_be_set { builder.no_proxy() } else { builder };
        let builder = if way.local && plain {
            builder.tls_certs_only([])
        } else {
            self.trust.apply(builder, papers.registry, papers.certificate).map_err(setup)?
        };
        let client = builder.build().map_err(|error| setup(Fault::of(&error, String::new()).detail))?;
        clients.insert(way, client.clone());
        Ok(client)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
fn client_builder() -> reqwest::ClientBuilder {
    // An error says that somebody has installed it before, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .user_agent(concat!("kubectl-runway/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
}

/// Reads a body by counting what comes: what `Content-Length` promises is never believed, nor allocated.
async fn read(mut response: reqwest::Response, call: &Call<'_>, url: &Url, shared: &Room) -> Result<Answer, Fault> {
    let promised = response.content_length().and_then(|length| usize::try_from(length).ok());
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let limit = if status.is_success() { call.limit } else { MAX_REFUSAL };
    let (mut body, mut place) = (Vec::new(), None);
    loop {
        let chunk = match tokio::time::timeout(SILENCE, response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => break,
            // Half an explanation is better than none.
            Ok(Err(_)) | Err(_) if !status.is_success() => break,
            Ok(Err(error)) => return Err(Fault::of(&error, origin::host(url))),
            Err(_) => return Err(Fault::new(origin::host(url), Kind::TimedOut(SILENCE), "")),
        };
        if place.is_none() && body.len() + chunk.len() > SMALL {
            // More than it promises does not come: the connection sees to that.
            place = Some(shared.take(promised.map_or(limit, |length| length.min(limit))).await);
        }
        let room = limit.saturating_sub(body.len());
        if chunk.len() > room {
            if status.is_success() {
                return Err(Fault::new(origin::host(url), Kind::TooLarge(limit), ""));
            }
            body.extend(chunk.iter().take(room));
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body, url: url.clone(), tries: 1, sent: Sent::Nothing })
}
