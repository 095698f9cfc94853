//! Which clusters are asked: the current context, contexts by name or pattern, all of them, or the settings' clusters.

use crate::cluster::Configured;
use runway_core::problem::Problem;
use runway_core::settings::labels::Selector;
use runway_core::settings::{Cluster, Settings};
use runway_core::suggest;
use runway_core::text::matches;
use std::collections::BTreeMap;

/// A cluster to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name in reports; without one the connection knows it.
    pub(crate) name: Option<String>,
    /// The kubeconfig context; none: the current one.
    pub(crate) context: Option<String>,
    /// Its runtime, when the settings say it.
    pub(crate) runtime: Option<String>,
    /// Its environment, when the settings say it.
    pub(crate) environment: Option<String>,
    /// Its region, when the settings say it.
    pub(crate) region: Option<String>,
    /// Its labels, when the settings have some.
    pub(crate) labels: BTreeMap<String, String>,
}

/// What the command line says about clusters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    /// `--context`, as often as given; names or patterns.
    pub(crate) contexts: Vec<String>,
    /// `--exclude-context`.
    pub(crate) exclude: Vec<String>,
    /// `--all-contexts`.
    pub(crate) all_contexts: bool,
    /// `--all-clusters`.
    pub(crate) all_clusters: bool,
    /// `--region`; names or patterns.
    pub(crate) regions: Vec<String>,
    /// `--label`.
    pub(crate) labels: Selector,
    /// `--runtime`, when typed: clusters that the settings know to be of another one are left out.
    pub(crate) runtime: Option<String>,
    /// `-e`, likewise.
    pub(crate) environment: Option<String>,
}

/// The clusters to ask, each once, in the order of what names them.
pub(crate) fn targets(choice: &Choice, settings: &Settings, configured: &Configured<'_>) -> Result<Vec<Target>, Problem> {
    let named = chosen(choice, settings, configured)?;
    let left: Vec<Target> = named.into_iter().filter(|target| !is_excluded(choice, target)).collect();
    if left.is_empty() {
        let problem = Problem::usage("no cluster is left to ask");
        return Err(match choice.regions.as_slice() {
            [] if choice.labels.is_empty() => problem.cause("every one is excluded"),
            [] => problem
                .cause("none of them has the labels that --label asks for")
                .hint("a cluster's labels are said in the settings' list 'clusters'"),
            regions => problem
                .cause(format!("none of them is known to be in {}", regions.join(", ")))
                .hint("a cluster's region is said in the settings' list 'clusters'"),
        });
    }
    Ok(left)
}

fn chosen(choice: &Choice, settings: &Settings, configured: &Configured<'_>) -> Result<Vec<Target>, Problem> {
    if choice.all_clusters {
        if settings.clusters.is_empty() {
            return Err(Problem::usage("the settings name no clusters")
                .cause("their list 'clusters' is empty; where settings are looked for: kubectl runway help settings")
                .hint("add the clusters, each with its context, to kubectl-runway.yaml; or take --all-contexts"));
        }
        return Ok(settings.clusters.iter().map(|cluster| target(&cluster.name, Some(cluster), &cluster.context)).collect());
    }
    if choice.contexts.is_empty() && !choice.all_contexts {
        if !choice.exclude.is_empty() {
            return Err(Problem::usage("--exclude-context excludes from several contexts")
                .hint("give --all-contexts, --all-clusters, or --context with a pattern"));
        }
        let current = configured.contexts().ok().and_then(|contexts| contexts.current);
        let known = current.as_deref().and_then(|name| of_context(settings, name));
        // The connection says the name: without a context it is the server's URL.
        return Ok(vec![Target { name: None, context: None, ..target("", known, "") }]);
    }
    let all = configured.contexts()?.all;
    let mut names: Vec<&str> = Vec::new();
    if choice.all_contexts {
        names.extend(all.iter().map(String::as_str));
    }
    for pattern in &choice.contexts {
        let found = matching(pattern, &all);
        if found.is_empty() {
            return Err(nothing(pattern, &all, configured));
        }
        names.extend(found);
    }
    let mut targets: Vec<Target> = Vec::new();
    for name in names {
        if !targets.iter().any(|target| target.context.as_deref() == Some(name)) {
            targets.push(target(name, of_context(settings, name), name));
        }
    }
    Ok(targets)
}

