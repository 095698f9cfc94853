//! What every command starts from: folder, settings, time limits.

use super::cli::Global;
use super::flags::{PlaceFlags, RegistryFlags};
use crate::files::seen::{self, Seen};
use crate::files::{find, read};
use crate::gather::source::Source;
use crate::net::Budget;
use crate::registry::{Client, Files, Login, Options, Secret};
use crate::{clock, env};
use runway_core::finding::Finding;
use runway_core::flux::duration::{self, Units};
use runway_core::problem::{Place, Problem};
use runway_core::settings::{Layer, PlainHttp, Settings, resolve};
use runway_core::suggest;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The surroundings of a command.
#[derive(Clone)]
pub(crate) struct Context {
    /// The folder to start from, absolute.
    pub(crate) start: PathBuf,
    /// Time for everything.
    pub(crate) budget: Budget,
    /// The time of day at the start.
    pub(crate) now: jiff::Timestamp,
    layers: Vec<Layer>,
    /// What `--registry-token-stdin` has read: standard input can be read once.
    login: Arc<OnceLock<Login>>,
}

/// The longest that one request may take; with a `--timeout` above [`TOTAL`] it is in the same proportion to that.
const REQUEST: Duration = Duration::from_secs(20);
/// The longest that a command may take, without `--timeout`.
const TOTAL: Duration = Duration::from_secs(60);

impl Context {
    /// Reads settings files and variables.
    pub(crate) fn new(global: &Global) -> Result<Self, Problem> {
        let start = find::start(global.directory.as_deref())?;
        let total = match &global.timeout {
            None => TOTAL,
            Some(text) => duration::parse(text, Units::WithHours)
                .map_err(|why| Problem::usage(format!("--timeout '{text}' is no duration")).cause(why).hint("write 30s or 2m"))?,
        };
        let watcher = (global.verbose > 0).then_some(crate::ui::request as crate::net::Watcher);
        Ok(Self { budget: Budget::new(total, REQUEST.max(total / 3)).watched(watcher), ..Self::at(start)? })
    }

    /// The surroundings in a folder: settings files and variables are read.
    pub(crate) fn at(start: PathBuf) -> Result<Self, Problem> {
        let user = env::variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| env::home().map(|home| home.join(".config")));
        let user = user.map(|folder| folder.join("kubectl-runway/config.yaml")).filter(|file| file.is_file());
        let mut layers = Vec::new();
        for path in [user, find::settings(&start)].into_iter().flatten() {
            let text = read::text(&path, "the settings")?;
            let shown = path.strip_prefix(&start).unwrap_or(&path).display().to_string();
            let (layer, findings) = Layer::from_file(&shown, &text);
            refuse(&findings)?;
            layers.push(layer);
        }
        layers.push(Layer::from_variables(env::setting)?);
        Ok(Self { start, budget: Budget::new(TOTAL, REQUEST), now: clock::now(), layers, login: Arc::default() })
    }

    /// The surroundings of work that follows clusters until it is told to end: `--timeout` then limits each question.
    pub(crate) fn endless(&self) -> Self {
        Self { budget: self.budget.endless(), ..self.clone() }
    }

    /// The same at the time of now.
    pub(crate) fn now(&self) -> Self {
        Self { now: clock::now(), ..self.clone() }
    }

    /// Keeps the names of an inventory for completion. That it cannot be kept is nothing that a command is about.
    pub(crate) fn remember<'n>(
        &self,
        settings: &Settings,
        (runtime, environment): (&str, &str),
        names: impl IntoIterator<Item = &'n str>,
    ) {
        let names = names.into_iter().map(str::to_owned).collect();
        let repository = settings.inventory_repository(runtime).map(|it| it.to_string()).unwrap_or_default();
        let seen = Seen { repository, runtime: runtime.to_owned(), environment: environment.to_owned(), names, age: None };
        if let Some(folder) = cache_folder() {
            seen::remember(&folder, &seen, self.now);
        }
    }

    /// The settings, with the command's flags on top.
    pub(crate) fn settings(&self, flags: &PlaceFlags) -> Result<Settings, Problem> {
        let mut layer = Layer::default();
        let given = [
            ("runtime", "--runtime", &flags.runtime),
            ("environment", "--environment", &flags.environment),
            ("namespace", "--namespace", &flags.namespace),
        ];
        for (path, flag, value) in given {
            if let Some(value) = value {
                layer.set_flag(path, flag, value)?;
            }
        }
        let settings = resolve(self.layers.iter().cloned().chain([layer]));
        known("runtime", settings.runtime(), settings.runtimes())?;
        known("environment", settings.environment(), settings.environments())?;
        Ok(settings)
    }

    /// A registry client for a source. A token on standard input is for the registry that the source names.
    pub(crate) fn registry_of(&self, source: &Source, settings: &Settings, flags: &RegistryFlags) -> Result<Client, Problem> {
        match source {
            Source::Registry(reference) => self.registry_at(&reference.repository.host, settings, flags),
            _ => self.registry(settings, flags),
        }
    }

    /// A registry client. A token on standard input is for the registry of the settings.
    pub(crate) fn registry(&self, settings: &Settings, flags: &RegistryFlags) -> Result<Client, Problem> {
        self.registry_at(settings.base().split('/').next().unwrap_or_default(), settings, flags)
    }

    /// A registry client. A token on standard input is for this host.
    pub(crate) fn registry_at(&self, host: &str, settings: &Settings, flags: &RegistryFlags) -> Result<Client, Problem> {
        let client = Client::new(Options {
            plain_http: if flags.plain_http { PlainHttp::Always } else { settings.plain_http() },
            budget: self.budget,
            variables: &env::variable,
            home: env::home(),
            files: self.certificates(settings, flags)?,
        })?
        .with_token_hosts(settings.token_hosts().to_vec());
        if !flags.registry_token_stdin {
            return Ok(client);
        }
        if let Some(login) = self.login.get() {
            return Ok(client.with_login(host, login.clone()));
        }
        let text = read::line("the registry's token")?;
        let login = match &flags.registry_user {
            Some(user) => Login::basic(user, text),
            None => Login::Bearer(Secret::new(text)),
        };
        Ok(client.with_login(host, self.login.get_or_init(|| login).clone()))
    }

    /// Refuses one token for several registries: whose it is nobody has said, and no other may see it.
    pub(crate) fn one_registry<'s>(sources: impl IntoIterator<Item = &'s Source>, flags: &RegistryFlags) -> Result<(), Problem> {
        let host = |source: &'s Source| match source {
            Source::Registry(reference) => Some(reference.repository.host.as_str()),
            _ => None,
        };
        let hosts: BTreeSet<&str> = sources.into_iter().filter_map(host).collect();
        if !flags.registry_token_stdin || hosts.len() < 2 {
            return Ok(());
        }
        let hosts = hosts.into_iter().collect::<Vec<_>>().join(" and ");
        Err(Problem::usage("--registry-token-stdin is one token, and several registries are asked")
            .cause(format!("whose it is cannot be told: {hosts}"))
            .hint("log in to each of them by other means: docker login, DOCKER_AUTH_CONFIG"))
    }

    /// Certificates by flag, else by setting; a pair is never half of one and half of the other.
    fn certificates(&self, settings: &Settings, flags: &RegistryFlags) -> Result<Files, Problem> {
        let setting = |path: &str| settings.registry_file(path).map(|file| self.start.join(file));
        let flag = |file: &Option<PathBuf>| file.as_ref().map(|file| self.start.join(file));
        let pair = match (
            flag(&flags.cert_file).zip(flag(&flags.key_file)),
            setting("registry.certFile"),
            setting("registry.keyFile"),
        ) {
            (Some(pair), ..) => Some(pair),
            (None, Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None, None) => None,
            (None, certificate, _) => {
                let (has, lacks) = if certificate.is_some() { ("certFile", "keyFile") } else { ("keyFile", "certFile") };
                return Err(Problem::usage(format!("registry.{has} is set, and registry.{lacks} is not"))
                    .cause("a client certificate is of no use without its key")
                    .hint("set both, or neither"));
            }
        };
        Ok(Files { authorities: flag(&flags.ca_file).or_else(|| setting("registry.caFile")), pair })
    }
}

