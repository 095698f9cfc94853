//! The status report as a table, and one workload's whole chain.

use super::objects;
use super::style::Style;
use super::table::{cut, keeping, table};
use jiff::Timestamp;
use runway_core::assess::{Item, ItemKind, State, Verdict};
use runway_core::flux::revision::short;
use runway_core::text::{visible, visible_lines};
use std::collections::BTreeMap;

/// How much of a row a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    /// What one cluster's rows need.
    Narrow,
    /// With the cluster.
    Clusters,
    /// With everything, and nothing cut.
    Wide,
}

/// The rows as a table.
pub(crate) fn rows(items: &[&Item], now: Timestamp, style: Style, columns: Columns) -> String {
    let wide = columns == Columns::Wide;
    let several = columns == Columns::Clusters;
    let mut heads = vec!["WORKLOAD", "VERDICT", "BREAK", "EXPECTED", "APPLIED", "AGE"];
    if several || wide {
        heads.insert(0, "CLUSTER");
    }
    if wide {
        heads.extend(["RUNTIME", "ENVIRONMENT", "REASON", "REVISION"]);
    }
    heads.push("MESSAGE");
    let mut cells: Vec<Vec<String>> = items
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
    let style = Style { width, ..style };
    let heads = keeping(heads.iter().position(|head| *head == "VERDICT").unwrap_or_default(), &heads, &mut cells, style);
    colored_words(&table(&heads.iter().map(String::as_str).collect::<Vec<_>>(), &cells, style), style, 1)
}

/// Columns of a terminal that a message needs to say something.
const SOME: usize = 16;

/// The rows as a table; where a terminal is too narrow for messages, each row that is not Ready has its own in a line below it.
pub(crate) fn rows_for_people(items: &[&Item], now: Timestamp, style: Style, columns: Columns) -> String {
    let text = rows(items, now, style, columns);
    let Some(width) = style.width else { return text };
    let head = text.lines().next().unwrap_or_default();
    let at = head.find("MESSAGE").unwrap_or(usize::MAX);
    if width.saturating_sub(at) >= SOME {
        return text;
    }
    let mut lines = text.lines();
    let mut out = format!("{}\n", lines.next().unwrap_or_default());
    for (line, item) in lines.zip(items) {
        out.push_str(&format!("{line}\n"));
        if item.verdict != Verdict::Ready && !item.message.is_empty() {
            let message = visible(&item.message);
            out.push_str(&format!("  {}\n", cut(&message, width.saturating_sub(2), style.ascii)));
        }
    }
    out
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
        item.expected.digest.as_deref().map_or("-", short).to_owned(),
        applied.map_or("-", short).to_owned(),
        since.and_then(|since| age(since, now)).unwrap_or_else(|| "-".to_owned()),
    ]
}

