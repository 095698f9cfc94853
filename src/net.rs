//! Time limits for everything that goes over the network.
//!
//! Uses: nothing.
//! Never: retrying; what may be asked twice is known where it is asked.

use std::time::{Duration, Instant};

/// How long a command may wait: for one request, and for all of them together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// When everything must have ended.
    deadline: Instant,
    /// The longest that one request may take.
    request: Duration,
}

/// The time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elapsed(pub(crate) Duration);

impl Budget {
    /// A budget that starts now.
    pub(crate) fn new(total: Duration, request: Duration) -> Self {
        Self { deadline: crate::clock::monotonic() + total, request }
    }

    /// What one request may still take.
    pub(crate) fn per_request(&self) -> Duration {
        self.request.min(self.deadline.saturating_duration_since(crate::clock::monotonic()))
    }

    /// What is left for everything.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(crate::clock::monotonic())
    }

    /// Runs one request; when it takes too long it is dropped, and with it its connection.
    pub(crate) async fn call<T>(&self, future: impl Future<Output = T>) -> Result<T, Elapsed> {
        let limit = self.per_request();
        tokio::time::timeout(limit, future).await.map_err(|_| Elapsed(limit))
    }
}
