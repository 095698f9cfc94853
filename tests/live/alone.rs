//! Every fault of `tests/recorded/alone`, caused live, and some more of the same kind: what was declared or pushed wrong, and what
//! somebody did by hand on a cluster without a parent. Flux's controllers say what they say; the recorded truth is held against it.

use crate::clusters::said;
use crate::paste::next;
use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::DEADLINE;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A recorded case, the overrides with which it is declared, and the reason code that is to be said.
const CASES: [(&str, &str, &str); 23] = [
    ("ok", "", "ReconciliationSucceeded"),
    ("tag-missing", "source: {ref: {tag: nope}}", "TagNotFound"),
    ("repo-missing", "", "TagNotFound"),
    ("secret-missing", "source: {secretRef: {name: not-there}}", "AuthenticationFailed"),
    ("url-with-tag", "", "URLInvalid"),
    ("suspended-source", "", "Suspended"),
    ("suspended-kustomization", "", "Suspended"),
    ("source-missing", "", "ObjectAbsent"),
    ("kustomization-missing", "", "ObjectAbsent"),
    ("depends-on", "dependsOn: [{name: tag-missing}]", "DependencyNotReady"),
    ("depends-missing", "", "DependencyNotReady"),
    ("invalid-yaml", "", "BuildFailed"),
    ("namespace-missing", "", "ReconciliationFailed"),
    ("crd-missing", "", "ReconciliationFailed"),
    ("path-missing", "path: ./not-there", "ArtifactFailed"),
    ("sa-missing", "serviceAccountName: not-there", "ReconciliationFailed"),
    ("substitute", "postBuild: {substituteFrom: [{kind: ConfigMap, name: not-there}]}", "BuildFailed"),
    ("health-timeout", "wait: true, timeout: 10s", "HealthCheckFailed"),
    ("immutable", "", "ReconciliationFailed"),
    ("was-ok-then-bad-artifact", "", "BuildFailed"),
    ("was-ok-then-tag-deleted", "", "TagNotFound"),
    ("was-ok-then-suspended-both", "", "Suspended"),
    ("terminating-stuck", "", "Terminating"),
];

/// Faults of the same kind that were not recorded: overrides, verdict, link and reason.
const MORE: [(&str, &str, (&str, &str, &str)); 4] = [
    ("no-tarball", "", ("Failed", "fetched", "OCIArtifactLayerOperationFailed")),
    (
        "unsigned",
        "source: {verify: {provider: cosign, secretRef: {name: cosign-key}}}",
        ("Failed", "fetched", "VerificationError"),
    ),
    ("may-not-prune", "serviceAccountName: writer", ("Failed", "applied", "PruneFailed")),
    ("slow", "wait: true, timeout: 5m", ("Reconciling", "applied", "Progressing")),
];

/// A key with which nothing was signed.
const COSIGN: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYwe+I/LlX5o5SxdPeuiXN+m3fi2k\noBwZcWbGG+6z8mXA8U/g5Qtz/Vmpfz0PMmCKlG6RaipRb4oInLGUCu9W+Q==\n-----END PUBLIC KEY-----\n";

/// The recorded truth of a case.
fn truth(case: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/alone").join(case).join("truth.json");
    serde_json::from_str(&fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))).expect("JSON")
}

/// What is wrong with a row, by the recorded truth of its case; the recorded namespace stands for the scenario's.
fn wrong(truth: &Value, row: &Value, namespace: &str) -> Option<String> {
    let wanted = (truth["verdict"].as_str().unwrap_or(""), truth["break"].as_str().unwrap_or(""));
    let (verdict, link, _) = said(row);
    if (verdict, link) != wanted {
        return Some(format!("{verdict} at {link:?} instead of {wanted:?}"));
    }
    let message = row["message"].as_str().unwrap_or_default();
    let mut lacking = words(truth, namespace).into_iter().filter(|words| !message.contains(words.as_str()));
    lacking.next().map(|words| format!("{words:?} is not in {message:?}"))
}

/// What a user must read, by the recorded truth of a row.
fn words(truth: &Value, namespace: &str) -> Vec<String> {
    let says = truth["says"].as_array().into_iter().flatten().filter_map(Value::as_str);
    says.map(|words| words.replace("drill", namespace)).collect()
}

