//! Flags that several commands share, in named groups.

use crate::cluster::KubeFlags;
use crate::gather::targets::Choice;
use clap::Args;
use runway_core::problem::Problem;
use runway_core::settings::labels::Selector;
use std::path::PathBuf;

/// Which workloads, of which runtime and environment.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WorkloadsFlags {
    /// The declared file; - reads standard input [default: config/runtimes/<runtime>/workloads.yml]
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
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
#[command(next_help_heading = "Registry options")]
pub(crate) struct RegistryFlags {
    /// Use plain http
    #[arg(long)]
    pub(crate) plain_http: bool,
    /// Trust the certificates in this PEM file too
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Show registries this client certificate, a PEM file; certs.d of podman and Docker is read too
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub(crate) cert_file: Option<PathBuf>,
    /// The key of --cert-file, a PEM file
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub(crate) key_file: Option<PathBuf>,
    /// Read a token or password for the registry from standard input
    #[arg(long)]
    pub(crate) registry_token_stdin: bool,
    /// With --registry-token-stdin: the user whose password it is; without, it is a token that the registry itself takes
    #[arg(long, value_name = "NAME", requires = "registry_token_stdin")]
    pub(crate) registry_user: Option<String>,
}

/// What is printed, and where.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OutputFlags {
    /// Output format; FORMAT=FILE writes a file; may be repeated
    #[arg(short = 'o', long, value_name = "FORMAT[=FILE]")]
    pub(crate) output: Vec<String>,
}

/// kubectl's connection flags.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct ClusterFlags {
    /// The kubeconfig file
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig context [default: the current one]; commands that look may repeat it, with * and ?
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Vec<String>,
    /// The kubeconfig cluster
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The kubeconfig user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// URL of the API server
    #[arg(short, long, value_name = "URL")]
    server: Option<String>,
    /// Bearer token for the API server
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// Act as this user
    #[arg(long = "as", value_name = "USER")]
    as_user: Option<String>,
    /// Act as a member of this group; may be repeated
    #[arg(long = "as-group", value_name = "GROUP")]
    as_groups: Vec<String>,
    /// Act as the user with this UID
    #[arg(long, value_name = "UID")]
    as_uid: Option<String>,
    /// Give up on one request after this time
    #[arg(long, value_name = "DURATION")]
    request_timeout: Option<String>,
    /// Certificate authority of the API server
    #[arg(long, value_name = "FILE")]
    certificate_authority: Option<PathBuf>,
    /// Client certificate
    #[arg(long, value_name = "FILE")]
    client_certificate: Option<PathBuf>,
    /// Key of the client certificate
    #[arg(long, value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// Name in the API server's certificate
    #[arg(long, value_name = "NAME")]
    tls_server_name: Option<String>,
    /// Do not check the API server's certificate
    #[arg(long)]
    insecure_skip_tls_verify: bool,
}

impl ClusterFlags {
    /// The flags as the cluster client takes them; the context is left out when several are named.
    pub(crate) fn kube(&self) -> Result<KubeFlags, Problem> {
        let request_timeout = match self.request_timeout.as_deref() {
            None | Some("0") => None,
            Some(text) => Some(
                runway_core::flux::duration::parse(text, runway_core::flux::duration::Units::WithHours)
                    .map_err(|why| Problem::usage(format!("--request-timeout '{text}' is no duration")).cause(why))?,
            ),
        };
        Ok(KubeFlags {
            kubeconfig: self.kubeconfig.clone(),
            context: if let [only] = self.context.as_slice() { Some(only.clone()) } else { None },
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

/// Which of several clusters are looked at.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct ManyFlags {
    /// Leave out contexts and clusters of this name; * and ? match; may be repeated
    #[arg(long, value_name = "NAME")]
    exclude_context: Vec<String>,
    /// Every context of the kubeconfig
    #[arg(long, conflicts_with = "all_clusters")]
    all_contexts: bool,
    /// Every cluster of the settings' list
    #[arg(long, conflicts_with = "context")]
    all_clusters: bool,
    /// Only clusters that the settings put into this region; * and ? match; may be repeated
    #[arg(long, value_name = "NAME")]
    region: Vec<String>,
    /// Only clusters that the settings give these labels: KEY=VALUE, KEY!=VALUE, KEY, !KEY; may be repeated, all must hold
    #[arg(long, value_name = "SELECTOR")]
    label: Vec<String>,
}

impl ManyFlags {
    /// The choice, together with the flags that say more about it.
    pub(crate) fn choice(&self, cluster: &ClusterFlags, which: &WorkloadsFlags) -> Result<Choice, Problem> {
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
        let several = choice.all_contexts || choice.all_clusters || choice.contexts.len() > 1;
        if several && (cluster.server.is_some() || cluster.cluster.is_some()) {
            return Err(Problem::usage("--server and --cluster name one cluster")
                .cause("several contexts were chosen, and all of them would lead to it"));
        }
        Ok(choice)
    }
}
