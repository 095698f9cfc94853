//! The only place that reads clocks.
//!
//! Uses: nothing.
//! Never: deciding anything by itself; the time is passed on.

use std::time::Instant;

/// The clock for time limits; not the time of day.
#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
