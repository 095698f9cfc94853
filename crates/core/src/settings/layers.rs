//! Layers of settings, and how they are laid over each other.

use super::keys::{KEYS, Key, Shape};
use super::{Cluster, Settings};
use crate::finding::{Finding, Severity};
use crate::flux::{duration, names};
use crate::problem::{Place, Problem};
use crate::suggest;
use crate::yaml::{self, Kind, Node};
use std::collections::BTreeMap;
use std::fmt;

/// A value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One word or text; booleans and numbers too.
    Text(String),
    /// Several.
    List(Vec<String>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(list) => f.write_str(&list.join(",")),
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A line of a file.
    File(Place),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => write!(f, "{place}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// What one file, the environment or the command line says.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    values: BTreeMap<&'static str, (Value, Origin)>,
    clusters: Option<(Vec<Cluster>, Origin)>,
}

impl Layer {
    /// A layer of a single value from a flag.
    pub fn set_flag(&mut self, path: &'static str, flag: &'static str, text: &str) -> Result<(), Problem> {
        let Some(key) = KEYS.iter().find(|key| key.path == path) else { return Ok(()) };
        if text.is_empty() {
            return Err(Problem::usage(format!("{flag} is empty"))
                .cause(format!("it sets {path}: {}", key.doc))
                .hint("leave it out, or name one; a variable in it may not be set"));
        }
        let value = Value::Text(text.to_owned());
        if let Some(cause) = fault(key, &value) {
            return Err(Problem::usage(format!("{flag} '{text}' cannot be used")).cause(cause));
        }
        self.values.insert(key.path, (value, Origin::Flag(flag)));
        Ok(())
    }

    /// The layer of the environment; `get` answers a variable's value, also an empty one. Empty is a word only for keys that can
    /// be none: pipelines pass variables on that nobody has set.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let mut layer = Self::default();
        for key in KEYS {
            let name = key.variable();
            let Some(text) = get(&name).filter(|text| !text.is_empty() || key.has_none()) else { continue };
            let value = if is_list(key.shape) {
                Value::List(text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
            } else {
                Value::Text(text)
            };
            if let Some(cause) = fault(key, &value) {
                return Err(Problem::usage(format!("the variable {name} cannot be used"))
                    .cause(cause)
                    .hint(format!("it sets {}: {}", key.path, key.doc)));
            }
            layer.values.insert(key.path, (value, Origin::Variable(name)));
        }
        Ok(layer)
    }

    /// The layer of a file, with everything that is wrong in it.
    pub fn from_file(file: &str, source: &str) -> (Self, Vec<Finding>) {
        let limits = yaml::Limits { bytes: 1 << 20, nodes: 50_000, documents: 1, ..yaml::Limits::default() };
        let (documents, mut findings) = yaml::documents(file, source, limits);
        let mut layer = Self::default();
        if let Some(root) = documents.first() {
            layer.read(file, "", root, &mut findings);
        }
        (layer, findings)
    }

    fn read(&mut self, file: &str, prefix: &str, node: &Node, findings: &mut Vec<Finding>) {
        if !matches!(node.kind, Kind::Map(_)) {
            findings.push(finding(file, node, "settings-type", format!("expected a mapping, found {}", node.describe()), None));
            return;
        }
        for (name, value) in node.entries() {
            let path = format!("{prefix}{}", name.text().unwrap_or_default());
            if path == "clusters" {
                let origin = Origin::File(Place::at(file, value.line, value.column));
                self.clusters = Some((clusters(file, value, findings), origin));
            } else if let Some(key) = KEYS.iter().find(|key| key.path == path) {
                match scalar_or_list(key, value).and_then(|v| fault(key, &v).map_or(Ok(v), Err)) {
                    Ok(v) => {
                        let place = Place::at(file, value.line, value.column);
                        self.values.insert(key.path, (v, Origin::File(place)));
                    }
                    Err(cause) => {
                        let message = format!("the value of {path} cannot be used: {cause}");
                        findings.push(finding(file, value, "settings-value", message, Some(key.doc.to_owned())));
                    }
                }
            } else if KEYS.iter().any(|key| key.path.starts_with(&format!("{path}."))) {
                if !value.is_null() {
                    self.read(file, &format!("{path}."), value, findings);
                }
            } else {
                let known = KEYS.iter().map(|key| key.path).chain(["clusters"]);
                let hint = suggest::nearest(&path, known).map(|word| format!("did you mean {word}?"));
                findings.push(finding(file, name, "settings-key", format!("there is no setting {path}"), hint));
            }
        }
    }
}

fn finding(file: &str, node: &Node, code: &'static str, message: String, hint: Option<String>) -> Finding {
    let place = Place::at(file, node.line, node.column);
    Finding { code, severity: Severity::Error, place, span: node.span, workload: None, message, hint }
}

fn scalar_or_list(key: &Key, node: &Node) -> Result<Value, String> {
    match (&node.kind, key.shape) {
        (Kind::List(items), shape) if is_list(shape) => items
            .iter()
            .map(|item| item.text().map(str::to_owned).ok_or_else(|| format!("an item is {}", item.describe())))
            .collect::<Result<_, _>>()
            .map(Value::List),
        (Kind::Scalar { text, .. }, shape) if !is_list(shape) => {
            Ok(Value::Text(if node.is_null() { String::new() } else { text.clone() }))
        }
        (_, shape) if is_list(shape) => Err(format!("expected a list of names, found {}", node.describe())),
        _ => Err(format!("expected one value, found {}", node.describe())),
    }
}

fn clusters(file: &str, node: &Node, findings: &mut Vec<Finding>) -> Vec<Cluster> {
    let mut clusters = Vec::new();
    if node.items().is_empty() && !node.is_null() && !matches!(node.kind, Kind::List(_)) {
        findings.push(finding(file, node, "settings-type", format!("expected a list, found {}", node.describe()), None));
    }
    for item in node.items() {
        let text = |key: &str| item.get(key).and_then(Node::text).map(str::to_owned);
        for (key, _) in item.entries() {
            let known = ["name", "context", "runtime", "environment", "region", "labels"];
            let name = key.text().unwrap_or_default();
            if !known.contains(&name) {
                let hint = suggest::nearest(name, known).map(|word| format!("did you mean {word}?"));
                findings.push(finding(file, key, "settings-key", format!("a cluster has no key {name}"), hint));
            }
        }
        let Some(context) = text("context").or_else(|| text("name")) else {
            findings.push(finding(file, item, "settings-value", "a cluster needs a context".to_owned(), None));
            continue;
        };
        clusters.push(Cluster {
            name: text("name").unwrap_or_else(|| context.clone()),
            context,
            runtime: text("runtime"),
            environment: text("environment"),
            region: text("region"),
            labels: labels(file, item, findings),
        });
    }
    clusters
}

fn labels(file: &str, cluster: &Node, findings: &mut Vec<Finding>) -> BTreeMap<String, String> {
    let Some(node) = cluster.get("labels") else { return BTreeMap::new() };
    if !node.is_null() && !matches!(node.kind, Kind::Map(_)) {
        findings.push(finding(file, node, "settings-type", format!("expected a mapping, found {}", node.describe()), None));
    }
    let mut labels = BTreeMap::new();
    for (key, value) in node.entries() {
        match (key.text(), value.text()) {
            (Some(key), Some(text)) => drop(labels.insert(key.to_owned(), text.to_owned())),
            _ => {
                findings.push(finding(
                    file,
                    value,
                    "settings-type",
                    format!("a label is text, found {}", value.describe()),
                    None,
                ));
            }
        }
    }
    labels
}

fn is_list(shape: Shape) -> bool {
    matches!(shape, Shape::Names | Shape::Patterns | Shape::Hosts)
}

pub(super) fn default_value(key: &Key) -> Value {
    if is_list(key.shape) {
        Value::List(key.default.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect())
    } else {
        Value::Text(key.default.to_owned())
    }
}

/// Why a value does not fit its key.
pub(super) fn fault(key: &Key, value: &Value) -> Option<String> {
    let name = |text: &str| names::label_fault(text).map(|why| format!("'{text}' is no name: {why}"));
    match (key.shape, value) {
        (Shape::Names, Value::List(list)) if list.is_empty() => Some("the list is empty".to_owned()),
        (Shape::Names, Value::List(list)) => list.iter().find_map(|text| name(text)),
        (Shape::Patterns, Value::List(list)) => list.iter().find_map(|text| name(&text.replace("{workload}", "x"))),
        (Shape::Hosts, Value::List(list)) => list.iter().find(|text| !is_host(text)).map(|text| format!("'{text}' is no host")),
        (_, Value::List(_)) => Some("one value is expected, not a list".to_owned()),
        (Shape::Names | Shape::Patterns | Shape::Hosts, Value::Text(_)) => Some("a list is expected".to_owned()),
        (Shape::Text, Value::Text(text)) => text_fault(key, text),
        (Shape::Bool, Value::Text(text)) => {
            (!matches!(text.as_str(), "true" | "false")).then(|| format!("'{text}' is neither true nor false"))
        }
        (Shape::Auto, Value::Text(text)) => {
            (!matches!(text.as_str(), "auto" | "true" | "false")).then(|| format!("'{text}' is none of auto, true, false"))
        }
        (Shape::Number, Value::Text(text)) => text.parse::<u32>().is_err().then(|| format!("'{text}' is no whole number")),
        (Shape::Duration, Value::Text(text)) => {
            duration::parse(text, duration::Units::WithHours).err().map(|why| format!("'{text}' is no duration: {why}"))
        }
        (Shape::Name, Value::Text(text)) => {
            if text.is_empty() {
                (!key.has_none() && !key.default.is_empty()).then(|| "it is empty".to_owned())
            } else {
                name(text)
            }
        }
    }
}

/// `host` or `host:port`: no scheme, no path, no user, and nothing that stands for several.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'))
}

