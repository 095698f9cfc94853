//! `__complete`, as kubectl and flux ask it, and `completion install`.

use super::fake::kubeconfig;
use super::{env, platform};
use runway_testkit::env::Env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Candidates without their descriptions, and the directive.
#[track_caller]
fn ask(env: &Env, words: &[&str]) -> (Vec<String>, String) {
    let run = env.run(std::iter::once("__complete").chain(words.iter().copied())).exits(0);
    assert!(run.stderr.is_empty(), "{run}");
    let mut lines: Vec<String> = run.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    let directive = lines.pop().unwrap();
    (lines, directive)
}

#[test]
fn values_come_from_files() {
    let mut env = platform("- runway_service_id: web\n- runway_service_id: api\n  environments: [staging]\n");
    env.write("config/runtimes/eks/workloads.yml", "- runway_service_id: cart\n");
    env.write(
        "kubectl-runway.yaml",
        "environments: [alpha, beta]\nclusters: [{name: a, context: one, runtime: gke, region: us-east1, labels: {tier: core}}]\n",
    );
    let file = env.write("kubeconfig", kubeconfig(&[("one", "http://127.0.0.1:1"), ("bad\u{1b}[2J", "http://127.0.0.1:1")]));
    let other = env.write("other", kubeconfig(&[("elsewhere", "http://127.0.0.1:1")]));
    env.var("KUBECONFIG", file);
    let words = |list: &[&str]| (list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(), ":4".to_owned());
    assert_eq!(ask(&env, &["status", ""]), words(&["api", "cart", "web"]));
    assert_eq!(ask(&env, &["status", "web", "--runtime", "gke", ""]), words(&["api"]), "of the runtime, and not named yet");
    assert_eq!(ask(&env, &["explain", "-f", "config/runtimes/eks/workloads.yml", ""]), words(&["cart"]));
    assert_eq!(ask(&env, &["deploy", "push", "we"]), words(&["web"]));
    assert_eq!(ask(&env, &["inventory", "build", "-e", ""]), words(&["alpha", "beta"]));
    assert_eq!(ask(&env, &["status", "--region", ""]), words(&["us-east1"]));
    assert_eq!(ask(&env, &["status", "--label", "t"]), (vec!["tier".to_owned(), "tier=core".to_owned()], ":6".to_owned()));
    assert_eq!(ask(&env, &["status", "--context", ""]), words(&["one"]), "a name with an escape is none");
    assert_eq!(ask(&env, &["status", "--kubeconfig", other.to_str().unwrap(), "--context", ""]), words(&["elsewhere"]));
    // A parent is offered to who begins to type it; deploy commands have none.
    assert_eq!(ask(&env, &["explain", "gke-in"]), words(&["gke-inventory"]));
    assert_eq!(ask(&env, &["deploy", "push", "gke-in"]), words(&[]));
    // Only what is in the environment.
    assert_eq!(ask(&env, &["status", "-e", "production", ""]), words(&["cart", "web"]));
    // The home folder, which no shell has put in yet.
    env.write("../home/far/config/runtimes/gke/workloads.yml", "- runway_service_id: far\n");
    env.write("../home/kubeconfig", kubeconfig(&[("at-home", "http://127.0.0.1:1")]));
    std::fs::create_dir(env.home().join("far/.git")).unwrap();
    assert_eq!(ask(&env, &["-C", "~/far", "status", ""]), words(&["far"]));
    assert_eq!(ask(&env, &["status", "-f", "~/far/config/runtimes/gke/workloads.yml", ""]), words(&["far"]));
    assert_eq!(ask(&env, &["status", "--kubeconfig", "~/kubeconfig", "--context", ""]), words(&["at-home"]));
    env.write("below/config/runtimes/gke/workloads.yml", "- runway_service_id: below\n");
    assert_eq!(ask(&env, &["-C", "below", "status", ""]), words(&["below"]));
    // A list that is being edited, and settings and a kubeconfig that cannot be used, are no reason to be silent.
    env.write("config/runtimes/gke/workloads.yml", "- runway_service_id: web\n- runway_service_id: [\n");
    env.write("kubectl-runway.yaml", "nonsense: x\n");
    env.write("kubeconfig", "{");
    assert_eq!(ask(&env, &["status", "--context", ""]), words(&[]));
    assert_eq!(ask(&env, &["inventory", "build", "-e", ""]), words(&["staging", "production"]));
    assert!(ask(&env, &["status", ""]).0.contains(&"cart".to_owned()));
    assert_eq!(ask(&env, &[]).1, ":4");
}

