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
use std::path::Path;
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
    /// At a terminal: let everything be removed that the plan names
    #[arg(long)]
    yes: bool,
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

impl PushFlags {
    /// Whether the tag of `--to` and all of `--tag` are the environment's, or no environment's.
    pub(super) fn tags_are_of(
        &self,
        environment: &str,
        things: Things,
        settings: &Settings,
        start: &Path,
    ) -> Result<(), Problem> {
        let to = self.to.as_deref().map(|to| Destination::parse(to, environment, start)).transpose()?;
        let tags = self.tag.iter().map(String::as_str).chain(to.as_ref().map(Destination::tag));
        tags.into_iter().try_for_each(|tag| tag_is_of(tag, environment, things, settings))
    }
}

/// An environment's tag holds that environment: the clusters of another would fetch what is not theirs.
pub(super) fn tag_is_of(tag: &str, environment: &str, things: Things, settings: &Settings) -> Result<(), Problem> {
    if tag == environment || !settings.environments().iter().any(|known| known == tag) {
        return Ok(());
    }
    let what = match things {
        Things::Workloads => "this is the inventory",
        Things::Objects => "these are the manifests",
    };
    Err(Problem::usage(format!("the tag {tag} is that of another environment"))
        .cause(format!("{what} of {environment}, and clusters of {tag} would fetch it"))
        .hint(format!("what is meant for {tag} goes there with -e {tag}")))
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
        outputs::check(&outputs, self.context)?;
        self.given().check()?;
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
        let client = match &destination {
            Destination::Registry(repository, _) => self.context.registry_at(&repository.host, self.settings, &flags.registry)?,
            Destination::Layout(..) => self.context.registry(self.settings, &flags.registry)?,
        };
        let attended = flags.yes && ui.is_attended();
        let (receipt, plan, trouble) = crate::block_on(self.carry_out(&client, &destination, near.as_ref(), attended, compare))?;
        let shown = self.show(&outputs, &receipt, &plan, ui).map_err(|problem| after(&receipt, problem));
        match (trouble, shown) {
            (None, shown) => shown.map(|()| receipt),
            (Some(trouble), shown) => {
                if let Err(problem) = shown {
                    ui.problem(&problem);
                }
                Err(trouble)
            }
        }
    }

    async fn carry_out(
        &self,
        client: &Client,
        destination: &Destination,
        near: Option<&Repository>,
        attended: bool,
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
            allowed: if attended { Some(u64::MAX) } else { self.flags.allow_removals },
        };
        let refused = guard(&plan, allowance).err().map(|problem| {
            let unattended = self.flags.yes && !attended;
            let why = "--yes lifts the guard only where standard input and standard error are a terminal";
            if unattended { problem.cause(why) } else { problem }
        });
        // Where it comes from is asked only when something may be pushed: it may cost several programs.
        let (artifact, size) = match (&found, known) {
            (Some(found), _) if same && !self.flags.force => (as_found(found, &packed), size_of(found)),
            (_, Some(provenance)) => sized(packed.artifact(&provenance?)),
            (_, None) => sized(packed.artifact(&provenance::of(&self.given(), &self.context.start).await?)),
        };
        let mut receipt = receipt(destination, &artifact, size, found.as_ref());
        if let Some(problem) = refused {
            let why = if plan.after == 0 { Refusal::NothingLeft } else { Refusal::TooManyRemovals };
            return Ok(refusal(receipt, plan, why, problem));
        }
        let free = match self.free_tags(client, destination, &artifact).await {
            Err(problem) if problem.class == Class::Refused => return Ok(refusal(receipt, plan, Refusal::TagTaken, problem)),
            free => free?,
        };
        receipt.tags = self.flags.tag.iter().filter(|tag| !free.iter().any(|it| it.tag() == *tag)).cloned().collect();
        if self.flags.dry_run {
            let nothing = same && !self.flags.force && free.is_empty();
            receipt.result = if nothing { publish::Outcome::Unchanged } else { publish::Outcome::Planned };
            receipt.tags.clone_from(&self.flags.tag);
            return Ok((receipt, plan, None));
        }
        receipt.result = publish::Outcome::Unchanged;
        if !same || self.flags.force {
            match destination.push(client, &artifact, found.as_ref().map(|found| &found.digest), near).await {
                Err(problem) if problem.class == Class::Refused => {
                    return Ok(refusal(receipt, plan, Refusal::TagMoved, problem));
                }
                pushed => pushed?,
            }
            receipt.result = publish::Outcome::Pushed;
        }
        for place in free {
            if let Err(problem) = place.also(client, &artifact).await {
                let trouble = without_tag(&receipt, place.tag(), problem);
                return Ok((receipt, plan, Some(trouble)));
            }
            receipt.tags.push(place.tag().to_owned());
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

/// Bytes of what a tag holds, as its manifest says.
fn size_of(found: &Found) -> u64 {
    let blobs = found.manifest.config.iter().chain(&found.manifest.layers).map(|blob| blob.size);
    blobs.fold(found.bytes.len() as u64, u64::saturating_add)
}

/// An artifact, and its bytes.
fn sized(artifact: Artifact) -> (Artifact, u64) {
    let size = [&artifact.manifest, &artifact.config, &artifact.layer].into_iter().map(|blob| blob.bytes.len() as u64).sum();
    (artifact, size)
}

/// What could not be done after the push was: the push is not undone by it, and not hidden either.
fn after(receipt: &Receipt, problem: Problem) -> Problem {
    if receipt.result != publish::Outcome::Pushed {
        return problem;
    }
    let what = format!("pushed, but {}", problem.what);
    Problem { what, ..problem }.hint(format!("{}:{} holds {}", receipt.repository, receipt.tag, receipt.digest))
}

/// A further tag could not be set.
fn without_tag(receipt: &Receipt, tag: &str, problem: Problem) -> Problem {
    let is_pushed = receipt.result == publish::Outcome::Pushed;
    let done = if is_pushed { "pushed" } else { "the content is there" };
    let mut causes = problem.causes;
    causes.insert(0, problem.what);
    // Refused means that nothing was changed.
    let class = if is_pushed && problem.class == Class::Refused { Class::Registry } else { problem.class };
    Problem { class, what: format!("{done}, but the tag {tag} was not set"), causes, ..problem }
}

/// The end of a push that was refused: a receipt of that, too, since a pipeline goes on by the reason.
fn refusal(receipt: Receipt, plan: Plan, why: Refusal, problem: Problem) -> (Receipt, Plan, Option<Problem>) {
    (Receipt { result: publish::Outcome::Refused, refusal: Some(why), ..receipt }, plan, Some(problem))
}

/// A receipt of nothing done yet.
fn receipt(destination: &Destination, artifact: &Artifact, size: u64, found: Option<&Found>) -> Receipt {
    Receipt {
        result: publish::Outcome::Planned,
        refusal: None,
        before: found.map(|found| found.digest.as_str().to_owned()),
        repository: destination.repository(),
        tag: destination.tag().to_owned(),
        digest: artifact.manifest.digest.as_str().to_owned(),
        size,
        tags: Vec::new(),
    }
}

/// Variables for later CI jobs. What was refused is nowhere: then they name what the tag still holds, if anything.
fn dotenv(receipt: &Receipt) -> Result<String, Problem> {
    let changed = receipt.result == publish::Outcome::Pushed;
    let digest = if receipt.result == publish::Outcome::Refused { receipt.before.as_ref() } else { Some(&receipt.digest) };
    if receipt.repository.chars().any(char::is_control) {
        return Err(Problem::new(Class::Output, "the reference cannot be written as a variable"));
    }
    let mut out = String::new();
    if let Some(digest) = digest {
        out.push_str(&format!("RUNWAY_REF={}@{digest}\n", receipt.repository));
    }
    out.push_str(&format!("RUNWAY_TAG={}\n", receipt.tag));
    if let Some(digest) = digest {
        out.push_str(&format!("RUNWAY_DIGEST={digest}\n"));
    }
    out.push_str(&format!("RUNWAY_CHANGED={changed}\n"));
    Ok(out)
}
