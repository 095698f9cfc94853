//! `deploy …`: a workload's manifests from a folder, standard input or a chart, and everything hostile that they may be.

use super::env;
use runway_testkit::env::{Env, Run};
use serde_json::Value;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, Instant};

/// A `ConfigMap`.
fn config(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: shop\ndata:\n  k: {value}\n")
}

/// Pushes a folder to a layout.
fn push(env: &Env, more: &[&str]) -> Run {
    let mut arguments = vec!["deploy", "push", "web", "-e", "production", "--path", "m", "--to", "layout:out"];
    arguments.extend(more);
    env.run(arguments)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A program of that name on PATH.
fn fake(env: &Env, name: &str, script: &str) {
    let path = env.root().join("bin").join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A run with `/usr/bin` and `/bin` behind the test's own programs: what a script needs.
fn rendered(env: &Env, arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Run {
    let path = format!("{}:/usr/bin:/bin", env.root().join("bin").display());
    let mut command = env.command();
    command.args(arguments).env("PATH", path);
    runway_testkit::command::run(command, b"", Duration::from_secs(60)).unwrap()
}

#[test]
fn a_folder_is_built_pushed_read_and_listed() {
    let env = env();
    env.write("m/b/service.yml", "# why\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n");
    env.write("m/a.yaml", config("web", "'1'"));
    env.write("m/readme.md", "words");
    env.write("m/.hidden/x.yaml", "not: an object");
    let built = env.run(["deploy", "build", "web", "--path", "m"]).ok();
    assert_eq!(built, config("web", "\"1\"") + "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\n");
    assert_eq!(env.run_with_stdin(["deploy", "build", "web", "-f", "-"], &built).ok(), built);
    let first = push(&env, &[]).exits(0);
    assert!(first.stdout.contains("+ ConfigMap/shop/web\n+ Service/shop/web\npushed layout:"), "{first}");
    assert!(first.stdout.contains("(2 objects: 2 added, 0 removed, 0 changed)"), "{first}");
    for arguments in [&["show", "web", "layout:out:production"][..], &["show", "web", "layout:out", "-e", "production"]] {
        let mut all = vec!["deploy"];
        all.extend(arguments);
        assert_eq!(env.run(all).ok(), built);
    }
    drop(env.run(["deploy", "pull", "web", "layout:out:production", "--output-dir", "pulled"]).exits(0));
    assert_eq!(env.read("pulled/manifests.yaml"), built);
    drop(env.run(["deploy", "build", "web", "--path", "m", "--output-dir", "folder"]).exits(0));
    assert_eq!(env.read("folder/manifests.yaml"), built);
    let list = env.run(["deploy", "list", "web", "layout:out"]).ok();
    assert!(list.starts_with("TAG") && list.contains("production"), "{list}");
    assert_eq!(env.run(["deploy", "list", "web", "layout:out", "-o", "name"]).ok(), "production\n");
}

#[test]
fn the_same_objects_are_no_change_however_they_are_written() {
    let env = env();
    env.write("m/a.yaml", config("a", "x") + "---\n" + &config("b", "z"));
    let first = json(&push(&env, &["-o", "json"]).ok());
    assert_eq!(first["result"], "pushed");
    let index = env.read("out/index.json");
    // Other files, other order, other line ends, a comment, a byte order mark.
    env.write("m/a.yaml", format!("\u{feff}# why\n{}", config("b", "\"z\"")).replace('\n', "\r\n"));
    env.write("m/z.yml", config("a", "x"));
    let again = json(&push(&env, &["-o", "json"]).ok());
    assert_eq!((&again["result"], &again["digest"]), (&"unchanged".into(), &first["digest"]));
    assert_eq!(env.read("out/index.json"), index);
    let diff = env.run(["deploy", "diff", "web", "--path", "m", "--with", "layout:out:production"]).exits(0);
    assert_eq!(diff.stdout, "");
    assert_eq!(json(&push(&env, &["-o", "json", "--force"]).ok())["result"], "pushed");
}

#[test]
fn a_plan_is_object_by_object_and_field_by_field() {
    let env = env();
    env.write("m/a.yaml", [config("a", "x"), config("b", "x"), config("c", "x")].join("---\n"));
    drop(push(&env, &[]).exits(0));
    env.write("m/a.yaml", [config("a", "z"), config("c", "x"), config("d", "x")].join("---\n"));
    let text = "+ ConfigMap/shop/d\n- ConfigMap/shop/b (pruned: Flux deletes it)\n~ ConfigMap/shop/a\n    data.k: x -> z\n";
    let diff = env.run(["deploy", "diff", "web", "--path", "m", "--with", "layout:out:production"]).exits(1);
    assert_eq!(diff.stdout, text, "{diff}");
    let diff = env.run(["deploy", "diff", "web", "--path", "m", "--with", "layout:out:production", "-o", "json"]).exits(1);
    let items = json(&diff.stdout)["items"].clone();
    assert_eq!(items[0], serde_json::json!({"object": "ConfigMap/shop/d", "change": "added"}));
    assert_eq!(items[2]["fields"], serde_json::json!([{"path": "data.k", "old": "x", "new": "z"}]));
    let markdown =
        env.run(["deploy", "diff", "web", "-e", "production", "--path", "m", "--with", "layout:out", "-o", "markdown"]).exits(1);
    assert!(markdown.stdout.contains("Deploy artifact `web production`"), "{markdown}");
    assert!(markdown.stdout.contains("`ConfigMap/shop/b` removed, **pruned**: Flux deletes it"), "{markdown}");
    let dry = push(&env, &["--dry-run"]).exits(0);
    assert!(dry.stdout.starts_with(text) && dry.stdout.contains("nothing was pushed"), "{dry}");
    let pushed = json(&push(&env, &["-o", "json"]).ok());
    assert_eq!(pushed["plan"]["removed"][0], serde_json::json!({"object": "ConfigMap/shop/b", "consequence": "pruned"}));
}

#[test]
fn the_guard_is_that_of_inventories() {
    let env = env();
    env.write("m/a.yaml", ["a", "b", "c"].map(|name| config(name, "x")).join("---\n"));
    drop(push(&env, &[]).exits(0));
    let index = env.read("out/index.json");
    env.write("m/a.yaml", config("a", "x"));
    let run = push(&env, &["-o", "json"]).exits(5);
    assert_eq!(json(&run.stdout)["result"], "refused");
    assert!(run.stderr.contains("would remove 2 of 3 objects") && run.stderr.contains("--allow-removals 2"), "{run}");
    assert_eq!(env.read("out/index.json"), index);
    env.write("m/a.yaml", "# nothing left\n");
    let run = push(&env, &["--allow-removals", "3"]).exits(2);
    assert!(run.stderr.contains("empty-artifact"), "{run}");
    assert_eq!(env.read("out/index.json"), index);
    env.write("m/a.yaml", config("a", "x"));
    drop(push(&env, &["--allow-removals", "2"]).exits(0));
    assert_ne!(env.read("out/index.json"), index);
}

#[test]
fn the_workload_has_to_be_in_the_lists_that_can_be_read() {
    let env = env();
    env.write("m/a.yaml", config("a", "x"));
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: wep\n");
    let run = push(&env, &[]).exits(2);
    assert!(run.stderr.contains("error[unknown-workload]") && run.stderr.contains("did you mean wep?"), "{run}");
    env.write("config/runtimes/eks/workloads.yml", "- runway_service_id: web\n  environments: [staging]\n");
    let run = push(&env, &[]).exits(2);
    assert!(run.stderr.contains("error[not-in-environment]") && run.stderr.contains("eks/workloads.yml:1:22"), "{run}");
    env.write("config/runtimes/eks/workloads.yml", "- runway_service_id: web\n  flux: {prune: false}\n");
    drop(push(&env, &[]).exits(0));
    env.write("m/a.yaml", config("b", "x"));
    let run = push(&env, &["--allow-removals", "1"]).exits(0);
    assert!(run.stdout.contains("- ConfigMap/shop/a (orphaned"), "{run}");
    assert!(!env.work().join("config/runtimes/gke/out").exists());
    // What the list replaces is replaced in the manifests, too.
    env.write("v.yaml", config("b", "'${region} ${zone}'"));
    env.write("config/runtimes/eks/workloads.yml", "- runway_service_id: web\n  flux: {postBuild: {substitute: {region: x}}}\n");
    let run = env.run(["deploy", "verify", "web", "-e", "production", "-f", "v.yaml"]).exits(1);
    assert!(run.stdout.contains("error[undefined-variable]") && run.stdout.contains("${zone}"), "{run}");
    assert!(run.stdout.contains("v.yaml:7:6") && !run.stdout.contains("${region} is"), "{run}");
    env.write("v.yaml", config("b", "'${a-b.c!}'"));
    let run = env.run(["deploy", "push", "web", "-e", "production", "-f", "v.yaml", "--to", "layout:out"]).exits(2);
    assert!(run.stderr.contains("error[broken-variable]"), "{run}");
    assert!(!run.stderr.contains("was not checked"), "{run}");
    // A list with errors says nothing, and that is said.
    env.write("config/runtimes/eks/workloads.yml", "- [\n");
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: web\n");
    let run = push(&env, &["--dry-run"]).exits(0);
    assert!(run.stderr.contains("eks/workloads.yml has errors"), "{run}");
}

#[test]
fn only_namespaces_that_the_settings_allow() {
    let mut env = env();
    env.write("m/a.yaml", config("a", "x"));
    env.var("RUNWAY_DEPLOY_NAMESPACES", "{workload},{workload}-jobs");
    let run = env.run(["deploy", "verify", "web", "--path", "m"]).exits(1);
    assert!(run.stdout.contains("error[namespace-not-allowed]") && run.stdout.contains("allows web, web-jobs"), "{run}");
    drop(env.run(["deploy", "verify", "shop", "--path", "m"]).exits(0));
}

#[test]
fn a_report_in_every_format() {
    let env = env();
    env.write("m/a.yaml", config("a", "x") + "---\n" + &config("a", "z"));
    let formats = ["human", "json=r/a.json", "junit=r/a.xml", "gitlab-codequality=r/q.json", "github=r/g.txt", "sarif=r/s.json"];
    std::fs::create_dir(env.work().join("r")).unwrap();
    let outputs = formats.iter().flat_map(|format| ["-o", format]);
    let run = env.run(["deploy", "verify", "web", "--path", "m"].into_iter().chain(outputs)).exits(1);
    assert!(run.stdout.contains("error[duplicate-object]") && run.stdout.contains("12 |   name: a"), "{run}");
    let item = json(&env.read("r/a.json"))["items"][0].clone();
    assert_eq!((&item["code"], &item["file"], &item["line"]), (&"duplicate-object".into(), &"m/a.yaml".into(), &12.into()));
    assert!(env.read("r/a.xml").contains("<testsuite name=\"deploy verify\""));
    assert_eq!(json(&env.read("r/q.json"))[0]["location"]["path"], "m/a.yaml");
    assert_eq!(json(&env.read("r/s.json"))["runs"][0]["tool"]["driver"]["rules"][0]["id"], "duplicate-object");
    assert!(env.run(["help", "finding", "duplicate-object"]).ok().contains("kustomize refuses all of it"));
    drop(env.run(["deploy", "verify", "web", "-f", "m/none.yaml"]).exits(2));
}

#[test]
fn hostile_manifests_are_refused_and_nothing_is_pushed() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..12 {
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(",")));
    }
    let two = config("a", "x") + "---\n" + &config("a", "z");
    let cases: [(&str, String, &str); 14] = [
        ("a.yaml", bomb, "error[yaml-budget]"),
        ("a.yaml", "{".repeat(200_000), "error[yaml-"),
        ("a.yaml", "kind: ConfigMap\nmetadata:\n\tname: a\n".to_owned(), "a tab in the indentation"),
        ("a.yaml", two, "ConfigMap/shop/a is declared twice, first at m/a.yaml:4:9"),
        ("a.yaml", config("../../etc/passwd", "x"), "error[invalid-name]"),
        ("a.yaml", config("a", "x").replace("shop", ".."), "error[invalid-namespace]"),
        ("a.yaml", config("a", "x") + "data: {}\n", "error[duplicate-key]"),
        ("a.yaml", config("a", "x").replace("ConfigMap", "Secret"), "error[plain-secret]"),
        ("a.yaml", config("a", "x").replace("  namespace: shop\n", ""), "error[no-namespace]"),
        ("a.yaml", "a: {{ .Values.a }}\nb: [\n".to_owned(), "--chart DIR"),
        ("a.yaml", config("\"a\\e[31m\"", "x"), "\\u{1b}[31m"),
        ("kustomization.yaml", "resources: [a.yaml]\n".to_owned(), "error[kustomization-file]"),
        ("x/cloudbuild.yaml", config("a", "x"), "error[ignored-file]"),
        ("Chart.yaml", "name: x\n".to_owned(), "it is a Helm chart"),
    ];
    for (file, text, words) in cases {
        let env = env();
        env.write(format!("m/{file}"), &text);
        let start = Instant::now();
        let run = push(&env, &[]).exits(2);
        assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{words}: {run}");
        assert!(!run.stderr.contains('\u{1b}') && start.elapsed() < Duration::from_secs(20), "{words}");
        assert!(!env.work().join("out").exists(), "{words}");
    }
    let env = env();
    env.write("m/a.yaml", [&b"\xff\xfe"[..], config("a", "x").as_bytes()].concat());
    let run = push(&env, &[]).exits(2);
    assert!(run.stderr.contains("no UTF-8 text") && !env.work().join("out").exists(), "{run}");
}

