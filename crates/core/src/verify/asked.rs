//! What registries and clusters answered, as findings at the workloads that it is about.

use super::ordered;
use crate::artifact::Manifest;
use crate::artifact::manifest::LAYER_TYPE;
use crate::finding::Finding;
use crate::workloads::Workloads;

/// What a registry said about a workload's deploy artifact.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The workload.
    pub workload: String,
    /// `host/repository:tag`.
    pub reference: String,
    /// The answer.
    pub answer: Answer,
}

/// A registry's answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The manifest that the tag holds.
    Manifest(Box<Manifest>),
    /// The registry says that there is none.
    NotThere,
    /// Something is there that is no manifest of an artifact.
    NoArtifact(String),
    /// It could not be asked.
    Unknown(String),
}

/// What a cluster said about an object.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The cluster, as reports name it.
    pub cluster: String,
    /// The workload.
    pub workload: String,
    /// The object, as `Kind namespace/name`.
    pub object: String,
    /// The cluster's words.
    pub message: String,
}

/// Findings of the registries' answers.
pub fn artifacts(workloads: &Workloads, asked: &[Artifact]) -> Vec<Finding> {
    ordered(asked.iter().filter_map(|artifact| answered(workloads, artifact)).collect())
}

fn answered(workloads: &Workloads, artifact: &Artifact) -> Option<Finding> {
    let reference = &artifact.reference;
    let finding = |code: &'static str, message: String| at(workloads, &artifact.workload, code, message);
    match &artifact.answer {
        Answer::NotThere => {
            let mut finding = finding("artifact-missing", format!("{reference} is not in the registry"))?;
            finding.hint("has the workload's own pipeline pushed to this environment yet?");
            Some(finding)
        }
        Answer::NoArtifact(why) => finding("artifact-type", format!("{reference} is no Flux artifact: {why}")),
        Answer::Manifest(manifest) => {
            let why = not_flux(manifest)?;
            let mut finding = finding("artifact-type", format!("{reference} is no Flux artifact: {why}"))?;
            finding.hint("push it with flux push artifact, or with kubectl runway deploy push");
            Some(finding)
        }
        Answer::Unknown(why) => {
            let mut finding = finding("artifact-unknown", format!("{reference} could not be asked for: {why}"))?;
            finding.warning();
            Some(finding)
        }
    }
}

/// Why it is not what Flux's tools push. source-controller itself would unpack any gzipped tar, an image's layer too, and
/// apply nothing of it.
fn not_flux(manifest: &Manifest) -> Option<String> {
    let layer = match manifest.content() {
        Ok(layer) => layer,
        Err(problem) => return Some(problem.what),
    };
    (!manifest.is_flux() && layer.media_type != LAYER_TYPE)
        .then(|| format!("its layer is {}, not {LAYER_TYPE}", layer.media_type))
}

/// Findings of a cluster's refusals.
pub fn refusals(workloads: &Workloads, refused: &[Refusal]) -> Vec<Finding> {
    let said = |refusal: &Refusal| {
        let message = format!("the cluster {} refuses {}: {}", refusal.cluster, refusal.object, refusal.message);
        at(workloads, &refusal.workload, "dry-run-refused", message)
    };
    ordered(refused.iter().filter_map(said).collect())
}

fn at(workloads: &Workloads, id: &str, code: &'static str, message: String) -> Option<Finding> {
    let workload = workloads.items.iter().find(|item| item.id == id)?;
    let mut finding = Finding::error(code, workload.place(), message);
    finding.span = workload.span;
    finding.of(id);
    Some(finding)
}
