//! The files of a folder that Flux applies.
//!
//! Source of the rules: kustomize-controller builds a folder that has a kustomization file as kustomize would; for any other it
//! generates one of all `*.yaml` and `*.yml` files below it, in which folders with a kustomization file of their own stand
//! as they are (`fluxcd/pkg` `kustomize_generator.go`).

use crate::artifact::Tree;
use crate::finding::Finding;
use crate::problem::Place;
use crate::yaml::{self, Kind, Node};
use std::collections::{BTreeMap, BTreeSet};

/// Names of kustomize's own file.
const KUSTOMIZATION: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Keys of it that only list files, or say nothing.
const PLAIN: [&str; 4] = ["apiVersion", "kind", "metadata", "resources"];

/// What Flux makes of a folder.
#[derive(Debug, Default)]
pub struct Files<'t> {
    /// The manifests that it applies, by their path.
    pub manifests: Vec<(String, &'t [u8])>,
    /// Manifests that lie beside a kustomization file and are not in its list: path, and that of the kustomization file.
    pub unlisted: Vec<(String, String)>,
    /// What cannot be followed here, or kustomize would refuse.
    pub faults: Vec<Finding>,
    /// A kustomization file decides what counts.
    pub is_listed: bool,
}

/// Reads a folder; `origin` names the tree in findings.
pub fn of_folder<'t>(tree: &'t Tree, folder: &str, origin: &str) -> Files<'t> {
    let prefix = format!("{folder}/");
    let all: BTreeMap<String, &[u8]> = tree.files().filter(|(path, _)| path.starts_with(&prefix)).collect();
    let mut walk = Walk { all, origin, files: Files::default() };
    walk.folder(folder);
    walk.files
}

/// Whether Flux's generator takes a file for a manifest; it compares extensions with their case.
pub fn is_manifest(path: &str) -> bool {
    let file = name(path);
    matches!(file.rsplit_once('.'), Some((_, "yaml" | "yml"))) && !KUSTOMIZATION.contains(&file)
}

