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
    /// YAML to people, and not to Flux, which compares extensions with their case.
    Misnamed,
    /// Rules of what source-controller leaves out, which count for files that are pushed as they are.
    Ignore,
    /// It could be a manifest, but for its name or that of its folder, which begins with a dot.
    Hidden,
    /// Nothing for a cluster.
    Other,
}

/// Names of files that source-controller leaves out by default (`fluxcd/pkg` sourceignore, `ExcludeCI`, `ExcludeExtra`) and
/// that one could take for a manifest's; the hidden ones nobody does.
const DROPPED: [&str; 4] = ["appveyor.yml", "cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml"];

/// Whether a text has what every object has: enough to say that somebody may miss it.
pub fn looks_like_a_manifest(text: &str) -> bool {
    ["apiVersion:", "kind:"].iter().all(|key| text.lines().any(|line| line.starts_with(key)))
}

/// The part of a file, by its path below the folder. Its extension counts with its case, as in Flux's generator.
pub fn role(path: &str) -> Role {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_yaml = |extension: &str| ["yaml", "yml"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if name == ".sourceignore" {
        return Role::Ignore;
    }
    if path.split('/').any(|part| part.starts_with('.')) {
        return if is_yaml(extension) { Role::Hidden } else { Role::Other };
    }
    match name {
        "kustomization.yaml" | "kustomization.yml" | "Kustomization" => Role::Kustomization,
        name if DROPPED.contains(&name) => Role::Dropped,
        _ => match extension {
            "yaml" | "yml" => Role::Manifest,
            "json" => Role::Json,
            other if is_yaml(other) => Role::Misnamed,
            _ => Role::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, looks_like_a_manifest, role};

    #[test]
    fn by_name() {
        for (path, expected) in [
            ("a.yaml", Role::Manifest),
            ("x/y/a.yml", Role::Manifest),
            ("a.YAML", Role::Misnamed),
            ("x/a.Yml", Role::Misnamed),
            ("yaml", Role::Other),
            ("x/.sourceignore", Role::Ignore),
            ("a.json", Role::Json),
            ("readme.md", Role::Other),
            ("x/kustomization.yaml", Role::Kustomization),
            ("Kustomization", Role::Kustomization),
            ("x/cloudbuild.yaml", Role::Dropped),
            (".gitlab-ci.yml", Role::Hidden),
            (".github/workflows/a.yaml", Role::Hidden),
            (".x/readme.md", Role::Other),
        ] {
            assert_eq!(role(path), expected, "{path}");
        }
    }

    #[test]
    fn not_everything_in_yaml_is_a_manifest() {
        assert!(looks_like_a_manifest("# x\napiVersion: v1\nkind: Service\n"));
        assert!(!looks_like_a_manifest("jobs: {}\n  apiVersion: v1\n  kind: x\n"));
    }
}
