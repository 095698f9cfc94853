//! Merge keys (`<<`) of YAML 1.1, which the API server's reader and Terraform's both know: what is written out wins, then the
//! first of several.

use super::node::{Kind, Node};
use std::collections::HashSet;

/// Whether a key merges; a quoted `"<<"` is a key like any other.
pub(super) fn is_merge(key: &Node) -> bool {
    matches!(&key.kind, Kind::Scalar { text, plain: true } if text == "<<")
}

/// Replaces every merge key below a node by what it takes over; `fault` hears of those that take over nothing.
///
/// The depth is that of the document, which the reader has bounded.
pub(super) fn expand(node: &mut Node, fault: &mut dyn FnMut(&Node, &Node)) {
    match &mut node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter_mut().for_each(|item| expand(item, fault)),
        Kind::Map(pairs) => {
            for (_, value) in pairs.iter_mut() {
                expand(value, fault);
            }
            if !pairs.iter().any(|(key, _)| is_merge(key)) {
                return;
            }
            let (merges, kept): (Vec<_>, Vec<_>) = pairs.drain(..).partition(|(key, _)| is_merge(key));
            let mut kept = Kept::new(kept);
            for (key, value) in merges {
                match value.kind {
                    Kind::Map(parts) => kept.take_over(parts),
                    Kind::List(items) => {
                        for item in items {
                            match item.kind {
                                Kind::Map(parts) => kept.take_over(parts),
                                _ => fault(&key, &item),
                            }
                        }
                    }
                    Kind::Scalar { .. } => fault(&key, &value),
                }
            }
            *pairs = kept.pairs;
        }
    }
}

/// The pairs of a mapping that is being put together.
struct Kept {
    pairs: Vec<(Node, Node)>,
    names: HashSet<String>,
}

impl Kept {
    fn new(pairs: Vec<(Node, Node)>) -> Self {
        let names = pairs.iter().filter_map(|(key, _)| key.text()).map(str::to_owned).collect();
        Self { pairs, names }
    }

    fn take_over(&mut self, parts: Vec<(Node, Node)>) {
        for (key, value) in parts {
            if self.names.insert(key.text().unwrap_or_default().to_owned()) {
                self.pairs.push((key, value));
            }
        }
    }
}
