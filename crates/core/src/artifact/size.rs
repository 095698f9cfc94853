//! How large an artifact may become. Flux has no limit; what is written has to be read again, to say whether it is what runs, and
//! to see what the next push changes.

use super::pack;
use super::tree::Tree;

/// The largest blob that is read, in bytes: a layer is unpacked in memory.
pub const MAX_BLOB: u64 = 16 << 20;
/// The largest layer after decompression, headers included: an inventory of 200,000 workloads.
pub const MAX_UNPACKED: u64 = 128 << 20;
/// What gzip may add to something that it cannot compress, and more.
const SPARE: u64 = 64 << 10;
/// The tar's headers of a file, its fill, and the folder above it.
const ENTRY: u64 = 4 << 10;

/// Why a layer of so many bytes could not be read again.
pub fn packed_fault(bytes: u64) -> Option<String> {
    let most = MAX_BLOB >> 20;
    (bytes > MAX_BLOB).then(|| format!("it is too large: {bytes} bytes, packed; more than {most} MiB could not be read again"))
}

/// Why a tree could not be read again as an artifact. It is packed only when it is large enough for the question.
pub fn fault(tree: &Tree) -> Option<String> {
    let rough: u64 = tree.files().map(|(_, content)| content.len() as u64 + ENTRY).sum();
    if rough + SPARE <= MAX_BLOB {
        return None;
    }
    let tar = pack::tar(tree);
    let bytes = tar.len() as u64;
    if bytes > MAX_UNPACKED {
        let most = MAX_UNPACKED >> 20;
        return Some(format!("it is too large: {bytes} bytes, unpacked; more than {most} MiB could not be read again"));
    }
    packed_fault(pack::gzip(&tar).len() as u64)
}

#[cfg(test)]
mod tests {
    use super::{MAX_BLOB, MAX_UNPACKED, fault, packed_fault};
    use crate::artifact::{Tree, unpack};

    fn tree(content: Vec<u8>) -> Tree {
        let mut tree = Tree::new();
        tree.insert("a.yaml", content).unwrap();
        tree
    }

    /// Bytes that no packer makes smaller.
    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        (0..bytes / 8).flat_map(|_| next()).collect()
    }

    #[test]
    fn what_can_be_read_again_is_fine_and_nothing_else() {
        let largest = usize::try_from(MAX_BLOB).unwrap();
        assert_eq!((packed_fault(MAX_BLOB), packed_fault(MAX_BLOB + 1).is_some()), (None, true));
        for (content, is_fine) in [(noise(largest - (128 << 10)), true), (noise(largest), false)] {
            let tree = tree(content);
            let said = fault(&tree);
            assert_eq!(said.is_none(), is_fine, "{said:?}");
            assert!(is_fine || said.unwrap_or_default().contains("packed; more than 16 MiB"));
        }
        // What packs well is refused only for what it unpacks to, as the reader does.
        assert_eq!(fault(&tree(vec![b'a'; largest + 1])), None);
        assert_eq!(unpack::Limits::default().bytes, MAX_UNPACKED);
        let said = fault(&tree(vec![b'a'; usize::try_from(MAX_UNPACKED).unwrap()])).unwrap_or_default();
        assert!(said.contains("unpacked; more than 128 MiB"), "{said}");
    }
}
