//! Where logins come from, in the order in which they are looked for.

use super::docker::{self, Candidate, Config};
use super::helper::{Helpers, Lookup};
use super::local::{self, PATIENCE};
use super::secret::Secret;
use crate::net::Budget;
use crate::{clock, process};
use runway_core::flux::reference::Repository;
use runway_core::problem::{Place, Problem};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Where a login came from that the caller handed in.
pub(super) const HANDED_IN: &str = "the command line";
/// Bytes of a login file.
const MAX_FILE: u64 = 1 << 20;

/// How to log in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// A user and a password.
    Basic {
        /// The user.
        user: String,
        /// The password, or a token in its place.
        password: Secret,
    },
    /// A token that the registry itself takes.
    Bearer(Secret),
    /// A refresh token, for which the token endpoint gives tokens.
    Identity(Secret),
}

impl Login {
    /// A user and a password.
    pub(crate) fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { user: user.into(), password: Secret::new(password) }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// A login and where it was found; the user's name is left out, since some put a token there.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) login: Login,
    pub(super) from: String,
}

/// How long what was read counts after a registry has refused it: whoever follows a cluster for hours has short-lived logins
/// renewed beside him, and a crowd of refusals must not ask a helper once for each.
const STALE: Duration = Duration::from_secs(10);

/// All places.
pub(super) struct Logins {
    given: Option<(String, Login)>,
    sources: Mutex<Arc<Vec<Source>>>,
    helpers: Helpers,
    budget: Budget,
    /// When a login was refused, unless everything was read again since.
    refused: Mutex<Option<Instant>>,
    /// Such as [`STALE`].
    pub(super) stale: Duration,
}

struct Source {
    /// The variable or the file's name.
    name: String,
    kind: Kind,
    /// Nobody has named it: it is looked at because it is where such files are.
    usual: bool,
}

enum Kind {
    /// A variable that is not set.
    Unset,
    /// A file, read once when it is needed.
    File(PathBuf, OnceLock<Result<Option<Config>, Broken>>),
    /// A login file's content in a variable.
    Text(Secret, OnceLock<Result<Option<Config>, Broken>>),
    /// The login of a CI job, and the host that it is for.
    Job(String, Login),
}

/// A login file that cannot be read.
struct Broken {
    problem: Problem,
    /// As far as it could be read.
    text: Secret,
}

impl Broken {
    /// Whether it may hold a login for this host: as a key, with or without a scheme and a path.
    fn names(&self, host: &str) -> bool {
        let text = self.text.expose().to_ascii_lowercase();
        let ends = |rest: Option<char>| rest.is_none_or(|c| matches!(c, '"' | '/'));
        let is_key = |host: &str| {
            let mut found = text.match_indices(host);
            found.any(|(at, _)| {
                let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + host.len()..).unwrap_or_default());
                ends(before.chars().next_back()) && ends(after.chars().next())
            })
        };
        is_key(&host.to_ascii_lowercase()) || is_key(&docker::canonical(host))
    }
}

impl Source {
    /// The same, not read yet.
    fn unread(&self) -> Self {
        let kind = match &self.kind {
            Kind::Unset => Kind::Unset,
            Kind::File(path, _) => Kind::File(path.clone(), OnceLock::new()),
            Kind::Text(text, _) => Kind::Text(text.clone(), OnceLock::new()),
            Kind::Job(host, login) => Kind::Job(host.clone(), login.clone()),
        };
        Self { name: self.name.clone(), kind, usual: self.usual }
    }
}

