//! What changed since the last look: rows by what they say, clusters by whether they answer.

use crate::commands::look::Seen;
use crate::ui::Ui;
use runway_core::assess::Item;
use runway_core::observed::{Gap, NO_PARENT, NOT_YET};
use std::collections::{BTreeMap, BTreeSet};

/// Cluster, runtime, environment, workload.
type Key = (String, String, String, String);

/// What was shown last.
#[derive(Default)]
pub(super) struct Changes {
    rows: BTreeMap<Key, String>,
    /// Clusters that give no answer; whether that was said.
    away: BTreeMap<String, bool>,
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
        let said = |cluster: &String| self.away.get(cluster).copied().unwrap_or_default();
        let unsaid = seen.gaps.iter().any(|(cluster, gap)| !is_early(gap) && !said(cluster));
        let back = self.away.iter().any(|(name, said)| *said && !seen.gaps.iter().any(|(away, _)| away == name));
        unsaid || back
    }

    /// Says once that a cluster stopped answering, and once that it answers again. One that has not answered yet is none of
    /// either.
    pub(super) fn clusters(&mut self, seen: &Seen<'_>, ui: &Ui) {
        for (cluster, gap) in &seen.gaps {
            let said = self.away.entry(cluster.clone()).or_default();
            if *said || is_early(gap) {
                continue;
            }
            *said = true;
            let words = match gap.reason.as_str() {
                NO_PARENT => "cannot be judged, it is looked at again and again",
                _ => "gives no answer, it is asked again and again",
            };
            ui.warning(&format!("{cluster} {words}: {}", gap.message));
        }
        let is_back = |name: &String| !seen.gaps.iter().any(|(away, _)| away == name);
        let back: Vec<String> = self.away.keys().filter(|name| is_back(name)).cloned().collect();
        for cluster in back {
            if self.away.remove(&cluster) == Some(true) {
                ui.note(&format!("{cluster} answers again"));
            }
        }
    }
}

/// Not asked long enough ago.
fn is_early(gap: &Gap) -> bool {
    gap.reason == NOT_YET
}