#[test]
fn names_that_were_seen_are_kept_with_their_age() {
    let list = "- runway_service_id: one\n- runway_service_id: two\n";
    let env = platform(list);
    env.run(["inventory", "push", "-e", "production", "--to", "layout:out"]).ok();
    assert_eq!(ask(&env, &["status", ""]).0, ["one", "two"]);
    // Elsewhere nothing is known, until what is published was read.
    let snapshot = super::fake::folder("alone/ok");
    let run = env.run(["inventory", "show", "layout:out", "-e", "production", "--runtime", "gke", "-C", "."]);
    assert_eq!(run.code, Some(0), "{run}");
    std::fs::create_dir(env.work().join("empty")).unwrap();
    std::fs::create_dir(env.work().join("empty/.git")).unwrap();
    assert_eq!(ask(&env, &["-C", "empty", "status", ""]).0, [""; 0], "a layout of somebody's is not the platform's inventory");
    drop(env.run(["status", "--snapshot", &snapshot, "--runtime", "gke", "-e", "production"]));
    assert_eq!(ask(&env, &["-C", "empty", "status", ""]).0, [""; 0], "nor is a snapshot");
    let kept = "kubectl-runway workloads 1\nregistry.gitlab.com/gitlab-com/gl-infra/platform/runway/provisioner/gke-inventory\ngke\nproduction\nfar\nno name\n";
    env.write("../home/.cache/kubectl-runway/workloads/gke-production-x", kept);
    env.write(
        "../home/.cache/kubectl-runway/workloads/eks-production-x",
        kept.replace("registry.gitlab.com", "elsewhere").replace("far", "away"),
    );
    let run = env.run(["__complete", "-C", "empty", "status", ""]).exits(0);
    assert_eq!(run.stdout, "far\tgke production, seen now\n:4\n", "of this platform, and only what can be a name");
}

#[test]
fn every_command_answers() {
    let env = env();
    let mut open = vec![Vec::<String>::new()];
    let mut seen = 0;
    while let Some(path) = open.pop() {
        seen += 1;
        let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
        words.push("--");
        let (flags, directive) = ask(&env, &words);
        assert!(flags.contains(&"--help".to_owned()) && directive == ":4", "{path:?}: {flags:?}");
        *words.last_mut().unwrap() = "";
        let help = env.run(["help"].into_iter().chain(path.iter().map(String::as_str))).ok();
        if path != ["help"] && help.contains("\nCommands:\n") {
            open.extend(ask(&env, &words).0.into_iter().map(|sub| [path.as_slice(), &[sub]].concat()));
        }
    }
    assert!(seen > 25, "only {seen} commands were found");
}

/// An environment in which kubectl-runway is on PATH, in a folder that can be written.
fn at_home() -> Env {
    let env = env();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-runway"), env.root().join("bin/kubectl-runway")).unwrap();
    env
}

