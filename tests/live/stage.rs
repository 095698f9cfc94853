//! What a scenario stands on: a platform repository, a namespace, and a place in the registry.

use runway_core::yaml::{self, value::to_json};
use runway_testkit::bed::{Handle, Ns};
use runway_testkit::env::{Env, Run};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The stage of one scenario.
pub(crate) struct Stage {
    pub(crate) bed: Handle,
    pub(crate) ns: Ns,
    pub(crate) env: Env,
    pub(crate) runtime: String,
    /// Where the scenario's artifacts lie, without a scheme.
    pub(crate) base: String,
}

/// Settings of the sources, where no login is needed.
const PLAIN: &str = "source: {secretRef: \"\", insecure: true, interval: 10s}\nparent: {secretRef: \"\"}\n";

pub(crate) const ENVIRONMENT: &str = "production";

impl Stage {
    /// A stage with settings and no workloads.
    pub(crate) fn new(name: &str, runtime: &str) -> Self {
        let bed = Handle::connect();
        let base = bed.repository_base(name);
        Self::at(bed, name, runtime, base, PLAIN)
    }

    /// The same in a namespace of any cluster.
    pub(crate) fn on(bed: Handle, ns: Ns, name: &str, runtime: &str) -> Self {
        let base = bed.repository_base(name);
        Self::with(bed, ns, runtime, base, PLAIN)
    }

    /// A stage whose artifacts lie below another base, with the settings of the workloads' sources.
    pub(crate) fn at(bed: Handle, name: &str, runtime: &str, base: String, settings: &str) -> Self {
        let ns = bed.namespace(name);
        Self::with(bed, ns, runtime, base, settings)
    }

    fn with(bed: Handle, ns: Ns, runtime: &str, base: String, settings: &str) -> Self {
        let mut env = Env::new(env!("CARGO_BIN_EXE_kubectl-runway"));
        env.var("KUBECONFIG", ns.kube().kubeconfig());
        let settings =
            format!("registry: {{base: {base}}}\nnamespace: {}\nkustomization: {{interval: 1m}}\n{settings}", ns.name());
        env.write("kubectl-runway.yaml", settings);
        Self { bed, ns, env, runtime: runtime.to_owned(), base }
    }

    /// Writes workloads.yml.
    pub(crate) fn declare(&self, ids: &[&str]) {
        let list: String =
            ids.iter().map(|id| format!("- runway_service_id: {id}\n  project_id: 1\n")).collect::<Vec<_>>().concat();
        self.env.write(format!("config/runtimes/{}/workloads.yml", self.runtime), list);
    }

    /// Pushes the inventory with our program.
    pub(crate) fn push(&self, more: &[&str]) -> Run {
        let mut arguments = vec!["inventory", "push", "--runtime", &self.runtime, "-e", ENVIRONMENT];
        arguments.extend(more);
        self.env.run(arguments)
    }

    /// The objects that our program builds from what is declared. They are in `out`, too.
    pub(crate) fn built(&self) -> Vec<Value> {
        self.env.run(["inventory", "build", "--runtime", &self.runtime, "-e", ENVIRONMENT, "--output-dir", "out"]).ok();
        documents(&self.env.read(format!("out/{ENVIRONMENT}/inventory.yaml")))
    }

    /// Publishes these objects by somebody else's tool, which checks nothing.
    pub(crate) fn publish(&self, objects: &[Value]) {
        let text = objects.iter().map(|object| format!("---\n{object:#}\n")).collect::<Vec<_>>().concat();
        self.env.write(format!("out/{ENVIRONMENT}/inventory.yaml"), text);
        self.bed.push_folder(&self.inventory_repository(), ENVIRONMENT, &self.env.work().join("out"));
    }

    /// What is said of one workload that is asked for by name, and by `explain`: the same.
    #[track_caller]
    pub(crate) fn explained(&self, id: &str, row: &Value) {
        let (runtime, link) = (self.runtime.as_str(), row["break"]["link"].as_str().expect("a link"));
        let run = self.status(&[id, "-o", "json"]).exits(1);
        let named = crate::clusters::rows(&run.stdout).into_values().find(|row| row["workload"] == id).expect("a row");
        assert_eq!(crate::clusters::said(&named), crate::clusters::said(row), "by GETs alone: {run}");
        let run = self.env.run(["explain", id, "--runtime", runtime, "-e", ENVIRONMENT]).exits(1);
        assert!(run.stdout.contains(&format!("at {link}")), "{run}");
        // explain looks at the objects, too, and then has more to say about their health.
        for command in crate::paste::next(row).into_iter().filter(|_| link != "healthy") {
            assert!(run.stdout.contains(command), "{command}: {run}");
        }
    }

