//! The push that inventories and deploy artifacts share: what the tag holds, plan, guard, push, and the question whether it
//! arrived.

use super::context::Context;
use super::flags::{OutputFlags, RegistryFlags};
use super::outputs;
use crate::gather::expected::Held;
use crate::gather::provenance;
use crate::gather::publish::{Destination, Found};
use crate::registry::Client;
use crate::render::output::Output;
use crate::render::plan as render;
use crate::ui::Ui;
use runway_core::api;
use runway_core::artifact::manifest::Blob;
use runway_core::artifact::{Artifact, Packed, Provenance, Tree};
use runway_core::flux::reference::{Repository, tag_fault};
use runway_core::problem::{Class, Place, Problem};
use runway_core::publish::{self, Allowance, Plan, Receipt, Refusal, Things, guard};
use runway_core::settings::Settings;
use std::sync::Arc;

/// How something is pushed.
#[derive(Debug, clap::Args)]
#[command(mut_arg("output", super::flags::formats(&FORMATS)))]
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
    /// One more tag for the same digest, which must be free or hold it already; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// URL of the repository that the content comes from
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Git revision that the content comes from, such as main@sha1:…
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// Annotation of the manifest; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    annotation: Vec<String>,
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
    /// Shared with the thread that packs it.
    pub(super) tree: &'a Arc<Tree>,
    /// What is published, and how many of them.
    pub(super) things: Things,
    pub(super) count: usize,
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
        let outputs = Output::parse_all(&flags.output.output, &FORMATS)?;
        let (destination, near) = match &flags.to {
            None => (Destination::Registry(repository()?, self.environment.to_owned()), None),
            // The usual repository is then only a place that may hold the same blobs already.
            Some(to) => (Destination::parse(to, self.environment, &self.context.start)?, repository().ok()),
        };
        for tag in &flags.tag {
            if let Some(why) = tag_fault(tag) {
                return Err(Problem::usage(format!("--tag '{tag}' is no tag")).cause(why));
            }
        }
        let client = self.context.registry(self.settings, &flags.registry)?;
        let (receipt, plan, refused) = crate::block_on(self.carry_out(&client, &destination, near.as_ref(), compare))?;
        self.show(&outputs, &receipt, &plan, ui)?;
        refused.map_or(Ok(receipt), Err)
    }

    async fn carry_out(
        &self,
        client: &Client,
        destination: &Destination,
        near: Option<&Repository>,
        compare: impl FnOnce(Option<&Held>) -> Result<Compared, Problem>,
    ) -> Result<(Receipt, Plan, Option<Problem>), Problem> {
        // Packed while the registry answers.
        let tree = Arc::clone(self.tree);
        let packing = tokio::task::spawn_blocking(move || Packed::new(&tree));
        let found = destination.found(client).await?;
        let packed = packing
            .await
            .map_err(|error| Problem::new(Class::Output, "the tree could not be packed").cause(error.to_string()))?;
        let (Compared { plan, same }, known) = self.compare(client, destination, found.as_ref(), &packed, compare).await?;
        let allowance = Allowance {
            max_removals: self.settings.max_removals(),
            max_percent: self.settings.max_removal_percent(),
            allowed: self.flags.allow_removals,
        };
        let refused = guard(&plan, allowance).err();
        // Where it comes from is asked only when something may be pushed: it may cost several programs.
        let artifact = match (&found, known) {
            (Some(found), _) if same && !self.flags.force => as_found(found, &packed),
            (_, Some(provenance)) => packed.artifact(&provenance?),
            (_, None) => packed.artifact(&provenance::of(&self.given(), &self.context.start).await?),
        };
        let mut receipt = receipt(destination, &artifact, found.as_ref());
        if let Some(problem) = refused {
            let why = if plan.after == 0 { Refusal::NothingLeft } else { Refusal::TooManyRemovals };
            return Ok(refusal(receipt, plan, why, problem));
        }
        let free = match self.free_tags(client, destination, &artifact).await {
            Err(problem) if problem.class == Class::Refused => return Ok(refusal(receipt, plan, Refusal::TagTaken, problem)),
            free => free?,
        };
        if same && !self.flags.force {
            receipt.result = publish::Outcome::Unchanged;
        } else if !self.flags.dry_run {
            match destination.push(client, &artifact, found.as_ref().map(|found| &found.digest), near).await {
                Err(problem) if problem.class == Class::Refused => {
                    return Ok(refusal(receipt, plan, Refusal::TagMoved, problem));
                }
                pushed => pushed?,
            }
            receipt.result = publish::Outcome::Pushed;
        }
        if !self.flags.dry_run {
            for place in free {
                place.also(client, &artifact).await?;
            }
        }
        Ok((receipt, plan, None))
    }

    /// The same layer is the same content; another one may still unpack to the same files, when somebody else packed it. Where
    /// the content comes from is said too, when it was asked meanwhile.
    async fn compare(
        &self,
        client: &Client,
        destination: &Destination,
        found: Option<&Found>,
        packed: &Packed,
        compare: impl FnOnce(Option<&Held>) -> Result<Compared, Problem>,
    ) -> Result<(Compared, Option<Result<Provenance, Problem>>), Problem> {
        let Some(found) = found else { return Ok((compare(None)?, None)) };
        if found.manifest.content()?.digest == packed.layer.digest.as_str() {
            return Ok((Compared { plan: Plan::unchanged(self.things, self.count), same: true }, None));
        }
        // git answers while the registry does.
        let given = self.given();
        let (held, provenance) = tokio::join!(destination.held(client, found), provenance::of(&given, &self.context.start));
        Ok((compare(Some(&held?))?, Some(provenance)))
    }

    /// The places of further tags that do not hold the artifact yet; one that holds another artifact is never moved.
    async fn free_tags(
        &self,
        client: &Client,
        destination: &Destination,
        artifact: &Artifact,
    ) -> Result<Vec<Destination>, Problem> {
        let mut free = Vec::new();
        for tag in &self.flags.tag {
            let place = destination.with_tag(tag);
            match place.found(client).await? {
                None => free.push(place),
                Some(found) if found.digest == artifact.manifest.digest => {}
                Some(found) => {
                    return Err(Problem::new(Class::Refused, format!("the tag {tag} is taken"))
                        .cause(format!("it holds {}, this is {}", found.digest, artifact.manifest.digest))
                        .at(Place::file(format!("{}:{tag}", destination.repository())))
                        .hint("a tag that --tag names is never moved; choose another one"));
                }
            }
        }
        Ok(free)
    }

    fn given(&self) -> provenance::Given<'_> {
        let flags = self.flags;
        provenance::Given { source: flags.source.as_deref(), revision: flags.revision.as_deref(), annotations: &flags.annotation }
    }

    fn show(&self, outputs: &[Output], receipt: &Receipt, plan: &Plan, ui: &Ui) -> Result<(), Problem> {
        outputs::show(
            outputs,
            (self.context, ui),
            || api::push::document(receipt, plan),
            |format| match format {
                "dotenv" => dotenv(receipt),
                _ => Ok(render::text(plan) + &render::receipt(receipt, plan)),
            },
        )
    }
}

/// What a tag holds, as an artifact whose blobs need not be moved.
fn as_found(found: &Found, packed: &Packed) -> Artifact {
    let empty = Blob { digest: packed.layer.digest.clone(), bytes: Vec::new() };
    let manifest = Blob { digest: found.digest.clone(), bytes: found.bytes.clone() };
    Artifact { manifest, config: empty.clone(), layer: empty }
}

/// The end of a push that was refused: a receipt of that, too, since a pipeline goes on by the reason.
fn refusal(receipt: Receipt, plan: Plan, why: Refusal, problem: Problem) -> (Receipt, Plan, Option<Problem>) {
    (Receipt { result: publish::Outcome::Refused, refusal: Some(why), ..receipt }, plan, Some(problem))
}

/// A receipt of nothing done yet.
fn receipt(destination: &Destination, artifact: &Artifact, found: Option<&Found>) -> Receipt {
    Receipt {
        result: publish::Outcome::Planned,
        refusal: None,
        before: found.map(|found| found.digest.as_str().to_owned()),
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
