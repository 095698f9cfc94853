//! Findings for machines that are not ours: `JUnit`, GitLab's code quality, GitHub's workflow commands, SARIF.

use runway_core::finding::{Finding, Severity};
use runway_core::text::visible;
use runway_core::verify::rules::{self, RULES};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// `JUnit`, a test case per workload, and one per finding that is about none. Errors are failures; warnings are shown, and fail
/// nothing. GitLab takes cases of one class and name for one test, so the class has the environment.
pub(crate) fn junit(suite: &str, scope: &[&str], findings: &[Finding], workloads: &[String]) -> String {
    let mut cases: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    let known: BTreeSet<&str> = workloads.iter().map(String::as_str).collect();
    for id in &known {
        cases.insert(("workload", id), Vec::new());
    }
    for finding in findings {
        match finding.workload.as_deref() {
            Some(id) => cases.entry(("workload", id)).or_default().push(finding),
            None => cases.entry(("inventory", finding.code)).or_default().push(finding),
        }
    }
    let failed = |found: &[&Finding]| found.iter().any(|finding| finding.severity == Severity::Error);
    let failures = cases.values().filter(|found| failed(found)).count();
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\"", cases.len());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let suite = xml(suite);
    out.push_str(&format!("<testsuites name=\"{suite}\" {counts}>\n  <testsuite name=\"{suite}\" {counts}>\n"));
    for ((class, name), found) in &cases {
        let class = std::iter::once(class).chain(scope).copied().collect::<Vec<_>>().join(".");
        out.push_str(&case(&class, name, found));
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(class: &str, name: &str, found: &[&Finding]) -> String {
    let file = found.first().map(|finding| format!(" file=\"{}\"", xml(&finding.place.file))).unwrap_or_default();
    let head = format!("    <testcase classname=\"{}\" name=\"{}\"{file}", xml(class), xml(name));
    if found.is_empty() {
        return head + "/>\n";
    }
    let mut out = head + ">\n";
    // Readers show the first failure of a case only, so all errors stand in one.
    let of = |severity| found.iter().copied().filter(move |finding: &&Finding| finding.severity == severity);
    let errors: Vec<&Finding> = of(Severity::Error).collect();
    if let Some(first) = errors.first() {
        let lines: Vec<String> = errors.iter().map(|finding| line(finding)).collect();
        let message = xml(&first.message);
        out.push_str(&format!(
            "      <failure type=\"{}\" message=\"{message}\">{}</failure>\n",
            first.code,
            xml(&lines.join("\n"))
        ));
    }
    let warnings: Vec<String> = of(Severity::Warning).map(line).collect();
    if !warnings.is_empty() {
        out.push_str(&format!("      <system-out>{}</system-out>\n", xml(&warnings.join("\n"))));
    }
    out + "    </testcase>\n"
}

fn line(finding: &Finding) -> String {
    let hint = finding.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}: {} [{}] {}{hint}", finding.place, finding.severity.as_str(), finding.code, finding.message)
}

/// Text for XML; characters that XML 1.0 cannot hold are written out as in tables, line breaks stay.
fn xml(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| visible(line).into_owned()).collect();
    let mut out = String::with_capacity(text.len());
    for c in lines.join("\n").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// GitLab's code quality report, a subset of Code Climate's.
pub(crate) fn code_quality(findings: &[Finding]) -> Value {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let items = findings.iter().map(|finding| {
        // GitLab compares branches by the fingerprint: a line number in it would make every finding below an edit a new one.
        let stem =
            [finding.code, &finding.place.file, finding.workload.as_deref().unwrap_or_default(), &finding.message].join("\n");
        let nth = seen.entry(stem.clone()).and_modify(|nth| *nth += 1).or_insert(0);
        json!({
            "description": described(finding),
            "check_name": finding.code,
            "fingerprint": runway_core::artifact::Digest::of(format!("{stem}\n{nth}").as_bytes()).hex(),
            "severity": match finding.severity { Severity::Error => "major", Severity::Warning => "minor" },
            "location": { "path": finding.place.file, "lines": { "begin": finding.place.line.unwrap_or(1) } },
        })
    });
    Value::Array(items.collect())
}

fn described(finding: &Finding) -> String {
    match &finding.hint {
        Some(hint) => format!("{} ({hint})", finding.message),
        None => finding.message.clone(),
    }
}

