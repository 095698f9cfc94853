//! One cluster: its client, made when first needed and anew when a plugin's credential ends, and one bounded question to it.

use super::answer;
use super::choose;
use super::exec::Credential;
use super::fault::Fault;
use super::files;
use super::flags::{KubeFlags, Surroundings};
use super::objects::KnownKinds;
use super::prepare::{Prepared, prepare};
use super::stream::{Allowance, Decoder, decode, whole};
use crate::net::{Budget, Elapsed};
use base64::Engine as _;
use http::{Method, Request, Response, header};
use kube::client::Body;
use runway_core::problem::Problem;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// 5,000 Kustomizations are 25 MB (measured); ten times that is no list any more that anybody reads.
const MAX_LIST: u64 = 256 * 1024 * 1024;

/// A cluster that can be asked.
pub(crate) struct Cluster {
    name: String,
    server: String,
    user: Option<String>,
    prepared: Prepared,
    budget: Budget,
    request_timeout: Option<Duration>,
    /// For questions that are answered at once.
    brief: Slot,
    /// For watches, which may be silent for minutes.
    patient: Slot,
    /// Bytes of one list, all pages together.
    pub(super) max_list: u64,
    /// Served version by resource, once it is known that it is not the first choice.
    pub(super) served: Mutex<BTreeMap<&'static str, String>>,
    /// Kinds by the folder of their group and version.
    pub(super) kinds: Mutex<KnownKinds>,
}

/// Where a session is kept, and how long its connections may be silent.
struct Slot {
    session: tokio::sync::Mutex<Option<Session>>,
    silence: Option<Duration>,
}

/// A client and the credential that it was made with.
#[derive(Clone)]
struct Session {
    client: kube::Client,
    credential: Option<Credential>,
}

/// What is told of a request.
struct Call {
    method: Method,
    path: String,
    begun: Option<Instant>,
    /// Once there is an answer.
    status: Cell<Option<u16>>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).field("server", &self.server).finish_non_exhaustive()
    }
}

/// The kubeconfig as flags and surroundings lead to it, read once for all contexts. Holds secrets: no `Debug`.
pub(crate) struct Configured<'a> {
    merged: files::Merged,
    flags: &'a KubeFlags,
    around: &'a Surroundings<'a>,
}

/// Reads the kubeconfig.
pub(crate) fn configured<'a>(flags: &'a KubeFlags, around: &'a Surroundings<'a>) -> Result<Configured<'a>, Problem> {
    Ok(Configured { merged: files::load(flags, around)?, flags, around })
}

/// The names of all contexts and the current one, for who asks for nothing more and does not care for what is wrong elsewhere.
pub(crate) fn contexts(flags: &KubeFlags, around: &Surroundings<'_>) -> Result<choose::Contexts, Problem> {
    choose::contexts(&files::load_contexts(flags, around)?, flags)
}

impl Configured<'_> {
    /// The names of all contexts and the current one.
    pub(crate) fn contexts(&self) -> Result<choose::Contexts, Problem> {
        choose::contexts(&self.merged, self.flags)
    }

    /// The problem of a name that no context has, with the nearest one and the list.
    pub(crate) fn no_context(&self, name: &str) -> Problem {
        choose::no_context(&self.merged, name)
    }

    /// Chooses a context and prepares its connection. Files are read; no program is started and no socket opened until the
    /// first question.
    pub(crate) fn connect(&self, context: Option<&str>, budget: Budget) -> Result<Cluster, Problem> {
        let target = choose::choose(&self.merged, self.flags, context)?;
        let prepared = prepare(&target, self.around)?;
        let server = prepared.config.cluster_url.to_string().trim_end_matches('/').to_owned();
        Ok(Cluster {
            name: target.name,
            server,
            user: target.user_name,
            budget,
            request_timeout: self.flags.request_timeout.filter(|limit| !limit.is_zero()),
            brief: Slot { session: tokio::sync::Mutex::new(None), silence: prepared.config.read_timeout },
            patient: Slot { session: tokio::sync::Mutex::new(None), silence: Some(super::watch::SILENCE) },
            prepared,
            max_list: MAX_LIST,
            served: Mutex::new(BTreeMap::new()),
            kinds: Mutex::default(),
        })
    }
}

