//! A call with whatever login the registry asks for: what it wants is learnt from its first 401 and remembered.
//!
//! States of a host: unknown (nothing is sent along), then `Basic` or `Bearer`. Only one request meets an unknown host;
//! those beside it wait for its answer, so that thirty-two of them do not collect thirty-two refusals.

use super::challenge::{self, Challenge};
use super::docker;
use super::errand::{Access, Errand};
use super::explain::{self, Note, Origin};
use super::fault::Fault;
use super::gate::Gates;
use super::http::{Answer, Call, Papers, Sent, Transport};
use super::jwt::Claims;
use super::logins::{Found, Login, Logins};
use super::origin::{self, Untrusted};
use super::secret::Secret;
use super::sent::SentSecrets;
use super::token::{self, Failure, Fresh, Key, Reach, Tokens};
use super::words::{self, Word};
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use runway_core::problem::Problem;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Bytes of an answer to a greeting.
const MAX_GREETING: usize = 64 << 10;
/// Bytes of a token endpoint's answer; no server takes a header as large as this.
const MAX_TOKEN: usize = 64 << 10;

/// Makes calls to registries.
pub(super) struct Exchange {
    pub(super) transport: Transport,
    pub(super) logins: Logins,
    /// Hosts that may give tokens, beside those of a registry's own domain.
    pub(super) token_hosts: Vec<String>,
    sites: Mutex<HashMap<String, Arc<Site>>>,
    tokens: Tokens,
    gates: Gates,
    sent: Mutex<SentSecrets>,
}

/// A call without an answer.
pub(super) struct Trouble {
    pub(super) problem: Problem,
    /// Whether the connection failed, so that asking again may help.
    pub(super) is_transient: bool,
    /// Whether it may have been carried out nevertheless.
    pub(super) is_uncertain: bool,
    /// Whether the other end was met: past TLS, where it belongs.
    pub(super) is_met: bool,
}

/// A registry did not open its door.
pub(super) struct Shut {
    pub(super) problem: Problem,
    /// Whether it was met at all.
    pub(super) is_met: bool,
    /// Whether it has said something: then what lies behind the door may answer nevertheless.
    pub(super) has_answered: bool,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self { problem, is_transient: false, is_uncertain: false, is_met: false }
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        trouble.problem
    }
}

/// What a registry wants at its door.
#[derive(Debug)]
pub(super) enum Meeting {
    /// Nothing.
    Open,
    /// A user and a password.
    Basic,
    /// Tokens of this endpoint, as it may be shown.
    Bearer { realm: String, service: Option<String> },
}

/// What is known about a registry.
#[derive(Default)]
struct Site {
    contact: OnceCell<()>,
    scheme: Mutex<Scheme>,
    /// Scopes that the registry named besides those that its kind of names suggests.
    scopes: Mutex<HashMap<(String, Access), String>>,
}

#[derive(Debug, Clone, Default)]
enum Scheme {
    #[default]
    Unknown,
    Basic,
    Bearer {
        realm: Url,
        service: Option<String>,
    },
}

impl Exchange {
    /// Nothing is known yet.
    pub(super) fn new(transport: Transport, logins: Logins) -> Self {
        let (tokens, gates) = (Tokens::default(), Gates::default());
        let (token_hosts, sites, sent) = (Vec::new(), Mutex::default(), Mutex::default());
        Self { transport, logins, token_hosts, sites, tokens, gates, sent }
    }

