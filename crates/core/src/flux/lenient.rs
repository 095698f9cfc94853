//! Fields that say `null` where they could be left out: of one object that is written so, a whole list must not become
//! unreadable.

use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// A value; `null` is none.
pub(super) fn value<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// A list; `null`, and entries that are `null`, are none.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    let all = Option::<Vec<Option<T>>>::deserialize(from)?.unwrap_or_default();
    Ok(all.into_iter().flatten().collect())
}

/// A map of texts; a key whose value is `null` has an empty one.
pub(super) fn map<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let all = Option::<BTreeMap<String, Option<String>>>::deserialize(from)?.unwrap_or_default();
    Ok(all.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}
