//! The committed manifests are what their templates give, and both catalogs would take them.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads files and fails by panicking")]

use runway_dist::release::{Checksums, NO_CHECKSUM};
use runway_dist::targets::{CATALOGS, Catalog, TARGETS};
use runway_dist::template::{self, Facts, Templates};
use runway_dist::{flux, krew};
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

/// Checksums of a whole release of this version.
fn release(version: &str) -> Checksums {
    let mut sums = Checksums::default();
    for (catalog, target) in CATALOGS.into_iter().flat_map(|catalog| TARGETS.map(|target| (catalog, target))) {
        let name = catalog.archive(version, target);
        sums.add(&name, name.as_bytes());
    }
    sums
}

fn both(sums: &Checksums) -> String {
    CATALOGS.iter().map(|catalog| sums.text(*catalog)).collect::<Vec<_>>().concat()
}

#[test]
fn the_committed_manifests_are_the_templates() {
    let (krew, flux) = (text("krew/runway.yaml.in"), text("plugin.yaml.in"));
    let templates = Templates { krew: &krew, flux: &flux };
    let files = template::committed(&templates, VERSION, REPOSITORY, &text("krew/checksums.txt")).unwrap();
    assert_eq!(files.len(), 3);
    for (name, content) in files {
        if std::env::var_os("RUNWAY_UPDATE").is_some() {
            std::fs::write(path(name), &content).unwrap();
        }
        assert_eq!(text(name), content, "{name} differs: run `cargo xtask manifests`");
    }
}

#[test]
fn both_catalogs_take_the_committed_manifests() {
    for name in ["krew/runway.yaml", "plugins/runway.yaml"] {
        let manifest = krew::Manifest::read("runway.yaml", &text(name)).unwrap();
        // Before a release all systems are named, and nothing can be installed; after it, all that it has.
        let released = manifest.is_released();
        assert!(released || manifest.spec.platforms.iter().all(|platform| platform.sha256 == NO_CHECKSUM), "{name}");
        assert!(released || text(name).starts_with(&format!("# {VERSION} is not released yet.")), "{name} does not say so");
    }
    let plugin = text("plugin.yaml");
    assert_eq!(flux::problems(&plugin), Vec::<String>::new());
    assert_eq!(flux::catalog_problems(&text("krew/catalog.yaml"), &plugin), Vec::<String>::new());
    assert_eq!(flux::Manifest::read(&plugin).unwrap().versions.first().unwrap().version, VERSION);
    assert_eq!(krew::Manifest::read("runway.yaml", &text("krew/runway.yaml")).unwrap().spec.version, format!("v{VERSION}"));
}

/// krew puts one file on PATH, and TAB needs another: who installs by krew is told so.
#[test]
fn krew_tells_how_to_get_completion() {
    for name in ["krew/runway.yaml", "plugins/runway.yaml"] {
        let manifest = krew::Manifest::read("runway.yaml", &text(name)).unwrap();
        assert!(manifest.spec.caveats.lines().any(|line| line.trim() == "kubectl runway completion install"), "{name}");
    }
}

/// Who has asked for `runway@0.9.0` gets it after 0.10.0, too.
#[test]
fn flux_finds_older_releases() {
    let (krew, flux) = (text("krew/runway.yaml.in"), text("plugin.yaml.in"));
    let templates = Templates { krew: &krew, flux: &flux };
    // A later patch of an older line, and a release that had Linux alone.
    let mut sums = release("0.9.0").with_older(&release("0.9.1")).unwrap().with_older(&release("0.10.0")).unwrap();
    sums.add("flux-runway_0.2.0_linux_amd64.tar.gz", b"x");
    let files = template::committed(&templates, "0.11.0", REPOSITORY, &sums.history().unwrap()).unwrap();
    let plugin = flux::Manifest::read(&files[1].1).unwrap();
    let versions: Vec<&str> = plugin.versions.iter().map(|one| one.version.as_str()).collect();
    assert_eq!(versions, ["0.11.0", "0.10.0", "0.9.1", "0.9.0", "0.2.0"], "as numbers, not as letters");
    for one in &plugin.versions {
        assert_eq!(one.platforms.len(), if one.version == "0.2.0" { 1 } else { TARGETS.len() }, "{}", one.version);
        for platform in &one.platforms {
            assert!(platform.url.contains(&format!("/kubectl-runway/{0}/flux-runway_{0}_", one.version)), "{}", platform.url);
            assert_eq!(platform.checksum.contains(NO_CHECKSUM), one.version == "0.11.0", "{}", one.version);
        }
    }
    let krew = krew::Manifest::read("runway.yaml", &files[2].1).unwrap();
    assert_eq!(krew.spec.version, "v0.10.0", "the newest release, which is not the one of the last letters");

    // Once released, a version is what it was.
    let again = sums.with_older(&Checksums::default()).unwrap();
    assert_eq!(again, sums);
    let mut other = Checksums::default();
    other.add("flux-runway_0.2.0_linux_amd64.tar.gz", b"changed");
    assert_eq!(sums.with_older(&other).unwrap(), sums);
    let early = release("0.12.0-rc.1").history().unwrap();
    let refused = template::committed(&templates, "0.12.0", REPOSITORY, &early).unwrap_err();
    assert_eq!(refused, "a prerelease is in no catalog: 0.12.0-rc.1");
}

