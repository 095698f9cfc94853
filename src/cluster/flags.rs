//! What the user typed about the connection, and what surrounds the program.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// kubectl's connection flags, as typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct KubeFlags {
    /// `--kubeconfig`: the only file that is read.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub(crate) context: Option<String>,
    /// `--cluster`: another cluster entry than the context's.
    pub(crate) cluster: Option<String>,
    /// `--user`: another user entry than the context's.
    pub(crate) user: Option<String>,
    /// `-s`, `--server`.
    pub(crate) server: Option<String>,
    /// `--token`: replaces all other credentials but a client certificate.
    pub(crate) token: Option<Secret>,
    /// `--as`.
    pub(crate) as_user: Option<String>,
    /// `--as-group`, as often as given.
    pub(crate) as_groups: Vec<String>,
    /// `--as-uid`.
    pub(crate) as_uid: Option<String>,
    /// `--request-timeout`; zero: no limit but the command's own.
    pub(crate) request_timeout: Option<Duration>,
    /// `--certificate-authority`.
    pub(crate) certificate_authority: Option<PathBuf>,
    /// `--client-certificate`.
    pub(crate) client_certificate: Option<PathBuf>,
    /// `--client-key`.
    pub(crate) client_key: Option<PathBuf>,
    /// `--tls-server-name`.
    pub(crate) tls_server_name: Option<String>,
    /// `--insecure-skip-tls-verify`.
    pub(crate) insecure_skip_tls_verify: bool,
}

/// What the program finds around itself, handed in so that nothing here reads the environment.
pub(crate) struct Surroundings<'a> {
    /// The value of a variable.
    pub(crate) variables: &'a dyn Fn(&str) -> Option<String>,
    /// The user's home folder.
    pub(crate) home: Option<PathBuf>,
}

impl Surroundings<'_> {
    /// A variable that is set to something.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }
}

/// Text that is never shown: no `Display`, and a `Debug` that hides it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text, for the one place that sends it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
