//! The events of a watch: a body cut into bounded lines, each line read into what the mirror does with it.

use runway_core::flux::object::Object;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Bytes of one event.
pub(super) const MAX_LINE: usize = 8 * 1024 * 1024;

/// The version part of `group/version`; events carry it, lists do not.
pub(super) fn served_version(at: &At) -> &str {
    at.api_version.rsplit_once('/').map_or("v1", |(_, version)| version)
}

/// Where an event stands.
pub(super) struct At {
    pub(super) version: String,
    api_version: String,
}

/// One event of a watch.
pub(super) enum Event<S> {
    Put(Object<S>, At),
    Remove(Object<S>, At),
    Bookmark(At),
    /// 410: the server has forgotten where the watch stood.
    Anew,
    Refused(String),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    r#type: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Head {
    api_version: String,
    metadata: HeadMeta,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct HeadMeta {
    resource_version: String,
}

/// The parts of a `Status` that are decided on.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    code: u16,
    message: String,
}

/// Reads one line. serde's own words are not told: they quote the line.
pub(super) fn read<S: DeserializeOwned>(line: &[u8]) -> Result<Event<S>, String> {
    let wrong = |_: serde_json::Error| "an event of a watch is not what was asked for".to_owned();
    let envelope: Envelope<'_> = serde_json::from_slice(line).map_err(wrong)?;
    let text = envelope.object.get();
    let kind = envelope.r#type.as_str();
    if kind == "ERROR" {
        let status: Status = serde_json::from_str(text).map_err(wrong)?;
        return Ok(if status.code == 410 { Event::Anew } else { Event::Refused(status.message) });
    }
    let head: Head = serde_json::from_str(text).map_err(wrong)?;
    let at = At { version: head.metadata.resource_version, api_version: head.api_version };
    match kind {
        "BOOKMARK" => Ok(Event::Bookmark(at)),
        "ADDED" | "MODIFIED" => Ok(Event::Put(serde_json::from_str(text).map_err(wrong)?, at)),
        "DELETED" => Ok(Event::Remove(serde_json::from_str(text).map_err(wrong)?, at)),
        _ => Err("a watch had an event of an unknown type".to_owned()),
    }
}

/// Cuts a body into lines, each bounded.
#[derive(Default)]
pub(super) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that are whole now; the last one may be an error, after which nothing more is to be read.
    pub(super) fn push(&mut self, piece: &[u8]) -> Vec<Result<Vec<u8>, String>> {
        let mut whole = Vec::new();
        let mut parts = piece.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.rest.extend_from_slice(part);
            if self.rest.len() > MAX_LINE {
                self.rest = Vec::new();
                whole.push(Err(format!("an event of a watch has more than {} MiB", MAX_LINE / 1024 / 1024)));
                break;
            }
            if parts.peek().is_some() && !self.rest.is_empty() {
                whole.push(Ok(std::mem::take(&mut self.rest)));
            }
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Lines, MAX_LINE};
    use runway_core::flux::object::SourceStatus;

    #[test]
    fn lines_are_whole_and_bounded() {
        let mut lines = Lines::default();
        assert!(lines.push(b"ab").is_empty());
        assert_eq!(lines.push(b"c\n\nd\ne"), [Ok(b"abc".to_vec()), Ok(b"d".to_vec())]);
        assert_eq!(lines.push(b"\n"), [Ok(b"e".to_vec())]);
        let long = vec![b'x'; MAX_LINE];
        assert!(lines.push(&long).is_empty());
        assert!(lines.push(b"x").last().is_some_and(Result::is_err));
    }

    #[test]
    fn events() {
        let read = |text: &str| super::read::<SourceStatus>(text.as_bytes());
        let put =
            read(r#"{"type":"MODIFIED","object":{"apiVersion":"g/v1beta2","metadata":{"name":"a","resourceVersion":"7"}}}"#);
        assert!(matches!(put, Ok(Event::Put(object, at)) if object.metadata.name == "a" && at.version == "7"));
        let bookmark = read(r#"{"type":"BOOKMARK","object":{"kind":"X","metadata":{"resourceVersion":"9"}}}"#);
        assert!(matches!(bookmark, Ok(Event::Bookmark(at)) if at.version == "9"));
        assert!(matches!(read(r#"{"type":"ERROR","object":{"kind":"Status","code":410}}"#), Ok(Event::Anew)));
        let refused = read(r#"{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd"}}"#);
        assert!(matches!(refused, Ok(Event::Refused(message)) if message == "etcd"));
        for garbage in ["", "{", r#"{"type":"NEW","object":{}}"#, r#"{"type":"ADDED"}"#, "<html>"] {
            assert!(read(garbage).is_err(), "{garbage}");
        }
    }
}
