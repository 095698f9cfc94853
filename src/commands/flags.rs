//! Flags that several commands share, in named groups.

use crate::cluster::KubeFlags;
use crate::exit::Outcome;
use crate::gather::targets::Choice;
use clap::Args;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use runway_core::problem::Problem;
use runway_core::settings::labels::Selector;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

/// Headings of flags that are many; `pages` leaves most of them out of `-h`. They stand at each flag, since one that is said for
/// a group goes on to what is flattened after it.
pub(super) const REGISTRY: &str = "Registry options";
pub(super) const CLUSTER: &str = "Cluster options";

/// Which workloads, of which runtime and environment.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WorkloadsFlags {
    /// The declared file; - reads standard input [default: config/runtimes/<runtime>/workloads.yml]
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    place: PlaceFlags,
}

/// Whoever takes a place takes it with a file, too.
impl std::ops::Deref for WorkloadsFlags {
    type Target = PlaceFlags;

    fn deref(&self) -> &PlaceFlags {
        &self.place
    }
}

/// Which runtime and environment: for commands that read no declared file.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlaceFlags {
    /// The runtime, such as gke or eks
    #[arg(long, value_name = "NAME")]
    pub(crate) runtime: Option<String>,
    /// The environment, such as staging or production
    #[arg(short, long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Namespace of the Flux objects [default: runway-provisioner]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
}

/// How registries are reached.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RegistryFlags {
    /// Use plain http
    #[arg(long, help_heading = REGISTRY)]
    pub(crate) plain_http: bool,
    /// Trust the certificates in this PEM file too
    #[arg(long, value_name = "FILE", help_heading = REGISTRY)]
    pub(crate) ca_file: Option<PathBuf>,
    /// Show registries this client certificate, a PEM file; certs.d of podman and Docker is read too
    #[arg(long, value_name = "FILE", requires = "key_file", help_heading = REGISTRY)]
    pub(crate) cert_file: Option<PathBuf>,
    /// The key of --cert-file, a PEM file
    #[arg(long, value_name = "FILE", requires = "cert_file", help_heading = REGISTRY)]
    pub(crate) key_file: Option<PathBuf>,
    /// Read a token or password from standard input, for the one registry that is asked
    #[arg(long, help_heading = REGISTRY)]
    pub(crate) registry_token_stdin: bool,
    /// With --registry-token-stdin: the user whose password it is; without, it is a token that the registry itself takes
    #[arg(long, value_name = "NAME", requires = "registry_token_stdin", help_heading = REGISTRY)]
    pub(crate) registry_user: Option<String>,
}

/// What the exit code says.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ExitFlags {
    /// Whether an answer of no exits with 1
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", hide_default_value = true)]
    exit_code: bool,
}

impl ExitFlags {
    /// How a command ends that ended so: `--exit-code=false` makes a no a yes, and nothing else.
    pub(crate) fn of(self, outcome: Outcome) -> Outcome {
        Outcome { no: outcome.no && self.exit_code, ..outcome }
    }
}

/// What is printed, and where.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OutputFlags {
    /// Output format; FORMAT=FILE writes a file; may be repeated
    #[arg(short = 'o', long, value_name = "FORMAT[=FILE]")]
    pub(crate) output: Vec<String>,
}

/// Says which formats a command's `--output` has: in its help, and to whoever completes it.
pub(crate) fn formats(all: &'static [&'static str]) -> impl FnOnce(clap::Arg) -> clap::Arg {
    move |arg| arg.value_parser(Formats(all))
}

/// The text of an `--output`, as typed: what is wrong with it is said by [`crate::render::output::Output`].
#[derive(Clone)]
struct Formats(&'static [&'static str]);

