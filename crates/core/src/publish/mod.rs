//! What a push would change, and whether it may.
//!
//! In: what is to be published and what the tag holds: an inventory, or a workload's objects. Out: a [`Plan`], the guard's word, a [`Receipt`].
//! Uses: artifact, deploy, diff, inventory, flux, problem, yaml.
//! Never: network, terminal, clock. The plan that is shown is the plan that is carried out.
//! Start at [`plan()`].

pub mod guard;
mod inventories;
mod objects;
pub mod plan;
pub mod receipt;
mod unread;

pub use guard::{Allowance, guard};
pub use inventories::{plan, plan_of_misplaced};
pub use objects::plan_objects;
pub use plan::{Change, Consequence, Plan, Removal, Things};
pub use receipt::{Outcome, Receipt, Refusal};
pub use unread::plan_of_trees;
