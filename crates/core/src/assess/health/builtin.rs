//! The kinds of Kubernetes itself, each with the rule that kstatus has for it (`core.go`).

use super::{Health, conditions, number, text};
use jiff::Timestamp;
use serde_json::Value;

/// How long a Pod may be without a node before that is a failure, in seconds.
const SCHEDULE_WINDOW: i64 = 15;
/// What the Deployment controller takes for "no deadline".
const NO_DEADLINE: i64 = i32::MAX as i64;

/// The health of a kind that has a rule; `None` for any other.
pub(super) fn health(object: &Value, now: Timestamp) -> Option<Health> {
    let group = text(object, "/apiVersion").and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    Some(match (group, text(object, "/kind")?) {
        ("", "Service") => service(object),
        ("", "Pod") => pod(object, now),
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => Health::current("Resource is always ready"),
        ("", "PersistentVolumeClaim") => claim(object),
        ("apps" | "extensions", "Deployment") => deployment(object),
        ("apps" | "extensions", "DaemonSet") => daemon_set(object),
        ("apps" | "extensions", "ReplicaSet") => replica_set(object),
        ("apps", "StatefulSet") => stateful_set(object),
        ("policy", "PodDisruptionBudget") => Health::current("AllowedDisruptions has been computed."),
        ("batch", "Job") => job(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => return None,
    })
}

fn status(object: &Value, field: &str) -> i64 {
    number(object, &format!("/status/{field}")).unwrap_or(0)
}

/// "waits", when there are fewer than wanted; the words are kstatus'.
fn less(wanted: i64, has: i64, reason: &str, word: &str) -> Option<Health> {
    (wanted > has).then(|| Health::waits(reason, format!("{word}: {has}/{wanted}")))
}

fn extra(wanted: i64, has: i64) -> Option<Health> {
    (has > wanted).then(|| Health::waits("ExtraPods", format!("Pending termination: {}", has - wanted)))
}

fn service(object: &Value) -> Health {
    if text(object, "/spec/type") == Some("LoadBalancer") && text(object, "/spec/clusterIP").is_none() {
        return Health::waits("NoIPAssigned", "ClusterIP not set. Service type: LoadBalancer");
    }
    Health::current("Service is ready")
}

fn claim(object: &Value) -> Health {
    match text(object, "/status/phase").unwrap_or("unknown") {
        "Bound" => Health::current("PVC is Bound"),
        phase => Health::waits("NotBound", format!("PVC is not Bound. phase: {phase}")),
    }
}

fn deployment(object: &Value) -> Health {
    let mut progressing = number(object, "/spec/progressDeadlineSeconds").unwrap_or(NO_DEADLINE) == NO_DEADLINE;
    let mut available = false;
    for condition in conditions(object) {
        match (condition.r#type, condition.status, condition.reason) {
            ("Progressing", _, "ProgressDeadlineExceeded") => {
                return Health::failed(condition.reason, "Progress deadline exceeded");
            }
            ("Progressing", "True", "NewReplicaSetAvailable") => progressing = true,
            ("Available", "True", _) => available = true,
            _ => {}
        }
    }
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let (has, updated) = (status(object, "replicas"), status(object, "updatedReplicas"));
    less(wanted, has, "LessReplicas", "Replicas")
        .or_else(|| less(wanted, updated, "LessUpdated", "Updated"))
        .or_else(|| extra(wanted, has))
        .or_else(|| less(updated, status(object, "availableReplicas"), "LessAvailable", "Available"))
        .or_else(|| less(wanted, status(object, "readyReplicas"), "LessReady", "Ready"))
        .or_else(|| (!progressing).then(|| Health::waits("ReplicaSetNotAvailable", "ReplicaSet not Available")))
        .or_else(|| (!available).then(|| Health::waits("DeploymentNotAvailable", "Deployment not Available")))
        .unwrap_or_else(|| Health::current(format!("Deployment is available. Replicas: {has}")))
}

fn replica_set(object: &Value) -> Health {
    if conditions(object).any(|condition| condition.r#type == "ReplicaFailure" && condition.status == "True") {
        return Health::waits("ReplicaFailure", "Replica Failure condition. Check Pods");
    }
    let (wanted, has) = (number(object, "/spec/replicas").unwrap_or(1), status(object, "replicas"));
    less(wanted, status(object, "fullyLabeledReplicas"), "LessLabelled", "Labelled")
        .or_else(|| less(wanted, status(object, "availableReplicas"), "LessAvailable", "Available"))
        .or_else(|| less(wanted, status(object, "readyReplicas"), "LessReady", "Ready"))
        .or_else(|| extra(wanted, has))
        .unwrap_or_else(|| Health::current(format!("ReplicaSet is available. Replicas: {has}")))
}

fn stateful_set(object: &Value) -> Health {
    if text(object, "/spec/updateStrategy/type") == Some("OnDelete") {
        return Health::current("StatefulSet is using the ondelete update strategy");
    }
    let (wanted, has) = (number(object, "/spec/replicas").unwrap_or(1), status(object, "replicas"));
    let updated = status(object, "updatedReplicas");
    let counted = less(wanted, has, "LessReplicas", "Replicas")
        .or_else(|| less(wanted, status(object, "readyReplicas"), "LessReady", "Ready"))
        .or_else(|| extra(wanted, has));
    if let Some(health) = counted {
        return health;
    }
    if let Some(partition) = number(object, "/spec/updateStrategy/rollingUpdate/partition").filter(|partition| *partition != -1) {
        return less(wanted - partition, updated, "PartitionRollout", "updated")
            .unwrap_or_else(|| Health::current(format!("Partition rollout complete. updated: {updated}")));
    }
    if let Some(health) = less(wanted, status(object, "currentReplicas"), "LessCurrent", "current") {
        return health;
    }
    if text(object, "/status/currentRevision") != text(object, "/status/updateRevision") {
        return Health::waits("RevisionMismatch", "Waiting for updated revision to match current");
    }
    Health::current(format!("All replicas scheduled as expected. Replicas: {has}"))
}

fn daemon_set(object: &Value) -> Health {
    // A controller that has looked at it has written these two: lenient elsewhere, kstatus is strict here.
    for (pointer, reason, field) in [
        ("/metadata/generation", "NoGeneration", "metadata.generation"),
        ("/status/observedGeneration", "NoObservedGeneration", "status.observedGeneration"),
    ] {
        if number(object, pointer).is_none() {
            return Health::waits(reason, format!("DaemonSet {field} not found"));
        }
    }
    let Some(wanted) = number(object, "/status/desiredNumberScheduled") else {
        return Health::waits("NoDesiredNumber", "Missing .status.desiredNumberScheduled");
    };
    less(wanted, status(object, "currentNumberScheduled"), "LessCurrent", "Current")
        .or_else(|| less(wanted, status(object, "updatedNumberScheduled"), "LessUpdated", "Updated"))
        .or_else(|| less(wanted, status(object, "numberAvailable"), "LessAvailable", "Available"))
        .or_else(|| less(wanted, status(object, "numberReady"), "LessReady", "Ready"))
        .unwrap_or_else(|| Health::current(format!("All replicas scheduled as expected. Replicas: {wanted}")))
}

fn job(object: &Value) -> Health {
    let wanted = number(object, "/spec/completions").or_else(|| number(object, "/spec/parallelism")).unwrap_or(1);
    let (succeeded, failed) = (status(object, "succeeded"), status(object, "failed"));
    for condition in conditions(object).filter(|condition| condition.status == "True") {
        match condition.r#type {
            "Complete" => return Health::current(format!("Job Completed. succeeded: {succeeded}/{wanted}")),
            "Failed" => return Health::failed("JobFailed", format!("Job Failed. failed: {failed}/{wanted}")),
            _ => {}
        }
    }
    if text(object, "/status/startTime").is_none() {
        return Health::waits("JobNotStarted", "Job not started");
    }
    let active = status(object, "active");
    Health::current(format!("Job in progress. success:{succeeded}, active: {active}, failed: {failed}"))
}