/// Colours the first verdicts of each line, so many, after the text is laid out: no width counts an escape, and a message
/// that speaks of verdicts stays plain.
pub(super) fn colored_words(text: &str, style: Style, most: usize) -> String {
    if !style.color {
        return text.to_owned();
    }
    let line = |line: &str| {
        let mut left = most;
        let word = |piece: &str| {
            let name = piece.split(':').next().unwrap_or_default();
            let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == name).filter(|_| left > 0);
            let Some(verdict) = verdict else { return piece.to_owned() };
            left -= 1;
            format!("{}{}", colored(verdict, style), piece.strip_prefix(name).unwrap_or_default())
        };
        line.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
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

/// The first line about one row: what, where, and how it stands.
pub(super) fn headline(item: &Item, style: Style) -> String {
    let at = item.broken.as_ref().map(|broken| format!(" at {}", broken.link.as_str())).unwrap_or_default();
    let scope = [item.runtime.as_str(), item.environment.as_str()].join(" ");
    let scope = if scope.trim().is_empty() { String::new() } else { format!(" ({})", visible(scope.trim())) };
    format!("{} on {}{scope}: {}{at}\n", visible(&item.workload), visible(&item.cluster), colored(item.verdict, style))
}

/// One row with all its links, why it broke, and what to do.
pub(crate) fn chain(item: &Item, now: Timestamp, style: Style) -> String {
    format!("{}{}{}{}", headline(item, style), links(item, now, style), why(item, now, style), objects::trouble(item, now, style))
}

/// One row with its first broken link before everything else: why, and what to do; then what that rests on.
pub(crate) fn explain(item: &Item, now: Timestamp, style: Style) -> String {
    let (head, why) = (headline(item, style), why(item, now, style));
    format!("{head}{why}evidence:\n{}{}", links(item, now, style), objects::trouble(item, now, style))
}

fn links(item: &Item, now: Timestamp, style: Style) -> String {
    let mut out = String::new();
    for step in &item.links {
        let mark = match step.state {
            State::Holds => style.green("✔"),
            State::Broken => style.red("✘"),
            State::Unknown => style.dim("?"),
        };
        let ago = step.since.as_deref().and_then(|time| age(time, now));
        let ago = match (ago, step.state) {
            (None, _) => String::new(),
            (Some(age), State::Broken) => format!(" (for {age})"),
            (Some(age), _) => format!(" ({age} ago)"),
        };
        out.push_str(&format!("  {mark} {:<10} {}{ago}\n", step.link.as_str(), visible(&step.evidence)));
    }
    out
}

fn why(item: &Item, now: Timestamp, style: Style) -> String {
    let Some(broken) = &item.broken else {
        if item.message.is_empty() {
            return String::new();
        }
        let last = item.kustomization.as_ref().and_then(|k| k.last_reconciled.as_deref()).and_then(|time| age(time, now));
        let last = last.map(|age| format!(" (Flux looked {age} ago)")).unwrap_or_default();
        return format!("{}{last}\n", visible(&item.message));
    };
    let since = broken.since.as_deref().and_then(|since| age(since, now)).map(|age| format!(" (for {age})")).unwrap_or_default();
    let mut out =
        format!("why:  {}: {}{since}\n", visible(&broken.reason), visible_lines(&broken.message).replace('\n', "\n      "));
    for next in &broken.next {
        out.push_str(&format!("next: {}\n", style.command(&visible(next))));
    }
    out
}

/// The rows' names, each once, in a form that `explain` and `tree` take.
pub(crate) fn names(items: &[&Item]) -> String {
    let mut seen = Vec::new();
    for item in items.iter().filter(|item| item.workload != "*") {
        let name = format!("{}/{}\n", item.kind.as_str(), visible(&item.workload));
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.concat()
}

/// "5 workloads on 2 clusters: 4 Ready, 1 Failed", for people.
pub(crate) fn summary(items: &[Item], clusters: usize) -> String {
    let workloads: Vec<&Item> = items.iter().filter(|item| item.kind == ItemKind::Workload).collect();
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for item in &workloads {
        *counts.entry(item.verdict).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(verdict, n)| format!("{n} {}", verdict.as_str())).collect();
    let noun = if workloads.len() == 1 { "workload" } else { "workloads" };
    let place = if clusters > 1 { format!(" on {clusters} clusters") } else { String::new() };
    let counts = if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
    format!("{} {noun}{place}{counts}", workloads.len())
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
    use super::{age, colored_words};
    use crate::render::style::Style;

    #[test]
    fn colours_stay_out_of_messages() {
        let style = Style { color: true, ..Style::default() };
        let text = colored_words("WORKLOAD VERDICT\na   Failed:applied   it is Failed\n", style, 1);
        assert_eq!(text, "WORKLOAD VERDICT\na   \u{1b}[31;1mFailed\u{1b}[0m:applied   it is Failed\n");
        assert_eq!(colored_words("Ready Ready", style, 2).matches("\u{1b}[32m").count(), 2);
    }

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
