//! `cargo xtask dist`: builds the program for each system, packs it for both plugin catalogs, and writes checksums and manifests.
//!
//! `tools` gets what a build needs into the user's cache, `build` makes a program, `trial` runs it, `output` packs it and writes
//! what stands around it. What a release is made of, and both catalogs' rules, are in `crates/dist`.

mod build;
mod output;
mod tools;
mod trial;

use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use runway_dist::binary;
use runway_dist::targets::{TARGETS, Target};

use crate::folders;
use build::Builder;

/// What this version is called everywhere.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// What became of a target.
enum Made {
    /// Built, looked at, tried and packed: size of the program, and who ran it.
    Packed { size: usize, trial: String, seconds: u64 },
    /// Not possible on this machine, and why.
    Cannot(String),
    /// Should have been possible.
    Failed(String),
}

/// Builds and packs. Without names: every system that this machine can build for; a system that is named must be possible.
pub(crate) fn run(names: &[&str]) -> ExitCode {
    let mut wanted = Vec::new();
    for name in names {
        let Some(target) = Target::find(name) else {
            let known: Vec<String> = TARGETS.iter().map(|target| format!("{target} ({})", target.triple)).collect();
            eprintln!("error: nothing is released for {name}\nhint: one of {}", known.join(", "));
            return ExitCode::from(2);
        };
        wanted.push(target);
    }
    let must = !wanted.is_empty();
    if wanted.is_empty() {
        wanted.extend(TARGETS);
    }
    all(&wanted, must).unwrap_or_else(|error| ended(Err(error)))
}

/// Packs a program that another machine has built.
pub(crate) fn pack(name: &str, program: &str) -> ExitCode {
    // Where the runners of GitLab and people keep their sources.
    let hidden = ["/builds/", "/home/", "/Users/", "\\Users\\", "\\builds\\"].map(str::to_owned);
    let result = Target::find(name).ok_or_else(|| format!("nothing is released for {name}")).and_then(|target| {
        let bytes = fs::read(program).map_err(|error| format!("{program}: {error}"))?;
        let wrong = binary::problems(&bytes, target, &hidden);
        if wrong.is_empty() {
            output::pack(&output::folder(), target, &bytes)
        } else {
            Err(format!("{program}: {}", wrong.join("; ")))
        }
    });
    ended(result)
}

/// Writes checksums and manifests about the archives that lie in `target/dist`, for example those that other machines built.
pub(crate) fn manifests_of_archives() -> ExitCode {
    ended(output::finish(&output::folder()))
}

/// Writes the committed manifests.
pub(crate) fn committed() -> ExitCode {
    ended(output::committed())
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn all(wanted: &[Target], must: bool) -> Result<ExitCode, String> {
    let folder = output::folder();
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(format!("{}: {error}", folder.display())),
        _ => {}
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut builder = Builder::new()?;
    let made: Vec<(Target, Made)> = wanted.iter().map(|target| (*target, one(&mut builder, *target))).collect();
    let packed = made.iter().filter(|(_, made)| matches!(made, Made::Packed { .. })).count();
    if packed > 0 {
        output::finish(&folder)?;
    }
    println!();
    let mut bad = packed == 0;
    for (target, made) in &made {
        match made {
            Made::Packed { size, trial, seconds } => {
                println!("{target:<14} {:>5.1} MiB, {trial}, {seconds} s", mebibytes(*size));
            }
            Made::Cannot(reason) => {
                println!("{target:<14} NOT BUILT: {reason}");
                bad |= must;
            }
            Made::Failed(error) => {
                println!("{target:<14} FAILED: {error}");
                bad = true;
            }
        }
    }
    println!("{packed} of {} systems: {}", wanted.len(), folder.display());
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn one(builder: &mut Builder, target: Target) -> Made {
    let way = match builder.way(target) {
        Ok(way) => way,
        Err(reason) => return Made::Cannot(reason),
    };
    let start = Instant::now();
    let result = builder.build(target, &way).and_then(|program| {
        let bytes = fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
        let wrong = binary::problems(&bytes, target, &builder.hidden(&way));
        if !wrong.is_empty() {
            return Err(wrong.join("; "));
        }
        let trial = trial::run_program(builder.tools(), target, &program)?;
        output::pack(&output::folder(), target, &bytes)?;
        Ok(Made::Packed { size: bytes.len(), trial, seconds: start.elapsed().as_secs() })
    });
    result.unwrap_or_else(Made::Failed)
}

#[expect(clippy::cast_precision_loss, reason = "printed with one digit")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A file of the repository.
fn text(path: &str) -> Result<String, String> {
    fs::read_to_string(folders::workspace().join(path)).map_err(|error| format!("{path}: {error}"))
}