#[test]
fn install_writes_what_it_says_once() {
    let mut env = at_home();
    env.var("SHELL", "/bin/fish");
    let shim = env.root().join("bin/kubectl_complete-runway");
    let script = env.home().join(".config/fish/completions/kubectl-runway.fish");
    let run = env.run(["completion", "install", "--dry-run"]).exits(0);
    assert_eq!(run.stdout.matches(" would be written\n").count(), 2, "{run}");
    assert!(!shim.exists() && !script.exists(), "{run}");
    let run = env.run(["completion", "install"]).exits(2);
    assert!(run.stderr.contains("hint: add --yes") && !shim.exists(), "without a terminal nobody can say yes: {run}");
    let run = env.run(["completion", "install", "--yes"]).exits(0);
    assert!(
        run.stdout.contains("bin/kubectl_complete-runway written\n") && run.stderr.contains("kubectl completion fish"),
        "{run}"
    );
    assert_eq!(std::fs::metadata(&shim).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(env.read(&script), env.run(["completion", "fish"]).ok());
    let run = env.run(["completion", "install", "--yes"]).exits(0);
    assert!(run.stdout.is_empty() && run.stderr.matches(" is there\n").count() == 2, "{run}");
    // The program that kubectl runs speaks.
    let mut kubectl = Env::new(&shim);
    kubectl.path_add(env.root().join("bin")).path_add("/bin");
    assert_eq!(
        kubectl.run(["inventory", "bu"]).ok(),
        "build\tPrint the Flux objects of a runtime's workloads, or write them to a folder\n:4\n"
    );
    // One of another version is replaced, and said to be.
    std::fs::write(&shim, "#!/bin/sh\n# Written by kubectl-runway: long ago.\n").unwrap();
    let run = env.run(["completion", "install", "--yes"]).exits(0);
    assert!(run.stdout.contains("over one of another version") && env.read(&shim).contains("exec kubectl-runway"), "{run}");
}

#[test]
fn install_leaves_what_is_not_its_own() {
    let mut env = at_home();
    env.var("SHELL", "/bin/bash");
    let shim = env.root().join("bin/kubectl_complete-runway");
    let script = env.home().join(".local/share/bash-completion/completions/kubectl-runway");
    env.write(&script, "# mine\n");
    let run = env.run(["completion", "install", "--yes"]).exits(2);
    assert!(run.stderr.contains("has not written") && run.stderr.contains("bash-completion/completions/kubectl-runway"), "{run}");
    assert!(env.read(&script) == "# mine\n" && !shim.exists(), "nothing is written when something stands in the way");
    std::fs::remove_file(&script).unwrap();
    std::os::unix::fs::symlink("/nowhere", &shim).unwrap();
    let run = env.run(["completion", "install", "--yes"]).exits(2);
    assert!(run.stderr.contains("it is a link or a folder"), "{run}");
}

#[test]
fn install_needs_a_folder_of_path() {
    let env = env();
    let run = env.run(["completion", "install", "--yes"]).exits(2);
    assert!(run.stderr.contains("kubectl-runway is not on PATH") && run.stderr.contains("--dir DIR"), "{run}");
    std::fs::create_dir(env.work().join("mine")).unwrap();
    let run = env.run(["completion", "install", "--yes", "--dir", "mine"]).exits(0);
    assert!(run.stderr.contains("warning: ") && run.stderr.contains("is not on PATH"), "{run}");
    assert!(env.work().join("mine/kubectl_complete-runway").is_file());
    let run = env.run(["completion", "install", "--yes", "--dir", "nowhere"]).exits(2);
    assert!(run.stderr.contains("--dir names no folder"), "{run}");
}

/// Beside the program that is called: kubectl would run what it finds, and finds nothing.
#[test]
fn install_says_what_would_not_work() {
    let env = env();
    std::fs::create_dir(env.work().join("mine")).unwrap();
    let not_found = "kubectl-runway is not on PATH: what was written runs it by that name";
    let run = env.run(["completion", "install", "--yes", "--dir", "mine", "--shell", "bash"]).exits(0);
    assert!(run.stderr.contains(not_found), "{run}");
    let is_there = ["/usr/share/bash-completion/bash_completion", "/etc/bash_completion"].iter().any(|it| Path::new(it).exists());
    assert_eq!(run.stderr.contains("the package bash-completion was not found"), !is_there, "{run}");
    let run = at_home().run(["completion", "install", "--yes", "--shell", "zsh"]).exits(0);
    assert!(!run.stderr.contains(not_found) && !run.stderr.contains("the package"), "{run}");
}

#[test]
fn install_under_flux_writes_nothing() {
    for (shell, line) in [
        ("bash", "source <(flux completion bash)"),
        ("zsh", "source <(flux completion zsh)"),
        ("fish", "flux completion fish | source"),
    ] {
        let env = env();
        let plugin = env.root().join("bin/flux-runway");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-runway"), &plugin).unwrap();
        let mut flux = Env::new(&plugin);
        flux.path_add(env.root().join("bin"));
        std::fs::create_dir(flux.work().join("mine")).unwrap();
        let run = flux.run(["completion", "install", "--yes", "--dir", "mine", "--shell", shell]).exits(0);
        assert!(run.stderr.contains(line) && run.stdout.is_empty(), "{run}");
        assert_eq!(std::fs::read_dir(flux.work().join("mine")).unwrap().count(), 0, "{run}");
        assert!(!flux.home().join(".local").exists() && !flux.home().join(".config").exists(), "{run}");
        let help = flux.run(["completion", "--help"]).ok();
        assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains("source <(flux completion bash)"), "{help}");
    }
}

