//! The link `installed`: the two objects exist, are not being deleted, belong to the parent, and equal what is published.

use super::chain::{Context, Row};
use super::expected::Published;
use super::item::{ItemKind, Step};
use super::parent::{self, ParentState};
use super::words::Link;
use crate::diff::fields::shown;
use crate::diff::{Difference, differences, managers};
use crate::flux::kept::Kept;
use crate::flux::object::{Meta, Object, Status};
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use serde_json::Value;

/// Reason of a link that is broken by a deletion.
pub(super) const TERMINATING: &str = "Terminating";
/// Reason of a link that is broken because an object is absent.
pub(super) const ABSENT: &str = "ObjectAbsent";
/// Reasons of a link that is broken because an object is somebody else's, or differs.
pub(super) const DRIFT: [&str; 3] = ["ForeignOwner", "NotOwned", "FieldsDiffer"];

/// Judges the link.
pub(super) fn judge(context: &Context<'_>, row: &Row<'_>, parent: Option<&ParentState>) -> Step {
    let link = Link::Installed;
    if let Some(step) = deleting(row) {
        return step;
    }
    let namespace = &context.expected.namespace;
    // A kind that could not be read is not absent.
    let source = context.objects.sources.is_ok() && row.source.is_none();
    let kustomization = context.objects.kustomizations.is_ok() && row.kustomization.is_none();
    let absent: Vec<&str> = [(OCI_REPOSITORY, source), (KUSTOMIZATION, kustomization)]
        .into_iter()
        .filter_map(|(kind, absent)| absent.then_some(kind))
        .collect();
    if !absent.is_empty() {
        let verb = if absent.len() == 1 { "is" } else { "are" };
        return Step::broken(link, ABSENT, format!("{} {namespace}/{} {verb} absent", absent.join(" and "), row.name));
    }
    if let Some(step) = parent.filter(|parent| parent.present).and_then(|parent| owner(context, row, parent)) {
        return step;
    }
    let found = drift(context, row);
    if !found.is_empty() {
        return Step::broken(link, "FieldsDiffer", found.join("; "));
    }
    if let Some(gap) = context.gaps().next() {
        return Step::unknown(link, gap.message.clone());
    }
    match row.entry {
        Some(_) => Step::holds(link, format!("both objects are what is {}", wanted_word(context))),
        None => Step::holds(link, "both objects exist"),
    }
}

/// Where what the objects should be was read.
fn wanted_word(context: &Context<'_>) -> &'static str {
    if matches!(context.expected.published, Published::Unknown(_)) { "declared" } else { "published" }
}

fn deleting(row: &Row<'_>) -> Option<Step> {
    let source = row.source.map(|object| (OCI_REPOSITORY, &object.metadata, object.foreign_finalizers()));
    let kustomization = row.kustomization.map(|object| (KUSTOMIZATION, &object.metadata, object.foreign_finalizers()));
    let (kind, meta, foreign) =
        [source, kustomization].into_iter().flatten().find(|(_, meta, _)| meta.deletion_timestamp.is_some())?;
    let waits = match (foreign.is_empty(), meta.finalizers.is_empty()) {
        (false, _) => format!("it waits for {}", foreign.join(", ")),
        (true, false) => "it waits for Flux to clean up".to_owned(),
        (true, true) => "nothing holds it".to_owned(),
    };
    Some(
        Step::broken(Link::Installed, TERMINATING, format!("the {kind} is being deleted; {waits}"))
            .since(meta.deletion_timestamp.as_ref()),
    )
}

/// The owner comes before fields: an object that another parent applies has that parent's fields.
fn owner(context: &Context<'_>, row: &Row<'_>, parent: &ParentState) -> Option<Step> {
    let wanted = (parent.name.as_str(), context.expected.namespace.as_str());
    let owners = [
        row.source.map(|object| (OCI_REPOSITORY, object.owner())),
        row.kustomization.map(|object| (KUSTOMIZATION, object.owner())),
    ];
    let (kind, found) = owners.into_iter().flatten().find(|(_, owner)| *owner != Some(wanted))?;
    Some(match found {
        Some((name, namespace)) => {
            let who = if namespace == wanted.1 { name.to_owned() } else { format!("{namespace}/{name}") };
            Step::broken(Link::Installed, "ForeignOwner", format!("the {kind} is owned by {who}, not by {}", parent.name))
        }
        None => Step::broken(
            Link::Installed,
            "NotOwned",
            format!("the {kind} was not applied by {}: it has no owner labels", parent.name),
        ),
    })
}

fn drift(context: &Context<'_>, row: &Row<'_>) -> Vec<String> {
    if row.kind == ItemKind::Parent {
        let environment = &context.expected.environment;
        let other = parent::other_tag(context, row);
        return other.map(|tag| format!("{OCI_REPOSITORY} spec.ref.tag is {tag}, not {environment}")).into_iter().collect();
    }
    let Some(entry) = row.entry else { return Vec::new() };
    let word = wanted_word(context);
    let mut found = Vec::new();
    if let (Some(published), Some(live)) = (&entry.source, row.source) {
        compare(word, OCI_REPOSITORY, published, live, &mut found);
    }
    if let (Some(published), Some(live)) = (&entry.kustomization, row.kustomization) {
        compare(word, KUSTOMIZATION, published, live, &mut found);
    }
    found
}

fn compare<S: Status>(word: &str, kind: &str, published: &Kept, live: &Object<S>, found: &mut Vec<String>) {
    let meta = &live.metadata;
    let wanted = published.value();
    let namespace = wanted.pointer("/metadata/namespace").and_then(Value::as_str);
    if let Some(namespace) = namespace.filter(|namespace| *namespace != meta.namespace) {
        // Another object of the same name: its fields say nothing.
        found.push(format!("{kind} metadata.namespace is {}, {word} {namespace}", meta.namespace));
        return;
    }
    let text = |field: &str, key: &str| {
        if field == "labels" { meta.labels.get(key) } else { meta.annotations.get(key) }.map(str::to_owned)
    };
    for difference in differences(kind, &wanted, &live.spec.value(), &text) {
        found.push(describe(word, kind, meta, &difference));
    }
}

fn describe(word: &str, kind: &str, meta: &Meta, difference: &Difference) -> String {
    let managers = managers::of_field(meta, &difference.parts);
    let by = managers.first().map(|manager| format!(", by {manager}")).unwrap_or_default();
    let (live, published) = (shown(difference.live.as_ref()), shown(difference.published.as_ref()));
    format!("{kind} {} is {live}, {word} {published}{by}", difference.path)
}
