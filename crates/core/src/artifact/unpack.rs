//! The bytes of a layer to a tree, with limits: the bytes come from a registry and may be hostile.

use super::size::MAX_UNPACKED;
use super::tree::Tree;
use crate::problem::{Class, Problem};
use std::cell::Cell;
use std::io::{self, Read};

/// Bounds for a layer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes after decompression, headers included.
    pub bytes: u64,
    /// Entries.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: MAX_UNPACKED, entries: 200_000 }
    }
}

/// A reader that says when it was stopped: the archive's own words for that are about an unexpected end.
struct Bounded<'a, R> {
    inner: R,
    left: u64,
    stopped: &'a Cell<bool>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let Some(left) = self.left.checked_sub(count as u64) else {
            self.stopped.set(true);
            return Err(io::Error::other("too large"));
        };
        self.left = left;
        Ok(count)
    }
}

/// The files of a gzip'ed tar; links and devices are skipped, as Flux skips them.
pub fn layer(bytes: &[u8], limits: Limits) -> Result<Tree, Problem> {
    let stopped = Cell::new(false);
    let fault = |cause: String| {
        let cause = if stopped.get() { format!("it unpacks to more than {} MiB", limits.bytes >> 20) } else { cause };
        Problem::new(Class::Registry, "the layer cannot be unpacked").cause(cause)
    };
    let inner = flate2::read::MultiGzDecoder::new(bytes);
    let mut archive = tar::Archive::new(Bounded { inner, left: limits.bytes, stopped: &stopped });
    let mut tree = Tree::new();
    for (n, entry) in archive.entries().map_err(|error| fault(error.to_string()))?.enumerate() {
        let mut entry = entry.map_err(|error| fault(error.to_string()))?;
        if n >= limits.entries {
            return Err(fault(format!("it has more than {} entries", limits.entries)));
        }
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path =
            String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| fault("a file's name is no UTF-8".to_owned()))?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| fault(error.to_string()))?;
        let path = path.strip_prefix("./").unwrap_or(&path);
        tree.insert(path, content).map_err(|problem| fault(problem.to_string()))?;
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::{Limits, layer};
    use crate::artifact::{Tree, pack};

    #[test]
    fn round_trip() {
        let mut tree = Tree::new();
        tree.insert("production/inventory.yaml", b"a: 1\n".to_vec()).unwrap();
        assert_eq!(layer(&pack::gzip(&pack::tar(&tree)), Limits::default()).unwrap(), tree);
    }

    #[test]
    fn a_bomb_is_bounded() {
        let mut tree = Tree::new();
        tree.insert("zero", vec![0; 4 << 20]).unwrap();
        let bomb = pack::gzip(&pack::tar(&tree));
        assert!(bomb.len() < 64 << 10);
        let problem = layer(&bomb, Limits { bytes: 1 << 20, entries: 10 }).unwrap_err();
        assert!(problem.to_string().contains("it unpacks to more than 1 MiB"), "{problem}");
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(layer(b"", Limits::default()).is_err());
        assert!(layer(b"not gzip at all", Limits::default()).is_err());
        assert!(
            layer(&pack::gzip(b"not a tar, but long enough to be read as a header".repeat(20).as_slice()), Limits::default())
                .is_err()
        );
    }
}
