//! Reading: a tag's digest, manifests, blobs, lists of tags.

use super::errand::{Doing, Errand};
use super::exchange::{self, Exchange};
use super::http::{Answer, Call, Transport};
use super::local::PATIENCE;
use super::logins::{Login, Logins};
use super::origin;
use super::proxy::Proxies;
use super::tls::{Files, Instead, Trust};
use super::words;
use crate::net::Budget;
use reqwest::Url;
use runway_core::artifact::manifest::{Descriptor, INDEX_TYPE, MANIFEST_TYPE, MAX_MANIFEST};
use runway_core::artifact::size::MAX_BLOB;
use runway_core::artifact::{Digest, Manifest};
use runway_core::flux::reference::{Repository, Target, name_fault, tag_fault};
use runway_core::problem::Problem;
use runway_core::settings::PlainHttp;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use std::fmt;
use std::path::{Path, PathBuf};

/// Bytes of one page of tags.
const MAX_PAGE: usize = 8 << 20;
/// Pages that are read; more than that is not a list but an endless loop.
const MAX_PAGES: usize = 1000;
/// Tags that are listed; a repository with more is no inventory's.
const MAX_TAGS: usize = 2_000;
/// Whose fault a list is that leads nowhere.
const SET_UP: &str = "the registry or a proxy before it is set up wrongly; tell its administrators";
/// Without it a registry answers 404 for what is there (distribution v3.1.2 does so for `*/*`).
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// What a client needs to know.
pub(crate) struct Options<'a> {
    /// Which registries are asked over plain http.
    pub(crate) plain_http: PlainHttp,
    /// How long everything may take.
    pub(crate) budget: Budget,
    /// Looks up a variable of the environment.
    pub(crate) variables: &'a dyn Fn(&str) -> Option<String>,
    /// The user's home folder.
    pub(crate) home: Option<PathBuf>,
    /// Certificates that the caller names.
    pub(crate) files: Files,
}

/// A registry client. It keeps connections, tokens and what it has learnt about each registry.
pub(crate) struct Client {
    pub(super) exchange: Exchange,
}

/// What a registry says about a manifest without sending it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The manifest's digest.
    pub(crate) digest: Digest,
    /// Its size in bytes, when the registry says it.
    pub(crate) size: Option<u64>,
    /// Its media type, as the registry says it.
    pub(crate) media_type: String,
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    /// The digest of `bytes`.
    pub(crate) digest: Digest,
    /// As it came.
    pub(crate) bytes: Vec<u8>,
    /// As it reads.
    pub(crate) manifest: Manifest,
}

#[derive(Deserialize)]
struct Page {
    tags: Option<Tags>,
}

/// What can be asked for as a tag, and one more than are listed at most: else a list is a way to fill the memory.
#[derive(Default)]
struct Tags(Vec<String>);

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tags")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tags, A::Error> {
                let mut tags = Vec::new();
                while let Some(tag) = seq.next_element::<String>()? {
                    if tags.len() <= MAX_TAGS && tag_fault(&tag).is_none() {
                        tags.push(tag);
                    }
                }
                Ok(Tags(tags))
            }
        }
        deserializer.deserialize_seq(Reader)
    }
}

impl Client {
    /// A client; nothing is asked and no login is read until it is used.
    pub(crate) fn new(options: Options<'_>) -> Result<Self, Problem> {
        let Options { plain_http, budget, variables, home, files } = options;
        let folders = certificate_folders(variables, home.as_deref());
        let trust = Trust::new(&files, Instead::of(variables), folders, PATIENCE.min(budget.per_request()))?;
        let transport = Transport::new(budget, plain_http, trust, Proxies::new(variables));
        let logins = Logins::new(variables, home.as_deref(), budget);
        Ok(Self { exchange: Exchange::new(transport, logins) })
    }

    /// Uses a login for one host (`host` or `host:port`) before all others.
    #[must_use]
    pub(crate) fn with_login(mut self, host: impl Into<String>, login: Login) -> Self {
        self.exchange.logins.give(host.into(), login);
        self
    }

