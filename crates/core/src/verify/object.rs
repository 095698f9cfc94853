//! One object against the API: schema, version, URL and ref.

use super::subject::Subject;
use super::walk::{self, Step};
use crate::finding::Finding;
use crate::flux::crds::Release;
use crate::flux::reference::{Repository, tag_fault};
use crate::flux::revision::is_digest;
use crate::flux::{KUSTOMIZATION, KUSTOMIZE_GROUP, OCI_REPOSITORY, SOURCE_GROUP};
use crate::text::is_deceptive;
use serde_json::Value;

/// Whether it is one of Flux's two kinds.
pub(super) fn is_ours(subject: &Subject<'_>) -> bool {
    matches!((subject.api().0, subject.kind()), (SOURCE_GROUP, OCI_REPOSITORY) | (KUSTOMIZE_GROUP, KUSTOMIZATION))
}

/// Everything that the API server of a release would say about it, and what Flux would say about its ref.
pub(super) fn check(subject: &Subject<'_>, release: Release, findings: &mut Vec<Finding>) {
    if let Some(schema) = release.schema(subject.kind(), subject.api().1) {
        findings.extend(walk::check(schema, subject.object).into_iter().map(|fault| subject.refused(fault)));
    }
    if subject.kind() == OCI_REPOSITORY {
        reference(subject, findings);
    }
    texts(subject, &mut Vec::new(), subject.object, findings);
}

/// Texts with characters that nobody sees, or that show others in another order; line breaks and tabs are fine.
fn texts<'a>(subject: &Subject<'a>, path: &mut Vec<Step<'a>>, value: &'a Value, findings: &mut Vec<Finding>) {
    let say = |path: &[Step<'_>], text: &str, findings: &mut Vec<Finding>| {
        let hidden = text.chars().find(|c| !matches!(c, '\n' | '\t') && is_deceptive(*c));
        if let Some(c) = hidden {
            let message = format!("{} has the invisible character U+{:04X}", walk::shown(path), u32::from(c));
            let mut finding = subject.finding("invisible-character", path, message);
            finding.hint("write the text anew: people would read something else than Flux does");
            findings.push(finding);
        }
    };
    match value {
        Value::String(text) => say(path, text, findings),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                path.push(Step::Index(n));
                texts(subject, path, item, findings);
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                path.push(Step::Key(key));
                say(path, key, findings);
                texts(subject, path, value, findings);
                path.pop();
            }
        }
        _ => {}
    }
}

/// What Flux would say about a source's URL.
pub(super) fn url(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    // What does not begin with oci:// is the schema's.
    let Some(url) = subject.spec().get("url").and_then(Value::as_str).filter(|url| url.starts_with("oci://")) else { return };
    if let Err(problem) = Repository::parse(url) {
        let path = [Step::Key("spec"), Step::Key("url")];
        let mut finding = subject.finding("source-url", &path, problem.to_string());
        finding.hint = problem.hints.into_iter().next();
        findings.push(finding);
    }
}

fn reference(subject: &Subject<'_>, findings: &mut Vec<Finding>) {
    let Some(reference) = subject.spec().get("ref").filter(|reference| reference.is_object()) else { return };
    let text = |name: &str| reference.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let say = |name: &'static str, message: String, hint: &str| {
        let path = [Step::Key("spec"), Step::Key("ref"), Step::Key(name)];
        let mut finding = subject.finding("source-ref", &path, message);
        finding.hint(hint);
        finding
    };
    if let Some(digest) = text("digest").filter(|digest| !is_digest(digest)) {
        findings.push(say("digest", format!("spec.ref.digest '{digest}' is no digest"), "write sha256: and 64 hex digits"));
    }
    if let Some(tag) = text("tag")
        && let Some(why) = tag_fault(tag)
    {
        findings.push(say("tag", format!("spec.ref.tag '{tag}' is no tag: {why}"), "Runway writes the environment's name"));
    }
    let mut ignored = Vec::new();
    let mut given = ["digest", "semver", "tag"].into_iter().filter(|name| text(name).is_some());
    if let Some(first) = given.next() {
        for other in given {
            let message = format!("spec.ref.{other} counts for nothing beside spec.ref.{first}");
            ignored.push(say(other, message, "keep one of them"));
        }
    }
    if text("semverFilter").is_some() && text("semver").is_none() {
        let message = "spec.ref.semverFilter counts for nothing without spec.ref.semver".to_owned();
        ignored.push(say("semverFilter", message, "add a range, such as semver: \">=1.0.0\""));
    }
    for mut finding in ignored {
        finding.warning();
        findings.push(finding);
    }
}
