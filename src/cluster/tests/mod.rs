//! Tests of the whole folder: files and flags without a network, and a raw server on 127.0.0.1 that misbehaves.

mod config;
mod gaps;
mod lists;
#[cfg(unix)]
mod plugins;
mod server;
mod tls;
mod watches;
mod writes;

use super::{Cluster, KubeFlags, Surroundings};
use crate::net::Budget;
use runway_core::problem::Problem;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The connection, awaited like everything that follows it.
async fn connect(
    flags: &KubeFlags,
    context: Option<&str>,
    around: &Surroundings<'_>,
    budget: Budget,
) -> Result<Cluster, Problem> {
    super::connect(flags, context, around, budget)
}

/// A secret that must come out nowhere.
pub(super) const CANARY: &str = "canary-5e7d0c2b9a4f41d8";

/// A folder with files in it.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), text.as_ref()).unwrap();
        path
    }
}

/// A kubeconfig with one context `one`, its cluster at `server`, and what stands below its user.
pub(super) fn kubeconfig(server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: one\n\
         contexts: [{{name: one, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\n\
         users: [{{name: u, user: {user}}}]\n"
    )
}

/// Flags that lead to one file.
pub(super) fn flags(path: PathBuf) -> KubeFlags {
    KubeFlags { kubeconfig: Some(path), ..KubeFlags::default() }
}

/// No variables and no home.
pub(super) fn nowhere() -> Surroundings<'static> {
    Surroundings { variables: &|_| None, home: None }
}

/// Time enough for a loaded machine.
pub(super) fn budget() -> Budget {
    Budget::new(Duration::from_secs(60), Duration::from_secs(30))
}

/// Runs a future as the program does: on one thread, with blocking threads beside it.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A cluster at `server` whose user has the canary as its token.
pub(super) async fn cluster_at(server: &str) -> Cluster {
    let folder = Folder::new();
    let file = folder.write("config", kubeconfig(server, &format!("{{token: {CANARY}}}")));
    connect(&flags(file), None, &nowhere(), budget()).await.unwrap()
}

/// All text of a problem, as a user could come to see it.
pub(super) fn all_text(problem: &Problem) -> String {
    let text = format!("{problem} {problem:?} {}", problem.hints.join(" "));
    assert!(!text.contains(CANARY), "{text}");
    text
}
