//! Where to look, and what to compare with.

use crate::commands::flags::{ClusterFlags, ExitFlags, ManyFlags, OutputFlags, RegistryFlags, WorkloadsFlags};
use std::path::PathBuf;

/// Where to look, and what to compare with.
#[derive(Debug, clap::Args)]
pub(crate) struct LookFlags {
    #[command(flatten)]
    pub(crate) which: WorkloadsFlags,
    /// Where the published inventory is read [default: the registry's tag]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) expected: Option<String>,
    /// Judge a saved snapshot, a file or a folder, instead of a cluster
    #[arg(long, value_name = "PATH", conflicts_with_all = ["context", "all_contexts", "all_clusters", "region", "label"])]
    pub(crate) snapshot: Option<PathBuf>,
    /// Do not ask registries
    #[arg(long)]
    pub(crate) no_registry: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryFlags,
    #[command(flatten)]
    pub(crate) cluster: ClusterFlags,
    #[command(flatten)]
    pub(crate) many: ManyFlags,
}

/// Which workloads are looked at, objects and all: `explain` and `tree`.
#[derive(Debug, clap::Args)]
pub(crate) struct NamedFlags {
    /// The workload, or a parent such as gke-inventory
    #[arg(required = true, value_name = "WORKLOAD")]
    pub(crate) workloads: Vec<String>,
    #[command(flatten)]
    pub(crate) look: LookFlags,
    #[command(flatten)]
    pub(crate) exit: ExitFlags,
    #[command(flatten)]
    pub(crate) output: OutputFlags,
}