    /// Makes a call to a registry (`base`), or to the place that it named for an upload, which gets no login when it is
    /// another origin. What is not a success comes back as it is; see [`Self::explain`].
    pub(super) async fn perform(&self, errand: &Errand<'_>, base: &Url, call: &Call<'_>) -> Result<Answer, Trouble> {
        if !origin::same(base, &call.url) {
            return self.send(errand, call, None, false).await;
        }
        let site = Arc::clone(locked(&self.sites).entry(base.as_str().to_owned()).or_default());
        let mut first = None;
        let meet = async || first = Some(self.attempt(errand, &site, base, call).await);
        site.contact.get_or_init(meet).await;
        let (mut answer, mut sent) = match first {
            Some(result) => result?,
            None => self.attempt(errand, &site, base, call).await?,
        };
        let mut renewed = false;
        while answer.status == 401 && origin::same(base, &answer.url) {
            let worn = match sent {
                Sent::Token(..) if renewed => break,
                Sent::Token(serial, _) => Some(serial),
                Sent::Nothing | Sent::Login | Sent::Bearer(_) => None,
            };
            renewed |= worn.is_some();
            if !self.learn(errand, &site, base, &answer, sent)? {
                break;
            }
            let (header, had) = self.authorization(errand, &site, worn).await?;
            if had == Sent::Nothing {
                break;
            }
            (answer, sent) = (self.knock(errand, base, call, (header.as_ref(), had)).await?, had);
        }
        if answer.status == 401 && sent != Sent::Nothing {
            self.logins.refuse();
        }
        answer.sent = sent;
        Ok(answer)
    }

    /// Asks a registry for itself, without a login.
    pub(super) async fn greet(&self, errand: &Errand<'_>, base: &Url) -> Result<Meeting, Shut> {
        let said = |problem| Shut { problem, is_met: true, has_answered: true };
        let url = base.join("v2/").map_err(|_| said(errand.problem().cause("its host is no host's name")))?;
        let site = Arc::clone(locked(&self.sites).entry(base.as_str().to_owned()).or_default());
        let answer = self.send(errand, &Call::get(url, MAX_GREETING), None, true).await.map_err(|trouble| Shut {
            problem: trouble.problem,
            is_met: trouble.is_met,
            has_answered: false,
        })?;
        if answer.status.is_success() {
            return Ok(Meeting::Open);
        }
        let learnt = answer.status == 401
            && origin::same(base, &answer.url)
            && self.learn(errand, &site, base, &answer, Sent::Nothing).map_err(said)?;
        if learnt {
            return Ok(self.met(base));
        }
        if answer.status == 404 {
            let problem = errand.problem().cause(format!("{} knows no /v2/, as every registry does", origin::host(&answer.url)));
            return Err(said(problem.hint("this is not what a registry answers; check the host")));
        }
        Err(said(self.explain(errand, &answer).await))
    }

    /// What a registry was found to want so far.
    pub(super) fn met(&self, base: &Url) -> Meeting {
        let site = locked(&self.sites).get(base.as_str()).map(Arc::clone);
        match site.map(|site| locked(&site.scheme).clone()).unwrap_or_default() {
            Scheme::Unknown => Meeting::Open,
            Scheme::Basic => Meeting::Basic,
            Scheme::Bearer { realm, service } => Meeting::Bearer { realm: origin::shown(&realm), service },
        }
    }