    /// Plays the rollout that nobody runs here.
    pub(crate) fn becomes_available(&self, deployment: &str) {
        let status = json!({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": ""},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "message": ""}]});
        self.ns.kube().patch_status("deployment", self.ns.name(), deployment, &json!({"status": status}));
    }

    /// Repository of a workload's deploy artifact.
    pub(crate) fn deploy_repository(&self, id: &str) -> String {
        format!("{}/deployments/{id}/deploy", self.base)
    }

    /// Repository of the inventory.
    pub(crate) fn inventory_repository(&self) -> String {
        format!("{}/provisioner/{}-inventory", self.base, self.runtime)
    }

    /// Pushes a deploy artifact with one `ConfigMap`, by the real flux; gives its digest.
    pub(crate) fn deploy(&self, id: &str, value: &str) -> String {
        let manifest = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {id}\n  namespace: {}\ndata:\n  value: \"{value}\"\n",
            self.ns.name()
        );
        self.bed.push_deploy(&self.deploy_repository(id), ENVIRONMENT, &[("configmap.yaml", &manifest)])
    }

    /// Applies the parent pair, as Runway's clusters have it.
    pub(crate) fn parent(&self) {
        self.ns.apply(&self.parent_yaml());
    }

    /// The parent pair.
    pub(crate) fn parent_yaml(&self) -> String {
        let (name, namespace) = (self.parent_name(), self.ns.name());
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  interval: 10s\n  insecure: true\n  url: oci://{}\n  ref:\n    tag: \"{ENVIRONMENT}\"\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  interval: 10s\n  path: \"./{ENVIRONMENT}\"\n  prune: true\n  sourceRef:\n    kind: OCIRepository\n    name: {name}\n",
            self.inventory_repository()
        )
    }

    pub(crate) fn parent_name(&self) -> String {
        format!("{}-inventory", self.runtime)
    }

    /// The words of our status, with more arguments.
    pub(crate) fn status_line<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["status", "--runtime", &self.runtime, "-e", ENVIRONMENT], more].concat()
    }

    /// Our status, with more arguments.
    pub(crate) fn status(&self, more: &[&str]) -> Run {
        self.env.run(self.status_line(more))
    }

    /// Deploys a workload that is declared, publishes the inventory, and waits until the parent has made it run.
    pub(crate) fn arrive(&self, id: &str) {
        self.deploy(id, "1");
        self.push(&[]).ok();
        self.parent();
        self.wait_verdict(id, "Ready");
    }

    /// Our status, as soon as it exits with 0: Flux looks every minute here, and while it looks nothing is Ready.
    pub(crate) fn all_ready(&self, arguments: &[&str]) -> Run {
        self.ns.wait_for("status to exit with 0", runway_testkit::bed::DEADLINE, || {
            let run = self.env.run(arguments);
            (run.code == Some(0)).then_some(run)
        })
    }

    /// Rows of our status by workload, and the exit code.
    pub(crate) fn rows(&self) -> (BTreeMap<String, Value>, Option<i32>) {
        let run = self.status(&["-o", "json"]);
        let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"));
        let items = document["items"].as_array().cloned().unwrap_or_default();
        (items.into_iter().map(|item| (item["workload"].as_str().unwrap_or_default().to_owned(), item)).collect(), run.code)
    }

    /// Waits until our status says this of a workload.
    pub(crate) fn wait_verdict(&self, workload: &str, verdict: &str) -> Value {
        let what = format!("status to say {verdict} of {workload}");
        self.ns.wait_for(&what, runway_testkit::bed::DEADLINE, || {
            let (rows, _) = self.rows();
            rows.get(workload).filter(|row| row["verdict"] == verdict).cloned()
        })
    }
}

/// The documents of a text of manifests.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let (documents, findings) = yaml::documents("inventory.yaml", text, yaml::Limits::default());
    assert!(findings.is_empty(), "{findings:?}");
    documents.iter().map(to_json).collect()
}
