//! API servers on 127.0.0.1 for the built program: one that answers from a list of objects, one that hangs, one that is not
//! there.

use super::api::{Request, read};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Kind, group/version, plural, whether it lives in namespaces.
const KINDS: [(&str, &str, &str, bool); 9] = [
    ("OCIRepository", "source.toolkit.fluxcd.io/v1", "ocirepositories", true),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/v1", "kustomizations", true),
    ("ConfigMap", "v1", "configmaps", true),
    ("Secret", "v1", "secrets", true),
    ("Namespace", "v1", "namespaces", false),
    ("Pod", "v1", "pods", true),
    ("Event", "v1", "events", true),
    ("Deployment", "apps/v1", "deployments", true),
    ("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", false),
];

/// A server with objects.
pub(crate) struct Fake {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    /// Serves these objects; a path that contains `forbidden` is refused.
    pub(crate) fn start(objects: Vec<Value>, forbidden: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (objects, log) = (Arc::new(objects), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (objects, log) = (Arc::clone(&objects), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &objects, forbidden, &log));
            }
        });
        Self { url, asked }
    }

    /// Serves what a recorded case has.
    pub(crate) fn recorded(case: &str) -> Self {
        Self::start(recorded(case), "\0")
    }

    /// Paths that were asked for so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// The folder of a recorded case.
pub(crate) fn folder(case: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(case).display().to_string()
}

/// The objects of a recorded case.
pub(crate) fn recorded(case: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(Path::new(&folder(case)).join("cluster.json")).unwrap();
    let list: Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// A server that accepts and never says a word.
pub(crate) fn hanging() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    url
}

/// A server that is not there.
pub(crate) fn refusing() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

/// A kubeconfig with these contexts, each with its server; the first is the current one. A context whose name begins with
/// `broken` names a user that is not there.
pub(crate) fn kubeconfig(contexts: &[(&str, &str)]) -> String {
    let cluster = |(name, server): &(&str, &str)| json!({"name": name, "cluster": {"server": server}});
    let context = |(name, _): &(&str, &str)| {
        let user = if name.starts_with("broken") { "nobody" } else { "user" };
        json!({"name": name, "context": {"cluster": name, "user": user}})
    };
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": contexts[0].0,
        "clusters": contexts.iter().map(cluster).collect::<Vec<_>>(),
        "contexts": contexts.iter().map(context).collect::<Vec<_>>(),
        "users": [{"name": "user", "user": {}}],
    })
    .to_string()
}

fn serve(mut stream: TcpStream, objects: &[Value], forbidden: &str, log: &Mutex<Vec<String>>) {
    // One connection may carry several questions.
    while let Some(Request { target, .. }) = read(&mut stream) {
        log.lock().unwrap().push(target.clone());
        if target.contains("watch=1") {
            // Nothing changes, until the client has enough.
            let head = b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
            drop(stream.write_all(head).map(|()| stream.read(&mut [0])));
            return;
        }
        let (code, body) = if target.contains(forbidden) {
            (403, json!({"kind": "Status", "code": 403, "reason": "Forbidden", "message": format!("{target} is forbidden")}))
        } else {
            answer(&target, objects)
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 {code} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

pub(crate) fn answer(target: &str, objects: &[Value]) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for (kind, version, plural, namespaced) in KINDS {
        let root = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
        if path == root {
            let all: Vec<Value> = KINDS
                .iter()
                .filter(|(_, of, ..)| *of == version)
                .map(|(kind, _, name, namespaced)| json!({"name": name, "kind": kind, "namespaced": namespaced}))
                .collect();
            return (200, json!({"kind": "APIResourceList", "resources": all}));
        }
        let parts: Vec<&str> = path.strip_prefix(&root).unwrap_or_default().split('/').skip(1).collect();
        let (namespace, rest) = match parts.as_slice() {
            ["namespaces", namespace, rest @ ..] if namespaced && !rest.is_empty() => (*namespace, rest),
            rest => ("", rest),
        };
        let of_kind = |object: &&Value| {
            object["kind"] == kind
                && object["apiVersion"].as_str().is_some_and(|of| same_group(of, version))
                && (namespace.is_empty() || object["metadata"]["namespace"] == namespace)
        };
        match rest {
            [name] if *name == plural => {
                let items: Vec<&Value> = objects.iter().filter(of_kind).filter(|object| selected(object, query)).collect();
                return (
                    200,
                    json!({"kind": format!("{kind}List"), "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}),
                );
            }
            [of, name] if *of == plural => {
                let found = objects.iter().filter(of_kind).find(|object| object["metadata"]["name"] == *name);
                let absent = json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": format!("{plural} {name:?} not found"), "details": {"name": name, "kind": plural}});
                return found.map_or((404, absent), |object| (200, object.clone()));
            }
            _ => {}
        }
    }
    (
        404,
        json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": "the server could not find the requested resource"}),
    )
}

fn same_group(one: &str, other: &str) -> bool {
    let group = |text: &str| text.split_once('/').map_or(String::new(), |(group, _)| group.to_owned());
    group(one) == group(other)
}

/// Label and field selectors of the form `a=b,c=d`, percent-encoded.
fn selected(object: &Value, query: &str) -> bool {
    let query: BTreeMap<String, String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.to_owned(), decoded(value))).collect();
    let labels = query.get("labelSelector").into_iter().flat_map(|text| text.split(','));
    let fields = query.get("fieldSelector").into_iter().flat_map(|text| text.split(','));
    labels.filter_map(|pair| pair.split_once('=')).all(|(key, value)| object["metadata"]["labels"][key] == value)
        && fields
            .filter_map(|pair| pair.split_once('='))
            .all(|(key, value)| object.pointer(&format!("/{}", key.replace('.', "/"))).and_then(Value::as_str) == Some(value))
}

fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (code, after) = after.split_at(2);
        out.push(char::from(u8::from_str_radix(code, 16).unwrap()));
        rest = after;
    }
    out + rest
}

