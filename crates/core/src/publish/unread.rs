//! The plan of replacing one inventory by another, without reading what both have word for word.
//!
//! Of a thousand workloads a push changes one or two; reading the YAML of all others, to find them equal, took most of the
//! time of a push. A line `---` always ends a document, in whatever it stands (YAML 1.2.2, section 9.1.2), so that texts
//! between such lines can be compared as they are.

use super::inventories::compare_in;
use super::plan::Plan;
use crate::artifact::Tree;
use crate::inventory::{Entry, FILE, Inventory, files, read};
use crate::yaml::{self, value::to_json};
use std::collections::HashSet;

/// The plan; `tree` was built here of these workloads, in this order and all in one namespace, and `objects` gives the inventory of
/// some of them. `None`
/// when only reading everything will tell.
pub fn plan_of_trees(
    names: &[&str],
    objects: impl FnOnce(&HashSet<&str>) -> Inventory,
    (tree, old): (&Tree, &Tree),
    (namespace, environment): (&str, &str),
) -> Option<Plan> {
    let own: Vec<&str> = documents(text(tree.get(&format!("{environment}/{FILE}"))?)?).collect();
    // Two documents each.
    if own.len() != 2 * names.len() {
        return None;
    }
    let files = files::of_folder(old, environment, "");
    // A kustomization file decides what counts, or nothing is where it belongs.
    if files.is_listed || !old.has_folder(environment) {
        return None;
    }
    let files: Vec<_> = files.manifests.into_iter().map(|(_, content)| text(content)).collect::<Option<_>>()?;
    let held: HashSet<&str> = files.iter().flat_map(|text| documents(text)).collect();

    let mut same: HashSet<&str> = HashSet::new();
    let (mut known, mut rest) = (HashSet::new(), HashSet::new());
    for (name, documents) in names.iter().zip(own.chunks(2)) {
        if documents.iter().all(|document| held.contains(document)) {
            known.insert(*name);
            same.extend(documents);
        } else {
            rest.insert(*name);
        }
    }

    let (equal, others): (Vec<&str>, Vec<&str>) =
        files.iter().flat_map(|text| documents(text)).partition(|document| same.contains(document));
    let (others, findings) = yaml::documents("", &others.join("\n---\n"), yaml::Limits::default());
    let old = read::from_objects(others.iter().map(to_json));
    // Broken YAML is told with its place; and of two objects with one name the later counts, whichever that is.
    let is_known = |entry: &Entry| entry.namespace == namespace && known.contains(entry.name.as_str());
    if !findings.is_empty() || old.entries.iter().any(is_known) {
        return None;
    }
    let mut plan = compare_in(&objects(&rest), Some(&old), Some(namespace));
    // What stands twice is refused by kustomize: that is not the same.
    plan.identical &= equal.len() == same.len();
    plan.before += known.len();
    plan.after += known.len();
    Some(plan)
}

fn text(content: &[u8]) -> Option<&str> {
    std::str::from_utf8(content).ok()
}

fn documents(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix("---\n").unwrap_or(text);
    text.strip_suffix('\n').unwrap_or(text).split("\n---\n")
}

#[cfg(test)]
mod tests {
    use super::plan_of_trees;
    use crate::artifact::Tree;
    use crate::inventory::{self, read};
    use crate::objects;
    use crate::publish::plan;
    use crate::settings::resolve;
    use crate::workloads::parse;
    use std::collections::HashSet;

    fn tree(list: &str) -> (Tree, inventory::Inventory) {
        let (workloads, findings) = parse("w", list);
        assert!(findings.is_empty(), "{findings:?}");
        let settings = resolve([]);
        let pairs = objects::build(&workloads, &settings, "production");
        let new = read::from_objects(pairs.iter().flat_map(|pair| [pair.source.clone(), pair.kustomization.clone()]));
        (inventory::write_all(&workloads, &settings, "production").unwrap(), new)
    }

    fn file(text: &str) -> Tree {
        let mut tree = Tree::new();
        tree.insert("production/x.yaml", text.into()).unwrap();
        tree
    }

    fn short(declared: &inventory::Inventory, new: &Tree, old: &Tree) -> Option<crate::publish::Plan> {
        let names: Vec<&str> = declared.names().collect();
        let some = |names: &HashSet<&str>| {
            let mut some = declared.clone();
            some.entries.retain(|entry| names.contains(entry.name.as_str()));
            some
        };
        plan_of_trees(&names, some, (new, old), ("runway-provisioner", "production"))
    }

    const LIST: &str = "- runway_service_id: one\n- runway_service_id: two\n- runway_service_id: three\n  flux: {wait: true}\n";

    #[test]
    fn the_short_way_finds_the_same_plan() {
        let (new, declared) = tree(LIST);
        let text = String::from_utf8(new.get("production/inventory.yaml").unwrap().to_vec()).unwrap();
        let changed = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            file(&text.replace(from, to))
        };
        let halves: Vec<&str> = text.split("---\n").collect();
        let olds = [
            file(&text),
            file(&format!("---\n{text}")),
            file(text.trim_end()),
            tree("- runway_service_id: one\n- runway_service_id: four\n").0,
            tree("- runway_service_id: three\n- runway_service_id: one\n  flux: {prune: false}\n").0,
            changed("wait: true", "wait: false"),
            // Half of a workload.
            file(halves[0]),
            file(&format!("{}---\n{}", halves[5], halves[0])),
            // Markers that are not a line of their own, comments, another order, what is no workload.
            changed("---\n", "--- # two\n"),
            changed("---\n", "...\n---\n"),
            file(&halves.iter().rev().copied().collect::<Vec<_>>().join("---\n")),
            file(&format!("{text}---\nkind: ConfigMap\nmetadata: {{name: one}}\n")),
            file(&format!("# who\n{text}---\n# nothing\n")),
            // The same names in another namespace, and beside their own.
            changed("namespace: runway-provisioner", "namespace: elsewhere"),
            file(&format!("{text}---\n{}", halves[1].replace("namespace: runway-provisioner", "namespace: elsewhere"))),
            file(""),
        ];
        for old in olds {
            let long = plan(&declared, Some(&read(&old, "production", "").0));
            assert_eq!(short(&declared, &new, &old), Some(long), "{old:?}");
        }
    }

    #[test]
    fn another_order_is_the_same_and_a_document_more_is_not() {
        let (new, declared) = tree(LIST);
        let text = String::from_utf8(new.get("production/inventory.yaml").unwrap().to_vec()).unwrap();
        let halves: Vec<&str> = text.split("---\n").collect();
        let turned = file(&[2, 3, 0, 1, 4, 5].map(|n| halves[n]).join("---\n"));
        assert_eq!(short(&declared, &new, &turned).map(|plan| (plan.identical, plan.is_empty())), Some((true, true)));
        let twice = file(&format!("{text}---\n{}", halves[0]));
        assert_eq!(short(&declared, &new, &twice).map(|plan| plan.identical), Some(false));
    }

    #[test]
    fn what_needs_reading_is_read() {
        let (new, declared) = tree(LIST);
        let text = String::from_utf8(new.get("production/inventory.yaml").unwrap().to_vec()).unwrap();
        let again = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: one, namespace: runway-provisioner}\n";
        let mut listed = file(&text);
        listed.insert("production/kustomization.yaml", b"resources: []\n".to_vec()).unwrap();
        for old in [file(&format!("{text}---\n{again}")), file(&format!("{text}---\na: [\n")), listed, Tree::new()] {
            assert_eq!(short(&declared, &new, &old), None, "{old:?}");
        }
    }
}
