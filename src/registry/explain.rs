//! Failures in words: what, why, and what to do next, told apart by what they are.

use super::challenge;
use super::errand::{Access, Doing, Errand};
use super::fault::{Fault, Kind, Tls, Via};
use super::http::{Answer, Sent};
use super::origin::{self, Untrusted};
use super::retry;
use super::words::{self, Word};
use crate::clock;
use jiff::Timestamp;
use reqwest::StatusCode;
use runway_core::flux::reference::Target;
use runway_core::problem::Problem;

/// For a registry that may not speak TLS.
const PLAIN: &str = "if it is a plain http registry on a trusted network: --plain-http, or registry.plainHttp: \"true\"";

/// Beginnings of causes that hold for a whole registry, whichever repository was asked for.
const NO_ADDRESS: &str = "no address: ";
const REFUSED: &str = "connection refused: ";
const NO_CONNECTION: &str = "no connection to ";
const NO_TLS: &str = "no TLS connection: ";
const WRONG_LOGIN: &str = "wrong login: ";
const PROXY_LOGIN: &str = "no way through the proxy: ";
const EXPIRED_LOGIN: &str = "expired login: ";
const UNTRUSTED: &str = "its token endpoint is not trusted: ";

/// Whether a registry cannot be asked at all, or does not accept who we are: asking it for other repositories would end
/// the same, and many wrong logins lock the user out.
pub(crate) fn ends_the_asking(problem: &Problem) -> bool {
    let whole = [NO_ADDRESS, REFUSED, NO_CONNECTION, NO_TLS, WRONG_LOGIN, EXPIRED_LOGIN, PROXY_LOGIN, UNTRUSTED];
    problem.causes.iter().any(|cause| whole.iter().any(|start| cause.starts_with(start)))
}

/// Whether it does not accept who we are: no waiting changes that.
pub(crate) fn refuses_us(problem: &Problem) -> bool {
    let whole = [WRONG_LOGIN, EXPIRED_LOGIN, PROXY_LOGIN, UNTRUSTED];
    problem.causes.iter().any(|cause| whole.iter().any(|start| cause.starts_with(start)))
}

/// What is known about the login that a request had.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) login: Origin,
    /// The token endpoint, when the registry works with tokens.
    pub(super) realm: Option<String>,
    /// The answer came from another host, to which the registry had sent the request on.
    pub(super) is_foreign: bool,
    /// What the answer says, without secrets.
    pub(super) said: Vec<Word>,
}

/// Where a login came from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The registry has asked for none that is known here.
    NotAsked,
    /// From here.
    Found(String),
    /// None was found in all these places.
    Nowhere(Vec<String>),
}

impl Note {
    /// One sentence about the login.
    fn sentence(&self) -> String {
        match &self.login {
            Origin::NotAsked => "no login was sent, since none was asked for".to_owned(),
            Origin::Found(from) => format!("the login came from {from}"),
            Origin::Nowhere(looked) => format!("no login was found; looked in {}", looked.join(", ")),
        }
    }
}

/// What a request stands on.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    /// Which authorities are trusted.
    pub(super) trust: String,
    /// Where the client certificate comes from, if there is one.
    pub(super) certificate: Option<String>,
}

/// A request without an answer.
pub(super) fn fault(errand: &Errand<'_>, fault: &Fault, ground: &Ground) -> Problem {
    // What failed may be the proxy, or what is behind it. Nothing is said of plain http then: whoever is on the way would read
    // the login.
    let between = fault.via.as_ref().filter(|via| match &fault.kind {
        Kind::Tls(why) => via.speaks_tls || *why == Tls::Absent,
        Kind::Broken => !fault.is_met,
        _ => false,
    });
    let problem = match between {
        Some(via) => through_proxy(errand.problem(), &fault.host, via),
        None => unanswered(errand, fault, ground),
    };
    let problem = if fault.detail.is_empty() { problem } else { problem.cause(fault.detail.clone()) };
    match (&fault.kind, &fault.via) {
        (Kind::TooLarge(_) | Kind::Redirect | Kind::Setup | Kind::ProxyLogin, _) | (_, None) => problem,
        (_, Some(Via { name, .. })) => {
            problem.hint(format!("{} is asked through {name}, unless NO_PROXY names it; is that right?", fault.host))
        }
    }
}

