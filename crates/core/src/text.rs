//! Makes text from outside safe to show.
//!
//! Whatever a cluster, a registry, a file or a helper program says may hold escape sequences, line breaks or
//! characters that reorder what a terminal shows. It stays as it is inside the program, and passes through [`visible`] once,
//! when a renderer takes it; in JSON nothing is lost, since [`json_escaped`] writes such characters as JSON itself can.

use std::borrow::Cow;

/// The text with every character that could move the cursor, change colours, hide or reorder other text written as
/// `\u{…}`; line breaks and tabs become one space, so that a table's row stays a row.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_ascii_control() || is_deceptive(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.trim_end().chars() {
        match c {
            '\n' | '\t' => out.push(' '),
            '\r' => {}
            c if is_deceptive(c) => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Like [`visible`], for text that is shown as a paragraph of its own: line breaks stay.
pub fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// A JSON text with every such character written as `\uXXXX`: the same values, and nothing that a terminal would obey. Encoders
/// escape C0 by themselves, and only that.
pub fn json_escaped(json: &str) -> Cow<'_, str> {
    let is = |c: char| !c.is_ascii_whitespace() && is_deceptive(c);
    if !json.chars().any(is) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Control characters (C0, DEL, C1), bidirectional controls, zero-width characters, line and paragraph separators,
/// and the tag characters that can carry invisible text.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The first `n` characters; used for hashes, which are cut to 8 in tables as Flux's own tool does.
pub fn head(text: &str, n: usize) -> &str {
    text.char_indices().nth(n).map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
}

/// Whether a text matches a pattern in which `*` stands for any run of characters and `?` for any one.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    fits(&pattern, text, |sign| *sign == '*', |sign, c| *sign == '?' || *sign == c)
}

/// Whether a text is one that signs stand for, each of them for one character, but runs for any number of them.
///
/// In time that grows with the product of both lengths at most: after a mismatch only the last run takes one character more.
pub(crate) fn fits<S>(signs: &[S], text: &str, is_run: impl Fn(&S) -> bool, stands_for: impl Fn(&S, char) -> bool) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut in_text) = (0, 0);
    // The last run, and where the text stood when it was met: where to go on after a mismatch.
    let mut run: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(in_text) {
        match signs.get(at) {
            Some(sign) if is_run(sign) => {
                run = Some((at, in_text));
                at += 1;
            }
            Some(sign) if stands_for(sign, c) => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((of_run, from)) = run else { return false };
                run = Some((of_run, from + 1));
                (at, in_text) = (of_run + 1, from + 1);
            }
        }
    }
    signs.iter().skip(at).all(is_run)
}

/// A word as a POSIX shell takes it: in single quotes where it is more than letters and signs that mean nothing to a shell.
pub fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")).into() }
}

#[cfg(test)]
mod tests {
    use super::{head, matches, visible, visible_lines};

    #[test]
    fn patterns() {
        for (pattern, text) in [
            ("prod-*", "prod-gke"),
            ("prod-*", "prod-"),
            ("*", ""),
            ("*", "arn:aws:eks:us-east-1:1:cluster/x"),
            ("*-eu-*", "prod-eu-eu-1"),
            ("a?c", "aäc"),
            ("*a*b", "xaayab"),
            ("exact", "exact"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("prod-*", "preprod-1"), ("a?c", "ac"), ("*a*b", "ba"), ("", "x"), ("x", ""), ("Prod-*", "prod-1")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn plain_text_is_untouched() {
        assert_eq!(visible("Applied revision: main@sha1:äöü 日本"), "Applied revision: main@sha1:äöü 日本");
    }

    #[test]
    fn escapes_and_reordering_become_visible() {
        assert_eq!(visible("a\u{1b}[31mred\r\nb\tc\u{202e}d\u{9b}e\n\n"), "a\\u{1b}[31mred b c\\u{202e}d\\u{9b}e");
        assert_eq!(visible_lines("a\u{1b}b\nc"), "a\\u{1b}b\nc");
    }

    #[test]
    fn json_is_the_same_value_without_anything_to_obey() {
        let value = serde_json::json!({"a": "x\u{9b}31m\u{202e}\u{7f}\u{e0041}ä\n\u{1b}"});
        let text = super::json_escaped(&serde_json::to_string_pretty(&value).unwrap()).into_owned();
        assert!(text.chars().all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}')), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn head_counts_characters() {
        assert_eq!(head("äöüß", 2), "äö");
        assert_eq!(head("ab", 8), "ab");
    }
}
