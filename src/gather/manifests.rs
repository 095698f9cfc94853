//! A workload's manifests, from where they are: a folder, a file, standard input, a chart; and what the platform's lists say.

use super::expected::Declared;
use crate::files::{find, folder, read};
use crate::process::helm::{self, Chart};
use runway_core::deploy::{Role, looks_like_a_manifest, role};
use runway_core::finding::Finding;
use runway_core::problem::{Place, Problem};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of all manifests of a workload together.
const MAX: u64 = 64 << 20;

/// A hidden file that is looked into; a larger one is something else.
const MAX_LOOK: u64 = 256 << 10;

/// Where manifests are.
#[derive(Debug, Clone)]
pub(crate) enum Manifests {
    /// The manifests of a folder.
    Folder(PathBuf),
    /// A file; `-` is standard input.
    File(PathBuf),
    /// A chart, rendered by helm.
    Chart(Chart),
}

/// Manifests, read.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Where they are, as the user knows it: what a finding about all of them is placed at.
    pub(crate) origin: String,
    /// File as the user knows it, and its text.
    pub(crate) texts: Vec<(String, String)>,
    /// Files that Flux would make something else of.
    pub(crate) findings: Vec<Finding>,
    /// What helm complained about although it rendered the chart.
    pub(crate) complaint: String,
}

/// Reads manifests; `start` is what paths are shown from.
pub(crate) async fn gather(
    manifests: &Manifests,
    start: &Path,
    path: Option<&str>,
    limit: Duration,
) -> Result<Gathered, Problem> {
    match manifests {
        Manifests::Folder(root) => of_folder(root, start),
        Manifests::File(file) => {
            let text = read::text(file, "the manifests")?;
            if text.len() as u64 > MAX {
                return Err(too_much().at(Place::file(read::shown(file))));
            }
            let origin = shown(file, start);
            Ok(Gathered { texts: vec![(origin.clone(), text)], origin, ..Gathered::default() })
        }
        Manifests::Chart(chart) => {
            let local = Path::new(&chart.reference);
            if local.is_absolute() && local.is_dir() {
                folder::links_stay_inside(local)?;
            }
            let (text, complaint) = helm::template(chart, path, limit).await?;
            Ok(Gathered { texts: by_template(&text), complaint, origin: chart.given.clone(), ..Gathered::default() })
        }
    }
}

fn too_much() -> Problem {
    Problem::input(format!("the manifests have more than {} MiB", MAX >> 20))
}

fn shown(file: &Path, start: &Path) -> String {
    if file.as_os_str() == "-" { read::shown(file) } else { file.strip_prefix(start).unwrap_or(file).display().to_string() }
}

fn of_folder(root: &Path, start: &Path) -> Result<Gathered, Problem> {
    let fault = |cause: &str| Problem::input("the manifests cannot be read").cause(cause).at(Place::file(shown(root, start)));
    if root.is_file() {
        let hint = format!("a file is named with -f: -f {}", shown(root, start));
        return Err(fault("it is a file, not a folder").hint(hint));
    }
    if !root.is_dir() {
        return Err(fault("there is no such folder")
            .hint("--path names a folder of YAML files, from the current folder or from that of -C"));
    }
    if root.join("Chart.yaml").is_file() {
        return Err(fault("it is a Helm chart, not a folder of manifests").hint("render it: --chart DIR"));
    }
    let mut gathered = Gathered { origin: shown(root, start), ..Gathered::default() };
    let mut left = MAX;
    for (path, place) in folder::select(root, &|path| !matches!(role(path), Role::Other | Role::Hidden))? {
        let name = shown(&place, start);
        let fault = |code, message: &str| Finding::error(code, Place::file(name.clone()), message);
        match role(&path) {
            Role::Manifest => {
                let text = read::text(&place, "a manifest")?;
                left = left.checked_sub(text.len() as u64).ok_or_else(|| too_much().at(Place::file(shown(root, start))))?;
                gathered.texts.push((name, text));
            }
            Role::Kustomization => {
                let mut finding =
                    fault("kustomization-file", "Flux would let kustomize decide what counts, and that is not done here");
                finding.hint("build it first: kubectl kustomize DIR | kubectl runway deploy push WORKLOAD -f -");
                gathered.findings.push(finding);
            }
            Role::Dropped => {
                let mut finding = fault("ignored-file", "source-controller drops files of this name on every cluster");
                finding.hint("give it another name");
                gathered.findings.push(finding);
            }
            Role::Json => {
                let mut finding = fault("ignored-file", "Flux reads no JSON files; it is not published");
                finding.warning().hint("give it the extension .yaml: JSON is YAML too");
                gathered.findings.push(finding);
            }
            Role::Misnamed => {
                let mut finding = fault("ignored-file", "Flux reads no file with this extension; it is not published");
                finding.warning().hint("write the extension in lower case: .yaml");
                gathered.findings.push(finding);
            }
            Role::Ignore => {
                let mut finding = fault("ignored-file", "it does nothing here: what it names is published all the same");
                finding.warning().hint("move what is not meant for the cluster out of the folder");
                gathered.findings.push(finding);
            }
            Role::Hidden | Role::Other => {}
        }
    }
    gathered.findings.extend(missed(root, start));
    Ok(gathered)
}

