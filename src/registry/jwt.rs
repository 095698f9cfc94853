//! What a token says about itself. It is read to explain, never believed: the registry decides.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;

/// Bytes of a token that is looked into.
const MAX_TOKEN: usize = 64 << 10;
/// Repositories that a token is for, and actions in each of them, that are looked at.
const MAX_ACCESS: usize = 16;

/// The claims of a JSON Web Token that matter here (docker's token specification).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Claims {
    exp: Option<f64>,
    #[serde(default)]
    access: Vec<Access>,
}

#[derive(Debug, Deserialize)]
struct Access {
    #[serde(default)]
    name: String,
    #[serde(default)]
    actions: Vec<String>,
}

impl Claims {
    /// `None` for a token that says nothing: one without dots, or of another kind.
    pub(super) fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
        if claims.len() > MAX_TOKEN {
            return None;
        }
        let mut claims: Self = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?).ok()?;
        // Kept as long as the token: nothing that is not asked for, and no more than any honest one has.
        claims.access.truncate(MAX_ACCESS);
        claims.access.shrink_to_fit();
        for access in &mut claims.access {
            access.actions.retain(|action| matches!(action.as_str(), "pull" | "push" | "*"));
            access.actions.truncate(MAX_ACCESS);
            access.actions.shrink_to_fit();
        }
        Some(claims)
    }

    /// When it ends.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let seconds = self.exp.filter(|seconds| seconds.is_finite())?;
        #[expect(clippy::cast_possible_truncation, reason = "a conversion from a float stops at the largest number")]
        Timestamp::from_second(seconds as i64).ok()
    }

    /// What it allows in a repository, of the two actions that matter here.
    pub(super) fn allows(&self, repository: &str) -> Vec<&'static str> {
        let ours = self.access.iter().filter(|access| access.name == repository);
        let named: Vec<&str> = ours.flat_map(|access| access.actions.iter().map(String::as_str)).collect();
        ["pull", "push"].into_iter().filter(|action| named.iter().any(|name| name == action || *name == "*")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Claims, URL_SAFE_NO_PAD};
    use base64::Engine as _;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn what_tokens_say() {
        let claims = Claims::of(&token(
            r#"{"exp":1700000000,"sub":null,"access":[{"type":"repository","name":"a/x","actions":["pull","delete"]},{"name":"a/x","actions":["*"]},{"name":"b"}]}"#,
        ))
        .unwrap();
        assert_eq!(claims.end().unwrap().to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(claims.allows("a/x"), ["pull", "push"]);
        assert!(claims.allows("b").is_empty() && claims.allows("a").is_empty());
        assert!(Claims::of(&token("{}")).unwrap().end().is_none());
        assert!(Claims::of(&token(r#"{"exp":1e300}"#)).unwrap().end().is_none());
    }

    #[test]
    fn what_is_no_token_of_this_kind_says_nothing() {
        for text in ["", "opaque", "a.b", "a.b.c.d", "a.%%.c", "e30.bm8.x", &token(r#"{"exp":"soon"}"#), &token("[]")] {
            assert!(Claims::of(text).is_none(), "{text}");
        }
    }
}
