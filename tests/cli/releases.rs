//! The release's jobs in `.gitlab-ci.yml`, run in a shell: what is built reaches the archives, what is uploaded is all of it and
//! under the names that people are told, and the image is the one that `ci-tasks/` asks for.
//!
//! cargo, curl and docker are played, since none may build or send anything here; `.ci/publish`, the manifests and the image's
//! archive are real.

use runway_dist::archive::Effort;
use runway_dist::release::{Build, Checksums, Texts};
use runway_dist::targets::{CATALOGS, Catalog, TARGETS, Target};
use runway_dist::template::{self, Facts};
use runway_testkit::ci::{JobRun, Pipeline, Runner, Template};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
const TASKS: [&str; 2] = ["ci-tasks/provisioner/inventory.yml", "ci-tasks/service-project/helm-chart.yml"];

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn pipeline() -> Pipeline {
    Pipeline::project(&text(".gitlab-ci.yml")).unwrap()
}

fn script(job: &Value) -> String {
    job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Writes down how it was called. What it would have built lies where it would lie.
const CARGO: &str = r#"#!/bin/sh
echo "cargo $*" >> "$LOG"
mkdir -p target/dist/flux
pack() { for name in kubectl-runway flux-runway; do echo packed > "target/dist/${name}_${CI_COMMIT_TAG#v}_$1.tar.gz"; done; }
case "$*" in
    'xtask dist --pack '*) test -s "$5" || exit 1; pack "$4" ;;
    'xtask dist --manifests')
        cp manifest.yaml target/dist/flux/runway.yaml
        for name in catalog.yaml checksums.txt; do cp "krew/$name" target/dist/flux/; done
        for name in kubectl-runway flux-runway; do echo sums > "target/dist/${name}_${CI_COMMIT_TAG#v}_checksums.txt"; done ;;
    'xtask dist '*) shift 2; for target in "$@"; do pack "$target"; done ;;
    'build --release --locked --bin kubectl-runway --target '*)
        mkdir -p "target/$7/release"; printf '#!/bin/sh\necho ran\n' > "target/$7/release/kubectl-runway"
        chmod +x "target/$7/release/kubectl-runway" ;;
    *) exit 1 ;;
esac
"#;

/// rustup's installer, the uploads, and the catalog that is published already.
const CURL: &str = r#"#!/bin/sh
to='' from='' header=''
for last; do :; done
while [ $# -gt 1 ]; do
    case "$1" in --output) to="$2" ;; --upload-file) from="$2" ;; --header) header="$2" ;; esac
    shift