impl Stage {
    fn config_map(&self, name: &str, value: &str) -> String {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {}}}\ndata: {{value: \"{value}\"}}\n",
            self.ns.name()
        )
    }

    fn secret(&self, value: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: imm, namespace: {}}}\nimmutable: true\nstringData: {{a: {value}}}\n",
            self.ns.name()
        )
    }

    fn web(&self, name: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {}}}\nspec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{containers: [{{name: a, image: \"example.com/a:1\"}}]}}\n",
            self.ns.name()
        )
    }

    fn deploy_one(&self, id: &str, file: &str, text: &str) -> String {
        self.bed.push_deploy(&self.deploy_repository(id), ENVIRONMENT, &[(file, text)])
    }

    /// Pushes what each case needs, the good beginning of those that break later.
    fn deploy_all(&self) {
        let namespace = self.ns.name();
        for id in [
            "ok",
            "secret-missing",
            "url-with-tag",
            "suspended-source",
            "suspended-kustomization",
            "source-missing",
            "kustomization-missing",
            "tag-missing",
            "depends-on",
            "depends-missing",
            "path-missing",
            "sa-missing",
            "substitute",
            "was-ok-then-bad-artifact",
            "was-ok-then-tag-deleted",
            "was-ok-then-suspended-both",
            "terminating-stuck",
            "unsigned",
        ] {
            self.deploy_one(id, "x.yaml", &self.config_map(id, "1"));
        }
        self.deploy_one("invalid-yaml", "x.yaml", "kind: ConfigMap\nmetadata: [\n");
        let elsewhere = self.config_map("elsewhere", "1").replace(namespace, &format!("{namespace}-not-there"));
        self.deploy_one("namespace-missing", "x.yaml", &elsewhere);
        let monitor = format!(
            "apiVersion: monitoring.{namespace}/v1\nkind: ServiceMonitor\nmetadata: {{name: m, namespace: {namespace}}}\n"
        );
        self.deploy_one("crd-missing", "x.yaml", &monitor);
        self.deploy_one("health-timeout", "x.yaml", &self.web("web"));
        self.deploy_one("slow", "x.yaml", &self.web("slow"));
        self.deploy_one("immutable", "x.yaml", &self.secret("first"));
        let both = format!("{}---\n{}", self.config_map("stays", "1"), self.config_map("goes", "1"));
        self.deploy_one("may-not-prune", "x.yaml", &both);
        // A file that is no archive, by somebody's own script.
        self.env.write("notes.txt", "no archive");
        let reference = format!("{}:{ENVIRONMENT}", self.deploy_repository("no-tarball"));
        let line = format!("oras push --plain-http {reference} notes.txt:application/vnd.cncf.flux.content.v1.tar+gzip");
        drop(self.paste(&line).exits(0));
    }

    /// What is published, with the faults that ours refuses to build: pushed by somebody else's tool.
    fn published(&self, faulty: bool) -> Vec<Value> {
        let mut objects = self.built();
        for object in &mut objects {
            let source = object["kind"] == "OCIRepository";
            let url = object["spec"]["url"].as_str().unwrap_or_default().to_owned();
            match object["metadata"]["name"].as_str().unwrap_or_default() {
                "repo-missing" if source => object["spec"]["url"] = format!("{url}-not-there").into(),
                "url-with-tag" if source && faulty => object["spec"]["url"] = format!("{url}:{ENVIRONMENT}").into(),
                "depends-missing" if !source && faulty => object["spec"]["dependsOn"] = json!([{"name": "nobody"}]),
                _ => {}
            }
        }
        self.publish(&objects);
        objects
    }

    /// Puts these objects on the cluster, as somebody would who has kubectl and no parent.
    fn put(&self, objects: &[&Value]) {
        self.ns.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
    }
}

fn is(object: &Value, kind: &str, name: &str) -> bool {
    object["kind"] == kind && object["metadata"]["name"] == name
}

/// The recorded cases with the same verdict, link and words, each with its reason code; then what `next` names; then the cures.
#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn every_recorded_fault_of_a_workload_and_what_cures_it() {
    let mut stage = Stage::new("alone", "gke");
    stage.env.limit(DEADLINE);
    caused(&stage);
    // Flux gives a health check half a minute at least; the others are told and looked into meanwhile.
    let last = "health-timeout";
    let found = all_told(&stage, Some(last));
    for (id, row) in found.iter().filter(|(id, _)| *id != last) {
        looked_into(&stage, id, row);
    }
    looked_into(&stage, last, &all_told_again(&stage, last));
    for id in SUSPENDED {
        assert_eq!(said(&stage.wait_verdict(id, "Ready")).0, "Ready", "resumed by what is named");
    }
    cured(&stage);
    stage.ns.wait_for("all to be Ready", DEADLINE, || {
        let (found, code) = stage.rows();
        let not_ready =
            found.iter().filter(|(_, row)| said(row).0 != "Ready").map(|(id, row)| (id, said(row), row["message"].clone()));
        println!("{:?}", not_ready.collect::<Vec<_>>());
        (code == Some(0)).then_some(())
    });
    assert_eq!(stage.rows().0.len(), CASES.len() + MORE.len() + 1);
}

