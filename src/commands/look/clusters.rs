//! The look itself: every chosen cluster side by side, each judged as soon as it has answered.

use super::expectations::{Expectations, Scope};
use super::flags::LookFlags;
use crate::cluster::{self, Cluster, Configured};
use crate::commands::context::Context;
use crate::exit::Outcome;
use crate::gather::deployed::Asker;
use crate::gather::objects;
use crate::gather::observed::{Saved, from_cluster, named_from_cluster};
use crate::gather::targets::{self, Target};
use crate::registry::Client;
use crate::ui::Ui;
use crate::{clock, env};
use futures_util::future::join_all;
use runway_core::api;
use runway_core::assess::{self, Expected, Item, ItemKind, Link, State, Verdict};
use runway_core::flux::object::Wanted;
use runway_core::flux::{names, object};
use runway_core::observed::objects::Looked;
use runway_core::observed::{Gap, Observed, Registry};
use runway_core::problem::Problem;
use runway_core::settings::{Origin, Settings};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What a command wants to know.
pub(crate) struct Look<'a> {
    /// Where to look.
    pub(crate) flags: &'a LookFlags,
    /// The workloads to look at; none: all.
    pub(crate) named: &'a [String],
    /// Whether the applied objects themselves are looked at.
    pub(crate) objects: bool,
    /// The command's surroundings.
    pub(crate) context: &'a Context,
    /// The settings, with the command's flags on top.
    pub(crate) settings: &'a Settings,
    /// Where warnings go.
    pub(crate) ui: &'a Ui,
}

/// What was gathered and judged.
#[derive(Default)]
pub(crate) struct Answer {
    /// The clusters, in the order in which they were named.
    pub(crate) clusters: Vec<api::status::Cluster>,
    /// The rows: clusters in their order, in each the parent first.
    pub(crate) items: Vec<Item>,
}

impl Answer {
    /// Says which clusters were silent.
    pub(crate) fn warn(&self, ui: &Ui) {
        for cluster in self.clusters.iter().filter(|cluster| cluster.error.is_some()) {
            ui.warning(&format!("{} gave no answer: {}", cluster.name, cluster.error.as_deref().unwrap_or_default()));
        }
    }

    /// How the command ends, by all rows, shown or not: an answer without any cluster's is none.
    pub(crate) fn outcome(&self) -> Outcome {
        let silent = self.clusters.iter().filter(|cluster| cluster.error.is_some()).count();
        let no = self.items.iter().any(|item| !matches!(item.verdict, Verdict::Ready | Verdict::Unreachable));
        Outcome { no, nothing: silent == self.clusters.len(), partial: silent > 0, late: false }
    }
}

/// The names that a command line gives, also as `-o name` prints them.
pub(crate) fn names(given: &[String]) -> Vec<String> {
    let bare = |name: &String| name.strip_prefix("workload/").or(name.strip_prefix("parent/")).unwrap_or(name).to_owned();
    given.iter().map(bare).collect()
}

/// What all clusters of a look share.
pub(super) struct Shared<'a> {
    pub(super) look: &'a Look<'a>,
    saved: Option<&'a Saved>,
    pub(super) expectations: Expectations<'a>,
    asker: Asker<'a>,
    /// With one cluster a fault of it ends the command; among several it is that cluster's row.
    pub(super) several: bool,
}

/// One cluster, judged.
struct Judged {
    cluster: api::status::Cluster,
    items: Vec<Item>,
}

