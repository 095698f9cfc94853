//! Turns a chosen target into the client's configuration: URL, trust, identity, proxy. Starts no program, opens no socket.

use super::choose::Target;
use super::exec::Plugin;
use super::files::bounded;
use super::flags::Surroundings;
use super::proxy;
use base64::Engine as _;
use http::{HeaderValue, Uri};
use kube::Config;
use kube::config::{AuthInfo, Cluster};
use runway_core::problem::{Class, Problem};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use std::path::Path;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a server may be silent in the middle of an answer.
const SILENCE: Duration = Duration::from_secs(30);

/// A configuration, and the plugin that must be asked before it can be used.
pub(super) struct Prepared {
    /// The configuration; its user has no `exec` any more.
    pub(super) config: Config,
    /// The user entry's plugin.
    pub(super) plugin: Option<Plugin>,
}

/// Prepares a target.
pub(super) fn prepare(target: &Target, around: &Surroundings<'_>) -> Result<Prepared, Problem> {
    let cluster = &target.cluster;
    let url = server_url(target)?;
    let mut user = target.user.clone();
    identity(&mut user)?;
    token_file(&mut user)?;
    check_credentials(&url, &user)?;
    let roots = roots(cluster, &url, around)?;
    let plugin = match user.exec.take() {
        Some(exec) if user.token.is_none() && user.username.is_none() => {
            let own = cluster.certificate_authority.is_some() || cluster.certificate_authority_data.is_some();
            Some(Plugin::new(exec, cluster, roots.as_deref().filter(|_| own))?)
        }
        _ => None,
    };
    let mut config = Config::new(url.clone());
    config.proxy_url = proxy::choose(&url, cluster.proxy_url.as_deref(), around)?;
    config.root_cert = der(roots.as_deref())?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    config.headers = vec![(http::header::USER_AGENT, HeaderValue::from_static(AGENT))];
    config.auth_info = user;
    Ok(Prepared { config, plugin })
}

/// What the API server's audit log shows.
const AGENT: &str = concat!("kubectl-runway/", env!("CARGO_PKG_VERSION"));

/// The server's URL. client-go's `DefaultServerURL`: without a scheme it is https only when something speaks of TLS.
fn server_url(target: &Target) -> Result<Uri, Problem> {
    let cluster = &target.cluster;
    let text = cluster.server.as_deref().unwrap_or_default().trim();
    let refused = |why: &str| {
        let what = format!("the server of context {:?} cannot be used", target.name);
        Problem::new(Class::Cluster, what).cause(why).hint("the form is https://HOST[:PORT]")
    };
    let speaks_of_tls = cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some()
        || cluster.insecure_skip_tls_verify == Some(true)
        || target.user.client_certificate.is_some()
        || target.user.client_certificate_data.is_some();
    let text = match (text.contains("://"), speaks_of_tls) {
        (true, _) => text.to_owned(),
        (false, true) => format!("https://{text}"),
        (false, false) => format!("http://{text}"),
    };
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let url: Uri = text.parse().map_err(|_| refused("it is not a URL"))?;
    if url.host().is_none_or(str::is_empty) {
        return Err(refused("it has no host"));
    }
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(refused("its scheme is neither https nor http"));
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(refused("it holds a user name; credentials belong to the user entry"));
    }
    Ok(url)
}

