//! Labels and annotations of an object.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// A few texts by name, in the order of the names. A map takes 600 bytes for one of them, and thousands of objects are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts(Box<[(Box<str>, Box<str>)]>);

impl Texts {
    /// The text of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| &**known == name).map(|(_, text)| &**text)
    }

    /// The same without a name.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        Self(self.0.into_iter().filter(|(known, _)| &**known != name).collect())
    }
}

/// `null` is none; a name whose text is `null` has an empty one.
impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let all = Option::<BTreeMap<Box<str>, Option<Box<str>>>>::deserialize(from)?.unwrap_or_default();
        Ok(Self(all.into_iter().map(|(name, text)| (name, text.unwrap_or_default())).collect()))
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, text)| (name, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn texts_come_back_in_order() {
        let texts: Texts = serde_json::from_str(r#"{"b":"x","a":null,"b":"y"}"#).unwrap();
        assert_eq!((texts.get("b"), texts.get("a"), texts.get("c")), (Some("y"), Some(""), None));
        assert_eq!(serde_json::to_string(&texts).unwrap(), r#"{"a":"","b":"y"}"#);
        assert_eq!(serde_json::to_string(&texts.without("b")).unwrap(), r#"{"a":""}"#);
        assert_eq!(serde_json::from_str::<Texts>("null").unwrap(), Texts::default());
        assert!(serde_json::from_str::<Texts>("[]").is_err());
    }
}
