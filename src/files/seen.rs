//! The names of workloads in the inventories that were read last, a small file for each inventory: for completion, which asks
//! no registry.

use super::{read, write};
use jiff::{SignedDuration, Timestamp};
use runway_core::artifact::Digest;
use runway_core::flux::names::label_fault;
use std::fmt;
use std::path::Path;

/// The first line of a file; another one is another form.
const HEAD: &str = "kubectl-runway workloads 1";
/// The folder below the cache.
const FOLDER: &str = "workloads";
/// A file is written anew when its age would mislead.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// Names of longer ago are more likely gone than wanted.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24 * 30);
/// A file that is read, in bytes: 16,000 names of 63 characters.
const MAX_FILE: u64 = 1 << 20;
/// Files that are read.
const MAX_FILES: usize = 64;

/// An inventory's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Repository of the inventory.
    pub(crate) repository: String,
    pub(crate) runtime: String,
    pub(crate) environment: String,
    pub(crate) names: Vec<String>,
    /// How long ago it was read.
    pub(crate) age: Option<SignedDuration>,
}

impl Seen {
    /// Whether the inventory is one of this platform's.
    pub(crate) fn lies_below(&self, base: &str) -> bool {
        self.repository.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'))
    }

    fn text(&self) -> String {
        let names = self.names.iter().filter(|name| label_fault(name).is_none());
        let head = [HEAD, &self.repository, &self.runtime, &self.environment];
        head.into_iter().chain(names.map(String::as_str)).flat_map(|line| [line, "\n"]).collect()
    }

    fn parse(text: &str, age: SignedDuration) -> Option<Self> {
        let mut lines = text.lines().map(str::to_owned);
        if lines.next()? != HEAD {
            return None;
        }
        let (repository, runtime, environment) = (lines.next()?, lines.next()?, lines.next()?);
        let names = lines.filter(|name| label_fault(name).is_none()).collect();
        Some(Self { repository, runtime, environment, names, age: Some(age) })
    }
}

/// "gke production, seen 3h ago".
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.runtime, self.environment)?;
        let Some(age) = self.age else { return Ok(()) };
        match age.as_mins() {
            ..=1 => f.write_str(", seen now"),
            minutes @ 2..120 => write!(f, ", seen {minutes}m ago"),
            minutes @ 120..2_880 => write!(f, ", seen {}h ago", minutes / 60),
            minutes => write!(f, ", seen {}d ago", minutes / 1_440),
        }
    }
}

/// Keeps the names below the cache's folder. It is no fault of a command when they cannot be kept.
pub(crate) fn remember(cache: &Path, seen: &Seen, now: Timestamp) {
    let fit_for_a_name = [&seen.runtime, &seen.environment].iter().all(|word| label_fault(word).is_none());
    let (folder, text) = (cache.join(FOLDER), seen.text());
    if !fit_for_a_name || text.len() as u64 > MAX_FILE || seen.repository.chars().any(char::is_control) {
        return;
    }
    let id: String = Digest::of(seen.repository.as_bytes()).hex().chars().take(12).collect();
    let file = folder.join(format!("{}-{}-{id}", seen.runtime, seen.environment));
    let is_fresh = age(&file, now).is_some_and(|age| age < FRESH);
    if is_fresh && read::bytes(&file, "", MAX_FILE).is_ok_and(|old| old == text.as_bytes()) {
        return;
    }
    drop(write::folder(&folder).and_then(|()| write::atomic(&file, text.as_bytes())));
}

/// All names that were kept, the newest first.
pub(crate) fn recall(cache: Option<&Path>, now: Timestamp) -> Vec<Seen> {
    let entries = cache.and_then(|cache| std::fs::read_dir(cache.join(FOLDER)).ok()).into_iter().flatten().flatten();
    let mut all: Vec<Seen> = Vec::new();
    for entry in entries.take(MAX_FILES) {
        let path = entry.path();
        let Some(age) = age(&path, now).filter(|age| *age < FORGOTTEN) else { continue };
        let Ok(bytes) = read::bytes(&path, "", MAX_FILE) else { continue };
        all.extend(String::from_utf8(bytes).ok().and_then(|text| Seen::parse(&text, age)));
    }
    all.sort_by_key(|seen| seen.age);
    all
}

fn age(file: &Path, now: Timestamp) -> Option<SignedDuration> {
    let written = Timestamp::try_from(std::fs::metadata(file).ok()?.modified().ok()?).ok()?;
    Some(now.duration_since(written).max(SignedDuration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::{Seen, recall, remember};
    use jiff::SignedDuration;

    fn seen(names: &[&str]) -> Seen {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let [repository, runtime, environment] = ["h/a/provisioner/gke-inventory", "gke", "production"].map(str::to_owned);
        Seen { repository, runtime, environment, names, age: None }
    }

    #[test]
    fn names_are_kept_for_a_while() {
        let cache = tempfile::tempdir().unwrap();
        let now = crate::clock::now();
        remember(cache.path(), &seen(&["web", "no\u{1b}name", "api"]), now);
        let kept = recall(Some(cache.path()), now);
        assert_eq!(kept[0].names, ["web", "api"], "only what can be a name");
        assert!(kept[0].lies_below("h/a") && !kept[0].lies_below("h/a/prov"));
        let later = recall(Some(cache.path()), now + SignedDuration::from_hours(3));
        assert!(later[0].to_string().starts_with("gke production, seen "), "{}", later[0]);
        assert!(recall(Some(cache.path()), now + SignedDuration::from_hours(24 * 31)).is_empty());
        assert!(recall(None, now).is_empty());
    }

    #[test]
    fn what_somebody_else_wrote_is_no_list_of_names() {
        assert_eq!(Seen::parse("web\napi\n", SignedDuration::ZERO), None);
        assert_eq!(Seen::parse("kubectl-runway workloads 1\nonly\n", SignedDuration::ZERO), None);
    }
}
