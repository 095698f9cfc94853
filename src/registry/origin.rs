//! Which addresses may be asked, and which of them may see a login.
//!
//! Everything that a registry names (a token endpoint, a redirect, an upload's Location, the next page of tags) passes
//! through here before it is used.

use reqwest::Url;
use runway_core::settings::PlainHttp;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a host, as it stands in a URL, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    bare == "localhost"
        || bare.ends_with(".localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a host may be asked over plain http.
pub(super) fn may_be_plain(host: &str, plain: PlainHttp) -> bool {
    match plain {
        PlainHttp::Auto => is_loopback(host),
        PlainHttp::Always => true,
        PlainHttp::Never => false,
    }
}

/// The address of a registry; `None` when `host` is not just a host and a port.
pub(super) fn base(host: &str, plain: PlainHttp) -> Option<Url> {
    // Docker Hub's name in references is not the name of its registry.
    let host = if is_docker_hub(host) { "registry-1.docker.io" } else { host };
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if !port.ends_with(']') => bare,
        _ => host,
    };
    let scheme = if may_be_plain(bare, plain) { "http" } else { "https" };
    let url = Url::parse(&format!("{scheme}://{host}/")).ok()?;
    let clean = url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none();
    (clean && url.fragment().is_none()).then_some(url)
}

/// Whether a host is one of Docker Hub's names.
pub(super) fn is_docker_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

/// Same scheme, host and port.
pub(super) fn same(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

/// `host` or `host:port`, as people write it.
pub(super) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// A URL as it may be shown: signed storage addresses carry keys in their query.
pub(super) fn shown(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), host(url), runway_core::text::head(url.path(), 200))
}

/// Where a redirect or a Location leads; `home` is the address of the registry that it is about. `Err` says why it is not
/// followed.
pub(super) fn follow(from: &Url, location: &str, plain: PlainHttp, home: &Url) -> Result<Url, String> {
    let mut url = from.join(location).map_err(|_| "it is no address".to_owned())?;
    url.set_fragment(None);
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{} carries a user name or a password", shown(&url)));
    }
    match url.scheme() {
        "https" => {}
        "http" if from.scheme() == "https" => {
            return Err(format!("{} is plain http, and {} is https", shown(&url), host(from)));
        }
        "http" if same(from, &url) || may_be_plain(url.host_str().unwrap_or_default(), plain) => {}
        "http" => return Err(format!("{} is plain http, which is only used on this machine", shown(&url))),
        other => return Err(format!("its scheme is {other}")),
    }
    if let (Some(kind), false) = (inner(&url), url.host_str() == home.host_str() || (is_local(home) && is_local(&url))) {
        return Err(format!("{} is {kind}, and {} is not there", shown(&url), host(home)));
    }
    Ok(url)
}

/// Whether an address is this machine's own.
fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback)
}

/// What kind of address it is, when it is written as one that only machines nearby have: a registry that leads there has
/// us ask what it cannot ask itself, such as a cloud's metadata.
fn inner(url: &Url) -> Option<&'static str> {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    if is_loopback(host) {
        return Some("this machine");
    }
    let address = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.parse::<Ipv6Addr>().ok()?,
        None => host.parse::<Ipv4Addr>().ok()?.to_ipv6_mapped(),
    };
    if let Some(four) = address.to_ipv4_mapped() {
        return match four.octets() {
            [169, 254, ..] => Some("a link-local address"),
            [127 | 0, ..] => Some("this machine"),
            // 100.64.0.0/10: what a provider has for itself, metadata among it.
            [100, 64..128, ..] => Some("a private address"),
            _ if four.is_private() => Some("a private address"),
            _ => None,
        };
    }
    match address.segments() {
        _ if address.is_loopback() || address.is_unspecified() => Some("this machine"),
        [first, ..] if first & 0xffc0 == 0xfe80 => Some("a link-local address"),
        [first, ..] if first & 0xfe00 == 0xfc00 => Some("a private address"),
        _ => None,
    }
}

/// A token endpoint that gets no login.
#[derive(Debug)]
pub(super) struct Untrusted {
    /// Why.
    pub(super) why: String,
    /// Its host, when naming it in `registry.tokenHosts` is all that is missing.
    pub(super) host: Option<String>,
}

/// Whether the token endpoint that a registry names may be asked, and see a login. `allowed` are hosts that the user trusts
/// beside those of the registry's own domain.
///
/// CVE-2026-48978 and its kin: a realm taken as it is sends the password to whoever the registry (or a machine on the
/// way) names. Tests: `realm_*`.
pub(super) fn realm(registry: &Url, realm: &str, allowed: &[String]) -> Result<Url, Untrusted> {
    let refused = |why: String| Untrusted { why, host: None };
    let url = Url::parse(realm).map_err(|_| refused("it is no address".to_owned()))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(refused("its address carries a user name, a password or a fragment".to_owned()));
    }
    let theirs = url.host_str().unwrap_or_default();
    let ours = registry.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {}
        // Who reads along there reads the registry's own answers and logins, too.
        "http" if registry.scheme() == "http" && (is_loopback(theirs) || theirs == ours) => {}
        "http" => return Err(refused("it is plain http, so that everybody on the way could read the login".to_owned())),
        other => return Err(refused(format!("its scheme is {other}"))),
    }
    let is_allowed = || allowed.iter().any(|name| name.eq_ignore_ascii_case(theirs) || name.eq_ignore_ascii_case(&host(&url)));
    if related(ours, theirs) || is_allowed() {
        return Ok(url);
    }
    let why = format!("its host {theirs} is not {ours} and does not belong to the same domain");
    Err(Untrusted { why, host: Some(host(&url)) })
}

