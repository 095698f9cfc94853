//! References into registries: `host[:port]/repository`, with a tag or a digest.
//!
//! The rules are those of the OCI distribution spec and of the library that Flux uses: a repository is 1-255
//! characters of `a-z 0-9 . _ - /`, a tag 1-128 of `A-Z a-z 0-9 _ . -` that does not begin with `.` or `-`.

use super::revision::is_digest;
use crate::problem::Problem;
use std::borrow::Cow;
use std::fmt;

/// A repository on a registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    /// `host` or `host:port`.
    pub host: String,
    /// The path below the host.
    pub name: String,
}

/// What a reference points to inside a repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A tag, which can move.
    Tag(String),
    /// A manifest's digest, which cannot.
    Digest(String),
}

impl Target {
    /// The text that stands in a manifest's URL.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(text) | Self::Digest(text) => text,
        }
    }
}

/// A repository with an optional tag or digest, as users write it after `oci://`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The repository.
    pub repository: Repository,
    /// The tag or digest, if one was written.
    pub target: Option<Target>,
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            None => write!(f, "oci://{}", self.repository),
            Some(Target::Tag(tag)) => write!(f, "oci://{}:{tag}", self.repository),
            Some(Target::Digest(digest)) => write!(f, "oci://{}@{digest}", self.repository),
        }
    }
}

impl Repository {
    /// Reads `host[:port]/path`, with or without `oci://`; a tag or digest is refused, as Flux refuses it in `spec.url`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let reference = Reference::parse(text)?;
        match reference.target {
            None => Ok(reference.repository),
            Some(target) => Err(Problem::usage(format!("'{text}' must not contain a tag or digest"))
                .hint(format!("remove '{}' from the URL", target.as_str()))),
        }
    }
}

impl Reference {
    /// Reads `[oci://]host[:port]/path[:tag][@digest]`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bare = without_login(text);
        let fault = |cause: &str| {
            let hint = match &bare {
                Cow::Borrowed(_) => "write oci://HOST[:PORT]/REPOSITORY[:TAG] or …@sha256:DIGEST",
                Cow::Owned(_) => {
                    "log in with `docker login`, or hand the password in with --registry-user and --registry-token-stdin"
                }
            };
            Problem::usage(format!("'{bare}' is no reference to an OCI artifact")).cause(cause).hint(hint)
        };
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        if rest.contains("://") {
            return Err(fault("the only scheme is oci://"));
        }
        let (host, path) = rest.split_once('/').ok_or_else(|| fault("there is no repository after the host"))?;
        host_fault(host).map_or(Ok(()), |cause| Err(fault(cause)))?;
        let (path, target) = if let Some((path, digest)) = path.split_once('@') {
            if !is_digest(digest) {
                return Err(fault("what stands after '@' is no digest"));
            }
            // A tag beside a digest says nothing more: the digest decides.
            let path = path.split_once(':').map_or(path, |(path, _)| path);
            (path, Some(Target::Digest(digest.to_owned())))
        } else if let Some((path, tag)) = path.split_once(':') {
            tag_fault(tag).map_or(Ok(()), |cause| Err(fault(cause)))?;
            (path, Some(Target::Tag(tag.to_owned())))
        } else {
            (path, None)
        };
        name_fault(path).map_or(Ok(()), |cause| Err(fault(cause)))?;
        Ok(Self { repository: Repository { host: host.to_owned(), name: path.to_owned() }, target })
    }
}

