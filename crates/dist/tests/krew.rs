//! Each rule of krew's validator and installer, with an input that breaks it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "a test fails by panicking")]

use flate2::Compression;
use flate2::write::GzEncoder;
use runway_dist::archive::{Effort, File, pack};
use runway_dist::krew::{FileOperation, Manifest, install, problems};
use runway_dist::sha256;
use std::path::Path;
use tar::{EntryType, Header};

const GOOD: &str = "\
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: runway
spec:
  version: v1.2.3
  homepage: https://example.com
  shortDescription: Short
  description: Long
  platforms:
  - selector:
      matchLabels: {os: linux, arch: amd64}
    uri: https://example.com/a.tar.gz
    sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    bin: kubectl-runway
";

/// Another platform, for the rules about several.
const SECOND: &str = "  - selector:
      matchExpressions: [{key: os, operator: In, values: [darwin, linux]}]
    uri: https://example.com/b.tar.gz
    sha256: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    bin: kubectl-runway
";

#[test]
fn a_good_manifest_has_no_problem() {
    assert_eq!(problems("runway.yaml", GOOD), Vec::<String>::new());
    let darwin = GOOD.to_owned() + &SECOND.replace("[darwin, linux]", "[darwin]");
    assert_eq!(problems("runway.yaml", &darwin), Vec::<String>::new());
}

#[test]
fn each_rule_of_the_manifest_can_fail() {
    let long = "x".repeat(51);
    let wide = format!("description: {}", "word ".repeat(17));
    for (part, instead, expected) in [
        ("kind: Plugin", "kind: [", "line"),
        ("v1alpha2", "v1alpha1", "apiVersion must be"),
        ("kind: Plugin", "kind: plugin", "kind must be Plugin"),
        ("name: runway", "name: runaway", "metadata.name must be the file's"),
        ("version: v1.2.3", "version: 1.2.3", "version must be v"),
        ("version: v1.2.3", "version: v1.2", "version must be v"),
        ("version: v1.2.3", "version: v01.2.3", "version must be v"),
        ("  version: v1.2.3\n", "", "version must be v"),
        ("  shortDescription: Short\n", "", "there must be a shortDescription"),
        ("shortDescription: Short", "shortDescription: \"a\\nb\"", "must be one line"),
        ("shortDescription: Short", "shortDescription: \"a\\rb\"", "must be one line"),
        ("shortDescription: Short", &format!("shortDescription: {long}"), "more than 50 characters"),
        ("description: Long", &wide, "line of more than 80"),
        ("description: Long", &wide.replace("description", "caveats"), "line of more than 80"),
        ("  homepage: https://example.com\n", "", "there must be a homepage"),
        // krew would take these for fields that are not there.
        ("shortDescription: Short", "shortdescription: Short", "shortdescription"),
        ("    bin: kubectl-runway", "    bin: kubectl-runway\n    file: []", "file"),
        ("    uri: https://example.com/a.tar.gz\n", "", "uri must be"),
        ("uri: https://example.com", "uri: http://example.com", "uri must be"),
        ("aaaaaaaa\n", "aaaaaaaA\n", "sha256 must be"),
        ("aaaaaaaa\n", "aaaaaaa\n", "sha256 must be"),
        ("aaaaaaaa\n", "aaaaaaag\n", "sha256 must be"),
        ("    bin: kubectl-runway\n", "", "there must be a bin"),
        ("bin: kubectl-runway", "bin: kubectl-runway\n    files: []", "files must be absent or have an item"),
        ("bin: kubectl-runway", "bin: kubectl-runway\n    files: [{from: a, to: \"\"}]", "needs from and to"),
        ("bin: kubectl-runway", "bin: kubectl-runway\n    files: [{to: .}]", "needs from and to"),
        ("  - selector:\n      matchLabels: {os: linux, arch: amd64}\n    uri", "  - uri", "there must be a selector"),
        ("matchLabels: {os: linux, arch: amd64}", "{}", "the selector must not be empty"),
        ("matchLabels: {os: linux, arch: amd64}", "matchLabels: {}", "matchLabels must be absent"),
        ("{os: linux, arch: amd64}", "{os: linux}\n      matchExpressions: []", "matchExpressions must be absent"),
        ("{os: linux, arch: amd64}", "{os: linux, libc: musl}", "knows os and arch only: libc"),
        ("matchLabels: {os: linux, arch: amd64}", "matchExpressions: [{key: libc, operator: Exists}]", "only: libc"),
        ("arch: amd64", "arch: s390x", "matches no system"),
        ("matchLabels: {os: linux, arch: amd64}", "matchExpressions: [{key: os, operator: DoesNotExist}]", "matches no system"),
        ("os: linux", "os: windows", "ends with .exe"),
        ("os: linux, arch: amd64", "os: windows, arch: arm64", "ends with .exe"),
    ] {
        let text = GOOD.replacen(part, instead, 1);
        assert_ne!(text, GOOD, "{part} is not there");
        let found = problems("runway.yaml", &text);
        assert!(found.iter().any(|problem| problem.contains(expected)), "{instead}: {found:?}");
    }
    let none = GOOD.split("  platforms:").next().unwrap();
    assert_eq!(problems("runway.yaml", none), ["there must be a platform"]);
    assert_eq!(problems("runway.yaml", &(GOOD.to_owned() + SECOND)), ["2 platforms are for linux/amd64"]);
    assert!(Manifest::read("runway.yaml", none).is_err());
}