impl Look<'_> {
    /// Gathers, and decides.
    pub(crate) async fn answer(&self) -> Result<Answer, Problem> {
        let saved = self.flags.snapshot.as_ref().map(|path| Saved::read(&self.context.start.join(path))).transpose()?;
        let client = self.context.registry(self.settings, &self.flags.registry)?;
        let mut answer = match &saved {
            Some(saved) => {
                if self.objects {
                    self.ui.warning("a snapshot has no applied objects: what Flux said of them counts");
                }
                self.of_snapshot(saved, &client).await?
            }
            None => self.of_clusters(&client).await?,
        };
        self.say_parents_trouble(&answer.items);
        if !self.named.is_empty() {
            answer.items.retain(|item| self.named.contains(&item.workload));
            drop_nowhere(&mut answer.items);
        }
        Ok(answer)
    }

    async fn of_snapshot(&self, saved: &Saved, client: &Client) -> Result<Answer, Problem> {
        let shared = self.shared(Some(saved), client, false);
        let observed = saved.observed(&self.namespace(saved)?);
        let judged = shared.judge(&observed, &Target::default(), None, None).await?;
        self.say_nearest(&shared, &judged.items);
        Ok(Answer { clusters: vec![judged.cluster], items: judged.items })
    }

    async fn of_clusters(&self, client: &Client) -> Result<Answer, Problem> {
        // Which contexts there are is asked of the whole kubeconfig; the flag chooses among them.
        let flags = self.flags.cluster.all()?;
        let choice = self.flags.many.choice(&self.flags.cluster, &self.flags.which)?;
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let configured = cluster::configured(&flags, &around)?;
        let targets = targets::targets(&choice, self.settings, &configured)?;
        let shared = self.shared(None, client, targets.len() > 1);
        let judged = join_all(targets.iter().map(|target| shared.cluster(&configured, target))).await;
        let mut answer = Answer::default();
        for judged in judged {
            let judged = judged?;
            answer.clusters.push(judged.cluster);
            answer.items.extend(judged.items);
        }
        self.say_nearest(&shared, &answer.items);
        Ok(answer)
    }

    /// A name that is nowhere may be a slip of the finger.
    fn say_nearest(&self, shared: &Shared<'_>, items: &[Item]) {
        let nowhere = |item: &Item| item.broken.as_ref().is_some_and(|broken| broken.link == Link::Declared);
        for name in self.named {
            let mut rows = items.iter().filter(|item| item.workload == *name).peekable();
            if rows.peek().is_some()
                && rows.all(nowhere)
                && let Some(near) = shared.expectations.nearest(name)
            {
                self.ui.warning(&format!("there is no workload {name}; did you mean {near}?"));
            }
        }
    }

    pub(super) fn shared<'s>(&'s self, saved: Option<&'s Saved>, client: &'s Client, several: bool) -> Shared<'s> {
        let expectations = Expectations {
            flags: self.flags,
            context: self.context,
            settings: self.settings,
            saved,
            client,
            ui: self.ui,
            known: RefCell::default(),
        };
        Shared { look: self, saved, expectations, asker: Asker::new(client), several }
    }

    /// The namespace to read: as said; a snapshot of one other namespace speaks for itself.
    fn namespace(&self, saved: &Saved) -> Result<String, Problem> {
        let default = self.settings.namespace();
        let namespaces = &saved.snapshot.namespaces;
        if *self.settings.origin("namespace") != Origin::Default || namespaces.contains(default) || namespaces.is_empty() {
            return Ok(default.to_owned());
        }
        let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
        match names.as_slice() {
            [only] => Ok((*only).to_owned()),
            several => Err(Problem::usage(format!("the snapshot has no object in the namespace {default}"))
                .cause(format!("it has objects in {}", several.join(", ")))
                .hint("choose one with -n")),
        }
    }

    /// With workloads named only those decide; a parent in trouble is still worth a word.
    fn say_parents_trouble(&self, items: &[Item]) {
        if self.named.is_empty() {
            return;
        }
        let trouble = items.iter().filter(|item| item.kind == ItemKind::Parent && !self.named.contains(&item.workload));
        for item in trouble.filter(|item| !matches!(item.verdict, Verdict::Ready | Verdict::Unreachable)) {
            self.ui.warning(&format!(
                "the parent {} on {} is {}: {}",
                item.workload,
                item.cluster,
                item.verdict.as_str(),
                item.message
            ));
        }
    }
}

/// A named workload that is somewhere is not missing where nobody expects it: on the clusters of another runtime.
pub(super) fn drop_nowhere(items: &mut Vec<Item>) {
    // A parent that was named is no workload of the other runtimes.
    let parents: BTreeSet<String> =
        items.iter().filter(|item| item.kind == ItemKind::Parent).map(|item| item.workload.clone()).collect();
    items.retain(|item| item.kind == ItemKind::Parent || !parents.contains(&item.workload));
    let somewhere: BTreeSet<String> = items.iter().filter(|item| !nowhere(item)).map(|item| item.workload.clone()).collect();
    items.retain(|item| !nowhere(item) || !somewhere.contains(&item.workload));
}

