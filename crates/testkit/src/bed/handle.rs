//! The way in for a test: connects to the bed that `cargo xtask test` (or `testbed up`) has started.

use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::cluster::{Cluster, Options};
use super::kube::{Kube, or_panic};
use super::registry::{More, Registry};
use super::state::State;
use super::trouble::Context as _;

/// The running bed. Everything that [`Kube`] can do, it does as the admin of the cluster that all tests share.
#[derive(Debug, Clone)]
pub struct Handle {
    kube: Kube,
}

impl Handle {
    /// Connects to the bed that `RUNWAY_TESTBED` names.
    ///
    /// # Panics
    ///
    /// Panics when there is none.
    pub fn connect() -> Self {
        let Some(file) = std::env::var_os(super::VARIABLE) else {
            panic!(
                "{} is not set: live tests need the test bed. Run them by `cargo xtask test`, or start a bed with \
                 `cargo xtask testbed up` and export what it prints",
                super::VARIABLE
            );
        };
        let state = or_panic(State::read(Path::new(&file)));
        assert!(
            state.owner_lives(),
            "the test bed of {} is gone: its process {} has ended",
            Path::new(&file).display(),
            state.owner
        );
        end_with(&state);
        let cluster = state.cluster.clone();
        Self { kube: or_panic(Kube::connect(Arc::new(state), cluster)) }
    }

    /// The bed's state: addresses and folders.
    pub fn state(&self) -> &State {
        self.kube.bed()
    }

    /// The folder with kubectl, flux, helm and oras, for [`crate::env::Env::path_add`].
    pub fn bin(&self) -> &Path {
        &self.state().ground.bin
    }

    /// `localhost:PORT` of the registry that all tests share.
    pub fn registry(&self) -> &str {
        &self.state().registry
    }

    /// `localhost:PORT/NAME-UNIQUE`: a place in the registry that is the test's own.
    pub fn repository_base(&self, scenario: &str) -> String {
        format!("{}/{}", self.registry(), unique(scenario))
    }

    /// Starts a whole cluster with Flux for this test alone; its context has this name.
    ///
    /// # Panics
    ///
    /// Panics when it does not get ready.
    #[track_caller]
    pub fn cluster(&self, name: &str) -> Cluster {
        self.cluster_with(name, Options::default())
    }

    /// Starts a cluster for this test alone, as the options say.
    ///
    /// # Panics
    ///
    /// Panics when it does not get ready.
    #[track_caller]
    pub fn cluster_with(&self, name: &str, options: Options) -> Cluster {
        or_panic(Cluster::start(self.kube.bed(), name, options).context(|| format!("cluster {name}")))
    }

    /// Starts a registry for this test alone, which may be stopped and started again.
    ///
    /// # Panics
    ///
    /// Panics when it does not get ready.
    #[track_caller]
    pub fn own_registry(&self, name: &str) -> Registry {
        or_panic(Registry::start(&self.state().ground, &unique(name), More::default()).context(|| format!("registry {name}")))
    }
}

impl Deref for Handle {
    type Target = Kube;

    fn deref(&self) -> &Kube {
        &self.kube
    }
}

/// Ends this process soon after the bed's owner has ended: tests of a bed that is gone would only wait for their deadlines,
/// and the clusters that they started would outlive it.
fn end_with(state: &State) {
    static WATCH: Once = Once::new();
    let state = state.clone();
    WATCH.call_once(|| {
        thread::spawn(move || {
            while state.owner_lives() {
                thread::sleep(Duration::from_millis(500));
            }
            end_now(&state);
        });
    });
}

#[expect(clippy::exit, clippy::print_stderr, reason = "the tests of this process have lost what they stand on")]
fn end_now(state: &State) -> ! {
    eprintln!("the test bed is gone: its process {} has ended", state.owner);
    std::process::exit(101)
}

/// A kubeconfig (JSON, which is YAML) with these contexts, the first being the current one: context name, cluster, user.
pub fn merge_kubeconfig(contexts: &[(&str, &Kube, &str)]) -> String {
    let mut clusters = Vec::new();
    let mut users = Vec::new();
    let mut entries = Vec::new();
    for (context, kube, user) in contexts {
        let kube = kube.as_user(user);
        let ca = kube.bed().ground.pki("ca.crt");
        clusters.push(json!({"name": context, "cluster": {"server": kube.server(), "certificate-authority": ca}}));
        users.push(json!({"name": context, "user": {"token": kube.token()}}));
        entries.push(json!({"name": context, "context": {"cluster": context, "user": context}}));
    }
    let current = contexts.first().map_or(Value::Null, |(context, ..)| json!(context));
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": current,
        "clusters": clusters, "users": users, "contexts": entries,
    });
    format!("{config:#}\n")
}

/// A name that no other test of any process uses.
pub(crate) fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