#[test]
fn names_are_those_that_every_system_can_have() {
    let named = |name: &str| problems(&format!("{name}.yaml"), &GOOD.replace("name: runway", &format!("name: {name}")));
    for good in ["run-way", "run_way", "Run2", "com10", "console"] {
        assert_eq!(named(good), Vec::<String>::new(), "{good}");
    }
    for bad in ["run.way", "run way", "rünway", "con", "PRN", "aux", "NUL", "com1", "LPT9"] {
        let found = named(bad);
        assert!(found.iter().any(|problem| problem.contains("not a plugin's name")), "{bad}: {found:?}");
    }
    for file in ["runway.yml", "runway"] {
        let found = problems(file, GOOD);
        assert!(found.iter().any(|problem| problem.contains("must end with .yaml")), "{found:?}");
    }
}

/// A tar.gz with headers as they are given; the names are written as they are, which `tar` itself would refuse.
fn raw(entries: &[(&str, EntryType, u32, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, kind, mode, content) in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name.get_mut(..name.len()).unwrap().copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_size(content.len() as u64);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("kubectl-runway").unwrap();
        }
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

const PROGRAM: (&str, EntryType, u32, &[u8]) = ("kubectl-runway", EntryType::Regular, 0o755, b"#!/bin/sh\necho ran as $0\n");
const LICENSE: (&str, EntryType, u32, &[u8]) = ("LICENSE", EntryType::Regular, 0o644, b"MIT");

/// Installs an archive by the good manifest, changed before.
fn installed(archive: &[u8], root: &Path, change: impl FnOnce(&mut Manifest)) -> Result<runway_dist::krew::Installed, String> {
    let mut manifest = Manifest::read("runway.yaml", GOOD).unwrap();
    manifest.spec.platforms[0].sha256 = sha256(archive);
    change(&mut manifest);
    let platform = manifest.platform("linux", "amd64").unwrap().clone();
    install(&manifest, &platform, archive, root)
}

#[test]
fn an_installed_plugin_is_a_link_that_runs() {
    let root = tempfile::tempdir().unwrap();
    let archive = raw(&[("pax_global_header", EntryType::Regular, 0, b"comment"), LICENSE, PROGRAM]);
    let done = installed(&archive, root.path(), |_| {}).unwrap();
    assert_eq!(done.link, root.path().join("bin/kubectl-runway"));
    assert!(done.link.is_symlink() && done.folder.join("LICENSE").is_file());
    let ran = std::process::Command::new(&done.link).output().unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), format!("ran as {}\n", done.link.display()));

    // A dash would begin a subcommand.
    let root = tempfile::tempdir().unwrap();
    let done = installed(&archive, root.path(), |manifest| manifest.metadata.name = "run-way".to_owned()).unwrap();
    assert_eq!(done.link, root.path().join("bin/kubectl-run_way"));
}

type Change = Box<dyn FnOnce(&mut Manifest)>;

