//! Lines of something that goes on.

use runway_core::actions::Patch;
use runway_core::api::reconcile as api;
use runway_core::assess::wait::Trouble;
use runway_core::assess::{Item, Verdict};
use runway_core::flux::revision::short;
use runway_core::problem::Problem;
use runway_core::text::{head, visible};
use runway_core::yaml::emit;
use std::time::Duration;
use unicode_width::UnicodeWidthChar as _;

/// Characters of a message in one line.
const MESSAGE: usize = 240;

/// How long something takes by now: `42s`, `12m5s`.
pub(crate) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, 0) => format!("{}ms", time.as_millis()),
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// A row that changed, as one line.
pub(crate) fn line(item: &Item, now: Duration, several: bool) -> String {
    let on = if several { format!(" on {}", visible(&item.cluster)) } else { String::new() };
    format!("{:>6} {}{on} {}", elapsed(now), visible(&item.workload), state(item))
}

/// A row that was not there when somebody ended the wait.
pub(crate) fn open(item: &Item, several: bool) -> String {
    let on = if several { format!(" on {}", visible(&item.cluster)) } else { String::new() };
    format!("  {}{on}: {}", visible(&item.workload), state(item))
}

fn state(item: &Item) -> String {
    let applied = item.kustomization.as_ref().and_then(|it| it.applied_digest.as_deref()).map_or("nothing", short);
    match &item.broken {
        _ if item.verdict == Verdict::Ready => format!("Ready with {applied}"),
        Some(broken) => {
            let message = visible(head(&item.message, MESSAGE)).into_owned();
            format!("{} at {}, {}: {message}", item.verdict.as_str(), broken.link.as_str(), visible(&broken.reason))
        }
        None => format!("{}: {}", item.verdict.as_str(), visible(head(&item.message, MESSAGE))),
    }
}

/// The one line that a terminal shows while a wait goes on.
pub(crate) fn live(now: Duration, arrived: usize, total: usize, busy: Option<&Item>) -> String {
    let busy = busy.map(|item| format!("; {} {}", visible(&item.workload), state(item))).unwrap_or_default();
    format!("{:>6} {arrived} of {total} there{busy}", elapsed(now))
}

/// A row that did not arrive.
pub(crate) fn trouble(what: &str, trouble: &Trouble) -> String {
    let who = match (trouble.workload.as_str(), trouble.cluster.as_str()) {
        ("", "") => "what is published".to_owned(),
        ("", cluster) => cluster.to_owned(),
        (workload, cluster) => format!("{workload} on {cluster}"),
    };
    format!("{who} {what}: {}: {}", trouble.verdict, head(&trouble.words, 4 * MESSAGE))
}

/// Pairs that Flux was asked to look at, a line each.
pub(crate) fn reconciled(items: &[api::Item]) -> String {
    let line = |item: &api::Item| {
        let (name, cluster) = (visible(&item.workload), visible(&item.cluster));
        if let Some(error) = &item.error {
            return format!("{name} on {cluster}: not asked: {}\n", visible(error));
        }
        if !item.handled {
            return format!("{name} on {cluster}: not handled\n");
        }
        let source = item.revision.as_deref().map_or("nothing", short);
        let applied = item.applied_digest.as_deref().map_or("nothing", short);
        let (source_ready, ready) = (&item.source_ready, &item.ready);
        format!("{name} on {cluster}: handled; source {source} Ready={source_ready}, applied {applied} Ready={ready}\n")
    };
    items.iter().map(line).collect()
}

/// Patches that would be sent, as YAML documents.
pub(crate) fn patches(patches: &[(String, Patch)]) -> Result<String, Problem> {
    let mut text = String::new();
    for (cluster, patch) in patches {
        let (kind, namespace, name) = (visible(&patch.kind), visible(&patch.namespace), visible(&patch.name));
        text.push_str(&format!("# {kind} {namespace}/{name} on {}, merge patch\n", visible(cluster)));
        text.push_str(&emit::document(&patch.merge)?);
        text.push_str("---\n");
    }
    Ok(text.strip_suffix("---\n").unwrap_or_default().to_owned())
}

/// The start of a line that fits the terminal: a block that is drawn over must not wrap. Our own colours take no room.
pub(crate) fn fit(line: &str, width: usize) -> String {
    let mut out = String::with_capacity(line.len());
    let (mut used, mut in_escape, mut colored) = (0, false, false);
    for c in line.chars() {
        if in_escape || c == '\u{1b}' {
            (in_escape, colored) = (c != 'm', true);
            out.push(c);
            continue;
        }
        used += c.width().unwrap_or(0);
        if used > width {
            if colored {
                out.push_str("\u{1b}[0m");
            }
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{elapsed, fit};
    use std::time::Duration;

    #[test]
    fn times() {
        let text = |millis| elapsed(Duration::from_millis(millis));
        assert_eq!([text(7), text(1_999), text(60_000), text(725_000)], ["7ms", "1s", "1m", "12m5s"]);
    }

    #[test]
    fn lines_fit_whatever_their_colour() {
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("日本語", 5), "日本");
        assert_eq!(fit("a\u{1b}[32mReady\u{1b}[0m b", 3), "a\u{1b}[32mRe\u{1b}[0m");
        assert_eq!(fit("\u{1b}[32mok\u{1b}[0m", 2), "\u{1b}[32mok\u{1b}[0m");
    }
}