#[test]
fn links_out_of_the_folder_are_refused() {
    let secret = "canary-of-a-file-outside";
    for (link, target) in [("m/a.yaml", "../outside.yaml"), ("m/folder", "../outside"), ("m/up", "..")] {
        let env = env();
        env.write("outside.yaml", config("a", secret));
        env.write("outside/b.yaml", config("b", secret));
        env.write("m/ok.yaml", config("ok", "x"));
        symlink(target, env.work().join(link)).unwrap();
        let run = push(&env, &[]).exits(2);
        assert!(run.stderr.contains("symbolic link") && run.stderr.contains(link), "{run}");
        assert!(!run.to_string().contains(secret) && !env.work().join("out").exists(), "{run}");
    }
    // The same for a chart, which helm itself would follow.
    let env = env();
    fake(&env, "helm", "cat \"$(dirname \"$0\")/../work/outside.yaml\"");
    env.write("outside.yaml", config("a", secret));
    env.write("chart/Chart.yaml", "name: x\n");
    env.write("chart/templates/ok.yaml", "");
    symlink("../../outside.yaml", env.work().join("chart/templates/a.yaml")).unwrap();
    let run = env.run(["deploy", "build", "web", "--chart", "chart"]).exits(2);
    assert!(run.stderr.contains("symbolic link") && !run.to_string().contains(secret), "{run}");
    // One that stays inside is fine there.
    std::fs::remove_file(env.work().join("chart/templates/a.yaml")).unwrap();
    symlink("ok.yaml", env.work().join("chart/templates/a.yaml")).unwrap();
    assert!(rendered(&env, ["deploy", "build", "web", "--chart", "chart"]).ok().contains(secret));
}

