//! `snapshot save`: what a cluster has, what is published and what registries say, as a folder that `--snapshot` reads.

use super::context::Context;
use super::look::{LookFlags, scopes};
use super::sources::Reading;
use crate::cluster::{self, Cluster};
use crate::env;
use crate::exit::Outcome;
use crate::files::{read, write};
use crate::gather::deployed::Asker;
use crate::gather::expected::{self, Held};
use crate::gather::source::Source;
use crate::gather::targets;
use crate::registry::Client;
use crate::ui::Ui;
use runway_core::assess::{self, Expected, Published};
use runway_core::flux::reference::Target;
use runway_core::observed::snapshot::{About, Snapshot, answers, list};
use runway_core::observed::{Observed, Registry};
use runway_core::problem::{Class, Place, Problem};
use runway_core::settings::Settings;
use std::path::PathBuf;

/// What can be done with snapshots.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Save what one cluster has now
    Save(Box<Args>),
}

/// Save what one cluster has now.
#[derive(Debug, clap::Args)]
#[command(mut_args(of_one_cluster))]
pub(crate) struct Args {
    /// A folder that is not there yet, or is empty [default: snapshot-<cluster>-<time>]
    path: Option<PathBuf>,
    #[command(flatten)]
    look: LookFlags,
}

/// A snapshot is of one cluster, and not of a snapshot or a declared file: flags that choose those, several clusters or none are
/// refused, and not shown.
fn of_one_cluster(arg: clap::Arg) -> clap::Arg {
    let refused = ["file", "snapshot", "exclude_context", "all_contexts", "all_clusters", "region", "label"];
    let hidden = refused.contains(&arg.get_id().as_str());
    arg.hide(hidden)
}

/// What is saved.
struct Saving {
    files: Vec<(String, Vec<u8>)>,
    about: About,
    workloads: usize,
}

pub(crate) fn run(command: &Command, context: &Context, ui: &Ui) -> Result<Outcome, Problem> {
    let Command::Save(args) = command;
    let settings = context.settings(&args.look.which)?;
    if args.look.which.file.is_some() {
        return Err(Problem::usage("-f is a declared file, and a snapshot has none"));
    }
    if let Some(path) = &args.look.snapshot {
        return Err(Problem::usage("a snapshot is saved of a cluster, not of a snapshot").at(Place::file(read::shown(path))));
    }
    if let Some(path) = &args.path {
        refuse_full(&context.start.join(path))?;
    }
    let client = context.registry(&settings, &args.look.registry)?;
    let saver = Saver { args, context, settings: &settings, client: &client, ui };
    let saving = crate::block_on(saver.gather())?;
    let path = args.path.clone().unwrap_or_else(|| default_path(&saving.about));
    let folder = context.start.join(&path);
    refuse_full(&folder)?;
    for (name, content) in &saving.files {
        let file = folder.join(name);
        write::folder(file.parent().unwrap_or(&folder))?;
        write::atomic(&file, content)?;
    }
    ui.note(&format!(
        "saved {} objects of {}; judge them with --snapshot {}",
        saving.workloads,
        saving.about.cluster,
        path.display()
    ));
    ui.answer(&format!("{}\n", path.display())).map(|()| Outcome::YES)
}

/// Somebody's files are never mixed with a snapshot's.
fn refuse_full(path: &std::path::Path) -> Result<(), Problem> {
    let is_free = !path.exists() || std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if is_free {
        return Ok(());
    }
    Err(Problem::usage("a snapshot needs a folder of its own")
        .cause("there is something already")
        .at(Place::file(path.display().to_string())))
}

fn default_path(about: &About) -> PathBuf {
    let clean = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') { c } else { '-' };
    let time: String = about.time.chars().take_while(|c| *c != '.').filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    PathBuf::from(format!("snapshot-{}-{time}", about.cluster.chars().map(clean).collect::<String>()))
}

/// What saving needs.
struct Saver<'a> {
    args: &'a Args,
    context: &'a Context,
    settings: &'a Settings,
    client: &'a Client,
    ui: &'a Ui,
}

