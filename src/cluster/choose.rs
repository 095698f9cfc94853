//! Which context, cluster entry and user entry are meant, with the flags laid over them by client-go's rules.

use super::files::{self, Merged, entry, names};
use super::flags::KubeFlags;
use kube::config::{AuthInfo, Cluster, Context};
use runway_core::problem::{Class, Problem};
use runway_core::suggest;

/// How many context names a message lists.
const LISTED: usize = 20;

/// The contexts that are configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contexts {
    /// `current-context`; it may name one that does not exist.
    pub(crate) current: Option<String>,
    /// All names, in the order of the files.
    pub(crate) all: Vec<String>,
}

/// A cluster and a user, ready to be turned into a connection. Holds secrets: no `Debug`.
pub(super) struct Target {
    /// The context's name, or the server's URL when there is no context.
    pub(super) name: String,
    /// The cluster entry with the flags laid over it.
    pub(super) cluster: Cluster,
    /// The user entry with the flags laid over it.
    pub(super) user: AuthInfo,
    /// The user entry's name.
    pub(super) user_name: Option<String>,
}

/// The names of all contexts and the current one.
pub(super) fn contexts(merged: &Merged, flags: &KubeFlags) -> Result<Contexts, Problem> {
    if merged.contexts.is_empty() && flags.server.is_none() {
        return Err(files::nothing(merged));
    }
    let all = names(&merged.contexts).map(str::to_owned).collect();
    Ok(Contexts { current: flags.context.clone().or(merged.current.clone()), all })
}

/// The problem of a name that no context has.
pub(super) fn no_context(merged: &Merged, name: &str) -> Problem {
    let problem = if merged.contexts.is_empty() { files::nothing(merged) } else { known_contexts(merged, name) };
    Problem { class: Class::Usage, what: format!("there is no context named {name:?}"), ..problem }
}

/// Chooses; `context` wins over the flag of that name, and that over `current-context`.
pub(super) fn choose(merged: &Merged, flags: &KubeFlags, context: Option<&str>) -> Result<Target, Problem> {
    let asked = context.or(flags.context.as_deref());
    let (name, context) = pick(merged, flags, asked)?;
    let mut cluster = cluster_entry(merged, flags, &name, &context)?;
    lay_over_cluster(&mut cluster, flags);
    check_cluster(&cluster, &name)?;
    let (user_name, mut user) = user_entry(merged, flags, &name, &context)?;
    lay_over_user(&mut user, flags);
    check_user(&user)?;
    Ok(Target { name, cluster, user, user_name })
}

/// The context; an empty one when the flags alone say enough.
fn pick(merged: &Merged, flags: &KubeFlags, asked: Option<&str>) -> Result<(String, Context), Problem> {
    if let Some(name) = asked {
        let known = entry(&merged.contexts, name).ok_or_else(|| no_context(merged, name))?;
        return Ok((name.to_owned(), known.clone()));
    }
    let alone = || flags.server.clone().or_else(|| flags.cluster.clone());
    match &merged.current {
        Some(name) => match (entry(&merged.contexts, name), alone()) {
            (Some(context), _) => Ok((name.clone(), context.clone())),
            (None, Some(name)) => Ok((host_only(&name), Context::default())),
            (None, None) => {
                let what = format!("the kubeconfig's current-context is {name:?}, and there is no context of that name");
                Err(Problem { class: Class::Cluster, what, ..known_contexts(merged, name) })
            }
        },
        None => match alone() {
            Some(name) => Ok((host_only(&name), Context::default())),
            None if merged.contexts.is_empty() => Err(files::nothing(merged)),
            None => {
                let what = "no context is chosen, and the kubeconfig has no current-context";
                Err(Problem { class: Class::Usage, what: what.into(), ..known_contexts(merged, "") }.hint("give --context"))
            }
        },
    }
}

/// A server's URL without what stands before `@`, since it becomes a name.
fn host_only(server: &str) -> String {
    match (server.split_once("://"), server.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => server.to_owned(),
    }
}

/// The list of contexts as hints.
fn known_contexts(merged: &Merged, name: &str) -> Problem {
    let mut problem = Problem::usage("");
    if let Some(near) = suggest::nearest(name, names(&merged.contexts)) {
        problem = problem.hint(format!("did you mean {near:?}?"));
    }
    let mut list = names(&merged.contexts).take(LISTED).collect::<Vec<_>>().join(", ");
    if let Some(more) = merged.contexts.len().checked_sub(LISTED).filter(|more| *more > 0) {
        list = format!("{list} and {more} more");
    }
    problem.hint(if list.is_empty() { "the kubeconfig has no contexts".into() } else { format!("contexts: {list}") })
}

/// The cluster's entry.
fn cluster_entry(merged: &Merged, flags: &KubeFlags, name: &str, context: &Context) -> Result<Cluster, Problem> {
    if let Some(asked) = &flags.cluster {
        return entry(&merged.clusters, asked).cloned().ok_or_else(|| {
            unknown(
                Problem::usage(format!("there is no cluster entry named {asked:?} in the kubeconfig")),
                asked,
                &merged.clusters,
            )
        });
    }
    match entry(&merged.clusters, &context.cluster) {
        Some(cluster) => Ok(cluster.clone()),
        None if flags.server.is_some() => Ok(Cluster::default()),
        None => {
            let what = format!("context {name:?} names the cluster {:?}, which the kubeconfig does not have", context.cluster);
            Err(unknown(Problem::new(Class::Cluster, what), &context.cluster, &merged.clusters))
        }
    }
}

