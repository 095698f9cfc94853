//! Durations as Flux's APIs accept them.
//!
//! The pattern stands in both CRDs: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`; a source's `timeout` has no `h`.

use std::time::Duration;

/// Which of the two patterns applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// `ms s m h`.
    WithHours,
    /// `ms s m`: OCIRepository `spec.timeout`.
    WithoutHours,
}

/// Reads a duration; `Err` says what is wrong with it.
pub fn parse(text: &str, units: Units) -> Result<Duration, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number_len = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, tail) = rest.split_at_checked(number_len).ok_or("it is not a duration")?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return Err("a number is expected before each unit");
        }
        let (unit, millis) = if tail.starts_with("ms") {
            ("ms", 1.0)
        } else if tail.starts_with('s') {
            ("s", 1_000.0)
        } else if tail.starts_with('m') {
            ("m", 60_000.0)
        } else if tail.starts_with('h') && units == Units::WithHours {
            ("h", 3_600_000.0)
        } else if tail.starts_with('h') {
            return Err("the unit 'h' is not allowed here; write minutes");
        } else if tail.starts_with('d') {
            return Err("the unit 'd' does not exist; write hours, such as 24h");
        } else if tail.is_empty() {
            return Err("a unit is missing, such as 5m or 30s");
        } else {
            return Err("units are ms, s, m and h");
        };
        let value: f64 = number.parse().map_err(|_| "the number is not readable")?;
        let step = Duration::try_from_secs_f64(value * millis / 1_000.0).map_err(|_| "it is too long")?;
        total = total.checked_add(step).ok_or("it is too long")?;
        rest = tail.strip_prefix(unit).unwrap_or_default();
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::{Units, parse};
    use std::time::Duration;

    #[test]
    fn flux_grammar() {
        assert_eq!(parse("5m0s", Units::WithHours), Ok(Duration::from_secs(300)));
        assert_eq!(parse("1h30m", Units::WithHours), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("1.5s", Units::WithHours), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("100ms", Units::WithoutHours), Ok(Duration::from_millis(100)));
    }

    #[test]
    fn refuses_what_the_api_refuses() {
        for bad in ["", "5", "1d", "5 m", "m", "1..5s", ".5s", "5.s", "-5m", "5m0", "9999999999999999999999h"] {
            assert!(parse(bad, Units::WithHours).is_err(), "{bad}");
        }
        assert!(parse("1h", Units::WithoutHours).is_err());
    }
}