/// A reference, or the beginning of one, as it may be shown: what stands before the host may be a password, which becomes
/// `***`.
pub fn without_login(text: &str) -> Cow<'_, str> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(start);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // A password may hold a slash as well: then what stands behind the colon is no port.
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let odd = authority.split_once(':').is_some_and(|(_, port)| !is_port(port)) && !authority.starts_with('[');
    let at = if odd || !path.contains('@') { rest.rfind('@') } else { None };
    match at.or(authority.rfind('@')).filter(|at| odd || *at < authority.len()) {
        Some(at) => Cow::Owned(format!("{scheme}***{}", rest.get(at..).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// Why `host` is no registry's host.
fn host_fault(host: &str) -> Option<&'static str> {
    let (name, port) = match host.rsplit_once(':') {
        // An IPv6 address in brackets holds colons of its own.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    if name.is_empty() {
        return Some("the host is empty");
    }
    let bracketed = name.starts_with('[') && name.ends_with(']');
    let ok = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || (bracketed && matches!(b, b'[' | b']' | b':'));
    if !name.bytes().all(ok) {
        return Some("the host has characters that no host name has (a user name does not belong here)");
    }
    match port {
        Some(port) if port.parse::<u16>().is_err() => Some("the port is no number between 0 and 65535"),
        _ => None,
    }
}

/// Why `name` is no repository's name.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-' | b'/');
    if name.is_empty() || name.len() > 255 {
        return Some("a repository's name has 1 to 255 characters");
    }
    if !name.bytes().all(ok) {
        return Some("a repository's name has only lower-case letters, digits and . _ - /");
    }
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    if name.split('/').any(|part| !edge(part.bytes().next()) || !edge(part.bytes().last())) {
        return Some("each part of a repository's name begins and ends with a letter or a digit");
    }
    None
}

/// Why `tag` is no tag.
pub fn tag_fault(tag: &str) -> Option<&'static str> {
    let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if tag.is_empty() || tag.len() > 128 {
        return Some("a tag has 1 to 128 characters");
    }
    if !tag.bytes().all(ok) || tag.starts_with(['.', '-']) {
        return Some("a tag has only letters, digits and _ . - and begins with none of the last two");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Reference, Repository, Target};

    #[test]
    fn reads_what_users_write() {
        let r = Reference::parse("oci://localhost:5000/a/b-c/deploy:production").unwrap();
        assert_eq!((r.repository.host.as_str(), r.repository.name.as_str()), ("localhost:5000", "a/b-c/deploy"));
        assert_eq!(r.target, Some(Target::Tag("production".into())));
        assert_eq!(r.to_string(), "oci://localhost:5000/a/b-c/deploy:production");
        let digest = format!("sha256:{}", "a".repeat(64));
        let r = Reference::parse(&format!("r.example.com/x:tag@{digest}")).unwrap();
        assert_eq!(r.target, Some(Target::Digest(digest)));
        assert_eq!(r.repository.name, "x");
        assert!(Reference::parse("[::1]:5000/x").is_ok());
    }

    #[test]
    fn a_password_in_a_reference_is_not_repeated() {
        for (text, shown) in [
            ("oci://user:s3cret@h:1/a/x:v1", "oci://***@h:1/a/x:v1"),
            ("user:s3cret@h/x", "***@h/x"),
            ("s3cret@h/x", "***@h/x"),
            ("oci://user:s3c/ret@h/x", "oci://***@h/x"),
            ("https://user:s3@cret@h/x", "https://***@h/x"),
            ("oci://user:s3cret@h/x@sha256:12", "oci://***@sha256:12"),
            ("oci://s3cret@h/x@sha256:12", "oci://***@h/x@sha256:12"),
        ] {
            let problem = Reference::parse(text).unwrap_err();
            assert_eq!(problem.what, format!("'{shown}' is no reference to an OCI artifact"));
            assert!(!format!("{problem:?}").contains("s3c") && problem.hints[0].contains("docker login"), "{problem:?}");
        }
        // A digest, right or wrong, is none.
        for text in ["oci://h:5000/A@sha256:12", "h/a@latest", "oci://[::1]:5/a@x"] {
            assert_eq!(super::without_login(text), text);
        }
    }

    #[test]
    fn refuses_what_registries_refuse() {
        for bad in [
            "",
            "x",
            "oci://",
            "https://h/x",
            "oci://h/",
            "oci://h/A",
            "oci://h/a:",
            "oci://h/a:-x",
            "oci://h/a@sha256:1",
            "oci://user:pw@h/x",
            "oci://h:99999/x",
            "oci://h/a//b",
            "oci://h/../b",
            "oci://h/a:b:c",
            "oci:// h/a",
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
        assert!(Repository::parse("oci://h/a:tag").is_err());
    }
}