#[test]
fn names_that_are_no_workloads() {
    let env = env();
    env.write("m/a.yaml", config("a", "x"));
    for name in ["..", "../web", "a/b", "Web", "-web=", ""] {
        let run = env.run(["deploy", "push", "-e", "production", "--path", "m", "--to", "layout:out", "--", name]).exits(2);
        assert!(run.stderr.contains("is no workload's id"), "{run}");
    }
    let run = env.run(["deploy", "build", "web", "--path", "m", "--target-namespace", ".."]).exits(2);
    assert!(run.stderr.contains("is no namespace"), "{run}");
    let run = env.run(["deploy", "build", "web"]).exits(2);
    assert!(run.stderr.contains("no manifests were named") && run.stderr.contains("--chart CHART"), "{run}");
    for command in [&["verify", "gke-inventory", "--path", "m"][..], &["list", "eks-inventory", "layout:out"]] {
        let run = env.run([&["deploy"], command].concat()).exits(2);
        assert!(run.stderr.contains("is no workload's id") && run.stderr.contains("applies the inventory of"), "{run}");
    }
    let run = env.run(["deploy", "build", "web", "--path", "m/a.yaml"]).exits(2);
    assert!(run.stderr.contains("it is a file, not a folder") && run.stderr.contains("-f m/a.yaml"), "{run}");
    let run = env.run(["deploy", "build", "web", "--path", "nowhere"]).exits(2);
    assert!(run.stderr.contains("there is no such folder"), "{run}");
    let run = env.run(["deploy", "push", "web", "--path", "m"]).exits(2);
    assert!(run.stderr.contains("add -e"), "{run}");
}

