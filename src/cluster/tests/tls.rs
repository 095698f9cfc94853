//! Whom a TLS connection trusts.

use super::{Folder, budget, connect, flags, kubeconfig, run};
use crate::cluster::Surroundings;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::{Read as _, Write as _};
use std::sync::Arc;

/// A server with a certificate of its own for localhost; gives its URL and the certificate.
fn start() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for mut tcp in listener.incoming().map_while(Result::ok) {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let mut tls = rustls::ServerConnection::new(config).unwrap();
                let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
                if stream.read(&mut [0_u8; 8192]).is_ok() {
                    let body = "{\"kind\":\"XList\",\"items\":[]}";
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ";
                    stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
                    stream.conn.send_close_notify();
                    stream.flush().unwrap();
                }
            });
        }
    });
    (url, made.cert.pem())
}

#[test]
fn a_private_authority_is_trusted_by_entry_variable_or_flag_only() {
    let (url, pem) = start();
    let folder = Folder::new();
    folder.write("ca.pem", pem);
    let path = folder.path().join("ca.pem");
    let named = path.display().to_string();
    let lookup = |name: &str| (name == "SSL_CERT_FILE").then(|| named.clone());
    let plain = flags(folder.write("plain", kubeconfig(&url, "{}")));
    let own = flags(folder.write("own", kubeconfig(&url, "{}").replace("server: ", "certificate-authority: ca.pem, server: ")));
    let by_flag = crate::cluster::KubeFlags { certificate_authority: Some(path.clone()), ..plain.clone() };
    let skipping = crate::cluster::KubeFlags { insecure_skip_tls_verify: true, ..plain.clone() };
    let without = Surroundings { variables: &|_| None, home: None };
    let with = Surroundings { variables: &lookup, home: None };
    run(async {
        for (flags, around) in [(&own, &without), (&by_flag, &without), (&skipping, &without), (&plain, &with)] {
            connect(flags, None, around, budget()).await.unwrap().objects("apps").await.unwrap().sources.unwrap();
        }
        let gap = connect(&plain, None, &without, budget()).await.unwrap().objects("apps").await.unwrap_err();
        assert_eq!(gap.reason, "TLS", "{gap:?}");
        assert!(gap.message.contains(&url) && gap.message.to_lowercase().contains("certificate"), "{gap:?}");
        let other = crate::cluster::KubeFlags { tls_server_name: Some("other.example".into()), ..own.clone() };
        let gap = connect(&other, None, &without, budget()).await.unwrap().objects("apps").await.unwrap_err();
        assert_eq!(gap.reason, "TLS", "{gap:?}");
    });
}

#[test]
fn plain_http_behind_https_is_a_fault_of_tls() {
    let server = super::server::Server::start(|_| super::server::Reply::Bytes(b"HTTP/1.1 400 X\r\n\r\n".to_vec()));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut tcp in listener.incoming().map_while(Result::ok) {
            tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
        }
    });
    drop(server);
    let gap = run(async { super::cluster_at(&url).await.objects("apps").await }).unwrap_err();
    assert_eq!(gap.reason, "TLS", "{gap:?}");
}
