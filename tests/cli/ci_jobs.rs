//! The jobs of `ci-tasks/`, run in both shells that GitLab's runner knows, with a registry and a GitLab on loopback.
//! `tests/live/deploys.rs` runs them against the bed.

use super::{env, platform};
use runway_testkit::ci::{JobRun, Pipeline, Runner, Shell, Template};
use runway_testkit::env::Env;
use runway_testkit::fake::{Deed, GitLab, Hostile, Reply, Request};
use serde_json::{Value, json};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const SERVICE: &str = "service-project/helm-chart.yml";
const PLATFORM: &str = "provisioner/inventory.yml";

/// A repository, a registry, and a runner.
struct Scene {
    env: Env,
    registry: Hostile,
    runner: Runner,
    jobs: Pipeline,
    /// So many looks at a tag find that somebody has moved it.
    moves: Arc<AtomicUsize>,
    /// Nothing can be read.
    closed: Arc<AtomicBool>,
}

impl Scene {
    fn new(env: Env, shell: Shell, file: &str, inputs: &[(&str, Value)]) -> Self {
        let (moves, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (left, shut) = (Arc::clone(&moves), Arc::clone(&closed));
        let registry = Hostile::start(move |request, reply| Deed::Answer(answer(request, reply, &left, &shut)));
        env.write("kubectl-runway.yaml", format!("registry: {{base: \"{}/r\"}}\n", registry.address()));
        symlink(env!("CARGO_BIN_EXE_kubectl-runway"), env.root().join("bin/kubectl-runway")).unwrap();
        let variables = [
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_COMMIT_SHA", "0123456789012345678901234567890123456789"),
            ("CI_COMMIT_SHORT_SHA", "01234567"),
            ("CI_PROJECT_URL", "https://gitlab.example.com/platform"),
            ("CI_PROJECT_ID", "42"),
        ];
        let mut runner = Runner::new(&env.work(), &[&env.root().join("bin")], &variables);
        runner.shell = shell;
        let mut scene = Self { jobs: rendered(file, inputs), env, registry, runner, moves, closed };
        scene.on_main();
        scene
    }

    /// The platform's pipeline, of gke.
    fn platform(list: &str, shell: Shell, environments: &[&str]) -> Self {
        Self::new(
            platform(list),
            shell,
            PLATFORM,
            &[("runway_version", json!("v0.1.0")), ("runtimes", json!(["gke"])), ("environments", json!(environments))],
        )
    }

    /// A service's pipeline with these inputs, and a helm that prints `manifests.yaml` of the repository.
    fn service(shell: Shell, more: &[(&str, Value)]) -> Self {
        let env = env();
        env.write(".runway/web/chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
        let required = [("runway_service_id", json!("web")), ("runway_version", json!("v0.1.0"))];
        let scene = Self::new(env, shell, SERVICE, &[&required[..], more].concat());
        let (log, manifests) = (scene.env.root().join("helm.log"), scene.env.work().join("manifests.yaml"));
        scene.program("helm", &format!("echo \"$@\" >> {}\ncat {}", log.display(), manifests.display()));
        scene
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.env.root().join("bin").join(name);
        drop(std::fs::remove_file(&path));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn set(&mut self, name: &str, value: &str) {
        self.runner.variables.insert(name.to_owned(), value.to_owned());
    }

    fn on_main(&mut self) {
        self.set("CI_PIPELINE_SOURCE", "push");
        self.set("CI_COMMIT_BRANCH", "main");
        self.runner.variables.remove("CI_MERGE_REQUEST_IID");
    }

    fn on_a_merge_request(&mut self) {
        self.set("CI_PIPELINE_SOURCE", "merge_request_event");
        self.set("CI_MERGE_REQUEST_IID", "7");
        self.runner.variables.remove("CI_COMMIT_BRANCH");
    }

    fn list(&self, names: &[&str]) {
        let list: Vec<String> = names.iter().map(|name| format!("- runway_service_id: {name}\n")).collect();
        self.env.write("config/runtimes/gke/workloads.yml", list.concat());
    }

    /// So many `ConfigMap`s.
    fn manifests(&self, names: &[&str]) {
        let one = |name: &&str| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: v}}\n");
        self.env.write("manifests.yaml", names.iter().map(one).collect::<String>());
    }

    #[track_caller]
    fn all(&mut self, name: &str) -> Vec<JobRun> {
        self.runner.run(&self.jobs, name)
    }

    /// The only instance of a job, which ends so.
    #[track_caller]
    fn run(&mut self, name: &str, code: i32) -> JobRun {
        let mut runs = self.all(name);
        assert_eq!(runs.len(), 1, "{runs:?}");
        ended(&runs[0], code);
        runs.remove(0)
    }

    /// Build and verify, and then a job that ends so.
    #[track_caller]
    fn upload(&mut self, code: i32) -> JobRun {
        drop(self.run("Build Inventory", 0));
        drop(self.run("Verify Inventory", 0));
        self.run("Upload Inventory", code)
    }

    fn tag(&self, repository: &str, tag: &str) -> Option<String> {
        self.registry.store().tag(&format!("r/{repository}"), tag)
    }
}

fn answer(request: &Request, reply: Reply, moves: &AtomicUsize, closed: &AtomicBool) -> Reply {
    if closed.load(Ordering::SeqCst) {
        return Reply::error(403, "DENIED", "requested access to the resource is denied");
    }
    let is_tag = request.path().contains("/manifests/") && !request.path().contains("sha256:");
    let takes = |left: usize| left.checked_sub(1);
    if request.method == "HEAD" && is_tag && moves.fetch_update(Ordering::SeqCst, Ordering::SeqCst, takes).is_ok() {
        return Reply::new(200)
            .with("Content-Type", "application/vnd.oci.image.manifest.v1+json")
            .with("Docker-Content-Digest", format!("sha256:{}", "5".repeat(64)));
    }
    reply
}

fn rendered(file: &str, inputs: &[(&str, Value)]) -> Pipeline {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-tasks").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    Template::read(&text).and_then(|template| template.render(inputs)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[track_caller]
fn ended(job: &JobRun, code: i32) {
    assert_eq!(job.run.code, Some(code), "{}: {}", job.name, job.run);
}

#[track_caller]
fn says(job: &JobRun, words: &str) {
    assert!(job.run.to_string().contains(words), "{}: '{words}' is not said: {}", job.name, job.run);
}

fn left(job: &JobRun, file: &str) -> String {
    std::fs::read_to_string(job.folder.join(file)).unwrap_or_else(|error| panic!("{}: {file}: {error}: {}", job.name, job.run))
}

const INVENTORY: &str = "provisioner/gke-inventory";

#[test]
fn a_merge_request_gets_one_comment_and_keeps_it() {
    for shell in Shell::ALL {
        let mut scene = Scene::platform("", shell, &["production"]);
        scene.list(&["a", "b"]);
        let gitlab = GitLab::start(42);
        scene.set("CI_API_V4_URL", &gitlab.url());
        scene.set("RUNWAY_COMMENT_TOKEN", "canary-of-a-token");
        scene.on_a_merge_request();
        // A first comment: there is none of ours, among many pages; some only look like it.
        for n in 0..120 {
            gitlab.note(&format!("{n}: a \"note\", {{\"id\":3}} and <!-- kubectl-runway gke production-eu -->"));
        }
        gitlab.note("I quote: <!-- kubectl-runway gke production -->");
        let built = scene.run("Build Inventory", 0);
        assert_eq!(gitlab.notes().len(), 1, "{shell:?}: {}", built.run);
        assert!(
            gitlab.notes()[0].contains("`a` added") && gitlab.notes()[0].ends_with("<!-- kubectl-runway gke production -->\n")
        );
        assert!(!built.run.to_string().contains("canary"), "{}", built.run);
        // The next push to the merge request changes it, from a fork's pipeline too.
        gitlab.note("later");
        scene.list(&["a", "b", "c"]);
        scene.set("CI_PROJECT_ID", "43");
        scene.set("CI_MERGE_REQUEST_PROJECT_ID", "42");
        drop(scene.run("Build Inventory", 0));
        assert_eq!(gitlab.changes(), ["POST", "PUT"], "{shell:?}");
        assert!(gitlab.notes()[0].contains("`c` added"));
        assert!(gitlab.received().iter().all(|request| request.header("private-token") == Some("canary-of-a-token")));
        // A token that is over is no fault of what is built.
        gitlab.refuse(true);
        says(&scene.run("Build Inventory", 0), "warning: the comment could not be written");
        gitlab.refuse(false);
        // What cannot be read is said over a comment of before.
        scene.closed.store(true, Ordering::SeqCst);
        says(&scene.run("Build Inventory", 0), "what would change is not known");
        assert!(gitlab.notes()[0].contains("is not known"), "{:?}", gitlab.notes());
        scene.on_main();
        drop(scene.run("Build Inventory", 2));
    }
}

#[test]
fn a_merge_request_that_changes_nothing_is_not_commented() {
    let mut scene = Scene::platform("", Shell::Bash, &["production"]);
    scene.list(&["a", "b"]);
    drop(scene.upload(0));
    let gitlab = GitLab::start(42);
    scene.set("CI_API_V4_URL", &gitlab.url());
    scene.set("RUNWAY_COMMENT_TOKEN", "token");
    scene.on_a_merge_request();
    says(&scene.run("Build Inventory", 0), "there is nothing to say");
    assert_eq!(gitlab.changes(), [""; 0]);
    // Over a comment that said something else it is said.
    scene.list(&["a", "b", "c"]);
    drop(scene.run("Build Inventory", 0));
    scene.list(&["a", "b"]);
    drop(scene.run("Build Inventory", 0));
    assert_eq!(gitlab.changes(), ["POST", "PUT"]);
    assert!(gitlab.notes()[0].contains("Nothing changes."), "{:?}", gitlab.notes());
}

#[test]
fn a_moved_tag_is_planned_again_once_and_is_no_matter_of_the_guard() {
    for shell in Shell::ALL {
        let mut scene = Scene::platform("", shell, &["production"]);
        scene.list(&["a", "b"]);
        scene.moves.store(1, Ordering::SeqCst);
        says(&scene.upload(0), "planned again, once");
        assert!(scene.tag(INVENTORY, "production").is_some());
        scene.list(&["a", "b", "c"]);
        let before = scene.tag(INVENTORY, "production");
        scene.moves.store(9, Ordering::SeqCst);
        let upload = scene.upload(1);
        assert!(!upload.goes_on, "nothing was uploaded, and no manual step leads on: {}", upload.run);
        let receipt: Value = serde_json::from_str(&left(&upload, "receipts/gke-production.json")).unwrap();
        assert_eq!((&receipt["result"], &receipt["reason"]), (&"refused".into(), &"TagMoved".into()));
        assert_eq!(scene.tag(INVENTORY, "production"), before);
        scene.moves.store(0, Ordering::SeqCst);
        says(&scene.run("Upload Inventory (removals)", 0), "not needed");
    }
}

#[test]
fn removals_wait_for_somebody_who_reads_the_plan() {
    for shell in Shell::ALL {
        let mut scene = Scene::platform("", shell, &["production"]);
        scene.list(&["a", "b", "c", "d"]);
        let upload = scene.upload(0);
        let digest = scene.tag(INVENTORY, "production").unwrap();
        let variables = left(&upload, "receipts/receipt.env");
        for name in ["RUNWAY_DIGEST", "RUNWAY_DIGEST_GKE_PRODUCTION"] {
            assert!(variables.contains(&format!("{name}={digest}\n")), "{variables}");
        }
        scene.list(&["a", "b"]);
        let upload = scene.upload(5);
        assert!(upload.goes_on);
        says(&upload, "start the manual job");
        assert_eq!(scene.tag(INVENTORY, "production").as_ref(), Some(&digest));
        // Somebody else uploads meanwhile: what was read is not what would happen.
        scene.env.write(
            "other.yml",
            "- runway_service_id: a\n- runway_service_id: b\n- runway_service_id: c\n- runway_service_id: e\n",
        );
        let push = ["inventory", "push", "-f", "other.yml", "--runtime", "gke", "-e", "production"];
        drop(scene.env.run(push).exits(0));
        let late = scene.run("Upload Inventory (removals)", 1);
        says(&late, "run a new pipeline");
        // The new pipeline's plan is carried out as it was shown.
        drop(scene.upload(5));
        let released = scene.run("Upload Inventory (removals)", 0);
        says(&released, "letting 2 removals through");
        let now = scene.tag(INVENTORY, "production").unwrap();
        assert!(left(&released, "receipts/receipt.env").contains(&format!("RUNWAY_DIGEST_GKE_PRODUCTION={now}\n")));
        assert_ne!(now, digest);
    }
}

#[test]
fn an_environment_without_workloads_stops_no_other() {
    let mut scene = Scene::platform("", Shell::Sh, &["staging", "production"]);
    let only = |environment: &str| format!("- runway_service_id: a\n  environments: [{environment}]\n");
    scene.env.write("config/runtimes/gke/workloads.yml", only("production"));
    for name in ["Build Inventory", "Verify Inventory", "Upload Inventory"] {
        let runs = scene.all(name);
        for run in &runs {
            ended(run, 0);
        }
        says(&runs[0], "SKIPPED: gke staging has no workload, neither in the list nor published");
    }
    assert!(scene.tag(INVENTORY, "production").is_some() && scene.tag(INVENTORY, "staging").is_none());
    // Now production is the one without, and something is published there.
    scene.env.write("config/runtimes/gke/workloads.yml", only("staging"));
    let before = scene.tag(INVENTORY, "production");
    for (name, code, goes_on) in [("Build Inventory", 5, true), ("Verify Inventory", 5, true), ("Upload Inventory", 1, false)] {
        let runs = scene.all(name);
        ended(&runs[0], 0);
        ended(&runs[1], code);
        assert_eq!(runs[1].goes_on, goes_on, "{name}");
    }
    assert!(scene.tag(INVENTORY, "staging").is_some());
    assert_eq!(scene.tag(INVENTORY, "production"), before);
    scene.on_a_merge_request();
    drop(scene.all("Build Inventory"));
    ended(&scene.all("Verify Inventory")[1], 1);
    // Any other error stops it, whatever is empty beside it.
    scene.env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: A_\n  environments: [staging]\n");
    scene.all("Build Inventory").iter().for_each(|run| assert!(!run.goes_on, "{}", run.run));
}

#[test]
fn two_environments_of_a_service_are_published_in_their_order() {
    for shell in Shell::ALL {
        let mut scene = Scene::service(shell, &[]);
        scene.manifests(&["a", "b", "c"]);
        drop(scene.run("Build web", 0));
        let deployed = scene.run("Deploy web", 0);
        says(&deployed, "NOT WAITED FOR: whether staging runs what was published is not known: there is no KUBECONFIG");
        let variables = left(&deployed, "deploy/deploy.env");
        for tag in ["staging", "production"] {
            let digest = scene.tag("deployments/web/deploy", tag).unwrap();
            let line = format!("RUNWAY_DIGEST_WEB_{}={digest}\n", tag.to_uppercase());
            assert!(variables.contains(&line), "{variables}");
        }
        assert!(variables.contains("RUNWAY_TAG=production\n"), "{variables}");
        says(&scene.run("Deploy web (removals)", 0), "not needed");

        // Two of three objects go: nothing is published anywhere before somebody lets that through.
        let before = scene.tag("deployments/web/deploy", "staging");
        scene.manifests(&["a"]);
        drop(scene.run("Build web", 0));
        let refused = scene.run("Deploy web", 5);
        assert!(refused.goes_on);
        says(&refused, "the guard refused: staging production");
        says(&refused, "- ConfigMap/web/b");
        assert_eq!(scene.tag("deployments/web/deploy", "staging"), before);
        let released = scene.run("Deploy web (removals)", 0);
        says(&released, "letting 2 removals through");
        assert_ne!(scene.tag("deployments/web/deploy", "staging"), before);
        assert_eq!(scene.tag("deployments/web/deploy", "staging"), scene.tag("deployments/web/deploy", "production"));
        // Started again it finds its work done.
        drop(scene.run("Deploy web (removals)", 0));

        // A moved tag has nothing to do with the guard.
        scene.manifests(&["a", "z"]);
        drop(scene.run("Build web", 0));
        scene.moves.store(1, Ordering::SeqCst);
        says(&scene.run("Deploy web", 0), "planned again, once");
        scene.manifests(&["a", "z", "x"]);
        drop(scene.run("Build web", 0));
        scene.moves.store(9, Ordering::SeqCst);
        let moved = scene.run("Deploy web", 1);
        assert!(!moved.goes_on);
    }
}

#[test]
fn an_old_pipelines_removals_publish_nothing() {
    let mut scene = Scene::service(Shell::Sh, &[("environments", json!("staging"))]);
    scene.manifests(&["a", "b", "c"]);
    drop(scene.run("Build web", 0));
    drop(scene.run("Deploy web", 0));
    scene.manifests(&["a"]);
    drop(scene.run("Build web", 0));
    drop(scene.run("Deploy web", 5));
    scene.manifests(&["a", "b", "c", "d"]);
    drop(scene.env.run(["deploy", "push", "web", "-e", "staging", "-f", "manifests.yaml", "--target-namespace", "web"]).exits(0));
    let before = scene.tag("deployments/web/deploy", "staging");
    says(&scene.run("Deploy web (removals)", 1), "the tag of staging has moved since the refused plan was made");
    assert_eq!(scene.tag("deployments/web/deploy", "staging"), before);
}

#[test]
fn reports_are_valid_however_helm_ends() {
    for shell in Shell::ALL {
        let mut scene = Scene::service(shell, &[]);
        scene.program("helm", "echo 'Error: no template' >&2\nexit 1");
        let failed = scene.run("Build web", 1);
        assert!(failed.run.stderr.trim_end().ends_with("not fit to be published: staging production"), "{}", failed.run);
        let quality = |job: &JobRun| -> Vec<Value> {
            let text = left(job, "deploy/codequality.json");
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
        };
        drop(quality(&failed));
        for environment in ["staging", "production"] {
            assert!(left(&failed, &format!("deploy/{environment}/junit.xml")).contains("<testsuites"), "{}", failed.run);
        }
        // Findings of both environments stand in one list.
        scene.env.write("manifests.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: '[x]'}\n");
        let manifests = scene.env.work().join("manifests.yaml");
        scene.program("helm", &format!("cat {}", manifests.display()));
        let failed = scene.run("Build web", 1);
        assert_eq!(quality(&failed).len(), 2, "{}", failed.run);
        // What is published cannot be read: in a merge request that is a warning, and the reports are there.
        scene.manifests(&["a"]);
        scene.closed.store(true, Ordering::SeqCst);
        scene.on_a_merge_request();
        let built = scene.run("Build web", 0);
        says(&built, "warning: what would change in production is not known");
        assert_eq!(quality(&built), [Value::Null; 0]);
        scene.on_main();
        drop(scene.run("Build web", 2));
    }
}

#[test]
fn inputs_reach_helm_and_the_program() {
    let inputs = [
        ("app_version", json!("${CI_COMMIT_SHORT_SHA}-$CI_COMMIT_REF_NAME")),
        ("chart_version", json!("1.2.3")),
        ("dependency_update", json!(true)),
        ("timeout", json!("90s")),
        ("runtime", json!("eks")),
        ("environments", json!("staging")),
        ("job_suffix", json!(" (eu)")),
    ];
    let mut scene = Scene::service(Shell::Sh, &inputs);
    scene.set("CI_COMMIT_REF_NAME", "a,b=c");
    let log = scene.env.root().join("calls.log");
    scene.program("kubectl-runway", &format!("echo \"$RUNWAY_RUNTIME: $@\" >> {}", log.display()));
    drop(scene.run("Build web (eu)", 0));
    let log = std::fs::read_to_string(log).unwrap();
    let common = "--chart .runway/web/chart --target-namespace web --chart-version 1.2.3 --dependency-update --set-string appVersion=01234567-a\\,b=c --timeout 90s";
    assert!(log.contains(&format!("eks: deploy build web -e staging {common} --output-dir")), "{log}");
    assert!(log.contains(&format!("eks: deploy verify web -e staging {common} -o human")), "{log}");

    // What is left out is not given, and what helm gets is one value.
    let mut scene = Scene::service(Shell::Bash, &[inputs[0].clone(), inputs[3].clone()]);
    scene.set("CI_COMMIT_REF_NAME", "a,b=c");
    scene.manifests(&["a"]);
    drop(scene.run("Build web", 0));
    let log = std::fs::read_to_string(scene.env.root().join("helm.log")).unwrap();
    assert!(log.contains("--set-string=appVersion=01234567-a\\,b=c"), "{log}");
}

#[test]
fn a_wait_says_how_it_ended_or_why_there_was_none() {
    let agent = "apiVersion: v1\nkind: Config\ncontexts:\n- name: group/project:one\n- name: group/project:two\n";
    let cases = [
        (
            json!({}),
            Some(agent),
            0,
            0,
            "NOT WAITED FOR: whether staging runs what was published is not known: the kubeconfig has no current",
        ),
        (json!({}), Some("current-context: \"\"\n"), 0, 0, "NOT WAITED FOR"),
        (json!({"wait": "never"}), Some("current-context: x\n"), 0, 0, "the input wait is never"),
        (
            json!({}),
            Some("kind: Config\ncurrent-context: x\n"),
            0,
            0,
            "called: web -e staging --wait --wait-timeout 1200s --objects\n",
        ),
        (
            json!({"objects": false}),
            Some("{\"current-context\":\"x\"}"),
            0,
            0,
            "called: web -e staging --wait --wait-timeout 1200s\n",
        ),
        (
            json!({"context": "g/p:{environment} q*"}),
            Some(agent),
            0,
            0,
            "--wait-timeout 1200s --context g/p:staging --context q* --objects\n",
        ),
        (json!({"wait_minutes": 200}), Some("current-context: x\n"), 0, 0, "the job ends before 200m are over"),
        (json!({"wait": "always"}), None, 1, 1, "web is not ready in staging"),
        (json!({"wait": "always"}), None, 4, 4, "the time is up: web was still on its way in staging"),
        (json!({"wait": "always"}), None, 3, 3, "some clusters of staging gave no answer"),
        (json!({"wait": "always"}), None, 2, 2, "no answer: whether web runs in staging is not known"),
    ];
    // In turns in both shells.
    for ((inputs, kubeconfig, status, code, words), shell) in cases.into_iter().zip(Shell::ALL.into_iter().cycle()) {
        let given = inputs.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value.clone()));
        let given: Vec<(&str, Value)> = given.chain([("environments", json!("staging"))]).collect();
        let mut scene = Scene::service(shell, &given);
        scene.env.write("q-file", "a file that * would find");
        if let Some(text) = kubeconfig {
            let path = scene.env.write("../kubeconfig", text).display().to_string();
            scene.set("KUBECONFIG", &format!("/nowhere:{path}"));
        }
        let real = env!("CARGO_BIN_EXE_kubectl-runway");
        scene.program(
            "kubectl-runway",
            &format!("if [ \"$1\" != status ]; then exec {real} \"$@\"; fi\nshift\necho \"called: $*\"\nexit {status}"),
        );
        scene.manifests(&["a"]);
        drop(scene.run("Build web", 0));
        says(&scene.run("Deploy web", code), words);
    }
}

