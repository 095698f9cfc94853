//! One cluster of the bed: an API server with its own place in etcd, the Flux kinds, and the two controllers.

use std::fmt::Write as _;
use std::fs;
use std::ops::Deref;
use std::time::Duration;

use serde_json::json;

use super::api::Api;
use super::furniture;
use super::handle::unique;
use super::kube::Kube;
use super::nodes;
use super::ports::{free_port, random};
use super::process::{Process, Spec};
use super::state::{ClusterState, Ground, State, USERS};
use super::trouble::{Context as _, Result};
use super::wire::Endpoint;

pub(crate) const START_LIMIT: Duration = Duration::from_secs(120);

/// What a cluster of a test's own is to have.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a cluster may have")]
pub struct Options {
    /// Flux's controllers. The kinds are there in any case.
    pub flux: bool,
    /// Serve `OCIRepository` as `v1beta2` too, deprecated, as Flux 2.6 and 2.7 do.
    pub source_v1beta2: bool,
    /// The controllers of Kubernetes itself, its scheduler and a simulated node: Deployments get Pods, Pods run or fail by the
    /// images that they name (`stages.yaml`), namespaces go, and what an owner leaves is collected. A third of a GiB more.
    pub pods: bool,
    /// A Kustomization may name a source of its own namespace only, as Flux recommends where tenants share a cluster.
    pub apart: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { flux: true, source_v1beta2: false, pods: false, apart: false }
    }
}

/// A whole cluster of a test's own, in the bed's etcd; dropping it ends it. Everything that [`Kube`] can do, it can.
#[derive(Debug)]
pub struct Cluster {
    kube: Kube,
    running: Running,
}

impl Cluster {
    pub(crate) fn start(bed: &std::sync::Arc<State>, name: &str, options: Options) -> Result<Self> {
        let running = Running::start(&bed.ground, name, &unique(name), options)?;
        let kube = Kube::connect(std::sync::Arc::clone(bed), running.state.clone())?;
        Ok(Self { kube, running })
    }

    /// Ends one of its servers: `kube-apiserver`, `source-controller`, `kustomize-controller`, or one of those that run Pods.
    ///
    /// # Panics
    ///
    /// Panics on any other name.
    pub fn stop(&mut self, server: &str) {
        self.running.server(server).stop(Duration::from_secs(2));
    }

    /// Starts one of its servers again, and waits until it is ready.
    ///
    /// # Panics
    ///
    /// Panics on an unknown name, on a server that runs, and when it does not get ready.
    pub fn start_again(&mut self, server: &str) {
        let admin = self.kube.as_user("admin");
        let process = self.running.server(server);
        if let Err(error) = process.start_again().and_then(|()| match server {
            "kube-apiserver" => process.wait_ready(START_LIMIT, || admin.api().is_ready()),
            _ => Ok(()),
        }) {
            panic!("{error}");
        }
    }
}

impl Deref for Cluster {
    type Target = Kube;

    fn deref(&self) -> &Kube {
        &self.kube
    }
}

/// The servers of a cluster. The controllers end before the API server, and that before etcd, without which it does not listen to anybody.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) state: ClusterState,
    controllers: Vec<Process>,
    api_server: Process,
}

impl Running {
    /// The context has this name; files and etcd know the cluster by its id.
    pub(crate) fn start(ground: &Ground, name: &str, id: &str, options: Options) -> Result<Self> {
        let state = ClusterState {
            name: name.to_owned(),
            port: free_port(),
            folder: ground.data().join("clusters").join(id),
            logs: ground.logs().join(id),
            secret: format!("{:016x}", random()),
        };
        fs::create_dir_all(&state.folder).context(|| state.folder.display().to_string())?;
        write_users(ground, &state).context(|| state.folder.display().to_string())?;

        let mut api_server = Process::start(api_server(ground, &state))?;
        let api = Api::new(state.port, &ground.pki("ca.crt"), &state.token("admin"))?;
        api_server.wait_ready(START_LIMIT, || api.is_ready())?;
        let mut running = Self { state, controllers: Vec::new(), api_server };
        furniture::install(ground, &running.state, &api, options)?;
        if options.pods {
            running.controllers.extend(nodes::start(ground, &running.state, &api)?);
        }
        if options.flux {
            running.start_flux(ground, options)?;
        }
        Ok(running)
    }