/// Whether it is YAML by its name, kustomize's own files included.
pub fn is_yaml(path: &str) -> bool {
    is_manifest(path) || KUSTOMIZATION.contains(&name(path))
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

struct Walk<'t, 'o> {
    all: BTreeMap<String, &'t [u8]>,
    origin: &'o str,
    files: Files<'t>,
}

impl Walk<'_, '_> {
    /// The kustomization files of a folder.
    fn kustomizations(&self, folder: &str) -> Vec<String> {
        KUSTOMIZATION.iter().map(|name| format!("{folder}/{name}")).filter(|path| self.all.contains_key(path)).collect()
    }

    fn below(&self, folder: &str) -> Vec<String> {
        let prefix = format!("{folder}/");
        self.all.range(prefix.clone()..).map(|(path, _)| path).take_while(|path| path.starts_with(&prefix)).cloned().collect()
    }

    fn take(&mut self, path: &str) {
        if let Some(content) = self.all.get(path) {
            self.files.manifests.push((path.to_owned(), content));
        }
    }

    fn folder(&mut self, folder: &str) {
        match self.kustomizations(folder).as_slice() {
            [] => self.generated(folder),
            [one] => self.listed(folder, one),
            [first, second, ..] => {
                self.files.is_listed = true;
                self.fault(
                    "kustomization-file",
                    Place::file(self.place(second)),
                    (0, 0),
                    format!("kustomize refuses it beside {first}"),
                );
            }
        }
    }

    /// All manifests below, but folders with a kustomization file by that file.
    fn generated(&mut self, folder: &str) {
        let mut done: BTreeSet<String> = BTreeSet::new();
        for path in self.below(folder) {
            match self.kustomized_above(folder, &path) {
                Some(own) if done.insert(own.clone()) => self.folder(&own),
                None if is_manifest(&path) => self.take(&path),
                _ => {}
            }
        }
    }

    /// The highest folder between `folder` and a file in it that has a kustomization file.
    fn kustomized_above(&self, folder: &str, path: &str) -> Option<String> {
        let below = path.get(folder.len() + 1..)?;
        let ends = below.match_indices('/').map(|(at, _)| folder.len() + 1 + at);
        ends.filter_map(|end| path.get(..end)).find(|above| !self.kustomizations(above).is_empty()).map(str::to_owned)
    }

    /// What a kustomization file lists, as long as it does nothing else.
    fn listed(&mut self, folder: &str, file: &str) {
        self.files.is_listed = true;
        let content = self.all.get(file).copied().unwrap_or_default();
        let shown = self.place(file);
        let (documents, faults) = yaml::documents(&shown, &String::from_utf8_lossy(content), yaml::Limits::default());
        if !faults.is_empty() {
            self.files.faults.extend(faults);
            return;
        }
        let Some(root) = documents.first() else { return };
        let before = self.files.manifests.len();
        for (key, value) in root.entries() {
            let is_nothing = value.is_null() || matches!(&value.kind, Kind::List(items) if items.is_empty());
            if !PLAIN.contains(&key.text().unwrap_or_default()) && !is_nothing {
                let message = format!(
                    "it has '{}': kustomize changes what is applied, and that is not done here",
                    key.text().unwrap_or_default()
                );
                self.at("kustomization-file", &shown, key, message);
            }
        }
        for item in root.get("resources").into_iter().flat_map(Node::items) {
            self.resource(folder, &shown, item);
        }
        let listed: BTreeSet<String> =
            self.files.manifests.get(before..).unwrap_or_default().iter().map(|(path, _)| path.clone()).collect();
        let unlisted: Vec<_> =
            self.below(folder).into_iter().filter(|path| is_manifest(path) && !listed.contains(path)).collect();
        let known: BTreeSet<&String> = self.files.unlisted.iter().map(|(path, _)| path).collect();
        let new: Vec<_> = unlisted.into_iter().filter(|path| !known.contains(path)).map(|path| (path, file.to_owned())).collect();
        self.files.unlisted.extend(new);
    }

    fn resource(&mut self, folder: &str, shown: &str, item: &Node) {
        let text = item.text().unwrap_or_default();
        let path = text.trim_start_matches("./").trim_end_matches('/');
        let is_elsewhere =
            path.is_empty() || text.starts_with('/') || text.contains("://") || path.split('/').any(|part| part == "..");
        let path = format!("{folder}/{path}");
        if is_elsewhere {
            self.at("kustomization-file", shown, item, format!("it takes '{text}', which is no file of this folder"));
        } else if self.all.contains_key(&path) {
            self.take(&path);
        } else if !self.kustomizations(&path).is_empty() {
            self.folder(&path);
        } else if self.below(&path).is_empty() {
            self.at("missing-resource", shown, item, format!("it lists '{text}', which is not there"));
        } else {
            self.at("missing-resource", shown, item, format!("it lists the folder '{text}', which has no kustomization file"));
        }
    }

    fn place(&self, path: &str) -> String {
        format!("{}/{path}", self.origin)
    }

    fn at(&mut self, code: &'static str, file: &str, node: &Node, message: String) {
        self.fault(code, Place::at(file, node.line, node.column), node.span, message);
    }

    fn fault(&mut self, code: &'static str, place: Place, span: (usize, usize), message: String) {
        let mut finding = Finding::error(code, place, message);
        finding.span = span;
        if code == "kustomization-file" {
            finding.hint("build it first, and publish what comes out: kubectl kustomize DIR");
        } else {
            finding.hint("kustomize refuses the whole inventory, and nothing changes on the clusters");
        }
        self.files.faults.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::of_folder;
    use crate::artifact::Tree;

    fn read(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let mut tree = Tree::new();
        for (path, text) in files {
            tree.insert(path, text.as_bytes().to_vec()).unwrap();
        }
        let files = of_folder(&tree, "p", "t");
        (
            files.manifests.into_iter().map(|(path, _)| path).collect(),
            files.unlisted.into_iter().map(|(path, by)| format!("{path} by {by}")).collect(),
            files.faults.into_iter().map(|fault| format!("{} {} {}", fault.place, fault.code, fault.message)).collect(),
        )
    }

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().copied().map(str::to_owned).collect()
    }

    #[test]
    fn without_a_kustomization_file_every_manifest_counts() {
        let (taken, unlisted, faults) =
            read(&[("p/a.yaml", ""), ("p/x/b.yml", ""), ("p/c.YAML", ""), ("p/d.json", ""), ("q/e.yaml", "")]);
        assert_eq!((taken, unlisted, faults), (texts(&["p/a.yaml", "p/x/b.yml"]), vec![], vec![]));
    }

    #[test]
    fn a_kustomization_file_says_what_counts() {
        let list = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [./b.yml, x]\npatches: []\n";
        for name in ["kustomization.yaml", "kustomization.yml", "Kustomization"] {
            let files = [
                (format!("p/{name}"), list),
                ("p/a.yaml".to_owned(), ""),
                ("p/b.yml".to_owned(), ""),
                ("p/x/kustomization.yml".to_owned(), "resources: [c.yaml]\n"),
                ("p/x/c.yaml".to_owned(), ""),
            ];
            let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
            let (taken, unlisted, faults) = read(&files);
            assert_eq!((taken, faults), (texts(&["p/b.yml", "p/x/c.yaml"]), vec![]));
            assert_eq!(unlisted, [format!("p/a.yaml by p/{name}")]);
        }
        // A folder of its own in one that has none.
        let (taken, ..) = read(&[
            ("p/a.yaml", ""),
            ("p/x/kustomization.yaml", "resources: [c.yaml]\n"),
            ("p/x/c.yaml", ""),
            ("p/x/d.yaml", ""),
        ]);
        assert_eq!(taken, ["p/a.yaml", "p/x/c.yaml"]);
    }

    #[test]
    fn what_cannot_be_followed_is_said() {
        let (_, _, faults) = read(&[
            (
                "p/kustomization.yaml",
                "namePrefix: x\nresources:\n- ../q/e.yaml\n- https://example.com/x.yaml\n- gone.yaml\n- x\n",
            ),
            ("p/x/a.yaml", ""),
        ]);
        let heads: Vec<String> = faults.iter().map(|fault| fault.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            heads,
            [
                "t/p/kustomization.yaml:1:1 kustomization-file",
                "t/p/kustomization.yaml:3:3 kustomization-file",
                "t/p/kustomization.yaml:4:3 kustomization-file",
                "t/p/kustomization.yaml:5:3 missing-resource",
                "t/p/kustomization.yaml:6:3 missing-resource",
            ]
        );
        let (_, _, faults) = read(&[("p/kustomization.yaml", "resources: []\n"), ("p/Kustomization", "")]);
        assert!(faults[0].contains("beside"), "{faults:?}");
    }
}