    /// What the token that this errand gets allows in its repository, as far as it says so.
    pub(super) async fn granted(&self, errand: &Errand<'_>, base: &Url) -> Result<Option<Vec<&'static str>>, Problem> {
        let site = Arc::clone(locked(&self.sites).entry(base.as_str().to_owned()).or_default());
        let scheme = locked(&site.scheme).clone();
        let Scheme::Bearer { realm, service } = scheme else { return Ok(None) };
        let found = self.logins.find(errand.repository).await?.ok();
        let token = self.token(errand, &site, &(realm, service), found, None).await?;
        Ok(token.claims.map(|claims| claims.allows(&repository_name(errand))))
    }

    /// Turns an answer that says no into a problem.
    pub(super) async fn explain(&self, errand: &Errand<'_>, answer: &Answer) -> Problem {
        let base = origin::base(&errand.repository.host, self.transport.plain);
        let is_foreign = !base.as_ref().is_some_and(|base| origin::same(base, &answer.url));
        let site = base.and_then(|base| locked(&self.sites).get(base.as_str()).map(Arc::clone)).filter(|_| !is_foreign);
        let scheme = site.map_or(Scheme::Unknown, |site| locked(&site.scheme).clone());
        let (login, realm) = match scheme {
            Scheme::Unknown => (Origin::NotAsked, None),
            Scheme::Basic => (self.login_of(errand).await, None),
            Scheme::Bearer { realm, .. } => (self.login_of(errand).await, Some(origin::shown(&realm))),
        };
        let note = Note { login, realm, is_foreign, said: self.said(answer) };
        explain::answer(errand, answer, &note)
    }

    /// Where the login came from that a request had.
    async fn login_of(&self, errand: &Errand<'_>) -> Origin {
        match self.logins.find(errand.repository).await {
            Ok(Ok(found)) => Origin::Found(found.from),
            Ok(Err(looked)) => Origin::Nowhere(looked),
            Err(problem) => Origin::Nowhere(vec![problem.to_string()]),
        }
    }

    async fn attempt(&self, errand: &Errand<'_>, site: &Site, base: &Url, call: &Call<'_>) -> Result<(Answer, Sent), Trouble> {
        let (header, sent) = self.authorization(errand, site, None).await?;
        Ok((self.knock(errand, base, call, (header.as_ref(), sent)).await?, sent))
    }

    /// Asks a registry; with a login only as long as it takes it.
    async fn knock(
        &self,
        errand: &Errand<'_>,
        base: &Url,
        call: &Call<'_>,
        (header, sent): (Option<&HeaderValue>, Sent),
    ) -> Result<Answer, Trouble> {
        let ask = async || self.send(errand, call, header, true).await;
        match (header, sent) {
            (Some(login), Sent::Login | Sent::Bearer(_)) => Box::pin(self.gates.pass(base, login, ask)).await,
            _ => ask().await,
        }
    }

    /// `is_home`: whoever is asked may see the login, and the client certificate.
    async fn send(
        &self,
        errand: &Errand<'_>,
        call: &Call<'_>,
        header: Option<&HeaderValue>,
        is_home: bool,
    ) -> Result<Answer, Trouble> {
        let registry = &errand.repository.host;
        let papers = Papers { registry, authorization: header, certificate: is_home };
        Box::pin(self.transport.send(call, papers)).await.map_err(|fault| {
            let fault = Fault { host: self.scrub(&fault.host), detail: self.scrub(&fault.detail), ..fault };
            let problem = explain::fault(errand, &fault, &self.transport.ground(registry));
            let (is_transient, is_uncertain) = (fault.is_transient(), fault.is_uncertain());
            Trouble { problem, is_transient, is_uncertain, is_met: fault.is_met }
        })
    }

    /// What goes into `Authorization`, by what is known about the registry.
    async fn authorization(
        &self,
        errand: &Errand<'_>,
        site: &Site,
        worn: Option<u64>,
    ) -> Result<(Option<HeaderValue>, Sent), Problem> {
        let scheme = locked(&site.scheme).clone();
        if matches!(scheme, Scheme::Unknown) {
            return Ok((None, Sent::Nothing));
        }
        let found = self.logins.find(errand.repository).await?.ok();
        match (scheme, found) {
            (_, Some(Found { login: Login::Bearer(token), .. })) => {
                let end = Claims::of(token.expose()).and_then(|claims| claims.end());
                Ok((Some(self.header(errand, &token, token::bearer(&token))?), Sent::Bearer(end)))
            }
            (Scheme::Bearer { realm, service }, found) => {
                let token = self.token(errand, site, &(realm, service), found, worn).await?;
                let end = token.claims.as_ref().and_then(|claims| claims.end());
                Ok((Some(token.header), Sent::Token(token.serial, end)))
            }
            (_, Some(Found { login: Login::Basic { user, password }, .. })) => {
                let basic = docker::basic(&user, &password);
                self.remember(password);
                Ok((Some(self.header(errand, &basic, token::sensitive(basic.expose()))?), Sent::Login))
            }
            (_, Some(Found { login: Login::Identity(_), from })) => Err(errand
                .problem()
                .cause(format!("the login from {from} is an identity token, and this registry wants a user and a password"))
                .hint(format!("run `docker login {}` again", errand.repository.host))),
            (_, None) => Ok((None, Sent::Nothing)),
        }
    }

    fn header(&self, errand: &Errand<'_>, secret: &Secret, header: Option<HeaderValue>) -> Result<HeaderValue, Problem> {
        self.remember(secret.clone());
        header.ok_or_else(|| errand.problem().cause("the login has characters that cannot be sent (a line break at its end?)"))
    }

    /// Learns from a 401 what to send next time; `false` when there is nothing better to send.
    fn learn(&self, errand: &Errand<'_>, site: &Site, base: &Url, answer: &Answer, sent: Sent) -> Result<bool, Problem> {
        let offered = challenge::all(&answer.headers);
        let by = |scheme: &str| offered.iter().find(|challenge| challenge.scheme == scheme);
        match (by("bearer"), by("basic"), sent) {
            (Some(bearer), _, Sent::Token(..)) if bearer.get("error") == Some("insufficient_scope") => {
                Ok(learn_scope(errand, site, bearer))
            }
            (_, _, Sent::Token(..)) => Ok(true),
            (Some(bearer), _, Sent::Nothing | Sent::Login | Sent::Bearer(_)) => {
                let named = bearer.get("realm").unwrap_or_default();
                let realm = origin::realm(base, named, &self.token_hosts).map_err(|it| {
                    let it = Untrusted { why: self.scrub(&it.why), host: it.host.map(|host| self.scrub(&host)) };
                    explain::realm(errand, &self.scrub(named), &it)
                })?;
                let known = matches!(&*locked(&site.scheme), Scheme::Bearer { .. });
                let service = bearer.get("service").map(str::to_owned);
                *locked(&site.scheme) = Scheme::Bearer { realm, service };
                Ok(sent == Sent::Nothing || !known)
            }
            (None, Some(_), Sent::Nothing) => {
                *locked(&site.scheme) = Scheme::Basic;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn token(
        &self,
        errand: &Errand<'_>,
        site: &Site,
        (realm, service): &(Url, Option<String>),
        found: Option<Found>,
        worn: Option<u64>,
    ) -> Result<token::Token, Problem> {
        let name = repository_name(errand);
        let key = |access: Access| {
            let own = format!("repository:{name}:{}", access.actions());
            let more = locked(&site.scopes).get(&(name.clone(), access)).cloned();
            // A mount needs the right to read where the blob is; whoever has it not gets a token that allows less.
            let near = errand.near.map(|near| format!("repository:{}:pull", near.name));
            Key {
                realm: realm.clone(),
                service: service.clone(),
                scopes: [Some(own), more, near].into_iter().flatten().collect(),
            }
        };
        // The right to write includes the right to read.
        let ready = if errand.access() == Access::Pull { self.tokens.ready(&key(Access::Push)) } else { None };
        if let Some(token) = ready.filter(|token| Some(token.serial) != worn) {
            return Ok(token);
        }
        let key = key(errand.access());
        let login = found.as_ref().map(|found| found.from.clone());
        let asked = key.clone();
        let ask = async || Box::pin(self.ask(errand, &asked, found)).await;
        self.tokens.get(key, worn, login, ask).await.map_err(|failure| {
            // The failure may be that of another request for the same: its reasons hold, its place does not.
            let theirs = failure.problem;
            Problem { causes: theirs.causes, hints: theirs.hints, ..errand.problem() }
        })
    }

    /// Asks a token endpoint, which `origin::realm` has let pass.
    async fn ask(&self, errand: &Errand<'_>, key: &Key, found: Option<Found>) -> Result<Fresh, Failure> {
        let login = found.as_ref().map(|found| found.login.clone());
        let mut url = key.realm.clone();
        let form = if let Some(Login::Identity(token)) = &login {
            let pairs = [("grant_type", "refresh_token"), ("refresh_token", token.expose()), ("client_id", "kubectl-runway")];
            self.remember(token.clone());
            Some(query(&key.realm, &pairs, key).query().unwrap_or_default().to_owned())
        } else {
            url = query(&key.realm, &[], key);
            None
        };
        let mut call = match &form {
            Some(form) => Call {
                limit: MAX_TOKEN,
                ..Call::write(Method::POST, url, Some("application/x-www-form-urlencoded"), form.as_bytes())
            },
            None => Call::get(url, MAX_TOKEN),
        };
        // Without a login there is nothing that the way could take elsewhere.
        call.may_leave = login.is_none();
        let general = |problem: Problem| Failure { problem, reach: Reach::Endpoint };
        let header = match &login {
            Some(Login::Basic { user, password }) => {
                let basic = docker::basic(user, password);
                self.remember(password.clone());
                Some(self.header(errand, &basic, token::sensitive(basic.expose())).map_err(general)?)
            }
            _ => None,
        };
        let answer = self.send(errand, &call, header.as_ref(), true).await.map_err(|trouble| general(trouble.problem))?;
        if !answer.status.is_success() {
            if answer.status == 401 {
                self.logins.refuse();
            }
            let login = match found {
                Some(found) => Origin::Found(found.from),
                None => self.login_of(errand).await,
            };
            let note = Note { login, realm: None, is_foreign: false, said: self.said(&answer) };
            let reach = match answer.status.as_u16() {
                401 => Reach::Login,
                408 | 429 | 500.. => Reach::Endpoint,
                _ => Reach::Scope,
            };
            return Err(Failure { problem: explain::token(errand, &answer, &note), reach });
        }
        let fresh = Fresh::read(&answer.body).map_err(|why| {
            let realm = origin::shown(&answer.url);
            let problem = errand.problem().cause(format!("no token from {realm}: {why}"));
            general(problem.hint("the registry or a proxy before its token endpoint is set up wrongly"))
        })?;
        locked(&self.sent).token(fresh.header.clone());
        Ok(fresh)
    }

    fn remember(&self, secret: Secret) {
        locked(&self.sent).login(secret);
    }

    /// What an answer says.
    fn said(&self, answer: &Answer) -> Vec<Word> {
        words::read(&answer.body, &|text| self.scrub(text))
    }

    /// Takes secrets that were sent out of the words of whoever got them.
    pub(super) fn scrub(&self, text: &str) -> String {
        locked(&self.sent).scrub(text)
    }

    /// The same for a text that has words of our own in it.
    pub(super) fn clean_text(&self, text: &str) -> String {
        locked(&self.sent).clean_text(text)
    }

    /// A problem as it may leave the client.
    pub(super) fn clean(&self, problem: Problem) -> Problem {
        locked(&self.sent).clean(problem)
    }
}

/// Remembers the scope that a registry asks for instead of the usual one, unless it is for more than the errand needs.
fn learn_scope(errand: &Errand<'_>, site: &Site, bearer: &Challenge) -> bool {
    let Some(scope) = bearer.get("scope") else { return false };
    let mut parts = scope.splitn(2, ':');
    let (kind, rest) = (parts.next(), parts.next().unwrap_or_default());
    let Some((name, actions)) = rest.rsplit_once(':') else { return false };
    let allowed: Vec<&str> = errand.access().actions().split(',').collect();
    let ours = repository_name(errand);
    let usual = name == ours;
    if kind != Some("repository") || usual || scope.contains(' ') || !actions.split(',').all(|action| allowed.contains(&action)) {
        return false;
    }
    locked(&site.scopes).insert((ours, errand.access()), scope.to_owned()).is_none()
}

/// The repository's name in scopes and paths; Docker Hub's own images have a folder that nobody writes.
pub(super) fn repository_name(errand: &Errand<'_>) -> String {
    let name = &errand.repository.name;
    if origin::is_docker_hub(&errand.repository.host) && !name.contains('/') { format!("library/{name}") } else { name.clone() }
}

/// The endpoint's address with the questions in it.
fn query(realm: &Url, pairs: &[(&str, &str)], key: &Key) -> Url {
    let mut url = realm.clone();
    // For a form, what the realm itself asks stays in its address.
    if !pairs.is_empty() {
        url.set_query(None);
    }
    // A form has one scope with spaces in it (RFC 6749), a query one for each (the token specification).
    let scopes = if pairs.is_empty() { key.scopes.clone() } else { vec![key.scopes.join(" ")] };
    let scopes = scopes.iter().map(|scope| ("scope", scope.as_str()));
    let service = key.service.iter().map(|service| ("service", service.as_str()));
    url.query_pairs_mut().extend_pairs(pairs.iter().copied().chain(service).chain(scopes));
    url
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
