//! Writing: blobs, the manifest under its digest, and the tag last.

use super::client::Client;
use super::errand::{Doing, Errand};
use super::exchange::Trouble;
use super::http::{Answer, Call};
use super::origin;
use super::retry;
use reqwest::{Method, StatusCode, Url};
use runway_core::artifact::manifest::{Blob, MANIFEST_TYPE};
use runway_core::artifact::{Artifact, Digest, size};
use runway_core::flux::reference::{Repository, Target};
use runway_core::problem::{Class, Problem};

const OCTETS: &str = "application/octet-stream";

impl Client {
    /// Blobs (those that are missing), then the manifest under its digest. The artifact is then there, under no tag. `near` is
    /// another repository of the same registry that may hold the blobs, which it then mounts instead of being sent them.
    pub(crate) async fn upload(
        &self,
        repository: &Repository,
        artifact: &Artifact,
        near: Option<&Repository>,
    ) -> Result<(), Problem> {
        self.write_all(repository, artifact, near).await.map_err(|problem| self.exchange.clean(problem))
    }

    async fn write_all(&self, repository: &Repository, artifact: &Artifact, near: Option<&Repository>) -> Result<(), Problem> {
        let digest = Target::Digest(artifact.manifest.digest.to_string());
        let errand = Errand::new(repository, Doing::Upload, Some(&digest));
        if let Some(why) = size::packed_fault(artifact.layer.bytes.len() as u64) {
            let problem = errand.problem().cause(why);
            return Err(problem.hint("nothing was uploaded; leave out what is no manifest, or split it"));
        }
        let near = near.filter(|near| near.host == repository.host && near.name != repository.name);
        tokio::try_join!(self.blob_up(&errand, &artifact.config, near), self.blob_up(&errand, &artifact.layer, near))?;
        let (base, url) = self.manifest_address(&errand, &digest)?;
        let mut call = Call::write(Method::PUT, url, Some(MANIFEST_TYPE), &artifact.manifest.bytes);
        // Under its digest it is the same however often it is written.
        call.repeatable = true;
        let answer = self.exchange.perform(&errand, &base, &call).await?;
        self.accepted(&errand, &answer, &artifact.manifest.digest).await
    }

    /// Points a tag at a manifest that is there. `expected` is what the tag held when the plan was made (`None`:
    /// nothing); when it holds something else by now, somebody has moved it, and nothing is changed.
    ///
    /// Registries know no compare-and-swap (they ignore If-Match), so that a moment remains between the look and the
    /// change; whoever must be sure reads the tag again afterwards.
    pub(crate) async fn tag(
        &self,
        repository: &Repository,
        artifact: &Artifact,
        tag: &str,
        expected: Option<&Digest>,
    ) -> Result<(), Problem> {
        self.point(repository, artifact, tag, expected).await.map_err(|problem| self.exchange.clean(problem))
    }

    async fn point(
        &self,
        repository: &Repository,
        artifact: &Artifact,
        tag: &str,
        expected: Option<&Digest>,
    ) -> Result<(), Problem> {
        let target = Target::Tag(tag.to_owned());
        let errand = Errand::new(repository, Doing::Tag, Some(&target));
        let ours = &artifact.manifest.digest;
        let current = match self.look(&errand, &target).await? {
            // A HEAD has no words, and this one contradicts what was read before: the same question as a GET has.
            None if expected.is_some() => self.compute(&errand, &target).await?,
            found => found,
        };
        let current = current.map(|head| head.digest);
        if current.as_ref() == Some(ours) {
            return Ok(());
        }
        if current.as_ref() != expected {
            return Err(moved(&errand, expected, current.as_ref()));
        }
        let (base, url) = self.manifest_address(&errand, &target)?;
        let call = Call::write(Method::PUT, url, Some(MANIFEST_TYPE), &artifact.manifest.bytes);
        let problem = match self.exchange.perform(&errand, &base, &call).await {
            Ok(answer) if answer.status.is_server_error() => self.exchange.explain(&errand, &answer).await,
            Ok(answer) => return self.accepted(&errand, &answer, ours).await,
            Err(trouble) if trouble.is_uncertain => trouble.problem,
            Err(trouble) => return Err(trouble.problem),
        };
        // Not written twice: after a lost answer, somebody else may have moved the tag on. Looking does no harm.
        match self.look(&errand, &target).await {
            Ok(Some(head)) if head.digest == *ours => Ok(()),
            Ok(_) => Err(problem.hint("the tag did not point to the new artifact a moment later; run the command again")),
            Err(_) => Err(problem.hint(format!("whether the tag was set is not known; compare it with {ours}"))),
        }
    }