impl Logins {
    /// Takes what is needed from the variables; files are read when a registry asks for a login.
    pub(super) fn new(variables: &dyn Fn(&str) -> Option<String>, home: Option<&Path>, budget: Budget) -> Self {
        let set = |name: &str| variables(name).filter(|value| !value.is_empty());
        let file =
            |path: PathBuf| Source { name: path.display().to_string(), kind: Kind::File(path, OnceLock::new()), usual: false };
        let unset = |name: &str| Source { name: name.to_owned(), kind: Kind::Unset, usual: false };
        let below = |name: &str, rest: &str| set(name).map_or_else(|| unset(name), |folder| file(Path::new(&folder).join(rest)));
        let mut sources = vec![set("REGISTRY_AUTH_FILE").map_or_else(|| unset("REGISTRY_AUTH_FILE"), |path| file(path.into()))];
        let name = "DOCKER_AUTH_CONFIG".to_owned();
        let kind = set(&name).map_or(Kind::Unset, |text| Kind::Text(Secret::new(text), OnceLock::new()));
        sources.push(Source { name, kind, usual: false });
        sources.push(below("DOCKER_CONFIG", "config.json"));
        let usual = |source: Source| Source { usual: true, ..source };
        sources.extend(home.map(|home| usual(file(home.join(".docker").join("config.json")))));
        // podman's, in its own order: of this session, and where it stays.
        sources.push(usual(match (set("XDG_RUNTIME_DIR"), process::user_id()) {
            (None, Some(user)) => file(Path::new("/run/containers").join(user.to_string()).join("auth.json")),
            _ => below("XDG_RUNTIME_DIR", "containers/auth.json"),
        }));
        let kept = set("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home.map(|home| home.join(".config")));
        sources.extend(kept.map(|folder| usual(file(folder.join("containers").join("auth.json")))));
        sources.push(job(&set));
        let (sources, helpers) = (Mutex::new(Arc::new(sources)), Helpers::new(set("PATH"), budget));
        Self { given: None, sources, helpers, budget, refused: Mutex::default(), stale: STALE }
    }

    /// A login was refused: after some time all places are looked at again.
    pub(super) fn refuse(&self) {
        locked(&self.refused).get_or_insert(clock::monotonic());
    }

    /// The places, as they were read, or to be read again.
    fn sources(&self) -> Arc<Vec<Source>> {
        let is_stale = |at: &mut Instant| at.elapsed() >= self.stale;
        let mut sources = locked(&self.sources);
        if locked(&self.refused).take_if(is_stale).is_some() {
            *sources = Arc::new(sources.iter().map(Source::unread).collect());
            self.helpers.forget();
        }
        Arc::clone(&sources)
    }

    /// A login that comes before all others, for one host.
    pub(super) fn give(&mut self, host: String, login: Login) {
        self.given = Some((host, login));
    }

    /// The login for a repository, or all places where none was found.
    pub(super) async fn find(&self, repository: &Repository) -> Result<Result<Found, Vec<String>>, Problem> {
        if let Some((host, login)) = &self.given
            && docker::is_host(host, &repository.host)
        {
            return Ok(Ok(Found { login: login.clone(), from: HANDED_IN.to_owned() }));
        }
        let given = self.given.iter().map(|(host, _)| format!("{HANDED_IN} (for {host})"));
        let mut looked: Vec<String> = given.collect();
        for source in self.sources().iter() {
            match self.ask(source, repository).await? {
                Ok(found) => return Ok(Ok(found)),
                Err(why) => looked.push(format!("{} ({why})", source.name)),
            }
        }
        Ok(Err(looked))
    }

    /// One place; the inner error says why it has nothing.
    async fn ask(&self, source: &Source, repository: &Repository) -> Result<Result<Found, String>, Problem> {
        let config = match &source.kind {
            Kind::Unset => return Ok(Err("not set".to_owned())),
            Kind::Job(host, login) if docker::is_host(host, &repository.host) => {
                return Ok(Ok(Found { login: login.clone(), from: source.name.clone() }));
            }
            Kind::Job(host, _) => return Ok(Err(format!("for {host}"))),
            Kind::File(path, read) => read.get_or_init(|| read_file(path, PATIENCE.min(self.budget.per_request()))),
            Kind::Text(text, read) => read.get_or_init(|| read_text(&source.name, text.expose().as_bytes()).map(Some)),
        };
        let config = match config {
            Ok(Some(config)) => config,
            Ok(None) => return Ok(Err("not there".to_owned())),
            // A file that lies where such files lie, and that is about something else, must not stand in the way.
            Err(broken) if source.usual && !broken.names(&repository.host) => {
                return Ok(Err(format!("passed over: {}", broken.problem.causes.join(": "))));
            }
            Err(broken) => return Err(broken.problem.clone()),
        };
        let mut why = format!("no entry for {}", repository.host);
        for candidate in config.candidates(repository) {
            match candidate {
                Candidate::Entry(key, login) => {
                    return Ok(Ok(Found { login, from: format!("{}, entry '{key}'", source.name) }));
                }
                Candidate::Fault(key, fault) => {
                    return Err(Problem::input(format!("the entry '{key}' of a login file cannot be read"))
                        .cause(fault)
                        .at(Place::file(source.name.clone()))
                        .hint(format!("run `docker login {}` again", repository.host)));
                }
                Candidate::Helper { name, required } => {
                    let from = format!("docker-credential-{name}, which {} names", source.name);
                    match self.helpers.get(&name, &repository.host, &source.name).await? {
                        Lookup::Login(login) => return Ok(Ok(Found { login, from })),
                        Lookup::None => why = format!("docker-credential-{name} has no login for {}", repository.host),
                        Lookup::NotInstalled if required => return Err(not_installed(&name, &source.name)),
                        Lookup::NotInstalled => why = format!("docker-credential-{name} is not installed"),
                    }
                }
            }
        }
        Ok(Err(why))
    }
}

/// GitLab's job login, which is only for the registry that the job's own server names.
fn job(set: &dyn Fn(&str) -> Option<String>) -> Source {
    let unset = |name: &str| Source { name: name.to_owned(), kind: Kind::Unset, usual: false };
    let Some(host) = set("CI_REGISTRY") else { return unset("CI_REGISTRY") };
    let (name, login) = match (set("CI_REGISTRY_USER").zip(set("CI_REGISTRY_PASSWORD")), set("CI_JOB_TOKEN")) {
        (Some((user, password)), _) => ("CI_REGISTRY_USER and CI_REGISTRY_PASSWORD", Login::basic(user, password)),
        (None, Some(token)) => ("CI_JOB_TOKEN", Login::basic("gitlab-ci-token", token)),
        (None, None) => return unset("CI_REGISTRY_PASSWORD, CI_JOB_TOKEN"),
    };
    Source { name: name.to_owned(), kind: Kind::Job(host, login), usual: false }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_file(path: &Path, limit: Duration) -> Result<Option<Config>, Broken> {
    let name = path.display().to_string();
    let bytes = match local::read(path, MAX_FILE, limit) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(broken(&name, error.to_string(), &[])),
    };
    if bytes.len() as u64 > MAX_FILE {
        return Err(broken(&name, "it is larger than 1 MiB".to_owned(), &bytes));
    }
    // `podman logout` leaves an empty file behind.
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    read_text(&name, &bytes).map(Some)
}

fn read_text(name: &str, text: &[u8]) -> Result<Config, Broken> {
    docker::parse(text).map_err(|why| broken(name, why, text))
}

fn broken(name: &str, why: String, text: &[u8]) -> Broken {
    let problem = Problem::input("cannot read a login file")
        .cause(why)
        .at(Place::file(name))
        .hint("mend it, or name another one that comes first: REGISTRY_AUTH_FILE=FILE, or its content in DOCKER_AUTH_CONFIG");
    Broken { problem, text: Secret::new(String::from_utf8_lossy(text)) }
}

fn not_installed(name: &str, source: &str) -> Problem {
    Problem::input(format!("the credential helper docker-credential-{name} is not installed"))
        .cause(format!("{source} names it for this registry, and no folder of PATH has it"))
        .hint(format!("install it, or remove its entry from {source} and log in again"))
}
