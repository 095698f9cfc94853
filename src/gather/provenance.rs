//! Where content comes from: flags, then CI's variables, then git; nothing that carries a credential.

use crate::env;
use crate::process::git::{self, Checkout};
use runway_core::artifact::Provenance;
use runway_core::problem::Problem;
use std::path::Path;

/// What the command line says.
pub(crate) struct Given<'a> {
    /// `--source`.
    pub(crate) source: Option<&'a str>,
    /// `--revision`.
    pub(crate) revision: Option<&'a str>,
    /// `--annotation`.
    pub(crate) annotations: &'a [String],
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
        provenance.source = without_userinfo(&source);
    }
    let from_git = git.commit.map(|commit| revision(git.name, &commit));
    if let Some(revision) = given.revision.map(str::to_owned).or_else(ci_revision).or(from_git) {
        provenance.revision = revision;
    }
    if let Some(created) = created(git.time.as_deref())? {
        provenance.created = created;
    }
    for text in given.annotations {
        let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Problem::usage(format!("--annotation '{text}' is no annotation")).hint("write --annotation KEY=VALUE"));
        };
        provenance.annotations.insert(key.to_owned(), value.to_owned());
    }
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

/// A URL without the user and password that a CI checkout puts into it.
fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if rest.contains('/') { format!("{scheme}://{host}/{path}") } else { format!("{scheme}://{host}") }
}

#[cfg(test)]
mod tests {
    use super::without_userinfo;

    #[test]
    fn credentials_never_become_annotations() {
        assert_eq!(without_userinfo("https://gitlab-ci-token:s3cret@gitlab.com/a/b.git"), "https://gitlab.com/a/b.git");
        assert_eq!(without_userinfo("https://u:p@h"), "https://h");
        assert_eq!(without_userinfo("https://gitlab.com/a@b"), "https://gitlab.com/a@b");
        assert_eq!(without_userinfo("unknown"), "unknown");
    }
}