impl Saver<'_> {
    async fn gather(&self) -> Result<Saving, Problem> {
        let settings = self.settings;
        let (cluster, name, context) = self.connect()?;
        let cluster_list = list(cluster.whole(settings.namespace()).await?)?;
        let text = cluster_list.to_string();
        // Read back as --snapshot will: what is saved is what can be judged.
        let objects = Snapshot::parse("cluster.json", &text)?.objects(settings.namespace());
        let observed = Observed { cluster: name.clone(), namespace: settings.namespace().to_owned(), objects: Ok(objects) };
        let (runtime, environment) = match scopes((settings.runtime(), settings.environment()), settings.runtimes(), &observed)?
            .as_slice()
        {
            [one] => one.clone(),
            several => {
                let all: Vec<String> = several.iter().map(|(runtime, environment)| format!("{runtime} {environment}")).collect();
                return Err(Problem::usage("a snapshot is of one runtime and environment")
                    .cause(format!("the cluster has {}", all.join(", ")))
                    .hint("choose with --runtime and -e"));
            }
        };
        let mut about = About { cluster: name, context, time: self.context.now.to_string(), ..About::default() };
        let held = self.published(&runtime, &environment, &mut about).await?;
        let mut files = vec![("cluster.json".to_owned(), pretty(&cluster_list)?)];
        let published = match &held {
            Some(held) => Published::Known { inventory: held.inventory(&environment)?, digest: None },
            None => Published::NotThere,
        };
        let namespace = observed.namespace.clone();
        let expected = Expected { runtime, environment: environment.clone(), namespace, declared: None, published };
        let registry = if self.args.look.no_registry {
            Registry::default()
        } else {
            Asker::new(self.client).ask(&assess::references(&expected, &observed)).await
        };
        files.push(("registry.json".to_owned(), pretty(&answers(&registry))?));
        files.push(("snapshot.json".to_owned(), pretty(&about)?));
        if let Some(held) = &held {
            files.extend(inventory_files(held, &environment));
        }
        let workloads = cluster_list.get("items").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
        Ok(Saving { files, about, workloads })
    }

    fn connect(&self) -> Result<(Cluster, String, Option<String>), Problem> {
        let args = self.args;
        let flags = args.look.cluster.all()?;
        let choice = args.look.many.choice(&args.look.cluster, &args.look.which)?;
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let configured = cluster::configured(&flags, &around)?;
        let targets = targets::targets(&choice, self.settings, &configured)?;
        let [target] = targets.as_slice() else {
            return Err(Problem::usage("a snapshot is of one cluster").cause(format!("{} were chosen", targets.len())));
        };
        let cluster = configured.connect(target.context.as_deref(), self.context.budget)?;
        let name = target.name.clone().unwrap_or_else(|| cluster.name().to_owned());
        // Without a context the connection is called by the server's URL.
        let context = target.context.clone().or_else(|| Some(cluster.name().to_owned()).filter(|name| !name.contains("://")));
        Ok((cluster, name, context))
    }

    /// What is published. What cannot be read is left out and said: status will then call it unknown.
    async fn published(&self, runtime: &str, environment: &str, about: &mut About) -> Result<Option<Held>, Problem> {
        let args = self.args;
        let asked = match &args.look.expected {
            Some(text) => {
                let (context, settings, client, ui) = (self.context, self.settings, self.client, self.ui);
                let reading = Reading { context, settings, runtime: Some(runtime), environment, client, ui };
                reading.held(&Source::parse(text, &context.start)?).await?.ok()
            }
            None if args.look.no_registry => return Ok(None),
            None => {
                let repository = self.settings.inventory_repository(runtime)?;
                match expected::from_registry(self.client, &repository, &Target::Tag(environment.to_owned())).await {
                    Ok(held) => held.ok(),
                    Err(problem) => {
                        self.ui.warning(&format!("what is published could not be read and is not saved: {problem}"));
                        return Ok(None);
                    }
                }
            }
        };
        about.not_published = asked.is_none();
        about.published_digest = asked.as_ref().and_then(|held| held.digest.as_ref()).map(ToString::to_string);
        Ok(asked)
    }
}

/// The environment's files; one that says that the environment's folder is missing, when it is.
fn inventory_files(held: &Held, environment: &str) -> Vec<(String, Vec<u8>)> {
    let prefix = format!("{environment}/");
    let all = held.tree.files().filter(|(path, _)| path.starts_with(&prefix));
    let mut files: Vec<(String, Vec<u8>)> = all.map(|(path, content)| (format!("published/{path}"), content.to_vec())).collect();
    if files.is_empty() {
        let text = format!("What was published had nothing in the folder {environment}.\n");
        files.push(("published/README".to_owned(), text.into_bytes()));
    }
    files
}

fn pretty(value: &impl serde::Serialize) -> Result<Vec<u8>, Problem> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| Problem::new(Class::Internal, "the snapshot cannot be written").caused_by(&error))?;
    bytes.push(b'\n');
    Ok(bytes)
}
