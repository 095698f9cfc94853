//! One binary, three names.

use super::env;
use std::path::Path;

#[test]
fn help_speaks_as_it_was_called() {
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-runway"));
    let folder = env();
    let flux = folder.work().join("flux-runway");
    std::fs::create_dir_all(folder.work()).unwrap();
    std::fs::copy(program, &flux).unwrap();
    let help = runway_testkit::env::Env::new(&flux).run(["--help"]).exits(0);
    assert!(help.stdout.contains("Usage: flux runway"), "{help}");
    let help = env().run(["--help"]).exits(0);
    assert!(help.stdout.contains("Usage: kubectl runway"), "{help}");
    let bare = env().run(Vec::<String>::new()).exits(0);
    assert!(bare.stdout.contains("\n  kubectl runway completion install"), "{bare}");
    let bare = runway_testkit::env::Env::new(&flux).run(Vec::<String>::new()).exits(0);
    assert!(bare.stdout.contains("\n  flux runway help") && !bare.stdout.contains("kubectl runway"), "{bare}");
    let wrong = runway_testkit::env::Env::new(&flux).run(["help", "finding", "nonsense"]).exits(2);
    assert!(wrong.stderr.contains("hint: all of them: flux runway help finding"), "{wrong}");
    // What is to be run next, too.
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/with-parent/parent-suspended");
    let line = ["explain", "added", "--runtime", "gke", "-e", "production", "--snapshot", case.to_str().unwrap()];
    let told = runway_testkit::env::Env::new(&flux).run(line).exits(1);
    assert!(told.stdout.contains("\nnext: flux runway explain gke-inventory"), "{told}");
    let told = env().run(line).exits(1);
    assert!(told.stdout.contains("\nnext: kubectl runway explain gke-inventory"), "{told}");
}

/// A shell starts a program by the word that was typed, kubectl and flux by its path.
#[test]
fn the_bare_name_is_the_programs_own() {
    let shell = format!("exec -a kubectl-runway {} config --help", env!("CARGO_BIN_EXE_kubectl-runway"));
    let run = runway_testkit::env::Env::new("/bin/bash").run(["-c", &shell]);
    assert!(run.stdout.contains("Usage: kubectl-runway config"), "{run}");
    assert!(run.stdout.contains("kubectl-runway config view --show-origin"), "{run}");
}

#[test]
fn version_is_the_crates() {
    let run = env().run(["--version"]).exits(0);
    assert_eq!(run.stdout, format!("kubectl-runway {}\n", env!("CARGO_PKG_VERSION")));
}
