//! What an API server said instead of what it was asked for.

use super::fault::Fault;
use http::StatusCode;
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use serde::Deserialize;

/// Bytes of a refusal that are read; a Kubernetes `Status` has a few hundred.
const MAX_REFUSAL: usize = 256 * 1024;

/// The parts of a Kubernetes `Status` that are told or decided on.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    kind: String,
    message: String,
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    name: String,
    causes: Vec<Cause>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Cause {
    message: String,
    field: String,
}

/// Turns an answer other than 2xx into a fault. Only what a Kubernetes `Status` says is told; any other body is not shown.
pub(super) async fn refusal(server: &str, response: http::Response<Body>) -> Fault {
    let code = response.status();
    let is_html = content_type(&response).is_some_and(|kind| kind.contains("html"));
    let body = Limited::new(response.into_body(), MAX_REFUSAL).collect().await;
    let bytes = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let status = serde_json::from_slice::<Status>(&bytes).ok().filter(|status| status.kind == "Status");
    let mut fault = match &status {
        Some(status) => worded(server, code, &without_values(&status.message)),
        None => bare(server, code, is_html),
    };
    fault.code = Some(code.as_u16());
    if let Some(details) = status.and_then(|status| status.details) {
        fault.object_absent = code == StatusCode::NOT_FOUND && !details.name.is_empty();
        fault.causes = details.causes.iter().filter(|cause| is_news(cause, &fault.message)).map(said).collect();
    }
    fault
}

/// The type that an answer says it has.
pub(super) fn content_type(response: &http::Response<Body>) -> Option<&str> {
    response.headers().get(http::header::CONTENT_TYPE)?.to_str().ok()
}

fn said(cause: &Cause) -> String {
    let message = without_values(&cause.message);
    if cause.field.is_empty() { message } else { format!("{}: {message}", cause.field) }
}

/// Whether a cause adds to the message; most messages list their causes already.
fn is_news(cause: &Cause, message: &str) -> bool {
    let known = |text: &str| !text.is_empty() && message.contains(text);
    !known(&without_values(&cause.message)) && !known(&cause.field)
}

/// A message without long quoted values: a refused patch is answered with the whole object, Secrets included
/// (`"" is invalid: patch: Invalid value: "{…}": strict decoding error: …`, seen with Kubernetes 1.37).
fn without_values(message: &str) -> String {
    const LONGEST: usize = 200;
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, quoted)) = rest.split_once('"') {
        let mut escaped = false;
        let end = quoted.find(|c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let (value, after) = end.and_then(|at| Some((quoted.get(..at)?, quoted.get(at + 1..)?))).unwrap_or((quoted, ""));
        out.push_str(before);
        out.push('"');
        out.push_str(if value.len() > LONGEST { "…" } else { value });
        if end.is_some() {
            out.push('"');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The API server's own words.
fn worded(server: &str, code: StatusCode, message: &str) -> Fault {
    match code {
        StatusCode::UNAUTHORIZED => Fault::new(
            "Unauthorized",
            format!("{server} does not know who is asking (401: {message}); the credentials are missing, wrong or over"),
        ),
        StatusCode::FORBIDDEN => Fault::new("Forbidden", message),
        StatusCode::NOT_FOUND => Fault::new("NotFound", message),
        StatusCode::CONFLICT => Fault::new("Conflict", message),
        StatusCode::GONE => Fault::new("Expired", message),
        StatusCode::TOO_MANY_REQUESTS => Fault::new("TooManyRequests", format!("{server} has too much to do (429: {message})")),
        code if code.is_server_error() => Fault::new("ServerError", format!("{server} answered {}: {message}", code.as_u16())),
        code => Fault::new("Refused", format!("{server} refused ({}): {message}", code.as_u16())),
    }
}

/// An answer that does not come from the API server itself, or not in its usual form.
fn bare(server: &str, code: StatusCode, is_html: bool) -> Fault {
    let what = match code.canonical_reason() {
        Some(reason) => format!("{} {reason}", code.as_u16()),
        None => code.as_u16().to_string(),
    };
    match code {
        StatusCode::UNAUTHORIZED => Fault::new(
            "Unauthorized",
            format!("{server} does not know who is asking ({what}); the credentials are missing, wrong or over"),
        ),
        StatusCode::NOT_FOUND if !is_html => {
            Fault::new("NotFound", format!("{server} does not have what was asked for ({what})"))
        }
        StatusCode::GONE if !is_html => {
            Fault::new("Expired", format!("{server}: the list has changed too much to go on with it ({what})"))
        }
        StatusCode::TOO_MANY_REQUESTS => Fault::new("TooManyRequests", format!("{server} has too much to do ({what})")),
        code if code.is_redirection() => Fault::garbage(server, format_args!("{what}, a redirection")),
        code if code.is_server_error() => Fault::new("ServerError", format!("{server} answered {what}")),
        _ => Fault::garbage(server, format_args!("{what} without a Kubernetes status")),
    }
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn long_values_are_left_out() {
        let long = "{\\\"data\\\": \\\"x\\\"}".repeat(30);
        let message =
            format!("\"\" is invalid: patch: Invalid value: \"{long}\": strict decoding error: unknown field \"spec.x\"");
        assert_eq!(
            without_values(&message),
            "\"\" is invalid: patch: Invalid value: \"…\": strict decoding error: unknown field \"spec.x\""
        );
        for same in ["", "no quotes", "open \"end", "User \"jane\" cannot list \"x\"", "a\\\"b\"c\\\\\" d"] {
            assert_eq!(without_values(same), same);
        }
        assert_eq!(without_values(&format!("open \"{long}")), "open \"…");
    }
}