/// The kubeconfig and one context of it, in one step.
pub(crate) fn connect(
    flags: &KubeFlags,
    context: Option<&str>,
    around: &Surroundings<'_>,
    budget: Budget,
) -> Result<Cluster, Problem> {
    configured(flags, around)?.connect(context, budget)
}

impl Cluster {
    /// The context's name; without a context the server's URL.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The server's URL; it never holds credentials.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// One question with its whole answer decoded, in the time that is left for it.
    pub(super) async fn ask<T: DeserializeOwned + Send + 'static>(
        &self,
        request: Request<Vec<u8>>,
        allowance: &mut Allowance,
    ) -> Result<T, Fault> {
        self.ask_for(request, allowance, whole).await
    }

    /// The same, decoded in another way.
    pub(super) async fn ask_for<T: Send + 'static>(
        &self,
        request: Request<Vec<u8>>,
        allowance: &mut Allowance,
        decoder: Decoder<T>,
    ) -> Result<T, Fault> {
        let session = self.session(&self.brief).await?;
        let call = self.call(&request);
        let asked = async {
            let response = self.send(&session, request, &call).await?;
            self.read(response, allowance, decoder).await
        };
        let answer = self.in_time(Box::pin(asked), &call).await;
        self.told(answer, &session).await
    }

    /// One question whose answer goes on for as long as the server likes: its head must come in time, its end need not.
    pub(super) async fn open(&self, request: Request<Vec<u8>>) -> Result<Response<Body>, Fault> {
        let session = self.session(&self.patient).await?;
        let call = self.call(&request);
        let asked = async {
            let response = self.send(&session, request, &call).await?;
            if response.status().is_success() { Ok(response) } else { Err(answer::refusal(&self.server, response).await) }
        };
        let answer = self.in_time(Box::pin(asked), &call).await;
        self.told(answer, &session).await
    }

    fn call(&self, request: &Request<Vec<u8>>) -> Call {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        Call { method, path, begun: self.budget.begun(), status: Cell::new(None) }
    }

    async fn send(&self, session: &Session, request: Request<Vec<u8>>, call: &Call) -> Result<Response<Body>, Fault> {
        let sent = session.client.send(request.map(Body::from)).await;
        let response = sent.map_err(|error| Fault::transport(&self.server, &error))?;
        call.status.set(Some(response.status().as_u16()));
        Ok(response)
    }

    /// A question within its time; whoever watches is told how it ended.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Fault>>, call: &Call) -> Result<T, Fault> {
        let answer = match self.within(asked).await {
            Ok(answer) => answer,
            Err(Elapsed(limit)) => Err(Fault::elapsed(&self.server, limit)),
        };
        let host = self.server.split_once("://").map_or(self.server.as_str(), |(_, host)| host);
        self.budget.ended(call.begun, call.method.as_str(), (host, &call.path), call.status.get());
        answer
    }

    /// An answer as it may be told: a fault loses its secrets, and a refusal ends the credential.
    async fn told<T>(&self, answer: Result<T, Fault>, session: &Session) -> Result<T, Fault> {
        match answer {
            Ok(value) => Ok(value),
            Err(mut fault) => {
                if fault.reason == "Unauthorized" {
                    self.refused(&mut fault, session).await;
                }
                Err(self.without_secrets(fault, session.credential.as_ref()))
            }
        }
    }

    /// Runs a question within the command's budget and the limit that was asked for.
    async fn within<T>(&self, future: impl Future<Output = T>) -> Result<T, Elapsed> {
        match self.request_timeout {
            Some(limit) => match self.budget.call(tokio::time::timeout(limit, future)).await {
                Ok(ended) => ended.map_err(|_| Elapsed(limit)),
                Err(elapsed) => Err(elapsed),
            },
            None => self.budget.call(future).await,
        }
    }

    /// The answer's value, or what was said instead.
    async fn read<T: Send + 'static>(
        &self,
        response: Response<Body>,
        allowance: &mut Allowance,
        decoder: Decoder<T>,
    ) -> Result<T, Fault> {
        if !response.status().is_success() {
            return Err(answer::refusal(&self.server, response).await);
        }
        if answer::content_type(&response).is_some_and(|kind| kind.contains("html")) {
            return Err(Fault::garbage(&self.server, "it is a page in HTML, as a login or a proxy shows it"));
        }
        decode(&self.server, response.into_body(), allowance, decoder).await
    }

    /// The client; made anew when there is none or its credential is over.
    async fn session(&self, slot: &Slot) -> Result<Session, Fault> {
        let mut session = slot.session.lock().await;
        if let Some(known) = session.as_ref().filter(|known| known.credential.as_ref().is_none_or(|it| !it.is_over())) {
            return Ok(known.clone());
        }
        let mut config = self.prepared.config.clone();
        config.read_timeout = slot.silence;
        let credential = match &self.prepared.plugin {
            Some(plugin) => {
                let credential =
                    plugin.credential(self.budget.per_request()).await.map_err(|why| Fault::new("ExecPlugin", why))?;
                config.auth_info.token = credential.token.clone().map(Into::into);
                if let Some((certificate, key)) = &credential.pair {
                    config.auth_info.client_certificate_data = Some(base64(certificate));
                    config.auth_info.client_key_data = Some(base64(key).into());
                }
                Some(credential)
            }
            None => None,
        };
        let client = super::client::client(config).map_err(|error| {
            let cause = super::fault::chain(&error);
            let fault = Fault::new("TLS", format!("no connection to {} can be prepared: {cause}", self.server));
            self.without_secrets(fault, credential.as_ref())
        })?;
        let made = Session { client, credential };
        *session = Some(made.clone());
        Ok(made)
    }

    /// A 401: names the user entry, and lets the next question ask the plugin again.
    async fn refused(&self, fault: &mut Fault, used: &Session) {
        if let Some(user) = &self.user {
            fault.message = format!("{} (user entry {user:?})", fault.message);
        }
        if let (Some(plugin), Some(refused)) = (&self.prepared.plugin, &used.credential) {
            plugin.forget(refused);
            for slot in [&self.brief, &self.patient] {
                let mut session = slot.session.lock().await;
                if session.as_ref().is_some_and(|known| known.credential.as_ref() == Some(refused)) {
                    *session = None;
                }
            }
        }
    }

    /// Takes the token and password out of a message: a server or proxy may repeat what it was sent.
    fn without_secrets(&self, mut fault: Fault, credential: Option<&Credential>) -> Fault {
        let user = &self.prepared.config.auth_info;
        let mut secrets: Vec<String> =
            [&user.token, &user.password].into_iter().flatten().map(|secret| secret.expose_secret().to_owned()).collect();
        if let (Some(name), Some(password)) = (&user.username, &user.password) {
            secrets.push(base64(&format!("{name}:{}", password.expose_secret())));
        }
        secrets.extend(credential.and_then(|credential| credential.token.clone()));
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            fault.message = fault.message.replace(secret.as_str(), "[redacted]");
            for cause in &mut fault.causes {
                *cause = cause.replace(secret.as_str(), "[redacted]");
            }
        }
        fault
    }
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A GET of a path with its query.
pub(super) fn get(path: &str) -> Result<Request<Vec<u8>>, Fault> {
    build(Request::builder().method(Method::GET).uri(path), Vec::new())
}

/// A request that wants JSON.
pub(super) fn build(builder: http::request::Builder, body: Vec<u8>) -> Result<Request<Vec<u8>>, Fault> {
    let request = builder.header(header::ACCEPT, "application/json").body(body);
    request.map_err(|_| Fault::new("Internal", "the request cannot be written"))
}

/// One segment of a path, with everything encoded that could make it another path.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}