/// Whether two hosts are equal, or names below one domain that somebody registered.
fn related(a: &str, b: &str) -> bool {
    let bare = |host: &str| host.trim_end_matches('.').to_ascii_lowercase();
    let (a, b) = (bare(a), bare(b));
    let is_address = |host: &str| host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok();
    a == b || (!is_address(&a) && !is_address(&b) && domain(&a).is_some_and(|ours| domain(&b) == Some(ours)))
}

/// The domain below which one owner has all names: what is registered below a public suffix such as `co.uk`, or below that
/// of a platform whose customers have names side by side, such as `run.app`. Below an ending that nobody lists, as private
/// networks have them, it is the last two labels.
fn domain(host: &str) -> Option<&str> {
    psl::domain_str(host)
}

#[cfg(test)]
mod tests {
    use super::{Url, base, domain, follow, is_loopback, realm, shown};
    use runway_core::settings::PlainHttp;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn plain_http_is_for_this_machine_unless_said_otherwise() {
        let scheme = |host, plain| base(host, plain).unwrap().scheme().to_owned();
        for host in ["localhost:5000", "127.0.0.1:5000", "127.8.9.1", "[::1]:5000", "a.localhost:1"] {
            assert_eq!(scheme(host, PlainHttp::Auto), "http", "{host}");
            assert_eq!(scheme(host, PlainHttp::Never), "https", "{host}");
        }
        for host in ["registry.gitlab.com", "localhost.example.com", "10.0.0.1:5000", "[fe80::1]:5000", "127.example.com"] {
            assert_eq!(scheme(host, PlainHttp::Auto), "https", "{host}");
            assert_eq!(scheme(host, PlainHttp::Always), "http", "{host}");
        }
        assert!(is_loopback("LOCALHOST."));
        assert_eq!(base("docker.io", PlainHttp::Auto).unwrap().as_str(), "https://registry-1.docker.io/");
        assert!(base("user:pw@h", PlainHttp::Auto).is_none());
        assert!(base("h/x", PlainHttp::Auto).is_none());
        assert!(base("h?x", PlainHttp::Auto).is_none());
    }

    #[test]
    fn realm_on_the_same_host_or_domain_over_https() {
        let ok = |registry: &str, text: &str| assert!(realm(&url(registry), text, &[]).is_ok(), "{registry} {text}");
        ok("https://registry.gitlab.com", "https://gitlab.com/jwt/auth");
        ok("https://registry-1.docker.io", "https://auth.docker.io/token");
        ok("https://ghcr.io", "https://ghcr.io/token");
        ok("https://localhost:5001", "https://localhost:5002/jwt/auth");
        ok("http://localhost:5001", "http://localhost:5002/jwt/auth");
        ok("https://10.0.0.1", "https://10.0.0.1/auth");
        ok("https://registry.example.co.uk", "https://gitlab.example.co.uk/auth");
        ok("https://registry.tools.corp", "https://gitlab.tools.corp/jwt/auth");
        // --plain-http: the registry itself gets the login in clear.
        ok("http://10.0.0.1:1", "http://10.0.0.1/auth");
        ok("http://registry.lan:5000", "http://registry.lan:5001/auth");
    }

    #[test]
    fn realm_elsewhere_or_readable_is_refused() {
        let refused = |registry: &str, text: &str| realm(&url(registry), text, &[]).unwrap_err().why;
        assert!(refused("https://registry.example.com", "https://evil.example.net/auth").contains("evil.example.net"));
        assert!(refused("https://registry.example.com", "http://registry.example.com/auth").contains("plain http"));
        assert!(refused("http://localhost:1", "http://evil.example.net/auth").contains("plain http"));
        assert!(refused("http://10.0.0.1:1", "http://10.0.0.2/auth").contains("plain http"));
        assert!(refused("https://10.0.0.1:1", "http://10.0.0.1/auth").contains("plain http"));
        // Names side by side, of owners who have nothing to do with each other.
        assert!(refused("https://registry.foo.me.uk", "https://evil.me.uk/auth").contains("evil.me.uk"));
        assert!(refused("https://x.run.app", "https://y.run.app/auth").contains("y.run.app"));
        assert!(refused("https://a.github.io", "https://b.github.io/auth").contains("b.github.io"));
        assert!(refused("https://a.b.0.1.example.com", "https://1.2.3.4/").contains("1.2.3.4"));
        assert!(refused("https://9.9.0.1", "https://10.0.0.1/").contains("10.0.0.1"));
        assert!(refused("https://registry.foo.co.uk", "https://bar.co.uk/auth").contains("bar.co.uk"));
        assert!(refused("https://registry", "https://other/auth").contains("other"));
        assert!(refused("https://r.example.com", "https://user:pw@r.example.com/").contains("user name"));
        assert!(refused("https://r.example.com", "file:///etc/passwd").contains("scheme is file"));
        assert!(refused("https://gitlab.com.evil.org", "https://gitlab.com/").contains("gitlab.com"));
        assert!(refused("https://r.example.com", "nonsense").contains("no address"));
    }

