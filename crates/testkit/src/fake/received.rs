//! What a fake was told, for the questions that tests ask afterwards.

use std::sync::{Arc, Mutex};

use super::listen::locked;
use super::message::Request;

/// All requests that a fake has read; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<Mutex<Vec<Request>>>);

impl Received {
    pub(super) fn push(&self, request: Request) {
        locked(&self.0).push(request);
    }

    /// All requests, in the order in which they came.
    pub fn received(&self) -> Vec<Request> {
        locked(&self.0).clone()
    }

    /// The request lines: `GET /v2/`, `CONNECT registry.test:443`.
    pub fn lines(&self) -> Vec<String> {
        locked(&self.0).iter().map(Request::line).collect()
    }

    /// Whether this text is in anything that it was told, heads included; what went through a tunnel was not told to it.
    pub fn has_seen(&self, text: &str) -> bool {
        let seen = |request: &Request| request.raw.windows(text.len().max(1)).any(|window| window == text.as_bytes());
        locked(&self.0).iter().any(seen)
    }

    /// Forgets what it was told.
    pub fn clear(&self) {
        locked(&self.0).clear();
    }
}
