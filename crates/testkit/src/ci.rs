//! Runs the jobs of `ci-tasks/`, and those of `.gitlab-ci.yml`, for real: a small reader and runner of GitLab's CI files, strict
//! where GitLab is.
//!
//! It knows the keywords that our files use and refuses every other one: a job that the runner does not understand was not
//! tested. Source of the rules: GitLab's CI/CD YAML reference (`spec:inputs`, `parallel:matrix`, `needs`, `artifacts`,
//! `environment`, `retry`, `timeout`).

use runway_core::yaml::{self, value::to_json};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::process::Command;

pub use super::ci_run::{JobRun, Runner, Shell};

/// Keywords of a job that are understood.
const JOB: [&str; 16] = [
    "stage",
    "image",
    "variables",
    "before_script",
    "script",
    "rules",
    "artifacts",
    "needs",
    "parallel",
    "resource_group",
    "allow_failure",
    "when",
    "environment",
    "retry",
    "interruptible",
    "timeout",
];

/// What a failed job may be tried again for.
const RETRY: [&str; 5] =
    ["runner_system_failure", "stuck_or_timeout_failure", "scheduler_failure", "api_failure", "job_execution_timeout"];

/// The kinds of environments.
const TIERS: [&str; 5] = ["production", "staging", "testing", "development", "other"];

/// And those that stand in the project's own file only.
const PROJECT: [&str; 6] = ["extends", "tags", "timeout", "cache", "services", "release"];

/// A file of `ci-tasks/`.
#[derive(Debug, Clone)]
pub struct Template {
    inputs: Map<String, Value>,
    jobs: Map<String, Value>,
}

/// The jobs of a template with its inputs filled in.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Jobs by name, in the file's order.
    pub jobs: Vec<(String, Map<String, Value>)>,
}

impl Template {
    /// Reads a file: a header with `spec: inputs:`, then the jobs.
    ///
    /// # Errors
    ///
    /// Says what GitLab, or this runner, would not understand.
    pub fn read(text: &str) -> Result<Self, String> {
        let (documents, findings) = yaml::documents("the file", text, yaml::Limits::default());
        if let Some(finding) = findings.first() {
            return Err(format!("{}: {}", finding.place, finding.message));
        }
        let mut values = documents.iter().map(to_json);
        let (Some(Value::Object(header)), Some(Value::Object(jobs)), None) = (values.next(), values.next(), values.next()) else {
            return Err("a header and a body are expected".to_owned());
        };
        only("the header", &header, &["spec"])?;
        let spec = header.get("spec").and_then(Value::as_object).ok_or("spec is no mapping")?;
        only("spec", spec, &["inputs"])?;
        let inputs = spec.get("inputs").and_then(Value::as_object).ok_or("spec.inputs is no mapping")?.clone();
        for (name, input) in &inputs {
            let input = input.as_object().ok_or(format!("the input {name} is no mapping"))?;
            only(name, input, &["type", "description", "default", "options", "regex"])?;
            for needed in ["type", "description"] {
                input.get(needed).and_then(Value::as_str).ok_or(format!("the input {name} has no {needed}"))?;
            }
            if let Some(default) = input.get("default") {
                check(name, input, default)?;
            }
        }
        Ok(Self { inputs, jobs })
    }

    /// The names of the inputs that have no default.
    pub fn required(&self) -> Vec<&str> {
        self.inputs.iter().filter(|(_, input)| input.get("default").is_none()).map(|(name, _)| name.as_str()).collect()
    }

    /// Fills the inputs in.
    ///
    /// # Errors
    ///
    /// Names an input that is missing, unknown or does not fit, and a job that cannot be understood.
    pub fn render(&self, given: &[(&str, Value)]) -> Result<Pipeline, String> {
        let mut values = BTreeMap::new();
        for (name, value) in given {
            let input = self.inputs.get(*name).and_then(Value::as_object).ok_or(format!("there is no input {name}"))?;
            check(name, input, value)?;
            values.insert((*name).to_owned(), value.clone());
        }
        for (name, input) in &self.inputs {
            if !values.contains_key(name) {
                let default = input.get("default").ok_or(format!("the input {name} is missing"))?;
                values.insert(name.clone(), default.clone());
            }
        }
        let mut jobs = Vec::new();
        for (name, body) in &self.jobs {
            let Value::String(name) = fill(&Value::String(name.clone()), &values)? else {
                return Err(format!("{name} is no text"));
            };
            let Value::Object(body) = fill(body, &values)? else { return Err(format!("{name} is no job")) };
            understood(&name, &body, &JOB)?;
            jobs.push((name, body));
        }
        Pipeline { jobs }.checked()
    }
}

