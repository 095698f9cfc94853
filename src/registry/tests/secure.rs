//! TLS: whom to trust, every way in which a handshake fails, and what stays within one origin.

use super::server::{Reply, Server};
use super::{all, artifact, repository, tag};
use crate::net::Budget;
use crate::registry::{Client, Files, Login, Options};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use runway_core::artifact::Digest;
use runway_core::artifact::manifest::Descriptor;
use runway_core::flux::reference::Repository;
use runway_core::problem::Problem;
use runway_core::settings::PlainHttp;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How a server asks for a client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Whoever has one may show it.
    May,
    /// Nobody comes in without.
    Must,
}

/// An authority of our own, and its certificate in a file.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: rustls::pki_types::CertificateDer<'static>,
    pub(super) folder: tempfile::TempDir,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, "tests of kubectl-runway");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = parameters.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pem = format!("# a comment\n{}", certificate.pem());
        std::fs::File::create(folder.path().join("ca.pem")).unwrap().write_all(pem.as_bytes()).unwrap();
        Self { issuer: Issuer::new(parameters, key), der: certificate.der().clone(), folder }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Writes a client certificate and its key; gives their files.
    pub(super) fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let files = ["cert", "key"].map(|extension| self.folder.path().join(format!("{name}.{extension}")));
        std::fs::File::create(&files[0]).unwrap().write_all(certificate.pem().as_bytes()).unwrap();
        std::fs::File::create(&files[1]).unwrap().write_all(key.serialize_pem().as_bytes()).unwrap();
        let [certificate, key] = files;
        (certificate, key)
    }

    /// A server's settings with a certificate for this name and these years.
    pub(super) fn server(&self, name: &str, years: (i32, i32), wants_certificate: bool) -> rustls::ServerConfig {
        self.asking(name, years, wants_certificate.then_some(Asking::Must))
    }

    /// The same for a server that asks for a certificate.
    pub(super) fn asking(&self, name: &str, (from, to): (i32, i32), asking: Option<Asking>) -> rustls::ServerConfig {
        drop(rustls::crypto::ring::default_provider().install_default());
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let builder = rustls::ServerConfig::builder();
        let builder = match asking {
            Some(asking) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(self.der.clone()).unwrap();
                let verifier = rustls::server::WebPkiClientVerifier::builder(Arc::new(roots));
                let verifier = if asking == Asking::May { verifier.allow_unauthenticated() } else { verifier };
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => builder.with_no_client_auth(),
        };
        builder.with_single_cert(vec![certificate.der().clone()], key).unwrap()
    }

    fn good(&self) -> rustls::ServerConfig {
        self.server("localhost", GOOD, false)
    }

    fn client(&self) -> Client {
        client(Some(self.file()), None).unwrap()
    }
}

pub(super) const GOOD: (i32, i32) = (2020, 2120);

fn client(ca_file: Option<PathBuf>, ssl_cert_file: Option<&Path>) -> Result<Client, Problem> {
    Client::new(Options {
        plain_http: PlainHttp::Never,
        budget: Budget::new(Duration::from_secs(20), Duration::from_secs(10)),
        variables: &|name| ssl_cert_file.filter(|_| name == "SSL_CERT_FILE").map(|path| path.display().to_string()),
        home: None,
        files: Files { authorities: ca_file, pair: None },
    })
}

async fn fault(client: &Client, at: &Repository) -> String {
    all(&client.head(at, &tag("v1")).await.unwrap_err())
}

#[tokio::test]
async fn authorities_by_file_and_by_variable() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = Server::tls(ours.good(), |_| Reply::new(404));
    let at = repository(&server, "a/x");
    assert_eq!(ours.client().head(&at, &tag("v1")).await.unwrap(), None);
    assert_eq!(client(None, Some(&ours.file())).unwrap().head(&at, &tag("v1")).await.unwrap(), None);
    assert_eq!(client(Some(ours.file()), Some(&theirs.file())).unwrap().head(&at, &tag("v1")).await.unwrap(), None);

    let said = fault(&client(None, None).unwrap(), &at).await;
    let start = format!(
        "cannot read the tag 'v1' from {0}: no TLS connection: the certificate of {0} is signed by an authority that is not trusted here",
        server.host
    );
    assert!(said.starts_with(&start) && said.contains("(the system's certificate authorities)"), "{said}");
    assert!(
        said.contains("hint: if that is right, name the authority's certificate: --ca-file FILE.pem, or SSL_CERT_FILE="),
        "{said}"
    );
    assert!(said.contains("): it is that of CN=") && said.contains(", issued by CN=tests of kubectl-runway\n"), "{said}");
    let said = fault(&client(None, Some(&theirs.file())).unwrap(), &at).await;
    assert!(said.starts_with(&start) && said.contains("(SSL_CERT_FILE="), "{said}");
}

