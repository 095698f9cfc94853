//! Which certificate authorities are trusted.

use reqwest::{Certificate, ClientBuilder};
use runway_core::problem::{Place, Problem};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of a file with certificates; the largest system bundles have a quarter of that.
const MAX_BUNDLE: u64 = 4 << 20;

/// Who may sign a registry's certificate.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Those that the caller names, besides the system's.
    extra: Vec<Certificate>,
    /// `SSL_CERT_FILE`: instead of the system's. Read when the first TLS connection is made.
    instead: Option<PathBuf>,
}

impl Trust {
    /// Reads the caller's file now, so that a mistake in it is told even when no TLS follows.
    pub(super) fn new(ca_file: Option<&Path>, ssl_cert_file: Option<String>) -> Result<Self, Problem> {
        let extra = match ca_file {
            Some(path) => bundle(path).map_err(|why| {
                Problem::input("cannot read the file of certificate authorities")
                    .cause(why)
                    .at(Place::file(path.display().to_string()))
                    .hint("it must hold certificates in PEM form (-----BEGIN CERTIFICATE-----)")
            })?,
            None => Vec::new(),
        };
        Ok(Self { extra, instead: ssl_cert_file.filter(|text| !text.is_empty()).map(PathBuf::from) })
    }

    /// Where trust comes from, for explanations.
    pub(super) fn shown(&self) -> String {
        match &self.instead {
            Some(path) => format!("SSL_CERT_FILE={}", path.display()),
            None => "the system's certificate authorities".to_owned(),
        }
    }

    /// Tells a client whom to trust.
    pub(super) fn apply(&self, builder: ClientBuilder) -> Result<ClientBuilder, String> {
        let extra = self.extra.iter().cloned();
        match &self.instead {
            // The system's verifier reads this variable on Linux only; done here, it holds everywhere.
            Some(path) => {
                let instead = bundle(path).map_err(|why| format!("SSL_CERT_FILE={}: {why}", path.display()))?;
                Ok(builder.tls_certs_only(instead.into_iter().chain(extra)))
            }
            None if self.extra.is_empty() => Ok(builder),
            None => Ok(builder.tls_certs_merge(extra)),
        }
    }
}

fn bundle(path: &Path) -> Result<Vec<Certificate>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_BUNDLE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BUNDLE {
        return Err("it is larger than 4 MiB".to_owned());
    }
    let certificates = Certificate::from_pem_bundle(&bytes).map_err(|_| "it is not in PEM form".to_owned())?;
    if certificates.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(certificates)
}