/// `gitlab-ci-local` with what it needs; that something is missing is said loudly, and fails in CI.
fn second_opinion() -> Option<(std::path::PathBuf, String)> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gitlab-ci-local/node_modules/.bin/gitlab-ci-local");
    let path = std::env::var("PATH").unwrap_or_default();
    let on_path = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let missing = if !program.is_file() {
        "gitlab-ci-local (npm ci --prefix tests/gitlab-ci-local)"
    } else if let Some(name) = ["node", "rsync", "git", "bash"].into_iter().find(|name| !on_path(name)) {
        name
    } else {
        return Some((program, path));
    };
    println!("SKIPPED: the jobs of ci-tasks/ were not run by gitlab-ci-local: there is no {missing}");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing} must not be missing where CI=true");
    None
}

/// Both files in one pipeline, read and run by somebody else's program, which knows GitLab's own schema of such files.
#[test]
fn gitlab_ci_local_runs_them_as_well() {
    let Some((program, path)) = second_opinion() else { return };
    let scene = Scene::service(Shell::Bash, &[]);
    scene.list(&["web", "b", "c"]);
    scene.manifests(&["a", "b", "c"]);
    for file in [SERVICE, PLATFORM] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-tasks").join(file)).unwrap();
        scene.env.write(Path::new("ci-tasks").join(file), text);
    }
    scene.env.write(
        ".gitlab-ci.yml",
        format!(
            "include:\n  - {{local: ci-tasks/{SERVICE}, inputs: {{runway_service_id: web, runway_version: v0.1.0}}}}\n  - {{local: ci-tasks/{PLATFORM}, inputs: {{runway_version: v0.1.0, runtimes: [gke]}}}}\n"
        ),
    );
    let run = |program: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new(program);
        command.args(arguments).current_dir(scene.env.work()).env_clear().env("HOME", scene.env.home());
        command.env("PATH", format!("{}:{path}", scene.env.root().join("bin").display()));
        let sets = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gitlab-ci-local/sets.cjs");
        command.env("NODE_OPTIONS", format!("--require={}", sets.display()));
        runway_testkit::command::run(command, b"", std::time::Duration::from_secs(240)).unwrap()
    };
    let commit = || {
        drop(run("git", &["add", "--all"]).exits(0));
        drop(run("git", &["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "x"]).exits(0));
    };
    drop(run("git", &["init", "--quiet", "--initial-branch", "main", "."]).exits(0));
    drop(run("git", &["remote", "add", "origin", "https://gitlab.example.com/group/project.git"]).exits(0));
    scene.env.write(".gitignore", ".gitlab-ci-local\n");
    commit();
    let program = program.display().to_string();
    let passed = run(&program, &["--force-shell-executor", "--no-artifacts-to-source"]).exits(0);
    let said = passed.to_string();
    for job in [
        "Build web",
        "Deploy web",
        "Build Inventory: [gke,staging]",
        "Verify Inventory: [gke,production]",
        "Upload Inventory: [gke,production]",
    ] {
        assert!(said.contains(&format!("PASS  {job}")), "{job}: {said}");
    }
    assert!(said.contains("json schema validated") && !said.contains("PASS  Deploy web (removals)"), "{said}");
    let tags = || ["staging", "production"].map(|tag| [scene.tag(INVENTORY, tag), scene.tag("deployments/web/deploy", tag)]);
    let before = tags();
    assert!(before.iter().flatten().all(Option::is_some), "{before:?}");
    // What the guard refuses is a warning, and the pipeline is none the worse for it.
    scene.list(&["web"]);
    scene.manifests(&["a"]);
    commit();
    let warned = run(&program, &["--force-shell-executor", "--no-artifacts-to-source"]).exits(0).to_string();
    for job in ["Deploy web", "Upload Inventory: [gke,staging]"] {
        assert!(warned.contains(&format!("WARN  {job}")), "{job}: {warned}");
    }
    assert_eq!(tags(), before);
}