/// Those that the named commands bring back by themselves.
const SUSPENDED: [&str; 3] = ["suspended-source", "suspended-kustomization", "was-ok-then-suspended-both"];

/// Waits until every row is told as it should be, all in one answer, but one that takes longer.
fn all_told(stage: &Stage, but: Option<&str>) -> BTreeMap<String, Value> {
    stage.ns.wait_for("every fault to be told", DEADLINE, || {
        let (found, code) = stage.rows();
        assert_eq!(code, Some(1));
        let mut wrong = all_wrong(&found, stage.ns.name());
        wrong.retain(|(id, _)| but != Some(id.as_str()));
        println!("{wrong:?}");
        wrong.is_empty().then_some(found)
    })
}

fn all_told_again(stage: &Stage, id: &str) -> Value {
    stage.ns.wait_for(id, DEADLINE, || {
        let (found, _) = stage.rows();
        let wrong = all_wrong(&found, stage.ns.name()).iter().any(|(name, _)| name == id);
        (!wrong).then(|| found[id].clone())
    })
}

/// `explain` says the same, and every command that is named works, and says what is wrong.
fn looked_into(stage: &Stage, id: &str, row: &Value) {
    println!("=== {id} {:?} {}\n{:?}", said(row), row["message"], next(row));
    let (verdict, _, reason) = said(row);
    if verdict == "Ready" {
        return assert!(next(row).is_empty(), "{row}");
    }
    stage.explained(id, row);
    let shown = stage.paste_next(row);
    let case = CASES.iter().find(|(case, ..)| *case == id);
    let words: Vec<String> = match reason {
        "Suspended" => vec!["resumed".to_owned()],
        // Which tags there are.
        "TagNotFound" if id == "tag-missing" => vec![format!("/{id}/deploy:{ENVIRONMENT}")],
        "TagNotFound" => Vec::new(),
        "ObjectAbsent" => vec!["kind: Kustomization".to_owned(), "name: gke-inventory".to_owned()],
        _ => case.map(|(case, ..)| words(&truth(case)["items"][1], stage.ns.name())).unwrap_or_default(),
    };
    for word in words {
        assert!(shown.contains(&word), "{id}: {word:?} is not in\n{shown}");
    }
}

/// What is not told as it should be, by workload.
fn all_wrong(found: &BTreeMap<String, Value>, namespace: &str) -> Vec<(String, String)> {
    let mut wrong_ones = Vec::new();
    let mut check = |name: &str, what: Option<String>| wrong_ones.extend(what.map(|what| (name.to_owned(), what)));
    for (case, _, reason) in CASES {
        for row in truth(case)["items"].as_array().expect("rows") {
            let name = row["workload"].as_str().expect("a name");
            check(name, found.get(name).map_or(Some("no row".to_owned()), |found| wrong(row, found, namespace)));
        }
        let told = said(&found[case]).2;
        check(case, (told != reason).then(|| format!("{told}, not {reason}")));
    }
    for (id, _, wanted) in MORE {
        check(
            id,
            (said(&found[id]) != wanted).then(|| format!("{:?}, not {wanted:?}: {}", said(&found[id]), found[id]["message"])),
        );
    }
    wrong_ones
}

/// Declares them all, with the faults that the file can have.
fn declare(stage: &Stage, faulty: bool) {
    let ids = CASES.iter().map(|(id, flux, _)| (id, flux)).chain(MORE.iter().map(|(id, flux, _)| (id, flux)));
    // Nobody looks again by himself for an hour.
    let one = |(id, flux): (&&str, &&str)| {
        let flux = if *id == "unsigned" && !faulty { "" } else { flux };
        let more = match flux.strip_prefix("source: {") {
            Some(more) => format!("source: {{interval: 1h, {more}"),
            None if flux.is_empty() => "source: {interval: 1h}".to_owned(),
            None => format!("{flux}, source: {{interval: 1h}}"),
        };
        format!("- runway_service_id: {id}\n  flux: {{interval: 1h, retryInterval: 1h, {more}}}\n")
    };
    stage.env.write("config/runtimes/gke/workloads.yml", ids.map(one).collect::<String>());
}

