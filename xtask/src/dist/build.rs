//! Builds the program for a target, in the way that this machine has.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use runway_dist::targets::Target;
use runway_testkit::command::mortal;

use super::tools::{DebianRust, Tools, Zig};
use crate::folders;

/// How a program is built.
#[derive(Debug)]
pub(super) enum Way {
    /// Through zig, with the toolchain's standard library for the target.
    Zig(Zig),
    /// Through zig, with Debian's compiler, and the standard library built from its source.
    WithLibrary(Zig, DebianRust),
}

impl Way {
    /// In words.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Zig(_) => "with the toolchain's library",
            Self::WithLibrary(..) => "with Debian's compiler",
        }
    }
}

/// Builds programs.
#[derive(Debug)]
pub(super) struct Builder {
    tools: Tools,
    cargo_home: PathBuf,
}

impl Builder {
    pub(super) fn new() -> Result<Self, String> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cargo_home = set("CARGO_HOME").or_else(|| Some(set("HOME")?.join(".cargo")));
        Ok(Self { tools: Tools::new()?, cargo_home: cargo_home.ok_or("neither CARGO_HOME nor HOME is set")? })
    }

    pub(super) fn tools(&self) -> &Tools {
        &self.tools
    }

    /// How this machine can build for a target, or why it cannot.
    pub(super) fn way(&self, target: Target) -> Result<Way, String> {
        let host = std::env::consts::OS;
        match (target.os, host) {
            ("linux", "linux") if has_library(target) => Ok(Way::Zig(self.tools.zig()?)),
            ("linux", "linux") => {
                let rust = self.tools.debian_rust();
                let rust =
                    rust.map_err(|why| format!("the toolchain has no std for {} (rustup target add), and {why}", target.triple))?;
                Ok(Way::WithLibrary(self.tools.zig()?, rust))
            }
            ("darwin", _) => {
                Err("its programs are linked with Apple's SDK: the job build-darwin in .gitlab-ci.yml does it".to_owned())
            }
            ("windows", _) => {
                Err("its programs are linked with Microsoft's linker: the job build-windows in .gitlab-ci.yml does it".to_owned())
            }
            _ => Err(format!("it is built on Linux, this is {host}")),
        }
    }

    /// Builds for some targets in one way, side by side: the last steps of a build keep one processor busy.
    pub(super) fn build(&self, targets: &[Target], way: &Way) -> Result<(), String> {
        let mut command = Self::command(way)?;
        command.args(["--locked", "--release", "--package", "kubectl-runway", "--bin", "kubectl-runway"]);
        command.args(targets.iter().flat_map(|target| ["--target", target.triple]));
        command.arg("--target-dir").arg(folder()).current_dir(folders::workspace()).stdin(Stdio::null());
        command.env("CARGO_ENCODED_RUSTFLAGS", self.flags(way).join("\x1f"));
        // What cargo says of xtask, whose child this is, is not said of the program.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "RUST_BACKTRACE" {
                command.env_remove(name);
            }
        }
        let names: Vec<String> = targets.iter().map(Target::to_string).collect();
        println!("dist: building for {}", names.join(" and "));
        let status = command.status().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        if status.success() { Ok(()) } else { Err(format!("the build ended with {status}")) }
    }

    /// The file of a built program.
    pub(super) fn program(target: Target) -> PathBuf {
        folder().join(target.triple).join("release").join(format!("kubectl-runway{}", target.exe()))
    }

    fn command(way: &Way) -> Result<Command, String> {
        let (Way::Zig(zig) | Way::WithLibrary(zig, _)) = way;
        let bin = zig.folder.join("bin");
        let mut command = mortal(&bin.join("cargo-zigbuild"));
        command.arg("zigbuild");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path)));
        command.env("PATH", path.map_err(|error| error.to_string())?);
        for name in ["CARGO_ZIGBUILD_CACHE_DIR", "ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"] {
            command.env(name, zig.folder.join("cache"));
        }
        if let Way::WithLibrary(_, rust) = way {
            let here = here(rust)?;
            // A stable compiler may build its own standard library only when it is told to be another.
            command.env("RUSTC", here.join("rustc")).env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_abort");
        }
        Ok(command)
    }

    /// So that no folder of this machine is in the program, and the same source gives the same bytes wherever it lies.
    fn flags(&self, way: &Way) -> Vec<String> {
        let mut flags = Vec::new();
        if let Way::WithLibrary(..) = way {
            // Debian's compiler carries no start files of musl; zig does.
            flags.push("-Clink-self-contained=no".to_owned());
        }
        // The last that fits counts: cargo's home may lie inside the workspace.
        let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
        flags.push(remap(&folders::workspace(), "."));
        flags.push(remap(&self.cargo_home, "/cargo"));
        if let Way::WithLibrary(_, rust) = way {
            flags.push(remap(&folder().join(RUST), "/rust"));
            flags.push(remap(&rust.folder, "/rust"));
        }
        flags
    }

    /// Folders of this machine that must not be named in a program.
    pub(super) fn hidden(&self, way: &Way) -> Vec<String> {
        let mut hidden = vec![folders::workspace(), self.cargo_home.clone(), self.tools.folder().to_owned()];
        if let Way::WithLibrary(_, rust) = way {
            hidden.push(rust.folder.clone());
        }
        hidden.extend(std::env::var_os("HOME").map(PathBuf::from));
        // A short one is part of other words.
        hidden.iter().map(|folder| format!("{}/", folder.display())).filter(|folder| folder.len() > 3).collect()
    }
}

