//! The manifests, rendered from the templates that stand beside them.
//!
//! A template has `{{word}}` for a value, and a block of lines between `{{#platforms}}` and `{{/platforms}}` that is repeated
//! for each platform. An unknown word is an error, so that no manifest carries a hole.

use crate::release::{Checksums, NO_CHECKSUM};
use crate::targets::{Catalog, TARGETS, Target};

/// Where the archives are downloaded from, by a project's address on GitLab: its generic packages, which need no login where
/// the project is public.
///
/// # Errors
///
/// When the address is no `https://HOST/PATH`.
pub fn download_url(repository: &str, version: &str) -> Result<String, String> {
    let rest = repository.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let (host, path) = rest.ok_or_else(|| format!("not a project's address: {repository}"))?;
    let id = path.trim_end_matches('/').replace('/', "%2F");
    Ok(format!("https://{host}/api/v4/projects/{id}/packages/generic/kubectl-runway/{version}"))
}

/// What the manifests say beside their own text.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Without `v`.
    pub version: &'a str,
    /// The project's address.
    pub repository: &'a str,
    /// The folder of the archives, without a slash at its end.
    pub url: &'a str,
    /// Of the archives that there are.
    pub checksums: &'a Checksums,
    /// Whether platforms whose archive is not there stay out, as in a release, or stand there with [`NO_CHECKSUM`].
    pub only_there: bool,
}

/// Renders a catalog's manifest.
///
/// # Errors
///
/// When the template has an unknown word or an unclosed block, or when no platform is left.
pub fn render(template: &str, catalog: Catalog, facts: &Facts<'_>) -> Result<String, String> {
    let targets: Vec<Target> =
        TARGETS.into_iter().filter(|target| !facts.only_there || checksum(catalog, *target, facts).is_some()).collect();
    if targets.is_empty() {
        return Err("there is no archive of this version to write a manifest about".to_owned());
    }
    let released = targets.iter().all(|target| checksum(catalog, *target, facts).is_some());
    let mut text = String::new();
    let mut block: Option<String> = None;
    // What is written about the template itself stays there.
    for line in template.lines().filter(|line| !line.starts_with("#:")) {
        match (line.trim(), &mut block) {
            ("{{#platforms}}", None) => block = Some(String::new()),
            ("{{/platforms}}", Some(_)) => {
                let lines = block.take().unwrap_or_default();
                for target in &targets {
                    text.push_str(&filled(&lines, catalog, Some(*target), facts, released)?);
                }
            }
            (_, Some(lines)) => lines.push_str(&format!("{line}\n")),
            (_, None) => text.push_str(&filled(&format!("{line}\n"), catalog, None, facts, released)?),
        }
    }
    if block.is_some() {
        return Err("{{#platforms}} without {{/platforms}}".to_owned());
    }
    Ok(text)
}

fn checksum<'a>(catalog: Catalog, target: Target, facts: &Facts<'a>) -> Option<&'a str> {
    facts.checksums.get(&catalog.archive(facts.version, target))
}

fn filled(text: &str, catalog: Catalog, target: Option<Target>, facts: &Facts<'_>, released: bool) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (word, after) = after.split_once("}}").ok_or_else(|| format!("{{{{ without }}}}: {text}"))?;
        result.push_str(before);
        result.push_str(&value(word, catalog, target, facts, released).ok_or_else(|| format!("unknown word {{{{{word}}}}}"))?);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

fn value(word: &str, catalog: Catalog, target: Option<Target>, facts: &Facts<'_>, released: bool) -> Option<String> {
    let value = match (word, target) {
        ("version", _) => facts.version.to_owned(),
        ("repository", _) => facts.repository.to_owned(),
        ("note", _) if released => format!("# Release {}. Written by `cargo xtask`.", facts.version),
        ("note", _) => format!(
            "# {} is not released yet. Zeros stand where checksums will be: whatever is downloaded, nothing is installed.\n\
             # Written by `cargo xtask manifests`; a release's own is written by `cargo xtask dist`.",
            facts.version
        ),
        ("os", Some(target)) => target.os.to_owned(),
        ("arch", Some(target)) => target.arch.to_owned(),
        ("bin", Some(target)) => format!("{}{}", catalog.program(), target.exe()),
        ("url", Some(target)) => format!("{}/{}", facts.url, catalog.archive(facts.version, target)),
        ("sha256", Some(target)) => checksum(catalog, target, facts).unwrap_or(NO_CHECKSUM).to_owned(),
        _ => return None,
    };
    Some(value)
}

/// The committed manifests: what each file holds, by its path in the repository.
///
/// krew's and Flux's own are those of this version; the index's (`plugins/`) is that of the newest release, since `kubectl krew
/// index add` follows the branch, which runs ahead of releases.
///
/// # Errors
///
/// As [`render`], and when `checksums` is no such file.
pub fn committed(
    templates: &Templates<'_>,
    version: &str,
    repository: &str,
    checksums: &str,
) -> Result<Vec<(&'static str, String)>, String> {
    let checksums = Checksums::parse(checksums)?;
    let newest = checksums.version().unwrap_or(version);
    let of = |catalog: Catalog, version: &str| {
        let url = download_url(repository, version)?;
        let released = checksums.version() == Some(version);
        let facts = Facts { version, repository, url: &url, checksums: &checksums, only_there: released };
        render(templates.of(catalog), catalog, &facts)
    };
    Ok(vec![
        ("krew/runway.yaml", of(Catalog::Krew, version)?),
        ("plugin.yaml", of(Catalog::Flux, version)?),
        ("plugins/runway.yaml", of(Catalog::Krew, newest)?),
    ])
}

/// The templates' texts.
#[derive(Debug, Clone, Copy)]
pub struct Templates<'a> {
    /// `krew/runway.yaml.in`.
    pub krew: &'a str,
    /// `plugin.yaml.in`.
    pub flux: &'a str,
}

impl Templates<'_> {
    /// The template of a catalog's manifest.
    pub fn of(&self, catalog: Catalog) -> &str {
        match catalog {
            Catalog::Krew => self.krew,
            Catalog::Flux => self.flux,
        }
    }
}