#[test]
fn a_chart_is_rendered_by_helm() {
    let env = env();
    env.write("chart/Chart.yaml", "name: x\n");
    env.write("v.yaml", "a: 1\n");
    fake(
        &env,
        "helm",
        "for a in \"$@\"; do echo \"$a\" >> \"$(dirname \"$0\")/../work/arguments\"; done; pwd > \"$(dirname \"$0\")/../work/folder\"\n\
         printf -- '---\\n# Source: x/templates/a.yaml\\napiVersion: v1\\nkind: Service\\nmetadata:\\n  name: a\\n'",
    );
    let build = ["deploy", "build", "web", "--chart", "chart", "--values", "v.yaml", "--set", "x=1", "--set-string", "y=2"];
    let built = rendered(&env, build).ok();
    assert_eq!(built, "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  namespace: web\n");
    let work = env.work().canonicalize().unwrap();
    let work = work.to_str().unwrap();
    assert_eq!(
        env.read("arguments").replace(work, "W"),
        "template\n--skip-tests\n--include-crds\n--namespace=web\n--values=W/v.yaml\n--set=x=1\n--set-string=y=2\n--\nweb\nW/chart\n"
    );
    assert!(!std::path::Path::new(env.read("folder").trim()).exists(), "helm's folder is gone");
    let run = rendered(&env, ["deploy", "build", "web", "--chart", "chart", "--values", "nope.yaml"]).exits(2);
    assert!(run.stderr.contains("nope.yaml") && run.stderr.contains("there is no such file"), "{run}");
    let run = env.run(["deploy", "build", "web", "--path", "chart", "--values", "v.yaml"]).exits(2);
    assert!(run.stderr.contains("--chart"), "{run}");
}

