//! The rules of the verdicts, one document for each rule and each exception: two workloads that are Ready, and one change.
//!
//! What live Flux said stands in `recorded.rs`; here is what no recording has.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::too_many_lines, clippy::semicolon_if_nothing_returned, reason = "tables of rules, a change each")]

use runway_core::artifact::Tree;
use runway_core::assess::{Expected, Item, Link, Published, State, assess_with};
use runway_core::flux::applied::AppliedId;
use runway_core::inventory::{self, Inventory};
use runway_core::observed::objects::{Found, Looked, Seen, WorkloadObjects};
use runway_core::observed::{Answer, Gap, Objects, Observed, Registry};
use serde_json::{Value, json};

const NAMESPACE: &str = "flux";
const PARENT: &str = "gke-inventory";

fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-11-24T09:00:00Z", "observedGeneration": 1})
}

/// A cluster, a registry and what is expected; everything is Ready until a rule changes it.
#[derive(Clone)]
struct World {
    sources: Vec<Value>,
    kustomizations: Vec<Value>,
    /// Documents of the published inventory; none: nothing is published.
    published: Option<Vec<Value>>,
    published_digest: Option<char>,
    published_unknown: bool,
    declared: Option<Vec<Value>>,
    tags: Vec<(&'static str, Answer)>,
    forbidden: (bool, bool),
    silent: bool,
    named: Vec<String>,
}

fn spec(name: &str) -> (Value, Value) {
    let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"interval": "5m0s", "url": format!("oci://r.example/{name}"), "ref": {"tag": "production"}}});
    let kustomization = json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"interval": "5m0s", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": name}}});
    (source, kustomization)
}

fn pair(name: &str, letter: char) -> (Value, Value) {
    let (mut source, mut kustomization) = spec(name);
    let revision = format!("production@{}", digest(letter));
    for object in [&mut source, &mut kustomization] {
        object["metadata"]["generation"] = json!(1);
        if name != PARENT {
            object["metadata"]["labels"] =
                json!({"kustomize.toolkit.fluxcd.io/name": PARENT, "kustomize.toolkit.fluxcd.io/namespace": NAMESPACE});
        }
    }
    source["status"] = json!({"observedGeneration": 1, "conditions": [condition("Ready", "True", "Succeeded", "stored")],
        "artifact": {"revision": revision, "lastUpdateTime": "2026-11-24T09:00:00Z"}});
    kustomization["status"] = json!({"observedGeneration": 1,
        "conditions": [condition("Ready", "True", "ReconciliationSucceeded", "applied")],
        "lastAppliedRevision": revision, "lastAttemptedRevision": revision});
    (source, kustomization)
}

fn world() -> World {
    let pairs = [pair(PARENT, '1'), pair("svc", 'b'), pair("other", 'c')];
    let (sources, kustomizations) = pairs.into_iter().unzip();
    World {
        sources,
        kustomizations,
        published: Some(["svc", "other"].into_iter().flat_map(|name| <[Value; 2]>::from(spec(name))).collect()),
        published_digest: Some('1'),
        published_unknown: false,
        declared: None,
        tags: vec![
            ("r.example/gke-inventory:production", Answer::Digest(digest('1'))),
            ("r.example/svc:production", Answer::Digest(digest('b'))),
            ("r.example/other:production", Answer::Digest(digest('c'))),
        ],
        forbidden: (false, false),
        silent: false,
        named: Vec::new(),
    }
}

impl World {
    fn source(&mut self, name: &str) -> &mut Value {
        self.sources.iter_mut().find(|object| object["metadata"]["name"] == name).unwrap()
    }

    fn kustomization(&mut self, name: &str) -> &mut Value {
        self.kustomizations.iter_mut().find(|object| object["metadata"]["name"] == name).unwrap()
    }

    fn ready(&mut self, name: &str, status: &str, reason: &str, message: &str) {
        self.kustomization(name)["status"]["conditions"] = json!([condition("Ready", status, reason, message)]);
    }

    fn source_ready(&mut self, name: &str, status: &str, reason: &str, message: &str) {
        self.source(name)["status"]["conditions"] = json!([condition("Ready", status, reason, message)]);
    }

    fn attempted(&mut self, name: &str, letter: char) {
        self.kustomization(name)["status"]["lastAttemptedRevision"] = json!(format!("production@{}", digest(letter)));
    }

