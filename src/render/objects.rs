//! The applied objects: as a tree with each one's health, and as a list of those in trouble.

use super::status::{age, headline};
use super::style::Style;
use jiff::Timestamp;
use runway_core::assess::health::pods::Event;
use runway_core::assess::{HealthState, Item, Link, ObjectView, PodView, State};
use runway_core::flux::applied::AppliedId;
use runway_core::flux::revision::short;
use runway_core::text::{head, visible};
use std::collections::BTreeMap;

/// A workload with its two objects and what they have applied.
pub(crate) fn tree(item: &Item, now: Timestamp, style: Style) -> String {
    let mut out = headline(item, style);
    if item.source.is_none() && item.kustomization.is_none() {
        out.push_str(&format!("{}\n", visible(&item.message)));
        return out;
    }
    let ready = |ready: &str, suspended: bool| {
        let word = format!("Ready={ready}");
        if suspended { format!("{word}, suspended") } else { word }
    };
    if let Some(source) = &item.source {
        let has =
            source.digest.as_deref().map_or_else(|| "nothing fetched".to_owned(), |digest| format!("fetched {}", short(digest)));
        let mark = if item.kustomization.is_some() { "├─" } else { "└─" };
        out.push_str(&format!(
            "{mark} OCIRepository {}: {}, {has}{}\n",
            visible(&item.workload),
            ready(&source.ready, source.suspended),
            why(item, &source.ready, &source.look.reason, &[Link::Fetched])
        ));
    }
    let Some(kustomization) = &item.kustomization else { return out };
    let has = kustomization.applied_digest.as_deref();
    let has = has.map_or_else(|| "nothing applied".to_owned(), |digest| format!("applied {}", short(digest)));
    let ready = ready(&kustomization.ready, kustomization.suspended);
    let why = why(item, &kustomization.ready, &kustomization.look.reason, &[Link::Applied, Link::Healthy]);
    out.push_str(&format!("└─ Kustomization {}: {ready}, {has}{why}\n", visible(&item.workload)));
    match &item.objects {
        None => out.push_str("   └─ the applied objects were not looked at\n"),
        Some(objects) => {
            let mut lines: Vec<Vec<String>> = objects.iter().map(|view| object_lines(view, now, style)).collect();
            if item.objects_left_out > 0 {
                lines.push(vec![format!("and {} more, not looked at", item.objects_left_out)]);
            }
            if lines.is_empty() {
                lines.push(vec!["no object was applied".to_owned()]);
            }
            branch(&mut out, "   ", &lines);
        }
    }
    out
}

/// Characters of a message in one line.
const MESSAGE: usize = 240;

/// Why an object is not Ready: the controller's reason, and what its first broken link says.
fn why(item: &Item, ready: &str, reason: &str, links: &[Link]) -> String {
    if ready == "True" || reason.is_empty() {
        return String::new();
    }
    let broken = item.links.iter().find(|step| links.contains(&step.link) && step.state == State::Broken);
    let message = broken.map(|step| format!(": {}", visible(head(&step.evidence, MESSAGE)))).unwrap_or_default();
    format!("; {}{message}", visible(reason))
}

/// Lines with the tree's marks before them: the first of each is the object, the others are below it.
fn branch(out: &mut String, indent: &str, entries: &[Vec<String>]) {
    for (n, lines) in entries.iter().enumerate() {
        let last = n + 1 == entries.len();
        for (n, line) in lines.iter().enumerate() {
            let mark = match (n, last) {
                (0, false) => "├─ ",
                (0, true) => "└─ ",
                (_, false) => "│  ",
                (_, true) => "   ",
            };
            out.push_str(&format!("{indent}{mark}{line}\n"));
        }
    }
}

