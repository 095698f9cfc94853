//! Archives hold what they should and nothing else, and the same files give the same bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use runway_dist::archive::{Effort, Entry, File, Kind, entries, pack};
use runway_dist::release::{Archive, Build, TEXTS, Texts, listed};
use runway_dist::targets::{CATALOGS, Catalog, TARGETS, Target};

const TIME: u64 = 1_700_000_000;

fn archives(target: Target, program: &[u8]) -> [Archive; 2] {
    let texts = Texts(["the license", "Apache's license", "the notice"].map(|text| text.as_bytes().to_vec()));
    let build = Build { version: "1.2.3", target, program, texts: &texts, time: TIME };
    CATALOGS.map(|catalog| build.archive(catalog, Effort::Most).unwrap())
}

#[test]
fn each_archive_has_the_program_and_the_licenses() {
    for target in TARGETS {
        let [krew, flux] = archives(target, b"the program");
        assert_eq!(krew.name, format!("kubectl-runway_1.2.3_{target}.tar.gz"));
        assert_eq!(flux.name, format!("flux-runway_1.2.3_{target}.tar.gz"));
        for (archive, program) in [(krew, "kubectl-runway"), (flux, "flux-runway")] {
            let file = |name: &str, mode, content: &[u8]| Entry {
                name: name.to_owned(),
                kind: Kind::File,
                mode,
                time: TIME,
                owner: (0, 0),
                content: content.to_vec(),
            };
            let program = format!("{program}{}", target.exe());
            let expected = [
                file("LICENSE", 0o644, b"the license"),
                file("LICENSE-Apache-2.0", 0o644, b"Apache's license"),
                file("NOTICE", 0o644, b"the notice"),
                file(&program, 0o755, b"the program"),
            ];
            assert_eq!(entries(&archive.bytes).unwrap(), expected, "{}", archive.name);
        }
    }
}

/// The program carries parts of Flux's CRDs, and their license has to go where they go.
#[test]
fn the_licenses_are_those_of_the_repository() {
    let texts = Texts::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap();
    for ((name, _), (text, words)) in
        TEXTS.iter().zip(texts.0.iter().zip(["MIT License", "Apache License", "Copyright The Flux authors"]))
    {
        assert!(String::from_utf8_lossy(text).contains(words), "{name}");
    }
    assert!(Texts::read(std::path::Path::new("/nonexistent")).unwrap_err().to_string().starts_with("LICENSE: "));
}

#[test]
fn an_archive_with_anything_else_is_no_release() {
    let target = TARGETS[2];
    let [krew, flux] = archives(target, b"x");
    assert_eq!(
        listed(&krew.bytes, Catalog::Krew, target).unwrap(),
        "644 LICENSE, 644 LICENSE-Apache-2.0, 644 NOTICE, 755 kubectl-runway"
    );
    assert_eq!(
        listed(&flux.bytes, Catalog::Flux, target).unwrap(),
        "644 LICENSE, 644 LICENSE-Apache-2.0, 644 NOTICE, 755 flux-runway"
    );
    let windows = archives(TARGETS[4], b"x");
    assert_eq!(
        listed(&windows[0].bytes, Catalog::Krew, TARGETS[4]).unwrap(),
        "644 LICENSE, 644 LICENSE-Apache-2.0, 644 NOTICE, 755 kubectl-runway.exe"
    );
    let [license, apache, notice] = TEXTS.map(|(name, _)| File { name, program: false, content: b"x" });
    let program = File { name: "kubectl-runway", program: true, content: b"x" };
    let more = File { name: "notes", program: false, content: b"x" };
    let whole = vec![license, apache, notice, program];
    assert!(listed(&pack(&whole, TIME, Effort::Least).unwrap(), Catalog::Krew, target).is_ok());
    let without = |name: &str| whole.iter().copied().filter(|file| file.name != name).collect::<Vec<_>>();
    for files in [
        without("kubectl-runway"),
        without("LICENSE"),
        without("NOTICE"),
        [&whole[..], &[more]].concat(),
        [&without("kubectl-runway")[..], &[File { program: false, ..program }]].concat(),
    ] {
        let error = listed(&pack(&files, TIME, Effort::Least).unwrap(), Catalog::Krew, target).unwrap_err();
        assert!(error.starts_with("it holds something else: "), "{error}");
    }
    assert!(listed(&flux.bytes, Catalog::Krew, target).is_err());
}

#[test]
fn packed_twice_the_bytes_are_the_same() {
    let program: Vec<u8> = (0..200_000_u32).flat_map(|number| (number ^ (number >> 3)).to_le_bytes()).collect();
    let once = archives(TARGETS[2], &program);
    let twice = archives(TARGETS[2], &program);
    for (a, b) in once.iter().zip(&twice) {
        assert_eq!(a.bytes, b.bytes, "{}", a.name);
    }
    let (a, b) = (File { name: "a", program: false, content: b"1" }, File { name: "b", program: true, content: b"2" });
    assert_eq!(
        pack(&[a, b], TIME, Effort::Most).unwrap(),
        pack(&[b, a], TIME, Effort::Most).unwrap(),
        "the order in which files are given counts for nothing"
    );
    assert_ne!(
        pack(&[a], TIME, Effort::Most).unwrap(),
        pack(&[a], TIME + 1, Effort::Most).unwrap(),
        "the time is the one that was given"
    );
    // Neither a time, a name nor a system in gzip's own header.
    assert_eq!(&pack(&[a], TIME, Effort::Most).unwrap()[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
}

#[test]
fn systems_are_found_by_both_names() {
    for target in TARGETS {
        assert_eq!(Target::find(target.triple), Some(target));
        assert_eq!(Target::find(&target.to_string()), Some(target));
    }
    assert_eq!(Target::find("linux_386"), None);
    assert_eq!(Catalog::Krew.checksums("1.2.3"), "kubectl-runway_1.2.3_checksums.txt");
}