    #[test]
    fn realm_that_somebody_allowed() {
        let allowed = ["gitlab.example.net".to_owned(), "tokens.example.org:8443".to_owned()];
        let asked = |text: &str| realm(&url("https://registry.example.com"), text, &allowed);
        for text in
            ["https://gitlab.example.net/jwt/auth", "https://GitLab.example.net:444/a", "https://tokens.example.org:8443/"]
        {
            assert!(asked(text).is_ok(), "{text}");
        }
        for text in ["https://tokens.example.org/", "https://x.gitlab.example.net/", "https://gitlab.example.net.evil.org/"] {
            assert!(asked(text).unwrap_err().host.is_some(), "{text}");
        }
        // To be named is no leave to be read along.
        assert!(asked("http://gitlab.example.net/").unwrap_err().host.is_none());
    }

    #[test]
    fn domains() {
        assert_eq!(domain("registry.gitlab.com"), Some("gitlab.com"));
        assert_eq!(domain("ghcr.io"), Some("ghcr.io"));
        assert_eq!(domain("a.b.example.co.uk"), Some("example.co.uk"));
        assert_eq!(domain("example.co.uk"), Some("example.co.uk"));
        assert_eq!(domain("co.uk"), None);
        assert_eq!(domain("x.github.io"), Some("x.github.io"));
        assert_ne!(domain("x.run.app"), Some("run.app"));
        assert_eq!(domain("localhost"), None);
    }

    #[test]
    fn never_from_https_to_http() {
        let from = url("https://r.example.com/v2/a/blobs/x");
        let go = |from: &Url, to: &str, plain| follow(from, to, plain, from);
        assert!(go(&from, "http://r.example.com/y", PlainHttp::Always).is_err());
        assert_eq!(go(&from, "/y?z=1", PlainHttp::Auto).unwrap().as_str(), "https://r.example.com/y?z=1");
        assert_eq!(go(&from, "https://cdn.example.net/y", PlainHttp::Auto).unwrap().host_str(), Some("cdn.example.net"));
        assert!(go(&from, "https://user:pw@cdn.example.net/y", PlainHttp::Auto).is_err());
        assert!(go(&from, "ftp://r.example.com/y", PlainHttp::Auto).is_err());
        let local = url("http://localhost:1/v2/");
        assert!(go(&local, "http://169.254.169.254/latest", PlainHttp::Auto).is_err());
        assert!(go(&local, "http://127.0.0.1:2/x", PlainHttp::Auto).is_ok());
    }

    #[test]
    fn nowhere_near_unless_the_registry_is_there_itself() {
        let near = [
            "169.254.169.254",
            "127.0.0.1",
            "localhost",
            "x.localhost",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.100.100.200",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "2852039166",
            "0xa9fea9fe",
            "127.1",
        ];
        for home in ["https://r.example.com/", "http://r.example.com/", "http://10.9.9.9:5000/"] {
            for host in near {
                for scheme in ["http", "https"] {
                    let to = format!("{scheme}://{host}/latest");
                    let from = url(home);
                    let why = follow(&from, &to, PlainHttp::Always, &from).unwrap_err();
                    assert!(why.contains("address") || why.contains("this machine") || why.contains("plain http"), "{to}: {why}");
                }
            }
        }
        // Where the registry is, its storage may be as well; and what it has sent us to may lead on.
        let ok = |home: &str, from: &str, to: &str| follow(&url(from), to, PlainHttp::Always, &url(home)).is_ok();
        assert!(ok("http://10.0.0.1:5000/", "http://10.0.0.1:5000/", "http://10.0.0.1:9000/x"));
        assert!(ok("http://localhost:5000/", "http://localhost:5000/", "http://127.0.0.1:9000/x"));
        assert!(ok("https://r.example.com/", "https://r.example.com/", "https://9.9.9.9/x"));
        assert!(!ok("https://r.example.com/", "https://127.0.0.1/", "https://127.0.0.1/x"));
    }

    #[test]
    fn a_shown_address_has_no_query() {
        assert_eq!(shown(&url("https://s3.example.com:8443/b/k?X-Amz-Signature=secret")), "https://s3.example.com:8443/b/k");
    }
}