fn object_lines(view: &ObjectView, now: Timestamp, style: Style) -> Vec<String> {
    let mut lines = vec![line(view, style)];
    for (n, pod) in view.pods.iter().enumerate() {
        let last = n + 1 == view.pods.len();
        let (first, rest) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        for (n, line) in pod_lines(pod, now, style).into_iter().enumerate() {
            lines.push(format!("{}{line}", if n == 0 { first } else { rest }));
        }
    }
    if let Some(gap) = &view.pods_gap {
        lines.push(format!("└─ its Pods could not be read: {}", visible(gap)));
    }
    lines
}

fn line(view: &ObjectView, style: Style) -> String {
    let health = &view.health;
    let state = match health.state {
        HealthState::Current => style.green(health.state.as_str()),
        HealthState::InProgress | HealthState::Terminating => style.yellow(health.state.as_str()),
        HealthState::Unknown => style.dim(health.state.as_str()),
        HealthState::Failed | HealthState::NotFound => style.red(health.state.as_str()),
    };
    let why = match (health.state, health.reason.as_str()) {
        (HealthState::Current, _) => String::new(),
        (_, "") => format!(", {}", visible(&health.message)),
        (_, reason) => format!(", {}: {}", visible(reason), visible(&health.message)),
    };
    format!("{}: {state}{why}", visible(&view.id.to_string()))
}

fn pod_lines(pod: &PodView, now: Timestamp, style: Style) -> Vec<String> {
    let reason = style.red(&visible(&pod.trouble.reason));
    let mut lines = vec![format!("Pod {}: {reason}: {}", visible(&pod.name), visible(&pod.trouble.message))];
    if let Some(Event { reason, message, time }) = &pod.event {
        let ago = time.as_deref().and_then(|time| age(time, now)).map(|age| format!(" {age} ago")).unwrap_or_default();
        lines.push(format!("last event{ago}: {}: {}", visible(reason), visible(message)));
    }
    lines
}

/// "3 objects: 2 Current, 1 Failed", and below it those that are not current.
pub(crate) fn trouble(item: &Item, now: Timestamp, style: Style) -> String {
    let Some(objects) = &item.objects else { return String::new() };
    let mut counts: BTreeMap<HealthState, usize> = BTreeMap::new();
    for view in objects {
        *counts.entry(view.health.state).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(state, n)| format!("{n} {}", state.as_str())).collect();
    let left_out = if item.objects_left_out > 0 { format!(", {} not looked at", item.objects_left_out) } else { String::new() };
    let colon = if counts.is_empty() { "" } else { ": " };
    let noun = if objects.len() == 1 { "object" } else { "objects" };
    let mut out = format!("{} applied {noun}{colon}{}{left_out}\n", objects.len(), counts.join(", "));
    for view in objects.iter().filter(|view| view.health.state != HealthState::Current) {
        for line in object_lines(view, now, style) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

/// Objects whose names one look shows.
const NAMES: usize = 20;

/// The names of what was applied, where nobody looked at the objects themselves; `more`, if anything does, shows them all, with
/// their health.
pub(crate) fn applied(ids: &[AppliedId], more: Option<&str>, style: Style) -> String {
    let mut lines: Vec<Vec<String>> = ids.iter().take(NAMES).map(|id| vec![visible(&id.to_string()).into_owned()]).collect();
    if let Some(left) = ids.len().checked_sub(NAMES).filter(|left| *left > 0) {
        let more = more.map(|more| format!(": {}", style.command(&visible(more)))).unwrap_or_default();
        lines.push(vec![format!("and {left} more{more}")]);
    }
    let (its, it) = match ids.len() {
        0 => return String::new(),
        1 => ("its name", "it"),
        _ => ("their names", "them"),
    };
    let looks = if more.is_some() { format!(" (--objects looks at {it})") } else { String::new() };
    let mut out = format!("applied, by {its} only{looks}:\n");
    branch(&mut out, "  ", &lines);
    out
}

/// Several trees, an empty line between them.
pub(crate) fn forest(items: &[&Item], now: Timestamp, style: Style) -> String {
    items.iter().map(|item| tree(item, now, style)).collect::<Vec<_>>().join("\n")
}
