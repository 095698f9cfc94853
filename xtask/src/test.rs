//! `cargo xtask test`: the quick tests, then the live scenarios on a bed of this run's own, then the summary.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use runway_testkit::bed::{self, Bed, Context as _, Result, State, Trouble};

use crate::cargo;
use crate::folders;
use crate::interrupt::Interrupt;
use crate::scenarios;
use crate::tally::Tally;

const LIVE: [&str; 5] = ["test", "--quiet", "--workspace", "--test", "live"];

/// Runs the tests and prints the summary, whose last line is `N passed, N failed, N skipped`.
pub(crate) fn run(quick: bool) -> ExitCode {
    let mut total = Tally::default();
    let mut live = None;
    let interrupted = match Interrupt::listen() {
        Ok(interrupt) => {
            fail_on_error(&mut total, |total| quick_tests(total, &interrupt));
            if !quick && !interrupt.seen() {
                fail_on_error(&mut total, |total| {
                    live = live_tests(total, &interrupt)?;
                    Ok(())
                });
            }
            interrupt.seen()
        }
        Err(error) => {
            println!("FAILED: {error}");
            total.failed += 1;
            false
        }
    };
    println!();
    if let Some(line) = live {
        println!("{line}");
    }
    println!("{total}");
    match (interrupted, total.failed) {
        (true, _) => ExitCode::from(130),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::FAILURE,
    }
}

/// A step that cannot be done counts as one failed test.
fn fail_on_error(total: &mut Tally, step: impl FnOnce(&mut Tally) -> Result<()>) {
    if let Err(error) = step(total) {
        println!("FAILED: {error}");
        total.failed += 1;
    }
}

fn quick_tests(total: &mut Tally, interrupt: &Interrupt) -> Result<()> {
    let ended =
        cargo::run(&["test", "--workspace", "--no-fail-fast"], &[], interrupt, None).context(|| "cargo test".to_owned())?;
    total.add(ended.tally);
    if !ended.success && ended.tally.failed == 0 {
        return Err(Trouble::new("cargo test did not come to its end"));
    }
    Ok(())
}

/// Runs the live scenarios; gives the line that says how many ran.
fn live_tests(total: &mut Tally, interrupt: &Interrupt) -> Result<Option<String>> {
    let root = folders::workspace().join("tests/live");
    if !root.join("main.rs").is_file() {
        return Ok(Some("live scenarios: there are none yet".to_owned()));
    }
    let list = [&LIVE[..], &["--", "--list", "--ignored", "--format", "terse"]].concat();
    let listed = scenarios::listed(&cargo::output(&list).context(|| "the list of live scenarios".to_owned())?);
    let file = root.join("scenarios.txt");
    let expected = fs::read_to_string(&file).context(|| file.display().to_string())?;
    for difference in scenarios::differences(&scenarios::expected(&expected), &listed) {
        println!("FAILED: {difference}");
        total.failed += 1;
    }
    // The quick tests counted them as skipped; from here on they count as what they are.
    total.skipped = total.skipped.saturating_sub(listed.len());

    let Some(go) = bed::go_version() else {
        println!(
            "SKIPPED: the live scenarios need Go to build the test bed, and there is no `go` on PATH: {} did not run",
            listed.len()
        );
        total.skipped += listed.len();
        if std::env::var_os("CI").is_some_and(|value| value == "true") {
            println!("FAILED: live scenarios must not be skipped where CI=true");
            total.failed += 1;
        }
        return Ok(Some(format!("live scenarios: 0 of {} ran", listed.len())));
    };

    let ended = on_a_bed(&go, interrupt)?;
    total.add(ended.tally);
    let ran = ended.tally.ran();
    let line = format!("live scenarios: {ran} of {} ran", listed.len());
    if filter().is_some() {
        total.skipped += listed.len().saturating_sub(ran);
    } else if ran != listed.len() {
        println!("FAILED: {line}");
        total.failed += 1;
    }
    if !ended.success && ended.tally.failed == 0 {
        println!("FAILED: the live scenarios did not come to their end");
        total.failed += 1;
    }
    Ok(Some(line))
}

fn on_a_bed(go: &str, interrupt: &Interrupt) -> Result<cargo::Ended> {
    let pins = bed::Pins::read(&folders::workspace(), go)?;
    let built = bed::build(&pins, |line| println!("{line}"))?;
    let folder = folders::test_run().context(|| "the folder of the test bed".to_owned())?;
    let start = Instant::now();
    let mut bed = Bed::start(&built, &folder).inspect_err(|_| println!("testbed: the logs are in {}", folder.display()))?;
    let file = State::file(&folder);
    bed.state().write(&file)?;
    println!("testbed: ready in {:.1} s", start.elapsed().as_secs_f32());

    let result = run_scenarios(&file, interrupt);
    let health = bed.check();
    let good = health.is_ok() && matches!(&result, Ok(ended) if ended.success);
    bed.stop(!good)?;
    if !good {
        println!("testbed: the logs are in {}", folder.join("logs").display());
    }
    health?;
    result
}

fn run_scenarios(state: &Path, interrupt: &Interrupt) -> Result<cargo::Ended> {
    let threads = std::env::var("RUNWAY_LIVE_THREADS").unwrap_or_else(|_| "4".to_owned());
    let minutes = match std::env::var("RUNWAY_LIVE_MINUTES") {
        Ok(text) => text.parse().context(|| format!("RUNWAY_LIVE_MINUTES={text}"))?,
        Err(_) => 30,
    };
    let threads = format!("--test-threads={threads}");
    let filter = filter();
    let mut arguments = LIVE.to_vec();
    // Without `--quiet`: a line for each scenario as it ends.
    arguments.retain(|argument| *argument != "--quiet");
    arguments.extend(["--", "--ignored", &threads]);
    arguments.extend(filter.as_deref());
    let limit = Duration::from_secs(60 * minutes);
    cargo::run(&arguments, &[(bed::VARIABLE, state)], interrupt, Some(limit)).context(|| "cargo test --test live".to_owned())
}

/// The part of the names that somebody wants to run alone.
fn filter() -> Option<String> {
    std::env::var("RUNWAY_LIVE_FILTER").ok().filter(|text| !text.is_empty())
}