fn text_fault(key: &Key, text: &str) -> Option<String> {
    match key.path {
        "registry.base" | "artifacts.inventory" | "artifacts.deploy" if text.contains('@') => {
            Some("it has a user or a digest in it; write host[:port]/path, and log in with docker login".to_owned())
        }
        "registry.base" if text.contains("://") => Some(format!("'{text}' has a scheme; write host[:port]/path")),
        "registry.base" if text.is_empty() => Some("it is empty".to_owned()),
        "artifacts.inventory" if !text.contains("{runtime}") => Some("it must contain {runtime}".to_owned()),
        "artifacts.deploy" if !text.contains("{workload}") => Some("it must contain {workload}".to_owned()),
        "source.apiVersion" if !matches!(text, "v1" | "v1beta2") => Some(format!("'{text}' is neither v1 nor v1beta2")),
        _ => None,
    }
}

/// Lays layers over the defaults; the last one wins.
pub fn resolve(layers: impl IntoIterator<Item = Layer>) -> Settings {
    let mut values: BTreeMap<&'static str, (Value, Origin)> =
        KEYS.iter().map(|key| (key.path, (default_value(key), Origin::Default))).collect();
    let mut clusters = (Vec::new(), Origin::Default);
    for layer in layers {
        values.extend(layer.values);
        clusters = layer.clusters.unwrap_or(clusters);
    }
    // A trailing slash in the base would make an empty path component.
    if let Some((Value::Text(base), _)) = values.get_mut("registry.base") {
        *base = base.trim_end_matches('/').to_owned();
    }
    let (clusters, clusters_from) = clusters;
    Settings { values, clusters, clusters_from }
}

