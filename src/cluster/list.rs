//! Cuts a list's items out of its body while it arrives, so that each is decoded from memory and none waits for the others.
//!
//! `serde_json` reads a stream byte by byte, which was a quarter of the processor time of `status`; and the whole body in memory
//! would be more than all that is kept of it. May use: a body's pieces. Must not: know what an item is.

use super::stream::words;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Bytes of one item, and of all that is none: etcd stores no object of 2 MiB.
const MAX_PART: usize = 8 * 1024 * 1024;
/// Objects of one page, kubectl's own `--chunk-size`.
pub(super) const PAGE: u32 = 500;
/// What stands for an item in the rest of the body.
const PLACEHOLDER: u8 = b'0';

/// A page of a list.
pub(super) struct Page<T> {
    pub(super) kind: String,
    pub(super) metadata: Meta,
    pub(super) items: Vec<T>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) r#continue: String,
    pub(super) resource_version: String,
}

/// A page with a placeholder for each item.
#[derive(Deserialize)]
struct Rest {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: Meta,
    items: Option<Vec<u8>>,
}

/// Reads a page; the error says what is wrong with it.
pub(super) fn page<T: DeserializeOwned>(pieces: impl Iterator<Item = Vec<u8>>) -> Result<Page<T>, String> {
    let mut cutter = Cutter::new();
    for piece in pieces {
        cutter.push(&piece)?;
    }
    cutter.end()
}

/// What is read so far.
struct Cutter<T> {
    /// All but the items.
    rest: Vec<u8>,
    /// The item that is not at its end yet.
    item: Vec<u8>,
    items: Vec<T>,
    /// Braces and brackets that are open.
    depth: usize,
    in_string: bool,
    /// The next character of the string is none of its ends.
    escaped: bool,
    /// The list of the items is open.
    in_items: bool,
}

impl<T: DeserializeOwned> Cutter<T> {
    fn new() -> Self {
        // Room that is not used costs nothing; what grows leaves its smaller places behind.
        let (rest, item, items) = (Vec::new(), Vec::new(), Vec::with_capacity(PAGE as usize));
        Self { rest, item, items, depth: 0, in_string: false, escaped: false, in_items: false }
    }

    fn push(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some(at) = self.next(bytes) {
            // What comes before the sign, and with it.
            let (before, from) = bytes.split_at(at);
            let (sign, behind) = from.split_at(1);
            bytes = behind;
            self.keep(before)?;
            if matches!(sign, [b'{' | b'[']) {
                if self.in_items && self.depth == 2 {
                    self.rest.push(PLACEHOLDER);
                }
                let begins_items = self.depth == 1 && sign == b"[" && is_key_of_items(&self.rest);
                self.depth += 1;
                self.keep(sign)?;
                self.in_items |= begins_items;
            } else {
                self.keep(sign)?;
                let ends_item = self.in_items && self.depth == 3;
                self.depth = self.depth.saturating_sub(1);
                self.in_items &= self.depth >= 2;
                if ends_item {
                    self.item_ends()?;
                }
            }
        }
        self.keep(bytes)
    }

    /// Where the next brace or bracket stands that is in no string.
    fn next(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..)?;
            if self.escaped && !rest.is_empty() {
                self.escaped = false;
                at += 1;
            } else if self.in_string {
                let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
                self.escaped = rest.get(end) == Some(&b'\\');
                self.in_string = self.escaped;
                at += end + 1;
            } else {
                let end = rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?;
                if rest.get(end) != Some(&b'"') {
                    return Some(at + end);
                }
                self.in_string = true;
                at += end + 1;
            }
        }
    }

    fn is_in_item(&self) -> bool {
        self.in_items && self.depth > 2
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), String> {
        let part = if self.is_in_item() { &mut self.item } else { &mut self.rest };
        if part.len() + bytes.len() > MAX_PART {
            return Err(format!("one part of its list is larger than {} MiB", MAX_PART >> 20));
        }
        part.extend(bytes);
        Ok(())
    }

    fn item_ends(&mut self) -> Result<(), String> {
        let item = serde_json::from_slice(&self.item);
        let item = item.map_err(|error| format!("{} (item {})", words(error.classify()), self.items.len() + 1))?;
        self.items.push(item);
        self.item.clear();
        Ok(())
    }

    fn end(self) -> Result<Page<T>, String> {
        let said = |category| words(category).to_owned();
        if !self.item.is_empty() {
            return Err(said(Category::Eof));
        }
        let rest: Rest = serde_json::from_slice(&self.rest).map_err(|error| said(error.classify()))?;
        // A number among the items stands for none of them.
        if rest.items.unwrap_or_default().len() != self.items.len() {
            return Err(said(Category::Data));
        }
        Ok(Page { kind: rest.kind, metadata: rest.metadata, items: self.items })
    }
}

