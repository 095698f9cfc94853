//! JSON that is kept as its text.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value that is kept as its text, and read when somebody looks at it.
///
/// A [`Value`] of a spec takes ten times the memory of its text, and of thousands of objects only one at a time is looked at.
#[derive(Clone)]
pub struct Kept(Box<str>);

impl Kept {
    /// The value.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The value's field of this name.
    pub fn field(&self, name: &str) -> Option<Value> {
        // The text has no space between a key and its value: what is not in it needs no reading.
        if !self.0.contains(&format!("\"{name}\":")) {
            return None;
        }
        self.value().get_mut(name).map(Value::take)
    }

    /// Whether the value's field of this name is `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.field(name).is_some_and(|value| value == Value::Bool(true))
    }
}

impl From<Value> for Kept {
    fn from(value: Value) -> Self {
        Self(value.to_string().into_boxed_str())
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self::from(Value::Null)
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        // The order of keys is no difference.
        self.0 == other.0 || self.value() == other.value()
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        // With space before a colon, or escapes in a key, a field would not be found: then it is written anew. API servers write
        // neither.
        let spaced = |pair: &[u8]| matches!(pair, [b'"', space] if space.is_ascii_whitespace());
        if raw.get().contains("\\u") || raw.get().as_bytes().windows(2).any(spaced) {
            return Ok(serde_json::from_str::<Value>(raw.get()).map_err(D::Error::custom)?.into());
        }
        Ok(Self(raw.into()))
    }
}

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;
    use serde_json::{Value, json};

    #[test]
    fn comes_back_as_it_was() {
        let value = json!({"z": [1, -2, null, 1.5], "a": {"suspend": true, "text": "\"b\":\u{1b}ü"}});
        let kept: Kept = serde_json::from_str(&value.to_string()).unwrap();
        assert_eq!(kept.value().to_string(), value.to_string());
        assert_eq!(serde_json::to_value(&kept).unwrap(), value);
        assert_eq!(Kept::default().value(), Value::Null);
    }

    #[test]
    fn how_it_is_written_is_no_difference() {
        let kept: Kept = serde_json::from_str(r#"{"suspend":true,"a":[1]}"#).unwrap();
        for text in [
            "{\n \"suspend\" : true,\t\"a\": [ 1 ] }",
            r#"{ "a" :[1],"\u0073uspend":true}"#,
            r#"{"\u0073uspend": true, "a": [1]}"#,
        ] {
            let other: Kept = serde_json::from_str(text).unwrap();
            assert_eq!(other, kept);
            assert!(other.is_true("suspend") && other.field("a").is_some(), "{text}");
        }
    }

    #[test]
    fn only_its_own_fields_count() {
        let kept = Kept::from(json!({"a": {"suspend": true}, "prune": true, "path": "\"url\":"}));
        assert!(!kept.is_true("suspend") && kept.is_true("prune") && !kept.is_true("path"));
        assert_eq!((kept.field("url"), kept.field("none")), (None, None));
        assert_eq!(kept.field("a"), Some(json!({"suspend": true})));
    }

    #[test]
    fn the_order_of_keys_is_no_difference() {
        assert_eq!(Kept::from(json!({"a": 1, "b": 2})), Kept::from(json!({"b": 2, "a": 1})));
        assert_ne!(Kept::from(json!({"a": 1})), Kept::from(json!({"a": 2})));
    }
}
