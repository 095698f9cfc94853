//! From an archive to the first command: by the real kubectl and the real flux, as people have them.
//!
//! The archives are packed of the program under test, or, where `RUNWAY_DIST` names such a folder, those that `cargo xtask dist`
//! made: the very files of a release.

use crate::stage::{ENVIRONMENT, Stage};
use runway_dist::archive::{Effort, entries};
use runway_dist::release::{Build, Checksums, NO_CHECKSUM, TEXTS, Texts};
use runway_dist::targets::{Catalog, Target};
use runway_dist::template::{self, Facts};
use runway_dist::{flux, krew};
use runway_testkit::bed::Handle;
use runway_testkit::env::{Env, Run};
use runway_testkit::fake::{Deed, Hostile, Reply};
use runway_testkit::terminal::Terminal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The target whose archives this machine runs.
fn target() -> Target {
    let name = if cfg!(target_arch = "aarch64") { "linux_arm64" } else { "linux_amd64" };
    Target::find(name).expect("a target")
}

/// The archive for a catalog.
fn archive(catalog: Catalog) -> Vec<u8> {
    if let Some(folder) = std::env::var_os("RUNWAY_DIST") {
        let file = Path::new(&folder).join(catalog.archive(VERSION, target()));
        return std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    let program = std::fs::read(env!("CARGO_BIN_EXE_kubectl-runway")).expect("our program");
    let texts = Texts::read(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the licenses");
    let build = Build { version: VERSION, target: target(), program: &program, texts: &texts, time: 0 };
    build.archive(catalog, Effort::Least).expect("an archive").bytes
}

/// A catalog's manifest about this one archive, downloaded from here; `later` is a version that was released after it.
fn manifest(catalog: Catalog, archive: &[u8], url: &str, later: Option<&str>) -> String {
    let file = if catalog == Catalog::Krew { "krew/runway.yaml.in" } else { "plugin.yaml.in" };
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("a template");
    let mut checksums = Checksums::default();
    for version in [Some(VERSION), later].into_iter().flatten() {
        checksums.add(&catalog.archive(version, target()), archive);
    }
    let facts = Facts { version: VERSION, repository: REPOSITORY, url, checksums: &checksums, only_there: true };
    template::render(&text, catalog, &facts).expect("a manifest")
}

/// A platform with a workload that is declared and not published: all that a status needs to have something to say.
fn stage(name: &str) -> Stage {
    let stage = Stage::new(name, "gke");
    stage.declare(&["web"]);
    stage
}

/// One of the bed's programs, in the same folder and with the same cluster as the stage's.
fn beside(stage: &Stage, program: &str) -> Env {
    let mut env = Env::new(stage.bed.bin().join(program));
    env.var("KUBECONFIG", stage.ns.kube().kubeconfig());
    for file in ["kubectl-runway.yaml", "config/runtimes/gke/workloads.yml"] {
        env.write(file, stage.env.read(file));
    }
    env
}

/// A status by a plugin says what ours says by itself, with the same exit code.
#[track_caller]
fn same_status(stage: &Stage, plugin: &Env, prefix: &[&str]) {
    let arguments = ["status", "--runtime", "gke", "-e", ENVIRONMENT, "-o", "json"];
    let document = |run: &Run| {
        let mut document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
        document["time"] = Value::Null;
        document
    };
    let own = stage.env.run(arguments).exits(1);
    let theirs = plugin.run([prefix, &arguments[..]].concat()).exits(1);
    assert_eq!(document(&theirs), document(&own), "{theirs}");
    assert_eq!(document(&own)["items"][0]["verdict"], "Missing", "{own}");
}

/// Files under https, as GitLab's packages would be.
fn serve(bed: &Handle, files: &Arc<Mutex<BTreeMap<String, Vec<u8>>>>) -> Hostile {
    let files = Arc::clone(files);
    Hostile::with_tls(Some(bed.tls()), move |request, _| {
        let found = files.lock().unwrap().get(request.path()).cloned();
        Deed::Answer(found.map_or_else(|| Reply::new(404), |content| Reply::new(200).body(content)))
    })
}

/// A release that comes after this one.
const LATER: &str = "99.0.0";

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn flux_installs_us_from_a_catalog_and_runs_us() {
    let stage = stage("fluxplugin");
    let files = Arc::default();
    let server = serve(&stage.bed, &files);
    let url = format!("https://localhost:{}", server.port());
    let (archive, name) = (archive(Catalog::Flux), Catalog::Flux.archive(VERSION, target()));
    let text = manifest(Catalog::Flux, &archive, &url, None);
    let catalog = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("krew/catalog.yaml")).unwrap();
    assert_eq!([flux::problems(&text), flux::catalog_problems(&catalog, &text)].concat(), Vec::<String>::new());
    let put = |path: &str, content: &[u8]| drop(files.lock().unwrap().insert(path.to_owned(), content.to_vec()));
    put("/catalog/catalog.yaml", catalog.as_bytes());
    put("/catalog/runway.yaml", text.as_bytes());
    put(&format!("/{name}"), &archive);

    let mut env = beside(&stage, "flux");
    env.var("FLUXCD_PLUGIN_CATALOG", format!("{url}/catalog/")).var("SSL_CERT_FILE", stage.bed.ca());
    let found = env.run(["plugin", "search"]).ok();
    assert!(found.contains("runway") && found.contains("Publish and check Runway's Flux inventories"), "{found}");
    let before = env.run(["runway", "--version"]);
    assert_ne!(before.code, Some(0), "flux runs a plugin that nobody has installed: {before}");
    let installed = env.run(["plugin", "install", "runway"]).exits(0);
    assert!(installed.stderr.contains(&format!("installed runway v{VERSION}")), "{installed}");
    let program = env.home().join(".fluxcd/plugins/flux-runway");
    let packed = entries(&archive).unwrap().pop().unwrap();
    assert_eq!((packed.name.as_str(), std::fs::read(&program).unwrap()), ("flux-runway", packed.content));

    assert_eq!(env.run(["runway", "--version"]).ok(), format!("kubectl-runway {VERSION}\n"));
    assert!(env.run(["runway", "--help"]).ok().contains("Usage: flux runway"));
    same_status(&stage, &env, &["runway"]);

    let list = env.run(["plugin", "list"]).ok();
    assert!(list.contains("runway") && list.contains(VERSION), "{list}");
    env.run(["plugin", "uninstall", "runway"]).ok();
    assert!(!program.exists());
    let digest = format!("runway@sha256:{}", runway_dist::sha256(&archive));
    env.run(["plugin", "install", &digest]).ok();
    assert_eq!(env.run(["runway", "--version"]).ok(), format!("kubectl-runway {VERSION}\n"));
    env.run(["plugin", "uninstall", "runway"]).ok();

    // After the next release: that one unless a version is named, and this one still by its name.
    put(&format!("/{}", Catalog::Flux.archive(LATER, target())), &archive);
    put("/catalog/runway.yaml", manifest(Catalog::Flux, &archive, &url, Some(LATER)).as_bytes());
    for (wanted, version) in [("runway", LATER), (&format!("runway@{VERSION}"), VERSION)] {
        let installed = env.run(["plugin", "install", wanted]).exits(0);
        assert!(installed.stderr.contains(&format!("installed runway v{version}")), "{wanted}: {installed}");
        env.run(["plugin", "uninstall", "runway"]).ok();
    }

    // What stands in the manifests before a release: nothing is installed by it.
    put("/catalog/runway.yaml", text.replace(&runway_dist::sha256(&archive), NO_CHECKSUM).as_bytes());
    let refused = env.run(["plugin", "install", "runway"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("checksum verification failed"), "{refused}");
    assert!(!program.exists());
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn kubectl_runs_what_krew_would_have_installed() {
    let stage = stage("krewplugin");
    let archive = archive(Catalog::Krew);
    let text = manifest(Catalog::Krew, &archive, "https://example.com", None);
    let manifest = krew::Manifest::read("runway.yaml", &text).expect("krew would take it");
    let platform = manifest.platform(target().os, target().arch).expect("a platform for this machine");
    let root = tempfile::tempdir().unwrap();
    let installed = krew::install(&manifest, platform, &archive, root.path()).expect("krew would install it");

    let mut env = beside(&stage, "kubectl");
    let before = env.run(["runway", "--version"]);
    assert_ne!(before.code, Some(0), "kubectl runs a plugin that nobody has installed: {before}");
    env.path_add(&installed.bin);
    let list = env.run(["plugin", "list"]).ok();
    assert!(list.contains(&installed.link.display().to_string()), "{list}");
    assert_eq!(env.run(["runway", "--version"]).ok(), format!("kubectl-runway {VERSION}\n"));
    // Called through krew's link, it speaks as kubectl's plugin.
    assert!(env.run(["runway", "status", "--help"]).ok().contains("Usage: kubectl runway status"));
    same_status(&stage, &env, &["runway"]);
    // A flag before the plugin's name is kubectl's, and refused by it: all of ours stand behind it.
    let refused = env.run(["-n", "other", "runway", "status"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("flags cannot be placed before plugin name"), "{refused}");
    let unknown = env.run(["runway", "status", "-n", "other", "--no-such-flag"]).exits(2);
    assert!(unknown.stderr.contains("--no-such-flag"), "{unknown}");
}

/// An archive, the system's tar, a folder on PATH: nothing else is needed.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_new_users_first_minute() {
    let stage = stage("firstminute");
    let mut env = beside(&stage, "kubectl");
    let downloaded = env.write("../home/archive.tar.gz", archive(Catalog::Krew));
    let bin = env.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let tar = Command::new("/usr/bin/tar").args(["-xzvf".as_ref(), downloaded.as_os_str()]).current_dir(&bin).output().unwrap();
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    let texts = TEXTS.iter().fold(String::new(), |all, (name, _)| all + name + "\n");
    assert_eq!(String::from_utf8_lossy(&tar.stdout), texts + "kubectl-runway\n");
    env.path_add(&bin);

    let greeted = env.run(["runway"]).exits(0);
    assert!(greeted.stdout.contains("kubectl runway completion install") && greeted.stdout.contains("Commands:"), "{greeted}");

    env.run(["runway", "completion", "install", "--shell", "zsh", "--yes"]).ok();
    assert!(bin.join("kubectl_complete-runway").exists(), "krew can put one file on PATH, and this is the other");
    let asked = env.run(["__complete", "runway", "status", ""]).exits(0);
    assert!(asked.stdout.starts_with("web\t"), "{asked}");
    press_tab(&stage, &env, &bin);
    same_status(&stage, &env, &["runway"]);
}

/// TAB on a workload's name, in a shell that knows kubectl's own completion, and the command that it wrote.
fn press_tab(stage: &Stage, env: &Env, bin: &Path) {
    const ZSH: &str = "/usr/bin/zsh";
    if !Path::new(ZSH).exists() {
        println!("SKIPPED: nobody pressed TAB: zsh is not installed (apt-get install zsh)");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "zsh must not be missing where CI=true");
        return;
    }
    let mut shell = Command::new(ZSH);
    let path = format!("{}:{}:/usr/bin:/bin", bin.display(), stage.bed.bin().display());
    shell.args(["-f", "-i"]).env_clear().env("PATH", path).env("HOME", env.home()).env("TERM", "xterm").env("LC_ALL", "C.UTF-8");
    shell.env("KUBECONFIG", stage.ns.kube().kubeconfig()).current_dir(env.work());
    let mut terminal = Terminal::start(&shell, (40, 160), Duration::from_secs(60));
    terminal.types("PS1='$ '; autoload -Uz compinit && compinit -u -D; source <(kubectl completion zsh); echo rea''dy\n");
    terminal.until(0, "the shell's start", |text| text.contains("ready"));
    let from = terminal.drawn().len();
    terminal.types("kubectl runway status w\t");
    terminal.until(from, "TAB", |text| text.contains("status web"));
    terminal.types(&format!(" --runtime gke -e {ENVIRONMENT}\n"));
    terminal.until(from, "the command", |text| text.contains("Missing"));
}