done
if [ "$last" = https://sh.rustup.rs ]; then
    echo 'mkdir -p "$HOME/.cargo"; : > "$HOME/.cargo/env"; echo "rustup-init $*" >> "$LOG"'
    exit 0
fi
grep -qx 'JOB-TOKEN: a-secret' "${header#@}" || exit 22
if [ -n "$from" ]; then test -s "$from" && echo "upload ${last#"$PACKAGES/"}" >> "$LOG"; exit; fi
if [ -f published.yaml ]; then cp published.yaml "$to"; printf 200; else echo '{}' > "$to"; printf "${REFUSED:-404}"; fi
"#;

const NOTED: &str = "#!/bin/sh\necho \"$(basename \"$0\") $*\" >> \"$LOG\"\n";

/// A runner with a repository of just what the jobs read, at this version.
struct Stage {
    runner: Runner,
    pipeline: Pipeline,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new(version: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (repository, programs) = (folder.path().join("repository"), folder.path().join("programs"));
        std::fs::create_dir(&programs).unwrap();
        for (name, content) in [("cargo", CARGO), ("curl", CURL), ("docker", NOTED), ("rustup", NOTED), ("apt-get", NOTED)] {
            executable(&programs.join(name), content);
        }
        for name in ["krew/catalog.yaml", "krew/checksums.txt"] {
            write(&repository.join(name), &text(name));
        }
        write(&repository.join("Cargo.toml"), &text("Cargo.toml").replacen(VERSION, version, 1));
        executable(&repository.join(".ci/publish"), &text(".ci/publish"));
        let log = folder.path().join("log");
        std::fs::write(&log, "").unwrap();
        let tag = format!("v{version}");
        let registry = format!("registry.gitlab.com/{}", REPOSITORY.strip_prefix("https://gitlab.com/").unwrap());
        let variables = [
            ("CI_COMMIT_TAG", tag.as_str()),
            ("CI_JOB_TOKEN", "a-secret"),
            ("CI_API_V4_URL", "https://gitlab.example.com/api/v4"),
            ("CI_PROJECT_ID", "1"),
            // As GitLab sets them for the project at this address.
            ("CI_REGISTRY", "registry.gitlab.com"),
            ("CI_REGISTRY_IMAGE", registry.as_str()),
            ("CI_REGISTRY_USER", "user"),
            ("CI_REGISTRY_PASSWORD", "password"),
            ("LOG", log.to_str().unwrap()),
        ];
        let runner = Runner::new(&repository, &[&programs], &variables);
        let stage = Self { runner, pipeline: pipeline(), folder };
        stage.has("manifest.yaml", &manifest(&[version]));
        stage
    }

    /// Another file of the repository.
    fn has(&self, name: &str, content: &str) {
        write(&self.folder.path().join("repository").join(name), content);
    }

    fn run(&mut self, job: &str) -> JobRun {
        self.runner.run(&self.pipeline, job).remove(0)
    }

    /// The job `publish`, with what the jobs before it leave.
    fn publish(&mut self) -> JobRun {
        self.runner.given("check", &[]);
        let programs: Vec<(String, Target)> = TARGETS
            .into_iter()
            .filter(|target| target.os != "linux")
            .map(|target| (format!("programs/{}/kubectl-runway{}", target.triple, target.exe()), target))
            .collect();
        for os in ["darwin", "windows"] {
            let left = programs.iter().filter(|(_, target)| target.os == os).map(|(file, _)| (file.as_str(), &b"x"[..]));
            self.runner.given(&format!("build-{os}"), &left.collect::<Vec<_>>());
        }
        self.run("publish")
    }

    /// What the played programs were asked to do, in their order.
    fn log(&self, start: &str) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.lines().filter_map(|line| line.strip_prefix(start)).map(str::to_owned).collect()
    }
}

fn write(file: &Path, content: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content).unwrap();
}

