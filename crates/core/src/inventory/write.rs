//! Objects to the tree that is published.

use crate::artifact::Tree;
use crate::objects::{self, Pair};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::workloads::{Overrides, Workload, Workloads};
use crate::yaml::emit;

/// Name of the one file below `<environment>/`.
///
/// One file for all: source-controller drops files by name (`cloudbuild.yaml`, `appveyor.yml`, …) and kustomize takes
/// `kustomization.yaml` as its own, so a file per workload breaks for some ids.
pub const FILE: &str = "inventory.yaml";

/// The text of the file, from objects that were built.
pub fn text(pairs: &[Pair]) -> Result<String, Problem> {
    emit::documents(pairs.iter().flat_map(|pair| [&pair.source, &pair.kustomization]))
}

/// The same text straight from the declared list.
///
/// Nearly all workloads of a list have no overrides, and then their documents differ in the id alone. Such a pair is
/// written once, and copied with each id: 100,000 workloads take a tenth of the time that building and writing each
/// object takes. What has overrides, or an id that YAML would quote, is built and written as everywhere else.
pub fn text_of(workloads: &Workloads, settings: &Settings, environment: &str) -> Result<String, Problem> {
    let template = Template::new(workloads, settings, environment)?;
    // Grown piece by piece, the text of 100,000 workloads would be copied as it grows.
    let plain = template.as_ref().map_or(0, |template| template.parts.iter().map(String::len).sum());
    let mut out = String::with_capacity(workloads.items.len().saturating_mul(plain.saturating_add(PLACEHOLDER.len() * 6)));
    for workload in workloads.items.iter().filter(|workload| workload.is_in(environment)) {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        match &template {
            Some(template) if Template::fits(workload, environment) => template.write(&workload.id, &mut out),
            _ => {
                let pair = objects::pair(workload, &workloads.defaults, settings, environment);
                out.push_str(&emit::documents([&pair.source, &pair.kustomization])?);
            }
        }
    }
    Ok(out)
}

/// A pair's text, cut where the id stands.
struct Template {
    parts: Vec<String>,
}

/// An id that stands nowhere else; it begins with a letter and is longer than every word that YAML quotes.
const PLACEHOLDER: &str = "x-runway-placeholder-x";

impl Template {
    /// `None` when the settings hold the placeholder themselves: then every pair is written by itself.
    fn new(workloads: &Workloads, settings: &Settings, environment: &str) -> Result<Option<Self>, Problem> {
        let written = |id: &str| {
            let workload = Workload { id: id.to_owned(), ..Workload::default() };
            let pair = objects::pair(&workload, &workloads.defaults, settings, environment);
            emit::documents([&pair.source, &pair.kustomization])
        };
        let text = written(PLACEHOLDER)?;
        let template = Self { parts: text.split(PLACEHOLDER).map(str::to_owned).collect() };
        let mut probe = String::new();
        template.write("another-id", &mut probe);
        Ok((probe == written("another-id")?).then_some(template))
    }

    /// Whether a workload's text is a template's.
    fn fits(workload: &Workload, environment: &str) -> bool {
        let plain = workload.id.starts_with(|c: char| c.is_ascii_lowercase()) && workload.id.len() > "false".len();
        let own = [workload.flux.as_deref(), workload.overrides_in(environment)];
        plain && own.into_iter().flatten().all(Overrides::is_empty)
    }

    fn write(&self, id: &str, out: &mut String) {
        for (n, part) in self.parts.iter().enumerate() {
            if n > 0 {
                out.push_str(id);
            }
            out.push_str(part);
        }
    }
}

/// The tree. An empty list makes an error, never an empty folder: Flux would delete everything that it applied.
pub fn write(pairs: &[Pair], environment: &str) -> Result<Tree, Problem> {
    tree(if pairs.is_empty() { String::new() } else { text(pairs)? }, environment)
}

/// The tree of a declared list.
pub fn write_all(workloads: &Workloads, settings: &Settings, environment: &str) -> Result<Tree, Problem> {
    tree(text_of(workloads, settings, environment)?, environment)
}

/// The tree that one file of manifests stands for.
pub fn one_file(environment: &str, text: String) -> Result<Tree, Problem> {
    let mut tree = Tree::new();
    tree.insert(&format!("{environment}/{FILE}"), text.into_bytes())?;
    Ok(tree)
}

fn tree(text: String, environment: &str) -> Result<Tree, Problem> {
    if text.is_empty() {
        return Err(Problem::input(format!("no workload is in the environment {environment}"))
            .hint("an inventory without workloads would make Flux delete everything that it applied; it is never built"));
    }
    one_file(environment, text)
}

#[cfg(test)]
mod tests {
    use super::{text, text_of};
    use crate::objects;
    use crate::settings::{Layer, resolve};
    use crate::workloads::parse;

    #[test]
    fn the_short_way_writes_the_same_text() {
        let list = "defaults: {flux: {timeout: 3m}}\nworkloads:\n- runway_service_id: example-service-gke\n- runway_service_id: a\n- runway_service_id: \"123\"\n- runway_service_id: \"null\"\n- runway_service_id: \"2024-01-01\"\n- runway_service_id: with-overrides\n  flux: {wait: true}\n- runway_service_id: in-one-environment\n  environments: {staging: {flux: {wait: true}}, production: {}}\n- runway_service_id: elsewhere\n  environments: [staging]\n- runway_service_id: x-runway-placeholder-x\n";
        let (workloads, findings) = parse("w", list);
        assert!(findings.is_empty(), "{findings:?}");
        for settings in [
            "",
            "source: {apiVersion: v1beta2, secretRef: \"\"}",
            "registry: {base: h/x-runway-placeholder-x}",
            "namespace: another-id",
        ] {
            let (layer, findings) = Layer::from_file("s", settings);
            assert!(findings.is_empty(), "{findings:?}");
            let settings = resolve([layer]);
            for environment in ["staging", "production"] {
                let long = text(&objects::build(&workloads, &settings, environment)).unwrap();
                assert_eq!(text_of(&workloads, &settings, environment).unwrap(), long);
            }
        }
    }
}
