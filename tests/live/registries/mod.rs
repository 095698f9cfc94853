//! Three registries: plain http, TLS with a password, TLS with tokens as GitLab gives them.

mod doctors;
mod faults;
mod lanes;
mod mounts;
mod peers;
mod requests;
mod status;

use crate::stage::{ENVIRONMENT, Stage};
use runway_testkit::bed::{Handle, Secured, docker_config};
use runway_testkit::env::Run;
use runway_testkit::fake::Person;

const USER: &str = "runway";
const PASSWORD: &str = "s3cret";

/// Which registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Basic,
    Token,
}

/// A registry, and a stage whose artifacts lie there; our program and the peers are logged in.
struct Lane {
    // Dropped first: its objects are suspended while their registry still answers.
    stage: Stage,
    kind: Kind,
    secured: Option<Secured>,
}

impl Lane {
    fn new(kind: Kind, name: &str) -> Self {
        let bed = Handle::connect();
        let base = bed.repository_base(name);
        let path = base.split_once('/').unwrap().1.to_owned();
        let secured = match kind {
            Kind::Plain => None,
            Kind::Basic => Some(bed.basic_registry(name)),
            Kind::Token => Some(bed.token_registry(
                name,
                vec![
                    Person::writer(USER, PASSWORD, &path),
                    Person::reader("reader", "reader-canary", &path),
                    Person::writer("stranger", "stranger-canary", "elsewhere"),
                ],
            )),
        };
        let Some(secured) = secured else {
            return Self { stage: Stage::new(name, "gke"), kind, secured: None };
        };
        let base = format!("{}/{path}", secured.address());
        let settings = "source: {secretRef: registry-login, certSecretRef: registry-ca, interval: 10s}\n\
            parent: {secretRef: registry-login, certSecretRef: registry-ca, sourceInterval: 10s, interval: 10s}\n";
        let mut stage = Stage::at(bed, name, "gke", base, settings);
        stage.env.var("RUNWAY_REGISTRY_PLAIN_HTTP", "false").var("SSL_CERT_FILE", secured.ca());
        let mut lane = Self { stage, kind, secured: Some(secured) };
        lane.log_in(USER, PASSWORD);
        lane
    }

    fn secured(&self) -> &Secured {
        self.secured.as_ref().expect("a secured registry")
    }

    /// `localhost:PORT`.
    fn host(&self) -> &str {
        self.stage.base.split_once('/').unwrap().0
    }

    /// The inventory's path in the registry.
    fn path(&self) -> String {
        self.stage.inventory_repository().split_once('/').unwrap().1.to_owned()
    }

    /// Our program's login.
    fn log_in(&mut self, user: &str, password: &str) {
        let config = docker_config(self.host(), user, password);
        self.stage.env.var("DOCKER_AUTH_CONFIG", config);
    }

    /// The digest that the inventory's tag holds.
    fn tag(&self, tag: &str) -> Option<String> {
        match &self.secured {
            None => self.stage.bed.tag_digest(&self.stage.inventory_repository(), tag),
            Some(secured) => secured.tag_digest(&self.path(), tag),
        }
    }

    /// Runs flux with what it needs for this registry.
    fn flux(&self, arguments: &[&str]) -> Run {
        let creds = format!("--creds={USER}:{PASSWORD}");
        let more: &[&str] = match self.kind {
            // It has no such flag, and tries plain http on loopback by itself.
            Kind::Plain if arguments.first() == Some(&"tag") => &[],
            Kind::Plain => &["--insecure-registry"],
            Kind::Basic | Kind::Token => &[&creds],
        };
        self.peer("flux", &[arguments, more].concat())
    }

    /// Runs oras with what it needs for this registry.
    fn oras(&self, arguments: &[&str]) -> Run {
        let more: &[&str] =
            if self.kind == Kind::Plain { &["--plain-http"] } else { &["--plain-http=false", "-u", USER, "-p", PASSWORD] };
        self.peer("oras", &[arguments, more].concat())
    }

    fn peer(&self, name: &str, arguments: &[&str]) -> Run {
        let ca = self.secured.as_ref().map(|secured| secured.ca().display().to_string());
        let variables: Vec<(&str, &str)> = ca.iter().map(|ca| ("SSL_CERT_FILE", ca.as_str())).collect();
        self.stage.bed.peer(name, &variables, arguments)
    }

    /// A new folder below the scenario's.
    fn folder(&self, name: &str) -> String {
        let folder = self.stage.env.work().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder.display().to_string()
    }

    fn show(&self, tag: &str) -> String {
        let reference = format!("oci://{}:{tag}", self.stage.inventory_repository());
        self.stage.env.run(["inventory", "show", &reference, "-e", ENVIRONMENT]).ok()
    }

    fn build(&self) -> String {
        self.stage.env.run(["inventory", "build", "--runtime", "gke", "-e", ENVIRONMENT]).ok()
    }
}
