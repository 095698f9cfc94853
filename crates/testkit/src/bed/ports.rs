//! Free ports on loopback for servers that do not choose their own.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range that systems take for outgoing connections (Linux from 32768), so that no client can take a port
/// between the moment it is found free and the moment its server listens.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port that nothing listens on, never given twice by this process.
///
/// Other processes start elsewhere in the range, by chance.
///
/// # Panics
///
/// Panics when the whole range is taken.
pub(crate) fn free_port() -> u16 {
    static NEXT: OnceLock<AtomicU32> = OnceLock::new();
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is small")]
    let next = NEXT.get_or_init(|| AtomicU32::new((random() % u64::from(COUNT)) as u32));
    for _ in 0..COUNT {
        let offset = next.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = u16::try_from(FIRST + offset).expect("the range is below 65536");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}

/// Chance from the system, by way of the standard library's hash keys: good enough for names and for tokens on loopback.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_different() {
        let first = free_port();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).expect("free");
        let ports: std::collections::HashSet<_> = (0..50).map(|_| free_port()).collect();
        assert_eq!(ports.len(), 50);
        assert!(!ports.contains(&first));
        drop(taken);
    }
}
