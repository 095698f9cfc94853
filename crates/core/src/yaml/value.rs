//! Nodes to JSON values, with the types that the API server's own YAML reader gives plain scalars.
//!
//! Source of the rule: `sigs.k8s.io/yaml`, which reads YAML 1.1 scalars (`yes`, `no`, `on`, `off` are booleans, `010`
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
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Plain::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Plain::Bool(false),
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

/// The node as JSON; merge keys (`<<`) are expanded as YAML 1.1 says: keys written out win.
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
            let mut map = Map::new();
            for (key, value) in pairs {
                let Some(name) = key.text() else { continue };
                if name != "<<" {
                    map.insert(name.to_owned(), to_json(value));
                }
            }
            for (_, value) in pairs.iter().filter(|(key, _)| key.text() == Some("<<")) {
                let parts = if value.items().is_empty() { std::slice::from_ref(value) } else { value.items() };
                for part in parts {
                    if let Value::Object(merged) = to_json(part) {
                        for (name, value) in merged {
                            map.entry(name).or_insert(value);
                        }
                    }
                }
            }
            Value::Object(map)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Plain, plain_type, to_json};
    use crate::yaml::{Limits, documents};
    use serde_json::json;

    #[test]
    fn scalars_as_the_api_server_reads_them() {
        assert_eq!(plain_type("no"), Plain::Bool(false));
        assert_eq!(plain_type("y"), Plain::Text);
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
    fn merge_keys_lose_against_written_ones() {
        let source = "d: &d {a: 1, b: 2}\nx:\n  <<: *d\n  b: 3\n";
        let (docs, _) = documents("f", source, Limits::default());
        assert_eq!(to_json(&docs[0])["x"], json!({"a": 1, "b": 3}));
    }
}
