//! What a release build needs beyond a Rust toolchain, got by package name into the user's cache, beside the test bed.
//!
//! zig compiles and links for Linux's musl, from Python's registry. Where the toolchain has no standard library for a target, and
//! rustup cannot add one, Debian's compiler comes with the library's source. qemu runs what is built for another processor.
//! Each lies in a folder named by its version; the packages are unpacked there, not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use runway_testkit::bed;
use runway_testkit::command::mortal;

/// The linker and the C compiler: Python's `ziglang`, and what calls it for cargo.
const ZIG: &str = "0.17.1";
const ZIGBUILD: &str = "0.24.0";

/// What is started instead of Debian's rustc: it lies elsewhere than it was built for.
const WRAPPER: &str = r#"#!/bin/sh
root=$(dirname "$0")
for lib in "$root"/usr/lib/*-linux-gnu; do
    LD_LIBRARY_PATH="$lib" exec "$root/usr/bin/rustc" --sysroot "$root/usr" "$@"
done
"#;

/// The cache.
#[derive(Debug)]
pub(super) struct Tools {
    folder: PathBuf,
}

/// Debian's compiler.
#[derive(Debug, Clone)]
pub(super) struct DebianRust {
    /// Where it is unpacked; `rustc` in it is what is called.
    pub(super) folder: PathBuf,
}

/// zig and cargo-zigbuild.
#[derive(Debug, Clone)]
pub(super) struct Zig {
    /// A virtual environment.
    pub(super) folder: PathBuf,
}

impl Tools {
    /// The user's cache.
    pub(super) fn new() -> Result<Self, String> {
        let cache = bed::cache().map_err(|trouble| trouble.to_string())?;
        Ok(Self { folder: cache.join("tools/dist") })
    }

    /// Where the tools lie.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// zig and cargo-zigbuild, in the pinned versions.
    pub(super) fn zig(&self) -> Result<Zig, String> {
        let folder = self.folder.join(format!("zig-{ZIG}-{ZIGBUILD}"));
        let ready = folder.join("complete");
        if !ready.is_file() {
            fresh(&folder)?;
            println!("dist: getting cargo-zigbuild {ZIGBUILD} and ziglang {ZIG} from Python's registry");
            said(mortal(Path::new("python3")).arg("-m").arg("venv").arg(&folder))?;
            let packages = [format!("cargo-zigbuild=={ZIGBUILD}"), format!("ziglang=={ZIG}")];
            let mut pip = mortal(&folder.join("bin/pip"));
            said(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
            fs::write(&ready, "").map_err(|error| format!("{}: {error}", ready.display()))?;
        }
        Ok(Zig { folder })
    }

    /// Debian's compiler and the standard library's source.
    pub(super) fn debian_rust(&self) -> Result<DebianRust, String> {
        let wanted = Package::candidate("rustc-web")?;
        let folder = self.folder.join(format!("rust-{}", wanted.folder_name()));
        let rustc = folder.join("rustc");
        if !rustc.is_file() {
            println!("dist: getting Debian's rustc-web {} and its library's source (about 140 MB)", wanted.version);
            let release: Vec<&str> = wanted.version.split('.').take(2).collect();
            let library = Package::candidate(&format!("libstd-rust-web-{}", release.join(".")))?;
            let llvm = library.depends.iter().find(|name| name.starts_with("libllvm")).cloned();
            let llvm = llvm.ok_or_else(|| format!("{} depends on no libllvm", library.name))?;
            let packages =
                [&wanted.name, &library.name, &llvm, "libstd-rust-web-dev", "rust-web-src"].map(|name: &str| name.to_owned());
            unpack(&packages, &folder)?;
            fs::write(&rustc, WRAPPER).map_err(|error| format!("{}: {error}", rustc.display()))?;
            make_executable(&rustc)?;
        }
        Ok(DebianRust { folder })
    }

    /// What runs programs for this processor (in Go's words).
    pub(super) fn qemu(&self, arch: &str) -> Result<PathBuf, String> {
        let processor = if arch == "arm64" { "aarch64" } else { "x86_64" };
        let installed = ["static", ""].map(|suffix| format!("qemu-{processor}-{suffix}").trim_end_matches('-').to_owned());
        if let Some(found) = installed.iter().find_map(|name| on_path(name)) {
            return Ok(found);
        }
        // Since Debian 13 the programs of the plain package are the static ones.
        let wanted = Package::candidate("qemu-user-static").or_else(|_| Package::candidate("qemu-user"))?;
        let folder = self.folder.join(format!("qemu-{}", wanted.folder_name()));
        let program = folder.join(format!("qemu-{processor}"));
        if !program.is_file() {
            println!("dist: getting Debian's {} {}", wanted.name, wanted.version);
            let unpacked = PathBuf::from(format!("{}.all", folder.display()));
            unpack(std::slice::from_ref(&wanted.name), &unpacked)?;
            fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            // The rest of the package is for thirty other processors.
            let from = installed.iter().map(|name| unpacked.join("usr/bin").join(name)).find(|file| file.is_file());
            let from = from.ok_or_else(|| format!("{} {} has no qemu for {processor}", wanted.name, wanted.version))?;
            fs::rename(&from, &program).map_err(|error| format!("{}: {error}", from.display()))?;
            fs::remove_dir_all(&unpacked).map_err(|error| format!("{}: {error}", unpacked.display()))?;
        }
        Ok(program)
    }
}

/// A package that apt can get.
struct Package {
    name: String,
    version: String,
    depends: Vec<String>,
}

impl Package {
    /// What apt would install; its lists are fetched when it knows nothing and may.
    fn candidate(name: &str) -> Result<Self, String> {
        if let Some(package) = Self::known(name) {
            return Ok(package);
        }
        let update = said(Command::new("apt-get").args(["update", "-qq"]));
        Self::known(name).ok_or_else(|| {
            let why = update.err().map(|error| format!(" ({error})")).unwrap_or_default();
            format!("apt has no package {name}{why}")
        })
    }

    fn known(name: &str) -> Option<Self> {
        let output = Command::new("apt-cache").args(["show", "--no-all-versions", name]).stdin(Stdio::null()).output().ok()?;
        Self::parse(name, &String::from_utf8_lossy(&output.stdout))
    }

    /// Reads what `apt-cache show` prints.
    fn parse(name: &str, text: &str) -> Option<Self> {
        let field = |field: &str| text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
        let version = field("Version")?.to_owned();
        let depends = field("Depends").unwrap_or_default().split(", ").filter_map(|one| one.split(' ').next());
        Some(Self { name: name.to_owned(), version, depends: depends.map(str::to_owned).collect() })
    }

    /// Its version without the epoch, which has a colon.
    fn folder_name(&self) -> &str {
        self.version.split_once(':').map_or(&self.version, |(_, version)| version)
    }
}

/// Downloads packages and unpacks them into a folder, which is there only when all went well.
fn unpack(packages: &[String], folder: &Path) -> Result<(), String> {
    // Beside it, with a name of its own: a version has dots.
    let unfinished = PathBuf::from(format!("{}.unfinished", folder.display()));
    fresh(&unfinished)?;
    let debs = unfinished.join("debs");
    fs::create_dir_all(&debs).map_err(|error| format!("{}: {error}", debs.display()))?;
    // Without its own user, who may not write into this folder.
    let mut apt = mortal(Path::new("apt-get"));
    said(apt.args(["download", "-qq", "-o", "APT::Sandbox::User=root"]).args(packages).current_dir(&debs))?;
    for entry in fs::read_dir(&debs).map_err(|error| format!("{}: {error}", debs.display()))? {
        let deb = entry.map_err(|error| error.to_string())?.path();
        said(mortal(Path::new("dpkg-deb")).arg("-x").arg(&deb).arg(&unfinished))?;
    }
    fs::remove_dir_all(&debs).map_err(|error| format!("{}: {error}", debs.display()))?;
    fresh(folder)?;
    fs::rename(&unfinished, folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Takes away what an earlier try left, and makes the folder above.
fn fresh(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {error}", folder.display())),
        _ => {}
    }
    let above = folder.parent().unwrap_or(folder);
    fs::create_dir_all(above).map_err(|error| format!("{}: {error}", above.display()))
}

/// Runs a program; when it fails, what it said.
fn said(command: &mut Command) -> Result<(), String> {
    let shown = format!("{} {}", command.get_program().display(), arguments(command));
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{shown}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()))
}

fn arguments(command: &Command) -> String {
    command.get_args().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn make_executable(file: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::Package;

    #[test]
    fn a_package_is_read_as_apt_prints_it() {
        let text = "Package: libx\nVersion: 1:2.3-4~deb12u1\nDepends: libc6 (>= 2.34), libllvm22, a | b\nPre-Depends: no\n";
        let package = Package::parse("libx", text).unwrap();
        assert_eq!((package.folder_name(), package.version.as_str()), ("2.3-4~deb12u1", "1:2.3-4~deb12u1"));
        assert_eq!(package.depends, ["libc6", "libllvm22", "a"]);
        assert!(Package::parse("libx", "").is_none());
    }
}
