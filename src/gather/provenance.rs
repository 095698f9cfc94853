//! Where content comes from: flags, then CI's variables; nothing that carries a credential.

use crate::env;
use runway_core::artifact::Provenance;
use runway_core::problem::Problem;
use std::path::Path;

/// What the command line says.
pub(crate) struct Given<'a> {
    /// `--source`.
    pub(crate) source: Option<&'a str>,
    /// `--revision`.
    pub(crate) revision: Option<&'a str>,
    /// `--annotate`.
    pub(crate) annotations: &'a [String],
}

/// The annotations of an artifact.
pub(crate) fn of(given: &Given<'_>, _start: &Path) -> Result<Provenance, Problem> {
    let mut provenance = Provenance::default();
    if let Some(source) = given.source.map(str::to_owned).or_else(|| env::variable("CI_PROJECT_URL")) {
        provenance.source = without_userinfo(&source);
    }
    if let Some(revision) = given.revision.map(str::to_owned).or_else(ci_revision) {
        provenance.revision = revision;
    }
    if let Some(created) = created()? {
        provenance.created = created;
    }
    for text in given.annotations {
        let Some((key, value)) = text.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Problem::usage(format!("--annotate '{text}' is no annotation")).hint("write --annotate KEY=VALUE"));
        };
        provenance.annotations.insert(key.to_owned(), value.to_owned());
    }
    Ok(provenance)
}

/// `<branch|tag>@sha1:<commit>`, the form that Flux documents.
fn ci_revision() -> Option<String> {
    let commit = env::variable("CI_COMMIT_SHA")?;
    let name = env::variable("CI_COMMIT_TAG").or_else(|| env::variable("CI_COMMIT_REF_NAME"));
    Some(name.map_or_else(|| format!("sha1:{commit}"), |name| format!("{name}@sha1:{commit}")))
}

/// `SOURCE_DATE_EPOCH`, else the commit's time in CI.
fn created() -> Result<Option<String>, Problem> {
    let fault =
        |name: &str, text: &str| Problem::usage(format!("the variable {name} has no time in it")).cause(format!("'{text}'"));
    if let Some(text) = env::variable("SOURCE_DATE_EPOCH") {
        let time = text.parse::<i64>().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        return time.map(|time| Some(time.to_string())).ok_or_else(|| fault("SOURCE_DATE_EPOCH", &text));
    }
    if let Some(text) = env::variable("CI_COMMIT_TIMESTAMP") {
        let time = text.parse::<jiff::Timestamp>().ok().and_then(|time| jiff::Timestamp::from_second(time.as_second()).ok());
        return time.map(|time| Some(time.to_string())).ok_or_else(|| fault("CI_COMMIT_TIMESTAMP", &text));
    }
    Ok(None)
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
