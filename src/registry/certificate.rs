//! Which certificate a server shows, for explanations: the checks of a connection that fails keep it for themselves.

use reqwest::Url;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring::default_provider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of a handshake that are looked at: more than any chain of certificates has.
const MAX_HANDSHAKE: usize = 256 << 10;
/// Bytes of one name that are shown.
const MAX_NAME: usize = 120;

/// `it is that of CN=…, issued by CN=…`; `None`: it does not show one, or none that can be read. Nothing is sent there but the
/// greeting of TLS.
pub(super) async fn shown(url: &Url) -> Option<String> {
    let witness = Arc::new(Witness { provider: Arc::new(default_provider()), seen: Mutex::default() });
    handshake(url, &witness).await;
    let seen = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    let (subject, issuer) = names(&seen)?;
    Some(format!("it is that of {subject}, issued by {issuer}"))
}

/// Goes as far as the certificate, which the witness refuses.
async fn handshake(url: &Url, witness: &Arc<Witness>) -> Option<()> {
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&witness.provider)).with_safe_default_protocol_versions().ok()?;
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Witness>::clone(witness);
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from(host.clone()).ok()?).ok()?;
    let mut stream = TcpStream::connect((host, url.port_or_known_default()?)).await.ok()?;
    let mut left = MAX_HANDSHAKE;
    while left > 0 {
        let mut out = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut out).ok()?;
        }
        stream.write_all(&out).await.ok()?;
        let mut piece = Vec::with_capacity(16 << 10);
        let count = stream.read_buf(&mut piece).await.ok().filter(|count| *count > 0)?;
        left = left.saturating_sub(count);
        let mut rest = piece.as_slice();
        while !rest.is_empty() {
            connection.read_tls(&mut rest).ok()?;
            connection.process_new_packets().ok()?;
        }
    }
    None
}

/// Keeps the certificate that it is shown, and trusts none.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<Vec<u8>>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(end_entity.to_vec());
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Subject and issuer (RFC 5280, section 4.1).
fn names(certificate: &[u8]) -> Option<(String, String)> {
    let (SEQUENCE, whole, _) = element(certificate)? else { return None };
    let (SEQUENCE, signed, _) = element(whole)? else { return None };
    let (tag, _, after) = element(signed)?;
    // The first version of certificates does not say that it is the first.
    let rest = if tag == VERSION { element(after)?.2 } else { after };
    let (_, _, rest) = element(rest)?;
    let (_, issuer, rest) = element(rest)?;
    let (_, _, rest) = element(rest)?;
    let (_, subject, _) = element(rest)?;
    Some((name(subject), name(issuer)))
}

/// `CN=…, O=…`; the other parts of a name tell nobody which one it is.
fn name(mut sets: &[u8]) -> String {
    let mut found = Vec::new();
    while let Some((_, set, rest)) = element(sets) {
        sets = rest;
        let part = element(set).and_then(|(_, pair, _)| {
            let (_, kind, rest) = element(pair)?;
            Some((kind, element(rest)?.1))
        });
        // id-at-commonName and id-at-organizationName.
        match part {
            Some(([0x55, 4, 3], text)) => found.insert(0, format!("CN={}", String::from_utf8_lossy(text))),
            Some(([0x55, 4, 10], text)) => found.push(format!("O={}", String::from_utf8_lossy(text))),
            _ => {}
        }
    }
    if found.is_empty() { "nobody by name".to_owned() } else { runway_core::text::head(&found.join(", "), MAX_NAME).to_owned() }
}

/// The first element of DER: its tag, its content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::{element, names};
    use rcgen::{CertificateParams, DnType, KeyPair};

    #[test]
    fn names_of_a_certificate_and_of_nonsense() {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["r.example.com".to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::OrganizationName, "Example, Inc.");
        parameters.distinguished_name.push(DnType::CommonName, "registry");
        let certificate = parameters.self_signed(&key).unwrap();
        let both = "CN=registry, O=Example, Inc.".to_owned();
        let whole = certificate.der().to_vec();
        assert_eq!(names(&whole), Some((both.clone(), both)));
        for length in 0..whole.len() {
            assert!(names(&whole[..length]).is_none(), "{length}");
        }
        for bytes in [&[][..], &[0x30], &[0x30, 0x84, 1, 1, 1, 1], &[0x30, 0x80], &[0x30, 0xff], &[0x30, 2, 0]] {
            assert!(element(bytes).is_none(), "{bytes:?}");
        }
    }
}
