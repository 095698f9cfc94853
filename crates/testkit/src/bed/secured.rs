//! A registry of a test's own with TLS and a login: by password, or by tokens of an endpoint beside it.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::artifacts::MANIFESTS;
use super::handle::{Handle, unique};
use super::kube::or_panic;
use super::registry::{More, Registry};
use super::state::Ground;
use super::trouble::{Context as _, Result};
use crate::fake::{ISSUER, Person, SERVICE, Tls, TokenServer};

/// `runway` with the password `s3cret`. Its cost is the lowest, since the registry computes it for every request.
const HTPASSWD: &str = "runway:$2y$04$fifcEJu9xp4eFkz.K/qjA.7W6sQlK0gL2RwTwnzc48YQ4ZIX1UjmO\n";

/// A registry that asks who is there. Its certificate is signed by the bed's authority.
#[derive(Debug)]
pub struct Secured {
    registry: Registry,
    tokens: Option<TokenServer>,
    tls: Tls,
    ca: PathBuf,
}

impl Handle {
    /// Starts a registry with TLS that knows one user: `runway` with the password `s3cret`.
    ///
    /// # Panics
    ///
    /// Panics when it does not get ready.
    #[track_caller]
    pub fn basic_registry(&self, name: &str) -> Secured {
        or_panic(basic(&self.state().ground, &unique(name)).context(|| format!("registry {name}")))
    }

    /// Starts a registry with TLS that takes tokens, and their endpoint, which knows these people.
    ///
    /// # Panics
    ///
    /// Panics when it does not get ready.
    #[track_caller]
    pub fn token_registry(&self, name: &str, people: Vec<Person>) -> Secured {
        or_panic(token(&self.state().ground, &unique(name), people).context(|| format!("registry {name}")))
    }

    /// Starts a registry that lets nobody in without a client certificate; gives the files of one that it takes, and its key.
    ///
    /// # Panics
    ///
    /// Panics when it does not get ready.
    #[track_caller]
    pub fn mutual_registry(&self, name: &str) -> (Secured, PathBuf, PathBuf) {
        or_panic(mutual(&self.state().ground, &unique(name)).context(|| format!("registry {name}")))
    }

    /// Both ends of TLS with the bed's certificates.
    pub fn tls(&self) -> Tls {
        Tls::read(&pki(&self.state().ground))
    }

    /// The file with the authority of these certificates.
    pub fn ca(&self) -> PathBuf {
        pki(&self.state().ground).join("ca.crt")
    }
}

impl Secured {
    /// The registry itself.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// `localhost:PORT`.
    pub fn address(&self) -> String {
        self.registry.address()
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.registry.port()
    }

    /// The endpoint of its tokens.
    ///
    /// # Panics
    ///
    /// Panics when it takes passwords.
    pub fn tokens(&self) -> &TokenServer {
        self.tokens.as_ref().expect("a registry that takes tokens")
    }

    /// Both ends of TLS with its certificate.
    pub fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// The file with the authority that signed its certificate.
    pub fn ca(&self) -> &Path {
        &self.ca
    }

    /// The digest that a tag names, past every login; `None` when there is no such tag.
    ///
    /// # Panics
    ///
    /// Panics when the registry fails.
    #[track_caller]
    pub fn tag_digest(&self, path: &str, tag: &str) -> Option<String> {
        let authorization = match &self.tokens {
            Some(tokens) => format!("Bearer {}", tokens.token(path)),
            None => basic_header("runway", "s3cret"),
        };
        let target = format!("/v2/{path}/manifests/{tag}");
        let headers = [("Accept", MANIFESTS), ("Authorization", &*authorization)];
        let answer = or_panic(self.registry.endpoint().send("HEAD", &target, &headers, b"").context(|| target.clone()));
        match answer.status {
            200 => answer.header("docker-content-digest").map(str::to_owned),
            404 => None,
            status => panic!("{target}: {status}"),
        }
    }
}

/// A login file of Docker's, with one entry.
pub fn docker_config(key: &str, user: &str, password: &str) -> String {
    let auth = STANDARD.encode(format!("{user}:{password}"));
    serde_json::json!({"auths": {key: {"auth": auth}}}).to_string()
}

fn basic_header(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn basic(ground: &Ground, name: &str) -> Result<Secured> {
    let file = written(ground, name, "htpasswd", HTPASSWD)?;
    let auth = format!("auth: {{htpasswd: {{realm: bed, path: {}}}}}\n", serde_json::json!(file));
    secured(ground, name, "", auth, None, Tls::read(&pki(ground)))
}

fn token(ground: &Ground, name: &str, people: Vec<Person>) -> Result<Secured> {
    let tokens = TokenServer::start(Tls::read(&pki(ground)), people);
    let file = written(ground, name, "jwks.json", &tokens.jwks().to_string())?;
    let auth = format!(
        "auth: {{token: {{realm: \"{}\", service: {SERVICE}, issuer: {ISSUER}, jwks: {}, signingalgorithms: [ES256]}}}}\n",
        tokens.realm(),
        serde_json::json!(file)
    );
    secured(ground, name, "", auth, Some(tokens), Tls::read(&pki(ground)))
}

fn mutual(ground: &Ground, name: &str) -> Result<(Secured, PathBuf, PathBuf)> {
    let [ca, certificate, key] = super::pki::client().context(|| "making a client certificate".to_owned())?;
    let ca = written(ground, name, "clients.crt", &ca)?;
    let pair = (written(ground, name, "client.crt", &certificate)?, written(ground, name, "client.key", &key)?);
    let tls = Tls::with_pair(&pki(ground), &pair.0, &pair.1);
    let more = format!(", clientcas: [{}]", serde_json::json!(ca));
    Ok((secured(ground, name, &more, String::new(), None, tls)?, pair.0, pair.1))
}

fn secured(ground: &Ground, name: &str, more: &str, sections: String, tokens: Option<TokenServer>, tls: Tls) -> Result<Secured> {
    let (certificate, key) = (ground.pki("server.crt"), ground.pki("server.key"));
    let http = format!(", tls: {{certificate: {}, key: {}{more}}}", serde_json::json!(certificate), serde_json::json!(key));
    let registry = Registry::start(ground, name, More { http, sections, tls: Some(tls.client()) })?;
    Ok(Secured { registry, tokens, tls, ca: ground.pki("ca.crt") })
}

fn written(ground: &Ground, name: &str, file: &str, text: &str) -> Result<PathBuf> {
    let folder = ground.data().join(name);
    fs::create_dir_all(&folder).context(|| folder.display().to_string())?;
    let path = folder.join(file);
    fs::write(&path, text).context(|| path.display().to_string())?;
    Ok(path)
}

fn pki(ground: &Ground) -> PathBuf {
    ground.data().join("pki")
}
