//! The CRDs of Flux's two kinds as its releases ship them: what each release serves, and what it accepts.
//!
//! `cargo xtask schemas flux` takes them out of Flux's own Go modules and reduces them to `crates/core/schemas`; the NOTICE
//! there says from which versions.

use super::{KUSTOMIZATION, OCI_REPOSITORY};
use crate::problem::Problem;
use serde_json::Value;
use std::fmt;
use std::sync::OnceLock;

/// The newest release that is known, as [`Release`] writes it.
pub const NEWEST: &str = "2.10";

/// A minor release of Flux 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(u16);

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2.{}", self.0)
    }
}

impl Release {
    /// Every release that is known, oldest first.
    pub const ALL: [Self; 5] = [Self(6), Self(7), Self(8), Self(9), Self(10)];

    /// The newest one.
    pub const fn newest() -> Self {
        Self(10)
    }

    /// Reads `2.9`, `v2.9` or `2.9.4`; the patch level changes nothing.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = parts.next().unwrap_or_default();
        let minor = parts.next().and_then(|minor| minor.parse().ok());
        let patch = parts.next().is_none_or(|patch| patch.parse::<u16>().is_ok());
        let found = minor.filter(|_| major == "2" && patch && parts.next().is_none()).map(Self);
        found.filter(|release| Self::ALL.contains(release)).ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(Self::to_string).collect();
            Problem::usage(format!("the Flux version '{text}' is not known")).cause(format!("known are {}", known.join(", ")))
        })
    }

    /// Whether it serves a version of one of the two kinds.
    pub fn serves(self, kind: &str, version: &str) -> bool {
        SHIPPED.iter().any(|crd| crd.is(self, kind, version))
    }

    /// The newest release that serves a version of a kind.
    pub fn newest_serving(kind: &str, version: &str) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|release| release.serves(kind, version))
    }

    /// Whether an undefined `${variable}` fails the build instead of becoming nothing (`StrictPostBuildSubstitutions`,
    /// kustomize-controller 1.9).
    pub fn substitutes_strictly(self) -> bool {
        self >= Self(9)
    }

    /// The schema of a version of a kind, without its status.
    pub fn schema(self, kind: &str, version: &str) -> Option<&'static Value> {
        let crd = SHIPPED.iter().find(|crd| crd.is(self, kind, version))?;
        // A file that cannot be read would be a fault of the build; the test below reads them all.
        Some(crd.file.schema.get_or_init(|| serde_json::from_str(crd.file.text).unwrap_or_default()))
    }
}

/// One version of a kind in a release.
struct Crd {
    release: Release,
    kind: &'static str,
    version: &'static str,
    file: &'static File,
}

impl Crd {
    fn is(&self, release: Release, kind: &str, version: &str) -> bool {
        self.release == release && self.kind == kind && self.version == version
    }
}

/// A file, read when first used.
struct File {
    text: &'static str,
    schema: OnceLock<Value>,
}

macro_rules! files {
    ($($name:ident = $path:literal;)*) => {
        $(static $name: File = File { text: include_str!(concat!("../../schemas/", $path)), schema: OnceLock::new() };)*
    };
}

files! {
    SOURCE_2_6 = "2.6/ocirepository-v1.json";
    SOURCE_2_6_BETA = "2.6/ocirepository-v1beta2.json";
    SOURCE_2_7 = "2.7/ocirepository-v1.json";
    SOURCE_2_7_BETA = "2.7/ocirepository-v1beta2.json";
    SOURCE_2_8 = "2.8/ocirepository-v1.json";
    SOURCE_2_9 = "2.9/ocirepository-v1.json";
    SOURCE_2_10 = "2.10/ocirepository-v1.json";
    KUSTOMIZATION_2_6 = "2.6/kustomization-v1.json";
    KUSTOMIZATION_2_6_FIRST = "2.6/kustomization-v1beta1.json";
    KUSTOMIZATION_2_6_BETA = "2.6/kustomization-v1beta2.json";
    KUSTOMIZATION_2_7 = "2.7/kustomization-v1.json";
    KUSTOMIZATION_2_7_BETA = "2.7/kustomization-v1beta2.json";
    KUSTOMIZATION_2_8 = "2.8/kustomization-v1.json";
    KUSTOMIZATION_2_9 = "2.9/kustomization-v1.json";
    KUSTOMIZATION_2_10 = "2.10/kustomization-v1.json";
}

