//! Status that goes on: `--wait` until everything is there (with `--objects`: and has come up), `--watch` until somebody ends it.

mod changes;
mod rollout;
mod wait;
mod watch;

pub(super) use rollout::come_up;
pub(super) use wait::wait;
pub(super) use watch::watch;

use runway_core::flux::duration::{self, Units};
use runway_core::problem::Problem;
use std::time::Duration;

/// Whether, and how, status goes on.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FollowFlags {
    /// Keep looking, and show what changes
    #[arg(short = 'w', long, conflicts_with_all = ["wait", "snapshot", "objects"], help_heading = "Following")]
    pub(crate) watch: bool,
    /// Wait until all are Ready with what the registry has now; exit 1 when it fails, 4 when the time is up
    #[arg(long, conflicts_with = "snapshot", help_heading = "Following")]
    pub(crate) wait: bool,
    /// With --wait: one deadline for all
    #[arg(long, value_name = "DURATION", default_value = "20m", requires = "wait", help_heading = "Following")]
    wait_timeout: String,
    /// With --wait: how long a failure of what is waited for may last before it is believed
    #[arg(long, value_name = "DURATION", default_value = "30s", requires = "wait", help_heading = "Following")]
    grace: String,
    /// With --wait: ask Flux to look now; only failures of after that count
    #[arg(long, requires = "wait", help_heading = "Following")]
    pub(crate) trigger: bool,
}

impl FollowFlags {
    /// `--wait-timeout` and `--grace`.
    fn limits(&self) -> Result<(Duration, Duration), Problem> {
        Ok((parse("--wait-timeout", &self.wait_timeout)?, parse("--grace", &self.grace)?))
    }
}

/// A duration as Flux writes it.
pub(super) fn parse(flag: &str, text: &str) -> Result<Duration, Problem> {
    duration::parse(text, Units::WithHours)
        .map_err(|why| Problem::usage(format!("{flag} '{text}' is no duration")).cause(why).hint("write 30s or 20m"))
}
