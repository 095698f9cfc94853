//! What is wrong with a Pod, in the words that `kubectl get pods` uses, and what was said of it last.

use super::{conditions, number, text};
use serde_json::Value;

/// What is wrong with a Pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// `CrashLoopBackOff`, `ImagePullBackOff`, `Unschedulable`, …
    pub reason: String,
    /// What was said about it.
    pub message: String,
}

/// Waiting that belongs to every start.
const NORMAL: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// What keeps a Pod from being Ready; `None` when nothing does, or it has ended well.
pub fn trouble(pod: &Value) -> Option<Trouble> {
    if text(pod, "/status/phase") == Some("Succeeded") {
        return None;
    }
    let containers = ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .filter_map(|pointer| pod.pointer(pointer).and_then(Value::as_array))
        .flatten();
    if let Some(trouble) = containers.clone().find_map(waiting).or_else(|| containers.clone().find_map(ended)) {
        return Some(trouble);
    }
    if let Some(reason) = text(pod, "/status/reason") {
        // Evicted, NodeLost, …
        return Some(Trouble { reason: reason.to_owned(), message: text(pod, "/status/message").unwrap_or_default().to_owned() });
    }
    let said = |kind: &str| conditions(pod).find(|condition| condition.r#type == kind && condition.status == "False");
    let condition = said("PodScheduled").or_else(|| said("Ready"))?;
    let reason = if condition.reason.is_empty() { "NotReady" } else { condition.reason };
    Some(Trouble { reason: reason.to_owned(), message: condition.message.to_owned() })
}

fn waiting(container: &Value) -> Option<Trouble> {
    let reason = text(container, "/state/waiting/reason").filter(|reason| !NORMAL.contains(reason))?;
    let mut message = text(container, "/state/waiting/message").unwrap_or_default().to_owned();
    if let Some(last) = exit(container, "/lastState/terminated") {
        message = if message.is_empty() { format!("it {last}") } else { format!("{message}; before that it {last}") };
    }
    Some(Trouble { reason: reason.to_owned(), message: format!("container {}: {message}", name(container)) })
}

fn ended(container: &Value) -> Option<Trouble> {
    let how = exit(container, "/state/terminated")?;
    let reason = text(container, "/state/terminated/reason").unwrap_or("Error");
    Some(Trouble { reason: reason.to_owned(), message: format!("container {} {how}", name(container)) })
}

/// `ended with 137 (OOMKilled)`; nothing when it ended well.
fn exit(container: &Value, pointer: &str) -> Option<String> {
    let code = number(container, &format!("{pointer}/exitCode")).filter(|code| *code != 0)?;
    let reason = text(container, &format!("{pointer}/reason")).unwrap_or("Error");
    Some(format!("ended with {code} ({reason})"))
}

fn name(container: &Value) -> &str {
    text(container, "/name").unwrap_or_default()
}

/// What was said of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// CamelCase reason.
    pub reason: String,
    /// Text.
    pub message: String,
    /// RFC 3339.
    pub time: Option<String>,
}

/// The event that says most: the last warning, else the last one.
pub fn last_event(events: &[Value]) -> Option<Event> {
    let time = |event: &Value| {
        ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/firstTimestamp", "/metadata/creationTimestamp"]
            .into_iter()
            .find_map(|pointer| text(event, pointer))
            .map(str::to_owned)
    };
    let event = events.iter().max_by_key(|event| (text(event, "/type") == Some("Warning"), time(event)))?;
    let part = |pointer: &str| text(event, pointer).unwrap_or_default().trim_end().to_owned();
    Some(Event { reason: part("/reason"), message: part("/message"), time: time(event) })
}
