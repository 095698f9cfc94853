//! Where content comes from: flags, then CI's variables, then git; nothing that carries a credential.

use crate::env;
use crate::process::git::{self, Checkout};
use runway_core::artifact::Provenance;
use runway_core::artifact::manifest::{CREATED, SOURCE};
use runway_core::problem::Problem;
use std::collections::BTreeMap;
use std::path::Path;

/// Annotation with where more is to be read.
const URL: &str = "org.opencontainers.image.url";

/// What the command line says.
pub(crate) struct Given<'a> {
    /// `--source`.
    pub(crate) source: Option<&'a str>,
    /// `--revision`.
    pub(crate) revision: Option<&'a str>,
    /// `--annotation`.
    pub(crate) annotations: &'a [String],
}

impl Given<'_> {
    /// What is wrong with it: told before anything is asked, since an unchanged push never comes to use it.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        for (flag, text) in [("--source", self.source), ("--revision", self.revision)] {
            if text.is_some_and(|text| text.trim().is_empty()) {
                return Err(Problem::usage(format!("{flag} is empty"))
                    .hint("leave it out: CI's variables say it, then git; a variable in it may not be set"));
            }
        }
        self.laid_over().map(drop)
    }

    /// The annotations, by key, as they are written.
    fn laid_over(&self) -> Result<BTreeMap<String, String>, Problem> {
        let mut all = BTreeMap::new();
        for text in self.annotations {
            let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return Err(Problem::usage(format!("--annotation '{}' is no annotation", without_userinfo(text)))
                    .hint("write --annotation KEY=VALUE"));
            };
            if key == CREATED && !is_time(value) {
                return Err(Problem::usage(format!("--annotation {CREATED} has no time in it"))
                    .cause(format!("'{value}' is not in the form of RFC 3339; flux refuses it, too"))
                    .hint("write it like 2026-01-31T12:00:00Z"));
            }
            let value = if key == SOURCE || key == URL { address(value) } else { without_userinfo(value) };
            all.insert(key.to_owned(), value);
        }
        Ok(all)
    }
}

/// The annotations of an artifact.
///
/// Flags win over CI's variables, those over git of the folder that the program was started in (never of the folder that
/// `-f` names: a file from elsewhere does not make its repository the source). Without any, constants.
pub(crate) async fn of(given: &Given<'_>, start: &Path) -> Result<Provenance, Problem> {
    let mut provenance = Provenance::default();
    let in_ci = env::variable("CI_COMMIT_SHA").is_some();
    let git = if in_ci { Checkout::default() } else { git::checkout(start, env::variable("PATH").as_deref()).await };
    if let Some(source) = given.source.map(str::to_owned).or_else(|| env::variable("CI_PROJECT_URL")).or(git.remote) {
        provenance.source = address(&source);
    }
    let from_git = git.commit.map(|commit| revision(git.name, &commit));
    if let Some(revision) = given.revision.map(str::to_owned).or_else(ci_revision).or(from_git) {
        provenance.revision = revision;
    }
    if let Some(created) = created(git.time.as_deref())? {
        provenance.created = created;
    }
    provenance.annotations = given.laid_over()?;
    Ok(provenance)
}

/// `<branch|tag>@sha1:<commit>`, the form that Flux documents.
fn revision(name: Option<String>, commit: &str) -> String {
    name.map_or_else(|| format!("sha1:{commit}"), |name| format!("{name}@sha1:{commit}"))
}

fn ci_revision() -> Option<String> {
    let commit = env::variable("CI_COMMIT_SHA")?;
    let name = env::variable("CI_COMMIT_TAG").or_else(|| env::variable("CI_COMMIT_REF_NAME"));
    Some(revision(name, &commit))
}