impl Pipeline {
    /// Reads a project's own file: its stages, variables of all jobs, the jobs, and hidden ones that others extend.
    ///
    /// # Errors
    ///
    /// Says what GitLab, or this runner, would not understand.
    pub fn project(text: &str) -> Result<Self, String> {
        let (documents, findings) = yaml::documents("the file", text, yaml::Limits::default());
        if let Some(finding) = findings.first() {
            return Err(format!("{}: {}", finding.place, finding.message));
        }
        let mut values = documents.iter().map(to_json);
        let (Some(Value::Object(body)), None) = (values.next(), values.next()) else {
            return Err("one document is expected".to_owned());
        };
        let stages = texts(body.get("stages"));
        let of_all = body.get("variables");
        let mut jobs = Vec::new();
        for (name, job) in
            body.iter().filter(|(name, _)| !name.starts_with('.') && !["stages", "variables"].contains(&name.as_str()))
        {
            let job = job.as_object().ok_or(format!("{name} is no job"))?;
            let mut whole = Map::new();
            if let Some(variables) = of_all {
                whole.insert("variables".to_owned(), variables.clone());
            }
            for base in texts(job.get("extends")) {
                merge(
                    &mut whole,
                    body.get(&base).and_then(Value::as_object).ok_or(format!("{name} extends {base}, which is not there"))?,
                );
            }
            merge(&mut whole, job);
            understood(name, &whole, &[&JOB[..], &PROJECT].concat())?;
            if !texts(whole.get("stage")).iter().all(|stage| stages.contains(stage)) {
                return Err(format!("{name}: its stage is not among {stages:?}"));
            }
            jobs.push((name.clone(), whole));
        }
        Self { jobs }.checked()
    }

    /// Whatever a job needs is a job.
    fn checked(self) -> Result<Self, String> {
        for (name, body) in &self.jobs {
            for need in texts(body.get("needs")) {
                self.job(&need).ok_or(format!("{name} needs {need}, which is no job"))?;
            }
        }
        Ok(self)
    }

    /// A job by its name.
    pub fn job(&self, name: &str) -> Option<&Map<String, Value>> {
        self.jobs.iter().find(|(job, _)| job == name).map(|(_, body)| body)
    }

    /// The jobs that a pipeline with these variables has; a manual one counts.
    ///
    /// # Errors
    ///
    /// When a rule is not understood.
    pub fn selected(&self, variables: &BTreeMap<String, String>) -> Result<Vec<&str>, String> {
        let mut found = Vec::new();
        for (name, body) in &self.jobs {
            if is_selected(body, variables)? {
                found.push(name.as_str());
            }
        }
        Ok(found)
    }
}

/// The first rule that holds decides; without rules a job is in every pipeline but those of merge requests.
fn is_selected(job: &Map<String, Value>, variables: &BTreeMap<String, String>) -> Result<bool, String> {
    let Some(rules) = job.get("rules").and_then(Value::as_array) else {
        return Ok(variables.get("CI_PIPELINE_SOURCE").is_none_or(|source| source != "merge_request_event"));
    };
    for rule in rules {
        let condition = rule.get("if").and_then(Value::as_str);
        if condition.map_or(Ok(true), |condition| holds(condition, variables))? {
            return Ok(rule.get("when").and_then(Value::as_str) != Some("never"));
        }
    }
    Ok(false)
}

fn only(what: &str, map: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(format!("{what}: the keyword {key} is not understood")),
    }
}

/// Whether a value fits an input.
fn check(name: &str, input: &Map<String, Value>, value: &Value) -> Result<(), String> {
    let kind = input.get("type").and_then(Value::as_str).unwrap_or_default();
    let fits = match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        _ => return Err(format!("the input {name} has the unknown type {kind}")),
    };
    if !fits {
        return Err(format!("the input {name} is {value}, no {kind}"));
    }
    if let Some(Value::Array(options)) = input.get("options")
        && !options.contains(value)
    {
        return Err(format!("the input {name} is none of {options:?}"));
    }
    if let (Some(pattern), Some(text)) = (input.get("regex").and_then(Value::as_str), value.as_str())
        && !matches(pattern, text)?
    {
        return Err(format!("the input {name} does not match {pattern}: {text}"));
    }
    Ok(())
}