fn unanswered(errand: &Errand<'_>, fault: &Fault, ground: &Ground) -> Problem {
    // What keeps a connection from being made is the proxy's, when there is one.
    let (host, next) = (&fault.host, fault.via.as_ref().map_or(&fault.host, |via| &via.name));
    let problem = errand.problem();
    match &fault.kind {
        Kind::Dns => problem
            .cause(format!("{NO_ADDRESS}the name of {next} is not known"))
            .hint("check the spelling of the host, and whether this machine's network (or VPN) knows it"),
        Kind::ConnectionRefused => {
            problem.cause(format!("{REFUSED}nothing listens on {next}")).hint("check the port, and whether the registry runs")
        }
        Kind::NoConnection => problem.cause(format!("{NO_CONNECTION}{next} in time")).hint("check the network and its firewalls"),
        Kind::Tls(why) => tls(problem, *why, host, &errand.repository.host, ground),
        // Some servers close the connection when they are spoken to in TLS and do not know it.
        Kind::Broken if fault.detail.contains("tls handshake") => {
            problem.cause(format!("the connection to {host} broke")).hint(PLAIN)
        }
        Kind::Broken => problem.cause(format!("the connection to {host} broke")).hint("try again"),
        Kind::TimedOut(limit) => problem
            .cause(if limit.is_zero() {
                "the time for the whole command is over".to_owned()
            } else {
                format!("{host} gave no complete answer within {}", seconds(limit.as_secs_f64()))
            })
            .hint("try again, or allow more time with --timeout"),
        Kind::TooLarge(limit) => problem
            .cause(format!("the answer of {host} is larger than {}", bytes(*limit)))
            .hint("this is not what a registry answers; check the reference"),
        Kind::Redirect => problem
            .cause(format!("{host} redirects, and this is not followed"))
            .hint("a registry or a proxy before it is set up wrongly; tell its administrators"),
        Kind::ProxyLogin => proxy_login(problem, next),
        Kind::NoTunnel(status) => no_tunnel(problem, host, next, *status),
        Kind::Setup => problem
            .cause(format!("the request to {host} cannot be made"))
            .hint("look at what is named here: a file of certificates, or a variable that names one"),
    }
}

/// A proxy that does not let the request through.
fn proxy_login(problem: Problem, proxy: &str) -> Problem {
    problem
        .cause(format!("{PROXY_LOGIN}{proxy} wants a login, or another one"))
        .hint("write it into the variable that names the proxy: http://USER:PASSWORD@HOST:PORT, with %40 for an @ of its own")
}

/// A proxy that leads nowhere.
fn no_tunnel(problem: Problem, host: &str, proxy: &str, status: Option<StatusCode>) -> Problem {
    let said = status.map_or_else(|| "without a status".to_owned(), |status| format!("it answered {status}"));
    let problem = problem.cause(format!("{PROXY_LOGIN}{proxy} makes no tunnel to {host} ({said})"));
    match status.map(|status| status.as_u16()) {
        Some(502..=504) => {
            problem.hint(format!("it does not reach {host} itself: is the name right, and known where the proxy is?"))
        }
        _ => problem.hint(format!("its rules may not let {host} through; ask whoever runs it")),
    }
}

/// No connection came about on a way through a proxy: what failed may be either of the two.
fn through_proxy(problem: Problem, host: &str, via: &Via) -> Problem {
    let Via { name, variable, speaks_tls } = via;
    let problem = problem.cause(format!("{PROXY_LOGIN}no connection to {host} came about through {name}"));
    if *speaks_tls {
        problem.hint(format!("{variable} begins with https://, so that the proxy itself is spoken to in TLS; most want http://"))
    } else {
        problem.hint(format!("is it a proxy of the kind that {variable} says (http://, socks5h://), and does {host} speak TLS?"))
    }
}

