//! `status --wait --objects`: once Flux has applied everything, what it applied has to come up. Nobody watches every kind of
//! object, so they are looked at now and then.

use super::FollowFlags;
use super::changes::Changes;
use crate::clock;
use crate::commands::look::{Answer, Look};
use crate::exit::Outcome;
use crate::render::follow as render;
use crate::ui::Ui;
use runway_core::assess::Item;
use runway_core::assess::rollout::{Rollout, unseen};
use runway_core::assess::wait::{Goal, Step, Trouble};
use runway_core::problem::Problem;
use std::time::{Duration, Instant};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(5);
/// Troubles that are said; more become a number.
const LINES: usize = 20;

/// Looks until all is healthy, or will not become so, or the time of the wait that began at `begun` is up.
pub(crate) fn come_up(look: &Look<'_>, flags: &FollowFlags, begun: Instant) -> Result<(Answer, Outcome), Problem> {
    let (timeout, grace) = flags.limits()?;
    let (names, registry) = (look.named.to_vec(), !look.flags.no_registry);
    let goal = Goal { names, timeout, grace, registry, without_registry: String::new() };
    // The wait has said what there is to say of parents and names.
    let silent = look.ui.muted();
    let again = Look { ui: &silent, objects: true, ..*look };
    crate::block_on(async {
        let (mut rollout, mut changes, mut last) = (Rollout::default(), Changes::default(), Answer::default());
        loop {
            let left = (begun + timeout).saturating_duration_since(clock::monotonic());
            // A cluster that hangs does not hold the end up for long.
            let Ok(answer) = tokio::time::timeout(left.max(PAUSE), again.answer()).await else {
                look.ui.warning("the time was up while the applied objects were looked at");
                return Ok((last, Outcome { late: true, ..Outcome::YES }));
            };
            let answer = answer?;
            let now = clock::monotonic().saturating_duration_since(begun);
            let step = rollout.step(&answer.items, &goal, now);
            let several = answer.clusters.len() > 1;
            let rows: Vec<&Item> = answer.items.iter().collect();
            for item in changes.rows(&rows).0 {
                look.ui.note(&render::line(item, now, several));
            }
            let until = match step {
                Step::Waiting(until) => until,
                step => return Ok(finish(look.ui, answer, &step, timeout)),
            };
            last = answer;
            tokio::time::sleep(until.saturating_sub(now).min(PAUSE)).await;
        }
    })
}

fn finish(ui: &Ui, answer: Answer, step: &Step, timeout: Duration) -> (Answer, Outcome) {
    let outcome = Outcome { no: false, ..answer.outcome() };
    let outcome = match step {
        Step::Failed(troubles) => {
            say(ui, "will not become Ready", troubles);
            Outcome { no: true, ..outcome }
        }
        Step::Late(troubles) => {
            say(ui, &format!("is not Ready after {}, the time for it (--wait-timeout)", render::elapsed(timeout)), troubles);
            Outcome { late: true, ..outcome }
        }
        Step::Done | Step::Waiting(_) => {
            for (item, why) in unseen(&answer.items) {
                ui.warning(&format!("not all that {} applied on {} could be looked at: {why}", item.workload, item.cluster));
            }
            outcome
        }
    };
    (answer, outcome)
}

/// Says what did not come, and what to do next.
pub(super) fn say(ui: &Ui, what: &str, troubles: &[Trouble]) {
    for trouble in troubles.iter().take(LINES) {
        ui.warning(&render::trouble(what, trouble));
        for next in &trouble.next {
            ui.note(&format!("  next: {next}"));
        }
    }
    if let Some(more) = troubles.len().checked_sub(LINES).filter(|more| *more > 0) {
        ui.warning(&format!("and {more} more"));
    }
}
