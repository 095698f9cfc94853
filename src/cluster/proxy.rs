//! Which proxy leads to a server: the cluster entry's, else the environment's as Go's `http.ProxyFromEnvironment` reads it.

use super::flags::Surroundings;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use runway_core::problem::{Class, Problem};

/// The proxy for a server. `NO_PROXY` counts only for the environment's, never for a cluster entry's own.
pub(super) fn choose(server: &Uri, of_entry: Option<&str>, around: &Surroundings<'_>) -> Result<Option<Uri>, Problem> {
    if let Some(text) = of_entry {
        return parse(text, "the cluster entry's proxy-url").map(Some);
    }
    if super::prepare::is_loopback(server) {
        return Ok(None);
    }
    let first = |names: [&str; 2]| names.iter().find_map(|name| around.variable(name));
    // In a CGI program HTTP_PROXY is a header of the request and not the operator's word (httpoxy).
    let plain = if around.variable("REQUEST_METHOD").is_some() { None } else { first(["HTTP_PROXY", "http_proxy"]) };
    let secure = first(["HTTPS_PROXY", "https_proxy"]);
    let (name, value) = if server.scheme_str() == Some("https") { ("HTTPS_PROXY", secure) } else { ("HTTP_PROXY", plain) };
    let Some(text) = value else { return Ok(None) };
    let proxy = parse(&text, name)?;
    let except = first(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    // Only whether it matches is asked of the matcher: its answer has lost user and password.
    let matcher = Matcher::builder().http("http://proxy").https("http://proxy").no(for_port(&except, server)).build();
    Ok(matcher.intercept(server).map(|_| proxy))
}

/// Entries with a port (`host:6443`), which Go knows and the matcher does not: kept without it when it is the server's.
fn for_port(except: &str, server: &Uri) -> String {
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("https") { 443 } else { 80 });
    let keep = |entry: &str| match entry.rsplit_once(':') {
        Some((host, number)) if !host.contains(':') || host.ends_with(']') => {
            (number.parse() == Ok(port)).then(|| host.trim_matches(['[', ']']).to_owned())
        }
        _ => Some(entry.to_owned()),
    };
    except.split(',').map(str::trim).filter_map(keep).collect::<Vec<_>>().join(",")
}

/// A proxy's URL; it may hold a password and is never shown.
fn parse(text: &str, origin: &str) -> Result<Uri, Problem> {
    let refused = |why: &str| Problem::new(Class::Cluster, format!("{origin} names no usable proxy")).cause(why);
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // kube knows the scheme `socks5` only; both spellings let the proxy look names up.
    let text = text.strip_prefix("socks5h://").map_or(text.clone(), |rest| format!("socks5://{rest}"));
    let uri: Uri = text.parse().map_err(|_| refused("it is not a URL"))?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(refused("it has no host"));
    }
    match uri.scheme_str() {
        Some("http" | "https" | "socks5") => Ok(uri),
        _ => Err(refused("only http, https and socks5 proxies are known")),
    }
}
