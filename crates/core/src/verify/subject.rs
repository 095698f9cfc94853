//! An object that is checked, and the way from a field of it back to the line that wrote it.

use super::walk::{Fault, Step, shown};
use crate::finding::Finding;
use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};
use crate::problem::Place;
use crate::settings::{Origin, Settings};
use crate::workloads::{Overrides, Workload};
use crate::yaml::value::misread;
use crate::yaml::{Kind, Node};
use serde_json::Value;

/// An object with its origin.
pub(super) struct Subject<'a> {
    pub(super) object: &'a Value,
    /// The workload's name; empty when it has none.
    pub(super) workload: &'a str,
    pub(super) origin: From<'a>,
}

/// Where an object comes from.
pub(super) enum From<'a> {
    /// Generated from an entry of workloads.yml.
    Entry(&'a Entry<'a>),
    /// Read from a manifest.
    Manifest { file: &'a str, node: &'a Node },
}

/// An entry and the layers that are laid over its objects, in their order.
pub(super) struct Entry<'a> {
    pub(super) file: &'a str,
    pub(super) workload: &'a Workload,
    pub(super) layers: Vec<&'a Overrides>,
    pub(super) settings: &'a Settings,
}

/// A place that a finding points to.
pub(super) struct Spot {
    pub(super) place: Place,
    pub(super) span: (usize, usize),
    /// The raw text, when a plain scalar stands there.
    raw: Option<String>,
    /// It holds for other workloads too: the file's defaults, or a setting.
    shared: bool,
    /// The setting that wrote it.
    setting: Option<String>,
}

impl<'a> Subject<'a> {
    pub(super) fn kind(&self) -> &'a str {
        self.object.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn spec(&self) -> &'a Value {
        self.object.get("spec").unwrap_or(&Value::Null)
    }

    /// Group and version.
    pub(super) fn api(&self) -> (&'a str, &'a str) {
        let api = self.object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        api.split_once('/').unwrap_or(("", api))
    }

    /// A finding of severity error about a field.
    pub(super) fn finding(&self, code: &'static str, path: &[Step<'_>], message: String) -> Finding {
        self.at(code, self.locate(path, false), message)
    }

    fn at(&self, code: &'static str, spot: Spot, mut message: String) -> Finding {
        if let Some(setting) = spot.setting {
            message.push_str(&format!(" (setting {setting})"));
        }
        let mut finding = Finding::error(code, spot.place, message);
        finding.span = spot.span;
        if !spot.shared {
            finding.of(self.workload);
        }
        finding
    }

    /// The finding of a fault that the schema's walker found.
    pub(super) fn refused(&self, fault: Fault<'_>) -> Finding {
        let spot = self.locate(&fault.path, fault.at_key);
        if fault.wants_text
            && let Some(raw) = &spot.raw
            && let Some(read_as) = misread(raw)
        {
            let message = format!("'{raw}' is read as {read_as}, and {} is a text", shown(&fault.path));
            let hint = format!("quote it: \"{raw}\"");
            let mut finding = self.at("ambiguous-scalar", spot, message);
            finding.hint(hint);
            return finding;
        }
        let mut finding = self.at(fault.code, spot, format!("{}: {}", self.kind(), fault.message));
        finding.hint = fault.hint;
        finding
    }

    /// The place of the override, the setting, the manifest's field, or else the workload's id.
    pub(super) fn locate(&self, path: &[Step<'_>], at_key: bool) -> Spot {
        match &self.origin {
            From::Manifest { file, node } => spot_of(file, &descend(node, path), at_key),
            From::Entry(entry) => entry.locate(self.kind(), path, at_key),
        }
    }
}