/// Only its name brought it here: it is neither declared nor published for this runtime, and not this parent's; the objects of
/// that name, if there are any, are another parent's.
fn nowhere(item: &Item) -> bool {
    let declared = item.links.iter().any(|step| step.link == Link::Declared && step.state == State::Holds);
    item.kind == ItemKind::Workload
        && item.verdict == Verdict::Missing
        && item.broken.as_ref().is_some_and(|broken| match broken.link {
            Link::Declared => true,
            Link::Published => !declared && broken.reason != "Incomplete",
            _ => false,
        })
}

impl Shared<'_> {
    /// Asks one cluster and judges it.
    async fn cluster(&self, configured: &Configured<'_>, target: &Target) -> Result<Judged, Problem> {
        let look = self.look;
        // A budget of its own: how long one cluster takes is nothing to another.
        let cluster = match configured.connect(target.context.as_deref(), look.context.budget) {
            Ok(cluster) => cluster,
            // Only files were read: it is the kubeconfig's fault, or the command line's.
            Err(problem) if !self.several => return Err(problem),
            Err(problem) => return self.unusable(target, &problem).await,
        };
        let name = target.name.as_deref().unwrap_or(cluster.name()).to_owned();
        let (observed, asked) = self.observed(&cluster, &name, target).await;
        self.judge(&observed, target, Some(&cluster), asked).await
    }

    async fn observed(&self, cluster: &Cluster, name: &str, target: &Target) -> (Observed, Option<BTreeSet<String>>) {
        let (look, namespace) = (self.look, self.look.settings.namespace());
        if look.named.is_empty() {
            return (from_cluster(cluster, name, namespace).await, None);
        }
        let runtime = self.runtime(target);
        let runtimes = runtime.as_ref().map_or(look.settings.runtimes(), std::slice::from_ref);
        let parents: Vec<String> = runtimes.iter().map(|runtime| names::parent(runtime)).collect();
        let wanted = look.named.iter().chain(&parents).cloned();
        let (observed, asked) = named_from_cluster(cluster, name, namespace, wanted).await;
        let sources = observed.objects.as_ref().ok().and_then(|objects| objects.sources.as_ref().ok());
        let has_parent = |sources: &Vec<object::Source>| sources.iter().any(|it| parents.contains(&it.metadata.name));
        if runtime.is_none() && sources.is_some_and(|sources| !has_parent(sources)) {
            // A parent of a runtime that the settings do not know shows itself only in a list.
            return (from_cluster(cluster, name, namespace).await, None);
        }
        (observed, Some(asked))
    }

    /// A context that cannot be used is a cluster that gave no answer.
    async fn unusable(&self, target: &Target, problem: &Problem) -> Result<Judged, Problem> {
        let gap = Gap { reason: "Kubeconfig".to_owned(), message: problem.to_string() };
        let name = target.name.clone().or(target.context.clone()).unwrap_or_default();
        let namespace = self.look.settings.namespace().to_owned();
        self.judge(&Observed { cluster: name, namespace, objects: Err(gap) }, target, None, None).await
    }

    /// Judges what was observed; `asked` has the names when only some were asked for.
    async fn judge(
        &self,
        observed: &Observed,
        target: &Target,
        cluster: Option<&Cluster>,
        asked: Option<BTreeSet<String>>,
    ) -> Result<Judged, Problem> {
        let mut error = observed.objects.as_ref().err().map(|gap| gap.message.clone());
        let reachable = error.is_none();
        let named = self.look.named;
        let mut items = Vec::new();
        match self.scopes(observed, target) {
            Ok(scopes) => {
                for scope in &scopes {
                    let whole = self.expectations.of(scope, &observed.namespace).await?;
                    let narrow = asked.as_ref().map(|asked| whole.only(asked));
                    let expected: &Expected = narrow.as_ref().unwrap_or(&whole);
                    let (registry, looked) =
                        tokio::join!(self.registry(expected, observed), self.objects(expected, observed, cluster));
                    items.extend(assess::assess_with(expected, observed, &registry, named, &looked));
                }
            }
            Err(problem) if !self.several => return Err(problem),
            Err(problem) => error = Some(problem.to_string()),
        }
        if let (true, Err(gap)) = (items.is_empty(), &observed.objects) {
            items = assess::unscoped(&observed.cluster, gap, named);
        }
        paste_into(&mut items, target);
        Ok(Judged { cluster: api::status::Cluster { name: observed.cluster.clone(), reachable, error }, items })
    }

    /// A look at the objects of the named workloads, else of all that are expected.
    async fn objects(&self, expected: &Expected, observed: &Observed, cluster: Option<&Cluster>) -> Looked {
        let Some(cluster) = cluster.filter(|_| self.look.objects) else { return Looked::default() };
        let inventories = expected.declared().into_iter().chain(expected.published());
        let names: BTreeSet<String> = match self.look.named {
            [] => inventories.flat_map(|inventory| &inventory.entries).map(|entry| entry.name.clone()).collect(),
            named => named.iter().cloned().collect(),
        };
        objects::look(cluster, observed, &names, clock::now()).await
    }

    async fn registry(&self, expected: &Expected, observed: &Observed) -> Registry {
        match self.saved {
            Some(saved) => saved.registry.clone(),
            None if self.look.flags.no_registry || observed.objects.is_err() => Registry::default(),
            None => self.asker.ask(&assess::references(expected, observed)).await,
        }
    }

    /// The runtime: as typed, else what the settings say of the cluster, else the settings' default.
    fn runtime(&self, target: &Target) -> Option<String> {
        let settings = self.look.settings.runtime();
        self.look.flags.which.runtime.clone().or(target.runtime.clone()).or(settings.map(str::to_owned))
    }

    /// The environment, likewise.
    fn environment(&self, target: &Target) -> Option<String> {
        let settings = self.look.settings.environment();
        self.look.flags.which.environment.clone().or(target.environment.clone()).or(settings.map(str::to_owned))
    }

    /// Runtime and environment: as said, else those of the parent pairs on the cluster.
    pub(super) fn scopes(&self, observed: &Observed, target: &Target) -> Result<Vec<Scope>, Problem> {
        let (runtime, environment) = (self.runtime(target), self.environment(target));
        scopes(runtime.as_deref(), environment.as_deref(), observed)
    }
}

