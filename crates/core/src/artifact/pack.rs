//! A tree to a gzip'ed tar, as Flux's own packer writes it.
//!
//! Source: `fluxcd/pkg` tar/tar.go and Go's `archive/tar`: ustar headers, entry `.` first, folders without a slash at the
//! end, modes 0755 and 0644, no owner, no time, two empty blocks at the end. The tar's bytes equal Flux's; the
//! compressed ones cannot, since no two deflate writers agree, so `miniz_oxide` is pinned and used directly: through
//! `flate2` another crate of the tree could switch the compressor and with it every digest.

use super::tree::Tree;

const BLOCK: usize = 512;

/// The tar, uncompressed.
pub fn tar(tree: &Tree) -> Vec<u8> {
    let mut out = Vec::new();
    entry(&mut out, ".", None);
    for (name, content) in tree.entries() {
        entry(&mut out, &name, content);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

/// The gzip stream of `data`: level 6, no name, no time, system "unknown".
pub fn gzip(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    out.extend(miniz_oxide::deflate::compress_to_vec(data, 6));
    let mut crc = flate2::Crc::new();
    crc.update(data);
    out.extend(crc.sum().to_le_bytes());
    // RFC 1952: the size modulo 2^32.
    #[expect(clippy::cast_possible_truncation, reason = "the format says modulo 2^32")]
    out.extend((data.len() as u32).to_le_bytes());
    out
}

fn entry(out: &mut Vec<u8>, name: &str, content: Option<&[u8]>) {
    let split = if name.is_ascii() { split_name(name) } else { None };
    let (prefix, short) = split.unwrap_or_else(|| {
        pax(out, name);
        ("", name)
    });
    let ascii: String = short.chars().filter(char::is_ascii).take(100).collect();
    let (mode, size, kind) = content.map_or((0o755, 0, b'5'), |content| (0o644, content.len(), b'0'));
    header(out, (prefix, &ascii), mode, size, kind);
    if let Some(content) = content {
        body(out, content);
    }
}

/// Writes data and fills the last block.
fn body(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// An extended header for a name that ustar cannot hold (Go's `writePAXHeader`).
fn pax(out: &mut Vec<u8>, name: &str) {
    let (dir, base) = name.rsplit_once('/').unwrap_or(("", name));
    let ascii = |text: &str| text.chars().filter(char::is_ascii).collect::<String>();
    let full = if dir.is_empty() {
        format!("PaxHeaders.0/{}", ascii(base))
    } else {
        format!("{}/PaxHeaders.0/{}", ascii(dir), ascii(base))
    };
    let cut: String = full.chars().take(100).collect();
    let record = pax_record("path", name);
    header(out, ("", &cut), 0, record.len(), b'x');
    body(out, record.as_bytes());
}

/// `<length> path=<name>\n`, where the length counts itself.
fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut size = rest + rest.to_string().len();
    if size.to_string().len() != rest.to_string().len() {
        size = rest + size.to_string().len();
    }
    format!("{size} {key}={value}\n")
}

/// Prefix and name, when the name fits into ustar's two fields.
fn split_name(name: &str) -> Option<(&str, &str)> {
    if name.len() <= 100 {
        return Some(("", name));
    }
    // Go's splitUSTARPath: the last slash that leaves at most 155 bytes before and 100 after it.
    let end = name.len().min(156);
    let at = name.get(..end)?.rfind('/')?;
    let (prefix, rest) = (name.get(..at)?, name.get(at + 1..)?);
    (!prefix.is_empty() && !rest.is_empty() && rest.len() <= 100).then_some((prefix, rest))
}

fn header(out: &mut Vec<u8>, (prefix, name): (&str, &str), mode: u32, size: usize, kind: u8) {
    let mut block = [0_u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(field) = block.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    };
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    // Go leaves the device fields of an extended header empty.
    if kind != b'x' {
        put(329, b"0000000\0");
        put(337, b"0000000\0");
    }
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    if let Some(field) = block.get_mut(148..156) {
        field.copy_from_slice(sum.as_bytes());
    }
    out.extend_from_slice(&block);
}

#[cfg(test)]
mod tests {
    use super::{gzip, pax_record, tar};
    use crate::artifact::{Digest, Tree, unpack};

    #[test]
    fn equals_the_tar_that_flux_writes() {
        // Made by Flux's own packer from the same two files.
        let mut tree = Tree::new();
        tree.insert("production/a.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n".to_vec()).unwrap();
        tree.insert("production/b.yaml", b"x: 1\n".to_vec()).unwrap();
        let tar = tar(&tree);
        assert_eq!(tar.len(), 4096);
        let golden = "sha256:f97c60be3b74cde9715d24f605bf8a4f61c3d6c63dba01512ede8c37d702d64b";
        assert_eq!(Digest::of(&tar).as_str(), golden);
    }

    #[test]
    fn the_compressor_has_not_changed() {
        // The pinned compressor's bytes: a change here changes every digest that was ever published.
        let digest = Digest::of(&gzip("runway".repeat(1000).as_bytes()));
        assert_eq!(digest.as_str(), "sha256:77a4d3a4d8a49f34bda3f8d309419daf9d04b2e53e8fe04bf6f797dd8dbf168d");
    }

    #[test]
    fn long_and_foreign_names_come_back() {
        let mut tree = Tree::new();
        let long = format!("{}/{}.yaml", "d".repeat(90), "f".repeat(90));
        let longer = format!("{}.yaml", "g".repeat(150));
        for path in [long.as_str(), longer.as_str(), "ä/日本.yaml", "plain.yaml"] {
            tree.insert(path, path.as_bytes().to_vec()).unwrap();
        }
        let back = unpack::layer(&gzip(&tar(&tree)), unpack::Limits::default()).unwrap();
        assert_eq!(back, tree);
    }

    #[test]
    fn pax_length_counts_itself() {
        for n in [1, 86, 87, 88, 89, 90, 985, 986, 987, 988, 989, 990] {
            let record = pax_record("path", &"x".repeat(n));
            let size: usize = record.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(size, record.len());
        }
    }
}
