//! An API server on 127.0.0.1 whose objects change: it takes patches, plays Flux's controllers as far as requests go, and
//! sends what changed to whoever watches.

use super::fake::answer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const REQUESTED: &str = "reconcile.fluxcd.io/requestedAt";
/// The longest that a watch is kept open.
const LONGEST: Duration = Duration::from_secs(120);

/// What came.
pub(crate) struct Request {
    /// Such as `PATCH`.
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) target: String,
    body: Vec<u8>,
}

/// What is done instead of an answer.
pub(crate) enum Instead {
    /// A refusal with this code and these words.
    Refuse(u16, &'static str),
    /// The connection ends without a word.
    Cut,
}

type Script = dyn Fn(&Request, usize) -> Option<Instead> + Send + Sync;

#[derive(Default)]
struct World {
    objects: Vec<Value>,
    version: u64,
    events: Vec<(u64, Value)>,
    lines: Vec<String>,
    counts: BTreeMap<String, usize>,
}

/// A server with objects.
pub(crate) struct Api {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    world: Arc<Mutex<World>>,
}

impl Api {
    /// Serves these objects. `script` may do something else about a request; it is told how many of the same method came before.
    pub(crate) fn start(
        objects: Vec<Value>,
        script: impl Fn(&Request, usize) -> Option<Instead> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World { objects, version: 100, ..World::default() }));
        let (inside, script): (_, Arc<Script>) = (Arc::clone(&world), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (world, script) = (Arc::clone(&inside), Arc::clone(&script));
                std::thread::spawn(move || connection(stream, &world, &*script));
            }
        });
        Self { url, world }
    }

    /// Changes an object, which watchers hear of.
    pub(crate) fn change(&self, kind: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let mut world = self.world.lock().unwrap();
        let found = world.objects.iter_mut().find(|it| it["kind"] == kind && it["metadata"]["name"] == name).unwrap();
        change(found);
        let object = found.clone();
        world.tell(object);
    }

    /// Lines such as `PATCH /apis/…` that came so far.
    pub(crate) fn lines(&self, method: &str) -> Vec<String> {
        self.world.lock().unwrap().lines.iter().filter(|line| line.starts_with(method)).cloned().collect()
    }
}

impl World {
    fn tell(&mut self, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.events.push((self.version, object));
    }
}

/// One connection may carry several questions. Tells nothing of its end.
fn connection(mut stream: TcpStream, world: &Mutex<World>, script: &Script) {
    while let Some(request) = read(&mut stream) {
        let before = {
            let mut world = world.lock().unwrap();
            world.lines.push(format!("{} {}", request.method, request.target));
            let count = world.counts.entry(request.method.clone()).or_default();
            *count += 1;
            *count - 1
        };
        let (status, body) = match script(&request, before) {
            Some(Instead::Cut) => return,
            Some(Instead::Refuse(code, words)) => {
                (code, json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": words}))
            }
            None if request.target.contains("watch=1") => return watch(&mut stream, world, &request.target),
            None if request.method == "PATCH" => patch(world, &request),
            None => get(world, &request.target),
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request of a connection; none when it is closed.
pub(crate) fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0_u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut first = head.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(Request { method, target, body })
}

fn get(world: &Mutex<World>, target: &str) -> (u16, Value) {
    let world = world.lock().unwrap();
    let (status, mut body) = answer(target, &world.objects);
    if body["items"].is_array() {
        body["metadata"] = json!({"resourceVersion": world.version.to_string()});
    }
    (status, body)
}

fn patch(world: &Mutex<World>, request: &Request) -> (u16, Value) {
    let mut world = world.lock().unwrap();
    let (status, object) = answer(&request.target, &world.objects);
    if status != 200 {
        return (status, object);
    }
    let merge: Value = serde_json::from_slice(&request.body).unwrap();
    let token = merge["metadata"]["annotations"][REQUESTED].clone();
    let is = |it: &&mut Value| it["kind"] == object["kind"] && it["metadata"]["name"] == object["metadata"]["name"];
    let found = world.objects.iter_mut().find(is).unwrap();
    if found["metadata"]["annotations"].is_null() {
        found["metadata"]["annotations"] = json!({});
    }
    found["metadata"]["annotations"][REQUESTED] = token.clone();
    found["status"]["lastHandledReconcileAt"] = token;
    let object = found.clone();
    world.tell(object.clone());
    (200, object)
}

/// Sends what changed since, as long as somebody listens.
fn watch(stream: &mut TcpStream, world: &Mutex<World>, target: &str) {
    let (path, query) = target.split_once('?').unwrap();
    let since = query.split('&').find_map(|pair| pair.strip_prefix("resourceVersion=")).unwrap();
    let mut since: u64 = since.parse().unwrap();
    let kind = if path.ends_with("ocirepositories") { "OCIRepository" } else { "Kustomization" };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    let mut text = head.to_owned();
    let begun = Instant::now();
    while begun.elapsed() < LONGEST && stream.write_all(text.as_bytes()).and_then(|()| stream.flush()).is_ok() {
        std::thread::sleep(Duration::from_millis(20));
        let world = world.lock().unwrap();
        let new = world.events.iter().filter(|(version, object)| *version > since && object["kind"] == kind);
        text.clear();
        for (_, object) in new {
            text.push_str(&json!({"type": "MODIFIED", "object": object}).to_string());
            text.push('\n');
        }
        since = world.version;
    }
}