impl<'a> Entry<'a> {
    /// An object that the entry becomes.
    pub(super) fn subject(&'a self, object: &'a Value) -> Subject<'a> {
        Subject { object, workload: &self.workload.id, origin: From::Entry(self) }
    }

    fn locate(&self, kind: &str, path: &[Step<'_>], at_key: bool) -> Spot {
        if let [Step::Key("spec"), below @ ..] = path
            && let Some(Step::Key(field)) = below.first()
        {
            for (index, layer) in self.layers.iter().enumerate().rev() {
                let is_source = kind == OCI_REPOSITORY;
                let fields = if is_source { &layer.source } else { &layer.kustomization };
                let Some(written) = layer.written.as_deref().filter(|_| fields.contains_key(*field)) else { continue };
                let written = if is_source { written.get("source").unwrap_or(written) } else { written };
                let mut spot = spot_of(self.file, &descend(written, below), at_key);
                spot.shared = index == 0;
                return spot;
            }
        }
        match setting_of(kind, path) {
            Some(keys) => self.setting(keys),
            None => self.id(),
        }
    }

    /// The place of the workload's id.
    pub(super) fn id(&self) -> Spot {
        Spot { place: self.workload.place(), span: self.workload.span, raw: None, shared: false, setting: None }
    }

    /// The place of the first setting that somebody set; the built-in ones have the whole file.
    fn setting(&self, keys: &[&'static str]) -> Spot {
        let settings = self.settings;
        let key = keys.iter().find(|key| *settings.origin(key) != Origin::Default).or(keys.first()).copied().unwrap_or_default();
        setting_spot(settings, key, self.file)
    }
}

/// The place of a setting.
pub(super) fn setting_spot(settings: &Settings, key: &'static str, file: &str) -> Spot {
    let origin = settings.origin(key);
    let place = if let Origin::File(place) = origin { place.clone() } else { Place::file(file) };
    let setting = Some(format!(
        "{key}, {}",
        if matches!(origin, Origin::File(_)) { "from the file".to_owned() } else { origin.to_string() }
    ));
    Spot { place, span: (0, 0), raw: None, shared: true, setting }
}

/// A finding about a setting.
pub(super) fn setting_finding(code: &'static str, settings: &Settings, key: &'static str, file: &str, message: &str) -> Finding {
    let spot = setting_spot(settings, key, file);
    Finding::error(code, spot.place, format!("{message} (setting {})", spot.setting.unwrap_or_default()))
}

/// The settings that write a field of a generated object.
fn setting_of(kind: &str, path: &[Step<'_>]) -> Option<&'static [&'static str]> {
    let field = match path {
        [Step::Key("metadata"), Step::Key("namespace"), ..] => return Some(&["namespace"]),
        [Step::Key("apiVersion")] if kind == OCI_REPOSITORY => return Some(&["source.apiVersion"]),
        [Step::Key("spec"), Step::Key(field), ..] => *field,
        _ => return None,
    };
    match (kind, field) {
        (OCI_REPOSITORY, "url") => Some(&["artifacts.deploy", "registry.base"]),
        (OCI_REPOSITORY, "interval") => Some(&["source.interval"]),
        (OCI_REPOSITORY, "secretRef") => Some(&["source.secretRef"]),
        (OCI_REPOSITORY, "certSecretRef") => Some(&["source.certSecretRef"]),
        (OCI_REPOSITORY, "insecure") => Some(&["source.insecure"]),
        (KUSTOMIZATION, "interval") => Some(&["kustomization.interval"]),
        _ => None,
    }
}

/// The deepest node on a path, and the key that leads to it.
struct Found<'n> {
    key: Option<&'n Node>,
    value: &'n Node,
    /// The whole path was there.
    whole: bool,
}

fn descend<'n>(root: &'n Node, path: &[Step<'_>]) -> Found<'n> {
    let mut found = Found { key: None, value: root, whole: true };
    for step in path {
        let next = match step {
            Step::Key(name) => found.value.entry(name).map(|(key, value)| (Some(key), value)),
            Step::Index(index) => found.value.items().get(*index).map(|value| (None, value)),
        };
        let Some((key, value)) = next else {
            found.whole = false;
            break;
        };
        found = Found { key: key.or(found.key), value, whole: true };
    }
    found
}

fn spot_of(file: &str, found: &Found<'_>, at_key: bool) -> Spot {
    // Of a field that is missing the key of what should hold it is shown, not all that it holds.
    let is_scalar = matches!(found.value.kind, Kind::Scalar { .. });
    let node = match found.key {
        Some(key) if at_key || !found.whole || !is_scalar => key,
        _ => found.value,
    };
    let raw = match &found.value.kind {
        Kind::Scalar { text, plain: true } if found.whole => Some(text.clone()),
        _ => None,
    };
    Spot { place: Place::at(file, node.line, node.column), span: node.span, raw, shared: false, setting: None }
}