impl TypedValueParser for Formats {
    type Value = String;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&clap::Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// kubectl's connection flags.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ClusterFlags {
    /// The kubeconfig file
    #[arg(long, value_name = "FILE", help_heading = CLUSTER)]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig context [default: the current one]; * and ? match several; may be repeated
    #[arg(long, value_name = "NAME", help_heading = CLUSTER)]
    pub(crate) context: Vec<String>,
    /// The kubeconfig cluster
    #[arg(long, value_name = "NAME", help_heading = CLUSTER)]
    cluster: Option<String>,
    /// The kubeconfig user
    #[arg(long, value_name = "NAME", help_heading = CLUSTER)]
    user: Option<String>,
    /// URL of the API server
    #[arg(short, long, value_name = "URL", help_heading = CLUSTER)]
    server: Option<String>,
    /// Bearer token for the API server
    #[arg(long, value_name = "TOKEN", help_heading = CLUSTER)]
    token: Option<String>,
    /// Act as this user
    #[arg(long = "as", value_name = "USER", help_heading = CLUSTER)]
    as_user: Option<String>,
    /// Act as a member of this group; may be repeated
    #[arg(long = "as-group", value_name = "GROUP", help_heading = CLUSTER)]
    as_groups: Vec<String>,
    /// Act as the user with this UID
    #[arg(long, value_name = "UID", help_heading = CLUSTER)]
    as_uid: Option<String>,
    /// Give up on one request after this time
    #[arg(long, value_name = "DURATION", help_heading = CLUSTER)]
    request_timeout: Option<String>,
    /// Certificate authority of the API server
    #[arg(long, value_name = "FILE", help_heading = CLUSTER)]
    certificate_authority: Option<PathBuf>,
    /// Client certificate
    #[arg(long, value_name = "FILE", help_heading = CLUSTER)]
    client_certificate: Option<PathBuf>,
    /// Key of the client certificate
    #[arg(long, value_name = "FILE", help_heading = CLUSTER)]
    client_key: Option<PathBuf>,
    /// Name in the API server's certificate
    #[arg(long, value_name = "NAME", help_heading = CLUSTER)]
    tls_server_name: Option<String>,
    /// Do not check the API server's certificate
    #[arg(long, help_heading = CLUSTER)]
    insecure_skip_tls_verify: bool,
}

/// A flag as it was typed, with its value.
type Typed = (String, Option<String>);

fn typed<V: ToString>(flag: &str, values: impl IntoIterator<Item = V>) -> impl Iterator<Item = Typed> {
    values.into_iter().map(move |value| (flag.to_owned(), Some(value.to_string())))
}

impl ClusterFlags {
    /// How another command reaches the same server: all that was typed but the contexts, a token, and how long to wait.
    pub(crate) fn again(&self) -> Vec<Typed> {
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let all = typed("--kubeconfig", shown(&self.kubeconfig))
            .chain(typed("--cluster", &self.cluster))
            .chain(typed("--user", &self.user))
            .chain(typed("--server", &self.server))
            .chain(typed("--as", &self.as_user))
            .chain(typed("--as-group", &self.as_groups))
            .chain(typed("--as-uid", &self.as_uid))
            .chain(typed("--certificate-authority", shown(&self.certificate_authority)))
            .chain(typed("--client-certificate", shown(&self.client_certificate)))
            .chain(typed("--client-key", shown(&self.client_key)))
            .chain(typed("--tls-server-name", &self.tls_server_name));
        let blind = self.insecure_skip_tls_verify.then(|| ("--insecure-skip-tls-verify".to_owned(), None));
        all.chain(blind).collect()
    }

