//! The login files of Docker and podman: one form, `auths`, `credHelpers`, `credsStore`.

use super::logins::Login;
use super::origin;
use super::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use runway_core::flux::reference::Repository;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A login file, read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Config {
    #[serde(default)]
    auths: Option<BTreeMap<String, Option<Entry>>>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    creds_store: Option<String>,
}

/// One entry of `auths`. An empty one says that a helper has the login.
#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// Where a file says that the login is.
pub(super) enum Candidate {
    /// Here, under this key.
    Entry(String, Login),
    /// Here, under this key, and it cannot be read.
    Fault(String, &'static str),
    /// `docker-credential-<name>` has it; `required` when the file names the helper for this very host.
    Helper { name: String, required: bool },
}

/// Reads a file. `Err` says where it is wrong, and never what stands there.
pub(super) fn parse(text: &[u8]) -> Result<Config, String> {
    serde_json::from_slice(text)
        .map_err(|error| format!("it is not the JSON of a login file (line {}, column {})", error.line(), error.column()))
}

impl Config {
    /// The logins for a repository, the best first: the key with the longest path (of two that are as long, the one that names a
    /// helper), and the helper for everything.
    pub(super) fn candidates(&self, repository: &Repository) -> Vec<Candidate> {
        let helper = best(self.cred_helpers.iter().flatten(), repository).into_iter().next();
        let helper = helper.map(|(length, _, name)| (length, Candidate::Helper { name: name.clone(), required: true }));
        let entries = self.auths.iter().flatten().filter_map(|(key, entry)| entry.as_ref().map(|entry| (key, entry)));
        let entry = best(entries, repository).into_iter().find_map(|(length, key, entry)| match entry.login() {
            Ok(Some(login)) => Some((length, Candidate::Entry(key.clone(), login))),
            Ok(None) => None,
            Err(why) => Some((length, Candidate::Fault(key.clone(), why))),
        });
        let mut named: Vec<(usize, Candidate)> = helper.into_iter().chain(entry).collect();
        named.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        let store = self.creds_store.iter().filter(|name| !name.is_empty());
        let store = store.map(|name| Candidate::Helper { name: name.clone(), required: false });
        named.into_iter().map(|(_, candidate)| candidate).chain(store).collect()
    }
}

impl Entry {
    fn login(&self) -> Result<Option<Login>, &'static str> {
        let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = set(&self.registrytoken) {
            return Ok(Some(Login::Bearer(Secret::new(token))));
        }
        if let Some(token) = set(&self.identitytoken) {
            return Ok(Some(Login::Identity(Secret::new(token))));
        }
        if let Some(auth) = set(&self.auth) {
            return pair(&auth).map(Some);
        }
        Ok(set(&self.username).zip(self.password.clone()).map(|(user, password)| Login::basic(user, password)))
    }
}

/// `base64(user:password)`.
fn pair(auth: &str) -> Result<Login, &'static str> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    let bytes = engine.decode(auth.trim()).map_err(|_| "its 'auth' is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "its 'auth' is not text")?;
    let (user, password) = text.split_once(':').ok_or("its 'auth' holds no ':' between user and password")?;
    Ok(Login::basic(user, password.trim_end_matches('\0')))
}

/// The entries whose key covers the repository, with the length of its path, the longest first.
fn best<'a, T>(entries: impl Iterator<Item = (&'a String, T)>, repository: &Repository) -> Vec<(usize, &'a String, T)> {
    let mut found: Vec<(usize, &String, T)> =
        entries.filter_map(|(key, value)| covers(key, repository).map(|length| (length, key, value))).collect();
    found.sort_by_key(|(length, _, _)| std::cmp::Reverse(*length));
    found
}

/// How many characters of the repository's path a key covers; `None`: the key is for something else.
fn covers(key: &str, repository: &Repository) -> Option<usize> {
    let (host, path) = split(key);
    if host != canonical(&repository.host) {
        return None;
    }
    let rest = repository.name.strip_prefix(path)?;
    (path.is_empty() || rest.is_empty() || rest.starts_with('/')).then_some(path.len())
}

/// A key's host and path, without the decoration that Docker's own files have.
fn split(key: &str) -> (String, &str) {
    let bare = key.trim();
    let bare = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://")).unwrap_or(bare);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let path = path.trim_matches('/');
    (canonical(host), if matches!(path, "v1" | "v2") { "" } else { path })
}

/// A host in lower case; Docker Hub's names are one.
pub(super) fn canonical(host: &str) -> String {
    let host = host.trim_end_matches('/').to_ascii_lowercase();
    if origin::is_docker_hub(&host) { "docker.io".to_owned() } else { host }
}

/// Whether a variable such as `CI_REGISTRY` names the host.
pub(super) fn is_host(text: &str, host: &str) -> bool {
    split(text).0 == canonical(host)
}

