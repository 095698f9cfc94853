//! What Flux makes of a file by its name.

/// The part that a file of a folder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its objects are published.
    Manifest,
    /// It would make kustomize decide what counts.
    Kustomization,
    /// source-controller drops it on every cluster.
    Dropped,
    /// A manifest in JSON, which Flux does not read.
    Json,
    /// Nothing for a cluster.
    Other,
}

/// Names of files that source-controller leaves out by default (`fluxcd/pkg` sourceignore, `ExcludeCI`, `ExcludeExtra`) and
/// that one could take for a manifest's; the hidden ones nobody does.
const DROPPED: [&str; 4] = ["appveyor.yml", "cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml"];

/// The part of a file, by its path below the folder. Its extension counts with its case, as in Flux's generator.
pub fn role(path: &str) -> Role {
    let name = path.rsplit('/').next().unwrap_or(path);
    if path.split('/').any(|part| part.starts_with('.')) {
        return Role::Other;
    }
    match name {
        "kustomization.yaml" | "kustomization.yml" | "Kustomization" => Role::Kustomization,
        name if DROPPED.contains(&name) => Role::Dropped,
        name => match name.rsplit_once('.') {
            Some((_, "yaml" | "yml")) => Role::Manifest,
            Some((_, "json")) => Role::Json,
            _ => Role::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, role};

    #[test]
    fn by_name() {
        for (path, expected) in [
            ("a.yaml", Role::Manifest),
            ("x/y/a.yml", Role::Manifest),
            ("a.YAML", Role::Other),
            ("a.json", Role::Json),
            ("readme.md", Role::Other),
            ("x/kustomization.yaml", Role::Kustomization),
            ("Kustomization", Role::Kustomization),
            ("x/cloudbuild.yaml", Role::Dropped),
            (".gitlab-ci.yml", Role::Other),
            (".github/workflows/a.yaml", Role::Other),
        ] {
            assert_eq!(role(path), expected, "{path}");
        }
    }
}
