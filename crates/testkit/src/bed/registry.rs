//! A registry of the bed: CNCF distribution on plain http.

use std::fs;
use std::time::Duration;

use super::ports::free_port;
use super::process::{Process, Spec};
use super::state::Ground;
use super::trouble::{Context as _, Result};
use super::wire::Endpoint;

/// A running registry; dropping it ends it.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    process: Process,
}

impl Registry {
    pub(crate) fn start(ground: &Ground, name: &str) -> Result<Self> {
        let port = free_port();
        let folder = ground.data().join(name);
        fs::create_dir_all(&folder).context(|| folder.display().to_string())?;
        let config = folder.join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: info, accesslog: {{disabled: false}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: 127.0.0.1:{port}, secret: bed}}\n",
            serde_json::json!(folder.join("storage"))
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
        let mut registry = Self { port, process };
        registry.wait_ready()?;
        Ok(registry)
    }

    /// `localhost:PORT`.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
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
        let endpoint = Endpoint { port: self.port, tls: None };
        let ready = || endpoint.send("GET", "/v2/", &[], b"").is_ok_and(|answer| answer.status == 200);
        self.process.wait_ready(Duration::from_secs(60), ready)
    }
}