    fn applied(&mut self, name: &str, letter: char) {
        self.kustomization(name)["status"]["lastAppliedRevision"] = json!(format!("production@{}", digest(letter)));
    }

    fn fetched(&mut self, name: &str, letter: char) {
        self.source(name)["status"]["artifact"]["revision"] = json!(format!("production@{}", digest(letter)));
    }

    fn remove(&mut self, name: &str) {
        self.sources.retain(|object| object["metadata"]["name"] != name);
        self.kustomizations.retain(|object| object["metadata"]["name"] != name);
    }

    fn owner(&mut self, name: &str, owner: Option<&str>) {
        let labels = owner
            .map(|owner| json!({"kustomize.toolkit.fluxcd.io/name": owner, "kustomize.toolkit.fluxcd.io/namespace": NAMESPACE}));
        self.source(name)["metadata"]["labels"] = labels.clone().unwrap_or(json!({}));
        self.kustomization(name)["metadata"]["labels"] = labels.unwrap_or(json!({}));
    }

    fn published_names(&mut self, names: &[&str]) {
        self.published = Some(names.iter().flat_map(|name| <[Value; 2]>::from(spec(name))).collect());
    }

    fn declared_names(&mut self, names: &[&str]) {
        self.declared = Some(names.iter().flat_map(|name| <[Value; 2]>::from(spec(name))).collect());
    }

    fn tag(&mut self, name: &'static str, answer: Answer) {
        let reference: &'static str = match name {
            "svc" => "r.example/svc:production",
            _ => "r.example/gke-inventory:production",
        };
        self.tags.retain(|(known, _)| *known != reference);
        self.tags.push((reference, answer));
    }

    fn judge(&self) -> Vec<Item> {
        self.judge_with(&Looked::default())
    }

    fn judge_with(&self, looked: &Looked) -> Vec<Item> {
        let published = match (&self.published, self.published_unknown) {
            (_, true) => Published::Unknown("the registry was away".to_owned()),
            (None, _) => Published::NotThere,
            (Some(documents), _) => Published::Known { inventory: read(documents), digest: self.published_digest.map(digest) },
        };
        let expected = Expected {
            runtime: "gke".to_owned(),
            environment: "production".to_owned(),
            namespace: NAMESPACE.to_owned(),
            declared: self.declared.as_ref().map(|documents| ("workloads.yml".to_owned(), read(documents))),
            published,
        };
        let gap = || Gap { reason: "Forbidden".to_owned(), message: "the user may not list them".to_owned() };
        let objects = Objects {
            sources: if self.forbidden.0 { Err(gap()) } else { Ok(objects(&self.sources)) },
            kustomizations: if self.forbidden.1 { Err(gap()) } else { Ok(objects(&self.kustomizations)) },
        };
        let objects = if self.silent { Err(gap()) } else { Ok(objects) };
        let mut registry = Registry::default();
        for (reference, answer) in &self.tags {
            registry.insert((*reference).to_owned(), answer.clone());
        }
        let observed = Observed { cluster: "c".to_owned(), namespace: NAMESPACE.to_owned(), objects };
        assess_with(&expected, &observed, &registry, &self.named, looked)
    }

    fn row(&self, name: &str) -> Item {
        let items = self.judge();
        let found: Vec<&Item> = items.iter().filter(|item| item.workload == name).collect();
        match found.as_slice() {
            [item] => (*item).clone(),
            rows => panic!("{} rows for {name}", rows.len()),
        }
    }
}

fn objects<T: serde::de::DeserializeOwned>(values: &[Value]) -> Vec<T> {
    values.iter().map(|value| serde_json::from_value(value.clone()).unwrap()).collect()
}

fn read(documents: &[Value]) -> Inventory {
    let text: Vec<String> = documents.iter().map(|document| format!("{document}\n")).collect();
    let mut tree = Tree::new();
    tree.insert("production/inventory.yaml", text.join("---\n").into_bytes()).unwrap();
    let (inventory, findings) = inventory::read(&tree, "production", "published");
    assert!(findings.is_empty(), "{findings:?}");
    inventory
}

/// What stands before the first change: nothing is wrong.
#[test]
fn everything_is_ready_before_a_change() {
    for item in world().judge() {
        assert_eq!((item.verdict.as_str(), item.broken.as_ref()), ("Ready", None), "{}: {}", item.workload, item.message);
    }
}

