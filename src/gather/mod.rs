//! Gathers what is judged: the expected from any source, the observed from clusters or snapshots, digests from registries.
//!
//! Uses: registry, cluster, files, process, net, clock, env.
//! Never: judging, printing. What could not be asked is data: a gap, not a failure.

pub(crate) mod deployed;
pub(crate) mod expected;
pub(crate) mod facts;
pub(crate) mod follow;
pub(crate) mod manifests;
pub(crate) mod objects;
pub(crate) mod observed;
pub(crate) mod outbox;
pub(crate) mod provenance;
pub(crate) mod publish;
pub(crate) mod source;
pub(crate) mod tags;
pub(crate) mod targets;