/// A recorded case that a test changes: its objects, its inventory and what the registry answered.
#[derive(Clone)]
pub(crate) struct Case {
    /// The cluster's objects.
    pub(crate) objects: Vec<Value>,
    /// `production/inventory.yaml`.
    pub(crate) published: String,
    /// `registry.json`.
    pub(crate) registry: Value,
}

impl Case {
    /// As it was recorded.
    pub(crate) fn recorded(case: &str) -> Self {
        let read = |path: &str| std::fs::read_to_string(Path::new(&folder(case)).join(path)).unwrap();
        let registry = serde_json::from_str(&read("registry.json")).unwrap();
        Self { objects: recorded(case), published: read("published/production/inventory.yaml"), registry }
    }

    /// Another name for a workload or a runtime's parent, wherever it stands.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let words = |text: &str| {
            text.replace(&format!("\"{from}\""), &format!("\"{to}\"")).replace(&format!("/{from}/"), &format!("/{to}/"))
        };
        let all = |value: &Value| serde_json::from_str::<Value>(&words(&value.to_string())).unwrap();
        let objects = all(&Value::from(std::mem::take(&mut self.objects)));
        self.objects.clone_from(objects.as_array().unwrap());
        self.registry = all(&self.registry);
        self.published = words(&self.published).replace(&format!("name: {from}\n"), &format!("name: {to}\n"));
    }

    /// An object by kind and name.
    pub(crate) fn object(&mut self, kind: &str, name: &str) -> &mut Value {
        self.objects.iter_mut().find(|it| it["kind"] == kind && it["metadata"]["name"] == name).unwrap()
    }

    /// A condition of an object.
    pub(crate) fn condition(&mut self, kind: &str, name: &str, condition: &str) -> &mut Value {
        let all = self.object(kind, name)["status"]["conditions"].as_array_mut().unwrap();
        all.iter_mut().find(|it| it["type"] == condition).unwrap()
    }

    /// Takes an object away.
    pub(crate) fn without(&mut self, kind: &str, name: &str) {
        self.objects.retain(|it| it["kind"] != kind || it["metadata"]["name"] != name);
    }

    /// Writes it as a folder that `--snapshot` takes.
    pub(crate) fn write(&self, env: &runway_testkit::env::Env, folder: &str) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": self.objects});
        env.write(format!("{folder}/cluster.json"), list.to_string());
        env.write(format!("{folder}/registry.json"), self.registry.to_string());
        env.write(format!("{folder}/published/production/inventory.yaml"), &self.published);
    }
}