/// What a place is, by what is offered where one is expected, is what the command takes: none is refused as one.
#[test]
fn every_place_that_is_offered_is_taken() {
    let mut env = platform("- runway_service_id: web\n");
    let server = "http://127.0.0.1:1";
    let kubeconfig = env.write("kubeconfig", kubeconfig(&[("dead", server)]));
    env.var("KUBECONFIG", kubeconfig).var("RUNWAY_REGISTRY_BASE", "127.0.0.1:1/platform");
    env.write("m/all.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: web}\n");
    env.run(["inventory", "push", "-e", "production", "--to", "layout:of-all"]).ok();
    env.run(["deploy", "push", "web", "-e", "production", "--path", "m", "--to", "layout:of-web"]).ok();
    let mut tried = 0;
    for line in [
        "inventory build -e production --to=",
        "inventory push -e production --to=",
        "inventory verify --runtime gke -e production ",
        "inventory diff -e production ",
        "inventory diff -e production local ",
        "inventory pull --runtime gke -e production --output-dir out ",
        "inventory list --runtime gke ",
        "inventory show --runtime gke -e production ",
        "status --context dead --runtime gke -e production --expected=",
        "deploy push web -e production --path m --to=",
        "deploy diff web -e production --path m --with=",
        "deploy pull web -e production --output-dir out ",
        "deploy list web ",
        "deploy show web -e production ",
    ] {
        let before: Vec<&str> = line.split(' ').collect();
        let (last, before) = before.split_last().unwrap();
        // What begins with these letters is all that there may be.
        let mut offered = Vec::new();
        for letter in ["l", "p", "o", "c"] {
            offered.extend(ask(&env, &[before, &[&format!("{last}{letter}")]].concat()).0);
        }
        assert!(!offered.is_empty(), "nothing is offered behind {line}");
        for place in offered {
            tried += 1;
            let layout = if line.starts_with("deploy") { "layout:of-web" } else { "layout:of-all" };
            let whole = match place.as_str() {
                "oci://" => "oci://127.0.0.1:1/a/b",
                "layout:" => layout,
                "cluster:" => "cluster:dead",
                word @ ("published" | "local") => word,
                other => panic!("{other} is offered behind {line}"),
            };
            let whole = format!("{last}{whole}");
            let run = env.run(before.iter().copied().chain([whole.as_str(), "--timeout=5s"]));
            // It looks there, or at what else it needs, and finds what there is.
            let looked = ["127.0.0.1:1", "the cluster dead cannot be compared"].iter().any(|words| run.stderr.contains(words));
            assert!(looked || matches!(run.code, Some(0 | 1)), "{line}{place}: {run}");
            for refusal in ["is no source", "is no place", "cannot be read from a cluster", "unexpected"] {
                assert!(!run.stderr.contains(refusal), "{line}{place}: {run}");
            }
        }
    }
    assert!(tried > 28, "only {tried} places were tried");
}