/// What to do next is for this cluster, which need not be the current context's.
pub(super) fn paste_into(items: &mut [Item], target: &Target) {
    let Some(context) = &target.context else { return };
    for next in items.iter_mut().filter_map(|item| item.broken.as_mut()).flat_map(|broken| &mut broken.next) {
        *next = assess::in_context(next, context);
    }
}

/// Runtimes and environments of the parent pairs on a cluster, as far as they fit what is said.
pub(crate) fn scopes(runtime: Option<&str>, environment: Option<&str>, observed: &Observed) -> Result<Vec<Scope>, Problem> {
    if let (Some(runtime), Some(environment)) = (runtime, environment) {
        return Ok(vec![(runtime.to_owned(), environment.to_owned())]);
    }
    let Ok(objects) = &observed.objects else { return Ok(Vec::new()) };
    let mut found: BTreeSet<Scope> = BTreeSet::new();
    for source in objects.sources.iter().flatten() {
        let Some(name) = names::runtime_of_parent(&source.metadata.name) else { continue };
        // What a parent has applied is a workload, whatever its name ends with.
        if source.owner().is_some_and(|(owner, _)| owner != source.metadata.name && names::runtime_of_parent(owner).is_some()) {
            continue;
        }
        let Wanted::Tag(reference) = object::wanted(&source.spec.value()) else { continue };
        let tag = reference.rsplit_once(':').map_or("", |(_, tag)| tag);
        let is = |said: Option<&str>, seen: &str| said.is_none_or(|said| said == seen);
        if is(runtime, name) && is(environment, tag) {
            found.insert((name.to_owned(), tag.to_owned()));
        }
    }
    if found.is_empty() {
        let forbidden = objects.sources.as_ref().err().map(|gap| gap.message.clone());
        let cause = forbidden.unwrap_or_else(|| {
            format!("there is no parent <runtime>-inventory in the namespace {} of {}", observed.namespace, observed.cluster)
        });
        return Err(Problem::usage("which runtime and environment this is cannot be seen")
            .cause(cause)
            .hint("say it with --runtime and -e"));
    }
    Ok(found.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::{drop_nowhere, scopes};
    use runway_core::assess::{Expected, Published, assess};
    use runway_core::inventory::Inventory;
    use runway_core::inventory::read::from_objects;
    use runway_core::observed::snapshot::Snapshot;
    use runway_core::observed::{Observed, Registry};
    use serde_json::{Value, json};

    /// A pair of objects with the tag production; `owner`: the parent that has applied it.
    fn pair(name: &str, owner: Option<&str>) -> [Value; 2] {
        let labels = owner.map_or_else(
            || json!({}),
            |owner| json!({"kustomize.toolkit.fluxcd.io/name": owner, "kustomize.toolkit.fluxcd.io/namespace": "flux"}),
        );
        let meta = json!({"name": name, "namespace": "flux", "generation": 1, "labels": labels});
        let revision = format!("production@sha256:{}", "a".repeat(64));
        let ready = json!([{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "observedGeneration": 1}]);
        [
            json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository", "metadata": meta,
                "spec": {"interval": "5m0s", "url": format!("oci://r.example/{name}"), "ref": {"tag": "production"}},
                "status": {"observedGeneration": 1, "conditions": ready, "artifact": {"revision": revision}}}),
            json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": meta,
                "spec": {"interval": "5m0s", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": name}},
                "status": {"observedGeneration": 1, "conditions": ready, "lastAppliedRevision": revision}}),
        ]
    }

    fn observed(objects: &[Value]) -> Observed {
        let list = json!({"kind": "List", "items": objects}).to_string();
        let objects = Snapshot::parse("cluster.json", &list).unwrap().objects("flux");
        Observed { cluster: "c".to_owned(), namespace: "flux".to_owned(), objects: Ok(objects) }
    }

    fn published(names: &[&str]) -> Inventory {
        from_objects(names.iter().flat_map(|name| pair(name, None)))
    }

    #[test]
    fn a_workload_is_no_parent_whatever_its_name_ends_with() {
        let mut objects: Vec<Value> = pair("gke-inventory", None).into();
        objects.extend(pair("stock-inventory", Some("gke-inventory")));
        let found = scopes(None, None, &observed(&objects)).unwrap();
        assert_eq!(found, [("gke".to_owned(), "production".to_owned())]);
        // What sets a cluster up may itself have applied the parent.
        let found = scopes(None, None, &observed(&pair("gke-inventory", Some("flux-system")))).unwrap();
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_named_workload_is_looked_for_with_its_own_parent_only() {
        let mut objects: Vec<Value> = pair("gke-inventory", None).into();
        objects.extend(pair("eks-inventory", None));
        objects.extend(pair("svc", Some("gke-inventory")));
        let observed = observed(&objects);
        let rows = |eks: &[&str]| {
            let mut items = Vec::new();
            for (runtime, names) in [("gke", &["svc"][..]), ("eks", eks)] {
                let expected = Expected {
                    runtime: runtime.to_owned(),
                    environment: "production".to_owned(),
                    namespace: "flux".to_owned(),
                    declared: None,
                    published: Published::Known { inventory: published(names), digest: None },
                };
                items.extend(assess(&expected, &observed, &Registry::default(), &["svc".to_owned(), "typo".to_owned()]));
            }
            items.retain(|item| item.workload == "svc" || item.workload == "typo");
            drop_nowhere(&mut items);
            items.iter().map(|item| format!("{} {} {}", item.workload, item.runtime, item.verdict.as_str())).collect::<Vec<_>>()
        };
        assert_eq!(rows(&["other"]), ["svc gke Ready", "typo gke Missing", "typo eks Missing"]);
        assert_eq!(rows(&["svc"]), ["svc gke Ready", "typo gke Missing", "svc eks Drifted", "typo eks Missing"]);
    }
}