fn definition(object: &Value) -> Health {
    for condition in conditions(object) {
        match (condition.r#type, condition.status) {
            ("NamesAccepted", "False") => return Health::failed(condition.reason, condition.message),
            ("Established", "False") if condition.reason != "Installing" => {
                return Health::failed(condition.reason, condition.message);
            }
            ("Established", "True") => return Health::current("CRD is established"),
            _ => {}
        }
    }
    Health::waits("Installing", "Install in progress")
}

fn pod(object: &Value, now: Timestamp) -> Health {
    match text(object, "/status/phase") {
        None => Health::waits("PodNotObserved", "Pod phase not available"),
        Some("Succeeded") => Health::current("Pod has completed successfully"),
        Some("Failed") => Health::current("Pod has completed, but not successfully"),
        Some("Running") => running(object),
        Some("Pending") => pending(object, now),
        Some(phase) => Health::new(super::HealthState::Unknown, "PodPhaseUnknown", format!("unknown phase {phase}")),
    }
}

fn running(object: &Value) -> Health {
    if conditions(object).any(|condition| condition.r#type == "Ready" && condition.status == "True") {
        return Health::current("Pod is Ready");
    }
    let statuses = object.pointer("/status/containerStatuses").and_then(Value::as_array);
    let crashing: Vec<&str> = statuses
        .into_iter()
        .flatten()
        .filter(|container| text(container, "/state/waiting/reason") == Some("CrashLoopBackOff"))
        .filter_map(|container| text(container, "/name"))
        .collect();
    if crashing.is_empty() {
        return Health::waits("PodRunningNotReady", "Pod is running but is not Ready");
    }
    Health::failed("ContainerCrashLooping", format!("Containers in CrashLoop state: {}", crashing.join(",")))
}

fn pending(object: &Value, now: Timestamp) -> Health {
    let unschedulable = conditions(object).any(|condition| {
        condition.r#type == "PodScheduled" && condition.status == "False" && condition.reason == "Unschedulable"
    });
    if !unschedulable {
        return Health::waits("PodPending", "Pod is in the Pending phase");
    }
    let made: Option<Timestamp> = text(object, "/metadata/creationTimestamp").and_then(|time| time.parse().ok());
    if made.is_some_and(|made| now.as_second() - made.as_second() < SCHEDULE_WINDOW) {
        return Health::waits("PodNotScheduled", "Pod has not been scheduled");
    }
    Health::failed("PodUnschedulable", "Pod could not be scheduled")
}
