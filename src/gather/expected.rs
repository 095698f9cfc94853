//! What is expected: the declared file, and what a registry, a layout or a folder holds.

use super::source::Source;
use crate::files::layout::Layout;
use crate::files::{find, folder, read};
use crate::registry::Client;
use runway_core::artifact::manifest::Manifest;
use runway_core::artifact::{Digest, Tree, unpack};
use runway_core::finding::{Finding, Severity};
use runway_core::flux::reference::{Reference, Repository, Target};
use runway_core::inventory::{self, Inventory};
use runway_core::problem::{Place, Problem};
use runway_core::settings::Settings;
use runway_core::workloads::{self, Workloads};
use runway_core::{objects, yaml};
use std::path::Path;

/// A declared file, read.
pub(crate) struct Declared {
    /// As the user reads it.
    pub(crate) file: String,
    /// Its text, for excerpts.
    pub(crate) text: String,
    /// What it lists.
    pub(crate) workloads: Workloads,
    /// What is wrong with it.
    pub(crate) findings: Vec<Finding>,
}

impl Declared {
    /// Reads a workloads.yml.
    pub(crate) fn read(path: &Path, shown: &str) -> Result<Self, Problem> {
        Ok(Self::of(shown, read::raw(path, "workloads.yml")?))
    }

    /// The same of its bytes.
    pub(crate) fn of(shown: &str, bytes: Vec<u8>) -> Self {
        let file = shown.to_owned();
        match String::from_utf8(bytes) {
            Ok(text) => {
                let (workloads, findings) = workloads::parse(shown, &text);
                Self { file, text, workloads, findings }
            }
            Err(error) => {
                // A fault of the file like any other in its syntax: told with its line, and the file is not used.
                let readable = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
                let before = String::from_utf8_lossy(readable);
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                let finding = Finding::error("yaml-syntax", Place::at(shown, line, column), "this is no UTF-8 text");
                let workloads = Workloads { file: file.clone(), ..Workloads::default() };
                Self { file, text: String::new(), workloads, findings: vec![finding] }
            }
        }
    }

    /// Whether a finding forbids its use.
    pub(crate) fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The inventory that it would become.
    pub(crate) fn inventory(&self, settings: &Settings, environment: &str) -> Inventory {
        let pairs = objects::each(&self.workloads, settings, environment);
        inventory::read::from_objects(pairs.flat_map(|pair| [pair.source, pair.kustomization]))
    }
}

