//! A namespace of a test's own.

use std::time::Duration;

use serde_json::{Value, json};

use super::kinds;
use super::kube::{Kube, or_panic};

/// A namespace of a test's own, as the admin sees it.
///
/// When it is dropped, the Flux objects in it are suspended, so that the controllers are free for other tests. They and the namespace stay,
/// to be looked at: nothing in the bed would delete what is in them.
#[derive(Debug)]
pub struct Ns {
    kube: Kube,
    name: String,
}

impl Ns {
    pub(crate) fn new(kube: Kube, name: String) -> Self {
        Self { kube, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its cluster.
    pub fn kube(&self) -> &Kube {
        &self.kube
    }

    /// Applies objects; one without a namespace comes into this one.
    #[track_caller]
    pub fn apply(&self, yaml: &str) {
        let run = self.kube.apply_in(&self.name, yaml);
        assert!(run.code == Some(0), "kubectl apply of\n{yaml}\n{run}");
    }

    /// Creates an object here, without any tool between: for many of them.
    ///
    /// # Panics
    ///
    /// Panics when the server refuses.
    #[track_caller]
    pub fn create(&self, kind: &str, object: &Value) {
        or_panic(self.kube.api().write("POST", &kinds::path(kind, &self.name, None), "application/json", object));
    }

    /// [`Kube::get_json`] here.
    #[track_caller]
    pub fn get_json(&self, kind: &str, name: &str) -> Option<Value> {
        self.kube.get_json(kind, &self.name, name)
    }

    /// [`Kube::list_json`] here.
    #[track_caller]
    pub fn list_json(&self, kind: &str) -> Vec<Value> {
        self.kube.list_json(kind, &self.name)
    }

    /// [`Kube::patch`] here.
    #[track_caller]
    pub fn patch(&self, kind: &str, name: &str, merge: &Value) -> Value {
        self.kube.patch(kind, &self.name, name, merge)
    }

    /// [`Kube::delete`] here.
    #[track_caller]
    pub fn delete(&self, kind: &str, name: &str) {
        self.kube.delete(kind, &self.name, name);
    }

    /// [`Kube::reconcile`] here.
    #[track_caller]
    pub fn reconcile(&self, kind: &str, name: &str) {
        self.kube.reconcile(kind, &self.name, name);
    }

    /// [`Kube::wait_ready`] here.
    #[track_caller]
    pub fn wait_ready(&self, kind: &str, name: &str) -> Value {
        self.kube.wait_ready(kind, &self.name, name)
    }

    /// [`Kube::wait_condition`] here.
    #[track_caller]
    pub fn wait_condition(&self, kind: &str, name: &str, condition: &str, status: &str, reason: Option<&str>) -> Value {
        self.kube.wait_condition((kind, &self.name, name), condition, status, reason)
    }

    /// [`Kube::wait_for`], which tells of the objects of this namespace only.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, deadline: Duration, closure: impl FnMut() -> Option<T>) -> T {
        self.kube.wait_in(&self.name, what, deadline, closure)
    }
}

impl Drop for Ns {
    /// As well as it goes: a cluster that is gone has nothing to suspend.
    fn drop(&mut self) {
        let api = self.kube.api();
        // Kustomizations first: a parent that is still at work would take the suspension back from its children.
        for kind in ["kustomization", "ocirepository"] {
            let Ok(Some(list)) = api.get(&kinds::path(kind, &self.name, None)) else {
                return;
            };
            let items = list.get("items").and_then(Value::as_array);
            for object in items.into_iter().flatten() {
                if let Some(name) = object.pointer("/metadata/name").and_then(Value::as_str) {
                    let path = kinds::path(kind, &self.name, Some(name));
                    drop(api.write("PATCH", &path, "application/merge-patch+json", &json!({"spec": {"suspend": true}})));
                }
            }
        }
    }
}