/// A node with its inputs: one that is nothing but an input takes its type, others get its text.
fn fill(node: &Value, inputs: &BTreeMap<String, Value>) -> Result<Value, String> {
    match node {
        Value::String(text) => fill_text(text, inputs),
        Value::Array(items) => items.iter().map(|item| fill(item, inputs)).collect::<Result<_, _>>().map(Value::Array),
        Value::Object(map) => {
            map.iter().map(|(key, value)| Ok((key.clone(), fill(value, inputs)?))).collect::<Result<_, _>>().map(Value::Object)
        }
        other => Ok(other.clone()),
    }
}

fn fill_text(text: &str, inputs: &BTreeMap<String, Value>) -> Result<Value, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$[[") {
        let (inside, after) = after.split_once("]]").ok_or(format!("$[[ without ]] in {text}"))?;
        let name = inside.trim().strip_prefix("inputs.").ok_or(format!("{inside} is no input"))?;
        let value = inputs.get(name).ok_or(format!("there is no input {name}"))?;
        if before.is_empty() && after.is_empty() && rest.len() == text.len() {
            return Ok(value.clone());
        }
        out.push_str(before);
        match value {
            Value::String(value) => out.push_str(value),
            Value::Array(_) | Value::Object(_) => return Err(format!("the input {name} cannot be a part of a text")),
            other => out.push_str(&other.to_string()),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(Value::String(out))
}

/// Lays a job over another: mappings are merged, all else is replaced.
fn merge(base: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above),
            _ => drop(base.insert(key.clone(), value.clone())),
        }
    }
}

fn understood(name: &str, job: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    only(name, job, known)?;
    if texts(job.get("script")).is_empty() {
        return Err(format!("{name} has no script"));
    }
    for rule in job.get("rules").and_then(Value::as_array).into_iter().flatten() {
        only(name, rule.as_object().ok_or(format!("{name}: a rule is no mapping"))?, &["if", "when", "allow_failure"])?;
    }
    if let Some(Value::Object(artifacts)) = job.get("artifacts") {
        only(name, artifacts, &["when", "expire_in", "paths", "reports"])?;
        if let Some(Value::Object(reports)) = artifacts.get("reports") {
            only(name, reports, &["junit", "codequality", "dotenv"])?;
        }
    }
    if let Some(Value::Object(parallel)) = job.get("parallel") {
        only(name, parallel, &["matrix"])?;
    }
    if let Some(Value::Object(allowed)) = job.get("allow_failure") {
        only(name, allowed, &["exit_codes"])?;
    }
    if let Some(timeout) = job.get("timeout") {
        timeout.as_str().and_then(seconds).ok_or(format!("{name}: {timeout} is no timeout"))?;
    }
    if job.get("interruptible").is_some_and(|it| !it.is_boolean()) {
        return Err(format!("{name}: interruptible is true or false"));
    }
    if let Some(retry) = job.get("retry") {
        let retry = retry.as_object().ok_or(format!("{name}: retry is no mapping"))?;
        only(name, retry, &["max", "when"])?;
        if retry.get("max").and_then(Value::as_u64).is_none_or(|max| max > 2) {
            return Err(format!("{name}: a job is tried again at most twice"));
        }
        if let Some(when) = texts(retry.get("when")).iter().find(|when| !RETRY.contains(&when.as_str())) {
            return Err(format!("{name}: retry for {when} is not understood"));
        }
    }
    job.get("environment").map_or(Ok(()), |environment| known_environment(name, environment))
}

fn known_environment(name: &str, environment: &Value) -> Result<(), String> {
    let environment = environment.as_object().ok_or(format!("{name}: environment is no mapping"))?;
    only(name, environment, &["name", "deployment_tier"])?;
    let fits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || " -_/${}.".contains(c));
    if !environment.get("name").and_then(Value::as_str).is_some_and(fits) {
        return Err(format!("{name}: the environment's name is none"));
    }
    match environment.get("deployment_tier").map(|tier| tier.as_str().unwrap_or_default()) {
        Some(tier) if !TIERS.contains(&tier) => Err(format!("{name}: there is no tier {tier}")),
        _ => Ok(()),
    }
}

