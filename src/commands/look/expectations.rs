//! What is expected, read once for each runtime and environment, however many clusters are compared with it.

use super::flags::LookFlags;
use crate::commands::context::Context;
use crate::commands::sources::Reading;
use crate::gather::expected::Held;
use crate::gather::observed::Saved;
use crate::gather::source::Source;
use crate::gather::{deployed, expected};
use crate::registry::{Client, refuses_us};
use crate::ui::Ui;
use runway_core::assess::{Expected, Published};
use runway_core::flux::reference::{Reference, Target};
use runway_core::inventory::Inventory;
use runway_core::problem::{Class, Place, Problem};
use runway_core::settings::Settings;
use runway_core::suggest;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tokio::sync::OnceCell;

/// Runtime and environment.
pub(crate) type Scope = (String, String);

type Known = Rc<OnceCell<Result<Rc<Expected>, Problem>>>;

/// The expectations of a run.
pub(super) struct Expectations<'a> {
    pub(super) flags: &'a LookFlags,
    pub(super) context: &'a Context,
    pub(super) settings: &'a Settings,
    pub(super) saved: Option<&'a Saved>,
    pub(super) client: &'a Client,
    pub(super) ui: &'a Ui,
    pub(super) known: RefCell<BTreeMap<Scope, Known>>,
    /// Scopes whose place does not accept who we are: no waiting makes them readable.
    pub(super) refused: RefCell<BTreeSet<Scope>>,
}

impl Expectations<'_> {
    /// What is expected; the first who asks reads it, the others wait.
    pub(super) async fn of(&self, scope: &Scope, namespace: &str) -> Result<Rc<Expected>, Problem> {
        let cell = Rc::clone(self.known.borrow_mut().entry(scope.clone()).or_default());
        cell.get_or_init(async || self.read(scope, namespace).await.map(Rc::new)).await.clone()
    }

    /// The known workload whose name is nearest.
    pub(super) fn nearest(&self, name: &str) -> Option<String> {
        let known = self.known.borrow();
        let read = known.values().filter_map(|cell| cell.get()?.as_ref().ok());
        let entries = read.flat_map(|it| it.declared().into_iter().chain(it.published())).flat_map(|it| &it.entries);
        suggest::nearest(name, entries.map(|entry| entry.name.as_str())).map(str::to_owned)
    }

    async fn read(&self, (runtime, environment): &Scope, namespace: &str) -> Result<Expected, Problem> {
        let declared = self.declared(runtime, environment)?;
        let published = self.published(runtime, environment).await?;
        if let Published::Known { inventory, .. } = &published
            && !inventory.has_folder
        {
            self.ui.warning(&format!("what is published has no folder {environment}: it expects nothing"));
        }
        if let Published::Unknown(why) = &published
            && !self.flags.no_registry
        {
            self.ui.warning(&format!("what is published could not be read: {why}"));
        }
        if let (None, None, Published::Known { inventory, .. }) = (&self.flags.expected, self.saved, &published) {
            self.context.remember(self.settings, (runtime, environment), inventory.names());
        }
        let (runtime, environment) = (runtime.clone(), environment.clone());
        Ok(Expected { runtime, environment, namespace: namespace.to_owned(), declared, published })
    }

    /// What is expected as far as it is known without an answer of the registry.
    pub(super) fn without(&self, (runtime, environment): &Scope, namespace: &str, why: &str) -> Result<Expected, Problem> {
        let declared = self.declared(runtime, environment)?;
        let published = Published::Unknown(why.to_owned());
        let (runtime, environment) = (runtime.clone(), environment.clone());
        Ok(Expected { runtime, environment, namespace: namespace.to_owned(), declared, published })
    }

    fn declared(&self, runtime: &str, environment: &str) -> Result<Option<(String, Inventory)>, Problem> {
        let file = self.flags.which.file.as_deref();
        let Some(declared) = expected::declared(file, &self.context.start, runtime)? else { return Ok(None) };
        if declared.is_refused() {
            self.ui.findings(&declared.findings, (&declared.file, &declared.text));
            return Err(Problem::input("the declared file has errors").at(Place::file(declared.file)));
        }
        let inventory = declared.inventory(self.settings, environment);
        Ok(Some((declared.file, inventory)))
    }

    /// What is published. That it cannot be read is nothing that ends a look: it is unknown, with the reason.
    pub(super) async fn published(&self, runtime: &str, environment: &str) -> Result<Published, Problem> {
        let (held, place) = match (&self.flags.expected, self.saved) {
            (Some(text), _) => {
                let source = Source::parse(text, &self.context.start)?;
                is_there(&source)?;
                let (context, settings, client, ui) = (self.context, self.settings, self.client, self.ui);
                let said = Some(runtime);
                match (Reading { context, settings, runtime: said, environment, client, ui }).held(&source).await {
                    Err(problem) if problem.class == Class::Usage => return Err(problem),
                    held => (held, source.to_string()),
                }
            }
            (None, Some(saved)) => {
                return Ok(match &saved.published {
                    Some(held) => known(held, environment, saved.about.published_digest.clone()),
                    None if saved.about.not_published => Published::NotThere,
                    None => Published::Unknown("the snapshot holds no inventory".to_owned()),
                });
            }
            (None, None) if self.flags.no_registry => {
                return Ok(Published::Unknown("registries were not asked (--no-registry)".to_owned()));
            }
            (None, None) => {
                let repository = self.settings.inventory_repository(runtime)?;
                let target = Target::Tag(environment.to_owned());
                let held = expected::from_registry(self.client, &repository, &target).await;
                (held, Reference { repository, target: Some(target) }.to_string())
            }
        };
        let scope = (runtime.to_owned(), environment.to_owned());
        let refused = held.as_ref().is_err_and(refuses_us);
        if refused {
            self.refused.borrow_mut().insert(scope)
        } else {
            self.refused.borrow_mut().remove(&scope)
        };
        Ok(match held {
            Err(problem) => Published::Unknown(format!("{place}: {}", deployed::text(&problem))),
            Ok(Err(_)) => Published::NotThere,
            Ok(Ok(held)) => known(&held, environment, held.digest.as_ref().map(ToString::to_string)),
        })
    }

    /// Whether there is nothing to ask again: standard input is read once.
    pub(super) fn is_final(&self) -> bool {
        self.flags.expected.as_deref() == Some("-")
    }
}

/// The inventory in what was read.
fn known(held: &Held, environment: &str, digest: Option<String>) -> Published {
    match held.inventory(environment) {
        Ok(inventory) => Published::Known { inventory, digest },
        Err(problem) => {
            let place = problem.place.as_ref().map_or_else(|| held.origin.clone(), ToString::to_string);
            Published::Unknown(format!("{place}: {}", deployed::text(&problem)))
        }
    }
}

/// A path with nothing there is a slip of the finger, and no state of the world.
fn is_there(source: &Source) -> Result<(), Problem> {
    let (Source::File(path) | Source::Folder(path) | Source::Layout(path, _)) = source else { return Ok(()) };
    if path.as_os_str() == "-" || path.exists() {
        return Ok(());
    }
    Err(Problem::input("there is no file or folder of the name that --expected gives")
        .at(Place::file(path.display().to_string())))
}