/// Causes them all.
fn caused(stage: &Stage) {
    declare(stage, true);
    stage.deploy_all();
    let namespace = stage.ns.name();
    let account = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "writer", "namespace": namespace}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "writer"}, "rules": [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "create", "patch", "update"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "writer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "writer"},
            "subjects": [{"kind": "ServiceAccount", "name": "writer", "namespace": namespace}]},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cosign-key"}, "stringData": {"cosign.pub": COSIGN}},
    ]});
    stage.ns.apply(&account.to_string());

    let mut objects = stage.published(true);
    objects
        .retain(|object| !is(object, "OCIRepository", "source-missing") && !is(object, "Kustomization", "kustomization-missing"));
    for object in &mut objects {
        if is(object, "OCIRepository", "suspended-source") || is(object, "Kustomization", "suspended-kustomization") {
            object["spec"]["suspend"] = true.into();
        }
    }
    stage.put(&objects.iter().collect::<Vec<_>>());

    let breaks_later = [
        "immutable",
        "was-ok-then-bad-artifact",
        "was-ok-then-tag-deleted",
        "was-ok-then-suspended-both",
        "terminating-stuck",
        "may-not-prune",
    ];
    stage.ns.wait_for("the good beginnings", DEADLINE, || (stage.status(&breaks_later).code == Some(0)).then_some(()));
    stage.deploy_one("immutable", "x.yaml", &stage.secret("second"));
    stage.deploy_one("was-ok-then-bad-artifact", "x.yaml", "kind: ConfigMap\nmetadata: [\n");
    stage.deploy_one("may-not-prune", "x.yaml", &stage.config_map("stays", "2"));
    stage.bed.delete_tag(&stage.deploy_repository("was-ok-then-tag-deleted"), ENVIRONMENT);
    for kind in ["ocirepository", "kustomization"] {
        stage.ns.patch(kind, "was-ok-then-suspended-both", &json!({"spec": {"suspend": true}}));
    }
    stage.deploy_one("was-ok-then-suspended-both", "x.yaml", &stage.config_map("was-ok-then-suspended-both", "2"));
    for id in ["immutable", "was-ok-then-bad-artifact", "may-not-prune"] {
        stage.ns.reconcile("ocirepository", id);
    }
    stage.ns.patch("ocirepository", "terminating-stuck", &json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    stage.ns.delete("ocirepository", "terminating-stuck");
}

/// Somebody repairs what is wrong, each in the place where it is wrong, and asks Flux to look.
fn cured(stage: &Stage) {
    let namespace = stage.ns.name();
    let again = |id: &str| drop(stage.deploy_one(id, "x.yaml", &stage.config_map(id, "3")));
    for id in ["invalid-yaml", "no-tarball", "was-ok-then-bad-artifact", "was-ok-then-tag-deleted"] {
        again(id);
    }
    stage.bed.push_deploy(&stage.deploy_repository("tag-missing"), "nope", &[("x.yaml", &stage.config_map("tag-missing", "3"))]);
    let elsewhere = format!("{}-not-there", stage.deploy_repository("repo-missing"));
    stage.bed.push_deploy(&elsewhere, ENVIRONMENT, &[("x.yaml", &stage.config_map("repo-missing", "3"))]);
    let file = stage.config_map("path-missing", "3");
    stage.bed.push_deploy(&stage.deploy_repository("path-missing"), ENVIRONMENT, &[("not-there/x.yaml", &file)]);
    stage.ns.kube().create_namespace(&format!("{namespace}-not-there"));
    let group = format!("monitoring.{namespace}");
    let login = runway_testkit::bed::docker_config(stage.bed.registry(), "somebody", "who is asked nothing");
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "not-there"}, "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": login}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "not-there"}, "data": {"a": "b"}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "not-there"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "writer"}, "rules": [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "not-there"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "writer"},
            "subjects": [{"kind": "ServiceAccount", "name": "not-there", "namespace": namespace}]},
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("servicemonitors.{group}")},
            "spec": {"group": group, "scope": "Namespaced",
                "names": {"kind": "ServiceMonitor", "plural": "servicemonitors", "singular": "servicemonitor", "listKind": "ServiceMonitorList"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}},
    ]});
    stage.ns.apply(&objects.to_string());
    stage.ns.delete("secret", "imm");
    for name in ["web", "slow"] {
        stage.becomes_available(name);
    }
    stage.ns.patch("ocirepository", "terminating-stuck", &json!({"metadata": {"finalizers": []}}));

    // What is published is repaired, and the parent that `next` asks for puts in place what is not there.
    declare(stage, false);
    stage.published(false);
    let parent = stage.rows().0["gke-inventory"].clone();
    let bootstrap = next(&parent).pop().expect("a command").to_owned();
    assert_eq!(bootstrap, format!("kubectl runway bootstrap --runtime gke -e {ENVIRONMENT} -n {}", stage.ns.name()));
    drop(stage.paste(&format!("{bootstrap} | kubectl apply --server-side -f -")).exits(0));
    drop(stage.env.run(["reconcile", "gke-inventory"]).exits(0));
    drop(stage.env.run(["reconcile", "--all", "--wait-timeout", "2m"]).exits(0));
}
