//! Asks a user entry's exec plugin for a credential: once for each distinct entry in a process, with a deadline, without our
//! stdin, with bounded output. kube would start it three times per client, with no limit and with our stdin.

use super::files::MAX_FILE;
use kube::config::{Cluster, ExecConfig, ExecInteractiveMode};
use runway_core::problem::{Class, Problem};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::OnceCell;

/// The longest that a plugin may take. Cloud plugins that ask their service take one to three seconds.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// How long pipes are still read after the plugin has ended: a daemon that it left behind may hold them open.
const LINGER: Duration = Duration::from_millis(500);
/// A credential that ends this soon is not used any more.
const MARGIN: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);
/// How long a failure answers for its plugin, so that contexts that share it do not all wait for it.
const FAILURE: Duration = Duration::from_secs(15);
/// Bytes of stdout that a plugin may print.
const STDOUT: usize = 1024 * 1024;
/// Bytes of stderr that are kept.
const STDERR: usize = 64 * 1024;

/// How to start a plugin. Holds secrets: no `Debug`.
pub(super) struct Plugin {
    command: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    version: String,
    /// `KUBERNETES_EXEC_INFO`.
    info: String,
    install_hint: Option<String>,
}

/// What a plugin answered. Holds secrets: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credential {
    /// Bearer token.
    pub(super) token: Option<String>,
    /// Certificate and key in PEM.
    pub(super) pair: Option<(String, String)>,
    /// When it ends.
    pub(super) until: Option<jiff::Timestamp>,
}

/// One question to a plugin; whoever comes while it runs waits for the same answer.
struct Question {
    answer: OnceCell<Result<Credential, String>>,
    asked: Instant,
}

impl Question {
    fn is_stale(&self) -> bool {
        match self.answer.get() {
            None => false,
            Some(Ok(credential)) => credential.is_over(),
            Some(Err(_)) => crate::clock::monotonic().saturating_duration_since(self.asked) > FAILURE,
        }
    }
}

impl Credential {
    /// Whether it has ended, or is about to.
    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| crate::clock::now() + MARGIN >= until)
    }
}

/// What was asked in this process, by all that the answer depends on.
static ASKED: Mutex<BTreeMap<String, Arc<Question>>> = Mutex::new(BTreeMap::new());

