//! The folder of a release: archives, checksums, and the manifests of both catalogs, each checked by its catalog's rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use runway_dist::archive::Effort;
use runway_dist::release::{self, Build, Checksums, Texts};
use runway_dist::targets::{CATALOGS, Catalog, TARGETS, Target};
use runway_dist::template::{self, Facts, Templates};
use runway_dist::{flux, krew};

use super::{REPOSITORY, VERSION, text};
use crate::folders::{self, write};

/// Where a release lies.
pub(super) fn folder() -> PathBuf {
    folders::target().join("dist")
}

/// Packs a program for both catalogs.
pub(super) fn pack(folder: &Path, target: Target, program: &[u8]) -> Result<(), String> {
    let texts = Texts::read(&folders::workspace()).map_err(|error| error.to_string())?;
    let build = Build { version: VERSION, target, program, texts: &texts, time: time()? };
    for catalog in CATALOGS {
        let archive = build.archive(catalog, Effort::Most).map_err(|error| error.to_string())?;
        write(&folder.join(&archive.name), &archive.bytes)?;
    }
    Ok(())
}

/// Writes checksums and manifests about the archives that are there, and installs each archive by its catalog's rules.
pub(super) fn finish(folder: &Path) -> Result<(), String> {
    let mut checksums = Checksums::default();
    let mut archives = Vec::new();
    for (catalog, target) in CATALOGS.into_iter().flat_map(|catalog| TARGETS.map(|target| (catalog, target))) {
        let name = catalog.archive(VERSION, target);
        let path = folder.join(&name);
        if path.is_file() {
            let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            checksums.add(&name, &bytes);
            archives.push((catalog, target, name, bytes));
        }
    }
    for catalog in CATALOGS {
        write(&folder.join(catalog.checksums(VERSION)), checksums.text(catalog).as_bytes())?;
    }
    // The catalogs go on to have what was released before.
    let checksums = checksums.with_older(&Checksums::parse(&text("krew/checksums.txt")?)?)?;
    write(&folder.join("checksums.txt"), checksums.history()?.as_bytes())?;

    let (krew_text, flux_text) = (text("krew/runway.yaml.in")?, text("plugin.yaml.in")?);
    let templates = Templates { krew: &krew_text, flux: &flux_text };
    let url = template::download_url(REPOSITORY)?;
    let facts = Facts { version: VERSION, repository: REPOSITORY, url: &url, checksums: &checksums, only_there: true };
    let for_krew = template::render(templates.krew, Catalog::Krew, &facts)?;
    let for_flux = template::render(templates.flux, Catalog::Flux, &facts)?;
    let catalog = text("krew/catalog.yaml")?;
    check(&for_krew, &for_flux, &catalog, &archives)?;
    write(&folder.join("krew/plugins/runway.yaml"), for_krew.as_bytes())?;
    write(&folder.join("flux/runway.yaml"), for_flux.as_bytes())?;
    write(&folder.join("flux/catalog.yaml"), catalog.as_bytes())
}

type Packed = (Catalog, Target, String, Vec<u8>);

/// What krew, flux and their catalogs would refuse, we refuse.
fn check(for_krew: &str, for_flux: &str, catalog: &str, archives: &[Packed]) -> Result<(), String> {
    let manifest = krew::Manifest::read("runway.yaml", for_krew)?;
    let wrong = [flux::problems(for_flux), flux::catalog_problems(catalog, for_flux)].concat();
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    let plugin = flux::Manifest::read(for_flux)?;
    for (catalog, target, name, bytes) in archives {
        let result = match catalog {
            Catalog::Krew => {
                let platform = manifest.platform(target.os, target.arch).ok_or_else(|| format!("{name} is in no platform"))?;
                let root = tempfile::tempdir().map_err(|error| error.to_string())?;
                krew::install(&manifest, platform, bytes, root.path()).map(drop)
            }
            Catalog::Flux => {
                let platform = plugin.platform(target.os, target.arch).ok_or_else(|| format!("{name} is in no platform"))?;
                flux::extract(&plugin, platform, bytes).map(drop)
            }
        };
        result.map_err(|error| format!("{name}: {error}"))?;
        let list = release::listed(bytes, *catalog, *target).map_err(|error| format!("{name}: {error}"))?;
        println!("dist: {name} installs by {catalog:?}'s rules: {list}");
    }
    Ok(())
}

/// Writes the committed manifests where they differ.
pub(super) fn committed() -> Result<(), String> {
    let (krew_text, flux_text) = (text("krew/runway.yaml.in")?, text("plugin.yaml.in")?);
    let templates = Templates { krew: &krew_text, flux: &flux_text };
    for (path, content) in template::committed(&templates, VERSION, REPOSITORY, &text("krew/checksums.txt")?)? {
        folders::generate(&folders::workspace().join(path), &content)?;
    }
    Ok(())
}

/// The time of all files: `SOURCE_DATE_EPOCH`, else the commit's. Without either there is none: any other would be made up, and
/// the next build would have other bytes.
fn time() -> Result<u64, String> {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok();
    time_of(set.as_deref(), || {
        let mut git = Command::new("git");
        let output = git.args(["log", "-1", "--format=%ct"]).current_dir(folders::workspace()).output();
        let output = output.map_err(|error| error.to_string())?;
        let said = if output.status.success() { &output.stdout } else { &output.stderr };
        let said = String::from_utf8_lossy(said).trim().to_owned();
        if output.status.success() { Ok(said) } else { Err(said) }
    })
}

fn time_of(set: Option<&str>, commit: impl FnOnce() -> Result<String, String>) -> Result<u64, String> {
    if let Some(text) = set.map(str::trim).filter(|text| !text.is_empty()) {
        return text.parse().map_err(|_| format!("SOURCE_DATE_EPOCH is no number of seconds: {text}"));
    }
    let trouble = |why: &str| format!("the time of the commit is not known, and SOURCE_DATE_EPOCH is not set: git log: {why}");
    let text = commit().map_err(|why| trouble(&why))?;
    text.parse().map_err(|_| trouble(&format!("{text:?}")))
}

#[cfg(test)]
mod tests {
    use super::time_of;

    #[test]
    fn no_time_is_made_up() {
        let commit = || Ok("1700000000".to_owned());
        assert_eq!(time_of(None, commit), Ok(1_700_000_000));
        assert_eq!(time_of(Some(""), commit), Ok(1_700_000_000));
        assert_eq!(time_of(Some("0"), || panic!("what is set counts")), Ok(0));
        assert!(time_of(Some("yesterday"), commit).unwrap_err().contains("SOURCE_DATE_EPOCH is no number"));
        let refused = time_of(None, || Err("fatal: detected dubious ownership".to_owned())).unwrap_err();
        assert!(refused.contains("SOURCE_DATE_EPOCH is not set") && refused.contains("dubious"), "{refused}");
        assert!(time_of(None, || Ok(String::new())).unwrap_err().contains("not known"));
    }
}
