//! What is expected, read once for each runtime and environment, however many clusters are compared with it.

use super::flags::LookFlags;
use crate::commands::context::{Context, known};
use crate::commands::sources::Reading;
use crate::gather::observed::Saved;
use crate::gather::source::Source;
use crate::gather::{deployed, expected};
use crate::registry::Client;
use crate::ui::Ui;
use runway_core::assess::{Expected, Published};
use runway_core::flux::reference::{Reference, Target};
use runway_core::inventory::Inventory;
use runway_core::problem::{Place, Problem};
use runway_core::settings::Settings;
use runway_core::suggest;
use std::cell::RefCell;
use std::collections::BTreeMap;
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
        known("environment", Some(environment), self.settings.environments())?;
        let inventory = declared.inventory(self.settings, environment);
        Ok(Some((declared.file, inventory)))
    }

    pub(super) async fn published(&self, runtime: &str, environment: &str) -> Result<Published, Problem> {
        let held = match (&self.flags.expected, self.saved) {
            (Some(text), _) => {
                let source = Source::parse(text, &self.context.start)?;
                let (context, settings, client, ui) = (self.context, self.settings, self.client, self.ui);
                let runtime = Some(runtime);
                Reading { context, settings, runtime, environment, client, ui }.held(&source).await?.ok()
            }
            (None, Some(saved)) => {
                return match &saved.published {
                    Some(held) => Ok(Published::Known {
                        inventory: held.inventory(environment)?,
                        digest: saved.about.published_digest.clone(),
                    }),
                    None if saved.about.not_published => Ok(Published::NotThere),
                    None => Ok(Published::Unknown("the snapshot holds no inventory".to_owned())),
                };
            }
            (None, None) if self.flags.no_registry => {
                return Ok(Published::Unknown("registries were not asked (--no-registry)".to_owned()));
            }
            (None, None) => {
                let repository = self.settings.inventory_repository(runtime)?;
                match expected::from_registry(self.client, &repository, &Target::Tag(environment.to_owned())).await {
                    Ok(held) => held.ok(),
                    Err(problem) => {
                        let place = Reference { repository, target: Some(Target::Tag(environment.to_owned())) };
                        return Ok(Published::Unknown(format!("{place}: {}", deployed::text(&problem))));
                    }
                }
            }
        };
        match held {
            None => Ok(Published::NotThere),
            Some(held) => Ok(Published::Known {
                inventory: held.inventory(environment)?,
                digest: held.digest.map(|digest| digest.to_string()),
            }),
        }
    }
}