    /// All its servers.
    pub(crate) fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        std::iter::once(&mut self.api_server).chain(&mut self.controllers)
    }

    fn server(&mut self, name: &str) -> &mut Process {
        let cluster = self.state.name.clone();
        self.processes()
            .find(|process| process.name() == name)
            .unwrap_or_else(|| panic!("cluster {cluster} has no server {name}"))
    }

    fn start_flux(&mut self, ground: &Ground, options: Options) -> Result<()> {
        let storage = free_port();
        let mut ready = Vec::new();
        for name in ["source-controller", "kustomize-controller"] {
            let (metrics, health) = (free_port(), free_port());
            let mut arguments = vec![
                format!("--metrics-addr=127.0.0.1:{metrics}"),
                format!("--health-addr=127.0.0.1:{health}"),
                "--enable-leader-election=false".to_owned(),
                "--watch-all-namespaces=true".to_owned(),
                // So that a repaired fault is seen soon; the default grows to 15 minutes.
                "--max-retry-delay=10s".to_owned(),
            ];
            if name == "source-controller" {
                let folder = self.state.folder.join("storage");
                fs::create_dir_all(&folder).context(|| folder.display().to_string())?;
                arguments.push(format!("--storage-path={}", folder.display()));
                arguments.push(format!("--storage-addr=127.0.0.1:{storage}"));
                arguments.push(format!("--storage-adv-addr=localhost:{storage}"));
            } else {
                arguments.push("--requeue-dependency=5s".to_owned());
                if options.apart {
                    arguments.push("--no-cross-namespace-refs=true".to_owned());
                }
            }
            let kubeconfig = self.state.kubeconfig("admin").display().to_string();
            self.controllers.push(Process::start(Spec {
                name: name.to_owned(),
                program: ground.bin.join(name),
                arguments,
                variables: vec![
                    ("KUBECONFIG".to_owned(), kubeconfig),
                    ("RUNTIME_NAMESPACE".to_owned(), "flux-system".to_owned()),
                ],
                scratch: self.state.folder.join(name),
                log: self.state.logs.join(format!("{name}.log")),
            })?);
            ready.push(Endpoint { port: health, tls: None });
        }
        let others = self.controllers.len() - ready.len();
        for (process, endpoint) in self.controllers.iter_mut().skip(others).zip(ready) {
            process
                .wait_ready(START_LIMIT, || endpoint.send("GET", "/readyz", &[], b"").is_ok_and(|answer| answer.status == 200))?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.controllers.iter().for_each(Process::ask_to_end);
        for controller in &mut self.controllers {
            controller.stop(Duration::from_secs(2));
        }
        self.api_server.stop(Duration::from_secs(1));
    }
}

fn api_server(ground: &Ground, state: &ClusterState) -> Spec {
    let file = |name: &str| ground.pki(name).display().to_string();
    let arguments = [
        format!("--etcd-servers={}", ground.etcd),
        format!("--etcd-prefix=/{}-{}", state.name, state.secret),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--secure-port={}", state.port),
        format!("--tls-cert-file={}", file("server.crt")),
        format!("--tls-private-key-file={}", file("server.key")),
        format!("--cert-dir={}", state.folder.display()),
        format!("--token-auth-file={}", state.folder.join("tokens.csv").display()),
        "--authorization-mode=RBAC".to_owned(),
        format!("--service-account-key-file={}", file("service-accounts.pub")),
        format!("--service-account-signing-key-file={}", file("service-accounts.key")),
        "--service-account-issuer=https://localhost".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/24".to_owned(),
        // Nothing here makes the token secrets that it waits for.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ];
    Spec {
        name: "kube-apiserver".to_owned(),
        program: ground.bin.join("kube-apiserver"),
        arguments: arguments.into(),
        variables: Vec::new(),
        scratch: state.folder.join("kube-apiserver"),
        log: state.logs.join("kube-apiserver.log"),
    }
}

/// Writes the users' tokens and a kubeconfig for each.
fn write_users(ground: &Ground, state: &ClusterState) -> std::io::Result<()> {
    let mut tokens = String::new();
    for (user, groups) in USERS {
        let token = state.token(user);
        let _infallible = writeln!(tokens, "{token},{user},{user},\"{}\"", groups.join(","));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": state.name,
            "clusters": [{"name": state.name, "cluster": {"server": state.server(), "certificate-authority": ground.pki("ca.crt")}}],
            "users": [{"name": format!("{}-{user}", state.name), "user": {"token": token}}],
            "contexts": [{"name": state.name, "context": {"cluster": state.name, "user": format!("{}-{user}", state.name)}}],
        });
        fs::write(state.kubeconfig(user), format!("{config:#}\n"))?;
    }
    fs::write(state.folder.join("tokens.csv"), tokens)
}