#[cfg(test)]
mod tests {
    use super::{Layer, Origin, resolve};

    #[test]
    fn later_layers_win_and_origins_are_kept() {
        let (file, findings) =
            Layer::from_file("kubectl-runway.yaml", "registry:\n  base: localhost:5000/x/\nnamespace: from-file\n");
        assert!(findings.is_empty(), "{findings:?}");
        let variables = Layer::from_variables(|name| (name == "RUNWAY_NAMESPACE").then(|| "from-env".to_owned())).unwrap();
        let settings = resolve([file, variables]);
        assert_eq!(settings.base(), "localhost:5000/x");
        assert_eq!(settings.origin("registry.base").to_string(), "kubectl-runway.yaml:2:9");
        assert_eq!(
            (settings.namespace(), settings.origin("namespace")),
            ("from-env", &Origin::Variable("RUNWAY_NAMESPACE".into()))
        );
        assert_eq!(settings.source_interval(), "5m0s");
        assert_eq!(settings.inventory_repository("gke").unwrap().to_string(), "localhost:5000/x/provisioner/gke-inventory");
    }

    #[test]
    fn faults_have_places_and_suggestions() {
        let (_, findings) = Layer::from_file("s", "namespce: x\nsource:\n  interval: 5\n  insecure: maybe\nruntimes: gke\n");
        let found: Vec<(String, &str)> = findings.iter().map(|f| (f.place.to_string(), f.code)).collect();
        assert_eq!(
            found,
            [
                ("s:1:1".to_owned(), "settings-key"),
                ("s:3:13".to_owned(), "settings-value"),
                ("s:4:13".to_owned(), "settings-value"),
                ("s:5:11".to_owned(), "settings-value"),
            ]
        );
        assert_eq!(findings[0].hint.as_deref(), Some("did you mean namespace?"));
        assert!(Layer::from_variables(|name| (name == "RUNWAY_SOURCE_INTERVAL").then(|| "5d".to_owned())).is_err());
    }

