//! The bed's own certificate authority, one server certificate for loopback, and the key of the service accounts' tokens.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::trouble::{Context as _, Result};

/// The same for a server of these names, into a folder that is there.
pub(crate) fn write_for(folder: &Path, names: &[&str]) -> Result<()> {
    for (name, text) in make(names).context(|| "making certificates".to_owned())? {
        let path = folder.join(name);
        fs::write(&path, text).context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Writes `ca.crt`, `server.crt`, `server.key` and `service-accounts.key`, `.pub` into a folder.
pub(crate) fn write(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).context(|| folder.display().to_string())?;
    write_for(folder, &["localhost", "127.0.0.1"])
}

/// An authority for clients, a client certificate of it, and its key.
pub(super) fn client() -> std::result::Result<[String; 3], rcgen::Error> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.distinguished_name.push(DnType::CommonName, "kubectl-runway test bed, clients");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca_certificate = ca.self_signed(&ca_key)?.pem();
    let key = KeyPair::generate()?;
    let mut client = CertificateParams::new(Vec::new())?;
    client.distinguished_name.push(DnType::CommonName, "runway");
    client.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = client.signed_by(&key, &Issuer::new(ca, ca_key))?.pem();
    Ok([ca_certificate, certificate, key.serialize_pem()])
}

fn make(names: &[&str]) -> std::result::Result<[(&'static str, String); 5], rcgen::Error> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::new(Vec::new())?;
    ca.distinguished_name.push(DnType::CommonName, "kubectl-runway test bed");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(ca, ca_key);

    let key = KeyPair::generate()?;
    // A name of numbers is read as an address.
    let mut server = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = server.signed_by(&key, &issuer)?.pem();

    let tokens = KeyPair::generate()?;
    Ok([
        ("ca.crt", ca_certificate),
        ("server.crt", certificate),
        ("server.key", key.serialize_pem()),
        ("service-accounts.key", tokens.serialize_pem()),
        // The API server reads an EC public key out of a PKCS #8 file of its own only, not out of the private key's.
        ("service-accounts.pub", tokens.public_key_pem()),
    ])
}