/// A rule: its name, the one change, the row, the verdict, the link, and a word of the message.
type Rule = (&'static str, fn(&mut World), &'static str, &'static str, &'static str, &'static str);

fn rules() -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::new();
    all.extend(failures());
    all.extend(parents());
    all.extend(rows());
    all.extend(unreadable());
    all
}

/// The exceptions of Failed, each with its neighbour.
fn failures() -> Vec<Rule> {
    vec![
        (
            "a health check that a newer revision ended is no failure",
            |w| w.ready("svc", "False", "HealthCheckCanceled", "new revision"),
            "svc",
            "Reconciling",
            "healthy",
            "new revision",
        ),
        (
            "a failed health check is one",
            |w| w.ready("svc", "False", "HealthCheckFailed", "timeout"),
            "svc",
            "Failed",
            "healthy",
            "timeout",
        ),
        (
            "an artifact that was not there yet, and now is",
            |w| {
                w.ready("svc", "False", "ArtifactFailed", "artifact not found, retrying in 30s");
                w.applied("svc", 'a');
            },
            "svc",
            "Reconciling",
            "applied",
            "not found",
        ),
        (
            "an artifact that is not there yet, and the source is at its first",
            |w| {
                w.source("svc")["status"] =
                    json!({"observedGeneration": 1, "conditions": [condition("Ready", "Unknown", "Progressing", "fetching")]});
                w.ready("svc", "False", "ArtifactFailed", "Source artifact not found, retrying in 30s");
            },
            "svc",
            "Reconciling",
            "fetched",
            "fetching",
        ),
        (
            "a path that is not in the artifact is a failure, although it is not found",
            |w| w.ready("svc", "False", "ArtifactFailed", "kustomization path not found: stat /tmp/x: no such file"),
            "svc",
            "Failed",
            "healthy",
            "path not found",
        ),
        (
            "a failure about another digest than the source's",
            |w| {
                w.ready("svc", "False", "BuildFailed", "bad YAML");
                w.attempted("svc", 'a');
                w.applied("svc", '0');
            },
            "svc",
            "Reconciling",
            "applied",
            "attempted aaaaaaaa",
        ),
        (
            "a failure about the source's digest",
            |w| {
                w.ready("svc", "False", "BuildFailed", "bad YAML");
                w.applied("svc", '0');
            },
            "svc",
            "Failed",
            "applied",
            "bad YAML",
        ),
        (
            "a dependency that exists and is not ready",
            |w| {
                w.kustomization("svc")["spec"]["dependsOn"] = json!([{"name": "other"}]);
                w.published.as_mut().unwrap()[1]["spec"]["dependsOn"] = json!([{"name": "other"}]);
                w.ready("svc", "False", "DependencyNotReady", "dependency 'flux/other' is not ready");
                w.ready("other", "False", "HealthCheckFailed", "timeout");
                w.applied("svc", '0');
            },
            "svc",
            "Reconciling",
            "applied",
            "it waits for other, which is Failed",
        ),
        (
            "a dependency that is not there",
            |w| {
                w.kustomization("svc")["spec"]["dependsOn"] = json!([{"name": "gone"}]);
                w.published.as_mut().unwrap()[1]["spec"]["dependsOn"] = json!([{"name": "gone"}]);
                w.ready("svc", "False", "DependencyNotReady", "dependency 'flux/gone' not found");
                w.applied("svc", '0');
            },
            "svc",
            "Failed",
            "applied",
            "gone",
        ),
        (
            "a dependency in another namespace was not read: it may be there, and is not the one of that name here",
            |w| {
                w.kustomization("svc")["spec"]["dependsOn"] = json!([{"name": "other", "namespace": "elsewhere"}]);
                w.published.as_mut().unwrap()[1]["spec"]["dependsOn"] = json!([{"name": "other", "namespace": "elsewhere"}]);
                w.ready("svc", "False", "DependencyNotReady", "dependency 'elsewhere/other' is not ready");
                w.ready("other", "False", "HealthCheckFailed", "timeout");
                w.applied("svc", '0');
            },
            "svc",
            "Reconciling",
            "applied",
            "dependency 'elsewhere/other' is not ready; attempted bbbbbbbb, runs 00000000",
        ),
        (
            "dependencies that wait for each other are called a cycle",
            |w| {
                for (n, (name, on)) in [("svc", "other"), ("other", "svc")].into_iter().enumerate() {
                    w.kustomization(name)["spec"]["dependsOn"] = json!([{"name": on}]);
                    w.published.as_mut().unwrap()[2 * n + 1]["spec"]["dependsOn"] = json!([{"name": on}]);
                    w.ready(name, "False", "DependencyNotReady", "not ready");
                    w.applied(name, '0');
                }
            },
            "svc",
            "Failed",
            "applied",
            "the dependencies are a cycle: svc -> other -> svc",
        ),
        (
            "a source that failed",
            |w| w.source_ready("svc", "False", "OCIArtifactPullFailed", "denied"),
            "svc",
            "Failed",
            "fetched",
            "denied",
        ),
        ("the tag is gone", |w| w.tag("svc", Answer::NotThere), "svc", "Failed", "deployed", "does not exist"),
        (
            "stalled before failed",
            |w| {
                w.source("svc")["status"]["conditions"] =
                    json!([condition("Ready", "False", "URLInvalid", "no"), condition("Stalled", "True", "URLInvalid", "no url")])
            },
            "svc",
            "Stalled",
            "fetched",
            "no url",
        ),
        (
            "suspended before stalled and failed",
            |w| {
                w.source("svc")["spec"]["suspend"] = json!(true);
                w.source("svc")["status"]["conditions"] = json!([
                    condition("Ready", "False", "URLInvalid", "no"),
                    condition("Stalled", "True", "URLInvalid", "no url")
                ]);
            },
            "svc",
            "Suspended",
            "fetched",
            "the source is suspended",
        ),
        (
            "terminating before suspended",
            |w| {
                w.kustomization("svc")["spec"]["suspend"] = json!(true);
                w.kustomization("svc")["metadata"]["deletionTimestamp"] = json!("2026-11-24T09:00:00Z");
            },
            "svc",
            "Terminating",
            "installed",
            "being deleted",
        ),
        (
            "a failure before a drift; both are told",
            |w| {
                w.source("svc")["spec"]["interval"] = json!("9m0s");
                w.ready("svc", "False", "HealthCheckFailed", "Deployment/web has failed");
            },
            "svc",
            "Failed",
            "installed",
            "Flux says: Deployment/web has failed",
        ),
        (
            "a generation that was not looked at",
            |w| w.kustomization("svc")["metadata"]["generation"] = json!(2),
            "svc",
            "Reconciling",
            "applied",
            "not looked at",
        ),
        (
            "the larger of the two observed generations counts",
            |w| {
                w.kustomization("svc")["metadata"]["generation"] = json!(2);
                w.kustomization("svc")["status"]["conditions"][0]["observedGeneration"] = json!(2);
            },
            "svc",
            "Ready",
            "",
            "applied",
        ),
        (
            "a digest that waits to be fetched",
            |w| w.tag("svc", Answer::Digest(digest('d'))),
            "svc",
            "Outdated",
            "fetched",
            "the registry has dddddddd",
        ),
        ("a digest that waits to be applied", |w| w.applied("svc", 'a'), "svc", "Outdated", "applied", "applied is aaaaaaaa"),
        (
            "a registry that is away forbids no Ready",
            |w| w.tag("svc", Answer::Unknown("timeout".to_owned())),
            "svc",
            "Ready",
            "",
            "applied",
        ),
    ]
}

