//! Servers that a test writes itself: a proxy that counts, cuts and delays; a token endpoint; a registry that lies.
//!
//! All are threads of the test's own process on a free port of loopback, and end with the value that holds them. All keep what
//! they received, so that a test can count requests and look for a secret where it must not be.

mod delay;
mod forward;
mod gitlab;
mod hostile;
pub(crate) mod jwt;
mod listen;
mod message;
mod proxy;
mod received;
mod socks;
mod store;
mod tls;
mod token_server;

pub use delay::DelayProxy;
pub use forward::ForwardProxy;
pub use gitlab::GitLab;
pub use hostile::{Deed, Hostile};
pub use message::{Reply, Request};
pub use proxy::{Entry, Proxy, Site, Then};
pub use received::Received;
pub use socks::SocksProxy;
pub use store::{Store, sha256};
pub use tls::Tls;
pub use token_server::{Asked, Canned, Knobs, Person, TokenServer};
pub(crate) use token_server::{ISSUER, SERVICE};
