//! Time limits for everything that goes over the network, and a word about each request to whoever wants it.
//!
//! Uses: nothing.
//! Never: retrying; what may be asked twice is known where it is asked.

use std::time::{Duration, Instant};

/// How long a command may wait: for one request, and for all of them together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// When everything must have ended; none while something is followed, which ends by its own rules.
    deadline: Option<Instant>,
    /// The longest that one request may take.
    request: Duration,
    /// Who is told of requests.
    watcher: Option<Watcher>,
}

/// A request that has ended: what may be told of it. No headers, no query, no user: what is secret stands there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) method: &'a str,
    /// `host` or `host:port`.
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    /// None: there was no answer.
    pub(crate) status: Option<u16>,
    pub(crate) took: Duration,
}

/// Who is told.
pub(crate) type Watcher = fn(&Ended<'_>);

/// The time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Elapsed(pub(crate) Duration);

impl Budget {
    /// A budget that starts now.
    pub(crate) fn new(total: Duration, request: Duration) -> Self {
        Self { deadline: Some(crate::clock::monotonic() + total), request, watcher: None }
    }

    /// The same limit for each request, and none for all of them together: for work that follows a cluster until it is told
    /// to end, where what was a command's time is the time of one question.
    pub(crate) fn endless(&self) -> Self {
        Self { deadline: None, request: self.per_request(), ..*self }
    }

    /// The same, with somebody who is told of each request as it ends.
    pub(crate) fn watched(self, watcher: Option<Watcher>) -> Self {
        Self { watcher, ..self }
    }

    /// When a request begins, if anybody wants to know.
    pub(crate) fn begun(&self) -> Option<Instant> {
        self.watcher.map(|_| crate::clock::monotonic())
    }

    /// Tells of a request that [`Self::begun`] then.
    pub(crate) fn ended(&self, begun: Option<Instant>, method: &str, (host, path): (&str, &str), status: Option<u16>) {
        if let (Some(tell), Some(begun)) = (self.watcher, begun) {
            let took = crate::clock::monotonic().saturating_duration_since(begun);
            tell(&Ended { method, host, path, status, took });
        }
    }

    /// What one request may still take.
    pub(crate) fn per_request(&self) -> Duration {
        self.request.min(self.remaining())
    }

    /// What is left for everything.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(crate::clock::monotonic()))
    }

    /// What one answer may still take that has begun to come: whoever goes on sending is given all the time there is.
    pub(crate) fn answer(&self) -> Duration {
        if self.deadline.is_some() { self.remaining() } else { self.request }
    }

    /// Runs one request; when it takes too long it is dropped, and with it its connection.
    pub(crate) async fn call<T>(&self, future: impl Future<Output = T>) -> Result<T, Elapsed> {
        let limit = self.per_request();
        tokio::time::timeout(limit, future).await.map_err(|_| Elapsed(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use std::time::Duration;

    #[test]
    fn without_an_end_each_request_keeps_its_limit() {
        let over = Budget::new(Duration::ZERO, Duration::from_secs(20));
        assert_eq!((over.per_request(), over.remaining()), (Duration::ZERO, Duration::ZERO));
        let short = Budget::new(Duration::from_secs(5), Duration::from_secs(20)).endless();
        assert!(short.per_request() <= Duration::from_secs(5) && short.per_request() > Duration::from_secs(4));
        assert_eq!(short.remaining(), Duration::MAX);
    }
}