/// The user's entry. A name without an entry is refused: kubectl would go on as nobody and be told "forbidden".
fn user_entry(merged: &Merged, flags: &KubeFlags, name: &str, context: &Context) -> Result<(Option<String>, AuthInfo), Problem> {
    let of_context = context.user.as_ref().filter(|user| !user.is_empty());
    let Some(user) = flags.user.as_ref().or(of_context) else { return Ok((None, AuthInfo::default())) };
    match entry(&merged.users, user) {
        Some(found) => Ok((Some(user.clone()), found.clone())),
        None if flags.user.is_some() => {
            let what = format!("there is no user entry named {user:?} in the kubeconfig");
            Err(unknown(Problem::usage(what), user, &merged.users))
        }
        None => {
            let what = format!("context {name:?} names the user {user:?}, which the kubeconfig does not have");
            Err(unknown(Problem::new(Class::Cluster, what), user, &merged.users))
        }
    }
}

/// Adds the nearest name.
fn unknown<T>(problem: Problem, name: &str, entries: &[(String, T)]) -> Problem {
    match suggest::nearest(name, names(entries)) {
        Some(near) => problem.hint(format!("did you mean {near:?}?")),
        None => problem,
    }
}

/// client-go, `DirectClientConfig.getCluster`: a flag about trust replaces all that the entry says about trust, and another
/// server does not keep the entry's server name.
fn lay_over_cluster(cluster: &mut Cluster, flags: &KubeFlags) {
    if flags.insecure_skip_tls_verify || flags.certificate_authority.is_some() {
        cluster.insecure_skip_tls_verify = Some(flags.insecure_skip_tls_verify);
        cluster.certificate_authority = flags.certificate_authority.as_ref().map(|path| path.display().to_string());
        cluster.certificate_authority_data = None;
    }
    if flags.server.is_some() || flags.tls_server_name.is_some() {
        cluster.tls_server_name.clone_from(&flags.tls_server_name);
    }
    if let Some(server) = &flags.server {
        cluster.server = Some(server.clone());
    }
    for text in [
        &mut cluster.server,
        &mut cluster.certificate_authority,
        &mut cluster.certificate_authority_data,
        &mut cluster.proxy_url,
        &mut cluster.tls_server_name,
    ] {
        drop_empty(text);
    }
}

/// An empty text in a kubeconfig means that nothing is said.
fn drop_empty(text: &mut Option<String>) {
    if text.as_ref().is_some_and(String::is_empty) {
        *text = None;
    }
}

/// What client-go's `validateClusterInfo` refuses.
fn check_cluster(cluster: &Cluster, name: &str) -> Result<(), Problem> {
    if cluster.server.is_none() {
        return Err(Problem::new(Class::Cluster, format!("the cluster of context {name:?} has no server"))
            .hint("the cluster's entry in the kubeconfig needs `server: https://…`, or give --server"));
    }
    let trusts = cluster.certificate_authority.is_some() || cluster.certificate_authority_data.is_some();
    if trusts && cluster.insecure_skip_tls_verify == Some(true) {
        let what = format!("the cluster of context {name:?} names an authority and asks not to check certificates");
        return Err(Problem::new(Class::Cluster, what).hint("only one of the two can be meant"));
    }
    Ok(())
}

/// Lays the flags over the user's entry. `--token` silences every other way to say who one is but the certificate, as
/// client-go does by sending no second Authorization header.
fn lay_over_user(user: &mut AuthInfo, flags: &KubeFlags) {
    for text in [&mut user.username, &mut user.token_file, &mut user.client_certificate, &mut user.client_certificate_data] {
        drop_empty(text);
    }
    for text in [&mut user.client_key, &mut user.impersonate, &mut user.impersonate_uid] {
        drop_empty(text);
    }
    user.impersonate_groups = user.impersonate_groups.take().filter(|groups| !groups.is_empty());
    user.impersonate_user_extra = user.impersonate_user_extra.take().filter(|extra| !extra.is_empty());
    if let Some(token) = &flags.token {
        user.token = Some(token.reveal().to_owned().into());
        user.token_file = None;
        user.username = None;
        user.password = None;
        user.exec = None;
        user.auth_provider = None;
    }
    if let Some(path) = &flags.client_certificate {
        user.client_certificate = Some(path.display().to_string());
        user.client_certificate_data = None;
    }
    if let Some(path) = &flags.client_key {
        user.client_key = Some(path.display().to_string());
        user.client_key_data = None;
    }
    if flags.as_user.is_some() {
        user.impersonate.clone_from(&flags.as_user);
    }
    if flags.as_uid.is_some() {
        user.impersonate_uid.clone_from(&flags.as_uid);
    }
    if !flags.as_groups.is_empty() {
        user.impersonate_groups = Some(flags.as_groups.clone());
    }
}

/// What client-go's `validateAuthInfo` refuses, and the providers that Kubernetes took out.
fn check_user(user: &AuthInfo) -> Result<(), Problem> {
    let more = user.impersonate_uid.is_some() || user.impersonate_groups.is_some() || user.impersonate_user_extra.is_some();
    if more && user.impersonate.is_none() {
        return Err(Problem::usage("a group, uid or extra of another user is asked for without that user").hint("give --as too"));
    }
    if let Some(provider) = &user.auth_provider {
        let what = format!("the kubeconfig's user entry uses the auth-provider {:?}, which is not supported", provider.name);
        let problem =
            Problem::new(Class::Cluster, what).cause("kubectl itself dropped such providers; exec plugins replaced them");
        return Err(match provider.name.as_str() {
            "gcp" => problem.hint("install gke-gcloud-auth-plugin and run `gcloud container clusters get-credentials` again"),
            "azure" => problem.hint("run `kubelogin convert-kubeconfig`"),
            "oidc" => problem.hint("use an exec plugin such as `kubectl oidc-login`"),
            _ => problem,
        });
    }
    Ok(())
}