#[test]
fn a_helm_that_is_missing_or_fails_is_said() {
    let env = env();
    env.write("chart/Chart.yaml", "name: x\n");
    let push = ["deploy", "push", "web", "-e", "production", "--chart", "chart", "--to", "layout:out"];
    let run = env.run(push).exits(2);
    assert!(run.stderr.contains("there is no program helm on PATH") && run.stderr.contains("install Helm"), "{run}");
    fake(&env, "helm", "printf 'Error: values \\033[31mdo not fit\\n' >&2; exit 3");
    let run = rendered(&env, push).exits(2);
    assert!(run.stderr.contains("helm ended with exit code 3: Error: values \\u{1b}[31mdo not fit"), "{run}");
    fake(&env, "helm", "echo '--- {'");
    let run = rendered(&env, push).exits(2);
    assert!(run.stderr.contains("chart (rendered):"), "{run}");
    fake(&env, "helm", "printf -- '---\\n# Source: x/t/a.yaml\\nkind: X\\n'");
    let run = rendered(&env, push).exits(2);
    assert!(run.stderr.contains("x/t/a.yaml (rendered):"), "{run}");
    assert!(!env.work().join("out").exists());
}

#[test]
fn a_hostile_chart_is_ended() {
    let env = env();
    env.write("chart/Chart.yaml", "name: x\n");
    let push = ["deploy", "push", "web", "-e", "production", "--chart", "chart", "--to", "layout:out", "--timeout", "2s"];
    fake(&env, "helm", "sleep 600 & sleep 600");
    let start = Instant::now();
    let run = rendered(&env, push).exits(2);
    assert!(run.stderr.contains("helm was not done after") && run.stderr.contains("--timeout"), "{run}");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());

    fake(&env, "helm", "head -c 1000000000 /dev/zero; sleep 1; touch \"$(dirname \"$0\")/../work/done\"");
    let push_with_time = [&push[..9], &["--timeout", "50s"]].concat();
    let run = rendered(&env, push_with_time).exits(2);
    assert!(run.stderr.contains("helm printed more than 64 MiB, and was ended"), "{run}");
    std::thread::sleep(Duration::from_millis(1500));
    assert!(!env.work().join("done").exists(), "it was ended, with all that it had started");

    // What it writes into its folder goes with the folder; what it writes elsewhere is not read.
    let script = format!(
        "printf '{}' > extra.yaml; printf '{}' > \"$(dirname \"$0\")/../work/chart/extra.yaml\"; pwd > \"$(dirname \"$0\")/../work/folder\"\n\
         printf -- '---\\n# Source: ../../../etc/passwd\\n{}'",
        config("extra", "x").replace('\n', "\\n"),
        config("outside", "x").replace('\n', "\\n"),
        config("a", "x").replace('\n', "\\n"),
    );
    fake(&env, "helm", &script);
    drop(rendered(&env, ["deploy", "push", "web", "-e", "production", "--chart", "chart", "--to", "layout:out"]).exits(0));
    assert_eq!(env.run(["deploy", "show", "web", "layout:out:production"]).ok(), config("a", "x"));
    assert!(!std::path::Path::new(env.read("folder").trim()).exists());
    assert!(!env.work().join("extra.yaml").exists());
}

#[test]
fn what_others_broke_can_be_replaced() {
    let env = env();
    env.write("m/a.yaml", config("a", "x"));
    env.write("broken/manifests.yaml", "a: 1\na: 2\n");
    drop(push(&env, &[]).exits(0));
    let run = env.run(["deploy", "diff", "web", "--path", "m", "--with", "broken"]).exits(2);
    assert!(run.stderr.contains("the deploy artifact cannot be read") && run.stderr.contains("manifests.yaml:2:1"), "{run}");
}

/// Everything that is printed or written about a chart with a Secret, in every format.
#[test]
fn the_value_of_a_secret_is_in_no_report() {
    let env = env();
    env.write(
        "m/a.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\nstringData: {password: canary-hunter2, pin: 47114711}\n",
    );
    let formats = ["json", "yaml", "junit", "gitlab-codequality", "github", "sarif"];
    let mut arguments = vec!["deploy".to_owned(), "verify".to_owned(), "web".to_owned(), "--path".to_owned(), "m".to_owned()];
    arguments.extend(["-o".to_owned(), "human".to_owned()]);
    arguments.extend(formats.iter().flat_map(|format| ["-o".to_owned(), format!("{format}=out.{format}")]));
    let run = env.run(&arguments).exits(1);
    let mut all = format!("{}{}", run.stdout, run.stderr);
    all.extend(formats.iter().map(|format| env.read(format!("out.{format}"))));
    assert!(all.matches("plain-secret").count() >= 7 && all.contains("not-a-text"), "{all}");
    assert!(!all.contains("canary-hunter2") && !all.contains("47114711"), "{all}");
    let push = push(&env, &[]).exits(2);
    assert!(push.stderr.contains("m/a.yaml:4") && !push.stderr.contains("hunter2"), "{push}");
}

