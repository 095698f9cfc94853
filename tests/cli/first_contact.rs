//! Somebody who has nothing yet: each command says what it looked for, where, and what to do next. The answers stand in
//! `tests/cli/help/`, for a person to read.

use super::env;
use super::fake::kubeconfig;
use super::kept::same;
use runway_testkit::env::Env;

/// Every command, as somebody would try it first.
const LINES: [&str; 30] = [
    "",
    "status",
    "status example-service-gke",
    "status --all-clusters",
    "status --context production",
    "explain example-service-gke",
    "tree example-service-gke",
    "reconcile example-service-gke",
    "inventory build",
    "inventory build -e production",
    "inventory verify",
    "inventory diff -e production",
    "inventory push -e production --dry-run",
    "inventory pull -e production --output-dir out",
    "inventory list",
    "inventory show -e production",
    "deploy build example-service-gke",
    "deploy build example-service-gke --path manifests",
    "deploy verify example-service-gke -f missing.yaml",
    "deploy diff example-service-gke --path manifests",
    "deploy push example-service-gke --path manifests",
    "deploy pull example-service-gke --output-dir out",
    "deploy list example-service-gke",
    "deploy show example-service-gke",
    "bootstrap --check",
    "bootstrap --check --runtime gke -e production",
    "snapshot save",
    "config view",
    "doctor registry example-service-gke",
    "completion install",
];

/// Commands that ask nothing of their surroundings.
const NO_NEED: [&str; 7] =
    ["help", "version", "completion bash", "completion zsh", "completion fish", "completion powershell", "bootstrap"];

fn told(env: &Env) -> String {
    let mut out = String::new();
    for line in LINES {
        let words = line.split_whitespace().chain((!line.is_empty()).then_some("--timeout=2s"));
        let run = env.run(words);
        let home = std::env::temp_dir().display().to_string();
        let run = format!("$ kubectl runway {line}\n{run}\n\n").replace(&home, "$TMP");
        out.push_str(&run);
    }
    out
}

/// An environment that reaches no registry but one that is not there.
fn bare() -> Env {
    let mut env = env();
    env.var("RUNWAY_REGISTRY_BASE", "127.0.0.1:1/platform");
    env
}

#[test]
fn every_command_is_tried() {
    fn leaves(command: &clap::Command, path: &str, all: &mut Vec<String>) {
        if command.get_subcommands().next().is_none() {
            all.push(path.to_owned());
        }
        command.get_subcommands().for_each(|sub| leaves(sub, format!("{path} {}", sub.get_name()).trim_start(), all));
    }
    let mut all = Vec::new();
    leaves(&kubectl_runway::command_line("kubectl runway"), "", &mut all);
    let tried = |path: &str| LINES.iter().any(|line| line.starts_with(path)) || NO_NEED.contains(&path);
    let left: Vec<&String> = all.iter().filter(|path| !tried(path)).collect();
    assert!(left.is_empty(), "not tried by somebody who has nothing: {left:?}");
}

#[test]
fn in_an_empty_folder() {
    same("tests/cli/help/in-an-empty-folder.txt", &told(&bare()));
}

#[test]
fn in_a_repository_without_a_cluster() {
    let mut env = bare();
    for runtime in ["gke", "eks"] {
        env.write(
            format!("config/runtimes/{runtime}/workloads.yml"),
            format!("- runway_service_id: example-service-{runtime}\n"),
        );
    }
    env.write("manifests/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: a}\n");
    env.var("KUBECONFIG", "/nowhere/config:/nowhere/else");
    same("tests/cli/help/in-a-repository-without-a-cluster.txt", &told(&env));
}

#[test]
fn with_a_cluster_that_is_not_there() {
    let mut env = bare();
    let text = kubeconfig(&[("production-gke", "http://127.0.0.1:1"), ("staging-gke", "http://127.0.0.1:1")]);
    let file = env.write("kubeconfig", text);
    env.var("KUBECONFIG", file);
    same("tests/cli/help/with-a-cluster-that-is-not-there.txt", &told(&env));
}

/// What the first screen tells to begin with is a command that goes on to look, wherever one stands.
#[test]
fn what_the_first_screen_offers_can_be_run() {
    let mut env = bare();
    let offered = |env: &Env| {
        let screen = env.run([""; 0]).ok();
        let line = screen.lines().find_map(|line| line.trim().split_once("  ").filter(|(line, _)| line.contains("diff")));
        line.unwrap_or_else(|| panic!("no diff: {screen}")).0.to_owned()
    };
    let tried = |env: &Env| {
        let line = offered(env).replace("RUNTIME", "eks").replace("ENVIRONMENT", "production");
        let run = env.run(line.split(' ').skip(2).chain(["--timeout=2s"]));
        assert!(run.stderr.contains("127.0.0.1:1"), "{line} does not come to the registry: {run}");
        line
    };
    env.write("config/runtimes/eks/workloads.yml", "- runway_service_id: example-service-eks\n");
    assert_eq!(tried(&env), "kubectl runway inventory diff -e production");
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: example-service-gke\n");
    assert_eq!(tried(&env), "kubectl runway inventory diff --runtime eks -e production");
    env.var("RUNWAY_RUNTIME", "gke");
    assert_eq!(tried(&env), "kubectl runway inventory diff -e production");
}
