//! Flux's revision strings: `<tag>@sha256:<hex>`, or just `sha256:<hex>` for a `ref.digest`.
//!
//! The digest in them is that of the OCI manifest; `status.artifact.digest` is another one (of source-controller's own
//! tarball) and is never compared with a registry's.

/// The digest of a revision, `sha256:<hex>`.
pub fn digest(revision: &str) -> Option<&str> {
    let tail = revision.rsplit_once('@').map_or(revision, |(_, tail)| tail);
    is_digest(tail).then_some(tail)
}

/// The tag of a revision, when it has one.
pub fn tag(revision: &str) -> Option<&str> {
    revision.rsplit_once('@').map(|(tag, _)| tag).filter(|tag| !tag.is_empty())
}

/// Whether `text` is a digest of a known form (`sha256:` and 64 hex digits, or `sha512:` and 128).
pub fn is_digest(text: &str) -> bool {
    let hex = |hex: &str, n: usize| hex.len() == n && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match text.split_once(':') {
        Some(("sha256", rest)) => hex(rest, 64),
        Some(("sha512", rest)) => hex(rest, 128),
        _ => false,
    }
}

/// The first 8 hex digits of a digest or revision, as tables show it.
pub fn short(revision: &str) -> &str {
    let hex = revision.rsplit_once(':').map_or(revision, |(_, hex)| hex);
    crate::text::head(hex, 8)
}

#[cfg(test)]
mod tests {
    use super::{digest, short, tag};

    #[test]
    fn parts() {
        let hex = "c15b6c050dc1b604b1d528a2cef8196a00c3f85b7d459f12ad48e901ff11b92e";
        let revision = format!("production@sha256:{hex}");
        assert_eq!(digest(&revision), Some(format!("sha256:{hex}").as_str()));
        assert_eq!(tag(&revision), Some("production"));
        assert_eq!(short(&revision), "c15b6c05");
        assert_eq!(digest(&format!("sha256:{hex}")), Some(format!("sha256:{hex}").as_str()));
        assert_eq!(digest("main@sha1:abc"), None);
        assert_eq!(digest("sha256:xyz"), None);
        assert_eq!(digest(""), None);
    }
}