#[tokio::test]
async fn files_without_certificates() {
    let authority = Authority::new();
    let missing = authority.folder.path().join("missing.pem");
    let problem = client(Some(missing.clone()), None).err().unwrap();
    assert!(all(&problem).contains("cannot read the file of certificate authorities"), "{}", all(&problem));
    assert!(all(&problem).contains("missing.pem"));
    let odd = authority.folder.path().join("odd.pem");
    std::fs::File::create(&odd).unwrap().write_all(b"hello").unwrap();
    assert!(all(&client(Some(odd.clone()), None).err().unwrap()).contains("it holds no certificate"));
    // The variable is read when it is needed.
    let server = Server::tls(authority.good(), |_| Reply::new(404));
    let said = fault(&client(None, Some(&missing)).unwrap(), &repository(&server, "a/x")).await;
    assert!(said.contains("cannot be made: SSL_CERT_FILE=") && said.contains("missing.pem"), "{said}");
}

#[tokio::test]
async fn handshakes_that_fail() {
    let authority = Authority::new();
    let cases = [
        ("localhost", (2020, 2021), false, "has expired"),
        ("localhost", (2110, 2120), false, "is not valid yet"),
        ("other.example.com", GOOD, false, "is for another name"),
        ("localhost", GOOD, true, "wants a client certificate"),
    ];
    for (name, years, wants_certificate, expected) in cases {
        let server = Server::tls(authority.server(name, years, wants_certificate), |_| Reply::new(404));
        let said = fault(&authority.client(), &repository(&server, "a/x")).await;
        assert!(said.contains(&server.host) && said.contains(expected), "{expected}\n{said}");
    }
    let plain = Server::start(|_| Reply::new(404));
    let said = fault(&authority.client(), &repository(&plain, "a/x")).await;
    assert!(said.contains("does not speak it") && said.contains("--plain-http"), "{said}");
}

#[tokio::test]
async fn never_from_https_to_http() {
    let authority = Authority::new();
    let plain = Server::start(|_| Reply::new(201));
    let elsewhere = format!("http://{}/x", plain.host);
    let server = Server::tls(authority.good(), move |request| match request.method.as_str() {
        "POST" => Reply::new(202).with("Location", elsewhere.clone()),
        "HEAD" if request.path.contains("/blobs/") => Reply::new(404),
        _ => Reply::new(307).with("Location", elsewhere.clone()),
    });
    let at = repository(&server, "a/x");
    let said = fault(&authority.client(), &at).await;
    assert!(said.contains("is plain http, and localhost:") && said.contains("is https"), "{said}");
    let said = all(&authority.client().upload(&at, &artifact("one"), None).await.unwrap_err());
    assert!(said.contains("sends the upload elsewhere, and this is not followed"), "{said}");
    assert_eq!(plain.lines().len(), 0);
}

#[tokio::test]
async fn storage_and_token_endpoint_on_other_origins_over_https() {
    let authority = Authority::new();
    let storage = Server::tls(authority.good(), |request| match request.method.as_str() {
        "GET" => Reply::new(200).body("content"),
        _ => Reply::new(201),
    });
    let endpoint = Server::tls(authority.good(), |request| match request.header("authorization") {
        Some("Basic cnVud2F5OnMzY3JldA==") => Reply::new(200).body(r#"{"token":"good"}"#),
        _ => Reply::new(401),
    });
    let challenge = format!("Bearer realm=\"https://{}/jwt/auth\",service=\"s\"", endpoint.host);
    let elsewhere = format!("https://{}/key?signature=a", storage.host);
    let server = Server::tls(authority.good(), move |request| match (request.header("authorization"), request.method.as_str()) {
        (None, _) => Reply::new(401).with("WWW-Authenticate", challenge.clone()),
        (Some(_), "POST") => Reply::new(202).with("Location", elsewhere.clone()),
        (Some(_), "PUT") => Reply::new(201),
        (Some(_), "GET") => Reply::new(307).with("Location", elsewhere.clone()),
        _ => Reply::new(404),
    });
    let client = authority.client().with_login(server.host.clone(), Login::basic("runway", "s3cret"));
    let at = repository(&server, "a/x");
    client.upload(&at, &artifact("one"), None).await.unwrap();
    let content = Descriptor { media_type: String::new(), size: 7, digest: Digest::of(b"content").to_string() };
    assert_eq!(client.blob(&at, &content).await.unwrap(), b"content");
    let lines = storage.lines();
    assert_eq!(lines.iter().filter(|line| line.starts_with("PUT /key?signature=a&digest=sha256:")).count(), 2, "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("GET /key?signature=a"));
    assert!(storage.requests().iter().all(|request| request.header("authorization").is_none()));
    assert_eq!(endpoint.lines().len(), 1);
}
