//! The service side: the jobs of `ci-tasks/`, run in a shell against the bed, until live Flux runs what they published.

use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::{Handle, Options};
use runway_testkit::ci::{JobRun, Pipeline, Runner, Template};
use runway_testkit::fake::GitLab;
use serde_json::{Value, json};
use std::path::Path;

const CHART: [(&str, &str); 4] = [
    ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
    ("values.yaml", "greeting: hello\nreplicas: 2\n"),
    (
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  labels: {app.kubernetes.io/name: {{ .Chart.Name }}}\ndata:\n  greeting: {{ .Values.greeting | quote }}\n",
    ),
    (
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: {{ .Values.replicas }}\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: app, image: example.com/app:1}]}\n",
    ),
];

/// A file of `ci-tasks/`, with its inputs.
fn pipeline(file: &str, inputs: &[(&str, Value)]) -> Pipeline {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-tasks").join(file);
    let text = std::fs::read_to_string(path).expect("the file is there");
    Template::read(&text).and_then(|template| template.render(inputs)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A runner in the stage's repository, on its default branch.
fn runner(stage: &Stage) -> Runner {
    let bin = stage.env.root().join("bin");
    let link = bin.join("kubectl-runway");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-runway"), link).expect("a link to the program");
    let kubeconfig = stage.ns.kube().kubeconfig().display().to_string();
    let variables = [
        ("KUBECONFIG", kubeconfig.as_str()),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_COMMIT_SHA", "0123456789012345678901234567890123456789"),
        ("CI_PROJECT_URL", "https://gitlab.example.com/platform"),
        ("CI_PROJECT_ID", "42"),
    ];
    let mut runner = Runner::new(&stage.env.work(), &[&bin, stage.bed.bin()], &variables);
    on_main(&mut runner);
    runner
}

fn on_main(runner: &mut Runner) {
    runner.variables.insert("CI_PIPELINE_SOURCE".to_owned(), "push".to_owned());
    runner.variables.insert("CI_COMMIT_BRANCH".to_owned(), "main".to_owned());
    runner.variables.remove("CI_MERGE_REQUEST_IID");
}

fn on_a_merge_request(runner: &mut Runner) {
    runner.variables.insert("CI_PIPELINE_SOURCE".to_owned(), "merge_request_event".to_owned());
    runner.variables.insert("CI_MERGE_REQUEST_IID".to_owned(), "7".to_owned());
    runner.variables.remove("CI_COMMIT_BRANCH");
}

/// The only instance of a job.
fn one(mut runs: Vec<JobRun>) -> JobRun {
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs.remove(0)
}

#[track_caller]
fn passed(job: &JobRun) {
    assert!(job.run.code == Some(0), "{} failed:\n{}", job.name, job.run);
}

/// What a job left in a file.
fn left(job: &JobRun, file: &str) -> String {
    let path = job.folder.join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}\n{}", path.display(), job.run))
}

/// The codes in a job's Code Quality report.
fn quality(job: &JobRun) -> Vec<String> {
    let text = left(job, "deploy/codequality.json");
    assert!(!text.contains("canary"), "{text}");
    let list: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    list.iter().map(|item| item["check_name"].as_str().expect("a code").to_owned()).collect()
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
#[expect(clippy::too_many_lines, reason = "one service's way, step after step")]
fn the_services_job_publishes_a_chart_and_waits_until_it_runs() {
    let stage = Stage::new("chart", "gke");
    // The workload's namespace is named as the workload: here the stage's own.
    let id = stage.ns.name().to_owned();
    stage.declare(&[&id]);
    stage.push(&[]).ok();
    stage.parent();
    for (file, text) in CHART {
        stage.env.write(format!(".runway/{id}/chart/{file}"), text);
    }
    let mut runner = runner(&stage);
    let required = [("runway_service_id", json!(id)), ("runway_version", json!("v0.1.0"))];
    // Nobody makes Pods of Deployments on this cluster.
    let more = [("environments", json!(ENVIRONMENT)), ("objects", json!(false))];
    let jobs = pipeline("service-project/helm-chart.yml", &[&required[..], &more].concat());
    let (build, deploy) = (format!("Build {id}"), format!("Deploy {id}"));
    assert_eq!(jobs.selected(&runner.variables).unwrap(), [build.as_str(), &deploy, &format!("Deploy {id} (removals)")]);

    let built = one(runner.run(&jobs, &build));
    passed(&built);
    assert!(built.run.stdout.contains(&format!("+ ConfigMap/{id}/{id}\n+ Deployment/{id}/web\n")), "{}", built.run);
    assert!(left(&built, &format!("deploy/{ENVIRONMENT}/junit.xml")).contains("failures=\"0\""));
    assert_eq!(quality(&built), [""; 0]);
    let deployed = one(runner.run(&jobs, &deploy));
    passed(&deployed);
    assert!(deployed.run.stdout.contains("Ready") && deployed.run.stdout.contains("applied"), "{}", deployed.run);
    let receipt: Value = serde_json::from_str(&left(&deployed, &format!("deploy/{ENVIRONMENT}/receipt.json"))).unwrap();
    let digest = stage.bed.tag_digest(&stage.deploy_repository(&id), ENVIRONMENT);
    assert_eq!((receipt["result"].as_str(), receipt["digest"].as_str()), (Some("pushed"), digest.as_deref()));
    let map = stage.ns.get_json("configmap", &id).expect("live Flux has applied it");
    assert_eq!(map["data"]["greeting"], "hello");
    assert_eq!(stage.ns.get_json("deployment", "web").expect("this too")["spec"]["replicas"], 2);

    // A value of an environment.
    stage.env.write(format!(".runway/{id}/values-{ENVIRONMENT}.yaml"), "greeting: good day\n");
    let built = one(runner.run(&jobs, &build));
    assert!(built.run.stdout.contains("data.greeting: hello -> good day"), "{}", built.run);
    passed(&one(runner.run(&jobs, &deploy)));
    assert_eq!(stage.ns.get_json("configmap", &id).unwrap()["data"]["greeting"], "good day");

    // A broken value: nothing is wrong with the manifests as such, and the API server refuses the object.
    stage.env.write(format!(".runway/{id}/values-{ENVIRONMENT}.yaml"), "greeting: good day\nreplicas: many\n");
    passed(&one(runner.run(&jobs, &build)));
    let start = std::time::Instant::now();
    let failed = one(runner.run(&jobs, &deploy));
    assert!(start.elapsed().as_secs() < 300, "it fails when Flux does, not when the time is up");
    assert_eq!((failed.run.code, failed.goes_on), (Some(1), false), "{}", failed.run);
    let said = failed.run.to_string();
    assert!(said.contains(&format!("Deployment/{id}/web")) && said.contains("dry-run failed"), "{said}");
    assert!(said.contains("is not ready in production"), "{said}");
    assert_eq!(stage.ns.get_json("deployment", "web").unwrap()["spec"]["replicas"], 2, "what ran still runs");

    // One that is seen before anything is published.
    stage.env.write(
        format!(".runway/{id}/chart/templates/secret.yaml"),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: canary}\n",
    );
    let refused = one(runner.run(&jobs, &build));
    let said = refused.run.to_string();
    assert_eq!(refused.run.code, Some(1), "{said}");
    assert!(said.contains("error[plain-secret]") && said.contains("not fit to be published: production"), "{said}");
    assert!(left(&refused, &format!("deploy/{ENVIRONMENT}/junit.xml")).contains("failures=\"1\""));
    assert!(!left(&refused, &format!("deploy/{ENVIRONMENT}/junit.xml")).contains("canary"));
    assert_eq!(quality(&refused), ["plain-secret"]);
    // Of several environments, which are the default, one report.
    let jobs = pipeline("service-project/helm-chart.yml", &[&required[..], &[("wait", json!("never"))]].concat());
    let refused = one(runner.run(&jobs, &build));
    assert_eq!((refused.run.code, quality(&refused).len()), (Some(1), 2), "{}", refused.run);
    // Both are published, in their order.
    stage.env.write(format!(".runway/{id}/chart/templates/secret.yaml"), "");
    stage.env.write(format!(".runway/{id}/values-{ENVIRONMENT}.yaml"), "greeting: good day\n");
    passed(&one(runner.run(&jobs, &build)));
    let deployed = one(runner.run(&jobs, &deploy));
    passed(&deployed);
    let said = &deployed.run.stdout;
    assert!(said.find("=== staging").is_some_and(|at| Some(at) < said.find("=== production")), "{}", deployed.run);
    for tag in ["staging", "production"] {
        let digest = stage.bed.tag_digest(&stage.deploy_repository(&id), tag).expect("a tag");
        let name = id.to_uppercase().replace('-', "_");
        let line = format!("RUNWAY_DIGEST_{name}_{}={digest}\n", tag.to_uppercase());
        assert!(left(&deployed, "deploy/deploy.env").contains(&line), "{line}: {}", left(&deployed, "deploy/deploy.env"));
    }
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_deployment_that_crashes_fails_the_services_job() {
    let bed = Handle::connect();
    let cluster = bed.cluster_with("crash", Options { pods: true, ..Options::default() });
    let ns = cluster.namespace("crash");
    let stage = Stage::on(bed, ns, "crash", "gke");
    let id = stage.ns.name().to_owned();
    stage.declare(&[&id]);
    stage.push(&[]).ok();
    stage.parent();
    let chart = |image: &str| {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  progressDeadlineSeconds: 12\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: app, image: \"example.com/IMAGE:1\"}]}\n";
        stage.env.write(format!(".runway/{id}/chart/Chart.yaml"), CHART[0].1);
        stage.env.write(format!(".runway/{id}/chart/templates/deployment.yaml"), text.replace("IMAGE", image));
    };
    let mut runner = runner(&stage);
    let inputs = [
        ("runway_service_id", json!(id)),
        ("runway_version", json!("v0.1.0")),
        ("environments", json!(ENVIRONMENT)),
        ("runtime", json!("gke")),
        ("wait_minutes", json!(5)),
    ];
    let jobs = pipeline("service-project/helm-chart.yml", &inputs);
    let (build, deploy) = (format!("Build {id}"), format!("Deploy {id}"));
    chart("fine");
    passed(&one(runner.run(&jobs, &build)));
    let deployed = one(runner.run(&jobs, &deploy));
    passed(&deployed);
    assert!(deployed.run.stdout.contains("healthy"), "{}", deployed.run);
    // Flux says Ready of this one, too: it has applied it.
    chart("crashes");
    passed(&one(runner.run(&jobs, &build)));
    let failed = one(runner.run(&jobs, &deploy));
    let said = failed.run.to_string();
    assert_eq!((failed.run.code, failed.goes_on), (Some(1), false), "{said}");
    assert!(said.contains(&format!("Deployment/{id}/web")) || said.contains(&format!("Deployment {id}/web")), "{said}");
    assert!(said.contains(&format!("{id} is not ready in {ENVIRONMENT}")), "{said}");
    stage.wait_verdict(&id, "Ready");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_hostile_chart_ends_in_time_and_publishes_nothing() {
    let stage = Stage::new("hostile-chart", "gke");
    let id = stage.ns.name().to_owned();
    stage.declare(&[&id]);
    let mut runner = runner(&stage);
    let inputs = [
        ("runway_service_id", json!(id)),
        ("runway_version", json!("v0.1.0")),
        ("environments", json!(ENVIRONMENT)),
        ("timeout", json!("20s")),
    ];
    let jobs = pipeline("service-project/helm-chart.yml", &inputs);
    let (build, templates) = (format!("Build {id}"), format!(".runway/{id}/chart/templates"));
    stage.env.write(format!(".runway/{id}/chart/Chart.yaml"), CHART[0].1);
    stage.env.write("../outside.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: canary}\n");
    let template = stage.env.work().join(&templates).join("hostile.yaml");
    for (text, words) in [
        // Of a gigabyte helm would keep several copies before it printed the first byte.
        ("{{ range until 2000 }}{{ repeat 100000 \"# words \" }}\n{{ end }}", "the chart"),
        ("{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}", "was not done after 20"),
        ("{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}", "the chart cannot be rendered"),
        ("-> ../../../../../outside.yaml", "link"),
    ] {
        std::fs::create_dir_all(template.parent().expect("a folder")).expect("a folder");
        drop(std::fs::remove_file(&template));
        match text.strip_prefix("-> ") {
            Some(target) => std::os::unix::fs::symlink(target, &template).expect("a link"),
            None => drop(stage.env.write(&template, text)),
        }
        let start = std::time::Instant::now();
        let failed = one(runner.run(&jobs, &build));
        let said = failed.run.to_string();
        assert_eq!(failed.run.code, Some(1), "{text}: {said}");
        assert!(said.contains(words) && !said.contains("canary"), "{text}: {said}");
        assert!(said.len() < 20_000 && start.elapsed().as_secs() < 60, "{text}: {said}");
        drop(quality(&failed));
        assert!(!failed.folder.join(format!("deploy/{ENVIRONMENT}/manifests.yaml")).exists(), "{text}");
    }
    assert_eq!(stage.bed.tag_digest(&stage.deploy_repository(&id), ENVIRONMENT), None);
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_merge_request_of_the_platform_is_built_verified_and_uploaded() {
    let stage = Stage::new("platform", "gke");
    stage.declare(&["a", "b", "c"]);
    stage.push(&[]).ok();
    stage.declare(&["a", "c", "d"]);
    let gitlab = GitLab::start(42);
    let mut runner = runner(&stage);
    runner.variables.insert("CI_API_V4_URL".to_owned(), gitlab.url());
    runner.variables.insert("RUNWAY_COMMENT_TOKEN".to_owned(), "canary-of-a-token".to_owned());
    let jobs =
        pipeline("provisioner/inventory.yml", &[("runway_version", json!("v0.1.0")), ("environments", json!([ENVIRONMENT]))]);

    on_a_merge_request(&mut runner);
    assert_eq!(jobs.selected(&runner.variables).unwrap(), ["Build Inventory", "Verify Inventory"]);
    for round in 0..2 {
        let built = runner.run(&jobs, "Build Inventory");
        built.iter().for_each(passed);
        assert!(built.iter().all(|job| !job.run.to_string().contains("canary")), "{built:?}");
        let eks = built.iter().find(|job| job.name.contains("eks")).expect("both runtimes");
        assert!(eks.run.stdout.contains("there is no list for the runtime eks"), "{}", eks.run);
        // The second push to the merge request changes the comment, and adds none.
        let notes = gitlab.notes();
        assert_eq!(notes.len(), 1, "round {round}: {notes:?}");
        assert!(notes[0].contains("`d` added") && notes[0].contains("`b` removed, **pruned**"), "{notes:?}");
        assert!(gitlab.received().iter().all(|request| request.header("private-token") == Some("canary-of-a-token")));
        stage.declare(&["a", "c", "d", "e"]);
    }
    assert_eq!(gitlab.changes(), ["POST", "PUT"]);
    assert!(gitlab.notes()[0].contains("`e` added"));
    let verified = runner.run(&jobs, "Verify Inventory");
    verified.iter().for_each(passed);
    let gke = verified.iter().find(|job| job.name.contains("gke")).expect("both runtimes");
    assert!(left(gke, "reports/junit.xml").contains("tests=\"4\" failures=\"0\""), "{}", left(gke, "reports/junit.xml"));
    let quality: Value = serde_json::from_str(&left(gke, "reports/codequality.json")).unwrap();
    assert!(quality.is_array(), "{quality}");

    on_main(&mut runner);
    let uploads = ["Build Inventory", "Verify Inventory", "Upload Inventory", "Upload Inventory (removals)"];
    assert_eq!(jobs.selected(&runner.variables).unwrap(), uploads);
    upload(&stage, &mut runner, &jobs, "pushed", 0);
    assert_eq!(gitlab.changes(), ["POST", "PUT"], "only merge requests are commented");

    // Two of four go: the guard refuses, the pipeline goes on, and the manual job lets exactly those two through.
    stage.declare(&["a", "c"]);
    let before = stage.bed.tag_digest(&stage.inventory_repository(), ENVIRONMENT);
    upload(&stage, &mut runner, &jobs, "refused", 5);
    assert_eq!(stage.bed.tag_digest(&stage.inventory_repository(), ENVIRONMENT), before);
    let released = runner.run(&jobs, "Upload Inventory (removals)");
    let gke = released.iter().find(|job| job.name.contains("gke")).expect("both runtimes");
    passed(gke);
    assert!(gke.run.stdout.contains("letting 2 removals through") && gke.run.stdout.contains("- d (pruned"), "{}", gke.run);
    assert_ne!(stage.bed.tag_digest(&stage.inventory_repository(), ENVIRONMENT), before);
}

/// Build, Verify, Upload; the upload of gke ends so.
#[track_caller]
fn upload(stage: &Stage, runner: &mut Runner, jobs: &Pipeline, result: &str, code: i32) {
    for name in ["Build Inventory", "Verify Inventory"] {
        runner.run(jobs, name).iter().for_each(passed);
    }
    let uploads = runner.run(jobs, "Upload Inventory");
    let gke = uploads.iter().find(|job| job.name.contains("gke")).expect("both runtimes");
    assert_eq!((gke.run.code, gke.goes_on), (Some(code), true), "{}", gke.run);
    let receipt: Value = serde_json::from_str(&left(gke, &format!("receipts/gke-{ENVIRONMENT}.json"))).unwrap();
    assert_eq!(receipt["result"], result);
    if result == "pushed" {
        let digest = stage.bed.tag_digest(&stage.inventory_repository(), ENVIRONMENT).expect("a tag");
        assert!(left(gke, "receipts/receipt.env").contains(&format!("RUNWAY_DIGEST={digest}\n")), "{receipt}");
    }
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn what_flux_pushed_of_the_same_folder_is_no_change() {
    let stage = Stage::new("same", "gke");
    let folder = stage.env.work().join("m");
    let object = |name: &str| {
        format!(
            "# why\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {}\ndata: {{k: 'v'}}\n",
            stage.ns.name()
        )
    };
    stage.env.write("m/a.yaml", object("a"));
    stage.env.write("m/deep/b.yml", object("b"));
    stage.bed.push_folder(&stage.deploy_repository("svc"), ENVIRONMENT, &folder);
    let push = ["deploy", "push", "svc", "-e", ENVIRONMENT, "--path", "m", "-o", "json"];
    let receipt: Value = serde_json::from_str(&stage.env.run(push).ok()).unwrap();
    assert_eq!(receipt["result"], "unchanged", "{receipt}");
    stage.env.write("m/a.yaml", object("a").replace("'v'", "w"));
    let receipt: Value = serde_json::from_str(&stage.env.run(push).ok()).unwrap();
    assert_eq!(
        (&receipt["result"], &receipt["plan"]["changed"][0]),
        (&"pushed".into(), &format!("ConfigMap/{}/a", stage.ns.name()).into())
    );
    // And the real flux reads ours.
    let pulled = stage.env.work().join("pulled");
    std::fs::create_dir(&pulled).unwrap();
    let url = format!("oci://{}:{ENVIRONMENT}", stage.deploy_repository("svc"));
    stage.bed.flux(["pull", "artifact", &url, "--output", pulled.to_str().unwrap(), "--insecure-registry"]).ok();
    assert_eq!(stage.env.read(pulled.join("manifests.yaml")), stage.env.run(["deploy", "show", "svc", "-e", ENVIRONMENT]).ok());
}