/// What the parent's state means for a workload, and for its own row.
fn parents() -> Vec<Rule> {
    vec![
        (
            "absent under a parent that has applied what is published",
            |w| w.remove("svc"),
            "svc",
            "Missing",
            "installed",
            "absent",
        ),
        (
            "absent under a parent that is behind",
            |w| {
                w.remove("svc");
                w.applied(PARENT, '0');
            },
            "svc",
            "Missing",
            "parent",
            "has not applied the inventory 11111111",
        ),
        (
            "absent under a suspended parent of which nobody knows whether it is behind",
            |w| {
                w.remove("svc");
                w.kustomization(PARENT)["spec"]["suspend"] = json!(true);
                (w.published_digest, w.tags) = (None, Vec::new());
            },
            "svc",
            "Missing",
            "parent",
            "Suspended",
        ),
        (
            "differs under such a parent: an unknown link is not guessed",
            |w| {
                w.source("svc")["spec"]["interval"] = json!("9m0s");
                w.kustomization(PARENT)["spec"]["suspend"] = json!(true);
                (w.published_digest, w.tags) = (None, Vec::new());
            },
            "svc",
            "Drifted",
            "installed",
            "spec.interval is 9m0s, published 5m0s",
        ),
        (
            "differs while the parent is behind",
            |w| {
                w.source("svc")["spec"]["interval"] = json!("9m0s");
                w.applied(PARENT, '0');
            },
            "svc",
            "Outdated",
            "parent",
            "has not applied",
        ),
        (
            "a parent whose health checks failed has applied all the same",
            |w| {
                w.source("svc")["spec"]["interval"] = json!("9m0s");
                w.ready(PARENT, "False", "HealthCheckFailed", "timeout");
                w.applied(PARENT, '0');
            },
            "svc",
            "Drifted",
            "installed",
            "9m0s",
        ),
        (
            "equal objects are Ready although the parent fails",
            |w| {
                w.ready(PARENT, "False", "ReconciliationFailed", "one is invalid");
                w.applied(PARENT, '0');
            },
            "svc",
            "Ready",
            "",
            "applied",
        ),
        (
            "the published digest counts, not what the parent's own tag has",
            |w| {
                w.source("svc")["spec"]["interval"] = json!("9m0s");
                w.published_digest = Some('2');
            },
            "svc",
            "Outdated",
            "parent",
            "has not applied the inventory 22222222",
        ),
        (
            "a parent that follows another environment",
            |w| {
                w.remove("svc");
                w.source(PARENT)["spec"]["ref"]["tag"] = json!("staging");
                w.published_digest = Some('2');
            },
            "svc",
            "Missing",
            "parent",
            "follows the tag staging, not production",
        ),
        (
            "its own row says so",
            |w| w.source(PARENT)["spec"]["ref"]["tag"] = json!("staging"),
            PARENT,
            "Drifted",
            "installed",
            "spec.ref.tag is staging, not production",
        ),
        ("no parent at all", |w| w.remove(PARENT), PARENT, "Missing", "installed", "absent"),
        ("no parent, and the workload is as published", |w| w.remove(PARENT), "svc", "Ready", "", "applied"),
    ]
}