    /// Lets these hosts (`host` or `host:port`) give tokens, beside those of a registry's own domain.
    #[must_use]
    pub(crate) fn with_token_hosts(mut self, hosts: Vec<String>) -> Self {
        self.exchange.token_hosts = hosts;
        self
    }

    /// The digest that a tag points to; `None` when the registry says that it is not there.
    pub(crate) async fn head(&self, repository: &Repository, target: &Target) -> Result<Option<Head>, Problem> {
        let errand = Errand::new(repository, Doing::Read, Some(target));
        self.look(&errand, target).await.map_err(|problem| self.exchange.clean(problem))
    }

    /// A manifest; `None` when the registry says that it is not there.
    pub(crate) async fn manifest(&self, repository: &Repository, target: &Target) -> Result<Option<Fetched>, Problem> {
        self.manifest_or_why(repository, target).await.map(Result::ok)
    }

    /// A manifest; the inner error is the registry's word that it is not there, and what it says about that.
    pub(crate) async fn manifest_or_why(
        &self,
        repository: &Repository,
        target: &Target,
    ) -> Result<Result<Fetched, Problem>, Problem> {
        let errand = Errand::new(repository, Doing::Read, Some(target));
        let found = self.fetch(&errand, target).await.map_err(|problem| self.exchange.clean(problem))?;
        Ok(found.map(|(fetched, _)| fetched))
    }

    /// A blob's bytes.
    pub(crate) async fn blob(&self, repository: &Repository, descriptor: &Descriptor) -> Result<Vec<u8>, Problem> {
        self.content(repository, descriptor).await.map_err(|problem| self.exchange.clean(problem))
    }

    async fn content(&self, repository: &Repository, descriptor: &Descriptor) -> Result<Vec<u8>, Problem> {
        let errand = Errand::new(repository, Doing::Fetch, Some(&Target::Digest(descriptor.digest.clone())));
        let digest = Digest::parse(&descriptor.digest)
            .ok_or_else(|| errand.problem().cause("its digest is not a sha256 digest, the only kind that can be checked here"))?;
        let limit = usize::try_from(descriptor.size).ok().filter(|_| descriptor.size <= MAX_BLOB).ok_or_else(|| {
            let problem = errand.problem().cause(format!("it has {} bytes; more than 16 MiB are not read", descriptor.size));
            problem.hint("is this an inventory or a deploy artifact? Other artifacts cannot be read here; check the reference")
        })?;
        let (base, url) = self.address(&errand, &format!("blobs/{digest}"))?;
        let answer = self.exchange.perform(&errand, &base, &Call::get(url, limit)).await?;
        if !answer.status.is_success() {
            return Err(self.exchange.explain(&errand, &answer).await);
        }
        if answer.body.len() != limit {
            return Err(errand.problem().cause(format!("it has {} bytes, the manifest says {limit}", answer.body.len())));
        }
        check(&errand, &digest, &answer)?;
        Ok(answer.body)
    }

    /// All tags.
    pub(crate) async fn tags(&self, repository: &Repository) -> Result<Vec<String>, Problem> {
        self.pages(repository).await.map_err(|problem| self.exchange.clean(problem))
    }

