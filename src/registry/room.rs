//! Room for answers: how many bytes of them are held while they are read, however many requests are under way.
//!
//! A small answer needs none. A larger one gets room for all that it may become, at once: who asked for more and more would
//! wait for others that do the same.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes of all larger answers together.
const ALL: usize = 16 << 20;
/// An answer up to this size is small.
pub(super) const SMALL: usize = 64 << 10;
/// Bytes of one permit.
const UNIT: usize = 1 << 10;

/// Room that answers share.
#[derive(Debug)]
pub(super) struct Room(Semaphore);

impl Room {
    /// All of it is free.
    pub(super) fn new() -> Self {
        Self(Semaphore::new(ALL / UNIT))
    }

    /// Room for an answer of so many bytes; it is given back when the value is dropped.
    pub(super) async fn take(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let units = u32::try_from(bytes.min(ALL).div_ceil(UNIT)).unwrap_or(u32::MAX);
        // It is never closed; were it, to read without room would still be right.
        self.0.acquire_many(units).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Room};
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn what_finds_no_room_waits_for_it() {
        let room = Room::new();
        let first = room.take(ALL / 2 + 1).await;
        assert!(room.take(ALL / 2 + 1).now_or_never().is_none());
        let small = room.take(1).now_or_never();
        drop(first);
        assert!(room.take(ALL / 2 + 1).now_or_never().is_some());
        drop(small);
        // More than all there is: all there is.
        assert!(room.take(usize::MAX).now_or_never().is_some());
    }
}
