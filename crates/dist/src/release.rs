//! Which files a release has, and what is in them.

use std::collections::BTreeMap;
use std::io;

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

/// A build, and what is packed with it.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// Without `v`.
    pub version: &'a str,
    /// What it was built for.
    pub target: Target,
    /// The program's file.
    pub program: &'a [u8],
    /// The license's text.
    pub license: &'a [u8],
    /// The time of all files, in seconds since 1970.
    pub time: u64,
}

impl Build<'_> {
    /// The archive for a catalog: the program under the catalog's name, and the license, which krew's index demands.
    ///
    /// # Errors
    ///
    /// When it cannot be packed.
    pub fn archive(&self, catalog: Catalog, effort: Effort) -> io::Result<Archive> {
        let program = format!("{}{}", catalog.program(), self.target.exe());
        let files = [
            File { name: &program, program: true, content: self.program },
            File { name: "LICENSE", program: false, content: self.license },
        ];
        let bytes = pack(&files, self.time, effort)?;
        Ok(Archive { catalog, target: self.target, name: catalog.archive(self.version, self.target), bytes })
    }
}

/// What an archive must hold, and nothing else: names and permissions, in their order.
pub fn contents(catalog: Catalog, target: Target) -> [(String, u32); 2] {
    [("LICENSE".to_owned(), 0o644), (format!("{}{}", catalog.program(), target.exe()), 0o755)]
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

    /// The version of the release, when there are archives: the one in their names.
    pub fn version(&self) -> Option<&str> {
        self.0.keys().next()?.split('_').nth(1)
    }
}

/// Whether this is a SHA-256 in lower-case hexadecimal digits.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