    /// A manifest was written; a registry that names another digest has stored something else.
    async fn accepted(&self, errand: &Errand<'_>, answer: &Answer, digest: &Digest) -> Result<(), Problem> {
        if !answer.status.is_success() {
            return Err(self.exchange.explain(errand, answer).await);
        }
        match answer.header("docker-content-digest") {
            Some(named) if named != digest.as_str() => Err(errand
                .problem()
                .cause(format!(
                    "the registry has stored it under another digest: {} instead of {digest}",
                    self.exchange.scrub(named)
                ))
                .hint("it rewrites manifests, which breaks every reference by digest; use another registry")),
            _ => Ok(()),
        }
    }

    /// Writes a blob unless it is there. The whole sequence may be repeated, since a blob is what its digest says.
    async fn blob_up(&self, errand: &Errand<'_>, blob: &Blob, near: Option<&Repository>) -> Result<(), Problem> {
        let (base, url) = self.address(errand, &format!("blobs/{}", blob.digest))?;
        let mut tries = 1;
        loop {
            let there = self.exchange.perform(errand, &base, &Call::head(url.clone())).await?;
            if there.status.is_success() {
                return Ok(());
            }
            // Anything else than "not there" will be told, with words, by the upload itself.
            let result = self.session(errand, &base, blob, near).await;
            let transport = &self.exchange.transport;
            let pause = match &result {
                Ok(answer) if answer.status.is_success() => return Ok(()),
                Ok(answer) if retry::is_transient(answer.status) => retry::after(&answer.headers),
                Ok(answer) => return Err(self.exchange.explain(errand, answer).await),
                Err(trouble) if trouble.is_transient => None,
                Err(_) => return result.map(drop).map_err(Problem::from),
            };
            let pause = pause.unwrap_or_else(|| retry::pause(transport.first_pause, tries));
            if tries >= retry::TRIES || pause >= transport.budget.per_request() {
                let mut answer = result?;
                answer.tries = tries;
                return Err(self.exchange.explain(errand, &answer).await);
            }
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    /// One upload: in one piece, and where that is refused, in the two steps of older registries.
    async fn session(&self, errand: &Errand<'_>, base: &Url, blob: &Blob, near: Option<&Repository>) -> Result<Answer, Trouble> {
        let begun = match near {
            Some(near) => match self.mount(errand, base, blob, near).await {
                // It is there now.
                Ok(answer) if answer.status == StatusCode::CREATED => return Ok(answer),
                // The registry could not or would not, and has begun an upload in the same breath.
                Ok(answer) if answer.status == StatusCode::ACCEPTED => self.begun(errand, &answer).ok(),
                // Who may not read there may still write here.
                _ => None,
            },
            None => None,
        };
        let location = match begun {
            Some(location) => location,
            None => match self.open(errand, base).await? {
                Ok(location) => location,
                Err(answer) => return Ok(answer),
            },
        };
        let whole = Call::write(Method::PUT, with_digest(location, &blob.digest), Some(OCTETS), &blob.bytes);
        let answer = self.exchange.perform(errand, base, &whole).await?;
        if !refuses_whole(answer.status) {
            return Ok(answer);
        }
        let Ok(location) = self.open(errand, base).await? else { return Ok(answer) };
        let piece = Call::write(Method::PATCH, location.clone(), Some(OCTETS), &blob.bytes);
        let patched = self.exchange.perform(errand, base, &piece).await?;
        if !patched.status.is_success() {
            // The first refusal is about what is usual, and so says more.
            return Ok(answer);
        }
        let location = match patched.header("location") {
            Some(text) => self.location(errand, &patched, text)?,
            None => location,
        };
        let end = Call::write(Method::PUT, with_digest(location, &blob.digest), Some(OCTETS), &[]);
        self.exchange.perform(errand, base, &end).await
    }

    /// Begins an upload; the inner error is the registry's refusal.
    pub(super) async fn open(&self, errand: &Errand<'_>, base: &Url) -> Result<Result<Url, Answer>, Trouble> {
        let (_, url) = self.address(errand, "blobs/uploads/")?;
        let answer = self.exchange.perform(errand, base, &Call::write(Method::POST, url, None, &[])).await?;
        if !answer.status.is_success() {
            return Ok(Err(answer));
        }
        Ok(Ok(self.begun(errand, &answer)?))
    }

    /// Asks for a blob of another repository ("mounting", OCI distribution specification).
    async fn mount(&self, errand: &Errand<'_>, base: &Url, blob: &Blob, near: &Repository) -> Result<Answer, Trouble> {
        let errand = Errand { near: Some(near), ..errand.clone() };
        let (_, mut url) = self.address(&errand, "blobs/uploads/")?;
        url.query_pairs_mut().append_pair("mount", blob.digest.as_str()).append_pair("from", &near.name);
        self.exchange.perform(&errand, base, &Call::write(Method::POST, url, None, &[])).await
    }

    /// Where an upload that was begun goes on.
    fn begun(&self, errand: &Errand<'_>, answer: &Answer) -> Result<Url, Problem> {
        let location = answer.header("location").ok_or_else(|| {
            errand
                .problem()
                .cause(format!("{} accepts an upload and does not say where (no Location)", origin::host(&answer.url)))
                .hint("the registry or a proxy before it is set up wrongly; tell its administrators")
        })?;
        self.location(errand, answer, location)
    }

    /// Where something leads that is about a registry.
    fn follow(&self, errand: &Errand<'_>, from: &Url, location: &str) -> Result<Url, String> {
        let plain = self.exchange.transport.plain;
        let base = origin::base(&errand.repository.host, plain);
        origin::follow(from, location, plain, base.as_ref().unwrap_or(from))
    }

    fn location(&self, errand: &Errand<'_>, answer: &Answer, location: &str) -> Result<Url, Problem> {
        let refused = |why: String| {
            errand
                .problem()
                .cause(format!("{} sends the upload elsewhere, and this is not followed", origin::host(&answer.url)))
                .cause(self.exchange.scrub(&why))
                .hint("the registry or a proxy before it is set up wrongly (X-Forwarded-Proto?); tell its administrators")
        };
        let url = self.follow(errand, &answer.url, location).map_err(refused)?;
        if !origin::same(&url, &answer.url) && url.scheme() != "https" {
            return Err(refused(format!("{} is another host, over plain http", origin::shown(&url))));
        }
        Ok(url)
    }
}

/// Statuses after which the two-step form may work where the one-step form did not. 404 and 400 are among them: the
/// session may be gone, or its digest may be that of nothing, when a registry has passed over the body.
fn refuses_whole(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 407 | 408 | 413 | 429)
}

fn with_digest(mut location: Url, digest: &Digest) -> Url {
    // By hand, since distribution's `_state` must come back as it was.
    let query = match location.query() {
        Some(query) if !query.is_empty() => format!("{query}&digest={digest}"),
        _ => format!("digest={digest}"),
    };
    location.set_query(Some(&query));
    location
}

fn moved(errand: &Errand<'_>, expected: Option<&Digest>, current: Option<&Digest>) -> Problem {
    let text = |digest: Option<&Digest>| digest.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let problem = errand.problem();
    Problem { class: Class::Refused, ..problem }
        .cause(format!("somebody has moved it since the plan was made: it holds {}, not {}", text(current), text(expected)))
        .hint("nothing was changed; run the command again to see the new plan")
}
