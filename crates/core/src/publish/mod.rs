//! What a push would change, and whether it may.
//!
//! In: the inventory to publish and the one that the tag holds. Out: a [`Plan`], the guard's word, a [`Receipt`].
//! Uses: diff, inventory, flux, problem.
//! Never: network, terminal, clock. The plan that is shown is the plan that is carried out.
//! Start at [`plan::plan`].

pub mod guard;
pub mod plan;
pub mod receipt;

pub use guard::{Allowance, guard};
pub use plan::{Change, Consequence, Plan, Removal, plan};
pub use receipt::{Outcome, Receipt};