impl Plugin {
    /// Reads the entry; `authority` is the cluster's own in PEM.
    pub(super) fn new(exec: ExecConfig, cluster: &Cluster, authority: Option<&[u8]>) -> Result<Self, Problem> {
        let refused = |why: String| Problem::new(Class::Cluster, "the user entry's exec plugin cannot be used").cause(why);
        let command = exec.command.filter(|command| !command.is_empty()).ok_or_else(|| refused("it names no command".into()))?;
        let version = exec.api_version.unwrap_or_default();
        if !matches!(version.as_str(), "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1") {
            let why = format!("its apiVersion {version:?} is neither client.authentication.k8s.io/v1 nor …/v1beta1");
            return Err(refused(why).hint("write the kubeconfig anew with the tool that made it"));
        }
        if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            let why = format!("{command} wants to talk to you (interactiveMode: Always), and plugins get no terminal here");
            return Err(refused(why).hint("set interactiveMode to IfAvailable, or log in beforehand with a token"));
        }
        let mut spec = json!({"interactive": false});
        if exec.provide_cluster_info
            && let Some(map) = spec.as_object_mut()
        {
            map.insert("cluster".into(), cluster_info(cluster, authority));
        }
        let info = json!({"kind": "ExecCredential", "apiVersion": version, "spec": spec}).to_string();
        let pair = |map: std::collections::HashMap<String, String>| Some((map.get("name")?.clone(), map.get("value")?.clone()));
        let env = exec.env.unwrap_or_default().into_iter().filter_map(pair).collect();
        let install_hint = exec.install_hint.filter(|hint| !hint.trim().is_empty());
        Ok(Self { command, args: exec.args.unwrap_or_default(), env, version, info, install_hint })
    }

    /// The credential: from memory, from whoever is asking just now, or by starting the plugin.
    pub(super) async fn credential(&self, limit: Duration) -> Result<Credential, String> {
        let question = {
            let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(Question { answer: OnceCell::new(), asked: crate::clock::monotonic() });
            let known = asked.entry(self.key()).or_insert_with(fresh);
            if known.is_stale() {
                *known = fresh();
            }
            Arc::clone(known)
        };
        question.answer.get_or_init(|| self.ask(limit.min(LIMIT))).await.clone()
    }

    /// Forgets a credential that a server did not take, unless another one has come since.
    pub(super) fn forget(&self, refused: &Credential) {
        let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
        let key = self.key();
        if asked.get(&key).and_then(|question| question.answer.get()).is_some_and(|answer| answer.as_ref() == Ok(refused)) {
            asked.remove(&key);
        }
    }

    /// All that the answer depends on.
    fn key(&self) -> String {
        json!([self.command, self.args, self.env, self.info]).to_string()
    }

    /// Starts the plugin and reads its answer.
    async fn ask(&self, limit: Duration) -> Result<Credential, String> {
        let name = &self.command;
        match tokio::time::timeout(limit, self.run()).await {
            Ok(Ok(stdout)) => self.read(&stdout).map_err(|why| format!("the exec plugin {name} {why}")),
            Ok(Err(why)) => Err(format!("the exec plugin {name} {why}")),
            Err(_) => Err(format!("the exec plugin {name} did not answer within {} s", limit.as_secs_f32().ceil())),
        }
    }

    /// Runs the plugin to its end and gives its stdout.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one permitted place for a kubeconfig's plugins; deadline and bounds are here"
    )]
    async fn run(&self) -> Result<Vec<u8>, String> {
        let mut command = tokio::process::Command::new(&self.command);
        command.args(&self.args).envs(self.env.iter().map(|(name, value)| (name, value)));
        command.env("KUBERNETES_EXEC_INFO", &self.info);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| self.not_started(&error))?;
        let group = Group(child.id());
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let status = {
            let mut pipes =
                std::pin::pin!(async { tokio::join!(fill(stdout, &mut out, STDOUT), fill(stderr, &mut err, STDERR)) });
            let ended = tokio::select! {
                status = child.wait() => Some(status),
                _ = &mut pipes => None,
            };
            match ended {
                Some(status) => {
                    // What they hold now is all there is to read; a late end is no fault of the plugin.
                    tokio::time::timeout(LINGER, pipes).await.ok();
                    status
                }
                None => child.wait().await,
            }
        };
        group.disarm();
        let status = status.map_err(|error| format!("could not be waited for: {error}"))?;
        if out.len() > STDOUT {
            return Err("printed more than 1 MiB".into());
        }
        if !status.success() {
            return Err(format!("failed ({status}){}", self.last_words(&err)));
        }
        Ok(out)
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        let hint = self.install_hint.as_deref().map(|hint| format!("; {}", hint.trim())).unwrap_or_default();
        if error.kind() == std::io::ErrorKind::NotFound {
            return format!("is not installed{hint}");
        }
        format!("could not be started: {error}{hint}")
    }

    /// The last lines of stderr, without what looks like a secret.
    fn last_words(&self, stderr: &[u8]) -> String {
        let text = String::from_utf8_lossy(stderr);
        let mut lines: Vec<String> =
            text.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(3).map(|line| self.mask(line)).collect();
        lines.reverse();
        if lines.is_empty() { String::new() } else { format!(": {}", lines.join(" / ")) }
    }

    /// Hides the entry's own values, and words that are too long and too even to be words.
    fn mask(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (_, value) in self.env.iter().filter(|(_, value)| value.len() >= 6) {
            line = line.replace(value, "[redacted]");
        }
        let even = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.=+\"',:{}".contains(c));
        let secret = |word: &str| word.contains("eyJ") || (word.len() > 40 && even(word));
        let shown = line.split(' ').map(|word| if secret(word) { "[redacted]" } else { word }).collect::<Vec<_>>().join(" ");
        runway_core::text::head(&shown, 300).to_owned()
    }

    /// Reads an `ExecCredential`, in JSON or, as client-go also takes it, in YAML. Its text is never told.
    fn read(&self, stdout: &[u8]) -> Result<Credential, String> {
        let refused = || "printed something else than an ExecCredential".to_owned();
        let answer: Answer = if let Ok(answer) = serde_json::from_slice(stdout) {
            answer
        } else {
            let text = std::str::from_utf8(stdout).map_err(|_| refused())?;
            let (documents, findings) = runway_core::yaml::documents("", text, runway_core::yaml::Limits::default());
            let root = documents.first().filter(|_| findings.is_empty()).ok_or_else(refused)?;
            serde_json::from_value(runway_core::yaml::value::to_json(root)).map_err(|_| refused())?
        };
        if answer.kind != "ExecCredential" {
            return Err(refused());
        }
        if answer.api_version != self.version {
            return Err(format!("speaks {:?} while the kubeconfig asks for {:?}", answer.api_version, self.version));
        }
        let status = answer.status.ok_or_else(|| "gave no credential (its answer has no status)".to_owned())?;
        let full = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (token, certificate, key) = (full(status.token), full(status.client_certificate_data), full(status.client_key_data));
        let pair = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err("gave a certificate or a key without the other".into()),
        };
        if token.is_none() && pair.is_none() {
            return Err("gave neither a token nor a certificate".into());
        }
        if token.as_deref().is_some_and(|token| http::HeaderValue::from_str(token).is_err()) {
            return Err("gave a token that no header can carry".into());
        }
        let until = status.expiration_timestamp.map(|text| text.parse()).transpose();
        Ok(Credential { token, pair, until: until.map_err(|_| "gave an end time that is no RFC 3339 time".to_owned())? })
    }
}

