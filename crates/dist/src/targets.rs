//! What is built, and how the files of a release are called.

use std::fmt;

/// One system that releases are made for, in Go's words, which both catalogs use, and as Rust's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// `linux`, `darwin` or `windows`.
    pub os: &'static str,
    /// `amd64` or `arm64`.
    pub arch: &'static str,
    /// Rust's name.
    pub triple: &'static str,
}

/// All systems, in the order in which Flux's catalog lists them.
pub const TARGETS: [Target; 5] = [
    Target { os: "darwin", arch: "amd64", triple: "x86_64-apple-darwin" },
    Target { os: "darwin", arch: "arm64", triple: "aarch64-apple-darwin" },
    Target { os: "linux", arch: "amd64", triple: "x86_64-unknown-linux-musl" },
    Target { os: "linux", arch: "arm64", triple: "aarch64-unknown-linux-musl" },
    Target { os: "windows", arch: "amd64", triple: "x86_64-pc-windows-msvc" },
];

impl Target {
    /// The target with this Rust name, or this `os_arch`.
    pub fn find(name: &str) -> Option<Self> {
        TARGETS.into_iter().find(|target| target.triple == name || target.to_string() == name)
    }

    /// What programs' names end with.
    pub fn exe(&self) -> &'static str {
        if self.os == "windows" { ".exe" } else { "" }
    }
}

/// As in the names of archives.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.os, self.arch)
    }
}

/// A catalog of plugins. Each has archives of its own: krew links the file that its manifest names, while Flux's installer looks
/// for a file called as the plugin will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Catalog {
    /// kubectl's.
    Krew,
    /// The flux command's.
    Flux,
}

/// Both.
pub const CATALOGS: [Catalog; 2] = [Catalog::Krew, Catalog::Flux];

impl Catalog {
    /// The program's name in this catalog's archives, without `.exe`.
    pub fn program(self) -> &'static str {
        match self {
            Self::Krew => "kubectl-runway",
            Self::Flux => "flux-runway",
        }
    }

    /// The name of an archive.
    pub fn archive(self, version: &str, target: Target) -> String {
        format!("{}_{version}_{target}.tar.gz", self.program())
    }

    /// The name of the file with the archives' checksums.
    pub fn checksums(self, version: &str) -> String {
        format!("{}_{version}_checksums.txt", self.program())
    }
}
