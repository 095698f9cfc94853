//! A whole bed: etcd, the registry and the cluster that all tests share.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::build::Built;
use super::cluster::{Options, Running};
use super::pki;
use super::ports::free_port;
use super::process::{Process, Spec};
use super::registry::{More, Registry};
use super::state::{Ground, State};
use super::trouble::{Context as _, Result, Trouble};
use super::wire::Endpoint;

/// A running bed; dropping it ends it. It also ends with this process, however that ends.
#[derive(Debug)]
pub struct Bed {
    state: State,
    // Dropped in this order: an API server without its etcd would have to be killed.
    cluster: Running,
    registry: Registry,
    etcd: Process,
}

impl Bed {
    /// Starts a bed that writes into this folder, which is made.
    ///
    /// # Errors
    ///
    /// When a server does not get ready: with the end of its log.
    pub fn start(built: &Built, folder: &Path) -> Result<Self> {
        let ports = [free_port(), free_port()];
        let etcd_address = format!("http://127.0.0.1:{}", ports[0]);
        let ground = Ground { bin: built.bin.clone(), crds: built.crds.clone(), folder: folder.to_owned(), etcd: etcd_address };
        let data = ground.data();
        fs::create_dir_all(&data).context(|| data.display().to_string())?;
        pki::write(&data.join("pki"))?;

        let mut etcd = Process::start(etcd(&ground, &format!("http://127.0.0.1:{}", ports[1])))?;
        let registry = Registry::start(&ground, "registry", More::default())?;
        let endpoint = Endpoint { port: ports[0], tls: None };
        etcd.wait_ready(Duration::from_secs(60), || {
            endpoint.send("GET", "/readyz", &[], b"").is_ok_and(|answer| answer.status == 200)
        })?;
        let cluster = Running::start(&ground, "bed", "bed", Options::default())?;
        let state = State {
            owner: std::process::id(),
            ground,
            registry: registry.address(),
            cluster: cluster.state.clone(),
            processes: Vec::new(),
        };
        let mut bed = Self { state, cluster, registry, etcd };
        bed.state.processes = bed.processes().filter_map(|process| Some((process.name().to_owned(), process.id()?))).collect();
        Ok(bed)
    }

    /// What a test has to know.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Fails when a server has ended by itself.
    ///
    /// # Errors
    ///
    /// Names the server, how it ended and the end of its log.
    pub fn check(&mut self) -> Result<()> {
        for process in self.processes() {
            if let Some(status) = process.exited() {
                let tail = super::log_tail(process.log(), 20);
                return Err(Trouble::new(format!("{} has ended: {status}\n{tail}", process.name())));
            }
        }
        Ok(())
    }

    /// Ends the bed and removes what it wrote; the logs stay when asked.
    ///
    /// # Errors
    ///
    /// When files cannot be removed.
    pub fn stop(self, keep_logs: bool) -> Result<()> {
        let ground = self.state.ground.clone();
        drop(self);
        let folder = if keep_logs { ground.data() } else { ground.folder };
        fs::remove_dir_all(&folder).context(|| folder.display().to_string())
    }

    fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        let others = [&mut self.etcd, self.registry.process()];
        others.into_iter().chain(self.cluster.processes())
    }
}

fn etcd(ground: &Ground, peers: &str) -> Spec {
    let folder = ground.data().join("etcd");
    let clients = &ground.etcd;
    Spec {
        name: "etcd".to_owned(),
        program: ground.bin.join("etcd"),
        arguments: vec![
            format!("--data-dir={}", folder.join("data").display()),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
            // The data does not outlive the run.
            "--unsafe-no-fsync".to_owned(),
        ],
        variables: Vec::new(),
        scratch: folder,
        log: ground.logs().join("etcd.log"),
    }
}