/// GitHub's workflow commands, a line per finding.
pub(crate) fn github(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let mut properties = format!("file={}", property(&finding.place.file));
        for (name, value) in [("line", finding.place.line), ("col", finding.place.column)] {
            if let Some(value) = value {
                properties.push_str(&format!(",{name}={value}"));
            }
        }
        let level = finding.severity.as_str();
        out.push_str(&format!("::{level} {properties},title={}::{}\n", property(finding.code), data(&described(finding))));
    }
    out
}

/// A command's message: what would end it is escaped as GitHub's toolkit does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// SARIF 2.1.0: one run, with the rules that have results.
pub(crate) fn sarif(findings: &[Finding]) -> Value {
    let used: BTreeSet<&str> = findings.iter().map(|finding| finding.code).collect();
    let rules: Vec<Value> = RULES
        .iter()
        .filter(|rule| used.contains(rule.code))
        .map(|rule| {
            json!({
                "id": rule.code,
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.help },
                "defaultConfiguration": { "level": rule.severity.as_str() },
            })
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "kubectl-runway", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&finding.place.file) } });
    if let (Some(line), Value::Object(physical)) = (finding.place.line, &mut physical) {
        let region = match finding.place.column {
            Some(column) => json!({ "startLine": line, "startColumn": column }),
            None => json!({ "startLine": line }),
        };
        physical.insert("region".to_owned(), region);
    }
    let mut location = json!({ "physicalLocation": physical });
    if let (Some(workload), Value::Object(location)) = (&finding.workload, &mut location) {
        location.insert("logicalLocations".to_owned(), json!([{ "name": workload, "kind": "resource" }]));
    }
    let title = rules::of(finding.code).map_or(finding.code, |rule| rule.title);
    json!({
        "ruleId": finding.code,
        "level": finding.severity.as_str(),
        "message": { "text": format!("{title}: {}", described(finding)) },
        "locations": [location],
    })
}

/// A relative reference: what a path may hold and a URI may not is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{code_quality, github, junit, sarif};
    use runway_core::finding::Finding;
    use runway_core::problem::Place;

    fn findings() -> Vec<Finding> {
        let mut first = Finding::error("invalid-id", Place::at("a,b.yml", 2, 5), "'<x>' & \u{1b}[31m is bad\nreally");
        first.of("w1").hint("100% quote it");
        let mut second = Finding::error("unknown-key", Place::at("a,b.yml", 3, 1), "unknown key 'y'");
        second.of("w1").warning();
        let third = Finding::error("empty-inventory", Place::file("a,b.yml"), "nothing");
        vec![first, second.clone(), second, third]
    }

    #[test]
    fn junit_has_a_case_per_workload() {
        let text = junit("inventory verify", &[], &findings(), &["w1".to_owned(), "w2".to_owned()]);
        assert!(text.contains("tests=\"3\" failures=\"2\""), "{text}");
        assert!(text.contains("<testcase classname=\"workload\" name=\"w2\"/>"), "{text}");
        assert!(text.contains("'&lt;x&gt;' &amp; \\u{1b}[31m is bad") && !text.contains('\u{1b}'), "{text}");
        let scoped = junit("inventory verify", &["gke", "production"], &findings(), &["w2".to_owned()]);
        assert!(scoped.contains("<testcase classname=\"workload.gke.production\" name=\"w2\"/>"), "{scoped}");
        assert!(text.contains("<system-out>a,b.yml:3:1: warning [unknown-key]"), "{text}");
    }

    #[test]
    fn code_quality_fingerprints_are_unique_and_without_lines() {
        let report = code_quality(&findings());
        let prints: Vec<&str> = report.as_array().unwrap().iter().map(|item| item["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(prints.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        let mut moved = findings();
        for finding in &mut moved {
            finding.place.line = Some(99);
        }
        assert_eq!(code_quality(&moved)[0]["fingerprint"], report[0]["fingerprint"]);
        assert_eq!(report[3]["location"]["lines"]["begin"], 1);
    }

    #[test]
    fn github_escapes_what_would_end_a_command() {
        let text = github(&findings());
        assert_eq!(text.lines().count(), 4);
        assert!(text.starts_with("::error file=a%2Cb.yml,line=2,col=5,title=invalid-id::'<x>' &"), "{text}");
        assert!(text.contains("%0Areally (100%25 quote it)"), "{text}");
        assert!(text.contains("::error file=a%2Cb.yml,title=empty-inventory::nothing"), "{text}");
    }

    #[test]
    fn sarif_names_only_rules_with_results() {
        let report = sarif(&findings());
        assert_eq!(report["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), 3);
        assert_eq!(report["runs"][0]["results"][1]["level"], "warning");
        assert_eq!(report["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%2Cb.yml");
    }
}
