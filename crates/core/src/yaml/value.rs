//! Nodes to JSON values, with the types that the API server's own YAML reader gives plain scalars.
//!
//! Source of the rule: `sigs.k8s.io/yaml`, which reads YAML 1.1 scalars (`yes`, `no`, `on`, `off`, `y`, `n` are booleans, `010`
//! is octal) and then turns the tree into JSON.

use super::node::{Kind, Node};
use serde_json::{Map, Number, Value};

/// The type of a scalar without quotes.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    /// Text.
    Text,
    /// `~`, `null`, nothing.
    Null,
    /// A boolean of YAML 1.1.
    Bool(bool),
    /// A number.
    Number(Number),
}

/// How the API server's reader types a plain scalar.
pub fn plain_type(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Plain::Bool(true),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Plain::Bool(false),
        _ => {}
    }
    number(text).map_or(Plain::Text, Plain::Number)
}

fn number(text: &str) -> Option<Number> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1_i64, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    // Underscores group digits in YAML 1.1.
    let digits = digits.replace('_', "");
    let radix = |prefix: &str, radix: u32| {
        let rest = digits.strip_prefix(prefix)?;
        i64::from_str_radix(rest, radix).ok().and_then(|n| n.checked_mul(sign)).map(Number::from)
    };
    if let Some(n) = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2)) {
        return Some(n);
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() {
        if digits.len() > 1
            && digits.starts_with('0')
            && let Ok(n) = i64::from_str_radix(&digits, 8)
        {
            return n.checked_mul(sign).map(Number::from);
        }
        if let Ok(n) = digits.parse::<i64>() {
            return n.checked_mul(sign).map(Number::from);
        }
        if let (1, Ok(n)) = (sign, digits.parse::<u64>()) {
            return Some(Number::from(n));
        }
    }
    let float = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && digits.bytes().any(|b| b.is_ascii_digit());
    if !float {
        return None;
    }
    let value: f64 = digits.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "the sign is 1 or -1")]
    Number::from_f64(value * sign as f64)
}

/// What a plain scalar is read as, when it is a number or a boolean that is not written as one: anything but plain decimals, `true`
/// and `false`. Readers disagree about these.
pub fn unusual(text: &str) -> Option<String> {
    match plain_type(text) {
        Plain::Bool(value) if !matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE") => Some(value.to_string()),
        Plain::Number(number) if !is_decimal(text) => Some(number.to_string()),
        _ => None,
    }
}

/// `12`, `-3`, `1.5`: the same number to every reader.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(rest) && (whole == "0" || !whole.starts_with('0'))
}

/// What a reader of YAML 1.1 makes of a plain scalar where a text is expected; `None`: a text.
///
/// Beyond the API server's own types these are base 60 and dates, which Ruby and Python read so.
pub fn misread(text: &str) -> Option<&'static str> {
    match plain_type(text) {
        Plain::Null => Some("nothing"),
        Plain::Bool(_) => Some("true or false"),
        Plain::Number(_) => Some("a number"),
        // All that follows begins with a digit, a sign or a dot.
        Plain::Text if text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()) => None,
        Plain::Text if is_base_60(text) => Some("a number in base 60"),
        Plain::Text if is_date(text) => Some("a date"),
        Plain::Text if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") => {
            Some("a number")
        }
        Plain::Text => None,
    }
}

/// `12:30:45`.
fn is_base_60(text: &str) -> bool {
    let mut parts = text.trim_start_matches(['+', '-']).split(':');
    let first = parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'_'));
    let mut rest = parts.map(|part| part.len() <= 2 && part.parse::<u8>().is_ok_and(|n| n < 60)).peekable();
    first && rest.peek().is_some() && rest.all(|ok| ok)
}

/// `2024-01-31`, with or without a time after it.
fn is_date(text: &str) -> bool {
    let day = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let digits =
        |part: &str, from: usize, to: usize| (from..=to).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4, 4) && digits(month, 1, 2) && digits(day, 1, 2))
}

/// The node as JSON. Merge keys were expanded when it was read.
pub fn to_json(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar { text, plain: false } => Value::String(text.clone()),
        Kind::Scalar { text, plain: true } => match plain_type(text) {
            Plain::Text => Value::String(text.clone()),
            Plain::Null => Value::Null,
            Plain::Bool(b) => Value::Bool(b),
            Plain::Number(n) => Value::Number(n),
        },
        Kind::List(items) => Value::Array(items.iter().map(to_json).collect()),
        Kind::Map(pairs) => {
            let named = pairs.iter().filter_map(|(key, value)| Some((key.text()?.to_owned(), to_json(value))));
            Value::Object(named.collect::<Map<_, _>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Plain, misread, plain_type, unusual};

    #[test]
    fn scalars_as_the_api_server_reads_them() {
        assert_eq!(plain_type("no"), Plain::Bool(false));
        for (text, value) in [("y", true), ("Y", true), ("n", false), ("N", false)] {
            assert_eq!(plain_type(text), Plain::Bool(value), "{text}");
        }
        assert_eq!(plain_type("010"), Plain::Number(8.into()));
        assert_eq!(plain_type("0x10"), Plain::Number(16.into()));
        assert_eq!(plain_type("-1_000"), Plain::Number((-1000).into()));
        assert_eq!(plain_type("18446744073709551615"), Plain::Number(u64::MAX.into()));
        for text in ["5m0s", "1.2.3", "12:30", "2024-01-01", "-", ".", "e", "1e", "production", "+", "sha256:0"] {
            assert_eq!(plain_type(text), Plain::Text, "{text}");
        }
        assert!(matches!(plain_type("1e3"), Plain::Number(_)));
    }

    #[test]
    fn numbers_and_booleans_that_are_not_written_as_such() {
        for (text, read_as) in [
            ("010", "8"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("+5", "5"),
            ("no", "false"),
            ("Y", "true"),
            ("0b1", "1"),
            ("1e3", "1000.0"),
        ] {
            assert_eq!(unusual(text).as_deref(), Some(read_as), "{text}");
        }
        for text in ["0", "10", "-3", "1.5", "0.5", "true", "False", "", "~", "x", "1.2.3", "5m"] {
            assert_eq!(unusual(text), None, "{text}");
        }
    }

    #[test]
    fn what_other_readers_take_for_something_else() {
        for text in [
            "no",
            "y",
            "N",
            "010",
            "",
            "~",
            "1e3",
            "12:30",
            "1:02:03",
            "2024-01-31",
            "2024-1-1T00:00:00Z",
            ".inf",
            "-.INF",
            "1_000",
        ] {
            assert!(misread(text).is_some(), "{text}");
        }
        for text in ["yy", "production", "12:75", ":30", "12:", "2024-01", "v2024-01-31", "1.2.3", "us-east1", "a:b"] {
            assert_eq!(misread(text), None, "{text}");
        }
    }
}
