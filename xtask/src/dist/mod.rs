//! `cargo xtask dist`: builds the program for each system, packs it for both plugin catalogs, and writes checksums and manifests.
//!
//! `tools` gets what a build needs into the user's cache, `build` makes a program, `trial` runs it, `output` packs it and writes
//! what stands around it. What a release is made of, and both catalogs' rules, are in `crates/dist`.

mod build;
mod output;
mod tools;
mod trial;

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;

use runway_dist::binary;
use runway_dist::targets::{TARGETS, Target};

use crate::folders;
use build::{Builder, Way};

/// What this version is called everywhere.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// What became of a target.
enum Made {
    /// Built, looked at, tried and packed: size of the program, how it was built, and who ran it.
    Packed { size: usize, words: String },
    /// Not possible on this machine, and why.
    Cannot(String),
    /// Should have been possible.
    Failed(String),
}

/// Builds and packs. Without names: every system that this machine can build for; a system that is named must be possible.
pub(crate) fn run(names: &[&str]) -> Result<ExitCode, String> {
    let mut wanted = Vec::new();
    for name in names {
        let Some(target) = Target::find(name) else {
            let known: Vec<String> = TARGETS.iter().map(|target| format!("{target} ({})", target.triple)).collect();
            eprintln!("error: nothing is released for {name}\nhint: one of {}", known.join(", "));
            return Ok(ExitCode::from(2));
        };
        wanted.push(target);
    }
    let must = !wanted.is_empty();
    if wanted.is_empty() {
        wanted.extend(TARGETS);
    }
    all(&wanted, must)
}

/// Packs a program that another machine has built.
pub(crate) fn pack(name: &str, program: &str) -> Result<(), String> {
    // Where the runners of GitLab and people keep their sources.
    let hidden = ["/builds/", "/home/", "/Users/", "\\Users\\", "\\builds\\"].map(str::to_owned);
    Target::find(name).ok_or_else(|| format!("nothing is released for {name}")).and_then(|target| {
        let bytes = fs::read(program).map_err(|error| format!("{program}: {error}"))?;
        let wrong = binary::problems(&bytes, target, &hidden);
        if wrong.is_empty() {
            output::pack(&output::folder(), target, &bytes)
        } else {
            Err(format!("{program}: {}", wrong.join("; ")))
        }
    })
}

/// Writes checksums and manifests about the archives that lie in `target/dist`, for example those that other machines built.
pub(crate) fn manifests_of_archives() -> Result<(), String> {
    output::finish(&output::folder())
}

/// Writes the committed manifests.
pub(crate) fn committed() -> Result<(), String> {
    output::committed()
}

fn all(wanted: &[Target], must: bool) -> Result<ExitCode, String> {
    let folder = output::folder();
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {error}", folder.display())),
        _ => {}
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let made = made(wanted)?;
    let packed = made.iter().filter(|(_, made)| matches!(made, Made::Packed { .. })).count();
    if packed > 0 {
        output::finish(&folder)?;
    }
    println!();
    let mut bad = packed == 0;
    for (target, made) in &made {
        let words = match made {
            Made::Packed { size, words } => format!("{:>5.1} MiB, {words}", mebibytes(*size)),
            Made::Cannot(reason) => format!("NOT BUILT: {reason}"),
            Made::Failed(error) => format!("FAILED: {error}"),
        };
        println!("{:<14} {words}", target.to_string());
        bad |= matches!(made, Made::Failed(_)) || (must && matches!(made, Made::Cannot(_)));
    }
    println!("{packed} of {} systems: {}", wanted.len(), folder.display());
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What becomes of each target.
fn made(wanted: &[Target]) -> Result<Vec<(Target, Made)>, String> {
    let builder = Builder::new()?;
    let ways: Vec<_> = wanted.iter().map(|target| (*target, builder.way(*target))).collect();
    // One run of cargo for all that are built in the same way.
    let mut built: BTreeMap<&str, Result<(), String>> = BTreeMap::new();
    for way in ways.iter().filter_map(|(_, way)| way.as_ref().ok()) {
        let same = ways.iter().filter(|(_, other)| other.as_ref().is_ok_and(|other| other.words() == way.words()));
        let targets: Vec<Target> = same.map(|(target, _)| *target).collect();
        built.entry(way.words()).or_insert_with(|| builder.build(&targets, way));
    }
    let result = ways.into_iter().map(|(target, way)| {
        let made = way.map_or_else(Made::Cannot, |way| {
            let done = built.get(way.words()).cloned().unwrap_or_else(|| Err("it was not built".to_owned()));
            done.and_then(|()| packed(&builder, target, &way)).unwrap_or_else(Made::Failed)
        });
        (target, made)
    });
    Ok(result.collect())
}

/// Looks into a built program, tries it, and packs it.
fn packed(builder: &Builder, target: Target, way: &Way) -> Result<Made, String> {
    let program = Builder::program(target);
    let bytes = fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
    let wrong = binary::problems(&bytes, target, &builder.hidden(way));
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    let trial = trial::run_program(builder.tools(), target, &program)?;
    output::pack(&output::folder(), target, &bytes)?;
    Ok(Made::Packed { size: bytes.len(), words: format!("built {}, {trial}", way.words()) })
}

#[expect(clippy::cast_precision_loss, reason = "printed with one digit")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A file of the repository.
fn text(path: &str) -> Result<String, String> {
    fs::read_to_string(folders::workspace().join(path)).map_err(|error| format!("{path}: {error}"))
}
