//! A table for each rule: the objects are as an API server gives them, cut to the fields that count.

use super::pods::{last_event, trouble};
use super::{HealthState, health};
use serde_json::{Value, json};

fn state(object: &Value) -> (HealthState, String) {
    let health = health(object, "2026-11-23T22:00:00Z".parse().unwrap());
    (health.state, health.reason)
}

#[track_caller]
fn check(version: &str, kind: &str, cases: &[(Value, HealthState, &str)]) {
    for (fields, wanted, reason) in cases {
        let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}});
        for (key, value) in fields.as_object().unwrap() {
            object[key] = value.clone();
        }
        assert_eq!(state(&object), (*wanted, (*reason).to_owned()), "{object}");
    }
}

use HealthState::{Current, Failed, InProgress, Terminating, Unknown};

#[test]
fn any_kind() {
    let condition =
        |kind: &str, status: &str| json!({"status": {"conditions": [{"type": kind, "status": status, "reason": "Why"}]}});
    check(
        "example.com/v1",
        "Thing",
        &[
            (json!({}), Current, ""),
            (condition("Ready", "True"), Current, ""),
            (condition("Ready", "False"), InProgress, "Why"),
            (condition("Ready", "Unknown"), InProgress, "Why"),
            (condition("Stalled", "True"), Failed, "Why"),
            (condition("Stalled", "False"), Current, ""),
            (condition("Reconciling", "True"), InProgress, "Why"),
            (json!({"metadata": {"deletionTimestamp": "2026-11-23T22:00:00Z"}}), Terminating, "Terminating"),
            (
                json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1}}),
                InProgress,
                "LatestGenerationNotObserved",
            ),
            (json!({"metadata": {"generation": 2}}), Current, ""),
            (json!({"status": {"conditions": "garbage"}}), Current, ""),
        ],
    );
    check("v1", "ConfigMap", &[(condition("Ready", "False"), Current, "")]);
    check("v1", "Secret", &[(json!({}), Current, "")]);
}

#[test]
fn deployments() {
    let with = |spec: Value, numbers: [i64; 4], conditions: Value| {
        let [replicas, updated, ready, available] = numbers;
        json!({"spec": spec, "status": {"replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": available, "conditions": conditions}})
    };
    let good = json!([{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]);
    let two = json!({"replicas": 2, "progressDeadlineSeconds": 600});
    check(
        "apps/v1",
        "Deployment",
        &[
            (with(two.clone(), [2, 2, 2, 2], good.clone()), Current, ""),
            (json!({}), InProgress, "LessReplicas"),
            (with(two.clone(), [1, 1, 1, 1], good.clone()), InProgress, "LessReplicas"),
            (with(two.clone(), [2, 1, 2, 2], good.clone()), InProgress, "LessUpdated"),
            (with(two.clone(), [3, 2, 2, 2], good.clone()), InProgress, "ExtraPods"),
            (with(two.clone(), [2, 2, 2, 1], good.clone()), InProgress, "LessAvailable"),
            (with(two.clone(), [2, 2, 1, 2], good.clone()), InProgress, "LessReady"),
            (
                with(two.clone(), [2, 2, 2, 2], json!([{"type": "Available", "status": "True"}])),
                InProgress,
                "ReplicaSetNotAvailable",
            ),
            (with(json!({"replicas": 2}), [2, 2, 2, 2], json!([])), InProgress, "DeploymentNotAvailable"),
            (with(json!({"replicas": 2}), [2, 2, 2, 2], json!([{"type": "Available", "status": "True"}])), Current, ""),
            (
                with(
                    two,
                    [2, 2, 0, 0],
                    json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]),
                ),
                Failed,
                "ProgressDeadlineExceeded",
            ),
        ],
    );
}

