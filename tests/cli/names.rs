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
    assert!(bare.stdout.contains("Usage: kubectl runway"), "{bare}");
}

#[test]
fn version_is_the_crates() {
    let run = env().run(["--version"]).exits(0);
    assert_eq!(run.stdout, format!("kubectl-runway {}\n", env!("CARGO_PKG_VERSION")));
}
