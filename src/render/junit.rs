//! The rows as a `JUnit` report, as GitLab reads it: a suite for each cluster, a case for each row.

use jiff::Timestamp;
use runway_core::api::status::Cluster;
use runway_core::assess::{Item, State, Verdict};

/// The report. Not Ready is a failure; what could not be asked is an error.
pub(crate) fn junit(clusters: &[Cluster], items: &[&Item], now: Timestamp) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"kubectl-runway status\">\n");
    for cluster in clusters {
        let rows: Vec<&&Item> = items.iter().filter(|item| item.cluster == cluster.name).collect();
        let errors = rows.iter().filter(|item| is_error(item)).count();
        let failures = rows.iter().filter(|item| item.verdict != Verdict::Ready).count() - errors;
        // A cluster that answered, and of which nothing could be judged.
        let silent = cluster.error.as_deref().filter(|_| rows.is_empty());
        let extra = usize::from(silent.is_some());
        out.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{}\" timestamp=\"{}\">\n",
            escaped(&cluster.name),
            rows.len() + extra,
            errors + extra,
            now.strftime("%Y-%m-%dT%H:%M:%S")
        ));
        for item in rows {
            case(&mut out, item);
        }
        if let Some(error) = silent {
            let error = escaped(error);
            out.push_str(&format!(
                "    <testcase name=\"*\" classname=\"{0}\">\n      <error message=\"{error}\"/>\n    </testcase>\n",
                escaped(&cluster.name)
            ));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn is_error(item: &Item) -> bool {
    matches!(item.verdict, Verdict::Unreachable | Verdict::Unknown)
}

fn case(out: &mut String, item: &Item) {
    let class: Vec<&str> =
        [&item.cluster, &item.runtime, &item.environment].into_iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    let head = format!("    <testcase name=\"{}\" classname=\"{}\"", escaped(&item.workload), escaped(&class.join(".")));
    if item.verdict == Verdict::Ready {
        out.push_str(&format!("{head}/>\n"));
        return;
    }
    let kind = if is_error(item) { "error" } else { "failure" };
    let at = item.broken.as_ref().map(|broken| format!(" at {}", broken.link.as_str())).unwrap_or_default();
    let mut text = format!("{}{at}: {}: {}\n", item.verdict.as_str(), item.reason, item.message);
    for step in &item.links {
        let mark = match step.state {
            State::Holds => "holds",
            State::Broken => "broken",
            State::Unknown => "unknown",
        };
        text.push_str(&format!("{:<9} {mark:<7} {}\n", step.link.as_str(), step.evidence));
    }
    for next in item.broken.iter().flat_map(|broken| &broken.next) {
        text.push_str(&format!("next: {next}\n"));
    }
    out.push_str(&format!(
        "{head}>\n      <{kind} type=\"{}\" message=\"{}\">{}</{kind}>\n    </testcase>\n",
        item.verdict.as_str(),
        escaped(&format!("{}: {}", item.reason, item.message)),
        escaped(&text)
    ));
}

/// Text for XML 1.0, which has no way at all to write most control characters: those become visible.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        for c in runway_core::text::visible(line).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&apos;"),
                '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
                c => out.push(c),
            }
        }
        out.push_str(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escaped, junit};
    use runway_core::api::status::Cluster;
    use runway_core::assess::unscoped;
    use runway_core::observed::Gap;

    #[test]
    fn xml_holds_whatever_a_cluster_says() {
        assert_eq!(escaped("a<b>&\"c'\u{1b}[2J\u{0}\nd"), "a&lt;b&gt;&amp;&quot;c&apos;\\u{1b}[2J\\u{0}\nd");
    }

    #[test]
    fn a_silent_cluster_is_an_error() {
        let gap = Gap { reason: "TimedOut".to_owned(), message: "<none>".to_owned() };
        let items = unscoped("a", &gap, &[]);
        let cluster = |name: &str| Cluster { name: name.to_owned(), reachable: false, error: Some("<none>".to_owned()) };
        let text = junit(&[cluster("a"), cluster("b")], &items.iter().collect::<Vec<_>>(), jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(text.matches("tests=\"1\" failures=\"0\" errors=\"1\"").count(), 2, "{text}");
        assert!(text.contains("message=\"TimedOut: &lt;none&gt;\"") && text.contains("1970-01-01T00:00:00\""), "{text}");
    }
}
