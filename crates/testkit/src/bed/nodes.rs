//! What runs Pods in a cluster that is to have some: the controllers of Kubernetes itself, its scheduler, and simulated nodes.

use std::fs;

use serde_json::json;

use super::api::Api;
use super::ports::free_port;
use super::process::{Process, Spec};
use super::state::{ClusterState, Ground};
use super::trouble::{Context as _, Result};

/// How Pods behave, by the images that they name.
const STAGES: &str = include_str!("stages.yaml");

/// The controllers that make what a workload declares, and clean up behind it. Those that judge nodes are not among them: there
/// is nothing to judge.
const CONTROLLERS: [&str; 10] = [
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "endpointslice-controller",
    "serviceaccount-controller",
    "namespace-controller",
    "garbage-collector-controller",
];

/// Starts them, with one node.
pub(crate) fn start(ground: &Ground, cluster: &ClusterState, api: &Api) -> Result<Vec<Process>> {
    let stages = cluster.folder.join("stages.yaml");
    fs::write(&stages, STAGES).context(|| stages.display().to_string())?;
    let kubeconfig = format!("--kubeconfig={}", cluster.kubeconfig("admin").display());
    let own = |arguments: &[&str]| -> Vec<String> {
        let mut all = vec![kubeconfig.clone()];
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        all
    };
    let servers = [
        (
            "kube-controller-manager",
            own(&[
                "--leader-elect=false",
                "--secure-port=0",
                &format!("--service-account-private-key-file={}", ground.pki("service-accounts.key").display()),
                &format!("--root-ca-file={}", ground.pki("ca.crt").display()),
                &format!("--controllers={}", CONTROLLERS.join(",")),
            ]),
        ),
        ("kube-scheduler", own(&["--leader-elect=false", "--secure-port=0"])),
        (
            "kwok",
            own(&[
                "--manage-all-nodes=true",
                &format!("--server-address=127.0.0.1:{}", free_port()),
                &format!("--config={}", stages.display()),
            ]),
        ),
    ];
    let mut processes = Vec::new();
    for (name, arguments) in servers {
        processes.push(Process::start(Spec {
            name: name.to_owned(),
            program: ground.bin.join(name),
            arguments,
            variables: Vec::new(),
            scratch: cluster.folder.join(name),
            log: cluster.logs.join(format!("{name}.log")),
        })?);
    }
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "node-1", "labels": {"kubernetes.io/hostname": "node-1"}, "annotations": {"kwok.x-k8s.io/node": "fake"}},
    });
    api.write("POST", "/api/v1/nodes", "application/json", &node)?;
    // The API server marks every new node as not ready, and who would take that back is not run.
    let free = json!({"spec": {"taints": null}});
    api.write("PATCH", "/api/v1/nodes/node-1", "application/merge-patch+json", &free)?;
    Ok(processes)
}
