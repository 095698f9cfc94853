//! Each rule of Flux's catalog and of `flux plugin install`, with an input that breaks it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use flate2::Compression;
use flate2::write::GzEncoder;
use runway_dist::flux::{Manifest, catalog_problems, extract, problems};
use runway_dist::sha256;
use tar::{EntryType, Header};

const GOOD: &str = "\
apiVersion: cli.fluxcd.io/v1beta1
kind: Plugin
name: runway
description: Short
homepage: https://example.com
source: https://example.com/source
bin: flux-runway
versions:
  - version: 1.2.3
    platforms:
      - os: linux
        arch: amd64
        url: https://example.com/a.tar.gz
        checksum: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
";

const CATALOG: &str = "\
apiVersion: cli.fluxcd.io/v1beta1
kind: PluginCatalog
plugins:
  - name: runway
    description: Short
    homepage: https://example.com
    source: https://example.com/source
    license: MIT
";

/// An older version, to stand behind the good one.
fn older(version: &str) -> String {
    let second = GOOD.split("versions:\n").nth(1).unwrap();
    GOOD.to_owned() + &second.replace("version: 1.2.3", &format!("version: {version}"))
}

#[test]
fn good_ones_have_no_problem() {
    assert_eq!(problems(GOOD), Vec::<String>::new());
    assert_eq!(problems(&older("1.2.3-rc.1")), Vec::<String>::new());
    assert_eq!(problems(&older("0.9.0")), Vec::<String>::new());
    assert_eq!(catalog_problems(CATALOG, GOOD), Vec::<String>::new());
}

#[test]
fn each_rule_of_the_manifest_can_fail() {
    for (part, instead, expected) in [
        ("v1beta1", "v1", "apiVersion must be"),
        ("kind: Plugin", "kind: PluginCatalog", "kind must be Plugin"),
        ("name: runway", "name: Runway", "not a plugin's name"),
        ("name: runway", "name: 2runway", "not a plugin's name"),
        ("name: runway", "name: reconcile", "a command of flux itself"),
        ("bin: flux-runway", "bin: kubectl-runway", "bin must be flux-runway"),
        ("bin: flux-runway", "bin: bin/flux-runway", "bin must be flux-runway"),
        ("description: Short", "description: \"\"", "there must be a description"),
        ("homepage: https", "homepage: http", "homepage must be an https address"),
        ("source: https", "source: http", "source must be an https address"),
        ("version: 1.2.3", "version: v1.2.3", "a version is"),
        ("version: 1.2.3", "version: 1.2.3+build", "a version is"),
        ("version: 1.2.3", "version: \"1.2\"", "a version is"),
        ("os: linux", "os: freebsd", "not a system that Flux knows"),
        ("arch: amd64", "arch: arm", "not a system that Flux knows"),
        ("url: https", "url: http", "url must be an https address"),
        ("a.tar.gz", "a.tar.xz", "url must end with"),
        ("sha256:aaaaaaaa", "aaaaaaaa", "checksum must be"),
        ("sha256:aaaaaaaa", "sha256:AAAAAAAA", "checksum must be"),
        ("sha256:aaaaaaaa", "sha512:aaaaaaaa", "checksum must be"),
        // Each is required, and nothing else is known.
        ("kind: Plugin\n", "", "kind"),
        ("homepage: https://example.com\n", "", "homepage"),
        ("        arch: amd64\n", "", "arch"),
        ("description: Short", "description: Short\nlicense: MIT", "license"),
        ("arch: amd64", "arch: amd64\n        bin: x", "bin"),
    ] {
        let text = GOOD.replacen(part, instead, 1);
        assert_ne!(text, GOOD, "{part} is not there");
        let found = problems(&text);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{instead}: {found:?}");
        assert!(Manifest::read(&text).is_err());
    }
    let head = GOOD.split("versions:").next().unwrap();
    assert_eq!(problems(&format!("{head}versions: []\n")), ["there must be a version"]);
    assert_eq!(problems(&format!("{head}versions: [{{version: 1.0.0, platforms: []}}]\n")), ["1.0.0: there must be a platform"]);
    for wrong in ["1.2.3", "1.3.0"] {
        assert_eq!(problems(&older(wrong)), ["versions must stand from the newest to the oldest, each once"], "{wrong}");
    }
    let platform = GOOD.split("platforms:\n").nth(1).unwrap();
    assert_eq!(problems(&format!("{GOOD}{platform}")), ["1.2.3: twice: linux/amd64"]);
}

#[test]
fn each_rule_of_the_catalog_can_fail() {
    for (part, instead, expected) in [
        ("kind: PluginCatalog", "kind: Plugin", "must be a PluginCatalog"),
        ("description: Short", "description: Other", "differ"),
        ("license: MIT", "license: \"\"", "there must be a license"),
        ("    license: MIT\n", "", "license"),
        ("license: MIT", "license: MIT\n    bin: x", "bin"),
    ] {
        let found = catalog_problems(&CATALOG.replacen(part, instead, 1), GOOD);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{instead}: {found:?}");
    }
    let none = CATALOG.split("plugins:").next().unwrap();
    assert_eq!(
        catalog_problems(&format!("{none}plugins: []\n"), GOOD),
        ["there must be one plugin, as there is one manifest: 0"]
    );
}

fn raw(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, content) in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name.get_mut(..name.len()).unwrap().copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("elsewhere").unwrap();
        }
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn extracted(archive: &[u8]) -> Result<Vec<u8>, String> {
    let manifest = Manifest::read(GOOD).unwrap();
    let mut platform = manifest.platform("linux", "amd64").unwrap().clone();
    platform.checksum = format!("sha256:{}", sha256(archive));
    extract(&manifest, &platform, archive)
}

#[test]
fn the_first_regular_file_of_that_name_is_taken() {
    let file = EntryType::Regular;
    let program: (&str, EntryType, &[u8]) = ("flux-runway", file, b"program");
    assert_eq!(extracted(&raw(&[("LICENSE", file, b"MIT"), program])).unwrap(), b"program");
    assert_eq!(extracted(&raw(&[("release/flux-runway", file, b"nested")])).unwrap(), b"nested");
    // What is not a regular file inside the archive is passed over.
    for other in [
        ("flux-runway", EntryType::Symlink),
        ("flux-runway", EntryType::Link),
        ("flux-runway/", EntryType::Directory),
        ("../flux-runway", file),
        ("/flux-runway", file),
    ] {
        assert_eq!(extracted(&raw(&[(other.0, other.1, b""), program])).unwrap(), b"program", "{other:?}");
        let error = extracted(&raw(&[(other.0, other.1, b"")])).unwrap_err();
        assert_eq!(error, "binary flux-runway not found in archive", "{other:?}");
    }
    assert!(extracted(&raw(&[("kubectl-runway", file, b"x")])).unwrap_err().contains("not found"));
    assert!(extracted(b"\x7fELF").unwrap_err().contains("failed to read the archive"));
    let manifest = Manifest::read(GOOD).unwrap();
    let platform = manifest.platform("linux", "amd64").unwrap();
    assert!(extract(&manifest, platform, b"other").unwrap_err().contains("checksum verification failed"));
    assert!(manifest.platform("linux", "arm64").is_none());
}