/// Whether the next value is that of the key `items`.
fn is_key_of_items(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let key = before.strip_suffix(b":").map(<[u8]>::trim_ascii_end);
    key.and_then(|key| key.strip_suffix(b"\"items\"")).is_some_and(|above| !above.ends_with(b"\\"))
}

#[cfg(test)]
mod tests {
    use super::page;
    use serde_json::{Value, json};

    fn read(body: &[u8], at: usize) -> Result<(Vec<Value>, String, String), String> {
        // One piece at a time, the first one with a cut.
        let pieces =
            if at == 0 { body.chunks(1).map(<[u8]>::to_vec).collect() } else { vec![body[..at].to_vec(), body[at..].to_vec()] };
        page::<Value>(pieces.into_iter()).map(|page| (page.items, page.kind, page.metadata.r#continue))
    }

    #[test]
    fn items_are_those_of_the_whole_body_however_it_is_cut() {
        let tricky = [
            json!({"a": "]}\\\"", "items": [{"x": [[]]}, 1], "b": {"items": []}}),
            json!({}),
            json!([{"items": [{}]}, "[{"]),
            json!({"metadata": {"name": "\\"}, "\"items\"": [{"ü": "{\u{1f600}"}]}),
        ];
        for text in [
            json!({"items": tricky, "kind": "AList", "metadata": {"continue": "x", "other": [{}]}}).to_string(),
            format!(
                "{{ \"apiVersion\" : [{{}}],\n \"items\" :\t[ {},\n{} ] , \"kind\":\"AList\",\"metadata\":{{\"continue\":\"x\"}}}}\n",
                tricky[0], tricky[3]
            ),
            json!({"x\\\"items": [{"a": 1}], "kind": "AList", "metadata": {"continue": "x"}, "items": []}).to_string(),
            json!({"kind": "AList", "items": null, "metadata": {"continue": "x"}}).to_string(),
        ] {
            let whole: Value = serde_json::from_str(&text).unwrap();
            let items = whole["items"].as_array().cloned().unwrap_or_default();
            for at in 0..text.len() {
                assert_eq!(read(text.as_bytes(), at), Ok((items.clone(), "AList".to_owned(), "x".to_owned())), "{at}: {text}");
            }
        }
    }

    #[test]
    fn what_is_no_list_is_said() {
        for (body, said) in [
            ("", "ends too early"),
            ("{\"items\":[{\"a\":1}", "ends too early"),
            ("{\"items\":[{\"a\":", "ends too early"),
            ("{\"items\":[{\"a\":\"}]}", "ends too early"),
            ("{\"items\":[{\"a\":1],\"kind\":\"\"}}", "not JSON (item 1)"),
            ("{\"items\":[{\"a\":1} {}]}", "not JSON"),
            ("{\"items\":[{\"a\":1},]}", "not JSON"),
            ("{\"items\":[{a}]}", "not JSON (item 1)"),
            ("{\"items\":[]}{", "not JSON"),
            ("]}{[", "not JSON"),
            ("[1, 2]", "not what was asked for"),
            ("{\"items\":[0]}", "not what was asked for"),
            ("{\"items\":[null]}", "not what was asked for"),
            ("{\"items\":{\"a\":[]}}", "not what was asked for"),
            ("{\"items\":[{}],\"items\":[{}]}", "not what was asked for"),
        ] {
            for at in 0..body.len().max(1) {
                let found = read(body.as_bytes(), at);
                assert!(found.as_ref().is_err_and(|why| why.ends_with(said)), "{at}: {body}: {found:?}");
            }
        }
        assert!(page::<u8>([b"{\"items\":[{}]}".to_vec()].into_iter()).is_err_and(|why| why.ends_with("asked for (item 1)")));
        let long = std::iter::repeat_n(vec![b' '; 1 << 20], 9);
        assert!(page::<Value>(long).is_err_and(|why| why.contains("larger than 8 MiB")));
    }
}
