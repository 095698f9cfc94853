//! A registry of the bed: CNCF distribution, on plain http or with TLS and a login.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::ports::free_port;
use super::process::{Process, Spec};
use super::state::Ground;
use super::trouble::{Context as _, Result};
use super::wire::Endpoint;

/// A running registry; dropping it ends it.
#[derive(Debug)]
pub struct Registry {
    endpoint: Endpoint,
    process: Process,
}

/// What a registry has beyond plain http: more of `http:`, whole sections, and what trusts its certificate.
#[derive(Debug, Default)]
pub(crate) struct More {
    pub(crate) http: String,
    pub(crate) sections: String,
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

impl Registry {
    pub(crate) fn start(ground: &Ground, name: &str, more: More) -> Result<Self> {
        let port = free_port();
        let folder = ground.data().join(name);
        fs::create_dir_all(&folder).context(|| folder.display().to_string())?;
        let config = folder.join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: info, accesslog: {{disabled: false}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: 127.0.0.1:{port}, secret: bed{}}}\n{}",
            serde_json::json!(folder.join("storage")),
            more.http,
            more.sections,
        );
        fs::write(&config, text).context(|| config.display().to_string())?;
        let process = Process::start(Spec {
            name: name.to_owned(),
            program: ground.bin.join("registry"),
            arguments: vec!["serve".to_owned(), config.display().to_string()],
            variables: vec![("OTEL_TRACES_EXPORTER".to_owned(), "none".to_owned())],
            scratch: folder,
            log: ground.logs().join(format!("{name}.log")),
        })?;
        let mut registry = Self { endpoint: Endpoint { port, tls: more.tls }, process };
        registry.wait_ready()?;
        Ok(registry)
    }

    /// `localhost:PORT`.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.endpoint.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.endpoint.port
    }

    /// The file of its log, with a line for each request.
    pub fn log(&self) -> &Path {
        self.process.log()
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Ends it; what it holds stays.
    pub fn stop(&mut self) {
        self.process.stop(Duration::from_secs(1));
    }

    /// Starts it again, on the same port and with what it held.
    ///
    /// # Panics
    ///
    /// Panics when it runs, or does not get ready.
    pub fn start_again(&mut self) {
        if let Err(error) = self.process.start_again().and_then(|()| self.wait_ready()) {
            panic!("{error}");
        }
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn wait_ready(&mut self) -> Result<()> {
        let endpoint = self.endpoint.clone();
        let ready = || endpoint.send("GET", "/v2/", &[], b"").is_ok_and(|answer| matches!(answer.status, 200 | 401));
        self.process.wait_ready(Duration::from_secs(60), ready)
    }
}
