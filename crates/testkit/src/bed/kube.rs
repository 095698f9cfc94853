//! One cluster as one user sees it: what a test reads, writes and waits for.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::DEADLINE;
use super::api::Api;
use super::conditions::{describe, is_condition};
use super::kinds;
use super::namespace::Ns;
use super::process::log_lines;
use super::state::{ClusterState, State};
use super::trouble::{Result, Trouble};
use crate::command::{Run, mortal, run};

/// How long kubectl, flux and oras may take.
const TOOL_LIMIT: Duration = Duration::from_secs(180);

/// A cluster and a user of it. Every method panics, with what the server said, on an answer that a test cannot go on with.
///
/// A `kind` is written `kustomization`, `ocirepository`, `configmap`, … or `GROUP/VERSION/PLURAL`; an empty namespace means the whole cluster.
#[derive(Debug, Clone)]
pub struct Kube {
    bed: Arc<State>,
    cluster: ClusterState,
    user: String,
    api: Api,
}

impl Kube {
    pub(crate) fn connect(bed: Arc<State>, cluster: ClusterState) -> Result<Self> {
        let api = Api::new(cluster.port, &bed.ground.pki("ca.crt"), &cluster.token("admin"))?;
        Ok(Self { bed, cluster, user: "admin".to_owned(), api })
    }

    /// The shared cluster of a bed, as its admin.
    ///
    /// # Errors
    ///
    /// When the bed's files cannot be read.
    pub fn of(bed: &State) -> Result<Self> {
        Self::connect(Arc::new(bed.clone()), bed.cluster.clone())
    }

    /// The same cluster for another of [`super::USERS`].
    #[must_use]
    pub fn as_user(&self, user: &str) -> Self {
        assert!(super::USERS.iter().any(|(known, _)| *known == user), "no user {user:?} in the bed");
        Self { user: user.to_owned(), api: self.api.with_token(&self.cluster.token(user)), ..self.clone() }
    }

    /// The cluster's name, which is also its kubeconfig's context.
    pub fn name(&self) -> &str {
        &self.cluster.name
    }

    /// The API server's address.
    pub fn server(&self) -> String {
        self.cluster.server()
    }

    /// The user's kubeconfig file.
    pub fn kubeconfig(&self) -> PathBuf {
        self.cluster.kubeconfig(&self.user)
    }

    /// The user's token.
    pub fn token(&self) -> String {
        self.cluster.token(&self.user)
    }

    /// Runs kubectl as this user.
    pub fn kubectl(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        self.tool("kubectl", arguments, b"")
    }

    /// Runs the flux command as this user.
    pub fn flux(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        self.tool("flux", arguments, b"")
    }

    /// Runs the oras command.
    pub fn oras(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        self.tool("oras", arguments, b"")
    }

    /// Creates or changes the objects of a YAML or JSON text, by server-side apply.
    #[track_caller]
    pub fn apply(&self, yaml: &str) {
        let run = self.tool("kubectl", ["apply", "--server-side", "--force-conflicts", "-f", "-"], yaml.as_bytes());
        assert!(run.code == Some(0), "kubectl apply of\n{yaml}\n{run}");
    }

    /// The same for objects without a namespace of their own.
    pub(crate) fn apply_in(&self, namespace: &str, yaml: &str) -> Run {
        self.tool("kubectl", ["apply", "--server-side", "--force-conflicts", "-n", namespace, "-f", "-"], yaml.as_bytes())
    }

    /// An object; `None` when there is none.
    #[track_caller]
    pub fn get_json(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        or_panic(self.api.get(&kinds::path(kind, namespace, Some(name))))
    }

    /// All objects of a kind.
    #[track_caller]
    pub fn list_json(&self, kind: &str, namespace: &str) -> Vec<Value> {
        let list = or_panic(self.api.get(&kinds::path(kind, namespace, None)));
        let items = list.as_ref().and_then(|list| list.get("items")).and_then(Value::as_array);
        items.cloned().unwrap_or_default()
    }

    /// Merges this into an object (a JSON merge patch).
    #[track_caller]
    pub fn patch(&self, kind: &str, namespace: &str, name: &str, merge: &Value) -> Value {
        self.patch_at(&kinds::path(kind, namespace, Some(name)), merge)
    }

    /// Merges this into an object's status, as a controller does: `json!({"status": …})`.
    #[track_caller]
    pub fn patch_status(&self, kind: &str, namespace: &str, name: &str, merge: &Value) -> Value {
        self.patch_at(&format!("{}/status", kinds::path(kind, namespace, Some(name))), merge)
    }

    #[track_caller]
    fn patch_at(&self, path: &str, merge: &Value) -> Value {
        or_panic(self.api.write("PATCH", path, "application/merge-patch+json", merge))
    }

    /// Deletes an object; one that is not there is fine.
    #[track_caller]
    pub fn delete(&self, kind: &str, namespace: &str, name: &str) {
        let path = kinds::path(kind, namespace, Some(name));
        match self.api.send("DELETE", &path, "application/json", b"") {
            Ok(answer) if answer.status == 404 || (200..300).contains(&answer.status) => {}
            Ok(answer) => panic!("DELETE {path}: {} {}", answer.status, answer.text()),
            Err(error) => panic!("DELETE {path}: {error}"),
        }
    }