/// Which rows there are, and whose objects they are.
fn rows() -> Vec<Rule> {
    vec![
        (
            "declared, not published, and absent",
            |w| {
                w.declared_names(&["svc", "other", "new"]);
            },
            "new",
            "Missing",
            "published",
            "not in the inventory",
        ),
        (
            "declared, not published, and this parent still has it",
            |w| {
                w.declared_names(&["svc", "other"]);
                w.published_names(&["other"]);
            },
            "svc",
            "Unexpected",
            "published",
            "it still runs bbbbbbbb",
        ),
        (
            "declared, not published, and half of it is somebody else's",
            |w| {
                w.declared_names(&["svc", "other"]);
                w.published_names(&["other"]);
                w.owner("svc", Some("eks-inventory"));
                w.kustomizations.retain(|object| object["metadata"]["name"] != "svc");
            },
            "svc",
            "Missing",
            "published",
            "not in the inventory",
        ),
        (
            "declared, not published, and somebody else's",
            |w| {
                w.declared_names(&["svc", "other"]);
                w.published_names(&["other"]);
                w.owner("svc", Some("eks-inventory"));
            },
            "svc",
            "Missing",
            "published",
            "not in the inventory",
        ),
        (
            "applied by this parent and not published",
            |w| w.published_names(&["other"]),
            "svc",
            "Unexpected",
            "published",
            "still runs",
        ),
        ("published and not declared", |w| w.declared_names(&["other"]), "svc", "Ready", "", "not in workloads.yml"),
        ("named and nowhere", |w| w.named = vec!["typo".to_owned()], "typo", "Missing", "declared", "neither published nor"),
        (
            "nothing is published",
            |w| (w.published, w.published_digest) = (None, None),
            "svc",
            "Unexpected",
            "published",
            "no inventory is published",
        ),
        (
            "published without its Kustomization",
            |w| drop(w.published.as_mut().unwrap().remove(1)),
            "svc",
            "Unexpected",
            "published",
            "has no Kustomization",
        ),
        (
            "published is unknown: what is declared is expected, and called so",
            |w| {
                w.published_unknown = true;
                w.declared_names(&["svc", "other"]);
                w.source("svc")["spec"]["interval"] = json!("9m0s");
            },
            "svc",
            "Drifted",
            "installed",
            "is 9m0s, declared 5m0s",
        ),
        (
            "an owner that is another parent",
            |w| w.owner("svc", Some("eks-inventory")),
            "svc",
            "Drifted",
            "installed",
            "owned by eks-inventory",
        ),
        ("no owner", |w| w.owner("svc", None), "svc", "Drifted", "installed", "not applied by gke-inventory"),
        (
            "published for another namespace",
            |w| {
                for n in 0..2 {
                    w.published.as_mut().unwrap()[n]["metadata"]["namespace"] = json!("elsewhere");
                }
            },
            "svc",
            "Drifted",
            "installed",
            "metadata.namespace is flux, published elsewhere",
        ),
        ("spec.suspend alone is no drift", |w| w.source("svc")["spec"]["suspend"] = json!(false), "svc", "Ready", "", "applied"),
        (
            "a source that is pinned to a digest by the inventory",
            |w| {
                let pin = json!({"digest": digest('b')});
                w.source("svc")["spec"]["ref"] = pin.clone();
                w.published.as_mut().unwrap()[0]["spec"]["ref"] = pin;
                w.tag("svc", Answer::NotThere);
            },
            "svc",
            "Ready",
            "",
            "applied",
        ),
        (
            "a range of versions: what the registry has is not known",
            |w| {
                let range = json!({"semver": ">=1.0.0"});
                w.source("svc")["spec"]["ref"] = range.clone();
                w.published.as_mut().unwrap()[0]["spec"]["ref"] = range;
                w.tag("svc", Answer::NotThere);
            },
            "svc",
            "Ready",
            "",
            "applied",
        ),
    ]
}