fn tls(problem: Problem, why: Tls, host: &str, registry: &str, ground: &Ground) -> Problem {
    match why {
        Tls::UnknownIssuer => problem
            .cause(format!(
                "{NO_TLS}the certificate of {host} is signed by an authority that is not trusted here ({})",
                ground.trust
            ))
            .hint("if that is right, name the authority's certificate: --ca-file FILE.pem, or SSL_CERT_FILE=FILE.pem"),
        Tls::Expired => problem
            .cause(format!("{NO_TLS}the certificate of {host} has expired"))
            .hint("tell the registry's administrators; or is this machine's clock wrong?"),
        Tls::NotYetValid => {
            problem.cause(format!("{NO_TLS}the certificate of {host} is not valid yet")).hint("check this machine's clock")
        }
        Tls::WrongName => problem
            .cause(format!("{NO_TLS}the certificate of {host} is for another name"))
            .hint("use the name that the certificate has, or tell the registry's administrators"),
        Tls::Absent => problem.cause(format!("{NO_TLS}{host} does not speak it")).hint(PLAIN),
        Tls::ClientCertificate => problem
            .cause(format!("{NO_TLS}{host} wants a client certificate"))
            .hint(format!(
                "name one: --cert-file FILE.pem and --key-file FILE.pem, or put client.cert and client.key into ~/.config/containers/certs.d/{registry}"
            )),
        Tls::CertificateRefused => problem
            .cause(format!("{NO_TLS}{host} does not take the client certificate"))
            .cause(match &ground.certificate {
                Some(from) => format!("it came from {from}"),
                None => "none was shown".to_owned(),
            })
            .hint("it must be signed by an authority that the registry trusts, and not be over"),
        Tls::Other => problem
            .cause(format!("{NO_TLS}the handshake with {host} failed"))
            .hint("it may speak another version of TLS, or not be a registry; tell its administrators what is said here"),
    }
}

/// An answer that says no.
pub(super) fn answer(errand: &Errand<'_>, answer: &Answer, note: &Note) -> Problem {
    let problem = errand.problem().cause(headline(answer, &note.said));
    if note.is_foreign && !words::says_absent(&answer.body) {
        return elsewhere(problem, errand, answer);
    }
    match answer.status.as_u16() {
        401 => unauthorized(problem, errand, answer, note),
        407 => proxy_login(problem, "the proxy"),
        429 => too_many(problem, answer),
        code if code == 413 || code == 507 || is_quota(&note.said) => problem
            .cause("the registry has no room for it: a limit of storage or of upload size is reached")
            .hint("delete old tags, or have the limit raised"),
        403 if answer.sent != Sent::Nothing && is_over(&note.said) => {
            problem.cause(format!("{EXPIRED_LOGIN}{}", note.sentence())).hint(renew(errand, note))
        }
        403 => problem.cause(note.sentence()).hint(rights(errand, note)),
        404 => not_there(problem, errand, note, words::says_absent(&answer.body)),
        408 | 500.. => problem.hint("the registry has trouble; try again later, and look at its status page"),
        _ => invalid(problem, errand, &note.said),
    }
}

/// A no of somebody to whom the registry has sent the request on, mostly its storage. No login goes there.
fn elsewhere(problem: Problem, errand: &Errand<'_>, answer: &Answer) -> Problem {
    let registry = &errand.repository.host;
    let problem = problem.cause(format!("that is where {registry} sends such requests (its storage?), not {registry} itself"));
    match answer.status.as_u16() {
        429 => too_many(problem, answer),
        408 | 500.. => problem.hint("it has trouble; try again later, and look at the registry's status page"),
        _ => problem
            .hint("try again: such addresses are good for a short time; is the clock right, here and there?")
            .hint(format!("if it goes on, tell the administrators of {registry}: a login here is not what is missing")),
    }
}