/// `SOURCE_DATE_EPOCH`, else the commit's time, in UTC and whole seconds.
fn created(git: Option<&str>) -> Result<Option<String>, Problem> {
    let fault =
        |name: &str, text: &str| Problem::usage(format!("the variable {name} has no time in it")).cause(format!("'{text}'"));
    if let Some(text) = env::variable("SOURCE_DATE_EPOCH") {
        let time = text.parse::<i64>().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        return time.map(|time| Some(time.to_string())).ok_or_else(|| fault("SOURCE_DATE_EPOCH", &text));
    }
    let seconds = |text: &str| {
        let time = text.parse::<jiff::Timestamp>().ok()?;
        jiff::Timestamp::from_second(time.as_second()).ok().map(|time| time.to_string())
    };
    match env::variable("CI_COMMIT_TIMESTAMP") {
        Some(text) => seconds(&text).map(Some).ok_or_else(|| fault("CI_COMMIT_TIMESTAMP", &text)),
        None => Ok(git.and_then(seconds)),
    }
}

/// RFC 3339 as Go reads it, of which other readers take more: a T, seconds, and Z or an offset with its colon.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let zone = rest.strip_prefix('.').map_or(rest, |part| part.trim_start_matches('0'));
    matches!(zone, "Z" | "+00:00" | "-00:00") && !rest.starts_with(".Z") && text.parse::<jiff::Timestamp>().is_ok()
}

/// Where a repository is, as a URL or as `user@host:path`, without the user and the password.
fn address(text: &str) -> String {
    if text.contains("://") {
        return without_userinfo(text);
    }
    match text.rsplit_once('@') {
        Some((_, rest)) if rest.contains(':') && !text.contains(char::is_whitespace) => rest.to_owned(),
        _ => text.to_owned(),
    }
}

/// A text without the user and password of any URL in it: a CI checkout puts them there.
fn without_userinfo(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("://");
        let end = part.find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace()).unwrap_or(part.len());
        let (authority, rest) = part.split_at_checked(end).unwrap_or((part, ""));
        // A password with a slash in it ends the host early, where a port would stand that is none.
        let torn = !authority.ends_with(']')
            && authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_err())
            && !authority.contains('@');
        let word = part.split(char::is_whitespace).next().unwrap_or_default();
        match (authority.rsplit_once('@'), word.rsplit_once('@')) {
            (Some((_, host)), _) => out.push_str(&format!("{host}{rest}")),
            (None, Some((before, _))) if torn => out.push_str(part.get(before.len() + 1..).unwrap_or_default()),
            _ => out.push_str(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{address, is_time, without_userinfo};

    #[test]
    fn credentials_never_become_annotations() {
        assert_eq!(without_userinfo("https://gitlab-ci-token:s3cret@gitlab.com/a/b.git"), "https://gitlab.com/a/b.git");
        assert_eq!(without_userinfo("https://u:p@h"), "https://h");
        assert_eq!(without_userinfo("https://gitlab.com/a@b"), "https://gitlab.com/a@b");
        assert_eq!(without_userinfo("unknown"), "unknown");
        assert_eq!(without_userinfo("https://u:p@h?x=a@b"), "https://h?x=a@b");
        assert_eq!(without_userinfo("https://u:p@q@h/x"), "https://h/x");
        assert_eq!(without_userinfo("https://u:p/w@h/x"), "https://h/x");
        assert_eq!(without_userinfo("https://[::1]/a@b"), "https://[::1]/a@b");
        assert_eq!(without_userinfo("https://h:8443/a@b"), "https://h:8443/a@b");
        assert_eq!(without_userinfo("see https://u:p@h/x and http://v@i, me@x"), "see https://h/x and http://i, me@x");
    }

    #[test]
    fn addresses_of_ssh_lose_their_user() {
        assert_eq!(address("git@host:a/b.git"), "host:a/b.git");
        assert_eq!(address("user:s3cret@host:a/b.git"), "host:a/b.git");
        assert_eq!(address("ssh://git:s3cret@host:22/a/b.git"), "ssh://host:22/a/b.git");
        assert_eq!(address("host:a@b"), "host:a@b");
        assert_eq!(address("unknown"), "unknown");
    }

    #[test]
    fn times_are_those_that_go_reads() {
        for text in ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00+02:00"] {
            assert!(is_time(text), "{text}");
        }
        for text in [
            "",
            "now",
            "2026-01-31",
            "2026-01-31 12:00:00Z",
            "2026-01-31T12:00Z",
            "2026-02-31T12:00:00Z",
            "2026-01-31T12:00:00.Z",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
