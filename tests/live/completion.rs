//! The real kubectl and the real flux ask our program what may follow; no server is asked on the way.

use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::command::{Run, mortal, run};
use runway_testkit::terminal::Terminal;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A command with our program on PATH and as a plugin of flux.
fn around(stage: &Stage, mut command: Command) -> Command {
    let bin = stage.env.root().join("bin");
    let path = format!("{}:{}:/usr/bin:/bin", bin.display(), stage.bed.bin().display());
    command.env_clear().env("PATH", path).env("HOME", stage.env.home()).env("TERM", "xterm").env("LC_ALL", "C.UTF-8");
    command.env("FLUXCD_PLUGINS", stage.env.root().join("plugins")).current_dir(stage.env.work());
    // Whoever asked a cluster would be told that there is none.
    command.env("KUBECONFIG", stage.env.work().join("dead"));
    command
}

/// Runs a program of the bed.
fn ask(stage: &Stage, program: &str, words: &[&str]) -> Run {
    let mut command = around(stage, mortal(&stage.bed.bin().join(program)));
    command.args(words);
    run(command, b"", Duration::from_secs(60)).unwrap_or_else(|error| panic!("{error}"))
}

/// Presses TAB on a workload's name in zsh, behind kubectl and behind flux, with their own completion.
fn press_tab(stage: &Stage) {
    const ZSH: &str = "/usr/bin/zsh";
    if !Path::new(ZSH).exists() {
        println!("SKIPPED: TAB behind kubectl and flux was not tried: zsh is not installed (apt-get install zsh)");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "zsh must not be missing where CI=true");
        return;
    }
    let mut shell = around(stage, Command::new(ZSH));
    shell.args(["-f", "-i"]);
    let mut terminal = Terminal::start(&shell, (40, 160), Duration::from_secs(60));
    terminal.types(
        "PS1='$ '; autoload -Uz compinit && compinit -u -D; source <(kubectl completion zsh); source <(flux completion zsh)\n",
    );
    terminal.types("echo rea''dy\n");
    terminal.until(0, "the shell's start", |text| text.contains("ready"));
    for program in ["kubectl", "flux"] {
        let from = terminal.drawn().len();
        terminal.types(&format!("{program} runway deploy verify svc-ot\t"));
        terminal.until(from, "TAB", |text| text.contains("svc-other"));
        terminal.types(" -f manifest.yaml\n");
        terminal.until(from, "the command", |text| text.contains("verified 1 object of svc-other"));
    }
}

fn candidates(run: &Run) -> Vec<&str> {
    run.stdout.lines().filter(|line| !line.starts_with(':')).map(|line| line.split('\t').next().unwrap_or_default()).collect()
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn kubectl_and_flux_complete_our_command_line() {
    let mut stage = Stage::new("completion", "gke");
    stage.declare(&["svc-declared"]);
    stage.push(&[]).ok();
    // What is published is read by status; its names are known afterwards, wherever one stands.
    stage.parent();
    drop(stage.status(&[]));
    stage.declare(&["svc-other"]);
    let dead = "apiVersion: v1\nkind: Config\ncurrent-context: group/agents:dead\ncontexts: [{name: 'group/agents:dead', context: {cluster: dead, user: ''}}]\nclusters: [{name: dead, cluster: {server: 'http://127.0.0.1:1'}}]\n";
    stage.env.write("dead", dead);
    let (bin, plugins) = (stage.env.root().join("bin"), stage.env.root().join("plugins"));
    std::fs::create_dir(&plugins).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-runway"));
    symlink(program, bin.join("kubectl-runway")).unwrap();
    symlink(program, plugins.join("flux-runway")).unwrap();

    let before = ask(&stage, "kubectl", &["__complete", "runway", "st"]);
    assert!(!candidates(&before).contains(&"status"), "without the program that install writes kubectl asks nobody: {before}");
    stage.env.path_add(&bin);
    stage.env.run(["completion", "install", "--yes"]).ok();

    for program in ["kubectl", "flux"] {
        let run = ask(&stage, program, &["__complete", "runway", "st"]);
        assert_eq!(candidates(&run), ["status"], "{run}");
        assert!(run.stdout.contains("status\tSay whether each workload is what is published"), "{run}");
        let run = ask(&stage, program, &["__complete", "runway", "status", "svc"]);
        assert_eq!(candidates(&run), ["svc-declared", "svc-other"], "{program}: of the file, and of what was seen: {run}");
        assert!(run.stdout.contains(&format!("svc-declared\tgke {ENVIRONMENT}, seen ")), "{run}");
        let run = ask(&stage, program, &["__complete", "runway", "explain", "--context", ""]);
        assert_eq!(candidates(&run), ["group/agents:dead"], "{run}");
        let run = ask(&stage, program, &["__complete", "runway", "inventory", "push", "--dry"]);
        assert_eq!(candidates(&run), ["--dry-run"], "{run}");
        let run = ask(&stage, program, &["__complete", "runway", "status", "-o", "m"]);
        assert_eq!(candidates(&run), ["matrix", "markdown"], "{run}");
        // Nothing to offer is an answer too: flux takes silence for a failure.
        let run = ask(&stage, program, &["__complete", "runway", "status", "--token", ""]);
        assert!(candidates(&run).is_empty() && run.stdout.contains(":4"), "{run}");
    }
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: a}\n";
    stage.env.write("manifest.yaml", manifest);
    press_tab(&stage);
}