    async fn pages(&self, repository: &Repository) -> Result<Vec<String>, Problem> {
        let errand = Errand::new(repository, Doing::List, None);
        let (base, mut url) = self.address(&errand, "tags/list?n=1000")?;
        let mut tags = Vec::new();
        for _ in 0..MAX_PAGES {
            let answer = self.exchange.perform(&errand, &base, &Call::get(url.clone(), MAX_PAGE)).await?;
            if !answer.status.is_success() {
                return Err(self.exchange.explain(&errand, &answer).await);
            }
            let read: Page = serde_json::from_slice(&answer.body).map_err(|error| {
                let at = format!("line {}, column {}", error.line(), error.column());
                let problem = errand.problem().cause(format!("its answer is not a list of tags ({at})"));
                problem.hint("this is not what a registry answers; check the host and the path")
            })?;
            tags.extend(read.tags.unwrap_or_default().0);
            if tags.len() > MAX_TAGS {
                return Err(errand
                    .problem()
                    .cause(format!("there are more than {MAX_TAGS} tags, and no more are listed"))
                    .hint("a tag that is known by its name can be shown: oci://REPOSITORY:TAG"));
            }
            match next_page(&answer, &base, self.exchange.transport.plain) {
                Ok(Some(next)) if next != url => url = next,
                Ok(None) => return Ok(tags),
                Ok(Some(_)) => return Err(errand.problem().cause("the next page of tags is the same page again").hint(SET_UP)),
                Err(why) => {
                    let why = self.exchange.scrub(&why);
                    return Err(errand.problem().cause(format!("the next page of tags is not followed: {why}")).hint(SET_UP));
                }
            }
        }
        Err(errand.problem().cause(format!("there are more than {MAX_PAGES} pages of tags")))
    }

    /// [`Self::head`] for any errand.
    pub(super) async fn look(&self, errand: &Errand<'_>, target: &Target) -> Result<Option<Head>, Problem> {
        let (base, url) = self.manifest_address(errand, target)?;
        let call = Call { accept: Some(ACCEPT), ..Call::head(url) };
        let answer = self.exchange.perform(errand, &base, &call).await?;
        match answer.status.as_u16() {
            // What has another type than the errors of registries is somebody else's word: it is read.
            404 if answer.header("content-type").is_none_or(is_json) => return Ok(None),
            200..300 => {}
            // Asking again would not help.
            401 | 408 | 429 | 500.. => return Err(self.exchange.explain(errand, &answer).await),
            // An answer to HEAD has no words; the same question as a GET has.
            _ => return self.compute(errand, target).await,
        }
        let Some(named) = answer.header("docker-content-digest") else { return self.compute(errand, target).await };
        let digest = Digest::parse(named)
            .ok_or_else(|| errand.problem().cause("the registry names a digest that is not a sha256 digest"))?;
        if matches!(target, Target::Digest(wanted) if *wanted != digest.as_str()) {
            return Err(errand.problem().cause(format!("the registry answers with another manifest: {digest}")));
        }
        let size = answer.header("content-length").and_then(|text| text.parse().ok());
        Ok(Some(Head { digest, size, media_type: media_type(&answer) }))
    }

    /// The head of a manifest that has to be fetched for it.
    pub(super) async fn compute(&self, errand: &Errand<'_>, target: &Target) -> Result<Option<Head>, Problem> {
        Ok(self.fetch(errand, target).await?.ok().map(|(fetched, media_type)| {
            let media_type = fetched.manifest.media_type.clone().unwrap_or(media_type);
            Head { digest: fetched.digest, size: Some(fetched.bytes.len() as u64), media_type }
        }))
    }

    /// The inner error is the registry's word that it is not there.
    async fn fetch(&self, errand: &Errand<'_>, target: &Target) -> Result<Result<(Fetched, String), Problem>, Problem> {
        let (base, url) = self.manifest_address(errand, target)?;
        let call = Call { accept: Some(ACCEPT), ..Call::get(url, MAX_MANIFEST) };
        let answer = self.exchange.perform(errand, &base, &call).await?;
        if !answer.status.is_success() {
            let problem = self.exchange.explain(errand, &answer).await;
            return if answer.status == 404 && words::says_absent(&answer.body) { Ok(Err(problem)) } else { Err(problem) };
        }
        let digest = match (target, answer.header("docker-content-digest").and_then(Digest::parse)) {
            (Target::Digest(wanted), _) => Digest::parse(wanted),
            (Target::Tag(_), named) => named,
        };
        let digest = digest.unwrap_or_else(|| Digest::of(&answer.body));
        check(errand, &digest, &answer)?;
        let media_type = media_type(&answer);
        let mut manifest = Manifest::parse(&answer.body).map_err(|problem| {
            let causes = std::iter::once(problem.what).chain(problem.causes).collect();
            let problem = Problem { causes, ..errand.problem() };
            problem.hint("this is not what a registry answers; check the reference")
        })?;
        if manifest.media_type.is_none() && matches!(media_type.as_str(), MANIFEST_TYPE | INDEX_TYPE) {
            manifest.media_type = Some(media_type.clone());
        }
        Ok(Ok((Fetched { digest, bytes: answer.body, manifest }, media_type)))
    }

