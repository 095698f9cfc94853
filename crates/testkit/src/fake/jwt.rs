//! Tokens as the registry and the API server check them: ES256, by a key that is made for the test.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use std::path::Path;

/// The name of the key, in the set and in every token: the registry finds the one by the other.
const ID: &str = "bed";

/// A key that signs tokens.
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
    /// The key's name in the tokens; an API server that knows its keys from files wants none.
    id: Option<&'static str>,
}

impl Signer {
    /// A new key.
    pub(super) fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("the key");
        Self { key, random, id: Some(ID) }
    }

    /// With the key of a file, PKCS #8 in PEM.
    pub(crate) fn read(file: &Path) -> Self {
        let random = SystemRandom::new();
        let key = PrivatePkcs8KeyDer::from_pem_file(file).expect("a key file");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.secret_pkcs8_der(), &random).expect("a key");
        Self { key, random, id: None }
    }

    /// The public key, as a set of one.
    pub(super) fn jwks(&self) -> Value {
        // An uncompressed point: 4, then both coordinates.
        let point = self.key.public_key().as_ref();
        let (x, y) = point.split_at_checked(1).and_then(|(_, both)| both.split_at_checked(32)).expect("a point");
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "kid": ID}]})
    }

    /// A signed token.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut head = json!({"alg": "ES256", "typ": "JWT"});
        if let (Some(id), Some(head)) = (self.id, head.as_object_mut()) {
            head.insert("kid".to_owned(), json!(id));
        }
        let content = format!("{}.{}", text(&head), text(claims));
        let signature = self.key.sign(&self.random, content.as_bytes()).expect("a signature");
        format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
