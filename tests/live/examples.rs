//! The examples of the help that need a cluster, a registry, helm or kustomize: each is run as it stands, in a shell, through the real
//! kubectl, on a platform whose workloads and contexts are named as in the examples.

use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::merge_kubeconfig;
use runway_testkit::command::{Run, mortal, run};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

/// The only word of the examples that is not taken as it stands: a registry that there is.
const ELSEWHERE: &str = "registry.example.com";
const WORKLOADS: [&str; 2] = ["example-service-gke", "secrets-manager-gke"];

/// The examples that are run here: the approved list says it, and the test that keeps the list says which others are run there.
fn examples() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help/examples.txt");
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("live ")).map(|line| line.trim().to_owned()).collect()
}

/// The repository that the examples are about, and a shell's PATH.
fn platform(stage: &Stage) -> String {
    let namespace = stage.ns.name();
    stage.declare(&WORKLOADS);
    let settings = stage.env.read("kubectl-runway.yaml");
    let clusters = ["production-gke", "production-eu"].map(|context| {
        format!("- {{name: {context}, context: {context}, runtime: gke, environment: production, region: us-east1}}\n")
    });
    let more = format!("clusters:\n{}", clusters.concat());
    stage.env.write("kubectl-runway.yaml", format!("{settings}{more}"));
    let contexts = ["production-gke", "production-eu", "staging-gke"].map(|name| (name, stage.ns.kube(), "admin"));
    stage.env.write("kubeconfig", merge_kubeconfig(&contexts));

    let map = |name: &str, value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata: {{greeting: {value}}}\n"
        )
    };
    stage.env.write("manifests/all.yaml", map("example", "hello"));
    stage.env.write("kustomization.yaml", "resources: [manifests/all.yaml]\n");
    stage.env.write("chart/Chart.yaml", "apiVersion: v2\nname: example\nversion: 1.0.0\n");
    // What was published from the folder stays, so that the guard has nothing to refuse.
    stage.env.write("chart/templates/map.yaml", map("example", "{{ .Values.greeting }}"));
    for environment in ["staging", "production"] {
        stage.env.write(format!("{environment}.yaml"), format!("greeting: {environment}\n"));
    }

    let bin = stage.env.root().join("bin");
    symlink(env!("CARGO_BIN_EXE_kubectl-runway"), bin.join("kubectl-runway")).unwrap();
    // kubectl carries kustomize.
    std::fs::write(bin.join("kustomize"), "#!/bin/sh\n[ \"$1\" = build ] && exec kubectl kustomize \"$2\"\nexit 1\n").unwrap();
    std::fs::set_permissions(bin.join("kustomize"), std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}:/usr/bin:/bin", bin.display(), stage.bed.bin().display())
}

fn shell(stage: &Stage, path: &str, line: &str) -> Run {
    let mut command = mortal(Path::new("/bin/sh"));
    command.args(["-c", line]).env_clear().env("PATH", path).env("HOME", stage.env.home()).env("LC_ALL", "C.UTF-8");
    command.env("KUBECONFIG", stage.env.work().join("kubeconfig")).current_dir(stage.env.work());
    run(command, b"", Duration::from_secs(240)).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn every_example_that_needs_a_cluster_or_a_registry_is_run() {
    let stage = Stage::new("examples", "gke");
    let path = platform(&stage);
    let sh = |line: &str| shell(&stage, &path, &line.replace(ELSEWHERE, &stage.base));
    // What was there before somebody reads the help: both environments, published and applied.
    for environment in ["staging", ENVIRONMENT] {
        for workload in WORKLOADS {
            sh(&format!("kubectl runway deploy push {workload} -e {environment} --path manifests")).ok();
        }
        sh(&format!("kubectl runway inventory push --runtime gke -e {environment}")).ok();
    }
    for place in ["provisioner", "x/provisioner", "runway/provisioner"] {
        let to = format!("oci://{ELSEWHERE}/{place}/gke-inventory");
        sh(&format!("kubectl runway inventory push --runtime gke -e production --to {to}")).ok();
    }
    sh(&format!("kubectl runway deploy push {} -e staging --path manifests --to oci://{ELSEWHERE}/group/project", WORKLOADS[0]))
        .ok();
    sh("kubectl runway bootstrap --runtime gke -e production --apply --context production-gke").ok();
    for workload in WORKLOADS {
        stage.wait_verdict(workload, "Ready");
    }

    let examples = examples();
    assert!(examples.len() > 40, "only {} examples are run on the bed", examples.len());
    let mut wrong = Vec::new();
    for line in &examples {
        // One that never ends is ended as a person would.
        let endless = line.contains(" --watch");
        let run = if endless { sh(&format!("timeout --foreground -s INT 5 {line}")) } else { sh(line) };
        let fine =
            if endless { matches!(run.code, Some(124 | 130)) && !run.stdout.is_empty() } else { matches!(run.code, Some(0 | 1)) };
        if !fine {
            wrong.push(format!("$ {line}\n{run}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} examples do not work:\n{}", wrong.len(), examples.len(), wrong.join("\n\n"));
}
