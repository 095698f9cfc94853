//! Which proxy leads to an address, for explanations: the requests themselves are led by reqwest, which reads the same
//! variables with the same matcher. A proxy's URL may hold a password and is never shown; its host is.

use super::origin;
use super::secret::Secret;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

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
    /// Through this `host` and port, which the variable names; whether it is given a login.
    Through { host: String, port: u16, variable: &'static str, has_login: bool },
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

    /// The proxy that leads to this address, and the variable that names it.
    pub(super) fn via(&self, url: &Url) -> Option<String> {
        match self.route(url) {
            Route::Through { host, port, variable, .. } => Some(format!("the proxy {host}:{port} ({variable})")),
            Route::Local | Route::Direct | Route::Excepted => None,
        }
    }

    /// How this address is reached.
    pub(super) fn route(&self, url: &Url) -> Route {
        if origin::is_loopback(url.host_str().unwrap_or_default()) {
            return Route::Local;
        }
        let of_scheme = if url.scheme() == "https" { &self.https } else { &self.http };
        let (Some((variable, value)), Ok(target)) = (of_scheme.as_ref().or(self.all.as_ref()), url.as_str().parse::<Uri>())
        else {
            return Route::Direct;
        };
        let matcher = |except: &str| Matcher::builder().all(value.expose()).no(except).build();
        let Some(found) = matcher("").intercept(&target) else { return Route::Direct };
        if matcher(self.except.as_deref().unwrap_or_default()).intercept(&target).is_none() {
            return Route::Excepted;
        }
        let usual = match found.uri().scheme_str() {
            Some("https") => 443,
            Some("http") | None => 80,
            Some(_) => 1080,
        };
        Route::Through {
            host: found.uri().host().unwrap_or_default().to_owned(),
            port: found.uri().port_u16().unwrap_or(usual),
            variable,
            has_login: found.basic_auth().is_some() || found.raw_auth().is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Proxies, Route, Url};

    fn route(variables: &[(&str, &str)], url: &str) -> Route {
        let get = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Proxies::new(&get).route(&Url::parse(url).unwrap())
    }

    fn through(host: &str, port: u16, variable: &'static str, has_login: bool) -> Route {
        Route::Through { host: host.to_owned(), port, variable, has_login }
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
        assert!(!format!("{:?}", Proxies::new(&|name| (name == "HTTPS_PROXY").then(|| all[0].1.to_owned()))).contains("canary"));
    }
}
