//! What changed since the last look: rows by what they say, clusters by whether they answer.

use crate::commands::look::Seen;
use crate::ui::Ui;
use runway_core::assess::Item;
use std::collections::{BTreeMap, BTreeSet};

/// Cluster, runtime, environment, workload.
type Key = (String, String, String, String);

/// What was shown last.
#[derive(Default)]
pub(super) struct Changes {
    rows: BTreeMap<Key, String>,
    away: BTreeMap<String, String>,
}

fn key(item: &Item) -> Key {
    (item.cluster.clone(), item.runtime.clone(), item.environment.clone(), item.workload.clone())
}

/// All that a row says, but for its age.
fn said(item: &Item) -> String {
    let link = item.broken.as_ref().map(|broken| broken.link.as_str()).unwrap_or_default();
    let applied = item.kustomization.as_ref().and_then(|it| it.applied_digest.as_deref()).unwrap_or_default();
    let expected = item.expected.digest.as_deref().unwrap_or_default();
    // A Ready row's words hold the time of Flux's last look, which moves without anything having changed.
    let words = if item.broken.is_some() { item.message.as_str() } else { "" };
    [item.verdict.as_str(), link, item.reason.as_str(), words, expected, applied].join("\n")
}

impl Changes {
    /// The rows that say something else than last time, and the names of those that are gone. Rows of a cluster that gives no
    /// answer stay as they were: that is said of the cluster.
    pub(super) fn rows<'i>(&mut self, items: &[&'i Item]) -> (Vec<&'i Item>, Vec<Key>) {
        let mut changed = Vec::new();
        let away: Vec<&str> = self.away.keys().map(String::as_str).collect();
        let answering = |cluster: &str| !away.contains(&cluster);
        let there: BTreeSet<Key> = items.iter().map(|item| key(item)).collect();
        let gone: Vec<Key> = self.rows.keys().filter(|known| answering(&known.0) && !there.contains(*known)).cloned().collect();
        for item in items.iter().filter(|item| answering(&item.cluster)) {
            let now = said(item);
            if self.rows.get(&key(item)) != Some(&now) {
                changed.push(*item);
                self.rows.insert(key(item), now);
            }
        }
        for name in &gone {
            self.rows.remove(name);
        }
        (changed, gone)
    }

    /// Whether [`Changes::clusters`] would say something.
    pub(super) fn is_news(&self, seen: &Seen<'_>) -> bool {
        seen.gaps.len() != self.away.len() || seen.gaps.iter().any(|(cluster, _)| !self.away.contains_key(cluster))
    }

    /// Says once that a cluster stopped answering, and once that it answers again.
    pub(super) fn clusters(&mut self, seen: &Seen<'_>, ui: &Ui) {
        for (cluster, gap) in &seen.gaps {
            if self.away.insert(cluster.clone(), gap.message.clone()).is_none() {
                ui.warning(&format!("{cluster} gives no answer, it is asked again and again: {}", gap.message));
            }
        }
        let back: Vec<String> =
            self.away.keys().filter(|name| !seen.gaps.iter().any(|(away, _)| away == *name)).cloned().collect();
        for cluster in back {
            self.away.remove(&cluster);
            ui.note(&format!("{cluster} answers again"));
        }
    }
}