/// `Basic` and its parameter.
pub(super) fn basic(user: &str, password: &Secret) -> Secret {
    let text = format!("{user}:{}", password.expose());
    Secret::new(format!("Basic {}", general_purpose::STANDARD.encode(text)))
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Login, covers, parse};
    use runway_core::flux::reference::Repository;

    fn repository(text: &str) -> Repository {
        Repository::parse(text).unwrap()
    }

    #[test]
    fn keys_as_they_are_found_in_the_wild() {
        let r = repository("localhost:5000/a/x");
        for key in [
            "localhost:5000",
            "https://localhost:5000",
            "http://localhost:5000",
            "localhost:5000/",
            "https://localhost:5000/v1/",
            "https://LOCALHOST:5000/v2",
        ] {
            assert_eq!(covers(key, &r), Some(0), "{key}");
        }
        assert_eq!(covers("localhost:5000/a", &r), Some(1));
        assert_eq!(covers("localhost:5000/a", &repository("localhost:5000/ab/x")), None);
        assert_eq!(covers("localhost:5000/a/x/", &r), Some(3));
        for key in [
            "localhost",
            "localhost:50",
            "localhost:5000/b",
            "localhost:5000/a/xy",
            "localhost:5000/a/x/y",
            "*",
            "",
            "localhost:5000/v",
        ] {
            assert_eq!(covers(key, &r), None, "{key}");
        }
        assert_eq!(covers("https://index.docker.io/v1/", &repository("docker.io/library/alpine")), Some(0));
    }

    fn user(text: &str, r: &str) -> String {
        let config = parse(text.as_bytes()).unwrap();
        let shown = config.candidates(&repository(r)).into_iter().map(|candidate| match candidate {
            Candidate::Entry(key, Login::Basic { user, password }) => format!("{key} {user} {}", password.expose()),
            Candidate::Entry(key, Login::Bearer(token)) => format!("{key} bearer {}", token.expose()),
            Candidate::Entry(key, Login::Identity(token)) => format!("{key} identity {}", token.expose()),
            Candidate::Fault(key, why) => format!("{key} {why}"),
            Candidate::Helper { name, required } => format!("{name} {required}"),
        });
        shown.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_longest_path_wins() {
        let text = r#"{"auths": {
            "h": {"username": "host", "password": "1"},
            "h/a": {"username": "group", "password": "2"},
            "https://h/a/b/": {"username": "project", "password": "3"},
            "h/a/b/c": {},
            "h/null": null}}"#;
        assert_eq!(user(text, "h/x"), "h host 1");
        assert_eq!(user(text, "h/a/x"), "h/a group 2");
        assert_eq!(user(text, "h/a/b/x"), "https://h/a/b/ project 3");
        assert_eq!(user(text, "h/a/b/c"), "https://h/a/b/ project 3");
        assert_eq!(user(text, "h/null"), "h host 1");
        assert_eq!(user(text, "other/a"), "");
    }

    #[test]
    fn all_forms_of_entries() {
        assert_eq!(user(r#"{"auths": {"h": {"auth": "dXNlcjpwYTpzcw=="}}}"#, "h/x"), "h user pa:ss");
        assert_eq!(user(r#"{"auths": {"h": {"auth": "dXNlcjpwYTpzcw"}}}"#, "h/x"), "h user pa:ss");
        assert_eq!(user(r#"{"auths": {"h": {"auth": "dXNlcjpw", "identitytoken": "t"}}}"#, "h/x"), "h identity t");
        assert_eq!(user(r#"{"auths": {"h": {"registrytoken": "t"}}}"#, "h/x"), "h bearer t");
        assert_eq!(user(r#"{"auths": {"h": {"auth": "%%"}}}"#, "h/x"), "h its 'auth' is not base64");
        assert_eq!(
            user(r#"{"auths": {"h": {"auth": "dXNlcg=="}}}"#, "h/x"),
            "h its 'auth' holds no ':' between user and password"
        );
        assert_eq!(user(r#"{"auths": {"h": {}}, "credsStore": "s", "credHelpers": {"h": "own"}}"#, "h/x"), "own true; s false");
        assert_eq!(user(r#"{"auths": null, "credsStore": ""}"#, "h/x"), "");
        // What is said of a path is meant more exactly than what is said of its host.
        let text = r#"{"auths": {"h/a": {"username": "u", "password": "p"}}, "credHelpers": {"h": "own", "h/a/b": "deep"}}"#;
        assert_eq!(user(text, "h/a/x"), "h/a u p; own true");
        assert_eq!(user(text, "h/a/b/x"), "deep true; h/a u p");
        assert_eq!(user(text, "h/x"), "own true");
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        for text in [r#"{"auths": {"h": "s3cret"}}"#, r#"{"auths": {"h": {"auth": 123456}}}"#, "s3cret", r#"{"s3cret"#] {
            let fault = parse(text.as_bytes()).err().unwrap();
            assert!(fault.contains("line 1") && !fault.contains("s3cret") && !fault.contains("123456"), "{fault}");
        }
    }
}
