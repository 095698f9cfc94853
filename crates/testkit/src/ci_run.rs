//! Runs the jobs of a pipeline in a shell: each in a fresh copy of the repository, with the artifacts of the jobs it needs.

use super::ci::{Pipeline, seconds, texts};
use crate::command::{Run, mortal, run};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// How a job ended.
#[must_use = "a job that failed has to be looked at"]
#[derive(Debug)]
pub struct JobRun {
    /// Its name, with the variables of its matrix.
    pub name: String,
    /// What it said, and its exit code.
    pub run: Run,
    /// Whether the pipeline goes on: it passed, or failed in a way that is allowed.
    pub goes_on: bool,
    /// Its files as it left them.
    pub folder: PathBuf,
}

/// What scripts are run by: GitLab's runner takes the image's bash, and its sh when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shell {
    /// bash, with errexit and pipefail.
    #[default]
    Bash,
    /// A plain sh, with errexit.
    Sh,
}

impl Shell {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Bash, Self::Sh];

    /// The program, and a script as the runner hands it over: one text, with nothing on standard input.
    fn script(self, text: &str) -> (&'static str, String) {
        let quoted = format!("'{}'", text.replace('\'', "'\\''"));
        match self {
            Self::Bash => ("/bin/bash", format!("set -o pipefail\nset -o errexit\nset +o noclobber\n: | eval {quoted}\n")),
            Self::Sh => ("/bin/sh", format!("set -o errexit\nset +o noclobber\n: | eval {quoted}\n")),
        }
    }
}

/// A runner with a repository.
#[derive(Debug)]
pub struct Runner {
    /// What scripts are run by.
    pub shell: Shell,
    root: TempDir,
    repository: PathBuf,
    /// Variables of every job; a test changes them between pipelines.
    pub variables: BTreeMap<String, String>,
    /// What the instances of a job left for later ones.
    kept: BTreeMap<String, Vec<Kept>>,
    count: usize,
}