/// The part of `ExecCredential` that a plugin fills.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    api_version: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// What a plugin with `provideClusterInfo` is told (client-go, `clientauthentication/v1` `Cluster`).
fn cluster_info(cluster: &Cluster, authority: Option<&[u8]>) -> Value {
    use base64::Engine as _;
    let mut info = serde_json::Map::new();
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            info.insert(key.to_owned(), value);
        }
    };
    add("server", cluster.server.clone().map(Value::from));
    add("tls-server-name", cluster.tls_server_name.clone().map(Value::from));
    add("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify.filter(|skip| *skip).map(Value::from));
    let data =
        authority.filter(|pem| pem.len() as u64 <= MAX_FILE).map(|pem| base64::engine::general_purpose::STANDARD.encode(pem));
    add("certificate-authority-data", data.map(Value::from));
    add("proxy-url", cluster.proxy_url.clone().map(Value::from));
    let extensions = cluster.extensions.iter().flatten();
    let mut own =
        extensions.filter(|extension| extension.name == "client.authentication.k8s.io/exec").map(|it| it.extension.clone());
    add("config", own.next_back());
    Value::Object(info)
}

/// Reads a pipe until its end or one byte past the limit; a plugin that prints more meets a closed pipe.
async fn fill(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>, limit: usize) {
    let Some(mut pipe) = pipe else { return };
    let mut chunk = vec![0_u8; 8 * 1024];
    while into.len() <= limit {
        match pipe.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(count) => into.extend_from_slice(chunk.get(..count).unwrap_or_default()),
        }
    }
}

/// A plugin's process group: ended with everything that the plugin started when its time is up or nobody waits any more.
struct Group(Option<u32>);

impl Group {
    /// The plugin ended by itself; what it left running is meant to stay.
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(id) = self.0.take().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
            // A group that has ended meanwhile needs no signal.
            rustix::process::kill_process_group(id, rustix::process::Signal::KILL).ok();
        }
    }
}
