//! What is asked again, how often, and after which pause.

use crate::clock;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

/// How often a request is made at most.
pub(super) const TRIES: u32 = 3;

/// Pause before the second try, before jitter; the third waits twice as long.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// Whether the same request may well be answered a moment later.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// The pause after the given try (counted from 1): doubled each time, between half and one and a half of that, so that
/// thirty-two requests which failed together do not come back together.
pub(super) fn pause(first: Duration, tries: u32) -> Duration {
    // A hasher with random keys is the standard library's only source of randomness.
    let random = RandomState::new().build_hasher().finish() % 1000;
    let share = 500 + u32::try_from(random).unwrap_or(500);
    first * 2u32.saturating_pow(tries.saturating_sub(1)) * share / 1000
}

/// What `Retry-After` asks for: seconds, or a date.
pub(super) fn after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(clock::now())).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::{Duration, HeaderMap, RETRY_AFTER, after, clock, is_transient, pause};
    use reqwest::StatusCode;

    #[test]
    fn pauses_grow_and_vary() {
        let first = Duration::from_millis(100);
        for _ in 0..50 {
            assert!((50..=150).contains(&pause(first, 1).as_millis()));
            assert!((100..=300).contains(&pause(first, 2).as_millis()));
        }
        let many: std::collections::HashSet<_> = (0..20).map(|_| pause(Duration::from_secs(100), 1)).collect();
        assert!(many.len() > 1);
    }

    #[test]
    fn retry_after_in_both_forms() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            after(&headers)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("Thu, 01 Jan 1970 00:00:01 GMT"), Some(Duration::ZERO));
        let at = clock::now() + jiff::SignedDuration::from_secs(120);
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap();
        let seconds = read(&date).unwrap().as_secs();
        assert!((110..=120).contains(&seconds), "{date} {seconds}");
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }

    #[test]
    fn which_answers_pass() {
        let transient: Vec<u16> = (100..600).filter(|code| is_transient(StatusCode::from_u16(*code).unwrap())).collect();
        assert_eq!(transient, [408, 429, 500, 502, 503, 504]);
    }
}
