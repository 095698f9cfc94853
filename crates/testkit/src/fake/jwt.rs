//! Tokens as the registry checks them: ES256, by a key that is made for the test.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// The name of the key, in the set and in every token: the registry finds the one by the other.
const ID: &str = "bed";

/// A key that signs tokens.
pub(super) struct Signer {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    /// A new key.
    pub(super) fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).expect("the key");
        Self { key, random }
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
    pub(super) fn sign(&self, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let content = format!("{}.{}", text(&json!({"alg": "ES256", "typ": "JWT", "kid": ID})), text(claims));
        let signature = self.key.sign(&self.random, content.as_bytes()).expect("a signature");
        format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