/// Whether a URL's host is this machine.
pub(super) fn is_loopback(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Refuses what could not be sent, or would be sent in the open.
fn check_credentials(url: &Uri, user: &AuthInfo) -> Result<(), Problem> {
    let has_token = user.token.is_some();
    let has_password = user.username.is_some();
    if has_token && has_password {
        let what = "the kubeconfig's user entry has a password and a token";
        return Err(Problem::new(Class::Cluster, what).hint("only one of the two can be meant"));
    }
    if url.scheme_str() == Some("http") && !is_loopback(url) && (has_token || has_password || user.exec.is_some()) {
        let what = format!("refuses to send credentials over plain http to {}", url.authority().map_or("", |host| host.as_str()));
        return Err(
            Problem::new(Class::Cluster, what).hint("use an https:// server, or a user entry without token, password and plugin")
        );
    }
    let sendable = |text: &str| HeaderValue::from_str(text).is_ok();
    if user.token.as_ref().is_some_and(|token| !sendable(token.expose_secret())) {
        return Err(
            Problem::new(Class::Cluster, "the token cannot be sent").cause("it holds a line break or another control character")
        );
    }
    let named = user.impersonate.iter().chain(&user.impersonate_uid).chain(user.impersonate_groups.iter().flatten());
    let extras = user.impersonate_user_extra.iter().flatten().flat_map(|(_, values)| values);
    if named.chain(extras).any(|text| !sendable(text)) {
        return Err(Problem::usage("the user or group to act as cannot be sent").cause("it holds a control character"));
    }
    Ok(())
}

/// Replaces a token's file by the token. client-go trims it, and lets the file win over a token beside it.
fn token_file(user: &mut AuthInfo) -> Result<(), Problem> {
    if user.token.as_ref().is_some_and(|token| token.expose_secret().is_empty()) {
        user.token = None;
    }
    if user.username.is_some() {
        let password = user.password.take();
        user.password = Some(password.unwrap_or_else(|| String::new().into()));
    }
    let Some(path) = user.token_file.take() else { return Ok(()) };
    let read = bounded(Path::new(&path), "the token file").and_then(|bytes| {
        let missing = || Problem::new(Class::Cluster, format!("there is no token file {path}"));
        let text = String::from_utf8(bytes.ok_or_else(missing)?)
            .map_err(|_| Problem::new(Class::Cluster, format!("the token file {path} is not text")))?;
        let token = text.trim();
        if token.is_empty() {
            Err(Problem::new(Class::Cluster, format!("the token file {path} is empty")))
        } else {
            Ok(token.to_owned())
        }
    });
    match read {
        Ok(token) => user.token = Some(token.into()),
        Err(problem) if user.token.is_none() => return Err(problem),
        Err(_) => {}
    }
    Ok(())
}

/// Reads certificate and key, so that a missing file is told here with its name; data win over files.
fn identity(user: &mut AuthInfo) -> Result<(), Problem> {
    let encode = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
    if user.client_certificate_data.is_none()
        && let Some(path) = user.client_certificate.take()
    {
        user.client_certificate_data = Some(encode(required(&path, "the client's certificate")?));
    }
    let has_data = user.client_key_data.as_ref().is_some_and(|data| !data.expose_secret().is_empty());
    if !has_data {
        let path = user.client_key.take();
        user.client_key_data =
            path.map(|path| required(&path, "the client's key")).transpose()?.map(|bytes| encode(bytes).into());
    }
    user.client_certificate = None;
    user.client_key = None;
    match (user.client_certificate_data.is_some(), user.client_key_data.is_some()) {
        (true, false) => {
            Err(Problem::new(Class::Cluster, "there is a client certificate without its key").hint("give --client-key too"))
        }
        (false, true) => {
            Err(Problem::new(Class::Cluster, "there is a client key without its certificate")
                .hint("give --client-certificate too"))
        }
        _ => Ok(()),
    }
}

/// A file that must be there.
fn required(path: &str, what: &str) -> Result<Vec<u8>, Problem> {
    bounded(Path::new(path), what)?
        .ok_or_else(|| Problem::input(format!("cannot read {what}")).cause(format!("there is no file {path}")))
}

/// The PEM text of those whom the server's certificate may come from; `None`: the system's own list.
///
/// `SSL_CERT_FILE` is read here since on macOS and Windows the system's verifier knows nothing of it.
fn roots(cluster: &Cluster, url: &Uri, around: &Surroundings<'_>) -> Result<Option<Vec<u8>>, Problem> {
    if let Some(data) = &cluster.certificate_authority_data {
        let bytes = base64::engine::general_purpose::STANDARD.decode(data.trim());
        return bytes
            .map(Some)
            .map_err(|_| Problem::new(Class::Cluster, "the cluster entry's certificate-authority-data is not base64"));
    }
    if let Some(path) = &cluster.certificate_authority {
        return required(path, "the certificate authority's file").map(Some);
    }
    if url.scheme_str() != Some("https") || cluster.insecure_skip_tls_verify == Some(true) {
        return Ok(None);
    }
    around.variable("SSL_CERT_FILE").map(|path| required(&path, "the file that SSL_CERT_FILE names")).transpose()
}

/// The certificates in a PEM text.
fn der(pem: Option<&[u8]>) -> Result<Option<Vec<Vec<u8>>>, Problem> {
    let Some(pem) = pem else { return Ok(None) };
    let refused = |why: &str| Problem::new(Class::Cluster, "the certificate authority's file cannot be used").cause(why);
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).map(|item| item.map(|der| der.to_vec())).collect();
    match found {
        Ok(list) if list.is_empty() => Err(refused("it holds no certificate in PEM form")),
        Ok(list) => Ok(Some(list)),
        Err(_) => Err(refused("it is damaged PEM text")),
    }
}
