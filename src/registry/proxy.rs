//! Which proxy leads to an address, for explanations: the requests themselves are led by reqwest, which reads the same
//! variables with the same matcher. A proxy's URL may hold a password and is never shown; its host is.
//!
//! What reqwest passes over is told here: a value that names no proxy, and with which status a tunnel was refused.

use super::fault::Via;
use super::origin;
use super::secret::Secret;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::{StatusCode, Url};
use runway_core::problem::Problem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of a proxy's answer that are looked at for its status.
const MAX_HEAD: usize = 4 << 10;

/// The variables that name proxies, as they are set.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    https: Option<Named>,
    http: Option<Named>,
    all: Option<Named>,
    except: Option<String>,
}

type Named = (&'static str, Secret);

/// How an address is reached.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// It is this machine, which no proxy leads to.
    Local,
    /// No variable names a proxy for it.
    Direct,
    /// `NO_PROXY` names it.
    Excepted,
    /// Through this `host` and port, which the variable names; whether it is given a login, and spoken to in TLS.
    Through { host: String, port: u16, variable: &'static str, has_login: bool, speaks_tls: bool },
}

impl Proxies {
    /// Takes the variables.
    pub(super) fn new(variables: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variables(name).filter(|value| !value.is_empty());
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, Secret::new(set(name)?))));
        // In a CGI program HTTP_PROXY is a header of the request and not the operator's word (httpoxy).
        let http = if set("REQUEST_METHOD").is_some() { None } else { first(["HTTP_PROXY", "http_proxy"]) };
        let except = set("NO_PROXY").or_else(|| set("no_proxy"));
        Self { https: first(["HTTPS_PROXY", "https_proxy"]), http, all: first(["ALL_PROXY", "all_proxy"]), except }
    }

    /// Whether a variable names a proxy, whatever it is for.
    pub(super) fn is_any(&self) -> bool {
        self.https.is_some() || self.http.is_some() || self.all.is_some()
    }

    /// The proxy that leads to this address.
    pub(super) fn via(&self, url: &Url) -> Option<Via> {
        match self.route(url) {
            Route::Through { host, port, variable, speaks_tls, .. } => {
                Some(Via { name: format!("the proxy {host}:{port} ({variable})"), variable, speaks_tls })
            }
            Route::Local | Route::Direct | Route::Excepted => None,
        }
    }

    /// How this address is reached.
    pub(super) fn route(&self, url: &Url) -> Route {
        if origin::is_loopback(url.host_str().unwrap_or_default()) {
            return Route::Local;
        }
        let Some((variable, found)) = self.found(url) else { return Route::Direct };
        if self.is_excepted(url) {
            return Route::Excepted;
        }
        let (host, port) = address(&found);
        let has_login = found.basic_auth().is_some() || found.raw_auth().is_some();
        Route::Through { host, port, variable, has_login, speaks_tls: found.uri().scheme_str() == Some("https") }
    }

    /// A variable for this address that names no proxy. The library would pass over it and ask directly, past a proxy that
    /// somebody meant to be used.
    pub(super) fn fault(&self, url: &Url) -> Option<Problem> {
        let is_asked = !origin::is_loopback(url.host_str().unwrap_or_default()) && !self.is_excepted(url);
        let (variable, _) = self.named(url).filter(|_| is_asked && self.found(url).is_none())?;
        Some(
            Problem::usage(format!("the variable {variable} names no proxy"))
                .cause("its value, which is not shown since it may hold a password, is no proxy's address")
                .hint("write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT; https:// and socks5h:// are known too")
                .hint(format!("NO_PROXY={} does without it", url.host_str().unwrap_or_default())),
        )
    }

    /// The status with which a proxy refuses a tunnel; `None`: it says none.
    pub(super) async fn tunnel_status(&self, url: &Url) -> Option<StatusCode> {
        let (_, proxy) = self.found(url).filter(|(_, found)| matches!(found.uri().scheme_str(), None | Some("http")))?;
        let (host, port) = address(&proxy);
        let target = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
        if let Some(login) = proxy.basic_auth() {
            request.extend([b"Proxy-Authorization: ".as_slice(), login.as_bytes(), b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        let mut stream = TcpStream::connect((host.trim_start_matches('[').trim_end_matches(']'), port)).await.ok()?;
        stream.write_all(&request).await.ok()?;
        let mut line = Vec::new();
        while !line.contains(&b'\n') && line.len() < MAX_HEAD {
            if stream.read_buf(&mut line).await.ok()? == 0 {
                break;
            }
        }
        StatusCode::from_bytes(line.split(|byte| *byte == b' ').nth(1)?.get(..3)?).ok()
    }

    /// The variable for an address, and its value.
    fn named(&self, url: &Url) -> Option<&Named> {
        let of_scheme = if url.scheme() == "https" { &self.https } else { &self.http };
        of_scheme.as_ref().or(self.all.as_ref())
    }

    /// The proxy that the variable for an address names, whether or not it is excepted.
    fn found(&self, url: &Url) -> Option<(&'static str, Intercept)> {
        let (variable, value) = self.named(url)?;
        let target = url.as_str().parse::<Uri>().ok()?;
        Matcher::builder().all(value.expose()).build().intercept(&target).map(|found| (*variable, found))
    }

    /// Whether `NO_PROXY` names it.
    fn is_excepted(&self, url: &Url) -> bool {
        let Ok(target) = url.as_str().parse::<Uri>() else { return false };
        let except = self.except.as_deref().unwrap_or_default();
        Matcher::builder().all("http://proxy.invalid").no(except).build().intercept(&target).is_none()
    }
}

/// A proxy's host, and its port or the usual one.
fn address(proxy: &Intercept) -> (String, u16) {
    let usual = match proxy.uri().scheme_str() {
        Some("https") => 443,
        Some("http") | None => 80,
        Some(_) => 1080,
    };
    (proxy.uri().host().unwrap_or_default().to_owned(), proxy.uri().port_u16().unwrap_or(usual))
}

#[cfg(test)]
mod tests {
    use super::{Proxies, Route, Url};

    fn route(variables: &[(&str, &str)], url: &str) -> Route {
        let get = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Proxies::new(&get).route(&Url::parse(url).unwrap())
    }

    fn through(host: &str, port: u16, variable: &'static str, has_login: bool) -> Route {
        Route::Through { host: host.to_owned(), port, variable, has_login, speaks_tls: false }
    }

    #[test]
    fn by_scheme_then_for_all_and_not_for_what_is_excepted() {
        let all = [
            ("HTTPS_PROXY", "http://user:canary@secure.example.com:3128"),
            ("http_proxy", "plain.example.com"),
            ("ALL_PROXY", "socks5h://all.example.com"),
            ("NO_PROXY", ".internal, 10.0.0.0/8"),
        ];
        assert_eq!(route(&all, "https://r.example.com/"), through("secure.example.com", 3128, "HTTPS_PROXY", true));
        assert_eq!(route(&all, "http://r.example.com/"), through("plain.example.com", 80, "http_proxy", false));
        assert_eq!(route(&all[2..], "https://r.example.com/"), through("all.example.com", 1080, "ALL_PROXY", false));
        assert_eq!(route(&all, "https://r.internal/"), Route::Excepted);
        assert_eq!(route(&all, "https://10.1.2.3/"), Route::Excepted);
        assert_eq!(route(&all, "https://localhost:5000/"), Route::Local);
        assert_eq!(route(&[], "https://r.example.com/"), Route::Direct);
        assert_eq!(route(&[("HTTP_PROXY", "p"), ("REQUEST_METHOD", "GET")], "http://r.example.com/"), Route::Direct);
        // What names no proxy is told, where it would be used.
        let fault = |url: &str| {
            let get = |name: &str| match name {
                "HTTPS_PROXY" => Some("http://u:canary@bad host:1".to_owned()),
                "NO_PROXY" => Some("r.internal".to_owned()),
                _ => None,
            };
            Proxies::new(&get).fault(&Url::parse(url).unwrap())
        };
        let said = fault("https://r.example.com/").unwrap();
        assert!(said.what.contains("HTTPS_PROXY names no proxy") && !format!("{said:?}").contains("canary"), "{said:?}");
        assert_eq!(["https://r.internal/", "https://localhost/", "http://r.example.com/"].map(fault), [None, None, None]);
        assert!(!format!("{:?}", Proxies::new(&|name| (name == "HTTPS_PROXY").then(|| all[0].1.to_owned()))).contains("canary"));
    }
}
