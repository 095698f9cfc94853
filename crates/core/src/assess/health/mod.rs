//! The health of any object, by the rules of kstatus (`fluxcd/cli-utils` v1.2.3, `pkg/kstatus/status`), which Flux's own
//! health checks use too.

mod builtin;
pub mod pods;

use jiff::Timestamp;
use serde_json::Value;

/// kstatus' words, and two for what it is never asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthState {
    /// As it should be.
    Current,
    /// On its way there.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// Being deleted.
    Terminating,
    /// Not there.
    NotFound,
    /// Could not be asked.
    Unknown,
}

impl HealthState {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Current, Self::InProgress, Self::Failed, Self::Terminating, Self::NotFound, Self::Unknown];

    /// The word in texts and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        }
    }
}

/// An object's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The word.
    pub state: HealthState,
    /// CamelCase reason; empty when it is current.
    pub reason: String,
    /// What a person must read.
    pub message: String,
}

impl Health {
    /// A health in three words.
    pub fn new(state: HealthState, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self { state, reason: reason.into(), message: message.into() }
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(HealthState::Current, "", message)
    }

    fn waits(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(HealthState::InProgress, reason, message)
    }

    fn failed(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(HealthState::Failed, reason, message)
    }
}

/// The health of an object that is there.
pub fn health(object: &Value, now: Timestamp) -> Health {
    if let Some(health) = generic(object) {
        return health;
    }
    if let Some(health) = builtin::health(object, now) {
        return health;
    }
    ready(object).unwrap_or_else(|| Health::current("Resource is current"))
}

/// What every kind may say: a deletion, a generation that nobody has looked at, `Reconciling` and `Stalled`.
fn generic(object: &Value) -> Option<Health> {
    if text(object, "/metadata/deletionTimestamp").is_some() {
        return Some(Health::new(HealthState::Terminating, "Terminating", "Resource scheduled for deletion"));
    }
    if let (Some(wanted), Some(seen)) = (number(object, "/metadata/generation"), number(object, "/status/observedGeneration"))
        && wanted != seen
    {
        let kind = text(object, "/kind").unwrap_or_default();
        return Some(Health::waits(
            "LatestGenerationNotObserved",
            format!("{kind} generation is {wanted}, but latest observed generation is {seen}"),
        ));
    }
    conditions(object).find_map(|condition| match (condition.r#type, condition.status) {
        ("Reconciling", "True") => Some(Health::waits(condition.reason, condition.message)),
        ("Stalled", "True") => Some(Health::failed(condition.reason, condition.message)),
        _ => None,
    })
}

/// The Ready condition of a kind that has no rules of its own.
fn ready(object: &Value) -> Option<Health> {
    conditions(object).filter(|condition| condition.r#type == "Ready").find_map(|condition| match condition.status {
        "True" => Some(Health::current("Resource is Ready")),
        "False" | "Unknown" => Some(Health::waits(condition.reason, condition.message)),
        _ => None,
    })
}

/// A condition, borrowed.
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    r#type: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

fn conditions(object: &Value) -> impl Iterator<Item = Said<'_>> {
    let list = object.pointer("/status/conditions").and_then(Value::as_array);
    list.into_iter().flatten().map(|condition| {
        let part = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
        Said { r#type: part("type"), status: part("status"), reason: part("reason"), message: part("message") }
    })
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

#[cfg(test)]
mod tests;