#[test]
fn each_refusal_of_the_installer_can_happen() {
    let good = raw(&[LICENSE, PROGRAM]);
    let none = |_: &mut Manifest| {};
    let with = |entry| raw(&[LICENSE, PROGRAM, entry]);
    let plain = pack(&[File { name: "kubectl-runway", program: true, content: b"x" }], 0, Effort::Least).unwrap();
    let cases: Vec<(Vec<u8>, Change, &str)> = vec![
        (good.clone(), Box::new(|manifest| manifest.spec.platforms[0].sha256 = sha256(b"other")), "checksum does not match"),
        (b"\xfd7zXZ\0and so on".to_vec(), Box::new(none), "not an archive that is unpacked"),
        (b"\x7fELF a program by itself".to_vec(), Box::new(none), "not an archive that is unpacked"),
        (good[..good.len() / 2].to_vec(), Box::new(none), "not an archive that is unpacked"),
        (with(("link", EntryType::Symlink, 0o777, b"")), Box::new(none), "neither a file nor a folder: link"),
        (with(("hard", EntryType::Link, 0o755, b"")), Box::new(none), "neither a file nor a folder: hard"),
        (with(("pipe", EntryType::Fifo, 0o755, b"")), Box::new(none), "neither a file nor a folder: pipe"),
        (with(("../out", EntryType::Regular, 0o644, b"")), Box::new(none), "suspicious entry ../out"),
        (with(("a..b", EntryType::Regular, 0o644, b"")), Box::new(none), "suspicious entry a..b"),
        (with(("/etc/x", EntryType::Regular, 0o644, b"")), Box::new(none), "absolute entry /etc/x"),
        (with(("\\x", EntryType::Regular, 0o644, b"")), Box::new(none), "absolute entry \\x"),
        (plain, Box::new(none), "there is no license"),
        (raw(&[PROGRAM, ("LICENSE-MIT", EntryType::Regular, 0o644, b"")]), Box::new(none), "there is no license"),
        (raw(&[LICENSE]), Box::new(none), "bin is not in the archive"),
        (raw(&[LICENSE, ("kubectl-runway", EntryType::Regular, 0o644, b"")]), Box::new(none), "bin cannot be executed"),
        (good.clone(), Box::new(|manifest| manifest.spec.platforms[0].bin = "../../x".to_owned()), "bin leaves"),
        (good.clone(), Box::new(|manifest| manifest.spec.platforms[0].bin = "/bin/sh".to_owned()), "bin leaves"),
        (good.clone(), Box::new(files(&[("*.exe", ".")])), "nothing in the archive matches *.exe"),
        (good.clone(), Box::new(files(&[("*", "./a//b")])), "the path is not clean"),
        (good.clone(), Box::new(files(&[("*", "./a")])), "the path is not clean"),
        (good.clone(), Box::new(files(&[("*", "a/./b")])), "the path is not clean"),
        (good.clone(), Box::new(files(&[("*", "a/")])), "the path is not clean"),
        (good.clone(), Box::new(files(&[("*", "../out")])), "out of bounds"),
        (good.clone(), Box::new(files(&[("../*", ".")])), "out of bounds"),
        (good, Box::new(files(&[("kubectl-runway", ".")])), "there is no license"),
    ];
    for (archive, change, expected) in cases {
        let root = tempfile::tempdir().unwrap();
        let error = installed(&archive, root.path(), change).unwrap_err();
        assert!(error.contains(expected), "expected {expected}: {error}");
    }
}

fn files(operations: &[(&str, &str)]) -> impl FnOnce(&mut Manifest) + use<> {
    let operations =
        operations.iter().map(|(from, to)| FileOperation { from: (*from).to_owned(), to: (*to).to_owned() }).collect();
    move |manifest| manifest.spec.platforms[0].files = Some(operations)
}

#[test]
fn files_are_moved_as_they_say() {
    let archive = raw(&[
        ("release/", EntryType::Directory, 0o755, b""),
        ("release/kubectl-runway", EntryType::Regular, 0o755, b"x"),
        ("release/COPYING.txt", EntryType::Regular, 0o644, b"x"),
        ("release/notes", EntryType::Regular, 0o644, b"x"),
    ]);
    let root = tempfile::tempdir().unwrap();
    let change = files(&[("release/kubectl-*", "."), ("release/COPYING.txt", "doc/license")]);
    let done = installed(&archive, root.path(), change).unwrap();
    assert!(done.folder.join("kubectl-runway").is_file() && done.folder.join("doc/license").is_file());
    assert!(!done.folder.join("notes").exists() && !done.folder.join("release").exists());
}