#[test]
fn after_a_release_the_index_stays_with_it() {
    let (krew, flux) = (text("krew/runway.yaml.in"), text("plugin.yaml.in"));
    let templates = Templates { krew: &krew, flux: &flux };
    let sums = both(&release("0.9.0"));
    let same = template::committed(&templates, "0.9.0", REPOSITORY, &sums).unwrap();
    for (name, content) in &same {
        assert!(!content.contains(NO_CHECKSUM) && content.starts_with("# Release 0.9.0."), "{name}: {content}");
    }
    let next = template::committed(&templates, "0.10.0", REPOSITORY, &sums).unwrap();
    let [(_, krew), (_, flux), (index, plugins)] = next.as_slice() else { panic!("three files") };
    assert!(krew.contains("version: v0.10.0") && krew.contains(NO_CHECKSUM), "{krew}");
    assert!(flux.contains("version: 0.10.0") && flux.contains(NO_CHECKSUM), "{flux}");
    assert_eq!((*index, plugins), ("plugins/runway.yaml", &same.last().unwrap().1));
}

#[test]
fn a_release_names_what_it_has() {
    let template = text("krew/runway.yaml.in");
    let mut sums = Checksums::default();
    let render = |checksums: &Checksums| {
        let facts =
            Facts { version: "1.2.3", repository: REPOSITORY, url: "https://example.com/{version}", checksums, only_there: true };
        template::render(&template, Catalog::Krew, &facts)
    };
    assert!(render(&sums).unwrap_err().contains("no archive"));
    let name = Catalog::Krew.archive("1.2.3", TARGETS[2]);
    assert_eq!(name, "kubectl-runway_1.2.3_linux_amd64.tar.gz");
    sums.add(&name, b"content");
    let rendered = render(&sums).unwrap();
    let manifest = krew::Manifest::read("runway.yaml", &rendered).unwrap();
    let platform = manifest.platform("linux", "amd64").unwrap();
    assert_eq!(platform.uri, format!("https://example.com/1.2.3/{name}"));
    assert_eq!(platform.sha256, runway_dist::sha256(b"content"));
    assert_eq!(manifest.spec.platforms.len(), 1);
    assert!(manifest.platform("linux", "arm64").is_none());
}

#[test]
fn windows_programs_have_their_ending() {
    let sums = release("1.0.0");
    let facts =
        Facts { version: "1.0.0", repository: REPOSITORY, url: "https://example.com", checksums: &sums, only_there: true };
    let rendered = template::render(&text("krew/runway.yaml.in"), Catalog::Krew, &facts).unwrap();
    let manifest = krew::Manifest::read("runway.yaml", &rendered).unwrap();
    assert_eq!(manifest.platform("windows", "amd64").unwrap().bin, "kubectl-runway.exe");
    assert_eq!(manifest.platform("darwin", "arm64").unwrap().bin, "kubectl-runway");
}

#[test]
fn a_template_with_a_hole_is_refused() {
    let sums = Checksums::default();
    let facts = Facts { version: "1.0.0", repository: REPOSITORY, url: "https://x", checksums: &sums, only_there: false };
    for (template, error) in [
        ("a: {{versoin}}\n", "unknown word {{versoin}}"),
        ("a: {{sha256}}\n", "unknown word {{sha256}}"),
        ("a: {{version\n", "without }}"),
        ("{{#platforms}}\n- {{os}}\n", "without {{/platforms}}"),
        ("{{#versions}}\n- {{version}}\n", "without {{/versions}}"),
        ("- {{os}}\n{{/platforms}}\n", "unknown word {{os}}"),
    ] {
        let got = template::render(template, Catalog::Krew, &facts).unwrap_err();
        assert!(got.contains(error), "{template}: {got}");
    }
    assert_eq!(template::render("#: a remark\na: {{version}}\n", Catalog::Krew, &facts).unwrap(), "a: 1.0.0\n");
}

#[test]
fn archives_are_downloaded_from_the_project_without_a_login() {
    let url = template::download_url("https://gitlab.example.com/group/sub/project").unwrap();
    assert_eq!(url, "https://gitlab.example.com/api/v4/projects/group%2Fsub%2Fproject/packages/generic/kubectl-runway/{version}");
    assert!(template::download_url("git@example.com:x.git").is_err());
}

#[test]
fn checksum_files_are_those_of_sha256sum() {
    let sums = release("1.2.3");
    let text = both(&sums);
    assert_eq!(Checksums::parse(&text).unwrap(), sums);
    assert_eq!(Checksums::parse(&sums.history().unwrap()).unwrap(), sums);
    assert_eq!(sums.versions().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(), ["1.2.3"]);
    let mut nameless = Checksums::default();
    nameless.add("kubectl-runway.tar.gz", b"x");
    assert_eq!(nameless.versions().unwrap_err(), "no archive of a release: kubectl-runway.tar.gz");
    let first = sums.text(Catalog::Flux).lines().next().unwrap().to_owned();
    assert!(first.ends_with("  flux-runway_1.2.3_darwin_amd64.tar.gz"), "{first}");
    for wrong in ["abc  x\n".to_owned(), text.replace("  ", " "), text.to_uppercase(), format!("{first}\n{first}\n")] {
        assert!(Checksums::parse(&wrong).is_err(), "{wrong}");
    }
}
