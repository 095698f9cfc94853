//! The only place that reads environment variables.
//!
//! Uses: nothing.
//! Never: keeping a secret longer than the caller; values are looked up when they are needed.

use std::path::PathBuf;

/// Every variable that is read beside those of the settings: what it belongs to, its name, what it does. `help environment`
/// shows it; a test compares it with the sources.
pub(crate) const VARIABLES: [(&str, &str, &str); 33] = [
    ("Output", "NO_COLOR", "set to anything: no colour"),
    ("Output", "CLICOLOR_FORCE", "set to anything but 0: colour, also where the output is no terminal; NO_COLOR is stronger"),
    ("Output", "TERM", "dumb: no colour and no progress line"),
    ("Output", "LC_ALL", "names no UTF-8 locale: marks, arrows and lines of trees are drawn in ASCII"),
    ("Output", "LC_CTYPE", "the same, when LC_ALL is not set"),
    ("Output", "LANG", "the same, when neither is set"),
    ("Files", "HOME", "where the user's files are (USERPROFILE on Windows)"),
    ("Files", "XDG_CONFIG_HOME", "folder of kubectl-runway/config.yaml, else ~/.config"),
    ("Files", "XDG_CACHE_HOME", "folder of kubectl-runway/workloads/, names for completion, else ~/.cache"),
    ("Files", "XDG_DATA_HOME", "where completion install puts the script for bash, else ~/.local/share"),
    ("Files", "PATH", "where git, helm and credential helpers are found"),
    ("Files", "SHELL", "the shell that completion install sets up"),
    ("Clusters", "KUBECONFIG", "kubeconfig files, as kubectl reads them; else ~/.kube/config"),
    ("Network", "HTTPS_PROXY", "proxy for https; also https_proxy, ALL_PROXY"),
    ("Network", "HTTP_PROXY", "proxy for http; also http_proxy"),
    ("Network", "NO_PROXY", "hosts that need none; also no_proxy"),
    ("Network", "REQUEST_METHOD", "set, as in a CGI program: HTTP_PROXY is not believed"),
    ("Network", "SSL_CERT_FILE", "certificates to trust instead of the system's"),
    ("Network", "SSL_CERT_DIR", "folders with such certificates; with SSL_CERT_FILE both are read"),
    ("Registries", "REGISTRY_AUTH_FILE", "logins, in the form of containers' auth.json"),
    ("Registries", "DOCKER_AUTH_CONFIG", "logins, in the form of docker's config.json, as the text itself"),
    ("Registries", "DOCKER_CONFIG", "folder of docker's config.json, else ~/.docker"),
    (
        "Registries",
        "XDG_RUNTIME_DIR",
        "folder of containers/auth.json, else /run/containers/UID; ~/.config/containers/auth.json comes next",
    ),
    ("GitLab CI", "CI_REGISTRY", "the registry that these belong to:"),
    ("GitLab CI", "CI_REGISTRY_USER", "its user"),
    ("GitLab CI", "CI_REGISTRY_PASSWORD", "its password"),
    ("GitLab CI", "CI_JOB_TOKEN", "its password, when there is none"),
    ("GitLab CI", "CI_PROJECT_URL", "source of what is pushed, without --source"),
    ("GitLab CI", "CI_COMMIT_SHA", "revision of what is pushed, without --revision"),
    ("GitLab CI", "CI_COMMIT_REF_NAME", "the branch in that revision"),
    ("GitLab CI", "CI_COMMIT_TAG", "the tag in that revision"),
    ("GitLab CI", "CI_COMMIT_TIMESTAMP", "creation time of what is pushed"),
    ("Reproducibility", "SOURCE_DATE_EPOCH", "creation time of what is pushed, in seconds; stronger than the commit's"),
];

/// A variable's value, when it is set, not empty, and UTF-8.
#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variable of a setting, which may be set to nothing: that is a word, too.
#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The user's home folder.
#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
pub(crate) fn home() -> Option<PathBuf> {
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