#[test]
fn replica_sets_and_stateful_sets() {
    let set = |numbers: [i64; 4]| json!({"spec": {"replicas": 2}, "status": {"fullyLabeledReplicas": numbers[0], "availableReplicas": numbers[1], "readyReplicas": numbers[2], "replicas": numbers[3]}});
    check(
        "apps/v1",
        "ReplicaSet",
        &[
            (set([2, 2, 2, 2]), Current, ""),
            (set([1, 2, 2, 2]), InProgress, "LessLabelled"),
            (set([2, 1, 2, 2]), InProgress, "LessAvailable"),
            (set([2, 2, 1, 2]), InProgress, "LessReady"),
            (set([2, 2, 2, 3]), InProgress, "ExtraPods"),
            (json!({"status": {"conditions": [{"type": "ReplicaFailure", "status": "True"}]}}), InProgress, "ReplicaFailure"),
        ],
    );
    let set = |spec: Value, numbers: [i64; 4], revisions: [&str; 2]| json!({"spec": spec, "status": {"replicas": numbers[0], "readyReplicas": numbers[1], "currentReplicas": numbers[2], "updatedReplicas": numbers[3], "currentRevision": revisions[0], "updateRevision": revisions[1]}});
    let two = json!({"replicas": 2});
    let partition = json!({"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}});
    check(
        "apps/v1",
        "StatefulSet",
        &[
            (set(two.clone(), [2, 2, 2, 2], ["a", "a"]), Current, ""),
            (set(two.clone(), [1, 1, 1, 1], ["a", "a"]), InProgress, "LessReplicas"),
            (set(two.clone(), [2, 1, 2, 2], ["a", "a"]), InProgress, "LessReady"),
            (set(two.clone(), [3, 2, 2, 2], ["a", "a"]), InProgress, "ExtraPods"),
            (set(two.clone(), [2, 2, 1, 2], ["a", "a"]), InProgress, "LessCurrent"),
            (set(two, [2, 2, 2, 2], ["a", "b"]), InProgress, "RevisionMismatch"),
            (set(partition.clone(), [2, 2, 0, 1], ["a", "b"]), Current, ""),
            (set(partition, [2, 2, 0, 0], ["a", "b"]), InProgress, "PartitionRollout"),
            (json!({"spec": {"updateStrategy": {"type": "OnDelete"}}}), Current, ""),
        ],
    );
}

#[test]
fn daemon_sets_and_jobs() {
    let set = |numbers: [i64; 5]| json!({"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "desiredNumberScheduled": numbers[0], "currentNumberScheduled": numbers[1], "updatedNumberScheduled": numbers[2], "numberAvailable": numbers[3], "numberReady": numbers[4]}});
    check(
        "apps/v1",
        "DaemonSet",
        &[
            (set([2, 2, 2, 2, 2]), Current, ""),
            (set([0, 0, 0, 0, 0]), Current, ""),
            (set([2, 1, 2, 2, 2]), InProgress, "LessCurrent"),
            (set([2, 2, 1, 2, 2]), InProgress, "LessUpdated"),
            (set([2, 2, 2, 1, 2]), InProgress, "LessAvailable"),
            (set([2, 2, 2, 2, 1]), InProgress, "LessReady"),
            (json!({"metadata": {"generation": 1}, "status": {"observedGeneration": 1}}), InProgress, "NoDesiredNumber"),
            (json!({"metadata": {"generation": 1}}), InProgress, "NoObservedGeneration"),
            (json!({}), InProgress, "NoGeneration"),
        ],
    );
    let done = |kind: &str| json!({"status": {"startTime": "t", "conditions": [{"type": kind, "status": "True"}]}});
    check(
        "batch/v1",
        "Job",
        &[
            (json!({}), InProgress, "JobNotStarted"),
            (json!({"status": {"startTime": "t", "active": 1}}), Current, ""),
            (done("Complete"), Current, ""),
            (done("Failed"), Failed, "JobFailed"),
        ],
    );
    check("batch/v1", "CronJob", &[(json!({}), Current, "")]);
}

#[test]
fn the_smaller_kinds() {
    check(
        "v1",
        "PersistentVolumeClaim",
        &[
            (json!({"status": {"phase": "Bound"}}), Current, ""),
            (json!({"status": {"phase": "Pending"}}), InProgress, "NotBound"),
            (json!({}), InProgress, "NotBound"),
        ],
    );
    check(
        "v1",
        "Service",
        &[
            (json!({"spec": {"type": "ClusterIP"}}), Current, ""),
            (json!({"spec": {"type": "LoadBalancer"}}), InProgress, "NoIPAssigned"),
            (json!({"spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.1"}}), Current, ""),
        ],
    );
    check("policy/v1", "PodDisruptionBudget", &[(json!({}), Current, "")]);
    let crd = |kind: &str, status: &str, reason: &str| json!({"status": {"conditions": [{"type": kind, "status": status, "reason": reason}]}});
    check(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &[
            (json!({}), InProgress, "Installing"),
            (crd("Established", "True", ""), Current, ""),
            (crd("Established", "False", "Installing"), InProgress, "Installing"),
            (crd("Established", "False", "Broken"), Failed, "Broken"),
            (crd("NamesAccepted", "False", "Conflict"), Failed, "Conflict"),
        ],
    );
}

#[test]
fn pods() {
    let unschedulable = |made: &str| json!({"metadata": {"creationTimestamp": made}, "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}});
    let crashing = json!({"status": {"phase": "Running", "containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
    check(
        "v1",
        "Pod",
        &[
            (json!({}), InProgress, "PodNotObserved"),
            (json!({"status": {"phase": "Succeeded"}}), Current, ""),
            (json!({"status": {"phase": "Failed"}}), Current, ""),
            (json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}), Current, ""),
            (json!({"status": {"phase": "Running"}}), InProgress, "PodRunningNotReady"),
            (crashing, Failed, "ContainerCrashLooping"),
            (json!({"status": {"phase": "Pending"}}), InProgress, "PodPending"),
            (unschedulable("2026-11-23T21:59:50Z"), InProgress, "PodNotScheduled"),
            (unschedulable("2026-11-23T21:59:40Z"), Failed, "PodUnschedulable"),
            (json!({"status": {"phase": "New"}}), Unknown, "PodPhaseUnknown"),
        ],
    );
}

#[test]
fn what_is_wrong_with_a_pod() {
    let said = |status: Value| trouble(&json!({"status": status})).map(|it| format!("{}: {}", it.reason, it.message));
    assert_eq!(
        said(json!({"phase": "Succeeded", "containerStatuses": [{"name": "a", "state": {"terminated": {"exitCode": 1}}}]})),
        None
    );
    assert_eq!(said(json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})), None);
    assert_eq!(said(json!({"containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}}]})), None);
    for (status, wanted) in [
        (
            json!({"containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\""}}}]}),
            "ImagePullBackOff: container a: Back-off pulling image \"x\"",
        ),
        (
            json!({"containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}),
            "CrashLoopBackOff: container a: back-off 5m0s; before that it ended with 137 (OOMKilled)",
        ),
        (
            json!({"initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}], "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "PodInitializing"}}}]}),
            "Error: container i ended with 2 (Error)",
        ),
        (
            json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource"}),
            "Evicted: The node was low on resource",
        ),
        (
            json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]}),
            "Unschedulable: 0/3 nodes",
        ),
        (
            json!({"conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [a]"}]}),
            "ContainersNotReady: containers with unready status: [a]",
        ),
    ] {
        assert_eq!(said(status).as_deref(), Some(wanted));
    }
}

#[test]
fn the_last_warning_says_most() {
    let event =
        |kind: &str, time: &str, reason: &str| json!({"type": kind, "lastTimestamp": time, "reason": reason, "message": "m\n"});
    let events = [
        event("Warning", "2026-11-23T21:00:00Z", "Old"),
        event("Warning", "2026-11-23T21:30:00Z", "BackOff"),
        event("Normal", "2026-11-23T21:50:00Z", "Pulled"),
    ];
    let last = last_event(&events).unwrap();
    assert_eq!((last.reason.as_str(), last.message.as_str()), ("BackOff", "m"));
    assert_eq!(last_event(&events[2..]).unwrap().reason, "Pulled");
    assert_eq!(last_event(&[]), None);
}

#[test]
fn garbage_never_panics() {
    for object in [json!(null), json!([]), json!({"kind": 1}), json!({"kind": "Pod", "apiVersion": "v1", "status": []})] {
        health(&object, jiff::Timestamp::UNIX_EPOCH);
        drop(trouble(&object));
    }
}