#[test]
fn a_pipe_in_a_folder_is_refused_and_not_waited_for() {
    let env = env();
    env.write("m/a.yaml", config("a", "x"));
    rustix::fs::mknodat(rustix::fs::CWD, env.work().join("m/b.yaml"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    let start = Instant::now();
    let run = env.run(["deploy", "build", "web", "--path", "m"]).exits(2);
    assert!(run.stderr.contains("it is a pipe") && run.stderr.contains("m/b.yaml"), "{run}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// Whoever presses Ctrl-C while standard input is awaited gets the shell back.
#[test]
fn a_signal_ends_the_wait_for_standard_input() {
    use std::os::unix::process::ExitStatusExt as _;
    let env = env();
    for (signal, number) in [(rustix::process::Signal::INT, 2), (rustix::process::Signal::TERM, 15)] {
        // Which of two things comes first was once left to chance: so more than once.
        for _ in 0..6 {
            // Whoever started the tests in the background may have told them to ignore Ctrl-C, and so their children.
            let base = env.command();
            let mut command = std::process::Command::new("/usr/bin/env");
            command.arg("--default-signal=INT").arg(base.get_program()).args(base.get_args()).env_clear();
            command.envs(base.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command.current_dir(base.get_current_dir().unwrap());
            let mut child =
                command.args(["deploy", "build", "web", "-f", "-"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(300));
            let process = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
            rustix::process::kill_process(process, signal).unwrap();
            let end = Instant::now() + Duration::from_secs(10);
            let status = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break status;
                }
                if Instant::now() > end {
                    drop(child.kill());
                    panic!("{signal:?} was not heard");
                }
                std::thread::sleep(Duration::from_millis(20));
            };
            assert!(status.signal() == Some(number) || status.code() == Some(128 + number), "{status:?}");
        }
    }
}

/// A report that is not there is taken for a job that did not run.
#[test]
fn a_chart_that_cannot_be_rendered_has_its_reports() {
    let env = env();
    env.write("chart/Chart.yaml", "name: web");
    fake(&env, "helm", "echo 'Error: values do not meet the schema' >&2; exit 1");
    let run = rendered(
        &env,
        ["deploy", "verify", "web", "--chart", "chart", "-o", "junit=j.xml", "-o", "gitlab-codequality=q.json", "-o", "json"],
    )
    .exits(2);
    let document = json(&run.stdout);
    assert_eq!(document["items"][0]["code"], "not-rendered");
    assert!(document["items"][0]["message"].as_str().unwrap().contains("values do not meet the schema"), "{document}");
    assert_eq!(json(&env.read("q.json"))[0]["check_name"], "not-rendered");
    assert!(env.read("j.xml").contains("<failure") || env.read("j.xml").contains("<error"), "{}", env.read("j.xml"));
    let nowhere = rendered(&env, ["deploy", "verify", "web", "--chart", "chrt"]).exits(2);
    assert!(nowhere.stderr.contains("there is no such folder or archive"), "{nowhere}");
}

/// What a kustomization file makes of an artifact is not known here: nothing is called equal.
#[test]
fn a_published_kustomization_file_is_never_called_equal() {
    let env = env();
    env.write("m/a.yaml", config("a", "x"));
    drop(push(&env, &[]).exits(0));
    env.write("p/production/a.yaml", config("a", "x"));
    let with = |folder: &str| env.run(["deploy", "diff", "web", "-e", "production", "--path", "m", "--with", folder]);
    env.write("held/a.yaml", config("a", "x"));
    drop(with("held").exits(0));
    env.write("held/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: x-\n");
    let run = with("held").exits(1);
    assert!(run.stdout.is_empty() && run.stderr.contains("only the files are compared"), "{run}");
}

/// diff publishes nothing, whatever it finds, and what it reads here is no inventory.
#[test]
fn diff_speaks_of_what_it_does() {
    let env = super::platform("- runway_service_id: svc\n");
    env.write("good/all.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: svc}\n");
    env.write("bad/all.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A_B, namespace: svc}\n");
    env.write("broken.yaml", "a: [\n");
    let run = env.run(["deploy", "diff", "svc", "--path", "bad", "--with", "good"]).exits(2);
    assert!(run.stderr.contains("the manifests have an error and are not used") && !run.stderr.contains("published"), "{run}");
    for with in ["broken.yaml", "nowhere.yaml"] {
        let run = env.run(["deploy", "diff", "svc", "--path", "good", "--with", with]).exits(2);
        assert!(run.stderr.contains("the file ") && !run.stderr.contains("the inventory"), "{run}");
    }
}

/// A workload's clusters fetch the tag of their environment, whoever set it.
#[test]
fn manifests_never_go_under_the_tag_of_another_environment() {
    let env = env();
    env.write("m/a.yaml", config("a", "x"));
    for more in [
        &["--to", "layout:out:staging"][..],
        &["--to", "oci://127.0.0.1:1/x:staging"],
        &["--to", "layout:out", "--tag", "staging"],
    ] {
        let run = env.run([&["deploy", "push", "web", "-e", "production", "--path", "m"], more].concat()).exits(2);
        assert!(
            run.stderr.contains("the tag staging is that of another environment") && run.stderr.contains("-e staging"),
            "{run}"
        );
        assert!(!env.work().join("out").exists(), "{run}");
    }
    drop(push(&env, &["--tag", "v1", "--tag", "production"]).exits(0));
    drop(env.run(["deploy", "push", "web", "-e", "production", "--path", "m", "--to", "layout:other:v2"]).exits(0));
}

/// What a push would refuse at its end is said before.
#[test]
fn an_artifact_that_could_not_be_read_again_is_a_finding() {
    let env = env();
    // Bytes that no packer makes smaller, as base64.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = usize::try_from(state >> 58).unwrap();
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[at])
    };
    let objects: Vec<String> =
        (0..24).map(|n| config(&format!("a{n}"), &(0..1_000_000).map(|_| noise()).collect::<String>())).collect();
    env.write("m/all.yaml", objects.join("---\n"));
    let verify = env.run(["deploy", "verify", "web", "--path", "m"]).exits(1);
    assert!(verify.stdout.contains("error[artifact-size]") && verify.stdout.contains("more than 16 MiB"), "{verify}");
    let push = push(&env, &[]).exits(2);
    assert!(push.stderr.contains("error[artifact-size]") && !env.work().join("out").exists(), "{push}");
    env.write("m/all.yaml", objects[..11].join("---\n"));
    drop(env.run(["deploy", "verify", "web", "--path", "m"]).exits(0));
    // The same of an inventory: a patch that long is nobody's.
    let patches: Vec<String> = objects.iter().map(|object| format!("{{patch: '{}'}}", object.get(90..).unwrap())).collect();
    env.write("w.yml", format!("- runway_service_id: a\n  flux: {{patches: [{}]}}\n", patches.join(", ").replace('\n', "")));
    let verify = env.run(["inventory", "verify", "--runtime", "gke", "-e", "production", "-f", "w.yml"]).exits(1);
    assert!(verify.stdout.contains("error[artifact-size]") && verify.stdout.contains("inventory of production"), "{verify}");
    // Only what becomes an artifact can be too large for one.
    let of = ["--runtime", "gke", "-e", "production", "-f", "w.yml"];
    drop(env.run([&["inventory", "build"][..], &of].concat()).exits(0));
    for command in ["push", "build"] {
        let refused = env.run([&["inventory", command, "--to", "layout:out"][..], &of].concat()).exits(2);
        assert!(refused.stderr.contains("error[artifact-size]") && !env.work().join("out").exists(), "{refused}");
    }
}

/// Readers of reports open the file that they name, and compare tests by class and name.
#[test]
fn reports_name_files_of_the_repository_and_the_environment() {
    let env = env();
    std::fs::create_dir(env.work().join(".git")).unwrap();
    env.write("team/charts/web/Chart.yaml", "name: x\n");
    env.write("team/charts/web/templates/a.yaml", "");
    env.write("team/v.yaml", "{}\n");
    let broken = |source: &str| {
        let lines = config("A", "x").replace('\n', "\\n");
        fake(&env, "helm", &format!("printf -- '---\\n# Source: {source}\\n{lines}'"));
    };
    let verify = |chart: &str, more: &[&str]| {
        let head = ["-C", "team", "deploy", "verify", "web", "--chart", chart];
        let formats =
            ["-o", "human", "-o", "json=d.json", "-o", "junit=j.xml", "-o", "gitlab-codequality=q.json", "-o", "sarif=s.json"];
        rendered(&env, [&head[..], more, &formats].concat())
    };
    for (source, file) in [
        ("x/templates/a.yaml", "team/charts/web/templates/a.yaml"),
        // Of a chart that is packed inside of this one; and what no chart can be trusted with.
        ("x/charts/sub/templates/b.yaml", "team/charts/web/Chart.yaml"),
        ("x/../../../../etc/passwd", "team/charts/web/Chart.yaml"),
    ] {
        broken(source);
        let run = verify("charts/web", &["-e", "production"]).exits(1);
        assert!(run.stdout.contains(&format!("{source} (rendered):6:9")), "{run}");
        let item = json(&env.read("team/q.json"))[0].clone();
        assert_eq!(item["location"], serde_json::json!({"path": file, "lines": {"begin": 1}}));
        assert!(item["description"].as_str().unwrap().contains(&format!("line 6 of {source} (rendered)")), "{item}");
        let junit = env.read("team/j.xml");
        assert!(junit.contains(&format!("classname=\"workload.production\" name=\"web\" file=\"{file}\"")), "{junit}");
        assert!(env.read("team/s.json").contains(&format!("\"{file}\"")));
    }
    drop(verify("../team/./charts/web", &["-e", "staging"]).exits(1));
    assert!(env.read("team/j.xml").contains("classname=\"workload.staging\""), "{}", env.read("team/j.xml"));
    // A chart from elsewhere is no file here; what is there are its values.
    drop(verify("oci://registry.example.com/x", &["--values", "v.yaml"]).exits(1));
    assert_eq!(json(&env.read("team/q.json"))[0]["location"]["path"], "team/v.yaml");
    fake(&env, "helm", "exit 1");
    let run = verify("charts/web", &["-e", "production"]).exits(2);
    assert!(run.stderr.contains("where: charts/web"), "{run}");
    assert_eq!(json(&env.read("team/q.json"))[0]["location"]["path"], "team/charts/web/Chart.yaml");
    assert!(env.read("team/j.xml").contains("classname=\"workload.production\""), "{}", env.read("team/j.xml"));
    env.write("m/a.yaml", config("A", "x"));
    drop(env.run(["-C", "team", "deploy", "verify", "web", "--path", "../m", "-o", "gitlab-codequality=q.json"]).exits(1));
    assert_eq!(json(&env.read("team/q.json"))[0]["location"]["path"], "m/a.yaml");
}

/// What is left out of a folder is said; whoever misses it would look for it on the cluster.
#[test]
fn nothing_that_looks_like_a_manifest_is_left_out_silently() {
    let env = env();
    env.write("m/a.yaml", config("a", "x"));
    env.write("m/.sourceignore", "a.yaml\n");
    env.write("m/x/.b.yaml", config("b", "x"));
    env.write("m/.kept/deep/c.yml", config("c", "x"));
    env.write("m/.github/workflows/ci.yml", "on: push\njobs: {}\n");
    env.write("m/.git/d.yaml", config("d", "x"));
    env.write("m/e.YAML", config("e", "x"));
    symlink("/", env.work().join("m/.kept/root")).unwrap();
    let run = env.run(["deploy", "build", "web", "--path", "m"]).exits(0);
    assert_eq!(run.stdout, config("a", "x"));
    let said: Vec<&str> = run.stderr.lines().filter_map(|line| line.trim().strip_prefix("--> ")).collect();
    assert_eq!(said, ["m/.sourceignore", "m/e.YAML", "m/.kept/deep/c.yml", "m/x/.b.yaml"], "{run}");
    assert_eq!(run.stderr.matches("warning[ignored-file]").count(), 4, "{run}");
    env.write("upper/e.YAML", config("e", "x"));
    let run = env.run(["deploy", "build", "web", "--path", "upper"]).exits(2);
    assert!(run.stderr.contains("--> upper/e.YAML") && run.stderr.contains("--> upper\n"), "{run}");
    // Taken from a cluster.
    env.write("taken/a.yaml", config("a", "x").replace("  name:", "  resourceVersion: '7'\n  name:"));
    let run = env.run(["deploy", "build", "web", "--path", "taken"]).exits(0);
    assert!(run.stderr.contains("warning[cluster-fields]") && run.stderr.contains("metadata.resourceVersion"), "{run}");
    // No list is no reason to refuse, and no check either.
    assert!(run.stderr.contains("whether web is in one was not checked"), "{run}");
    assert!(!env.run(["-q", "deploy", "build", "web", "--path", "taken"]).exits(0).stderr.contains("not checked"));
}

#[test]
fn a_tag_that_nobody_named_is_said() {
    let env = env();
    env.write("m/a.yaml", config("a", "x"));
    drop(push(&env, &[]).exits(0));
    let run = env.run(["deploy", "show", "web", "layout:out"]).exits(2);
    assert!(run.stderr.contains("no tag latest") && run.stderr.contains("-e"), "{run}");
    let run = env.run(["deploy", "show", "web", "layout:out", "-e", "staging"]).exits(2);
    assert!(run.stderr.contains("no tag staging") && !run.stderr.contains("no tag was named"), "{run}");
    drop(env.run(["deploy", "list", "web", "layout:nowhere"]).exits(2));
}