const fn source(minor: u16, version: &'static str, file: &'static File) -> Crd {
    Crd { release: Release(minor), kind: OCI_REPOSITORY, version, file }
}

const fn kustomization(minor: u16, version: &'static str, file: &'static File) -> Crd {
    Crd { release: Release(minor), kind: KUSTOMIZATION, version, file }
}

/// What each release serves.
static SHIPPED: [Crd; 15] = [
    source(6, "v1", &SOURCE_2_6),
    source(6, "v1beta2", &SOURCE_2_6_BETA),
    kustomization(6, "v1", &KUSTOMIZATION_2_6),
    kustomization(6, "v1beta1", &KUSTOMIZATION_2_6_FIRST),
    kustomization(6, "v1beta2", &KUSTOMIZATION_2_6_BETA),
    source(7, "v1", &SOURCE_2_7),
    source(7, "v1beta2", &SOURCE_2_7_BETA),
    kustomization(7, "v1", &KUSTOMIZATION_2_7),
    kustomization(7, "v1beta2", &KUSTOMIZATION_2_7_BETA),
    source(8, "v1", &SOURCE_2_8),
    kustomization(8, "v1", &KUSTOMIZATION_2_8),
    source(9, "v1", &SOURCE_2_9),
    kustomization(9, "v1", &KUSTOMIZATION_2_9),
    source(10, "v1", &SOURCE_2_10),
    kustomization(10, "v1", &KUSTOMIZATION_2_10),
];

/// Every schema that is shipped, each once per release that is judged by it.
pub fn all() -> impl Iterator<Item = (Release, &'static str, &'static str, &'static Value)> {
    SHIPPED.iter().filter_map(|crd| Some((crd.release, crd.kind, crd.version, crd.release.schema(crd.kind, crd.version)?)))
}

#[cfg(test)]
mod tests {
    use super::{NEWEST, Release, all};
    use crate::flux::{KUSTOMIZATION, OCI_REPOSITORY};

    #[test]
    fn releases_are_read_as_people_write_them() {
        for text in ["2.9", "v2.9", "2.9.4", "v2.9.0"] {
            assert_eq!(Release::parse(text).unwrap().to_string(), "2.9", "{text}");
        }
        for text in ["", "2", "3.9", "2.5", "2.11", "2.9.x", "2.9.1.1", "latest"] {
            assert!(Release::parse(text).is_err(), "{text}");
        }
        assert_eq!(Release::newest().to_string(), NEWEST);
        assert_eq!(Release::ALL.last(), Some(&Release::newest()));
    }

    #[test]
    fn v1beta2_ends_with_2_7() {
        assert_eq!(Release::newest_serving(OCI_REPOSITORY, "v1beta2").unwrap().to_string(), "2.7");
        assert_eq!(Release::newest_serving(OCI_REPOSITORY, "v1"), Some(Release::newest()));
        assert_eq!(Release::newest_serving(KUSTOMIZATION, "v1"), Some(Release::newest()));
        assert_eq!(Release::newest_serving(KUSTOMIZATION, "v3"), None);
    }

    #[test]
    fn each_release_is_judged_by_its_own_fields() {
        let knows = |minor: u16, field: &str| {
            Release(minor).schema(KUSTOMIZATION, "v1").unwrap().pointer(&format!("/properties/spec/properties/{field}")).is_some()
        };
        assert!(!knows(6, "ignoreMissingComponents") && knows(7, "ignoreMissingComponents"));
        assert!(Release(6).serves(KUSTOMIZATION, "v1beta1") && !Release(7).serves(KUSTOMIZATION, "v1beta1"));
    }

    #[test]
    fn every_file_is_a_schema_of_a_spec() {
        let mut count = 0;
        for (release, kind, version, schema) in all() {
            assert!(schema.pointer("/properties/spec/properties/interval").is_some(), "{release} {kind} {version}");
            assert!(schema.pointer("/properties/status").is_none());
            count += 1;
        }
        assert_eq!(count, 15);
    }
}