    /// The flags for a command that asks or changes one cluster. With several there is no telling which is meant, and the
    /// current context, which is none of them, must not be taken instead.
    pub(crate) fn one(&self) -> Result<KubeFlags, Problem> {
        let context = match self.context.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            several => {
                return Err(Problem::usage("--context was given more than once, and this command takes one cluster")
                    .cause(several.join(", "))
                    .hint("run it once for each"));
            }
        };
        Ok(KubeFlags { context, ..self.all()? })
    }

    /// The flags without a context, for a command that chooses one or several of the kubeconfig's itself.
    pub(crate) fn all(&self) -> Result<KubeFlags, Problem> {
        let request_timeout = match self.request_timeout.as_deref() {
            None | Some("0") => None,
            // A bare number is seconds, as for kubectl.
            Some(text) if text.parse::<u32>().is_ok() => text.parse().ok().map(Duration::from_secs),
            Some(text) => Some(
                runway_core::flux::duration::parse(text, runway_core::flux::duration::Units::WithHours)
                    .map_err(|why| Problem::usage(format!("--request-timeout '{text}' is no duration")).cause(why))?,
            ),
        };
        Ok(KubeFlags {
            kubeconfig: self.kubeconfig.clone(),
            context: None,
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            server: self.server.clone(),
            token: self.token.clone().map(Into::into),
            as_user: self.as_user.clone(),
            as_groups: self.as_groups.clone(),
            as_uid: self.as_uid.clone(),
            request_timeout,
            certificate_authority: self.certificate_authority.clone(),
            client_certificate: self.client_certificate.clone(),
            client_key: self.client_key.clone(),
            tls_server_name: self.tls_server_name.clone(),
            insecure_skip_tls_verify: self.insecure_skip_tls_verify,
        })
    }
}

/// What `--context` is to a command that takes one cluster: its help, laid over the shared flag's.
pub(crate) fn one_context(arg: clap::Arg) -> clap::Arg {
    arg.help("The kubeconfig context [default: the current one]")
}

/// Which of several clusters are looked at.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ManyFlags {
    /// Leave out contexts and clusters of this name; * and ? match; may be repeated
    #[arg(long, value_name = "NAME", help_heading = CLUSTER)]
    exclude_context: Vec<String>,
    /// Every context of the kubeconfig
    #[arg(long, conflicts_with = "all_clusters", help_heading = CLUSTER)]
    all_contexts: bool,
    /// Every cluster of the settings' list
    #[arg(long, conflicts_with = "context", help_heading = CLUSTER)]
    all_clusters: bool,
    /// Only clusters that the settings put into this region; * and ? match; may be repeated
    #[arg(long, value_name = "NAME", help_heading = CLUSTER)]
    region: Vec<String>,
    /// Only clusters that the settings give these labels: KEY=VALUE, KEY!=VALUE, KEY, !KEY; may be repeated, all must hold
    #[arg(long, value_name = "SELECTOR", help_heading = CLUSTER)]
    label: Vec<String>,
}

impl WorkloadsFlags {
    /// What was typed, but for the namespace.
    pub(crate) fn again(&self) -> Vec<Typed> {
        let file = self.file.as_ref().filter(|file| file.as_os_str() != "-").map(|file| file.display().to_string());
        typed("-f", file).chain(typed("--runtime", &self.runtime)).chain(typed("-e", &self.environment)).collect()
    }
}

impl ManyFlags {
    /// What was typed.
    pub(crate) fn again(&self, cluster: &ClusterFlags) -> Vec<Typed> {
        let is_set = |flag: &str, set: bool| set.then(|| (flag.to_owned(), None));
        let all = typed("--context", &cluster.context)
            .chain(is_set("--all-contexts", self.all_contexts))
            .chain(is_set("--all-clusters", self.all_clusters))
            .chain(typed("--exclude-context", &self.exclude_context))
            .chain(typed("--region", &self.region))
            .chain(typed("--label", &self.label));
        all.collect()
    }

    /// The choice, together with the flags that say more about it.
    pub(crate) fn choice(&self, cluster: &ClusterFlags, which: &PlaceFlags) -> Result<Choice, Problem> {
        let choice = Choice {
            contexts: cluster.context.clone(),
            exclude: self.exclude_context.clone(),
            all_contexts: self.all_contexts,
            all_clusters: self.all_clusters,
            regions: self.region.clone(),
            labels: Selector::parse(&self.label)?,
            runtime: which.runtime.clone(),
            environment: which.environment.clone(),
        };
        let several = choice.all_contexts
            || choice.all_clusters
            || choice.contexts.len() > 1
            || choice.contexts.iter().any(|name| name.contains(['*', '?']));
        if several && (cluster.server.is_some() || cluster.cluster.is_some()) {
            return Err(Problem::usage("--server and --cluster name one cluster")
                .cause("several contexts were chosen, and all of them would lead to it"));
        }
        Ok(choice)
    }
}