/// TAB asks nobody: a cluster, a registry and a proxy that would hear it hear nothing.
#[test]
fn nobody_is_asked() {
    let ears = [(); 3].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let at = ears.each_ref().map(|ear| ear.local_addr().unwrap().to_string());
    let mut env = platform("- runway_service_id: web\n");
    let file = env.write("kubeconfig", kubeconfig(&[("one", &format!("http://{}", at[0]))]));
    env.var("KUBECONFIG", file).var("RUNWAY_REGISTRY_BASE", format!("{}/platform", at[1]));
    let asked = || {
        ears.each_ref().map(|ear| {
            ear.set_nonblocking(true).unwrap();
            ear.accept().is_ok()
        })
    };
    for words in [
        ["status", ""].as_slice(),
        &["status", "--context", ""],
        &["explain", "--context", "one", "w"],
        &["status", "--context", "one", "-e", "production", "--runtime", "gke", ""],
        &["inventory", "diff", "cluster:"],
        &["inventory", "diff", "published", "p"],
        &["inventory", "push", "--to", "oci://"],
        &["deploy", "show", "web", "oci://"],
        &["doctor", "registry", ""],
        &["reconcile", "--context", "one", ""],
        &["help", "finding", ""],
    ] {
        ask(&env, words);
    }
    for (name, at) in [("HTTP_PROXY", &at[2]), ("HTTPS_PROXY", &at[2])] {
        env.var(name, format!("http://{at}"));
    }
    ask(&env, &["status", "--context", ""]);
    assert_eq!(asked(), [false; 3], "TAB has asked a cluster, a registry or a proxy");
    // They do hear what is said to them.
    drop(env.run(["status", "--context", "one", "--runtime", "gke", "-e", "production", "--timeout", "1s"]));
    assert!(asked().contains(&true), "a test that cannot fail");
}

/// Between two keys there is no time. What the processor does for TAB is counted, beyond the start of the program, since other tests
/// run beside this one; the best of several tries, and twenty times as much where the program is built without optimisation.
#[test]
fn tab_is_quick_with_thousands_of_workloads() {
    let entry = |n| format!("- name: service-{n}\n  project_id: {n}1\n  regions: [us-east1]\n");
    let list = (0..5_000).map(entry).collect::<Vec<_>>().concat();
    let env = platform(&list);
    let best = |words: &str| {
        let once = || {
            let program = env!("CARGO_BIN_EXE_kubectl-runway");
            let mut bash = Command::new("/bin/bash");
            bash.args(["-c", &format!("TIMEFORMAT=%3U; time '{program}' {words} >answer")]).current_dir(env.work());
            bash.env_clear().envs(env.command().get_envs().filter_map(|(name, value)| Some((name, value?))));
            let took = String::from_utf8(bash.output().unwrap().stderr).unwrap();
            took.trim().parse::<f64>().unwrap_or_else(|error| panic!("{error}: {took}"))
        };
        (0..7).map(|_| once()).fold(f64::MAX, f64::min)
    };
    let start = best("--version");
    let took = best("__complete status ''");
    assert_eq!(env.read("answer").lines().count(), 5_001);
    let limit = if cfg!(debug_assertions) { 0.2 } else { 0.01 };
    assert!(took - start < limit, "{took} s, of which {start} s are the start");
}

#[test]
fn install_asks_on_a_terminal() {
    use runway_testkit::terminal::Terminal;
    for (answer, code, written) in [("y\n", 0, true), ("\n", 2, false), ("n\n", 2, false)] {
        let env = at_home();
        let mut command = env.command();
        command.args(["completion", "install", "--shell", "zsh"]);
        let mut terminal = Terminal::start(&command, (24, 200), Duration::from_secs(20));
        terminal.until(0, "the question", |text| text.contains("will be written") && text.contains("Write this? [y/N]"));
        terminal.types(answer);
        let (ended, drawn) = terminal.end();
        assert_eq!((ended, env.root().join("bin/kubectl_complete-runway").exists()), (Some(code), written), "{drawn}");
    }
}