/// What a job left: files, and the variables of its dotenv report.
#[derive(Debug)]
struct Kept {
    files: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Runner {
    /// A runner for this repository, whose jobs find these programs and have these variables.
    ///
    /// # Panics
    ///
    /// Panics when there is no room for its files.
    pub fn new(repository: &Path, path: &[&Path], variables: &[(&str, &str)]) -> Self {
        let root = tempfile::Builder::new().prefix("runway-ci-").tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("home")).expect("a home");
        let mut all = BTreeMap::new();
        let folders = path.iter().copied().chain([Path::new("/usr/bin"), Path::new("/bin")]);
        let path = std::env::join_paths(folders).expect("folders without a colon");
        for (name, value) in [("CI", "true"), ("GITLAB_CI", "true"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC")] {
            all.insert(name.to_owned(), value.to_owned());
        }
        all.insert("PATH".to_owned(), path.to_string_lossy().into_owned());
        all.insert("HOME".to_owned(), root.path().join("home").display().to_string());
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self { shell: Shell::default(), root, repository: repository.to_owned(), variables: all, kept: BTreeMap::new(), count: 0 }
    }

    /// Runs a job, every instance of its matrix one after the other.
    ///
    /// # Panics
    ///
    /// Panics when there is no such job, a job that it needs did not run, or a report is missing after a success.
    #[track_caller]
    pub fn run(&mut self, pipeline: &Pipeline, name: &str) -> Vec<JobRun> {
        let job = pipeline.job(name).unwrap_or_else(|| panic!("there is no job {name}")).clone();
        let runs: Vec<JobRun> = matrix(&job).iter().map(|vars| self.instance(name, &job, vars)).collect();
        self.kept.remove(name);
        for run in &runs {
            let dotenv = artifacts(&job).and_then(|artifacts| artifacts.get("reports")?.get("dotenv"));
            let text = dotenv.and_then(Value::as_str).and_then(|file| fs::read_to_string(run.folder.join(file)).ok());
            let text = text.unwrap_or_default();
            // The limits of an instance of GitLab as it is installed.
            assert!(text.len() <= 5 * 1024 && text.lines().count() <= 20, "{}: too many variables: {text}", run.name);
            let variables = text.lines().map(|line| {
                let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{}: no dotenv line: {line}", run.name));
                let fits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                assert!(fits, "{}: no variable: {key}", run.name);
                (key.to_owned(), value.to_owned())
            });
            let files = Self::keep(&job, run);
            self.kept.entry(name.to_owned()).or_default().push(Kept { files, variables: variables.collect() });
        }
        runs
    }

    /// For a job that cannot run here: what it would have left.
    ///
    /// # Panics
    ///
    /// Panics when there is no room for its files.
    pub fn given(&mut self, name: &str, files: &[(&str, &[u8])]) {
        self.count += 1;
        let folder = self.root.path().join(format!("job-{}.artifacts", self.count));
        for (path, content) in files {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder for artifacts");
            fs::write(&file, content).expect("an artifact is written");
        }
        fs::create_dir_all(&folder).expect("a folder for artifacts");
        self.kept.insert(name.to_owned(), vec![Kept { files: folder, variables: BTreeMap::new() }]);
    }

    #[track_caller]
    fn instance(&mut self, name: &str, job: &Map<String, Value>, matrix: &[(String, String)]) -> JobRun {
        self.count += 1;
        let folder = self.root.path().join(format!("job-{}", self.count));
        copy(&self.repository, &folder);
        let mut variables = self.variables.clone();
        for need in texts(job.get("needs")) {
            let kept = self.kept.get(&need).unwrap_or_else(|| panic!("{name} needs {need}, which did not run"));
            for one in kept {
                copy(&one.files, &folder);
                variables.extend(one.variables.clone());
            }
        }
        variables.extend(matrix.iter().cloned());
        let limit = job.get("timeout").and_then(Value::as_str).and_then(seconds).unwrap_or(3600);
        variables.insert("CI_JOB_TIMEOUT".to_owned(), limit.to_string());
        for (key, value) in job.get("variables").and_then(Value::as_object).into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            variables.insert(key.clone(), expand(&value, &variables));
        }
        // A matrix is stronger than the job's own variables.
        variables.extend(matrix.iter().cloned());
        variables.insert("CI_PROJECT_DIR".to_owned(), folder.display().to_string());
        variables.insert("CI_JOB_NAME".to_owned(), name.to_owned());
        let mut script = String::new();
        for line in texts(job.get("before_script")).iter().chain(&texts(job.get("script"))) {
            script.push_str(line);
            script.push('\n');
        }
        let (program, script) = self.shell.script(&script);
        let mut command = mortal(Path::new(program));
        command.args(["-c", &script]).env_clear().envs(&variables).current_dir(&folder);
        let run = run(command, b"", Duration::from_secs(600)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let allowed = job.get("allow_failure").and_then(|allowed| allowed.get("exit_codes")).and_then(Value::as_array);
        let is_allowed = |code: i32| allowed.is_some_and(|codes| codes.contains(&code.into()));
        let goes_on = run.code.is_some_and(|code| code == 0 || is_allowed(code));
        let values: Vec<&str> = matrix.iter().map(|(_, value)| value.as_str()).collect();
        let name = if values.is_empty() { name.to_owned() } else { format!("{name}: [{}]", values.join(", ")) };
        JobRun { name, run, goes_on, folder }
    }

    /// The files that a job hands on, in a folder of their own.
    #[track_caller]
    fn keep(job: &Map<String, Value>, run: &JobRun) -> PathBuf {
        let to = run.folder.with_extension("artifacts");
        fs::create_dir(&to).expect("a folder for artifacts");
        let Some(artifacts) = artifacts(job) else { return to };
        let always = artifacts.get("when").and_then(Value::as_str) == Some("always");
        if run.run.code != Some(0) && !always {
            return to;
        }
        for path in texts(artifacts.get("paths")) {
            let from = run.folder.join(path.trim_end_matches('/'));
            if from.is_dir() {
                copy(&from, &to.join(path.trim_end_matches('/')));
            } else if from.is_file() {
                fs::copy(&from, to.join(&path)).expect("an artifact is copied");
            }
        }
        for pattern in artifacts.get("reports").and_then(Value::as_object).into_iter().flatten().flat_map(|(_, v)| texts(Some(v)))
        {
            assert!(run.run.code != Some(0) || found(&run.folder, &pattern), "{}: the report {pattern} is missing", run.name);
        }
        to
    }
}

fn artifacts(job: &Map<String, Value>) -> Option<&Map<String, Value>> {
    job.get("artifacts").and_then(Value::as_object)
}

/// The instances of a job: every combination of its matrix, one without variables when there is none.
fn matrix(job: &Map<String, Value>) -> Vec<Vec<(String, String)>> {
    let rows = job.get("parallel").and_then(|parallel| parallel.get("matrix")).and_then(Value::as_array);
    let Some(rows) = rows else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        let mut found: Vec<Vec<(String, String)>> = vec![Vec::new()];
        for (key, values) in row {
            let values = texts(Some(values));
            found = found
                .into_iter()
                .flat_map(|before| values.iter().map(move |value| [before.clone(), vec![(key.clone(), value.clone())]].concat()))
                .collect();
        }
        all.extend(found);
    }
    all
}