/// Where this program keeps what it could ask for again.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let user = env::variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    Some(user.or_else(|| env::home().map(|home| home.join(".cache")))?.join("kubectl-runway"))
}

/// `-e`, its variable or setting; never guessed.
pub(crate) fn environment(settings: &Settings) -> Result<&str, Problem> {
    settings.environment().ok_or_else(|| no_environment(settings, ": it decides which clusters change"))
}

/// Nothing names an environment; `why` goes on with why none is guessed.
pub(crate) fn no_environment(settings: &Settings, why: &str) -> Problem {
    Problem::usage("no environment was named")
        .cause(format!("it is never guessed{why}; -e, RUNWAY_ENVIRONMENT and the settings name none"))
        .hint(format!("add -e, one of {}", settings.environments().join(", ")))
}

/// A name must be one of those that the settings know: a typo would publish to a new place, or look for nothing.
pub(crate) fn known(what: &str, name: Option<&str>, all: &[String]) -> Result<(), Problem> {
    let Some(name) = name else { return Ok(()) };
    if all.iter().any(|known| known == name) {
        return Ok(());
    }
    let mut problem =
        Problem::usage(format!("there is no {what} '{name}'")).cause(format!("the settings know {}", all.join(", ")));
    if let Some(word) = suggest::nearest(name, all.iter().map(String::as_str)) {
        problem = problem.hint(format!("did you mean {word}?"));
    }
    Err(problem.hint(format!("a new one goes into the settings' list '{what}s'")))
}

/// Settings with a fault are not used at all.
fn refuse(findings: &[Finding]) -> Result<(), Problem> {
    let Some(first) = findings.first() else { return Ok(()) };
    let mut problem =
        Problem::input("the settings cannot be used").cause(first.message.clone()).at(Place { ..first.place.clone() });
    for finding in findings.iter().skip(1) {
        problem = problem.cause(format!("{}: {}", finding.place, finding.message));
    }
    if let Some(hint) = &first.hint {
        problem = problem.hint(hint.clone());
    }
    Err(problem)
}
