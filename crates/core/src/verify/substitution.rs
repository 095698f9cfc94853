//! `${variable}` in the objects of a workload: what Flux replaces, what it leaves, and what makes a build fail.
//!
//! A workload's own `postBuild` works on what kustomize made of its artifact, with its `patches`, `images` and the like laid
//! over; the other fields of the Kustomization, and its source, are touched only by a parent that has a `postBuild`.
//! From Flux 2.9 on an undefined variable without a default fails the build (`StrictPostBuildSubstitutions`).

use super::subject::Subject;
use super::walk::{Step, shown};
use crate::finding::Finding;
use crate::flux::KUSTOMIZATION;
use crate::flux::crds::Release;
use crate::flux::variables::{Broken, Variable, is_name, variables};
use serde_json::Value;

/// Fields of a Kustomization whose texts end up in what its own `postBuild` works on.
const BUILT: &[&str] = &["patches", "images", "commonMetadata", "targetNamespace", "namePrefix", "nameSuffix"];

/// Checks the texts of an object.
pub(super) fn check(subject: &Subject<'_>, release: Release, findings: &mut Vec<Finding>) {
    let spec = subject.spec();
    let post_build = if subject.kind() == KUSTOMIZATION { spec.get("postBuild") } else { None };
    names(subject, post_build, findings);
    let Some(fields) = spec.as_object() else { return };
    for (field, value) in fields {
        let is_built = subject.kind() == KUSTOMIZATION && BUILT.contains(&field.as_str());
        let mut path = vec![Step::Key("spec"), Step::Key(field)];
        texts(value, &mut path, &mut |path, text| match (variables(text), post_build.filter(|_| is_built)) {
            (Ok(all), Some(post_build)) => {
                findings.extend(all.iter().filter_map(|one| undefined(subject, path, one, post_build, release)));
            }
            (Ok(all), None) => findings.extend(all.iter().map(|one| untouched(subject, path, one, is_built))),
            (Err(fault), Some(_)) => findings.push(broken(subject, path, fault)),
            (Err(_), None) => {}
        });
    }
}

/// Names that Flux refuses (`varsub` in `fluxcd/pkg` kustomize).
fn names(subject: &Subject<'_>, post_build: Option<&Value>, findings: &mut Vec<Finding>) {
    let substitute = post_build.and_then(|post_build| post_build.get("substitute")).and_then(Value::as_object);
    for (name, _) in substitute.into_iter().flatten() {
        if !is_name(name) {
            let path = [Step::Key("spec"), Step::Key("postBuild"), Step::Key("substitute"), Step::Key(name)];
            let mut finding = subject.finding("variable-name", &path, format!("'{name}' cannot be a variable's name"));
            finding.hint("letters, digits and '_', not beginning with a digit");
            findings.push(finding);
        }
    }
}

fn undefined(
    subject: &Subject<'_>,
    path: &[Step<'_>],
    variable: &Variable<'_>,
    post_build: &Value,
    release: Release,
) -> Option<Finding> {
    let defined = post_build.get("substitute").and_then(|map| map.get(variable.name)).is_some();
    // What a ConfigMap or Secret defines cannot be seen from here.
    let elsewhere = post_build.get("substituteFrom").and_then(Value::as_array).is_some_and(|from| !from.is_empty());
    if defined || elsewhere || variable.has_default {
        return None;
    }
    let strict = release.substitutes_strictly();
    let effect = if strict { "fails the build" } else { "becomes nothing" };
    let message =
        format!("{}: ${{{}}} is not in postBuild.substitute, and {effect} with Flux {release}", shown(path), variable.name);
    let mut finding = subject.finding("undefined-variable", path, message);
    finding.hint(format!("define it, or give a default: ${{{}:=value}}", variable.name));
    if !strict {
        finding.warning();
    }
    Some(finding)
}

fn broken(subject: &Subject<'_>, path: &[Step<'_>], fault: Broken<'_>) -> Finding {
    let message = format!("{}: Flux cannot read {}: {}", shown(path), fault.expression(), fault.why);
    let mut finding = subject.finding("broken-variable", path, message);
    finding.hint("write $${ where the text itself is meant");
    finding
}

fn untouched(subject: &Subject<'_>, path: &[Step<'_>], variable: &Variable<'_>, is_built: bool) -> Finding {
    let why = if is_built { "the workload has no postBuild" } else { "a workload's postBuild does not reach its own fields" };
    let message = format!("{}: ${{{}}} is not replaced: {why}", shown(path), variable.name);
    let mut finding = subject.finding("substitution", path, message);
    finding.warning().hint(format!("write $${{{}}} when the text itself is meant", variable.name));
    finding
}

/// Every text below a value, with its path.
fn texts<'a>(value: &'a Value, path: &mut Vec<Step<'a>>, found: &mut impl FnMut(&[Step<'_>], &str)) {
    match value {
        Value::String(text) if text.contains("${") => found(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                texts(item, path, found);
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                path.push(Step::Key(key));
                texts(item, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}
