//! What a registry asks for when it answers 401 (RFC 9110, section 11.6.1).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// One way to authenticate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Challenge {
    /// In lower case: `basic`, `bearer`.
    pub(super) scheme: String,
    /// Names in lower case.
    pub(super) parameters: BTreeMap<String, String>,
}

impl Challenge {
    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }
}

/// All challenges of an answer; several may stand in one header, and several headers may come.
pub(super) fn all(headers: &HeaderMap) -> Vec<Challenge> {
    headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()).flat_map(parse).collect()
}

/// The challenges in one header's text; what is no challenge is passed over.
fn parse(text: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = text.chars().peekable();
    loop {
        skip(&mut rest, |c| c.is_whitespace() || c == ',');
        let word = take(&mut rest, |c| !c.is_whitespace() && !matches!(c, ',' | '=' | '"'));
        skip(&mut rest, |c| c == ' ' || c == '\t');
        match (word.is_empty(), rest.peek().copied()) {
            (true, None) => return found,
            (_, Some('=')) => {
                rest.next();
                skip(&mut rest, |c| c == ' ' || c == '\t');
                let value = value(&mut rest);
                if let Some(challenge) = found.last_mut() {
                    challenge.parameters.entry(word.to_ascii_lowercase()).or_insert(value);
                }
            }
            (true, Some(_)) => drop(rest.next()),
            (false, _) => found.push(Challenge { scheme: word.to_ascii_lowercase(), ..Challenge::default() }),
        }
    }
}

fn value(rest: &mut Peekable<Chars<'_>>) -> String {
    if rest.next_if_eq(&'"').is_none() {
        return take(rest, |c| !c.is_whitespace() && c != ',');
    }
    let mut out = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => out.extend(rest.next()),
            c => out.push(c),
        }
    }
    out
}

fn skip(rest: &mut Peekable<Chars<'_>>, is: impl Fn(char) -> bool) {
    while rest.next_if(|c| is(*c)).is_some() {}
}

fn take(rest: &mut Peekable<Chars<'_>>, is: impl Fn(char) -> bool) -> String {
    std::iter::from_fn(|| rest.next_if(|c| is(*c))).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn bearer_as_gitlab_and_distribution_write_it() {
        let text = r#"Bearer realm="https://gitlab.com/jwt/auth",service="container_registry",scope="repository:g/x:push,pull",error="invalid_token""#;
        let found = parse(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].scheme, "bearer");
        assert_eq!(found[0].get("realm"), Some("https://gitlab.com/jwt/auth"));
        assert_eq!(found[0].get("scope"), Some("repository:g/x:push,pull"));
        assert_eq!(found[0].get("error"), Some("invalid_token"));
    }

    #[test]
    fn several_in_one_header() {
        let found = parse(r#"Negotiate abc==, BASIC Realm = "a \"b\", c" , Bearer realm=https://x/y ,service=z"#);
        let schemes: Vec<&str> = found.iter().map(|c| c.scheme.as_str()).collect();
        assert_eq!(schemes, ["negotiate", "basic", "bearer"]);
        assert_eq!(found[1].get("realm"), Some(r#"a "b", c"#));
        assert_eq!((found[2].get("realm"), found[2].get("service")), (Some("https://x/y"), Some("z")));
    }

    #[test]
    fn nonsense_ends() {
        for text in ["", ",,,", "=", "\"", "Bearer realm=\"unclosed", "a=b", "Basic \\", "== ==", "Bearer \"x\" realm=\"y\""] {
            parse(text);
        }
        assert_eq!(parse("a=b"), []);
    }
}
