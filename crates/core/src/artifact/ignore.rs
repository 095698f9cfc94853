//! Files that source-controller leaves out when it stores an artifact.
//!
//! Source of the rules: `fluxcd/pkg` sourceignore and artifact/storage: without a `.sourceignore` the defaults count, with one the
//! patterns in it and those of version control; patterns are git's, the last that matches decides, and a folder that is
//! left out takes all below it along. A source's `spec.ignore` is not known here.

use super::Tree;
use crate::text;

/// Its name.
pub const FILE: &str = ".sourceignore";
/// `ExcludeVCS`.
const VERSION_CONTROL: &str = ".git/\n.gitignore\n.gitmodules\n.gitattributes\n";
/// `ExcludeExt`, `ExcludeCI` and `ExcludeExtra`.
const DEFAULTS: &str = "*.jpg\n*.jpeg\n*.gif\n*.png\n*.wmv\n*.flv\n*.tar.gz\n*.zip\n.github/\n.circleci/\n.travis.yml\n.gitlab-ci.yml\nappveyor.yml\n\
                        .drone.yml\ncloudbuild.yaml\ncodeship-services.yml\ncodeship-steps.yml\n**/.goreleaser.yml\n**/.sops.yaml\n**/.flux.yaml\n";

/// The patterns that count for a tree.
#[derive(Debug)]
pub struct Ignore {
    patterns: Vec<Pattern>,
    /// The tree has a file of its own.
    pub is_own: bool,
}

#[derive(Debug)]
struct Pattern {
    /// Parts between slashes; `**` stands for any number of them.
    parts: Vec<String>,
    /// It takes back what an earlier one left out.
    takes_back: bool,
    /// It is about folders alone.
    folder: bool,
}

impl Pattern {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (takes_back, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (folder, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let mut parts: Vec<String> = line.trim_start_matches('/').split('/').map(str::to_owned).collect();
        // Without a slash it matches at any depth.
        if !line.contains('/') {
            parts.insert(0, "**".to_owned());
        }
        Some(Self { parts, takes_back, folder })
    }

    fn matches(&self, path: &[&str], is_folder: bool) -> bool {
        (is_folder || !self.folder) && parts_match(&self.parts, path)
    }
}

fn parts_match(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            (rest.is_empty() && !path.is_empty())
                || (!rest.is_empty() && (0..=path.len()).any(|n| path.get(n..).is_some_and(|path| parts_match(rest, path))))
        }
        (Some((first, rest)), Some((name, below))) => text::matches(first, name) && parts_match(rest, below),
        _ => false,
    }
}

impl Ignore {
    /// The patterns of a tree: those of its `.sourceignore`, or the defaults.
    pub fn of(tree: &Tree) -> Self {
        let own = tree.get(FILE).map(String::from_utf8_lossy);
        let lines = VERSION_CONTROL.lines().chain(own.as_deref().unwrap_or(DEFAULTS).lines());
        Self { patterns: lines.filter_map(Pattern::parse).collect(), is_own: own.is_some() }
    }

    /// Whether a file is left out.
    pub fn drops(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        (1..=parts.len()).any(|n| {
            let is_folder = n < parts.len();
            let above = parts.get(..n).unwrap_or_default();
            let last = self.patterns.iter().rev().find(|pattern| pattern.matches(above, is_folder));
            last.is_some_and(|pattern| !pattern.takes_back)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Ignore;
    use crate::artifact::Tree;

    fn dropped(own: Option<&str>, paths: &[&'static str]) -> Vec<&'static str> {
        let mut tree = Tree::new();
        if let Some(own) = own {
            tree.insert(".sourceignore", own.into()).unwrap();
        }
        let ignore = Ignore::of(&tree);
        paths.iter().copied().filter(|path| ignore.drops(path)).collect()
    }

    #[test]
    fn the_defaults() {
        let all = [
            "production/inventory.yaml",
            "production/cloudbuild.yaml",
            "appveyor.yml",
            "production/x.appveyor.yml",
            ".github/a.yaml",
        ];
        assert_eq!(dropped(None, &all), ["production/cloudbuild.yaml", "appveyor.yml", ".github/a.yaml"]);
    }

    #[test]
    fn own_patterns_replace_them() {
        let all =
            ["production/inventory.yaml", "production/cloudbuild.yaml", "staging/a.yaml", "production/x/a.yaml", ".git/a.yaml"];
        let found = |own: &str| dropped(Some(own), &all);
        assert_eq!(found("# nothing\n"), [".git/a.yaml"]);
        assert_eq!(found("/production/*.yaml\n"), ["production/inventory.yaml", "production/cloudbuild.yaml", ".git/a.yaml"]);
        assert_eq!(found("*.yaml\n!inventory.yaml\n").first(), Some(&"production/cloudbuild.yaml"));
        assert_eq!(found("production/\n!production/inventory.yaml\n").len(), 4, "a folder takes all along");
        assert_eq!(found("**/a.yaml\n"), ["staging/a.yaml", "production/x/a.yaml", ".git/a.yaml"]);
        assert_eq!(
            found("production/**\n"),
            ["production/inventory.yaml", "production/cloudbuild.yaml", "production/x/a.yaml", ".git/a.yaml"]
        );
        assert_eq!(found("inventory.yaml/\n"), [".git/a.yaml"], "a folder of that name is meant");
    }
}