/// `<host> answered 403 Forbidden: DENIED: …`.
fn headline(answer: &Answer, said: &[Word]) -> String {
    let times = if answer.tries > 1 { format!(" ({} times)", answer.tries) } else { String::new() };
    let line = words::line(said).map(|line| format!(": {line}")).unwrap_or_default();
    format!("{} answered {}{times}{line}", origin::host(&answer.url), answer.status)
}

fn unauthorized(problem: Problem, errand: &Errand<'_>, answer: &Answer, note: &Note) -> Problem {
    let offered = challenge::all(&answer.headers);
    let error = offered.iter().find_map(|challenge| challenge.get("error"));
    let offer: Vec<&str> = offered.iter().map(|challenge| known(&challenge.scheme)).collect();
    let offer = if offer.is_empty() { "without saying how".to_owned() } else { offer.join(", ") };
    if let Some(problem) = expired(&problem, errand, answer.sent, note) {
        return problem;
    }
    match (error, &note.login, &note.realm) {
        (_, Origin::NotAsked, _) => problem
            .cause(format!("it wants a login ({offer}), and none of a kind that is known here (basic, bearer)"))
            .hint("this is not what a registry answers; check the reference"),
        (_, Origin::Nowhere(_), _) => {
            problem.cause(format!("it wants a login ({offer})")).cause(note.sentence()).hint(log_in(errand))
        }
        (Some("insufficient_scope"), Origin::Found(_), _) => problem
            .cause(format!("insufficient scope: the login may not {}", verb(errand)))
            .cause(note.sentence())
            .hint(rights(errand, note)),
        (_, Origin::Found(_), Some(realm)) if matches!(answer.sent, Sent::Token(..)) => problem
            .cause(format!("invalid token: the registry does not take the token that {realm} gave"))
            .cause(note.sentence())
            .hint("are the clocks right, here and there? Otherwise the registry and its token endpoint do not belong together"),
        (_, Origin::Found(_), _) => {
            let is_bare = matches!(answer.sent, Sent::Bearer(_));
            problem.cause(format!("{WRONG_LOGIN}{}", note.sentence())).hint(login_hint(errand, note, is_bare))
        }
    }
}

/// A refusal of something whose time is over, when that can be known: a token says when it ends, and some registries say
/// that a login has.
fn expired(problem: &Problem, errand: &Errand<'_>, sent: Sent, note: &Note) -> Option<Problem> {
    let over = |end: Option<Timestamp>| end.filter(|end| *end <= clock::now());
    match (sent, &note.realm) {
        (Sent::Bearer(end), _) if over(end).is_some() => {
            let end = over(end).map(|end| format!(", a token that ended at {end}")).unwrap_or_default();
            Some(problem.clone().cause(format!("{EXPIRED_LOGIN}{}{end}", note.sentence())).hint(renew(errand, note)))
        }
        (Sent::Token(_, end), Some(realm)) if over(end).is_some() => {
            let end = over(end).map(|end| end.to_string()).unwrap_or_default();
            let problem = problem.clone().cause(format!("expired token: the one that {realm} gave ended at {end}"));
            Some(problem.cause(note.sentence()).hint(
                "are the clocks right, here and there? Otherwise the token endpoint gives tokens that are over; tell its administrators",
            ))
        }
        (Sent::Nothing, _) => None,
        _ if is_over(&note.said) => {
            Some(problem.clone().cause(format!("{EXPIRED_LOGIN}{}", note.sentence())).hint(renew(errand, note)))
        }
        _ => None,
    }
}

/// Whether a registry says that the time of a login is over; other things end too, such as a group's subscription.
fn is_over(said: &[Word]) -> bool {
    let logins = ["token", "credential", "password", "login", "session", "jwt", "authoriz", "authentic", "grant"];
    said.iter().any(|word| {
        let text = word.message.to_ascii_lowercase();
        text.contains("expired") && logins.iter().any(|login| text.contains(login))
    })
}

/// How a login is renewed.
fn renew(errand: &Errand<'_>, note: &Note) -> String {
    login_hint(errand, note, false)
}

