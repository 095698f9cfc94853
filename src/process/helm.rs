//! `helm template`: a chart to manifests.

use super::{Failure, Program, find, run};
use runway_core::problem::{Place, Problem};
use std::path::PathBuf;
use std::time::Duration;

/// The most that a chart may print.
const MAX: usize = 64 << 20;

/// What to render.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chart {
    /// An absolute folder or file, or a reference that helm itself understands.
    pub(crate) reference: String,
    /// The same as the user wrote it.
    pub(crate) given: String,
    /// The version of a reference.
    pub(crate) version: Option<String>,
    /// helm gets the charts that this one depends on, into its own folder, as `helm dependency update` does.
    pub(crate) dependency_update: bool,
    /// The release's name.
    pub(crate) release: String,
    /// The release's namespace.
    pub(crate) namespace: String,
    /// Files of values, absolute.
    pub(crate) values: Vec<PathBuf>,
    /// `key=value`.
    pub(crate) set: Vec<String>,
    /// `key=value`, always a text.
    pub(crate) set_string: Vec<String>,
}

impl Chart {
    fn arguments(&self) -> Vec<String> {
        // Tests are hooks, which Flux would run as ordinary Pods; definitions have to come from somewhere.
        let mut all: Vec<String> = ["template", "--skip-tests", "--include-crds"].map(str::to_owned).into();
        all.push(format!("--namespace={}", self.namespace));
        all.extend(self.dependency_update.then(|| "--dependency-update".to_owned()));
        all.extend(self.version.iter().map(|version| format!("--version={version}")));
        all.extend(self.values.iter().map(|file| format!("--values={}", file.display())));
        all.extend(self.set.iter().map(|text| format!("--set={text}")));
        all.extend(self.set_string.iter().map(|text| format!("--set-string={text}")));
        // A chart's name is never taken for a flag.
        all.extend(["--".to_owned(), self.release.clone(), self.reference.clone()]);
        all
    }
}

/// Renders a chart. helm runs in an empty folder of its own, which goes away with everything that was written there; only
/// what it prints is taken.
///
/// Beside what it printed: what it complained about all the same.
pub(crate) async fn template(chart: &Chart, path: Option<&str>, limit: Duration) -> Result<(String, String), Problem> {
    let fault = |cause: String| Problem::input("the chart cannot be rendered").cause(cause).at(Place::file(chart.given.clone()));
    let Some(helm) = find("helm", path) else {
        return Err(fault("there is no program helm on PATH".to_owned())
            .hint("install Helm (https://helm.sh), or render the chart elsewhere and pass it on: -f -"));
    };
    let folder = tempfile::tempdir().map_err(|error| fault(format!("there is no folder to run helm in: {error}")))?;
    let arguments = chart.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let program = Program { path: &helm, arguments: &arguments, folder: Some(folder.path()), stdin: b"", limit, max_stdout: MAX };
    let output = run(program).await.map_err(|failure| match failure {
        Failure::TimedOut(limit) => fault(format!("helm was not done after {} s, and was ended", limit.as_secs_f32().ceil()))
            .hint("give it more time: --timeout 5m"),
        Failure::TooMuch(most) => fault(format!("helm printed more than {} MiB, and was ended", most >> 20)),
        Failure::Start(why) => fault(format!("helm cannot be started: {why}")),
    })?;
    if !output.success {
        let code = output.code.map_or_else(|| "by a signal".to_owned(), |code| format!("with exit code {code}"));
        let said = if output.stderr.is_empty() { "it said nothing".to_owned() } else { output.stderr };
        let mut lines = said.lines();
        let mut problem = fault(format!("helm ended {code}: {}", lines.next().unwrap_or_default()));
        for line in lines {
            problem = problem.cause(line);
        }
        if said.contains("helm dependency build") {
            problem = problem.hint("let helm get them: --dependency-update");
        }
        return Err(problem);
    }
    let text = String::from_utf8(output.stdout).map_err(|_| fault("what helm printed is no UTF-8 text".to_owned()))?;
    Ok((text, output.stderr))
}

#[cfg(test)]
mod tests {
    use super::Chart;

    #[test]
    fn nothing_that_is_given_becomes_a_flag() {
        let chart = Chart {
            reference: "--post-renderer=/bin/sh".to_owned(),
            release: "web".to_owned(),
            namespace: "web".to_owned(),
            set: vec!["--kubeconfig=x".to_owned()],
            ..Chart::default()
        };
        let arguments = chart.arguments();
        let end = arguments.iter().position(|argument| argument == "--").unwrap();
        assert_eq!(arguments[end + 1..], ["web", "--post-renderer=/bin/sh"]);
        assert!(arguments.contains(&"--set=--kubeconfig=x".to_owned()));
    }
}