    #[test]
    fn files_of_a_settings_file_are_meant_from_its_folder() {
        let (layer, findings) =
            Layer::from_file("/repo/kubectl-runway.yaml", "registry: {caFile: pki/ca.pem, certFile: /etc/c}\n");
        assert!(findings.is_empty(), "{findings:?}");
        let set = |name: &str| (name == "RUNWAY_REGISTRY_KEY_FILE").then(|| "key.pem".to_owned());
        let settings = resolve([layer, Layer::from_variables(set).unwrap()]);
        let file = |path: &str| settings.registry_file(path).map(|file| file.display().to_string());
        assert_eq!(file("registry.caFile").as_deref(), Some("/repo/pki/ca.pem"));
        assert_eq!(file("registry.certFile").as_deref(), Some("/etc/c"));
        assert_eq!(file("registry.keyFile").as_deref(), Some("key.pem"));
        assert_eq!(resolve([]).registry_file("registry.caFile"), None);
    }

    #[test]
    fn namespaces_of_deploy_artifacts() {
        let (layer, findings) = Layer::from_file("s", "deploy: {namespaces: [\"{workload}\", \"{workload}-jobs\", shared]}\n");
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(resolve([layer]).deploy_namespaces("web"), ["web", "web-jobs", "shared"]);
        assert!(resolve([]).deploy_namespaces("web").is_empty());
        assert_eq!(Layer::from_file("s", "deploy: {namespaces: [A]}\n").1.len(), 1);
    }

    #[test]
    fn nothing_is_a_value_only_where_there_can_be_none() {
        let text = "namespace: \"\"\nenvironments: []\nruntimes: []\nruntime: \"\"\nsource: {secretRef: \"\"}\n";
        let (_, findings) = Layer::from_file("s", text);
        let places: Vec<String> = findings.iter().map(|f| f.place.to_string()).collect();
        assert_eq!(places, ["s:1:12", "s:2:15", "s:3:11"], "{findings:?}");
        for flag in ["runtime", "environment", "namespace"] {
            assert!(Layer::default().set_flag(flag, "--flag", "").is_err(), "{flag}");
        }
        let layer = Layer::from_variables(|_| Some(String::new())).unwrap();
        let settings = resolve([layer]);
        assert_eq!((settings.source_secret(), settings.parent_secret()), (None, None));
        assert_eq!(settings.origin("source.secretRef"), &Origin::Variable("RUNWAY_SOURCE_SECRET_REF".into()));
        assert_eq!((settings.namespace(), settings.environments().len()), ("runway-provisioner", 2));
        assert_eq!((settings.origin("namespace"), settings.origin("environments")), (&Origin::Default, &Origin::Default));
    }

    #[test]
    fn a_password_in_the_base_is_not_repeated() {
        for text in ["user:s3cret@h/x", "https://user:s3cret@h/x"] {
            let (_, findings) = Layer::from_file("s", &format!("registry: {{base: '{text}'}}\n"));
            assert!(findings.len() == 1 && !findings[0].message.contains("s3cret"), "{findings:?}");
            let problem = Layer::from_variables(|name| (name == "RUNWAY_REGISTRY_BASE").then(|| text.to_owned())).unwrap_err();
            assert!(!problem.to_string().contains("s3cret"), "{problem}");
        }
    }

    #[test]
    fn clusters_say_where_they_come_from() {
        let (layer, findings) = Layer::from_file("s", "clusters:\n- context: a\n");
        assert!(findings.is_empty(), "{findings:?}");
        let settings = resolve([layer, Layer::default()]);
        assert_eq!((settings.clusters.len(), settings.clusters_from.to_string()), (1, "s:2:3".to_owned()));
        assert_eq!(resolve([]).clusters_from, Origin::Default);
    }

    #[test]
    fn an_empty_secret_means_none() {
        let (layer, findings) = Layer::from_file("s", "source: {secretRef: \"\"}\n");
        assert!(findings.is_empty());
        assert_eq!(resolve([layer]).source_secret(), None);
    }
}