/// `2h`, `15m`, `1h 30m`, `90 minutes` in seconds.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let mut total = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit = match unit {
            "h" | "hour" | "hours" => 3600,
            "m" | "minute" | "minutes" => 60,
            "s" | "second" | "seconds" => 1,
            _ => return None,
        };
        total += number.parse::<u64>().ok()? * unit;
        rest = after.trim_start();
    }
    (total > 0).then_some(total)
}

/// A text, or a list of texts.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Whether a pattern fits. GitLab's RE2 and grep agree on what our patterns use.
fn matches(pattern: &str, text: &str) -> Result<bool, String> {
    let mut grep = Command::new("grep");
    grep.args(["-Eqz", "-e", pattern]).stdin(std::process::Stdio::piped());
    let run = crate::command::run(grep, format!("{text}\0").as_bytes(), std::time::Duration::from_secs(20))
        .map_err(|error| error.to_string())?;
    match run.code {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(format!("the pattern {pattern} is not understood: {}", run.stderr)),
    }
}

/// `$A == "x"`, `$A == $B`, `$A != …`, `$A =~ /…/`, `$A`, with `&&` between.
fn holds(rule: &str, variables: &BTreeMap<String, String>) -> Result<bool, String> {
    let value = |word: &str| -> Result<Option<String>, String> {
        let word = word.trim();
        if let Some(name) = word.strip_prefix('$') {
            return Ok(variables.get(name).filter(|value| !value.is_empty()).cloned());
        }
        let quoted = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
        quoted.map(|text| Some(text.to_owned())).ok_or(format!("the rule is not understood: {rule}"))
    };
    for part in rule.split("&&") {
        let yes = if let Some((a, pattern)) = part.split_once("=~") {
            let inner = pattern.trim().strip_prefix('/').and_then(|pattern| pattern.strip_suffix('/'));
            let inner = inner.ok_or(format!("the rule is not understood: {rule}"))?;
            value(a)?.map_or(Ok(false), |text| matches(inner, &text))?
        } else if let Some((a, b)) = part.split_once("==") {
            value(a)? == value(b)?
        } else if let Some((a, b)) = part.split_once("!=") {
            value(a)? != value(b)?
        } else {
            value(part)?.is_some()
        };
        if !yes {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::{Pipeline, Template};
    use serde_json::json;
    use std::collections::BTreeMap;

    const HEAD: &str = "spec:\n  inputs:\n    id: {type: string, description: x, regex: '^[a-z]+$'}\n    list: {type: array, description: x, default: [a, b]}\n    n: {type: number, description: x, default: 1}\n---\n";

    fn rendered(jobs: &str) -> Result<Pipeline, String> {
        Template::read(&format!("{HEAD}{jobs}"))?.render(&[("id", json!("web"))])
    }

    #[test]
    fn inputs_are_filled_in_by_their_type() {
        let pipeline = rendered(
            "\"Run $[[ inputs.id ]]\":\n  script: [\"echo $[[ inputs.n ]]\"]\n  parallel: {matrix: [{X: '$[[ inputs.list ]]'}]}\n",
        )
        .unwrap();
        let job = pipeline.job("Run web").unwrap();
        assert_eq!(job["script"], json!(["echo 1"]));
        assert_eq!(job["parallel"]["matrix"][0]["X"], json!(["a", "b"]));
    }

    #[test]
    fn what_is_not_understood_fails() {
        for (jobs, words) in [
            ("a: {script: [x], coverage: 2}\n", "keyword coverage"),
            ("a: {script: [x], retry: {max: 3}}\n", "at most twice"),
            ("a: {script: [x], retry: {max: 1, when: [bad_luck]}}\n", "bad_luck is not understood"),
            ("a: {script: [x], timeout: soon}\n", "is no timeout"),
            ("a: {script: [x], interruptible: maybe}\n", "true or false"),
            ("a: {script: [x], environment: {name: 'a:b'}}\n", "name is none"),
            ("a: {script: [x], environment: {name: a, deployment_tier: prod}}\n", "no tier prod"),
            ("a: {script: [x], environment: {name: a, kubernetes: {}}}\n", "keyword kubernetes"),
            ("a: {script: [x], artifacts: {reports: {junitt: x}}}\n", "keyword junitt"),
            ("a: {stage: x}\n", "no script"),
            ("a: {script: [x], needs: [b]}\n", "needs b"),
            ("a: {script: [\"$[[ inputs.nope ]]\"]}\n", "no input nope"),
            ("a: {script: [\"x $[[ inputs.list ]]\"]}\n", "cannot be a part"),
            ("a: {script: [x], script: [y]}\n", "stands twice"),
        ] {
            let error = rendered(jobs).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
        let template = Template::read(&format!("{HEAD}a: {{script: [x]}}\n")).unwrap();
        assert_eq!(template.required(), ["id"]);
        for (given, words) in [(json!("a b; rm"), "does not match"), (json!("a\nb"), "does not match"), (json!(1), "no string")] {
            assert!(template.render(&[("id", given)]).unwrap_err().contains(words));
        }
        assert!(template.render(&[]).unwrap_err().contains("id is missing"));
    }

    #[test]
    fn rules_choose_jobs() {
        let pipeline = rendered("a: {script: [x], rules: [{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"'}]}\nb: {script: [x], rules: [{if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}]}\n").unwrap();
        let of = |pairs: &[(&str, &str)]| {
            let variables: BTreeMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            pipeline.selected(&variables).unwrap().join(" ")
        };
        assert_eq!(of(&[("CI_PIPELINE_SOURCE", "merge_request_event"), ("CI_DEFAULT_BRANCH", "main")]), "a");
        assert_eq!(of(&[("CI_COMMIT_BRANCH", "main"), ("CI_DEFAULT_BRANCH", "main"), ("CI_PIPELINE_SOURCE", "push")]), "b");
        assert_eq!(of(&[("CI_COMMIT_BRANCH", "topic"), ("CI_DEFAULT_BRANCH", "main"), ("CI_PIPELINE_SOURCE", "push")]), "");
        let jobs = "a: {script: [x], rules: [{if: '$A == \"1\"', when: never}, {if: $A}]}\nb: {script: [x]}\nc: {script: [x], rules: [{when: manual}]}\n";
        let pipeline = rendered(jobs).unwrap();
        let of = |pairs: &[(&str, &str)]| {
            let variables: BTreeMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            pipeline.selected(&variables).unwrap().join(" ")
        };
        assert_eq!(of(&[("A", "1")]), "b c", "never is never");
        assert_eq!(of(&[("A", "2")]), "a b c");
        assert_eq!(of(&[("CI_PIPELINE_SOURCE", "merge_request_event")]), "c", "without rules it is no job of a merge request");
    }

    #[test]
    fn times_are_read() {
        for (text, seconds) in [("15m", 900), ("2h", 7200), ("1h 30m", 5400), ("1h30m", 5400), ("90 minutes", 5400), ("5 s", 5)] {
            assert_eq!(super::seconds(text), Some(seconds), "{text}");
        }
        for text in ["", "0m", "m", "5", "5 weeks", "-1m"] {
            assert_eq!(super::seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_projects_own_file_is_read() {
        let head = "stages: [a, b]\nvariables: {V: one}\n.base: {stage: a, script: [x], variables: {W: two}}\n";
        let text = format!(
            "{head}first: {{extends: .base, variables: {{V: own}}}}\nsecond: {{stage: b, script: [z], needs: [first], rules: [{{if: '$T =~ /^v[0-9]+$/'}}]}}\n"
        );
        let pipeline = Pipeline::project(&text).unwrap();
        let first = pipeline.job("first").unwrap();
        assert_eq!((&first["script"], &first["variables"]), (&json!(["x"]), &json!({"V": "own", "W": "two"})));
        assert_eq!(pipeline.job("second").unwrap()["variables"], json!({"V": "one"}));
        assert!(pipeline.job(".base").is_none());
        let of = |tag: &str| pipeline.selected(&BTreeMap::from([("T".to_owned(), tag.to_owned())])).unwrap().join(" ");
        assert_eq!((of("v12"), of("v12x"), of("")), ("first second".to_owned(), "first".to_owned(), "first".to_owned()));
        for (more, words) in [
            ("x: {stage: c, script: [z]}", "its stage is not among"),
            ("x: {stage: a, script: [z], pages: true}", "keyword pages"),
            ("x: {extends: .nope}", "extends .nope"),
            ("x: {stage: a, script: [z], needs: [nope]}", "needs nope"),
        ] {
            let error = Pipeline::project(&format!("{head}{more}\n")).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
