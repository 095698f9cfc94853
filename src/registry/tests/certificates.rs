//! Client certificates, and the folders in which Docker and podman keep them.

use super::secure::{Asking, Authority, GOOD};
use super::server::{Reply, Server};
use super::{all, artifact, repository, tag};
use crate::net::Budget;
use crate::registry::{Client, Files, Login, Options};
use runway_core::artifact::Digest;
use runway_core::artifact::manifest::Descriptor;
use runway_core::problem::Problem;
use runway_core::settings::PlainHttp;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn client(files: Files, home: Option<&Path>) -> Result<Client, Problem> {
    Client::new(Options {
        plain_http: PlainHttp::Never,
        budget: Budget::new(Duration::from_secs(20), Duration::from_secs(10)),
        variables: &|_| None,
        home: home.map(Path::to_owned),
        files,
    })
}

fn write(path: &Path, text: impl AsRef<[u8]>) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::File::create(path).unwrap().write_all(text.as_ref()).unwrap();
    path.to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(from, to).unwrap();
}

#[tokio::test]
async fn a_registry_that_wants_a_certificate_gets_the_one_that_is_named() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = Server::tls(ours.server("localhost", GOOD, true), |_| Reply::new(404));
    let at = repository(&server, "a/x");
    let with = |pair: Option<(PathBuf, PathBuf)>| client(Files { authorities: Some(ours.file()), pair }, None).unwrap();
    assert_eq!(with(Some(ours.pair("ours"))).head(&at, &tag("v1")).await.unwrap(), None);
    assert!(server.requests().iter().all(|request| request.certified) && server.lines().len() == 1);

    let said = all(&with(None).head(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains(&format!("no TLS connection: {} wants a client certificate", server.host)), "{said}");
    let hint = format!(
        "name one: --cert-file FILE.pem and --key-file FILE.pem, or put client.cert and client.key into ~/.config/containers/certs.d/{}",
        server.host
    );
    assert!(said.contains(&hint), "{said}");
    let said = all(&with(Some(theirs.pair("theirs"))).head(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains("does not take the client certificate: it came from ") && said.contains("theirs.cert"), "{said}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn the_folders_of_docker_and_podman_are_read() {
    let authority = Authority::new();
    let server = Server::tls(authority.server("localhost", GOOD, true), |_| Reply::new(404));
    let at = repository(&server, "a/x");
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/containers/certs.d").join(&server.host);
    let (certificate, key) = authority.pair("ours");
    copy(&authority.file(), &folder.join("ca.crt"));
    let said = all(&client(Files::default(), Some(home.path())).unwrap().head(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains("wants a client certificate"), "{said}");
    copy(&certificate, &folder.join("client.cert"));
    // A certificate without its key is no pair, and the missing file is named.
    let said = all(&client(Files::default(), Some(home.path())).unwrap().head(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains("cannot be made") && said.contains("client.key: "), "{said}");
    copy(&key, &folder.join("client.key"));
    assert_eq!(client(Files::default(), Some(home.path())).unwrap().head(&at, &tag("v1")).await.unwrap(), None);
    // The folder of another registry is not this one's.
    let other = Server::tls(authority.server("localhost", GOOD, false), |_| Reply::new(404));
    let said = all(&client(Files::default(), Some(home.path()))
        .unwrap()
        .head(&repository(&other, "a/x"), &tag("v1"))
        .await
        .unwrap_err());
    assert!(said.contains("signed by an authority that is not trusted here (the system's certificate authorities)"), "{said}");
    write(&folder.join("ca.crt"), "hello");
    let said = all(&client(Files::default(), Some(home.path())).unwrap().head(&at, &tag("v1")).await.unwrap_err());
    assert!(said.contains("ca.crt: it holds no certificate"), "{said}");
}

#[tokio::test]
async fn the_certificate_goes_where_the_login_goes_and_no_further() {
    let authority = Authority::new();
    let config = || authority.asking("localhost", GOOD, Some(Asking::May));
    let storage = Server::tls(config(), |request| match request.method.as_str() {
        "GET" => Reply::new(200).body("content"),
        _ => Reply::new(201),
    });
    let endpoint = Server::tls(config(), |_| Reply::new(200).body(r#"{"token":"good"}"#));
    let challenge = format!("Bearer realm=\"https://{}/jwt/auth\",service=\"s\"", endpoint.host);
    let elsewhere = format!("https://{}/key", storage.host);
    let server = Server::tls(config(), move |request| match (request.header("authorization"), request.method.as_str()) {
        (None, _) => Reply::new(401).with("WWW-Authenticate", challenge.clone()),
        (Some(_), "POST") => Reply::new(202).with("Location", elsewhere.clone()),
        (Some(_), "PUT") => Reply::new(201),
        (Some(_), "GET") => Reply::new(307).with("Location", elsewhere.clone()),
        _ => Reply::new(404),
    });
    let files = Files { authorities: Some(authority.file()), pair: Some(authority.pair("ours")) };
    let client = client(files, None).unwrap().with_login(server.host.clone(), Login::basic("runway", "s3cret"));
    let at = repository(&server, "a/x");
    client.upload(&at, &artifact("one"), None).await.unwrap();
    let content = Descriptor { media_type: String::new(), size: 7, digest: Digest::of(b"content").to_string() };
    assert_eq!(client.blob(&at, &content).await.unwrap(), b"content");
    assert!(server.requests().iter().all(|request| request.certified));
    assert!(endpoint.requests().iter().all(|request| request.certified) && endpoint.lines().len() == 1);
    assert!(storage.requests().iter().all(|request| !request.certified) && storage.lines().len() == 3);
}

#[test]
fn files_that_are_no_pair_are_named() {
    let authority = Authority::new();
    let (certificate, key) = authority.pair("ours");
    let folder = authority.folder.path();
    let odd = write(&folder.join("odd.pem"), "hello");
    let locked =
        write(&folder.join("locked.pem"), "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let broken = write(&folder.join("broken.pem"), "-----BEGIN PRIVATE KEY-----\n%%%\n-----END PRIVATE KEY-----\n");
    let said = |certificate: &Path, key: &Path| {
        let pair = Some((certificate.to_owned(), key.to_owned()));
        all(&client(Files { authorities: None, pair }, None).err().unwrap())
    };
    for (text, words) in [
        (said(&odd, &key), "it holds no certificate\nwhere: "),
        (said(&certificate, &odd), "it holds no private key\nwhere: "),
        (said(&certificate, &certificate), "it holds no private key"),
        (said(&certificate, &locked), "its key has a passphrase, and none is asked for"),
        (said(&certificate, &broken), "are not in PEM form"),
        (said(&folder.join("missing.pem"), &key), "missing.pem"),
    ] {
        assert!(text.starts_with("the client certificate cannot be used: ") && text.contains(words), "{words}\n{text}");
    }
}

#[tokio::test]
async fn a_key_of_another_certificate_is_no_use() {
    let authority = Authority::new();
    let server = Server::tls(authority.server("localhost", GOOD, true), |_| Reply::new(404));
    let pair = Some((authority.pair("one").0, authority.pair("two").1));
    let client = client(Files { authorities: Some(authority.file()), pair }, None).unwrap();
    let said = all(&client.head(&repository(&server, "a/x"), &tag("v1")).await.unwrap_err());
    assert!(said.contains("cannot be made"), "{said}");
    assert_eq!(server.lines().len(), 0);
}
