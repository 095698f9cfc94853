//! Fields that say `null` where they could be left out: of one object that is written so, a whole list must not become
//! unreadable.

use serde::{Deserialize, Deserializer};

/// A value; `null` is none.
pub(super) fn value<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// A list; `null`, and entries that are `null`, are none.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let all = Option::<Vec<Option<T>>>::deserialize(from)?.unwrap_or_default();
    let mut list: Vec<T> = all.into_iter().flatten().collect();
    // Thousands of objects are kept, and their lists are short.
    list.shrink_to_fit();
    Ok(list)
}
