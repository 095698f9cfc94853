//! What comes after a wait for Flux: that Flux has applied something does not say that it runs. Rows whose applied objects were
//! looked at in, the same steps as of a wait out.

use super::item::Item;
use super::wait::{Fate, Goal, Key, Step, clock, decide, is_wanted, trouble};
use super::words::{Link, State, Verdict};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is remembered from look to look: since when a row has failed.
#[derive(Debug, Clone, Default)]
pub struct Rollout {
    failing: BTreeMap<Key, Duration>,
}

impl Rollout {
    /// Takes in what a look at the objects says. What has failed may recover within the grace; all else may still come.
    pub fn step(&mut self, items: &[Item], goal: &Goal, now: Duration) -> Step {
        let mut troubles = Vec::new();
        let wanted: Vec<&Item> = items.iter().filter(|item| is_wanted(item, goal, items)).collect();
        for item in &wanted {
            let key = (item.cluster.clone(), item.runtime.clone(), item.environment.clone(), item.workload.clone());
            let fate = match item.verdict {
                Verdict::Ready => Fate::Arrived,
                Verdict::Failed | Verdict::Stalled | Verdict::Suspended => {
                    let mut since = self.failing.get(&key).copied();
                    let fate = clock(&mut since, item.message.clone(), goal, now);
                    self.failing.extend(since.map(|since| (key.clone(), since)));
                    fate
                }
                _ => Fate::Waiting(item.message.clone()),
            };
            if !matches!(fate, Fate::Failing(..) | Fate::Failed(_)) {
                self.failing.remove(&key);
            }
            if !matches!(fate, Fate::Arrived) {
                troubles.push((trouble(item, &fate), fate));
            }
        }
        decide(&troubles, wanted.len(), goal, now)
    }
}

/// Rows that are Ready though their objects were not all seen, and why.
pub fn unseen(items: &[Item]) -> impl Iterator<Item = (&Item, &str)> {
    items.iter().filter(|item| item.verdict == Verdict::Ready).filter_map(|item| {
        let healthy = item.links.iter().find(|step| step.link == Link::Healthy)?;
        (healthy.state == State::Unknown).then_some((item, healthy.evidence.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::{Goal, Item, Rollout, State, Step, Verdict, unseen};
    use crate::assess::item::{ExpectedView, ItemKind, Step as LinkStep};
    use crate::assess::words::Link;
    use std::time::Duration;

    fn row(workload: &str, verdict: Verdict) -> Item {
        Item {
            kind: ItemKind::Workload,
            cluster: "c".to_owned(),
            runtime: "gke".to_owned(),
            environment: "production".to_owned(),
            workload: workload.to_owned(),
            verdict,
            reason: String::new(),
            message: format!("{workload} says why"),
            broken: None,
            links: Vec::new(),
            expected: ExpectedView::default(),
            source: None,
            kustomization: None,
            objects: None,
            objects_left_out: 0,
        }
    }

    fn goal() -> Goal {
        let seconds = Duration::from_secs;
        Goal {
            names: vec!["web".to_owned()],
            timeout: seconds(100),
            grace: seconds(30),
            registry: true,
            without_registry: String::new(),
        }
    }

    #[test]
    fn a_rollout_is_waited_for_and_a_failure_has_its_grace() {
        let mut rollout = Rollout::default();
        let mut at = |verdict, seconds| {
            rollout.step(&[row("web", verdict), row("other", Verdict::Failed)], &goal(), Duration::from_secs(seconds))
        };
        assert_eq!(at(Verdict::Reconciling, 0), Step::Waiting(Duration::from_secs(100)));
        assert_eq!(at(Verdict::Failed, 10), Step::Waiting(Duration::from_secs(40)));
        assert_eq!(at(Verdict::Reconciling, 39), Step::Waiting(Duration::from_secs(100)), "it recovers");
        assert_eq!(at(Verdict::Failed, 50), Step::Waiting(Duration::from_secs(80)), "the clock begins anew");
        let Step::Failed(troubles) = at(Verdict::Failed, 80) else { panic!("it has failed") };
        assert_eq!((troubles.len(), troubles[0].words.as_str()), (1, "web says why"));
        let Step::Late(troubles) = at(Verdict::Reconciling, 100) else { panic!("the time is up") };
        assert_eq!(troubles[0].workload, "web");
        assert_eq!(at(Verdict::Ready, 100), Step::Done);
    }

    #[test]
    fn nothing_is_no_success() {
        let step = Rollout::default().step(&[row("web", Verdict::Unreachable)], &goal(), Duration::from_secs(100));
        assert_eq!(step, Step::Late(Vec::new()));
    }

    #[test]
    fn objects_that_may_not_be_read_are_said() {
        let mut item = row("web", Verdict::Ready);
        item.links = vec![LinkStep { state: State::Unknown, ..LinkStep::holds(Link::Healthy, "Secret n/s: forbidden") }];
        let items = [item, row("web", Verdict::Ready)];
        let said: Vec<&str> = unseen(&items).map(|(_, why)| why).collect();
        assert_eq!(said, ["Secret n/s: forbidden"]);
    }
}
