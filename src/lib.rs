//! kubectl-runway: publishes Runway's Flux inventories and says whether what was published is what runs.

pub(crate) mod clock;
pub(crate) mod net;
