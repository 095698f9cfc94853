//! What a registry or a token endpoint says about its refusal, out of whatever form it comes in.

use serde_json::Value;

/// Characters of one message that are kept.
const MAX_WORDS: usize = 400;

/// One error of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// Such as `MANIFEST_UNKNOWN`; empty when there is none.
    pub(super) code: String,
    /// In words.
    pub(super) message: String,
}

/// All errors of an answer's body. `clean` takes out what must not be repeated, before anything is cut.
pub(super) fn read(body: &[u8], clean: &dyn Fn(&str) -> String) -> Vec<Word> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return plain(body, clean) };
    let text = |value: &Value| value.as_str().map(|text| cut(&clean(text))).unwrap_or_default();
    // Docker Hub writes `details` and `message`, OAuth2 endpoints `error` and `error_description`.
    let single = |value: &Value| {
        let (code, message) = match value.get("error") {
            Some(Value::Object(error)) => (error.get("code"), error.get("message")),
            Some(error) => (Some(error), value.get("error_description")),
            None => (None, value.get("message").or_else(|| value.get("details")).or_else(|| value.get("detail"))),
        };
        Word { code: code.map(text).unwrap_or_default(), message: message.map(text).unwrap_or_default() }
    };
    let of = |error: &Value| {
        let get = |name: &str| error.get(name).map(text).unwrap_or_default();
        // Only a detail in words says more; objects in it are the registry's own state.
        let message = [get("message"), get("detail")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        Word { code: get("code"), message: message.join(": ") }
    };
    let words = match value.get("errors") {
        Some(Value::Array(errors)) => errors.iter().take(20).map(of).collect(),
        _ => vec![single(&value)],
    };
    words.into_iter().filter(|word| *word != Word::default()).collect()
}

/// Whether a body is a registry's word that something is not there: an error of the distribution specification, and none about
/// who asks. What an ingress or a proxy puts in the place of a registry is not.
pub(super) fn says_absent(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let errors = value.get("errors").and_then(Value::as_array);
    let code = errors.and_then(|errors| errors.first()?.get("code")?.as_str());
    code.is_some_and(|code| {
        let code = code.to_ascii_uppercase();
        !matches!(code.as_str(), "" | "UNAUTHORIZED" | "DENIED" | "TOOMANYREQUESTS" | "UNSUPPORTED")
    })
}

/// As one line; an error that comes once per blob is said once with the number of its kind.
pub(super) fn line(words: &[Word]) -> Option<String> {
    let one = |word: &Word| match (word.code.as_str(), word.message.as_str()) {
        (code, "") => code.to_owned(),
        ("", message) => message.to_owned(),
        (code, message) => format!("{code}: {message}"),
    };
    let first = words.first().map(one)?;
    Some(match words.len() {
        1 => first,
        n => format!("{first} (and {} more)", n - 1),
    })
}

/// Whether a code is among them.
pub(super) fn has(words: &[Word], code: &str) -> bool {
    words.iter().any(|word| word.code.eq_ignore_ascii_case(code))
}

fn plain(body: &[u8], clean: &dyn Fn(&str) -> String) -> Vec<Word> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if !text.starts_with('<') {
        let message = cut(&clean(text));
        return if message.is_empty() { Vec::new() } else { vec![Word { code: String::new(), message }] };
    }
    let element = |name: &str| between(text, name).map(|found| cut(&clean(&found))).unwrap_or_default();
    // Storage answers like this, whoever has built it.
    if text.contains("<Error>") {
        let word = Word { code: element("Code"), message: element("Message") };
        if word != Word::default() {
            return vec![word];
        }
    }
    let title = element("title");
    let title = if title.is_empty() { title } else { format!(" ({title})") };
    vec![Word { code: String::new(), message: format!("a web page, not a registry's answer{title}") }]
}

/// The text of the first element of this name, when it holds nothing but text.
fn between(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = |text: &str| {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    (!inner.contains('<')).then(|| plain(inner.trim()))
}

fn cut(text: &str) -> String {
    let line = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let head = runway_core::text::head(&line, MAX_WORDS);
    if head.len() < line.len() { format!("{head}…") } else { line }
}

#[cfg(test)]
mod tests {
    use super::{line, read, says_absent};

    #[test]
    fn who_says_that_something_is_not_there() {
        for body in [
            r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
            r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#,
            r#"{"errors":[{"code":"NOT_FOUND","message":"artifact g/x:v1 not found"}]}"#,
        ] {
            assert!(says_absent(body.as_bytes()), "{body}");
        }
        for body in [
            "",
            "{}",
            "404 page not found",
            "<html>",
            r#"{"errors":[]}"#,
            r#"{"errors":[{"code":"DENIED"}]}"#,
            r#"{"message":"404 Not Found"}"#,
            r#"{"errors":[{"status":404,"message":"no"}]}"#,
        ] {
            assert!(!says_absent(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn all_forms() {
        let said = |body: &str| line(&read(body.as_bytes(), &str::to_owned));
        let expected = |text: &str| Some(text.to_owned());
        assert_eq!(
            said(r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository"}]}]}"#),
            expected("UNAUTHORIZED: authentication required")
        );
        assert_eq!(
            said(r#"{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":"unexpected end"}]}"#),
            expected("MANIFEST_INVALID: manifest invalid: unexpected end")
        );
        assert_eq!(said(r#"{"errors":[{"code":"A"},{"code":"A"},{}]}"#), expected("A (and 1 more)"));
        assert_eq!(said(r#"{"message":"slow down"}"#), expected("slow down"));
        assert_eq!(said(r#"{"details":"incorrect username or password"}"#), expected("incorrect username or password"));
        assert_eq!(said(r#"{"error":"invalid_grant","error_description":"gone"}"#), expected("invalid_grant: gone"));
        assert_eq!(said(r#"{"error":{"code":"x","message":"y"}}"#), expected("x: y"));
        assert_eq!(said("<!DOCTYPE html><p>hi"), expected("a web page, not a registry's answer"));
        assert_eq!(
            said("<html><head><title>404 Not Found</title></head>"),
            expected("a web page, not a registry's answer (404 Not Found)")
        );
        assert_eq!(
            said(
                "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Request has &quot;expired&quot;</Message></Error>"
            ),
            expected("AccessDenied: Request has \"expired\"")
        );
        assert_eq!(said("<Error><Code></Code></Error>"), expected("a web page, not a registry's answer"));
        assert_eq!(said(" 404 page\n not found\n"), expected("404 page not found"));
        assert_eq!(said("{}"), None);
        assert_eq!(said(""), None);
        assert_eq!(said("[1, 2]"), None);
        assert_eq!(said(&"x".repeat(1000)).map(|text| text.chars().count()), Some(401));
    }
}