/// What one kind says when the other could not be read.
fn unreadable() -> Vec<Rule> {
    vec![
        ("neither can be read", |w| w.forbidden = (true, true), "svc", "Unknown", "", "may not list"),
        ("one cannot, and the other is content", |w| w.forbidden = (false, true), "svc", "Unknown", "", "may not list"),
        ("the same, the other way round", |w| w.forbidden = (true, false), "svc", "Unknown", "", "may not list"),
        (
            "the one that can be read is suspended",
            |w| {
                w.forbidden = (false, true);
                w.source("svc")["spec"]["suspend"] = json!(true);
            },
            "svc",
            "Suspended",
            "fetched",
            "the source is suspended",
        ),
        (
            "it is being deleted",
            |w| {
                w.forbidden = (true, false);
                w.kustomization("svc")["metadata"]["deletionTimestamp"] = json!("2026-11-24T09:00:00Z");
            },
            "svc",
            "Terminating",
            "installed",
            "being deleted",
        ),
        (
            "it has failed",
            |w| {
                w.forbidden = (false, true);
                w.source_ready("svc", "False", "OCIArtifactPullFailed", "denied");
            },
            "svc",
            "Failed",
            "fetched",
            "denied",
        ),
        (
            "the Kustomization has failed",
            |w| {
                w.forbidden = (true, false);
                w.ready("svc", "False", "BuildFailed", "bad YAML");
            },
            "svc",
            "Failed",
            "applied",
            "bad YAML",
        ),
        (
            "it is absent",
            |w| {
                w.forbidden = (false, true);
                w.sources.retain(|object| object["metadata"]["name"] != "svc");
            },
            "svc",
            "Missing",
            "installed",
            "OCIRepository flux/svc is absent",
        ),
        (
            "it differs",
            |w| {
                w.forbidden = (false, true);
                w.source("svc")["spec"]["interval"] = json!("9m0s");
            },
            "svc",
            "Drifted",
            "installed",
            "9m0s",
        ),
        (
            "the source is behind",
            |w| {
                w.forbidden = (false, true);
                w.fetched("svc", 'a');
            },
            "svc",
            "Outdated",
            "fetched",
            "fetched is aaaaaaaa",
        ),
        (
            "the tag is gone",
            |w| {
                w.forbidden = (false, true);
                w.tag("svc", Answer::NotThere);
            },
            "svc",
            "Failed",
            "deployed",
            "does not exist",
        ),
        ("no answer at all", |w| w.silent = true, "svc", "Unreachable", "", "may not list"),
    ]
}

