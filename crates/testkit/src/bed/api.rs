//! The API server as a user sees it: requests by token, JSON in and out.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

use super::trouble::{Context as _, Result, Trouble};
use super::wire::{Answer, Endpoint};

/// A cluster's API with one user's token.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    endpoint: Endpoint,
    authorization: String,
}

impl Api {
    pub(crate) fn new(port: u16, ca: &Path, token: &str) -> Result<Self> {
        let tls = trust(ca).context(|| ca.display().to_string())?;
        Ok(Self { endpoint: Endpoint { port, tls: Some(Arc::new(tls)) }, authorization: format!("Bearer {token}") })
    }

    /// The same API with another user's token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { endpoint: self.endpoint.clone(), authorization: format!("Bearer {token}") }
    }

    /// Any request with a body of this type.
    pub(crate) fn send(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> std::io::Result<Answer> {
        let headers = [("Authorization", &*self.authorization), ("Accept", "application/json"), ("Content-Type", media_type)];
        self.endpoint.send(method, path, &headers, body)
    }

    /// Whether the server says that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.send("GET", "/readyz", "application/json", b"").is_ok_and(|answer| answer.status == 200)
    }

    /// An object or a list; `None` when there is none (404).
    pub(crate) fn get(&self, path: &str) -> Result<Option<Value>> {
        let answer = self.send("GET", path, "application/json", b"").context(|| format!("GET {path}"))?;
        match answer.status {
            404 => Ok(None),
            _ => json(&answer, "GET", path).map(Some),
        }
    }

    /// The groups, versions and kinds that the server tells clients of, in the form that kubectl asks for.
    pub(crate) fn discover(&self) -> Result<Value> {
        let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let headers = [("Authorization", &*self.authorization), ("Accept", accept)];
        let answer = self.endpoint.send("GET", "/apis", &headers, b"").context(|| "GET /apis".to_owned())?;
        json(&answer, "GET", "/apis")
    }

    /// Creates or changes: the answer must be a success.
    pub(crate) fn write(&self, method: &str, path: &str, media_type: &str, body: &Value) -> Result<Value> {
        let answer = self.send(method, path, media_type, body.to_string().as_bytes()).context(|| format!("{method} {path}"))?;
        json(&answer, method, path)
    }
}

fn json(answer: &Answer, method: &str, path: &str) -> Result<Value> {
    if !(200..300).contains(&answer.status) {
        return Err(Trouble::new(format!("{method} {path}: {} {}", answer.status, answer.text())));
    }
    serde_json::from_slice(&answer.body).context(|| format!("{method} {path}"))
}

fn trust(ca: &Path) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).context(|| "reading".to_owned())? {
        let certificate = certificate.context(|| "reading".to_owned())?;
        roots.add(certificate).context(|| "not a root".to_owned())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().context(|| "TLS".to_owned())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
