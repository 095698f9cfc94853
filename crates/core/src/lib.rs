//! x
pub mod actions;
pub mod api;
pub mod artifact;
pub mod assess;
pub mod diff;
pub mod finding;
pub mod flux;
pub mod inventory;
pub mod objects;
pub mod observed;
pub mod problem;
pub mod publish;
pub mod settings;
pub mod suggest;
pub mod text;
pub mod workloads;
pub mod yaml;