    /// Where a manifest is.
    pub(super) fn manifest_address(&self, errand: &Errand<'_>, target: &Target) -> Result<(Url, Url), Problem> {
        let fault = match target {
            Target::Tag(tag) => tag_fault(tag),
            Target::Digest(digest) if Digest::parse(digest).is_none() => Some("only sha256 digests can be checked"),
            Target::Digest(_) => None,
        };
        match fault {
            Some(why) => Err(errand.problem().cause(why)),
            None => self.address(errand, &format!("manifests/{}", target.as_str())),
        }
    }

    /// The registry's address, and that of something in the repository.
    pub(super) fn address(&self, errand: &Errand<'_>, rest: &str) -> Result<(Url, Url), Problem> {
        let name = exchange::repository_name(errand);
        if let Some(why) = name_fault(&name) {
            return Err(errand.problem().cause(why));
        }
        let base = origin::base(&errand.repository.host, self.exchange.transport.plain);
        let pair = base.and_then(|base| base.join(&format!("v2/{name}/{rest}")).ok().map(|url| (base, url)));
        let pair = pair.ok_or_else(|| errand.problem().cause("its host is no host's name"))?;
        match self.exchange.transport.proxies.fault(&pair.0) {
            Some(problem) => Err(problem),
            None => Ok(pair),
        }
    }
}

/// The folders named `certs.d` of podman and Docker, in podman's order.
fn certificate_folders(variables: &dyn Fn(&str) -> Option<String>, home: Option<&Path>) -> Vec<PathBuf> {
    let set = variables("XDG_CONFIG_HOME").filter(|text| !text.is_empty()).map(PathBuf::from);
    let users = set.or_else(|| home.map(|home| home.join(".config"))).map(|folder| folder.join("containers"));
    let all = users.into_iter().chain(["/etc/containers", "/etc/docker"].map(PathBuf::from));
    all.map(|folder| folder.join("certs.d")).collect()
}

/// Whether the bytes are those that the digest names.
fn check(errand: &Errand<'_>, digest: &Digest, answer: &Answer) -> Result<(), Problem> {
    let found = Digest::of(&answer.body);
    if found == *digest {
        return Ok(());
    }
    let host = origin::host(&answer.url);
    Err(errand
        .problem()
        .cause(format!("what {host} sent has another digest: {found} instead of {digest}"))
        .hint("somebody on the way, or the registry's storage, has changed it; nothing of it was used"))
}

/// Whether a type is JSON's, or one made of it.
fn is_json(content_type: &str) -> bool {
    let bare = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    bare == "application/json" || bare.ends_with("+json")
}

/// `Content-Type` without its parameters.
fn media_type(answer: &Answer) -> String {
    let text = answer.header("content-type").unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_owned()
}

/// The address in `Link: <…>; rel="next"`, when it is the registry's own.
fn next_page(answer: &Answer, base: &Url, plain: PlainHttp) -> Result<Option<Url>, String> {
    let links = answer.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|text| text.split('<')).find_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let parameters = parameters.trim_end().trim_end_matches(',');
        let is_next = parameters.split(';').any(|part| {
            let part = part.trim().to_ascii_lowercase().replace(' ', "");
            part == "rel=next" || part == "rel=\"next\""
        });
        is_next.then_some(target)
    });
    let Some(next) = next else { return Ok(None) };
    let url = origin::follow(&answer.url, next, plain, base)?;
    if origin::same(&url, base) { Ok(Some(url)) } else { Err(format!("{} is another host", origin::shown(&url))) }
}