    /// Asks the object's controller to look at it now, as `flux reconcile` does, without waiting.
    #[track_caller]
    pub fn reconcile(&self, kind: &str, namespace: &str, name: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let asked = format!("bed-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        self.patch(kind, namespace, name, &json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": asked}}}));
    }

    /// Makes a namespace of exactly this name, unless it is there. For a cluster of a test's own.
    #[track_caller]
    pub fn create_namespace(&self, name: &str) {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        if self.get_json("namespace", "", name).is_none() {
            or_panic(self.api.write("POST", &kinds::path("namespace", "", None), "application/json", &object));
        }
    }

    /// Makes a new namespace, whose name begins with this and is the test's own.
    #[track_caller]
    pub fn namespace(&self, name: &str) -> Ns {
        let name = super::handle::unique(name);
        self.create_namespace(&name);
        Ns::new(self.as_user("admin"), name)
    }

    /// Polls until the closure has something.
    ///
    /// # Panics
    ///
    /// Panics at the deadline, with the Flux objects' conditions and the end of the controllers' logs.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, deadline: Duration, closure: impl FnMut() -> Option<T>) -> T {
        self.wait_in("", what, deadline, closure)
    }

    /// Waits until the object's controller has seen its newest form and says `Ready=True`; gives the object.
    #[track_caller]
    pub fn wait_ready(&self, kind: &str, namespace: &str, name: &str) -> Value {
        let what = format!("{kind} {namespace}/{name} to be Ready");
        self.wait_in(namespace, &what, DEADLINE, || {
            self.get_json(kind, namespace, name).filter(|object| is_condition(object, "Ready", "True", None))
        })
    }

    /// Waits until the object's condition has this status and, when given, this reason; gives the object.
    #[track_caller]
    pub fn wait_condition(&self, object: (&str, &str, &str), condition: &str, status: &str, reason: Option<&str>) -> Value {
        let (kind, namespace, name) = object;
        let shown = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let what = format!("{kind} {namespace}/{name} to have {condition}={status}{shown}");
        self.wait_in(namespace, &what, DEADLINE, || {
            self.get_json(kind, namespace, name).filter(|object| is_condition(object, condition, status, reason))
        })
    }

    #[track_caller]
    pub(crate) fn wait_in<T>(&self, namespace: &str, what: &str, limit: Duration, mut closure: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(value) = closure() {
                return value;
            }
            assert!(start.elapsed() < limit, "waited {limit:?} for {what}\n{}", self.as_user("admin").diagnosis(namespace));
            thread::sleep(Duration::from_millis(150));
        }
    }

    /// The Flux objects of a namespace with their conditions, and the last lines of the controllers' logs that name it.
    pub fn diagnosis(&self, namespace: &str) -> String {
        let mut text = String::new();
        for kind in ["ocirepository", "kustomization"] {
            let list = self.api.get(&kinds::path(kind, namespace, None));
            let objects =
                list.map(|list| list.as_ref().and_then(|list| list.get("items")?.as_array().cloned()).unwrap_or_default());
            match objects {
                Ok(objects) => objects.iter().take(40).for_each(|object| describe(&mut text, kind, object)),
                Err(error) => {
                    let _infallible = writeln!(text, "{error}");
                }
            }
        }
        for controller in ["source-controller", "kustomize-controller"] {
            let log = self.cluster.logs.join(format!("{controller}.log"));
            let lines = log_lines(&log, 20, namespace);
            let _infallible = writeln!(text, "--- the end of {}, {namespace} ---\n{lines}", log.display());
        }
        text
    }

    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    pub(crate) fn bed(&self) -> &Arc<State> {
        &self.bed
    }

    /// Runs flux, oras or kubectl from the bed, or skopeo from the system, with more variables.
    ///
    /// # Panics
    ///
    /// Panics when it does not start or end.
    #[track_caller]
    pub fn peer(&self, name: &str, variables: &[(&str, &str)], arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
        let own = self.bed.ground.bin.join(name);
        let program = if own.is_file() { own } else { Path::new("/usr/bin").join(name) };
        let mut command = mortal(&program);
        command.args(arguments);
        let shown = format!("{command:?}");
        let home = self.cluster.folder.join("home");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home).env("KUBECONFIG", self.kubeconfig());
        command.envs(variables.iter().copied());
        run(command, b"", TOOL_LIMIT).unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    #[track_caller]
    fn tool(&self, name: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, stdin: &[u8]) -> Run {
        let mut command = mortal(&self.bed.ground.bin.join(name));
        command.args(arguments);
        let shown = format!("{command:?}");
        let home = self.cluster.folder.join("home");
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home).env("KUBECONFIG", self.kubeconfig());
        run(command, stdin, TOOL_LIMIT).unwrap_or_else(|error| panic!("{shown}: {error}"))
    }
}

#[track_caller]
pub(crate) fn or_panic<T>(result: std::result::Result<T, Trouble>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
