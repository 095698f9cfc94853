//! The folder of a release: archives, checksums, and the manifests of both catalogs, each checked by its catalog's rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use runway_dist::archive::Effort;
use runway_dist::release::{self, Build, Checksums};
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
    let license = text("LICENSE")?;
    let build = Build { version: VERSION, target, program, license: license.as_bytes(), time: time() };
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
    let mut both = String::from(
        "# The archives of the newest release, as its two checksums files list them; the release job prints this file anew.\n",
    );
    for catalog in CATALOGS {
        let text = checksums.text(catalog);
        both.push_str(&text);
        write(&folder.join(catalog.checksums(VERSION)), text.as_bytes())?;
    }
    write(&folder.join("checksums.txt"), both.as_bytes())?;

    let (krew_text, flux_text) = (text("krew/runway.yaml.in")?, text("plugin.yaml.in")?);
    let templates = Templates { krew: &krew_text, flux: &flux_text };
    let url = template::download_url(REPOSITORY, VERSION)?;
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

/// The time of all files: `SOURCE_DATE_EPOCH`, else the commit's, else none.
fn time() -> u64 {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.trim().parse().ok());
    let commit = || {
        let output = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(folders::workspace()).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    set.or_else(commit).unwrap_or_default()
}
