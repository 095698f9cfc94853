//! `inventory verify` and `help finding`: answers, exit codes, reports.

use super::{env, platform};
use serde_json::Value;

const GOOD: &str = "- runway_service_id: web-gke\n  project_id: 12\n  regions: [us-east1]\n- runway_service_id: api-gke\n";

#[test]
fn a_clean_file_says_one_line_to_stderr() {
    let run = platform(GOOD).run(["inventory", "verify"]);
    assert_eq!(run.to_string(), "--- stderr ---\nverified 2 workloads for gke staging, production: no findings\n[exit 0]");
    let run = platform(GOOD).run(["inventory", "verify", "-e", "production", "-q"]);
    assert_eq!(run.to_string(), "--- stderr ---\n[exit 0]");
    let json: Value = serde_json::from_str(&platform(GOOD).run(["inventory", "verify", "-o", "json"]).ok()).unwrap();
    assert_eq!(json["kind"], "VerifyReport");
    assert_eq!(json["items"], serde_json::json!([]));
    assert_eq!(json["summary"], serde_json::json!({"workloads": 2, "errors": 0, "warnings": 0}));
}

#[test]
fn every_fault_at_once_with_its_line() {
    let text = "- runway_service_id: A_b\n  regons: [x]\n- runway_service_id: web\n  flux:\n    source: {timeout: 1h}\n    dependsOn:\n    - name: wob\n";
    let run = platform(text).run(["inventory", "verify"]).exits(1);
    assert!(run.stderr.starts_with("verified 2 workloads for gke staging, production: 3 errors, 1 warning; "), "{run}");
    for words in [
        "error[invalid-id]: 'A_b' cannot be a runway_service_id",
        " --> config/runtimes/gke/workloads.yml:1:22\n",
        "2 |   regons: [x]\n  |   ^^^^^^\n",
        "did you mean regions?",
        "5 |     source: {timeout: 1h}\n  |                       ^^\n",
        "7 |     - name: wob\n  |             ^^^\n",
        "did you mean web?",
    ] {
        assert!(run.stdout.contains(words), "{words}\n{run}");
    }
    // What holds in both environments is said once.
    assert_eq!(run.stdout.matches("error[duration]").count(), 1, "{run}");
    let run = platform(text).run(["inventory", "verify", "--exit-code=false"]);
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn warnings_pass_unless_strict() {
    let text = "- runway_service_id: a\n  regons: [x]\n";
    assert_eq!(platform(text).run(["inventory", "verify"]).code, Some(0));
    let run = platform(text).run(["inventory", "verify", "--strict"]).exits(1);
    assert!(run.stdout.contains("error[unknown-key]"), "{run}");
    // Terraform's keys are known.
    assert_eq!(platform("- runway_service_id: a\n  pam_config: {}\n").run(["inventory", "verify", "--strict"]).code, Some(0));
}

#[test]
fn a_broken_text_is_a_no_and_a_missing_one_no_answer() {
    let run = platform("- runway_service_id: [a\n").run(["inventory", "verify"]).exits(1);
    assert!(run.stdout.contains("error[yaml-syntax]"), "{run}");
    let env_with_bytes = env();
    env_with_bytes.write("w.yml", b"- runway_service_id: a\n- name: \xe4\n");
    let run = env_with_bytes.run(["inventory", "verify", "w.yml", "--runtime", "gke"]).exits(1);
    assert!(run.stdout.contains("w.yml:2:9") && run.stdout.contains("no UTF-8"), "{run}");
    let run = env_with_bytes.run(["inventory", "verify", "w.yml", "-f", "w.yml", "--runtime", "gke"]).exits(2);
    assert!(run.stderr.contains("named twice"), "{run}");
    let run = env().run(["inventory", "verify", "-f", "absent.yml", "--runtime", "gke"]).exits(2);
    assert!(run.stderr.contains("there is no such file"), "{run}");
    let run = platform(GOOD).run(["inventory", "verify", "--flux-version", "2.5"]).exits(2);
    assert!(run.stderr.contains("known are 2.6, 2.7"), "{run}");
}

#[test]
fn other_runtimes_and_environments_are_looked_at() {
    let env = platform("- runway_service_id: shared\n  environments: [production]\n");
    env.write("config/runtimes/eks/workloads.yml", "- runway_service_id: other\n- runway_service_id: shared\n");
    let run = env.run(["inventory", "verify", "--runtime", "gke"]).exits(0);
    assert!(run.stdout.contains("listed for the runtime eks too (config/runtimes/eks/workloads.yml:2)"), "{run}");
    assert!(run.stdout.contains("warning[empty-inventory]: no workload is in the environment staging"), "{run}");
    let run = env.run(["inventory", "verify", "--runtime", "gke", "-e", "staging"]).exits(1);
    assert!(run.stdout.contains("error[empty-inventory]"), "{run}");
}

#[test]
fn the_api_version_is_held_against_the_target_flux() {
    let env = platform(GOOD);
    env.write("kubectl-runway.yaml", "source:\n  apiVersion: v1beta2\n");
    let run = env.run(["inventory", "verify", "--flux-version", "2.8"]).exits(1);
    assert!(run.stdout.contains("error[api-version]: Flux 2.8 does not serve v1beta2 of OCIRepository"), "{run}");
    assert!(run.stdout.contains("kubectl-runway.yaml:2:15") && run.stdout.contains("source.apiVersion: v1"), "{run}");
    assert_eq!(run.stdout.matches("error[").count(), 1, "{run}");
    let run = env.run(["inventory", "verify"]).exits(0);
    assert!(run.stdout.contains("warning[deprecated-api]"), "{run}");
}

#[test]
fn several_reports_at_once() {
    let env = platform("- runway_service_id: A\n- runway_service_id: good\n");
    std::fs::create_dir(env.work().join(".git")).unwrap();
    let formats = ["junit", "gitlab-codequality", "github", "sarif", "json", "yaml"];
    let mut arguments = vec!["inventory".to_owned(), "verify".to_owned(), "-o".to_owned(), "human".to_owned()];
    for format in formats {
        arguments.extend(["-o".to_owned(), format!("{format}=../../out.{format}")]);
    }
    arguments.extend(["-C".to_owned(), "config/runtimes".to_owned()]);
    let run = env.run(arguments).exits(1);
    assert!(run.stdout.contains("--> gke/workloads.yml:1:22"), "{run}");
    let json = |format: &str| -> Value { serde_json::from_str(&env.read(format!("out.{format}"))).unwrap() };
    assert_eq!(json("json")["items"][0]["file"], "gke/workloads.yml");
    // Other people's readers count from the repository's root.
    let path = "config/runtimes/gke/workloads.yml";
    assert_eq!(json("gitlab-codequality")[0]["location"], serde_json::json!({"path": path, "lines": {"begin": 1}}));
    assert_eq!(json("gitlab-codequality")[0]["check_name"], "invalid-id");
    let sarif = json("sarif");
    assert_eq!(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], path);
    assert!(env.read("out.github").starts_with(&format!("::error file={path},line=1,col=22,title=invalid-id::")));
    let junit = env.read("out.junit");
    assert!(junit.contains("tests=\"2\" failures=\"1\"") && junit.contains("name=\"good\"/>"), "{junit}");
    assert!(env.read("out.yaml").starts_with("apiVersion: runway.gitlab.com/v1alpha1\nkind: VerifyReport\n"));
    let run = env.run(["inventory", "verify", "-o", "human", "-o", "json"]).exits(2);
    assert!(run.stderr.contains("cannot both go to standard output"), "{run}");
}