/// A context of exactly that name; else those that the pattern matches.
fn matching<'a>(pattern: &str, all: &'a [String]) -> Vec<&'a str> {
    if let Some(exact) = all.iter().find(|name| *name == pattern) {
        return vec![exact];
    }
    if is_pattern(pattern) { all.iter().map(String::as_str).filter(|name| matches(pattern, name)).collect() } else { Vec::new() }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn nothing(pattern: &str, all: &[String], configured: &Configured<'_>) -> Problem {
    if !is_pattern(pattern) {
        return configured.no_context(pattern);
    }
    let problem = Problem::usage(format!("no context matches {pattern:?}"));
    match suggest::nearest(pattern, all.iter().map(String::as_str)) {
        Some(near) => problem.hint(format!("did you mean {near:?}?")),
        None => problem.hint(format!("contexts: {}", all.iter().take(20).cloned().collect::<Vec<_>>().join(", "))),
    }
}

fn of_context<'a>(settings: &'a Settings, context: &str) -> Option<&'a Cluster> {
    settings.clusters.iter().find(|cluster| cluster.context == context)
}

fn target(name: &str, known: Option<&Cluster>, context: &str) -> Target {
    Target {
        name: Some(name.to_owned()),
        context: Some(context.to_owned()),
        runtime: known.and_then(|cluster| cluster.runtime.clone()),
        environment: known.and_then(|cluster| cluster.environment.clone()),
        region: known.and_then(|cluster| cluster.region.clone()),
        labels: known.map(|cluster| cluster.labels.clone()).unwrap_or_default(),
    }
}

/// Left out: by name, by another region, by its labels, and by another runtime or environment than was typed.
fn is_excluded(choice: &Choice, target: &Target) -> bool {
    let names = [target.name.as_deref(), target.context.as_deref()];
    let by_name = names.into_iter().flatten().any(|name| choice.exclude.iter().any(|pattern| matches(pattern, name)));
    let region = target.region.as_deref();
    let elsewhere =
        !choice.regions.is_empty() && !region.is_some_and(|name| choice.regions.iter().any(|pattern| matches(pattern, name)));
    let other = |typed: &Option<String>, known: &Option<String>| typed.is_some() && known.is_some() && typed != known;
    let unlabelled = !choice.labels.holds(&target.labels);
    by_name
        || elsewhere
        || unlabelled
        || other(&choice.runtime, &target.runtime)
        || other(&choice.environment, &target.environment)
}

#[cfg(test)]
mod tests {
    use super::{Choice, is_excluded, matching, target};
    use runway_core::settings::Cluster;
    use runway_core::settings::labels::Selector;

    #[test]
    fn names_win_over_patterns() {
        let all = ["prod-1", "prod-2", "prod-*", "dev"].map(str::to_owned);
        assert_eq!(matching("prod-*", &all), ["prod-*"]);
        assert_eq!(matching("prod-?", &all), ["prod-1", "prod-2", "prod-*"]);
        assert!(matching("pro", &all).is_empty() && matching("x*", &all).is_empty());
    }

    #[test]
    fn what_is_left_out() {
        let known = Cluster {
            name: "eu".to_owned(),
            context: "prod-eu".to_owned(),
            runtime: Some("gke".to_owned()),
            environment: None,
            region: Some("europe-west1".to_owned()),
            labels: [("tier".to_owned(), "canary".to_owned())].into(),
        };
        let eu = target("eu", Some(&known), "prod-eu");
        let with = |change: &dyn Fn(&mut Choice)| {
            let mut choice = Choice::default();
            change(&mut choice);
            is_excluded(&choice, &eu)
        };
        assert!(!with(&|_| {}));
        assert!(with(&|choice| choice.exclude = vec!["prod-*".to_owned()]), "by its context");
        assert!(with(&|choice| choice.exclude = vec!["eu".to_owned()]), "by its name");
        assert!(with(&|choice| choice.regions = vec!["us-*".to_owned()]));
        assert!(!with(&|choice| choice.regions = vec!["us-*".to_owned(), "europe-*".to_owned()]));
        let labels = |text: &str| Selector::parse(&[text.to_owned()]).unwrap();
        assert!(with(&|choice| choice.labels = labels("tier=stable")));
        assert!(!with(&|choice| choice.labels = labels("tier=canary,tier!=stable")));
        assert!(with(&|choice| choice.runtime = Some("eks".to_owned())));
        assert!(!with(&|choice| choice.runtime = Some("gke".to_owned())));
        assert!(!with(&|choice| choice.environment = Some("production".to_owned())), "what is not known does not exclude");
    }
}
