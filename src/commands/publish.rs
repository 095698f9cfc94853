//! The push that inventories and deploy artifacts share: what the tag holds, plan, guard, push, and the question whether it
//! arrived.

use super::context::Context;
use super::flags::{OutputFlags, RegistryFlags};
use crate::files::write;
use crate::gather::expected::Held;
use crate::gather::provenance;
use crate::gather::publish::Destination;
use crate::registry::Client;
use crate::render::output::{self, Output};
use crate::render::plan as render;
use crate::ui::Ui;
use runway_core::api;
use runway_core::artifact::{Artifact, Tree, build};
use runway_core::flux::reference::Repository;
use runway_core::problem::{Class, Problem};
use runway_core::publish::{self, Allowance, Plan, Receipt, guard};
use runway_core::settings::Settings;

/// How something is pushed.
#[derive(Debug, clap::Args)]
pub(super) struct PushFlags {
    /// oci://REPOSITORY[:TAG] or layout:DIR[:TAG] [default: the settings' repository]
    #[arg(long, value_name = "TARGET")]
    to: Option<String>,
    /// Show the plan and push nothing
    #[arg(long)]
    dry_run: bool,
    /// Push even when the tag already holds this content
    #[arg(long)]
    pub(super) force: bool,
    /// Let up to N of what is published be removed
    #[arg(long, value_name = "N")]
    allow_removals: Option<u64>,
    /// URL of the repository that the content comes from
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Git revision that the content comes from, such as main@sha1:…
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// Annotation of the manifest; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    annotate: Vec<String>,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    pub(super) registry: RegistryFlags,
}

const FORMATS: [&str; 4] = ["text", "json", "yaml", "dotenv"];

/// What is pushed, with which settings.
pub(super) struct Push<'a> {
    pub(super) flags: &'a PushFlags,
    pub(super) context: &'a Context,
    pub(super) settings: &'a Settings,
    /// The tag, when the flags name none.
    pub(super) environment: &'a str,
    pub(super) tree: &'a Tree,
}

/// What a push would change.
pub(super) struct Compared {
    pub(super) plan: Plan,
    /// The tag already holds this content.
    pub(super) same: bool,
}

impl Push<'_> {
    /// Does it, and shows what was done. `repository` is asked for when the flags name no place; `compare` gets what the
    /// tag holds now.
    pub(super) fn run(
        &self,
        repository: impl FnOnce() -> Result<Repository, Problem>,
        compare: impl FnOnce(Option<&Held>) -> Result<Compared, Problem>,
        ui: &Ui,
    ) -> Result<Receipt, Problem> {
        let flags = self.flags;
        let outputs = Output::parse_all(&flags.output.output, &FORMATS, "text")?;
        let destination = Destination::parse(flags.to.as_deref(), repository, self.environment, &self.context.start)?;
        let given = provenance::Given {
            source: flags.source.as_deref(),
            revision: flags.revision.as_deref(),
            annotations: &flags.annotate,
        };
        let artifact = build(self.tree, &crate::block_on(provenance::of(&given, &self.context.start))?);
        let client = self.context.registry(self.settings, &flags.registry)?;
        let (receipt, plan, refused) = crate::block_on(self.carry_out(&client, &destination, &artifact, compare))?;
        self.show(&outputs, &receipt, &plan, ui)?;
        refused.map_or(Ok(receipt), Err)
    }

    async fn carry_out(
        &self,
        client: &Client,
        destination: &Destination,
        artifact: &Artifact,
        compare: impl FnOnce(Option<&Held>) -> Result<Compared, Problem>,
    ) -> Result<(Receipt, Plan, Option<Problem>), Problem> {
        let held = destination.held(client).await?;
        let Compared { plan, same } = compare(held.as_ref())?;
        let digest = held.and_then(|held| held.digest);
        let mut receipt = receipt(destination, artifact);
        let allowance = Allowance {
            max_removals: self.settings.max_removals(),
            max_percent: self.settings.max_removal_percent(),
            allowed: self.flags.allow_removals,
        };
        if let Err(problem) = guard(&plan, allowance) {
            receipt.result = publish::Outcome::Refused;
            return Ok((receipt, plan, Some(problem)));
        }
        if same && !self.flags.force {
            receipt.result = publish::Outcome::Unchanged;
            if let Some(digest) = digest {
                digest.as_str().clone_into(&mut receipt.digest);
            }
        } else if !self.flags.dry_run {
            destination.push(client, artifact, digest.as_ref()).await?;
            receipt.result = publish::Outcome::Pushed;
        }
        Ok((receipt, plan, None))
    }

    fn show(&self, outputs: &[Output], receipt: &Receipt, plan: &Plan, ui: &Ui) -> Result<(), Problem> {
        for output in outputs {
            let text = match output.format.as_str() {
                "json" => output::json(&api::push::document(receipt, plan))?,
                "yaml" => output::yaml(&api::push::document(receipt, plan))?,
                "dotenv" => dotenv(receipt)?,
                _ => render::text(plan) + &render::receipt(receipt, plan),
            };
            match &output.path {
                None => ui.answer(&text)?,
                Some(path) => write::atomic(&self.context.start.join(path), text.as_bytes())?,
            }
        }
        Ok(())
    }
}

/// A receipt of nothing done yet.
fn receipt(destination: &Destination, artifact: &Artifact) -> Receipt {
    Receipt {
        result: publish::Outcome::Planned,
        repository: destination.repository(),
        tag: destination.tag().to_owned(),
        digest: artifact.manifest.digest.as_str().to_owned(),
        size: artifact.manifest.bytes.len() + artifact.config.bytes.len() + artifact.layer.bytes.len(),
    }
}

/// Variables for later CI jobs.
fn dotenv(receipt: &Receipt) -> Result<String, Problem> {
    let changed = receipt.result == publish::Outcome::Pushed;
    let reference = format!("{}@{}", receipt.repository, receipt.digest);
    if reference.chars().any(char::is_control) {
        return Err(Problem::new(Class::Output, "the reference cannot be written as a variable"));
    }
    Ok(format!(
        "RUNWAY_REF={reference}\nRUNWAY_TAG={}\nRUNWAY_DIGEST={}\nRUNWAY_CHANGED={changed}\n",
        receipt.tag, receipt.digest
    ))
}
