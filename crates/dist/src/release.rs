//! Which files a release has, and what is in them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use semver::Version;

use crate::archive::{Effort, File, Kind, entries, pack};
use crate::sha256;
use crate::targets::{Catalog, Target};

/// What stands for the checksum of an archive that is not released yet: of the right form, and nothing's checksum, so that
/// both installers refuse whatever they get.
pub const NO_CHECKSUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An archive of a release.
#[derive(Debug, Clone)]
pub struct Archive {
    /// Whose it is.
    pub catalog: Catalog,
    /// What it is for.
    pub target: Target,
    /// Its file's name.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The texts that are packed with each program: the name in the archive, and the file in the repository. The program carries
/// parts of Flux's CRDs: whoever gets it gets their license and the note on what was changed, too.
pub const TEXTS: [(&str, &str); 3] = [
    ("LICENSE", "LICENSE"),
    ("LICENSE-Apache-2.0", "crates/core/schemas/LICENSE-Apache-2.0"),
    ("NOTICE", "crates/core/schemas/NOTICE"),
];

/// What stands in the files of [`TEXTS`], in that order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts(pub [Vec<u8>; TEXTS.len()]);

impl Texts {
    /// Reads them below the repository's root.
    ///
    /// # Errors
    ///
    /// Names the file that cannot be read.
    pub fn read(repository: &Path) -> io::Result<Self> {
        let mut texts = Self([const { Vec::new() }; TEXTS.len()]);
        for (text, (_, path)) in texts.0.iter_mut().zip(TEXTS) {
            *text =
                std::fs::read(repository.join(path)).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
        }
        Ok(texts)
    }
}

/// A build, and what is packed with it.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// Without `v`.
    pub version: &'a str,
    /// What it was built for.
    pub target: Target,
    /// The program's file.
    pub program: &'a [u8],
    /// The licenses.
    pub texts: &'a Texts,
    /// The time of all files, in seconds since 1970.
    pub time: u64,
}

impl Build<'_> {
    /// The archive for a catalog: the program under the catalog's name, and the licenses. krew's index demands ours; neither
    /// catalog minds further files.
    ///
    /// # Errors
    ///
    /// When it cannot be packed.
    pub fn archive(&self, catalog: Catalog, effort: Effort) -> io::Result<Archive> {
        let program = format!("{}{}", catalog.program(), self.target.exe());
        let texts = TEXTS.iter().zip(&self.texts.0).map(|((name, _), content)| File { name, program: false, content });
        let files: Vec<File<'_>> = texts.chain([File { name: &program, program: true, content: self.program }]).collect();
        let bytes = pack(&files, self.time, effort)?;
        Ok(Archive { catalog, target: self.target, name: catalog.archive(self.version, self.target), bytes })
    }
}

/// What an archive must hold, and nothing else: names and permissions, in their order.
pub fn contents(catalog: Catalog, target: Target) -> Vec<(String, u32)> {
    let texts = TEXTS.iter().map(|(name, _)| ((*name).to_owned(), 0o644));
    texts.chain([(format!("{}{}", catalog.program(), target.exe()), 0o755)]).collect()
}

/// Lists an archive, when it holds just that.
///
/// # Errors
///
/// When it holds something else, or an owner, or its files are of different times.
pub fn listed(archive: &[u8], catalog: Catalog, target: Target) -> Result<String, String> {
    let entries = entries(archive).map_err(|error| error.to_string())?;
    let found: Vec<(String, u32)> = entries.iter().map(|entry| (entry.name.clone(), entry.mode)).collect();
    let list = found.iter().map(|(name, mode)| format!("{mode:o} {name}")).collect::<Vec<_>>().join(", ");
    let time = entries.first().map(|entry| entry.time);
    let plain = entries.iter().all(|entry| entry.kind == Kind::File && entry.owner == (0, 0) && Some(entry.time) == time);
    if found == contents(catalog, target) && plain { Ok(list) } else { Err(format!("it holds something else: {list}")) }
}

/// Checksums by the archives' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums(BTreeMap<String, String>);

impl Checksums {
    /// Reads lines as `sha256sum` writes them; `#` begins a comment.
    ///
    /// # Errors
    ///
    /// Names the line that is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut sums = BTreeMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let (sum, name) = line.split_once("  ").ok_or_else(|| format!("not a line of sha256sum: {line}"))?;
            if !is_sha256(sum) || name.is_empty() {
                return Err(format!("not a line of sha256sum: {line}"));
            }
            if sums.insert(name.to_owned(), sum.to_owned()).is_some() {
                return Err(format!("twice: {name}"));
            }
        }
        Ok(Self(sums))
    }

    /// Adds an archive.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        self.0.insert(name.to_owned(), sha256(bytes));
    }

    /// The checksum of this archive.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The text of a catalog's checksums file, in the order of names.
    pub fn text(&self, catalog: Catalog) -> String {
        let own = format!("{}_", catalog.program());
        let lines = self.0.iter().filter(|(name, _)| name.starts_with(&own));
        lines.fold(String::new(), |text, (name, sum)| text + sum + "  " + name + "\n")
    }

    /// All versions that have archives here, the newest first.
    ///
    /// # Errors
    ///
    /// Names a file whose name has no version in it.
    pub fn versions(&self) -> Result<Vec<Version>, String> {
        let mut found = BTreeSet::new();
        for name in self.0.keys() {
            let version = name.split('_').nth(1).and_then(|version| Version::parse(version).ok());
            found.insert(version.ok_or_else(|| format!("no archive of a release: {name}"))?);
        }
        Ok(found.into_iter().rev().collect())
    }

    /// Those of another list that are of none of our versions: what was released before stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Self::versions`].
    pub fn with_older(&self, other: &Self) -> Result<Self, String> {
        let own = self.versions()?;
        let is_own = |name: &str| name.split('_').nth(1).is_some_and(|one| own.iter().any(|version| version.to_string() == one));
        let older = other.0.iter().filter(|(name, _)| !is_own(name)).map(|(name, sum)| (name.clone(), sum.clone()));
        Ok(Self(self.0.clone().into_iter().chain(older).collect()))
    }

    /// The text of the file that is committed: every release, the newest first, both catalogs' archives of each.
    ///
    /// # Errors
    ///
    /// As [`Self::versions`].
    pub fn history(&self) -> Result<String, String> {
        let mut text = HISTORY.to_owned();
        for version in self.versions()? {
            let infix = format!("_{version}_");
            text.push('\n');
            let lines = self.0.iter().filter(|(name, _)| name.contains(&infix));
            text.extend(lines.map(|(name, sum)| format!("{sum}  {name}\n")));
        }
        Ok(text)
    }
}

/// The head of the committed file.
const HISTORY: &str = "\
# The archives of all releases, the newest first, as `sha256sum` lists them. The release job prints this file anew, with its own
# archives on top; what was released before is never changed. Prereleases stay out.
";

/// Whether this is a SHA-256 in lower-case hexadecimal digits.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
