//! Archives: the same files give the same bytes, on every machine and at any time.
//!
//! tar in gzip, for Windows too: both installers unpack it everywhere. In it are nothing but regular files, since krew refuses
//! links and Flux skips them.

use std::io::{self, Read as _};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

/// A file to pack.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its name at the archive's root.
    pub name: &'a str,
    /// Whether it is a program.
    pub program: bool,
    /// What is in it.
    pub content: &'a [u8],
}

impl File<'_> {
    fn mode(&self) -> u32 {
        if self.program { 0o755 } else { 0o644 }
    }
}

/// How much work goes into the compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// As small as can be: for releases.
    Most,
    /// As quick as can be: for tests, whose programs are large.
    Least,
}

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name as it stands in the archive.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its permissions.
    pub mode: u32,
    /// Its time, in seconds since 1970.
    pub time: u64,
    /// The numbers of its user and group.
    pub owner: (u64, u64),
    /// What is in it.
    pub content: Vec<u8>,
}

/// The kind of an entry, as far as an installer cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic or hard link, a device and the like.
    Other,
}

/// Packs files. They are sorted by name; all have this time (seconds since 1970) and no owner.
///
/// # Errors
///
/// When a name is too long for the format.
pub fn pack(files: &[File<'_>], time: u64, effort: Effort) -> io::Result<Vec<u8>> {
    let mut files = files.to_vec();
    files.sort_by_key(|file| file.name);
    let level = if effort == Effort::Most { Compression::best() } else { Compression::fast() };
    // Neither a name nor a time in gzip's header.
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), level);
    let mut tar = tar::Builder::new(gzip);
    for file in &files {
        let mut header = Header::new_ustar();
        header.set_path(file.name)?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(file.mode());
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time);
        header.set_size(file.content.len() as u64);
        header.set_cksum();
        tar.append(&header, file.content)?;
    }
    tar.into_inner()?.finish()
}

/// All entries, in their order.
///
/// # Errors
///
/// When the bytes, whatever their file is called, are no tar in gzip.
pub fn entries(bytes: &[u8]) -> io::Result<Vec<Entry>> {
    if !bytes.starts_with(&[0x1f, 0x8b, 8]) {
        return Err(io::Error::other("not gzip"));
    }
    let mut entries = Vec::new();
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let header = entry.header();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = match header.entry_type() {
            EntryType::Regular => Kind::File,
            EntryType::Directory => Kind::Folder,
            _ => Kind::Other,
        };
        let (mode, time, owner) = (header.mode()?, header.mtime()?, (header.uid()?, header.gid()?));
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        entries.push(Entry { name, kind, mode, time, owner, content });
    }
    Ok(entries)
}