fn executable(file: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    write(file, content);
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Flux's manifest after these releases, the newest first.
fn manifest(versions: &[&str]) -> String {
    let mut checksums = Checksums::default();
    for (version, target) in versions.iter().flat_map(|version| TARGETS.map(|target| (version, target))) {
        checksums.add(&Catalog::Flux.archive(version, target), version.as_bytes());
    }
    let url = template::download_url(REPOSITORY).unwrap();
    let facts = Facts { version: versions[0], repository: REPOSITORY, url: &url, checksums: &checksums, only_there: true };
    template::render(&text("plugin.yaml.in"), Catalog::Flux, &facts).unwrap()
}

#[track_caller]
fn passed(run: &JobRun) -> PathBuf {
    assert_eq!(run.run.code, Some(0), "{}: {}", run.name, run.run);
    run.folder.clone()
}

#[test]
fn each_system_reaches_an_archive() {
    let mut stage = Stage::new("9.9.9");
    // The programs for macOS, by the job that builds them.
    let left = passed(&stage.run("build-darwin"));
    let windows = stage.pipeline.job("build-windows").unwrap()["script"].as_array().unwrap().clone();
    let windows: Vec<&str> = windows.iter().filter_map(Value::as_str).collect();
    for target in TARGETS {
        let (triple, exe) = (target.triple, target.exe());
        match target.os {
            "darwin" => assert!(left.join(format!("programs/{triple}/kubectl-runway")).is_file(), "{triple}"),
            // PowerShell, which is not here: its lines are read.
            "windows" => {
                let copied = format!(r"Copy-Item target\{triple}\release\kubectl-runway{exe} programs\{triple}\");
                assert!(windows.contains(&copied.as_str()), "{windows:?}");
                assert!(windows.contains(&format!(r"New-Item -ItemType Directory -Force programs\{triple}").as_str()));
                assert!(windows.iter().any(|line| line.ends_with(&format!(" --target {triple}"))), "{windows:?}");
            }
            _ => {}
        }
    }
    passed(&stage.publish());
    let mut expected = vec!["xtask dist linux_amd64 linux_arm64".to_owned()];
    let mut others: Vec<&Target> = TARGETS.iter().filter(|target| target.os != "linux").collect();
    others.sort_by_key(|target| target.triple);
    for target in others {
        let (triple, exe) = (target.triple, target.exe());
        expected.push(format!("xtask dist --pack {triple} programs/{triple}/kubectl-runway{exe}"));
    }
    expected.push("xtask dist --manifests".to_owned());
    let calls = stage.log("cargo ");
    assert_eq!(calls[calls.len() - expected.len()..], expected, "{calls:?}");
}

#[test]
fn a_release_is_uploaded_whole_and_where_it_is_looked_for() {
    let mut stage = Stage::new("9.9.9");
    passed(&stage.publish());
    let uploads: BTreeSet<String> = stage.log("upload ").into_iter().collect();
    let mut expected = BTreeSet::new();
    for (catalog, target) in CATALOGS.into_iter().flat_map(|catalog| TARGETS.map(|target| (catalog, target))) {
        // The played `dist` names an archive by what it was given.
        let given = if target.os == "linux" { target.to_string() } else { target.triple.to_owned() };
        expected.insert(format!("kubectl-runway/9.9.9/{}_9.9.9_{given}.tar.gz", catalog.program()));
        expected.insert(format!("kubectl-runway/9.9.9/{}", catalog.checksums("9.9.9")));
    }
    for folder in ["9.9.9", "latest"] {
        expected.extend(["catalog", "runway"].map(|name| format!("flux-catalog/{folder}/{name}.yaml")));
    }
    assert_eq!(uploads, expected);
    // The manifests look there.
    let url = template::download_url(REPOSITORY).unwrap().replace("{version}", "9.9.9");
    assert!(url.ends_with("/packages/generic/kubectl-runway/9.9.9"), "{url}");
    let packages = &stage.pipeline.job("publish").unwrap()["variables"]["PACKAGES"];
    assert_eq!(packages, "$CI_API_V4_URL/projects/$CI_PROJECT_ID/packages/generic");
}

/// A prerelease is there for who asks for it; the catalog that everybody has stays as it is.
#[test]
fn a_prerelease_replaces_nothing() {
    let mut stage = Stage::new("9.9.9-rc.1");
    passed(&stage.publish());
    let uploads = stage.log("upload ");
    assert!(uploads.contains(&"flux-catalog/9.9.9-rc.1/runway.yaml".to_owned()), "{uploads:?}");
    assert!(uploads.iter().all(|name| !name.contains("latest")), "{uploads:?}");
}

#[test]
fn no_release_is_forgotten_or_made_twice() {
    let said = |stage: &mut Stage| {
        let run = stage.publish();
        assert_eq!(run.run.code, Some(1), "{}", run.run);
        assert_eq!(stage.log("upload "), Vec::<String>::new(), "nothing is changed");
        run.run.stderr
    };
    // The one before is in both.
    let mut stage = Stage::new("9.9.9");
    stage.has("published.yaml", &manifest(&["9.9.8"]));
    stage.has("manifest.yaml", &manifest(&["9.9.9", "9.9.8"]));
    passed(&stage.publish());
    let mut stage = Stage::new("9.9.9");
    stage.has("published.yaml", &manifest(&["9.9.8"]));
    assert!(said(&mut stage).contains("not in krew/checksums.txt of this commit:   - version: 9.9.8"));
    let mut stage = Stage::new("9.9.9");
    stage.has("published.yaml", &manifest(&["9.9.8"]));
    let changed = manifest(&["9.9.9", "9.9.8"]).replace(&runway_dist::sha256(b"9.9.8"), &"0".repeat(64));
    stage.has("manifest.yaml", &changed);
    assert!(said(&mut stage).contains("not in krew/checksums.txt of this commit:         checksum: sha256:"));
    let mut stage = Stage::new("9.9.9");
    stage.runner.variables.insert("REFUSED".to_owned(), "503".to_owned());
    assert!(said(&mut stage).contains("the catalog that is published cannot be read: HTTP 503"));
    let mut stage = Stage::new("9.9.9");
    stage.has("krew/checksums.txt", &format!("{}  kubectl-runway_9.9.9_linux_amd64.tar.gz\n", "a".repeat(64)));
    assert!(said(&mut stage).contains("9.9.9 is released already"));
    // A tag that is not what Cargo.toml says.
    let mut stage = Stage::new("9.9.9");
    stage.runner.variables.insert("CI_COMMIT_TAG".to_owned(), "v9.9.8".to_owned());
    said(&mut stage);
}

#[test]
fn the_image_is_the_one_that_the_jobs_ask_for() {
    let mut stage = Stage::new("9.9.9");
    let target = Target::find("linux_amd64").unwrap();
    let texts = Texts::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let build = Build { version: "9.9.9", target, program: b"program", texts: &texts, time: 0 };
    let archive = build.archive(Catalog::Krew, Effort::Least).unwrap();
    stage.runner.given("publish", &[(&format!("target/dist/{}", archive.name), &archive.bytes)]);
    let folder = passed(&stage.run("publish-image"));
    let calls = stage.log("docker ");
    let pushed: Vec<&str> = calls.iter().filter_map(|call| call.strip_prefix("push ")).collect();
    let [pushed] = pushed.as_slice() else { panic!("one image: {calls:?}") };
    assert!(calls.iter().any(|call| call.starts_with("build ") && call.contains(&format!(" --tag {pushed} "))), "{calls:?}");
    for task in TASKS {
        let template = Template::read(&text(task)).unwrap();
        let mut given = vec![("runway_version", json!("v9.9.9"))];
        if template.required().contains(&"runway_service_id") {
            given.push(("runway_service_id", json!("web")));
        }
        for (name, job) in &template.render(&given).unwrap().jobs {
            assert_eq!(job["image"], json!(pushed), "{task}: {name}");
        }
        // A prerelease can be tried there, too.
        given[0].1 = json!("v9.9.9-rc.1");
        assert!(template.render(&given).is_ok(), "{task}");
    }
    // What the image is made of is there, and what its jobs call is in it.
    let recipe = text("ci-tasks/image/Dockerfile");
    let mut copied = 0;
    for line in recipe.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--from")) {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.pop();
        for word in words {
            copied += 1;
            let found = [folder.as_path(), Path::new(env!("CARGO_MANIFEST_DIR"))].map(|root| root.join(word).is_file());
            assert!(found.contains(&true), "{word}");
        }
    }
    assert_eq!(copied, 6, "{recipe}");
    for package in ["ca-certificates", "curl", "git"] {
        assert!(recipe.lines().any(|line| line.starts_with("RUN apk add ") && line.contains(package)), "{package}");
    }
    let go = text("tests/testbed/helm/go.mod").lines().find_map(|line| line.strip_prefix("go ").map(str::to_owned)).unwrap();
    assert!(recipe.contains(&format!("GOTOOLCHAIN=go{go}\n")), "helm is built as for the tests, with go {go}");
}

#[test]
fn a_tag_is_a_version_and_nothing_else() {
    let pipeline = pipeline();
    let of = |tag: &str| {
        let variables = BTreeMap::from([("CI_COMMIT_TAG".to_owned(), tag.to_owned())]);
        pipeline.selected(&variables).unwrap().into_iter().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<String> = pipeline.jobs.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(of("v1.2.3"), all);
    let without = |name: &str| all.iter().filter(|job| *job != name).cloned().collect::<BTreeSet<_>>();
    assert_eq!(of("v1.2.3-rc.1"), without("release"), "a prerelease is not the project's newest release");
    for tag in ["", "v1.2", "1.2.3", "v1.2.3.4", "v1.2.3 ", "v1.2.3;id", "xv1.2.3"] {
        assert_eq!(of(tag), BTreeSet::from(["check".to_owned()]), "{tag}");
    }
    // All that is released waits for all checks, and the release for all that is released.
    let needs = |job: &str| pipeline.job(job).unwrap()["needs"].as_array().unwrap().clone();
    assert!(needs("publish").contains(&json!("check")));
    assert_eq!(needs("release"), [json!("publish"), json!("publish-image"), json!("rebuild")]);
}

/// Another compiler makes other bytes.
#[test]
fn a_release_is_built_by_one_compiler() {
    let mut seen = 0;
    for (name, job) in &pipeline().jobs {
        let (job, image) = (Value::Object(job.clone()), job.get("image").and_then(Value::as_str).unwrap_or_default());
        let script = script(&job);
        if image.starts_with("rust:") || script.contains("rustup") {
            seen += 1;
            let pinned = image == "rust:$RELEASE_RUST-trixie"
                || ["--default-toolchain \"$RELEASE_RUST\"", "--default-toolchain $env:RELEASE_RUST"]
                    .iter()
                    .any(|words| script.contains(words));
            assert!(pinned, "{name}: {image}\n{script}");
        }
        assert_eq!(job["variables"]["RELEASE_RUST"].as_str().unwrap().split('.').count(), 3, "{name}");
    }
    assert_eq!(seen, 5);
}

/// Whatever the steps before it took: a machine that is slow has the same release.
#[test]
fn every_check_builds_both_linux_programs() {
    let check = text(".ci/run");
    assert_eq!(check.matches("cargo xtask dist linux_amd64 linux_arm64").count(), 1, "{check}");
    assert!(!check.contains("SKIPPED: the program"), "{check}");
}

/// Who includes a job copies these lines, too.
#[test]
fn what_is_included_is_this_version() {
    let mut seen = 0;
    for page in TASKS.into_iter().chain(["docs/guides/platform-team.md", "docs/guides/service-owner.md"]) {
        for line in text(page).lines() {
            let line = line.trim_start_matches(['#', ' ']);
            if let Some(version) = line.strip_prefix("ref: ").or_else(|| line.strip_prefix("runway_version: ")) {
                seen += 1;
                assert_eq!(version, format!("v{VERSION}"), "{page}: {line}");
            }
        }
    }
    assert_eq!(seen, 8);
}

/// Who installs by hand copies these lines.
#[test]
fn the_readme_has_the_addresses_of_the_manifests() {
    let readme = text("README.md");
    let target = Target::find("linux_amd64").unwrap();
    let url = template::download_url(REPOSITORY).unwrap();
    let (packages, _) = url.split_once("/kubectl-runway/{version}").unwrap();
    let mut missing = String::new();
    for line in [
        format!("kubectl krew index add runway {REPOSITORY}.git"),
        format!("export FLUXCD_PLUGIN_CATALOG={packages}/flux-catalog/latest/"),
        format!("version={VERSION} system={target}"),
        format!("packages={packages}/kubectl-runway/$version"),
        "curl -fLO \"$packages/kubectl-runway_${version}_$system.tar.gz\"".to_owned(),
        "curl -fLO \"$packages/kubectl-runway_${version}_checksums.txt\"".to_owned(),
        "sha256sum --check --ignore-missing \"kubectl-runway_${version}_checksums.txt\"".to_owned(),
    ] {
        if !readme.contains(&line) {
            writeln!(missing, "{line}").unwrap();
        }
    }
    assert_eq!(missing, "", "lines that README.md does not have");
    let released = !Checksums::parse(&text("krew/checksums.txt")).unwrap().versions().unwrap().is_empty();
    assert_eq!(readme.contains("Nothing is released yet"), !released);
    assert_eq!(Catalog::Krew.archive(VERSION, target), format!("kubectl-runway_{VERSION}_linux_amd64.tar.gz"));
    assert_eq!(Catalog::Krew.checksums(VERSION), format!("kubectl-runway_{VERSION}_checksums.txt"));
}
