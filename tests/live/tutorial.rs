//! `docs/tutorial.md`, block by block, in one shell on the bed.

use crate::stage::Stage;
use runway_testkit::command::{mortal, run};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

/// The blocks of commands, each with its line.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (n, line) in text.lines().enumerate() {
        match line {
            "```sh" => {
                open = true;
                found.push((n + 1, String::new()));
            }
            "```" => open = false,
            line => {
                if let Some((_, block)) = found.last_mut().filter(|_| open) {
                    block.push_str(line);
                    block.push('\n');
                }
            }
        }
    }
    found
}

/// The bed runs already and the program is built: `cargo` only says what `cargo xtask testbed up` prints.
fn fake_cargo(stage: &Stage, bed: &Path) {
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n'xtask testbed up') echo \"export KUBECONFIG='{}' RUNWAY_TESTBED='{}'\" ;;\n\
         'build --release' | 'xtask testbed down') ;;\n*) echo \"unknown: $*\" >&2; exit 1 ;;\nesac\n",
        stage.ns.kube().kubeconfig().display(),
        bed.join("state.json").display(),
    );
    let cargo = stage.env.root().join("bin/cargo");
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink(env!("CARGO_BIN_EXE_kubectl-runway"), stage.env.root().join("bin/kubectl-runway")).unwrap();
    let settings = format!(
        "registry: {{base: {}/runway}}\nsource: {{secretRef: \"\", insecure: true}}\nparent: {{secretRef: \"\"}}\n",
        stage.base
    );
    std::fs::create_dir(bed).unwrap();
    std::fs::write(bed.join("kubectl-runway.yaml"), settings).unwrap();
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn every_block_of_the_tutorial_works() {
    let stage = Stage::new("tutorial", "gke");
    fake_cargo(&stage, &stage.env.root().join("bed"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md");
    let blocks = blocks(&std::fs::read_to_string(file).unwrap());
    assert!(blocks.len() > 12, "{}", blocks.len());
    let mut script = String::from("set -e\n");
    for (line, block) in &blocks {
        script.push_str(&format!("echo '=== line {line}'\n{block}"));
    }
    script.push_str("echo '=== the end'\n");
    let home = stage.env.root().join("tutorial");
    std::fs::create_dir(&home).unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", stage.env.root().join("bin").display(), stage.bed.bin().display());
    let mut command = mortal(Path::new("/bin/sh"));
    command.args(["-c", &script]).env_clear().env("PATH", path).env("HOME", stage.env.home()).current_dir(&home);
    let run = run(command, b"", Duration::from_secs(240)).unwrap_or_else(|error| panic!("{error}"));
    assert!(run.code == Some(0) && run.stdout.contains("=== the end"), "{run}");
    let (out, err) = (&run.stdout, &run.stderr);
    for words in [
        "Failed at deployed",
        "error[not-a-text]",
        "text: hello",
        "data.text: hello -> welcome",
        "unchanged oci://",
        "Failed at applied",
        "Deployment/hello-gke/web",
        "exit code 5",
    ] {
        assert!(out.contains(words), "{words}: {run}");
    }
    assert!(err.contains("empty-inventory") && err.contains("--allow-removals 2"), "{run}");
}