fn folder() -> PathBuf {
    folders::target().join("dist-build")
}

/// The compiler, as a link below [`folder`]: cargo names the crates of the library by where they lie, counted from the workspace, and
/// the program's bytes depend on these names. So they do not depend on where the user's cache is.
const RUST: &str = "rust";

fn here(rust: &DebianRust) -> Result<PathBuf, String> {
    let link = folder().join(RUST);
    let at = |error: std::io::Error| format!("{}: {error}", link.display());
    if std::fs::read_link(&link).is_ok_and(|to| to == rust.folder) {
        return Ok(link);
    }
    std::fs::create_dir_all(folder()).map_err(at)?;
    match std::fs::remove_file(&link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(error)),
        _ => {}
    }
    std::os::unix::fs::symlink(&rust.folder, &link).map_err(at)?;
    Ok(link)
}

/// Whether the toolchain has the standard library for a target.
fn has_library(target: Target) -> bool {
    let output =
        Command::new("rustc").args(["--print", "target-libdir", "--target", target.triple]).stdin(Stdio::null()).output();
    let Ok(output) = output else { return false };
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|file| file.file_name()).any(|name| name.to_string_lossy().starts_with("libstd-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use runway_dist::targets::TARGETS;

    #[test]
    fn what_is_not_built_here_has_its_job() {
        let ci = std::fs::read_to_string(folders::workspace().join(".gitlab-ci.yml")).unwrap();
        let builder = Builder::new().unwrap();
        for target in TARGETS.into_iter().filter(|target| target.os != "linux") {
            let reason = builder.way(target).unwrap_err();
            let job = format!("build-{}", target.os);
            assert!(reason.contains(&job), "{reason}");
            let (_, job) = ci.split_once(&format!("\n{job}:\n")).unwrap();
            assert!(job.split("\n\n").next().unwrap().contains(target.triple), "{job}");
        }
    }

    #[test]
    fn folders_of_this_machine_are_named_otherwise_or_not_at_all() {
        let tools = Tools::new().unwrap();
        let inside = folders::workspace().join(".cache/cargo");
        let builder = Builder { tools, cargo_home: inside.clone() };
        let rust = DebianRust { folder: "/cache/rust".into() };
        let way = Way::WithLibrary(Zig { folder: "/cache/zig".into() }, rust);
        let flags = builder.flags(&way);
        let at = |end: &str| flags.iter().position(|flag| flag.ends_with(end)).unwrap();
        // rustc takes the last that fits, and cargo's home is inside the workspace here.
        assert!(at("=.") < at("=/cargo"), "{flags:?}");
        for folder in [folders::workspace(), inside, "/cache/rust".into()] {
            let folder = format!("{}/", folder.display());
            assert!(builder.hidden(&way).contains(&folder), "{folder}");
        }
    }
}
