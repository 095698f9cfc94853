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
        Some(status) => worded(server, code, &status.message),
        None => bare(server, code, is_html),
    };
    fault.code = Some(code.as_u16());
    if let Some(details) = status.and_then(|status| status.details) {
        fault.object_absent = code == StatusCode::NOT_FOUND && !details.name.is_empty();
        fault.causes = details.causes.into_iter().map(said).collect();
    }
    fault
}

/// The type that an answer says it has.
pub(super) fn content_type(response: &http::Response<Body>) -> Option<&str> {
    response.headers().get(http::header::CONTENT_TYPE)?.to_str().ok()
}

fn said(cause: Cause) -> String {
    if cause.field.is_empty() { cause.message } else { format!("{}: {}", cause.field, cause.message) }
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
