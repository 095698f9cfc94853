//! The chores of the repository: `cargo xtask`.
//!
//! `testbed` owns the live test bed from the command line; `test` runs all tests, with a bed of its own for the live ones.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a chore talks to the person who runs it, and runs programs; the bans are for the product"
)]

mod cargo;
mod dist;
mod docs;
mod folders;
mod interrupt;
mod scenarios;
mod schemas;
mod tally;
mod test;
mod testbed;

use runway_testkit::bed::Trouble;
use std::process::ExitCode;

const USAGE: &str = "\
The chores of the repository.

  cargo xtask test              everything; builds the test bed when it is missing (about half an hour, once)
  cargo xtask test --quick      all that needs no test bed
  cargo xtask testbed build     builds the test bed's programs into the user's cache
  cargo xtask testbed up        starts a test bed that stays; eval \"$(cargo xtask testbed up)\" sets the shell up for it
  cargo xtask testbed status    says what runs
  cargo xtask testbed down      ends it
  cargo xtask schemas           writes schemas/ anew from the key tables
  cargo xtask docs              writes docs/cli, docs/man and the approved texts of tests/cli/help anew
  cargo xtask schemas flux      takes the CRDs over from Flux's Go modules (needs Go and unzip)
  cargo xtask dist [TARGET…]    builds and packs the program for both plugin catalogs into target/dist: for what this machine can
                                build for, or for these (linux_amd64, aarch64-unknown-linux-musl), which it then must
  cargo xtask dist --pack TARGET PROGRAM
                                packs a program that another machine has built
  cargo xtask dist --manifests  checksums and manifests about the archives that lie there
  cargo xtask manifests         writes plugin.yaml, krew/runway.yaml and plugins/runway.yaml anew from their templates

Variables: RUNWAY_LIVE_THREADS (4), how many live scenarios run side by side; RUNWAY_LIVE_MINUTES (30), their time limit together;
RUNWAY_LIVE_FILTER, a part of the names of the live scenarios to run (the others then count as skipped); RUNWAY_DIST, a
folder of `cargo xtask dist` whose archives the live scenarios install; CI=true makes a skipped bed a failure.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = |result: Result<(), String>| result.map(|()| ExitCode::SUCCESS).map_err(Trouble::new);
    let result = match arguments.as_slice() {
        ["test"] => Ok(test::run(false)),
        ["test", "--quick"] => Ok(test::run(true)),
        ["testbed", "build"] => testbed::build(),
        ["testbed", "up"] => testbed::up(),
        ["testbed", "down"] => Ok(testbed::down()),
        ["testbed", "status"] => testbed::status(),
        ["docs"] => Ok(docs::generated()),
        ["dist", "--manifests"] => done(dist::manifests_of_archives()),
        ["dist", "--pack", target, program] => done(dist::pack(target, program)),
        ["dist", targets @ ..] => dist::run(targets).map_err(Trouble::new),
        ["manifests"] => done(dist::committed()),
        ["schemas"] => done(schemas::generated()),
        ["schemas", "flux"] => done(schemas::flux()),
        // What `up` leaves running; for nobody to type.
        ["testbed", "supervise"] => testbed::supervise(),
        ["help" | "-h" | "--help"] | [] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}
