//! Why an API server gave no usable answer, with the reason in one word and the cause from the chain of errors.

use runway_core::observed::Gap;
use runway_core::problem::{Class, Problem};
use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// One question that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// CamelCase, stable.
    pub(super) reason: &'static str,
    /// What happened, with the server's URL and the cause.
    pub(super) message: String,
    /// The HTTP status, when there was an answer.
    pub(super) code: Option<u16>,
    /// A 404 that is about the one object asked for, and not about its whole kind.
    pub(super) object_absent: bool,
    /// Single causes that the server lists, such as the fields in conflict.
    pub(super) causes: Vec<String>,
}

impl Fault {
    /// A fault without an HTTP answer.
    pub(super) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), code: None, object_absent: false, causes: Vec::new() }
    }

    /// No answer in time.
    pub(super) fn elapsed(server: &str, limit: Duration) -> Self {
        let message = if limit < Duration::from_millis(1) {
            format!("the command's time was up before {server} was asked")
        } else {
            format!("{server} did not answer within {:.1} s", limit.as_secs_f32())
        };
        Self::new("TimedOut", message)
    }

    /// The connection failed, or broke.
    pub(super) fn transport(server: &str, error: &(dyn Error + 'static)) -> Self {
        let (reason, phrase) = kind_of(error);
        Self::new(reason, format!("{server} {phrase}: {}", chain(error)))
    }

    /// The answer is not one of a Kubernetes API server.
    pub(super) fn garbage(server: &str, why: impl std::fmt::Display) -> Self {
        Self::new("Garbage", format!("{server} did not answer like a Kubernetes API server: {why}"))
    }

    /// Whether it is about one kind only, so that the cluster as a whole has answered.
    pub(super) fn is_of_kind(&self) -> bool {
        matches!(self.reason, "Forbidden" | "NotInstalled" | "TooLarge")
    }

    /// Whether the same question may be answered a little later: the server was busy or away, or the object just changed.
    pub(super) fn may_pass(&self) -> bool {
        !matches!(self.reason, "Forbidden" | "Refused" | "NotFound" | "NotInstalled" | "TooLarge")
    }

    /// As part of what was observed.
    pub(super) fn gap(self) -> Gap {
        Gap { reason: self.reason.to_owned(), message: self.message }
    }

    /// As an error of a command; `what` could not be done.
    pub(super) fn problem(self, what: impl Into<String>) -> Problem {
        let mut problem = Problem::new(Class::Cluster, what).cause(self.message);
        problem.causes.extend(self.causes);
        match self.reason {
            "Unauthorized" | "ExecPlugin" => {
                problem.hint("log in again: `kubectl get namespaces` with the same context must work first")
            }
            "TLS" => {
                problem.hint("give --certificate-authority, or set SSL_CERT_FILE to a file that holds the server's authority")
            }
            "Forbidden" => problem.hint("ask for the permission named above, or act as someone who has it (--as)"),
            "DNS" => problem.hint("check the server's name in the kubeconfig, and the network or VPN"),
            _ => problem,
        }
    }
}

/// Every error of a chain; `io::Error` hides the one that it carries from `source()`.
fn walk<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            return Some(inner as &(dyn Error + 'static));
        }
        error.source()
    })
}

/// The reason, and the phrase that goes before the cause.
fn kind_of(error: &(dyn Error + 'static)) -> (&'static str, &'static str) {
    for error in walk(error) {
        if error.downcast_ref::<rustls::Error>().is_some() {
            return ("TLS", "cannot be trusted or does not speak TLS");
        }
        if error.to_string() == "dns error" {
            return ("DNS", "has a host name that is not known");
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            match error.kind() {
                ErrorKind::ConnectionRefused => return ("ConnectionRefused", "refused the connection"),
                ErrorKind::TimedOut => return ("TimedOut", "did not answer in time"),
                ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                    return ("Unreachable", "cannot be reached");
                }
                ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                    return ("ConnectionClosed", "closed the connection");
                }
                _ => {}
            }
        }
    }
    let text = chain(error);
    if text.contains("tunnel error") || text.contains("SOCKS error") {
        return ("Proxy", "cannot be reached through the proxy");
    }
    if text.contains("connection closed") || text.contains("end of file") || text.contains("unexpected EOF") {
        return ("ConnectionClosed", "closed the connection");
    }
    if text.contains("invalid HTTP") {
        return ("Garbage", "does not speak HTTP");
    }
    ("Unreachable", "cannot be reached")
}

/// The causes in one line: kube's and hyper's general words are left out, and so is what the next one repeats.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    for error in walk(error) {
        let mut text = error.to_string();
        // rustls adds the address of its manual, which tells its callers something, and nobody else.
        if let Some((words, _)) = text.split_once(": https://docs.rs/rustls/") {
            text = String::from(words);
        }
        if text.starts_with("ServiceError: ") || text.starts_with("HyperError: ") || text.starts_with("client error (") {
            continue;
        }
        if parts.last().is_some_and(|last| last.contains(&text)) {
            continue;
        }
        parts.push(text);
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}
