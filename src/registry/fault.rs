//! Why a request got no answer: told apart by type, not by the words of a library.

use reqwest::StatusCode;
use std::error::Error;
use std::io;
use std::time::Duration;

/// No answer, or one that cannot be used.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// The host that was asked last, `host:port`.
    pub(super) host: String,
    /// What happened.
    pub(super) kind: Kind,
    /// What the library says about it, innermost words only.
    pub(super) detail: String,
    /// The proxy that was to lead there.
    pub(super) via: Option<Via>,
    /// Whether the other end was met: there was a connection, and TLS where it belongs.
    pub(super) is_met: bool,
}

/// A proxy on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Via {
    /// It, and the variable that names it.
    pub(super) name: String,
    /// That variable.
    pub(super) variable: &'static str,
    /// Whether it is itself spoken to in TLS.
    pub(super) speaks_tls: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The host's name has no address.
    Dns,
    /// Nothing listens there.
    ConnectionRefused,
    /// There was no connection within the limit for that.
    NoConnection,
    /// The TLS handshake failed.
    Tls(Tls),
    /// The connection broke before the answer was complete.
    Broken,
    /// There was no complete answer within the limit; zero: there was no time left to ask.
    TimedOut(Duration),
    /// The answer is larger than this many bytes.
    TooLarge(usize),
    /// A redirect, or its like, that is not followed.
    Redirect,
    /// The proxy wants a login, or another one.
    ProxyLogin,
    /// The proxy makes no tunnel; with the status that it says, when it says one.
    NoTunnel(Option<StatusCode>),
    /// The client could not be set up, or the request could not be written.
    Setup,
}

/// Why a TLS handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// Nobody here trusts who signed the certificate.
    UnknownIssuer,
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not begun.
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// The other side does not speak TLS at all.
    Absent,
    /// The other side wants a certificate of ours.
    ClientCertificate,
    /// The other side does not take the one that it got.
    CertificateRefused,
    /// Anything else.
    Other,
}

impl Fault {
    /// A fault of our own making, without a library behind it.
    pub(super) fn new(host: String, kind: Kind, detail: impl Into<String>) -> Self {
        let is_met = matches!(kind, Kind::TooLarge(_) | Kind::Redirect);
        Self { host, kind, detail: detail.into(), via: None, is_met }
    }

    /// What reqwest's error means. Its own Display hides the cause, and names the URL, which may carry a key.
    pub(super) fn of(error: &reqwest::Error, host: String) -> Self {
        let mut chain = Chain::default();
        let mut next: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = next {
            chain.look(error);
            // io::Error's source() skips the error that it wraps.
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(inner) => Some(inner as &(dyn Error + 'static)),
                None => error.source(),
            };
        }
        let kind = chain.kind.unwrap_or_else(|| match error {
            error if error.is_connect() && error.is_timeout() => Kind::NoConnection,
            error if error.is_builder() => Kind::Setup,
            _ => Kind::Broken,
        });
        let kind = if chain.dns { Kind::Dns } else { kind };
        let is_met = !error.is_connect() && !error.is_builder() && !matches!(kind, Kind::Tls(_));
        Self { host, kind, detail: chain.words, via: None, is_met }
    }

    /// Whether the request may have been carried out nevertheless.
    pub(super) fn is_uncertain(&self) -> bool {
        matches!(self.kind, Kind::Broken | Kind::TimedOut(_))
    }

    /// Whether asking again may help: the connection failed, and not for a reason that stays.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::ConnectionRefused | Kind::Broken)
    }
}

#[derive(Default)]
struct Chain {
    dns: bool,
    kind: Option<Kind>,
    words: String,
}

impl Chain {
    fn look(&mut self, error: &(dyn Error + 'static)) {
        let words = error.to_string();
        self.dns |= words == "dns error";
        if words.ends_with("proxy authorization required") {
            self.kind = Some(Kind::ProxyLogin);
        } else if words.starts_with("tunnel error: un") {
            self.kind = Some(Kind::NoTunnel(None));
        }
        self.words = words;
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            self.kind = Some(Kind::Tls(tls(error)));
        } else if let Some(error) = error.downcast_ref::<io::Error>() {
            let kind = match error.kind() {
                io::ErrorKind::ConnectionRefused => Some(Kind::ConnectionRefused),
                io::ErrorKind::TimedOut => Some(Kind::NoConnection),
                _ => None,
            };
            self.kind = self.kind.take().or(kind);
        }
    }
}

fn tls(error: &rustls::Error) -> Tls {
    use rustls::{AlertDescription, CertificateError as Certificate, Error as E};
    match error {
        E::InvalidCertificate(certificate) => match certificate {
            // A bad signature: somebody trusted has the same name, such as the authority of yesterday's test bed.
            Certificate::UnknownIssuer | Certificate::BadSignature => Tls::UnknownIssuer,
            Certificate::Expired | Certificate::ExpiredContext { .. } => Tls::Expired,
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => Tls::NotYetValid,
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => Tls::WrongName,
            _ => Tls::Other,
        },
        E::InvalidMessage(_) => Tls::Absent,
        E::AlertReceived(AlertDescription::CertificateRequired) => Tls::ClientCertificate,
        // Whatever else a server says about a certificate is about ours.
        E::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => Tls::CertificateRefused,
        _ => Tls::Other,
    }
}
