//! The guard: nobody publishes a change that empties a cluster.

use super::plan::{Plan, Things};
use crate::problem::{Class, Problem};

/// How much may be removed without a word, and what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// `guard.maxRemovals`.
    pub max_removals: u64,
    /// `guard.maxRemovalPercent`.
    pub max_percent: u64,
    /// `--allow-removals N`.
    pub allowed: Option<u64>,
}

/// Refuses an empty inventory or artifact always, and removals of more than `max_removals` *and* more than `max_percent`
/// per cent, or of everything that the tag holds, unless at least so many were allowed.
pub fn guard(plan: &Plan, allowance: Allowance) -> Result<(), Problem> {
    let removed = plan.removed.len() as u64;
    if plan.after == 0 {
        let harm = match plan.things {
            Things::Workloads => "Flux would delete every workload of every cluster of this runtime and environment",
            Things::Objects => "Flux would delete everything that the workload has on every cluster of this environment",
        };
        return Err(Problem::new(Class::Refused, format!("an empty {} is never pushed", plan.things.whole())).cause(harm));
    }
    if removed == 0 || allowance.allowed.is_some_and(|allowed| allowed >= removed) {
        return Ok(());
    }
    let all = plan.removed.len() == plan.before;
    let too_many = removed > allowance.max_removals && removed * 100 > allowance.max_percent * plan.before as u64;
    if !all && !too_many {
        return Ok(());
    }
    let which = if all {
        format!("everything that is published: {}", plan.count_before())
    } else {
        format!("{removed} of {} that are published", plan.count_before())
    };
    let mut names: Vec<&str> = plan.removed.iter().take(10).map(|removal| removal.name.as_str()).collect();
    if plan.removed.len() > names.len() {
        names.push("…");
    }
    let mut problem = Problem::new(Class::Refused, format!("this push would remove {which}")).cause(names.join(", "));
    if let Some(allowed) = allowance.allowed {
        problem = problem.cause(format!("--allow-removals {allowed} allows fewer"));
    }
    Err(problem.hint(format!("if that is meant: --allow-removals {removed}")))
}

#[cfg(test)]
mod tests {
    use super::{Allowance, guard};
    use crate::publish::plan::{Consequence, Plan, Removal};

    fn plan(before: usize, removed: usize, added: usize) -> Plan {
        let removal = |n: usize| Removal { name: format!("w{n}"), consequence: Consequence::Pruned, workload: None };
        Plan {
            removed: (0..removed).map(removal).collect(),
            before,
            after: before - removed + added,
            exists: true,
            ..Plan::default()
        }
    }

    fn passes(plan: &Plan, allowed: Option<u64>) -> bool {
        guard(plan, Allowance { max_removals: 1, max_percent: 10, allowed }).is_ok()
    }

    #[test]
    fn the_rule() {
        assert!(passes(&plan(10, 0, 0), None));
        assert!(passes(&plan(2, 1, 0), None), "one removal is always fine");
        assert!(passes(&plan(100, 10, 0), None), "ten per cent are fine");
        assert!(!passes(&plan(100, 11, 0), None));
        assert!(!passes(&plan(10, 2, 0), None));
        assert!(passes(&plan(10, 2, 0), Some(2)));
        assert!(passes(&plan(10, 2, 0), Some(5)));
        assert!(!passes(&plan(10, 3, 0), Some(2)));
    }

    #[test]
    fn everything_is_never_removed_by_accident() {
        assert!(!passes(&plan(1, 1, 1), None), "another list in its place");
        assert!(passes(&plan(1, 1, 1), Some(1)));
        assert!(!passes(&plan(3, 3, 0), Some(100)), "an empty inventory never goes");
        assert!(!passes(&plan(0, 0, 0), Some(100)));
    }
}