/// `$NAME` and `${NAME}` in the value of a variable; `$$` is a dollar.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(left) = after.strip_prefix('$') {
            out.push('$');
            rest = left;
            continue;
        }
        if let Some((name, left)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            out.push_str(variables.get(name).map_or("", String::as_str));
            rest = left;
            continue;
        }
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let (name, left) = after.split_at(end);
        out.push_str(variables.get(name).map_or("", String::as_str));
        rest = left;
    }
    out + rest
}

/// Whether a path exists; `*` stands for one part.
fn found(root: &Path, pattern: &str) -> bool {
    match pattern.split_once("*/") {
        None => root.join(pattern).is_file(),
        Some((before, after)) => {
            let folders = fs::read_dir(root.join(before)).into_iter().flatten().flatten();
            folders.map(|entry| entry.path()).filter(|path| path.is_dir()).any(|path| found(&path, after))
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder to copy") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            let link = fs::read_link(entry.path()).expect("a link");
            std::os::unix::fs::symlink(link, target).expect("a link is copied");
        } else {
            fs::copy(entry.path(), target).expect("a file is copied");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Runner, Shell};
    use crate::ci::Template;
    use std::fs;

    const FILE: &str = "spec: {inputs: {x: {type: string, description: x, default: '1'}}}\n---\n\
        First:\n  parallel: {matrix: [{A: [a, b]}]}\n  variables: {FULL: \"$A-${A}$$\"}\n  script: ['mkdir out; echo \"$A\" > out/$A; echo R=$A > r.env; echo FULL=$FULL >> r.env', 'cat file']\n  artifacts: {paths: [out/], reports: {dotenv: r.env}}\n\
        Second:\n  needs: [First]\n  script: ['cat out/a out/b; echo \"$R $FULL\"', 'exit 5', 'echo never']\n  allow_failure: {exit_codes: [5]}\n";

    #[test]
    fn jobs_get_what_they_need() {
        let repository = tempfile::tempdir().unwrap();
        fs::write(repository.path().join("file"), "committed\n").unwrap();
        let pipeline = Template::read(FILE).unwrap().render(&[]).unwrap();
        let mut runner = Runner::new(repository.path(), &[], &[]);
        let first = runner.run(&pipeline, "First");
        assert_eq!(first.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(), ["First: [a]", "First: [b]"]);
        assert!(first.iter().all(|job| job.goes_on && job.run.stdout == "committed\n"), "{first:?}");
        let second = runner.run(&pipeline, "Second");
        assert_eq!(second[0].run.stdout, "a\nb\nb b-b$\n");
        assert!(second[0].goes_on && second[0].run.code == Some(5));
        assert!(!repository.path().join("out").exists(), "a job works on a copy");
    }

    #[test]
    fn a_script_ends_where_gitlabs_shells_end_it() {
        let repository = tempfile::tempdir().unwrap();
        let file = "spec: {inputs: {}}\n---\nPipe:\n  script: ['false | true', \"echo 'on'\", 'false', 'echo never']\nInput:\n  script: ['cat', 'x=\"$(printf a | grep b)\"', 'echo on']\n";
        let pipeline = Template::read(file).unwrap().render(&[]).unwrap();
        let mut runner = Runner::new(repository.path(), &[], &[]);
        for (shell, said) in [(Shell::Bash, ""), (Shell::Sh, "on\n")] {
            runner.shell = shell;
            for (name, said) in [("Pipe", said), ("Input", "")] {
                let run = runner.run(&pipeline, name).remove(0);
                assert_eq!((run.run.code, run.run.stdout.as_str()), (Some(1), said), "{shell:?} {name}: {}", run.run);
            }
        }
    }
}