/// The file of `-f`, or that of the runtime in the repository; `None` when neither is there.
pub(crate) fn declared(file: Option<&Path>, start: &Path, runtime: &str) -> Result<Option<Declared>, Problem> {
    let path = match file {
        Some(file) if file.as_os_str() == "-" => file.to_path_buf(),
        Some(file) => start.join(file),
        None => match find::workloads(start, runtime) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let shown = file.map_or_else(|| path.strip_prefix(start).unwrap_or(&path).display().to_string(), read::shown);
    Declared::read(&path, &shown).map(Some)
}

/// What a file holds that somebody named as a source.
pub(crate) enum Named {
    /// Kubernetes' objects, as somebody built them.
    Manifests(String),
    /// Anything else is a workloads.yml.
    Workloads(Box<Declared>),
}

/// Reads a file; `-` is standard input.
pub(crate) fn named(path: &Path, shown: &str) -> Result<Named, Problem> {
    let bytes = read::raw(path, "the inventory")?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let is_object = |node: &yaml::Node| node.get("apiVersion").is_some() && node.get("kind").is_some();
    let (documents, _) = yaml::documents(shown, text, yaml::Limits::default());
    if documents.iter().any(is_object) {
        return Ok(Named::Manifests(text.to_owned()));
    }
    Ok(Named::Workloads(Box::new(Declared::of(shown, bytes))))
}

/// A published inventory's files.
pub(crate) struct Held {
    /// Digest of its manifest; a folder has none.
    pub(crate) digest: Option<Digest>,
    /// Its files.
    pub(crate) tree: Tree,
    /// Where it was read, for messages.
    pub(crate) origin: String,
}

impl Held {
    /// The inventory of an environment; broken YAML in it is a problem with its place.
    pub(crate) fn inventory(&self, environment: &str) -> Result<Inventory, Problem> {
        let (inventory, findings) = inventory::read(&self.tree, environment, &self.origin);
        match findings.into_iter().find(|finding| finding.severity == Severity::Error) {
            None => Ok(inventory),
            Some(finding) => {
                let problem = Problem::input("the inventory cannot be read").cause(finding.message).at(finding.place);
                Err(if let Some(hint) = finding.hint { problem.hint(hint) } else { problem })
            }
        }
    }

    /// One file of manifests: it stands for a folder with that file in it.
    pub(crate) fn of_manifests(text: String, environment: &str, shown: &str) -> Result<Self, Problem> {
        let (_, findings) = yaml::documents(shown, &text, yaml::Limits::default());
        if let Some(finding) = findings.into_iter().next() {
            return Err(Problem::input("the file cannot be read").cause(finding.message).at(finding.place));
        }
        Ok(Self { digest: None, tree: inventory::one_file(environment, text)?, origin: shown.to_owned() })
    }

    /// The environment's folder is not there: nothing of the tree would be applied.
    pub(crate) fn without_folder(&self, environment: &str) -> Problem {
        let folders: Vec<&str> = self.tree.top_folders().into_iter().collect();
        Problem::input(format!("the inventory has no folder {environment}"))
            .cause(format!("it has {}", if folders.is_empty() { "no folder at all".to_owned() } else { folders.join(", ") }))
            .at(Place::file(self.origin.clone()))
            .hint(format!(
                "an inventory is what contains {environment}/: name the folder above it, or another environment with -e"
            ))
    }
}

/// What was asked for; the inner error says that it is not there, and what is known about that.
pub(crate) type Asked = Result<Result<Held, Problem>, Problem>;

/// Reads an artifact from a registry.
pub(crate) async fn from_registry(client: &Client, repository: &Repository, target: &Target) -> Asked {
    let fetched = match client.manifest_or_why(repository, target).await? {
        Ok(fetched) => fetched,
        Err(why) => return Ok(Err(why)),
    };
    let tree = tree(client, repository, &fetched.manifest).await?;
    let origin = Reference { repository: repository.clone(), target: Some(target.clone()) }.to_string();
    Ok(Ok(Held { digest: Some(fetched.digest), tree, origin }))
}

/// The files of a manifest's layer.
pub(crate) async fn tree(client: &Client, repository: &Repository, manifest: &Manifest) -> Result<Tree, Problem> {
    unpack::layer(&client.blob(repository, manifest.content()?).await?, unpack::Limits::default())
}

/// Reads an artifact from a layout; `None`: it has no such tag.
pub(crate) fn from_layout(root: &Path, tag: &str) -> Result<Option<Held>, Problem> {
    let layout = Layout::new(root.to_path_buf());
    let Some((digest, _, manifest)) = layout.manifest(tag)? else { return Ok(None) };
    let tree = layout.tree(&manifest)?;
    let origin = format!("layout:{}:{tag}", root.display());
    Ok(Some(Held { digest: Some(digest), tree, origin }))
}

/// Reads a folder that contains `<environment>/`.
pub(crate) fn from_folder(root: &Path) -> Result<Held, Problem> {
    Ok(Held { digest: None, tree: folder::tree(root)?, origin: root.display().to_string() })
}

/// Reads an artifact from any source that holds files, a file as manifests.
pub(crate) async fn held(source: &Source, environment: &str, client: &Client) -> Asked {
    match source {
        Source::Registry(reference) => {
            let target = reference.target.clone().unwrap_or_else(|| Target::Tag(environment.to_owned()));
            from_registry(client, &reference.repository, &target).await
        }
        Source::Layout(root, tag) => {
            let tag = tag.as_deref().unwrap_or(environment);
            Ok(from_layout(root, tag)?.ok_or_else(|| {
                Problem::input("there is nothing under this tag")
                    .cause(format!("the layout has no tag {tag}"))
                    .at(Place::file(source.to_string()))
                    .hint(format!("the tags that it has: kubectl runway inventory list layout:{}", root.display()))
            }))
        }
        Source::Folder(root) => from_folder(root).map(Ok),
        Source::File(path) => {
            let shown = read::shown(path);
            Held::of_manifests(read::text(path, "the file")?, environment, &shown).map(Ok)
        }
        Source::Cluster(context) => {
            Err(Problem::usage("an inventory cannot be read from a cluster here").at(Place::file(format!("cluster:{context}"))))
        }
    }
}