#[test]
fn each_rule_gives_its_verdict_and_its_link() {
    let mut wrong = Vec::new();
    for (rule, change, row, verdict, link, word) in rules() {
        let mut world = world();
        change(&mut world);
        let item = world.row(row);
        let broken = item.broken.as_ref().map_or("", |broken| broken.link.as_str());
        if (item.verdict.as_str(), broken) != (verdict, link) || !item.message.contains(word) {
            wrong.push(format!("{rule}: {} at {broken:?}: {}", item.verdict.as_str(), item.message));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The other rows stay as they were: one workload's trouble is not another's.
#[test]
fn a_change_of_one_workload_is_none_of_the_other() {
    for (rule, change, row, ..) in failures() {
        let mut world = world();
        change(&mut world);
        if row == "svc" && !rule.contains("dependenc") {
            assert_eq!(world.row("other").verdict.as_str(), "Ready", "{rule}");
        }
    }
}

/// A cluster that is silent says nothing about itself; file and registry were read all the same.
#[test]
fn a_silent_cluster_hides_neither_file_nor_registry() {
    let mut world = world();
    world.silent = true;
    world.declared_names(&["svc", "new"]);
    let state = |item: &Item, link: Link| item.links.iter().find(|step| step.link == link).unwrap().state;
    let (svc, new, other) = (world.row("svc"), world.row("new"), world.row("other"));
    assert_eq!((state(&svc, Link::Declared), state(&svc, Link::Published)), (State::Holds, State::Holds));
    assert_eq!((state(&new, Link::Declared), state(&new, Link::Published)), (State::Holds, State::Broken));
    assert_eq!((state(&other, Link::Declared), state(&other, Link::Published)), (State::Unknown, State::Holds));
    assert_eq!(svc.expected.digest, Some(digest('b')));
    assert!(Link::ALL[2..4].iter().chain(&Link::ALL[5..]).all(|link| state(&svc, *link) == State::Unknown), "{:?}", svc.links);
    assert!(svc.broken.is_none());
}

/// Without its environment the parent would be asked about the one that it follows, and that is Ready.
#[test]
fn a_parent_of_another_environment_is_explained_by_the_one_that_was_asked_about() {
    let mut world = world();
    world.remove("svc");
    world.source(PARENT)["spec"]["ref"]["tag"] = json!("staging");
    world.published_digest = Some('2');
    let next = world.row("svc").broken.unwrap().next;
    assert_eq!(next, ["kubectl runway explain gke-inventory -n flux --runtime gke -e production"]);
}

/// Flux is at work again, or has a newer digest to apply, and a Deployment has failed: that is the reason, not what Flux is about to do.
#[test]
fn failed_objects_are_the_reason_while_flux_is_at_work() {
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": 1}, "spec": {"replicas": 1},
        "status": {"observedGeneration": 1, "replicas": 1, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too late"}]}});
    let text = |text: &str| text.to_owned();
    let id =
        AppliedId { namespace: text("n"), name: text("web"), group: text("apps"), kind: text("Deployment"), version: text("v1") };
    let seen = vec![Seen { id, found: Found::There(deployment), pods: Vec::new(), pods_gap: None }];
    let mut looked = Looked::default();
    looked.workloads.insert("svc".to_owned(), WorkloadObjects { seen, left_out: 0 });
    let changes: [fn(&mut World); 3] =
        [|_| (), |w| w.ready("svc", "Unknown", "Progressing", "Reconciliation in progress"), |w| w.fetched("svc", 'd')];
    for (n, change) in changes.into_iter().enumerate() {
        let mut world = world();
        change(&mut world);
        let row = world.judge_with(&looked).into_iter().find(|item| item.workload == "svc").unwrap();
        let broken = row.broken.unwrap();
        assert_eq!(
            (row.verdict.as_str(), broken.link, row.reason.as_str(), broken.reason.as_str()),
            ("Failed", Link::Healthy, "ObjectFailed", "ObjectFailed"),
            "{n}: {}",
            row.message
        );
        assert!(row.message.contains("web"), "{}", row.message);
    }
    // What Flux itself says has failed keeps Flux's reason.
    let mut world = world();
    world.ready("svc", "False", "HealthCheckFailed", "timeout");
    let row = world.judge_with(&looked).into_iter().find(|item| item.workload == "svc").unwrap();
    assert_eq!(row.reason, "HealthCheckFailed");
}