/// Hidden files that somebody may look for on the cluster.
fn missed(root: &Path, start: &Path) -> Vec<Finding> {
    let hidden = folder::hidden(root).into_iter().filter(|(path, _)| role(path) == Role::Hidden);
    let is_missed = |place: &Path| {
        read::bytes(place, "a manifest", MAX_LOOK).is_ok_and(|bytes| looks_like_a_manifest(&String::from_utf8_lossy(&bytes)))
    };
    let said = |(path, _)| {
        let message = "it looks like a manifest, and is hidden: what begins with a dot is not published";
        let mut finding = Finding::error("ignored-file", Place::file(shown(&root.join(path), start)), message);
        finding.warning().hint("rename it, or its folder");
        finding
    };
    hidden.filter(|(_, place)| is_missed(place)).map(said).collect()
}

/// How a file that helm printed is told from one that is there.
pub(crate) const RENDERED: &str = " (rendered)";

/// What helm printed, by the template that each document says it comes from; the words are helm's own.
fn by_template(text: &str) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut at = None;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        // A line of three dashes ends a document wherever it stands, so nothing is cut in two here.
        let source = lines.peek().and_then(|next| next.strip_prefix("# Source: ")).filter(|_| line.trim_end() == "---");
        let name = source.map(|source| format!("{}{RENDERED}", source.trim_end()));
        let name = name.or_else(|| at.is_none().then(|| format!("chart{RENDERED}")));
        let n = match (name, at) {
            (Some(name), _) => *index.entry(name.clone()).or_insert_with(|| {
                parts.push((name, String::new()));
                parts.len() - 1
            }),
            (None, Some(n)) => n,
            (None, None) => 0,
        };
        at = Some(n);
        if let Some((_, part)) = parts.get_mut(n) {
            part.push_str(line);
        }
    }
    parts.retain(|(_, part)| !part.trim().is_empty());
    parts
}

/// All lists of the repository that a folder lies in, or the one that is named; a file with errors is told apart.
pub(crate) fn lists(file: Option<&Path>, start: &Path, runtime: Option<&str>) -> Result<(Vec<Declared>, Vec<String>), Problem> {
    let mut files = Vec::new();
    match (file, runtime) {
        (Some(file), _) => files.push(start.join(file)),
        (None, Some(runtime)) => files.extend(find::workloads(start, runtime)),
        (None, None) => files.extend(find::runtimes(start).into_iter().map(|(_, file)| file)),
    }
    let (mut lists, mut refused) = (Vec::new(), Vec::new());
    for path in files {
        let declared = Declared::read(&path, &shown(&path, start))?;
        if declared.is_refused() {
            refused.push(declared.file);
        } else {
            lists.push(declared);
        }
    }
    Ok((lists, refused))
}

#[cfg(test)]
mod tests {
    use super::by_template;

    #[test]
    fn rendered_documents_are_told_by_their_template() {
        let text = "---\n# Source: c/templates/a.yaml\na: 1\n---\n# Source: c/templates/b.yaml\nb: 1\n---\nb: 2\n---\n# Source: c/templates/a.yaml\na: 2\n";
        let parts = by_template(text);
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["c/templates/a.yaml (rendered)", "c/templates/b.yaml (rendered)"]);
        assert_eq!(parts[0].1, "---\n# Source: c/templates/a.yaml\na: 1\n---\n# Source: c/templates/a.yaml\na: 2\n");
        assert!(parts[1].1.ends_with("---\nb: 2\n"));
        assert_eq!(by_template("a: 1\n")[0].0, "chart (rendered)");
        assert!(by_template("").is_empty());
    }
}
