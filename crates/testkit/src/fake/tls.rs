//! Both ends of TLS for a fake: the bed's certificate for `localhost`, and the bed's authority.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpStream;

use super::message::Wire;

/// What a fake needs to speak TLS as `localhost`, and to trust another server of the bed.
#[derive(Debug, Clone)]
pub struct Tls {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Tls {
    /// From a folder with `ca.crt`, `server.crt` and `server.key`.
    ///
    /// # Panics
    ///
    /// Panics when they are not there.
    pub fn read(folder: &Path) -> Self {
        Self::new(folder, None)
    }

    /// Makes an authority and a certificate for these names; the files, `ca.crt` among them, are in the folder.
    ///
    /// # Panics
    ///
    /// Panics when they cannot be made.
    pub fn make(folder: &Path, names: &[&str]) -> Self {
        if let Err(error) = crate::bed::pki::write_for(folder, names) {
            panic!("{error}");
        }
        Self::read(folder)
    }

    /// The same, where this end shows a client certificate to the other server.
    pub(crate) fn with_pair(folder: &Path, certificate: &Path, key: &Path) -> Self {
        Self::new(folder, Some((certificate, key)))
    }

    fn new(folder: &Path, pair: Option<(&Path, &Path)>) -> Self {
        let certificates = |file: &str| read(&folder.join(file));
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key");
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        // Without ALPN, so that every client speaks HTTP/1.1.
        let server = builder
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(certificates("server.crt"), key)
            .expect("a pair");
        let mut roots = RootCertStore::empty();
        for certificate in certificates("ca.crt") {
            roots.add(certificate).expect("an authority");
        }
        let builder = ClientConfig::builder_with_provider(provider);
        let client = builder.with_safe_default_protocol_versions().expect("versions").with_root_certificates(roots);
        let client = match pair {
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_file(key).expect("a key");
                client.with_client_auth_cert(read(certificate), key).expect("a pair")
            }
            None => client.with_no_client_auth(),
        };
        Self { server: Arc::new(server), client: Arc::new(client) }
    }

    /// What trusts the bed's authority.
    pub(crate) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.client)
    }

    /// The server's end of a connection.
    pub(super) fn accept(this: Option<&Self>, stream: TcpStream) -> Wire {
        match this {
            None => Wire::new(stream),
            Some(tls) => {
                let connection = ServerConnection::new(Arc::clone(&tls.server)).expect("a TLS connection");
                Wire::new(StreamOwned::new(connection, stream))
            }
        }
    }

    /// The client's end of a connection to `localhost`.
    pub(super) fn connect(this: Option<&Self>, stream: TcpStream) -> Wire {
        match this {
            None => Wire::new(stream),
            Some(tls) => {
                let name = ServerName::try_from("localhost").expect("a name");
                let connection = ClientConnection::new(Arc::clone(&tls.client), name).expect("a TLS connection");
                Wire::new(StreamOwned::new(connection, stream))
            }
        }
    }
}

fn read(file: &Path) -> Vec<CertificateDer<'static>> {
    let read = CertificateDer::pem_file_iter(file).expect("a file of certificates");
    read.map(|certificate| certificate.expect("a certificate")).collect()
}