#[test]
fn what_was_built_can_be_verified_too() {
    let env = platform(GOOD);
    env.run(["inventory", "build", "-e", "production", "--output-dir", "out"]).ok();
    let run = env.run(["inventory", "verify", "out"]).exits(0);
    assert!(run.stderr.contains("verified 2 workloads for production: no findings"), "{run}");
    let run = env.run(["inventory", "verify", "out", "-e", "staging"]).exits(1);
    assert!(run.stdout.contains("error[missing-folder]"), "{run}");
    let text = env.read("out/production/inventory.yaml");
    env.write("out/production/inventory.yaml", text.replacen("interval: 5m0s", "intervall: 5m0s", 1));
    let run = env.run(["inventory", "verify", "out"]).exits(1);
    for words in ["error[unknown-field]", "7 |   intervall: 5m0s", "did you mean interval?", "spec.interval is required"] {
        assert!(run.stdout.contains(words), "{words}\n{run}");
    }
}

#[test]
fn build_and_push_refuse_what_verify_refuses() {
    let env = platform("- runway_service_id: a\n  flux: {timeout: 1d}\n");
    for command in [&["build"][..], &["push", "--to", "layout:out"][..]] {
        let run = env.run([&["inventory"], command, &["-e", "production"]].concat()).exits(2);
        assert!(run.stderr.contains("error[duration]") && run.stdout.is_empty(), "{run}");
        assert!(!env.work().join("out").exists());
    }
}

#[test]
fn unreachable_registries_are_no_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let env = platform("- runway_service_id: a\n");
    env.write("kubectl-runway.yaml", format!("registry: {{base: \"127.0.0.1:{port}/x\"}}\n"));
    let run = env.run(["inventory", "verify", "-e", "production", "--artifacts"]).exits(2);
    assert!(run.stdout.contains("warning[artifact-unknown]"), "{run}");
    // However strictly it is looked at, what was not answered is no finding.
    let run = env.run(["inventory", "verify", "-e", "production", "--artifacts", "--strict"]).exits(2);
    assert!(run.stdout.contains("warning[artifact-unknown]"), "{run}");
    let run = env.run(["inventory", "verify", "-e", "production", "--context", "nowhere"]).exits(2);
    assert!(run.stdout.is_empty(), "{run}");
}

#[test]
fn help_explains() {
    let env = env();
    let text = env.run(["help", "finding", "duplicate-id"]).ok();
    assert!(text.starts_with("duplicate-id: an id is listed twice (error: build and push stop)\n\n"), "{text}");
    assert!(env.run(["help", "finding"]).ok().lines().count() > 40);
    assert!(env.run(["help", "exit-codes"]).ok().contains("  5  refused"));
    assert!(env.run(["help", "verdicts"]).ok().contains("Drifted"));
    assert!(env.run(["help", "inventory", "verify"]).ok().contains("--flux-version"));
    assert!(env.run(["help"]).ok().contains("Commands:"));
    let run = env.run(["help", "finding", "duplicate-idd"]).exits(2);
    assert!(run.stderr.contains("did you mean duplicate-id?"), "{run}");
    let run = env.run(["help", "statos"]).exits(2);
    assert!(run.stderr.contains("did you mean status?"), "{run}");
}
