//! The values of an entry's keys.

use super::keys::{KUSTOMIZATION_KEYS, SOURCE_KEYS};
use super::model::{Name, Overrides};
use super::parse::Reader;
use crate::suggest;
use crate::yaml::value::{Plain, plain_type, to_json, unusual};
use crate::yaml::{Kind, Node};
use std::collections::HashSet;

impl Reader<'_> {
    /// A whole number above 0.
    pub(super) fn positive(&mut self, key: &str, node: &Node, id: &str) {
        let found = match &node.kind {
            Kind::Scalar { text, plain: true } => match plain_type(text) {
                Plain::Number(n) if n.as_u64().is_some_and(|n| n > 0) => return self.written_unusually(key, node, id),
                Plain::Number(_) => text,
                _ => node.describe(),
            },
            _ => node.describe(),
        };
        self.error("schema", node, format!("{key} is a whole number above 0, found {found}")).of(id);
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str, node: &Node, id: &str) {
        let ok = matches!(&node.kind, Kind::Scalar { text, plain: true } if matches!(plain_type(text), Plain::Bool(_)));
        if ok {
            self.written_unusually(key, node, id);
        } else {
            self.error("schema", node, format!("{key} is true or false, found {}", node.describe())).of(id);
        }
    }

    /// A number or a boolean that readers disagree about.
    fn written_unusually(&mut self, what: &str, node: &Node, id: &str) {
        let Kind::Scalar { text, plain: true } = &node.kind else { return };
        if let Some(read_as) = unusual(text) {
            self.error("ambiguous-scalar", node, format!("'{text}' in {what} is read as {read_as}"))
                .of(id)
                .hint(format!("write {read_as}; when a text is meant, quote it: \"{text}\""));
        }
    }

    /// The same in all values below a key.
    fn all_written_unusually(&mut self, what: &str, node: &Node, id: &str) {
        match &node.kind {
            Kind::Scalar { .. } => self.written_unusually(what, node, id),
            Kind::List(items) => items.iter().for_each(|item| self.all_written_unusually(what, item, id)),
            Kind::Map(pairs) => {
                for (key, value) in pairs {
                    let what = format!("{what}.{}", key.text().unwrap_or_default());
                    self.all_written_unusually(&what, value, id);
                }
            }
        }
    }

    /// A list of texts, each once.
    pub(super) fn names(&mut self, key: &str, node: &Node, id: &str) -> Vec<Name> {
        if !matches!(node.kind, Kind::List(_)) {
            self.error("schema", node, format!("{key} is a list of texts, found {}", node.describe())).of(id);
            return Vec::new();
        }
        let mut names = Vec::with_capacity(node.items().len());
        let mut seen = HashSet::new();
        for item in node.items() {
            let Some(name) = self.text(key, item, id) else { continue };
            if seen.insert(item.text()) {
                names.push(name);
            } else {
                self.error("duplicate-item", item, format!("{key} lists '{}' twice", name.text)).warning().of(id);
            }
        }
        names
    }

    /// A list of names, or a mapping of names to overrides.
    pub(super) fn environments(&mut self, node: &Node, id: &str) -> Option<Vec<(Name, Overrides)>> {
        let list: Vec<(Name, Overrides)> = match &node.kind {
            Kind::List(_) => self.names("environments", node, id).into_iter().map(|name| (name, Overrides::default())).collect(),
            Kind::Map(pairs) => {
                let mut list = Vec::new();
                for (key, value) in pairs {
                    let Some(name) = self.text("environments", key, id) else { continue };
                    // `production:` with nothing below is a name like one in a list.
                    let overrides =
                        if value.is_null() { Overrides::default() } else { self.with_flux(value, "an environment", id) };
                    list.push((name, overrides));
                }
                list
            }
            Kind::Scalar { .. } => {
                let message = format!("environments is a list of names or a mapping, found {}", node.describe());
                self.error("schema", node, message).of(id);
                return None;
            }
        };
        if list.is_empty() {
            self.error("no-environment", node, "the list of environments is empty: the workload is in none")
                .warning()
                .of(id)
                .hint("leave 'environments' out for all of them, or remove the entry");
        }
        Some(list)
    }

    /// The fields that are laid over the two objects.
    pub(super) fn overrides(&mut self, node: &Node, id: &str) -> Overrides {
        let mut overrides = Overrides::default();
        if !matches!(node.kind, Kind::Map(_)) {
            self.error("schema", node, format!("flux is a mapping, found {}", node.describe())).of(id);
            return overrides;
        }
        for (key, value) in node.entries() {
            if key.text() != Some("source") {
                if let Some(name) = self.override_key(key, KUSTOMIZATION_KEYS, "flux", id) {
                    self.all_written_unusually(&format!("flux.{name}"), value, id);
                    overrides.kustomization.insert(name, to_json(value));
                }
                continue;
            }
            if !matches!(value.kind, Kind::Map(_)) {
                self.error("schema", value, format!("flux.source is a mapping, found {}", value.describe())).of(id);
            }
            for (key, value) in value.entries() {
                if let Some(name) = self.override_key(key, SOURCE_KEYS, "flux.source", id) {
                    self.all_written_unusually(&format!("flux.source.{name}"), value, id);
                    overrides.source.insert(name, to_json(value));
                }
            }
        }
        overrides.written = Some(Box::new(node.clone()));
        overrides
    }

    fn override_key(&mut self, key: &Node, known: &'static [&'static str], of: &str, id: &str) -> Option<String> {
        let name = key.text().unwrap_or_default();
        if known.contains(&name) {
            return Some(name.to_owned());
        }
        let finding = self.error("override-key", key, format!("{of} has no key '{name}'")).of(id);
        if name == "suspend" {
            finding.hint("a written 'suspend' fights whoever suspends on the cluster, so it is never generated");
        } else {
            let names = known.iter().copied().chain((of == "flux").then_some("source"));
            finding.did_you_mean(suggest::nearest(name, names));
        }
        None
    }
}
