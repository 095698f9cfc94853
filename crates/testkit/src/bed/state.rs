//! The bed's state file: all that a test has to know to use a bed that another process started.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trouble::{Context as _, Result};

/// The users that every cluster knows by a static token, with their groups.
///
/// `admin` may do everything; `viewer` may read Flux's objects everywhere, by its group; `alice`, `bob` and `nobody` may do nothing
/// until a test gives them a role.
pub const USERS: [(&str, &[&str]); 5] = [
    ("admin", &["system:masters"]),
    ("viewer", &["bed:viewers"]),
    ("alice", &["bed:people"]),
    ("bob", &["bed:people"]),
    ("nobody", &[]),
];

/// A running bed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The process that ends the bed when it ends.
    pub owner: u32,
    /// What its clusters stand on.
    pub ground: Ground,
    /// `localhost:PORT` of the registry, plain http.
    pub registry: String,
    /// The cluster that all tests share.
    pub cluster: ClusterState,
    /// Every server: name and process id.
    pub processes: Vec<(String, u32)>,
}

/// What every cluster of a bed needs, and where each of them writes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ground {
    /// The folder of the programs.
    pub bin: PathBuf,
    /// The folder of the custom resource definitions.
    pub crds: PathBuf,
    /// What this run writes, logs included.
    pub folder: PathBuf,
    /// The address of etcd.
    pub etcd: String,
}

/// A running cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterState {
    /// Also the name of its kubeconfigs' context.
    pub name: String,
    /// The API server's port on loopback.
    pub port: u16,
    /// Its files, with the kubeconfigs `USER.kubeconfig`.
    pub folder: PathBuf,
    /// One log file for each server.
    pub logs: PathBuf,
    /// What the tokens of its users end with.
    pub secret: String,
}

impl State {
    /// The file in a folder that holds a state.
    pub fn file(folder: &Path) -> PathBuf {
        folder.join("state.json")
    }

    /// Reads a state file.
    ///
    /// # Errors
    ///
    /// When there is none, or it is of another form.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = fs::read(file).context(|| file.display().to_string())?;
        serde_json::from_slice(&bytes).context(|| file.display().to_string())
    }

    /// Writes the state file at once, so that a reader never sees half of it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).context(|| "the state".to_owned())?;
        let unfinished = file.with_extension("unfinished");
        fs::write(&unfinished, text).context(|| unfinished.display().to_string())?;
        fs::rename(&unfinished, file).context(|| file.display().to_string())
    }

    /// Whether the process that owns the bed is there. One that ended and that nobody has waited for is not.
    pub fn owner_lives(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.owner)).unwrap_or_default();
        if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])) {
            return false;
        }
        let pid = i32::try_from(self.owner).ok().and_then(rustix::process::Pid::from_raw);
        pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
    }
}

impl Ground {
    /// The folder of the servers' logs: those of etcd and the registry, and one folder for each cluster.
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// What may be thrown away when the bed ends.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A certificate or key of the bed.
    pub(crate) fn pki(&self, file: &str) -> PathBuf {
        self.data().join("pki").join(file)
    }
}

impl ClusterState {
    /// The API server's address.
    pub fn server(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The kubeconfig file of one of [`USERS`].
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.folder.join(format!("{user}.kubeconfig"))
    }

    /// The token of one of [`USERS`].
    pub fn token(&self, user: &str) -> String {
        format!("{user}-{}", self.secret)
    }
}
