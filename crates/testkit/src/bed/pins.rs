//! The pins of `tests/testbed`: which parts are built from which modules, and the hash that names a build.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::trouble::{Context as _, Result, Trouble};

/// Counts up when `build.rs` changes what it makes of the same pins.
const RECIPE: u32 = 1;

/// All parts of the bed, and the hash over everything that defines them.
#[derive(Debug)]
pub struct Pins {
    /// The parts, by name.
    pub(crate) parts: Vec<Part>,
    /// Hexadecimal.
    pub(crate) hash: String,
}

/// One folder of `tests/testbed`: pinned by its go.mod and go.sum, described by its `part` file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// Over everything that defines this part alone.
    pub(crate) hash: String,
    /// Programs: name and Go package.
    pub(crate) programs: Vec<(String, String)>,
    pub(crate) linker_flags: Vec<String>,
    /// Modules whose `config/crd/bases` is kept.
    pub(crate) crds: Vec<String>,
    /// Build in a copy of this module's folder.
    pub(crate) source: Option<String>,
    /// Files to add to that copy.
    pub(crate) placeholders: Vec<String>,
}

impl Pins {
    /// Reads `tests/testbed` below the workspace's root.
    ///
    /// # Errors
    ///
    /// When a file cannot be read or a `part` file says something unknown.
    pub fn read(workspace: &Path, go_version: &str) -> Result<Self> {
        let root = workspace.join("tests/testbed");
        let mut all = Sha256::new();
        let mut parts = Vec::new();
        for folder in sorted(&root)?.into_iter().filter(|path| path.join("part").is_file()) {
            let mut hash = Sha256::new();
            hash.update(format!("recipe {RECIPE}\n{}\n", go_version.trim()));
            for file in sorted(&folder)? {
                let shown = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
                let bytes = fs::read(&file).context(|| file.display().to_string())?;
                hash.update(format!("{shown} {}\n", bytes.len()));
                hash.update(bytes);
            }
            let part = Part { hash: short(hash), ..Part::read(&folder)? };
            all.update(format!("{} {}\n", part.name, part.hash));
            parts.push(part);
        }
        if parts.is_empty() {
            return Err(Trouble::new(format!("{} holds no part of the test bed", root.display())));
        }
        Ok(Self { parts, hash: short(all) })
    }

    /// Where the programs of these pins are kept.
    ///
    /// # Errors
    ///
    /// When the user has no home folder.
    pub fn folder(&self) -> Result<PathBuf> {
        Ok(cache()?.join("testbed").join(&self.hash))
    }

    /// The names of all programs that a build gives.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|part| part.programs.iter().map(|(name, _)| name.as_str()))
    }
}

impl Part {
    fn read(folder: &Path) -> Result<Self> {
        let file = folder.join("part");
        let text = fs::read_to_string(&file).context(|| file.display().to_string())?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut part = Self::parse(&text).context(|| file.display().to_string())?;
        part.name = name;
        folder.clone_into(&mut part.folder);
        Ok(part)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut part = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.trim().to_owned();
            match (word, rest.split_once(' ')) {
                ("bin", Some((name, package))) => part.programs.push((name.to_owned(), package.trim().to_owned())),
                ("ldflags", _) => part.linker_flags.push(rest),
                ("crds", None) => part.crds.push(rest),
                ("source", None) => part.source = Some(rest),
                ("placeholder", None) => part.placeholders.push(rest),
                _ => return Err(Trouble::new(format!("not understood: {line}"))),
            }
        }
        if part.programs.is_empty() {
            return Err(Trouble::new("no `bin` line"));
        }
        Ok(part)
    }
}

/// What `go version` says; `None` where there is no Go.
pub fn go_version() -> Option<String> {
    let output = Command::new("go").arg("version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Our folder of the user's cache, for what takes long to build or to get.
///
/// # Errors
///
/// When the user has no home folder.
pub fn cache() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .ok_or_else(|| Trouble::new("neither XDG_CACHE_HOME nor HOME is set"))?;
    Ok(cache.join("kubectl-runway"))
}

/// Short enough for a folder's name.
fn short(hash: Sha256) -> String {
    let mut hex = String::new();
    for byte in hash.finalize().iter().take(8) {
        let _infallible = write!(hex, "{byte:02x}");
    }
    hex
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).context(|| folder.display().to_string())?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.context(|| folder.display().to_string())?.path());
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bed(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join("tests/testbed").join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        root
    }

    fn hash(files: &[(&str, &str)], go: &str) -> String {
        Pins::read(bed(files).path(), go).expect("good pins").hash
    }

    #[test]
    fn the_hash_covers_every_pin_and_the_go_version_and_nothing_else() {
        let part = ("a/part", "bin x example.com/x\n");
        let base = hash(&[part, ("a/go.mod", "1")], "go1");
        assert_eq!(base.len(), 16);
        assert_eq!(base, hash(&[part, ("a/go.mod", "1")], "go1\n"));
        assert_eq!(base, hash(&[part, ("a/go.mod", "1"), ("README.md", "words")], "go1"));
        assert_ne!(base, hash(&[part, ("a/go.mod", "2")], "go1"));
        assert_ne!(base, hash(&[part, ("a/go.mod", "1")], "go2"));
        assert_ne!(base, hash(&[part, ("a/go.mod", ""), ("a/go.sum", "1")], "go1"));
        assert_ne!(base, hash(&[("b/part", part.1), ("b/go.mod", "1")], "go1"));
    }

    #[test]
    fn a_part_keeps_its_hash_when_another_joins() {
        let (one, two) = (("a/part", "bin x example.com/x\n"), ("b/part", "bin y example.com/y\n"));
        let alone = Pins::read(bed(&[one]).path(), "go1").expect("good pins");
        let both = Pins::read(bed(&[one, two]).path(), "go1").expect("good pins");
        assert_ne!(alone.hash, both.hash);
        assert_eq!(alone.parts[0].hash, both.parts[0].hash);
        assert_ne!(both.parts[0].hash, both.parts[1].hash);
    }

    #[test]
    fn a_part_is_read_line_by_line() {
        let part = Part::parse("# why\nsource m/v2\nplaceholder a/b.yaml\nbin x ./cmd/x\n\nldflags -X a=b -X c=d\ncrds m\n")
            .expect("good");
        assert_eq!(
            part,
            Part {
                programs: vec![("x".to_owned(), "./cmd/x".to_owned())],
                linker_flags: vec!["-X a=b -X c=d".to_owned()],
                crds: vec!["m".to_owned()],
                source: Some("m/v2".to_owned()),
                placeholders: vec!["a/b.yaml".to_owned()],
                ..Part::default()
            }
        );
        assert!(Part::parse("bni x y").is_err());
        assert!(Part::parse("# nothing").is_err());
    }

    #[test]
    fn the_real_pins_are_complete() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let pins = Pins::read(&root, "go").expect("good pins");
        let mut programs: Vec<_> = pins.programs().collect();
        programs.sort_unstable();
        let expected = [
            "etcd",
            "flux",
            "helm",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubectl",
            "kustomize-controller",
            "kwok",
            "oras",
            "registry",
            "source-controller",
        ];
        assert_eq!(programs, expected);
        for part in &pins.parts {
            assert!(part.folder.join("go.sum").is_file(), "{} has no go.sum", part.name);
        }
    }
}