/// What to do about a login that is not taken; `is_bare`: it was sent as the registry's own token.
fn login_hint(errand: &Errand<'_>, note: &Note, is_bare: bool) -> String {
    match &note.login {
        Origin::Found(from) if from.starts_with("CI_") => {
            "a job's login is over when its job is; use the variables of the running job".to_owned()
        }
        Origin::Found(from) if from == super::logins::HANDED_IN && is_bare => {
            "without --registry-user it is taken as the registry's own token; add --registry-user NAME for a password or an access \
             token such as GitLab's"
                .to_owned()
        }
        Origin::Found(from) if from == super::logins::HANDED_IN => "hand in a new one".to_owned(),
        Origin::Found(_) | Origin::NotAsked | Origin::Nowhere(_) => {
            format!("renew it: docker login {}", errand.repository.host)
        }
    }
}

/// A scheme's name; anything else in its place is not repeated.
fn known(scheme: &str) -> &'static str {
    let all = ["basic", "bearer", "digest", "negotiate", "ntlm"];
    all.into_iter().find(|name| *name == scheme).unwrap_or("something else")
}

fn too_many(problem: Problem, answer: &Answer) -> Problem {
    match retry::after(&answer.headers) {
        Some(wait) => problem.hint(format!("too many requests: try again in {}", seconds(wait.as_secs_f64()))),
        None => problem.hint("too many requests: try again later; with a login the limit is often higher"),
    }
}

/// `is_word`: the registry itself says it.
fn not_there(problem: Problem, errand: &Errand<'_>, note: &Note, is_word: bool) -> Problem {
    let repository = &errand.repository;
    let path = "check the path; on GitLab the project must exist and have its container registry switched on";
    match (errand.doing, &errand.target) {
        (Doing::Fetch, _) => problem
            .cause("the manifest is there, but a blob that it names is not")
            .hint("the registry has lost it (a clean-up?); push the artifact again"),
        // Some registries hide like this what they refuse.
        _ if words::has(&note.said, "DENIED") || words::has(&note.said, "UNAUTHORIZED") => {
            problem.cause(note.sentence()).hint(rights(errand, note))
        }
        _ if !is_word => problem
            .cause("no registry says so, and whether it is there is not known")
            .hint("an ingress or a proxy answers like this when no registry is behind it: check the host and the path"),
        (Doing::Read, Some(target)) if words::has(&note.said, "MANIFEST_UNKNOWN") => {
            let (kind, name) = match target {
                Target::Tag(tag) => ("tag", tag),
                Target::Digest(digest) => ("digest", digest),
            };
            problem
                .cause(format!("{} has no {kind} {name}", repository.name))
                .hint(format!("the tags that it has: kubectl runway inventory list oci://{repository}"))
                .hint("nothing was pushed there yet, or somebody has removed it")
        }
        (Doing::Read, _) if !words::has(&note.said, "NAME_UNKNOWN") => problem
            .cause(format!("either there is no repository {}, or it has nothing of that name", repository.name))
            .cause(note.sentence())
            .hint(path),
        _ => problem
            .cause(format!("there is no repository {}, or this login may not see it", repository.name))
            .cause(note.sentence())
            .hint(path),
    }
}

fn invalid(problem: Problem, errand: &Errand<'_>, said: &[Word]) -> Problem {
    let any = |part: &str| said.iter().any(|word| word.message.to_ascii_lowercase().contains(part));
    if any("http request to an https server") || any("http request was sent to https port") {
        return problem.hint("the registry speaks TLS: set registry.plainHttp: \"false\", on loopback too");
    }
    if any("media type") || any("mediatype") || any("media-type") {
        return problem
            .cause("media type refused: the registry does not take Flux artifacts as they are")
            .hint("ask its administrators to permit OCI artifacts with Flux's media types");
    }
    if words::has(said, "MANIFEST_INVALID") {
        return problem
            .cause("the registry does not take the manifest, for a reason of its own")
            .hint("its words say why, or its log does; a proxy before it may have cut the request");
    }
    if words::has(said, "MANIFEST_BLOB_UNKNOWN") {
        return problem
            .cause("a blob that was uploaded a moment ago is not there any more")
            .hint("a clean-up of the registry may be running; try again");
    }
    if words::has(said, "DENIED") {
        return problem.hint(format!("the registry's rules do not let this login {}", verb(errand)));
    }
    problem
}

