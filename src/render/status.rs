//! The status report as a table, and one workload's whole chain.

use super::style::Style;
use super::table::table;
use jiff::Timestamp;
use runway_core::assess::{Item, ItemKind, State, Verdict};
use runway_core::flux::revision::short;
use runway_core::text::{visible, visible_lines};
use std::collections::BTreeMap;

/// The rows as a table. `wide` adds columns and cuts nothing.
pub(crate) fn rows(items: &[Item], now: Timestamp, style: Style, wide: bool) -> String {
    let several = items.iter().any(|item| items.first().is_some_and(|first| first.cluster != item.cluster));
    let mut heads = vec!["WORKLOAD", "VERDICT", "BREAK", "EXPECTED", "APPLIED", "AGE"];
    if several || wide {
        heads.insert(0, "CLUSTER");
    }
    if wide {
        heads.extend(["RUNTIME", "ENVIRONMENT", "REASON", "REVISION"]);
    }
    heads.push("MESSAGE");
    let cells: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            let mut row = row(item, now);
            if several || wide {
                row.insert(0, item.cluster.clone());
            }
            if wide {
                let revision = item.kustomization.as_ref().and_then(|k| k.origin_revision.clone());
                row.extend([item.runtime.clone(), item.environment.clone(), item.reason.clone(), revision.unwrap_or_default()]);
            }
            row.push(item.message.clone());
            row
        })
        .collect();
    let width = if wide { None } else { style.width };
    paint(&table(&heads, &cells, Style { width, ..style }), style)
}

fn row(item: &Item, now: Timestamp) -> Vec<String> {
    let applied = item.kustomization.as_ref().and_then(|k| k.applied_digest.as_deref());
    let since = match &item.broken {
        Some(broken) => broken.since.as_deref(),
        None => item.kustomization.as_ref().and_then(|k| k.last_reconciled.as_deref()),
    };
    vec![
        item.workload.clone(),
        item.verdict.as_str().to_owned(),
        item.broken.as_ref().map(|broken| broken.link.as_str().to_owned()).unwrap_or_default(),
        item.expected.digest.as_deref().map(short).unwrap_or("-").to_owned(),
        applied.map_or("-", short).to_owned(),
        since.and_then(|since| age(since, now)).unwrap_or_else(|| "-".to_owned()),
    ]
}

/// Colours the verdicts: whole words only, after the table is laid out, so that no width counts an escape.
fn paint(text: &str, style: Style) -> String {
    if !style.color {
        return text.to_owned();
    }
    let mut out = String::new();
    for line in text.lines() {
        let word = Verdict::ALL.iter().find(|verdict| line.split_whitespace().any(|word| word == verdict.as_str()));
        match word {
            Some(verdict) => out.push_str(&line.replacen(verdict.as_str(), &colored(*verdict, style), 1)),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

fn colored(verdict: Verdict, style: Style) -> String {
    let word = verdict.as_str();
    match verdict {
        Verdict::Ready => style.green(word),
        Verdict::Reconciling | Verdict::Suspended | Verdict::Outdated => style.yellow(word),
        Verdict::Unknown => style.dim(word),
        _ => style.red(word),
    }
}

/// One row with all its links, why it broke, and what to do.
pub(crate) fn chain(item: &Item, now: Timestamp, style: Style) -> String {
    let at = item.broken.as_ref().map(|broken| format!(" at {}", broken.link.as_str())).unwrap_or_default();
    let mut out = format!(
        "{} on {} ({} {}): {}{at}\n",
        visible(&item.workload),
        visible(&item.cluster),
        visible(&item.runtime),
        visible(&item.environment),
        colored(item.verdict, style)
    );
    for step in &item.links {
        let mark = match step.state {
            State::Holds => style.green("✔"),
            State::Broken => style.red("✘"),
            State::Unknown => style.dim("?"),
        };
        out.push_str(&format!("  {mark} {:<10} {}\n", step.link.as_str(), visible(&step.evidence)));
    }
    if let Some(broken) = &item.broken {
        let since =
            broken.since.as_deref().and_then(|since| age(since, now)).map(|age| format!(" (for {age})")).unwrap_or_default();
        out.push_str(&format!(
            "why:  {}: {}{since}\n",
            visible(&broken.reason),
            visible_lines(&broken.message).replace('\n', "\n      ")
        ));
        for next in &broken.next {
            out.push_str(&format!("next: {}\n", visible(next)));
        }
    } else if !item.message.is_empty() {
        let last = item.kustomization.as_ref().and_then(|k| k.last_reconciled.as_deref()).and_then(|time| age(time, now));
        let last = last.map(|age| format!(" (Flux looked {age} ago)")).unwrap_or_default();
        out.push_str(&format!("{}{last}\n", visible(&item.message)));
    }
    out
}

/// "5 workloads: 4 Ready, 1 Failed", for people.
pub(crate) fn summary(items: &[Item]) -> String {
    let workloads: Vec<&Item> = items.iter().filter(|item| item.kind == ItemKind::Workload).collect();
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for item in &workloads {
        *counts.entry(item.verdict).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(verdict, n)| format!("{n} {}", verdict.as_str())).collect();
    let noun = if workloads.len() == 1 { "workload" } else { "workloads" };
    if words.is_empty() { format!("0 {noun}") } else { format!("{} {noun}: {}", workloads.len(), words.join(", ")) }
}

/// How long ago, as kubectl writes ages.
pub(crate) fn age(time: &str, now: Timestamp) -> Option<String> {
    let then: Timestamp = time.parse().ok()?;
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    Some(match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    })
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages() {
        let now = "2026-11-23T22:00:00Z".parse().unwrap();
        assert_eq!(age("2026-11-23T21:59:30Z", now).as_deref(), Some("30s"));
        assert_eq!(age("2026-11-23T21:00:00.5Z", now).as_deref(), Some("60m"));
        assert_eq!(age("2026-11-20T21:00:00Z", now).as_deref(), Some("3d"));
        assert_eq!(age("2026-11-23T23:00:00Z", now).as_deref(), Some("0s"));
        assert_eq!(age("soon", now), None);
    }
}
