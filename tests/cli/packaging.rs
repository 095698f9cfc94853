//! The program under test, packed for both plugin catalogs, installed by their rules, and called through what they put on PATH.

use runway_dist::archive::Effort;
use runway_dist::release::{Build, Checksums, TEXTS, Texts};
use runway_dist::targets::{CATALOGS, Catalog, Target};
use runway_dist::template::{self, Facts};
use runway_dist::{flux, krew};
use runway_testkit::env::Env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

#[test]
fn both_catalogs_install_what_we_pack() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| std::fs::read_to_string(repository.join(name)).unwrap();
    let (program, texts) = (std::fs::read(env!("CARGO_BIN_EXE_kubectl-runway")).unwrap(), Texts::read(repository).unwrap());
    // Whatever this machine is: a manifest of a release names only what is there.
    let target = Target::find("linux_amd64").unwrap();
    let build = Build { version: VERSION, target, program: &program, texts: &texts, time: 0 };
    let archives = CATALOGS.map(|catalog| build.archive(catalog, Effort::Least).unwrap());
    let mut checksums = Checksums::default();
    for archive in &archives {
        checksums.add(&archive.name, &archive.bytes);
    }
    let url = template::download_url(REPOSITORY).unwrap();
    let facts = Facts { version: VERSION, repository: REPOSITORY, url: &url, checksums: &checksums, only_there: true };
    let render = |name: &str, catalog| template::render(&text(name), catalog, &facts).unwrap();

    let [for_krew, for_flux] = &archives;
    let manifest = krew::Manifest::read("runway.yaml", &render("krew/runway.yaml.in", Catalog::Krew)).unwrap();
    let platform = manifest.platform(target.os, target.arch).unwrap();
    let root = tempfile::tempdir().unwrap();
    let installed = krew::install(&manifest, platform, &for_krew.bytes, root.path()).unwrap();
    assert!(installed.link.is_symlink());
    for (name, path) in TEXTS {
        assert_eq!(std::fs::read_to_string(installed.folder.join(name)).unwrap(), text(path));
    }
    let plugin = Env::new(&installed.link);
    assert_eq!(plugin.run(["--version"]).ok(), format!("kubectl-runway {VERSION}\n"));
    // The name comes from the link, not from where it leads.
    assert!(plugin.run(["--help"]).ok().contains("Usage: kubectl runway"));

    let manifest = flux::Manifest::read(&render("plugin.yaml.in", Catalog::Flux)).unwrap();
    let platform = manifest.platform(target.os, target.arch).unwrap();
    let file = root.path().join(&manifest.bin);
    std::fs::write(&file, flux::extract(&manifest, platform, &for_flux.bytes).unwrap()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Env::new(&file).run(["--help"]).ok().contains("Usage: flux runway"));
}