/// The token endpoint says no.
pub(super) fn token(errand: &Errand<'_>, answer: &Answer, note: &Note) -> Problem {
    let realm = origin::shown(&answer.url);
    let line = words::line(&note.said).map(|line| format!(": {line}")).unwrap_or_default();
    let times = if answer.tries > 1 { format!(" ({} times)", answer.tries) } else { String::new() };
    let problem = errand.problem().cause(format!("no token from {realm}: {}{times}{line}", answer.status));
    match (answer.status.as_u16(), &note.login) {
        (429, _) => too_many(problem, answer),
        (408 | 500.., _) => problem.hint("the token endpoint has trouble; try again later"),
        (401 | 403 | 404, Origin::Nowhere(_)) => problem.cause(note.sentence()).hint(log_in(errand)),
        // A refresh token that is over, in OAuth2's words.
        (400 | 401 | 403, Origin::Found(_)) if is_over(&note.said) || words::has(&note.said, "invalid_grant") => {
            problem.cause(format!("{EXPIRED_LOGIN}{}", note.sentence())).hint(renew(errand, note))
        }
        (401, Origin::Found(_)) => problem.cause(format!("{WRONG_LOGIN}{}", note.sentence())).hint(renew(errand, note)),
        (400..500, Origin::Found(_)) => problem.cause(note.sentence()).hint(rights(errand, note)),
        _ => problem.cause(note.sentence()),
    }
}

/// The registry names a token endpoint that gets no login.
pub(super) fn realm(errand: &Errand<'_>, realm: &str, untrusted: &Untrusted) -> Problem {
    let problem = errand.problem().cause(format!("{UNTRUSTED}{}", runway_core::text::head(realm, 300)));
    let problem = problem.cause(untrusted.why.clone());
    match &untrusted.host {
        Some(host) => problem.hint(format!(
            "no login was sent there; if it is right (a GitLab whose registry has a domain of its own), allow it: registry.tokenHosts: [\"{host}\"], or RUNWAY_REGISTRY_TOKEN_HOSTS={host}"
        )),
        None => problem.hint(format!(
            "no login was sent there; if it is right, ask the administrators of {} for an endpoint below the same domain, over https",
            errand.repository.host
        )),
    }
}

fn verb(errand: &Errand<'_>) -> String {
    let verb = match errand.access() {
        Access::Pull => "read",
        Access::Push | Access::Abandon => "write",
    };
    format!("{verb} {}", errand.repository.name)
}

fn rights(errand: &Errand<'_>, note: &Note) -> String {
    match &note.login {
        Origin::Found(from) if from.starts_with("CI_") => format!(
            "a job's token may {} only in its own project and in those that allow it (Settings > CI/CD > Job token permissions)",
            match errand.access() {
                Access::Pull => "read",
                Access::Push | Access::Abandon => "write",
            }
        ),
        Origin::Found(_) => format!("the login needs the right to {}", verb(errand)),
        Origin::NotAsked | Origin::Nowhere(_) => log_in(errand),
    }
}

fn log_in(errand: &Errand<'_>) -> String {
    format!("log in with `docker login {}`, or set DOCKER_AUTH_CONFIG", errand.repository.host)
}

fn is_quota(said: &[Word]) -> bool {
    said.iter().any(|word| {
        let text = word.message.to_ascii_lowercase();
        text.contains("quota")
            || text.contains("too large")
            || (text.contains("storage") && (text.contains("limit") || text.contains("exceed") || text.contains("full")))
    })
}

fn seconds(seconds: f64) -> String {
    if seconds < 10.0 && seconds.fract() > 0.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}

fn bytes(count: usize) -> String {
    match count {
        n if n >= 1 << 20 && n.is_multiple_of(1 << 20) => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 && n.is_multiple_of(1 << 10) => format!("{} KiB", n >> 10),
        n => format!("{n} bytes"),
    }
}
