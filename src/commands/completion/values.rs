//! What the next word may be. Files are read: settings, kubeconfig, workloads.yml, the names that were seen last. No server is
//! asked and no program is run.

use super::ids;
use super::line::Line;
use super::protocol::{FOLDERS, NO_FILES, NO_SPACE};
use crate::cluster::{self, KubeFlags};
use crate::commands::context::{Context, cache_folder};
use crate::commands::flags::PlaceFlags;
use crate::commands::help;
use crate::commands::pages::summaries;
use crate::files::seen::{self, Seen};
use crate::files::{find, read};
use crate::{clock, env};
use clap::{Arg, Command};
use runway_core::assess::Verdict;
use runway_core::flux::crds::Release;
use runway_core::flux::names;
use runway_core::settings::{Settings, resolve};
use std::path::PathBuf;

/// What may follow.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// Words, each with a description or nothing.
    pub(super) candidates: Vec<(String, String)>,
    /// What the shell shall do beside.
    pub(super) directive: u8,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One of the values that clap knows.
    Listed,
    Runtime,
    Environment,
    Region,
    Context,
    Workload,
    Verdict,
    FluxVersion,
    Boolean,
    /// A topic or command of `help`.
    Topic,
    /// A place of an inventory or a deploy artifact.
    Place(Places),
    /// A selector of the settings' labels.
    Label,
    Folder,
    File,
    /// A text that nobody can guess.
    Free,
}

/// What a command takes as a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Places {
    /// Words, and beginnings that end with `:` or `/`.
    words: &'static [&'static str],
    /// Whether a file or a folder is one, too.
    files: bool,
}

/// The words and beginnings of places, each with what it is.
const PLACES: [(&str, &str); 5] = [
    ("local", "what workloads.yml says"),
    ("published", "what the registry's tag holds"),
    (REGISTRY, "an artifact in a registry"),
    (LAYOUT, "an OCI layout on disk"),
    (CLUSTER, "what a cluster has applied"),
];
const REGISTRY: &str = "oci://";
const LAYOUT: &str = "layout:";
const CLUSTER: &str = "cluster:";

/// The places that an argument of a command takes; a test tries each with the command itself.
fn places(command: &str, id: &str) -> Option<Places> {
    const BOTH: [&str; 2] = [REGISTRY, LAYOUT];
    const HELD: [&str; 3] = ["published", REGISTRY, LAYOUT];
    let (words, files): (&'static [&'static str], bool) = match (command, id) {
        ("build", "to") => (&[LAYOUT], false),
        ("push", "to") | ("list", "source") => (&BOTH, false),
        ("pull", "source") => (&HELD, false),
        ("show", "source") | (_, "with") => (&HELD, true),
        ("verify", "source") | (_, "expected") => (&BOTH, true),
        ("diff", "new" | "old") => (&["local", "published", REGISTRY, LAYOUT, CLUSTER], true),
        _ => return None,
    };
    Some(Places { words, files })
}

/// The kind of an argument's value, by what clap calls it; `None`: not thought of yet.
fn kind(command: &Command, arg: &Arg) -> Option<Kind> {
    if !arg.get_possible_values().is_empty() {
        return Some(Kind::Listed);
    }
    let id = arg.get_id().as_str();
    if let Some(places) = places(command.get_name(), id) {
        return Some(Kind::Place(places));
    }
    let named = arg.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str);
    Some(match (named, id) {
        (Some("FORMAT[=FILE]"), _) => Kind::Listed,
        (_, "runtime") => Kind::Runtime,
        (_, "environment") => Kind::Environment,
        (_, "region") => Kind::Region,
        (_, "context" | "exclude_context") => Kind::Context,
        (Some("DIR"), _) => Kind::Folder,
        (Some("FILE" | "PATH" | "CHART"), _) | (_, "path") => Kind::File,
        (_, "workload" | "workloads" | "subject") => Kind::Workload,
        (_, "verdict") => Kind::Verdict,
        (_, "flux_version") => Kind::FluxVersion,
        (_, "words") => Kind::Topic,
        (Some("BOOL"), _) => Kind::Boolean,
        (Some("SELECTOR"), _) => Kind::Label,
        (
            Some(
                "URL" | "DURATION" | "N" | "TOKEN" | "UID" | "USER" | "GROUP" | "KEY=VALUE" | "TAG" | "REVISION" | "VERSION"
                | "NAME",
            ),
            _,
        ) => Kind::Free,
        _ => return None,
    })
}

/// What may stand where `current` begins.
pub(super) fn offer(line: &Line<'_>, current: &str) -> Offer {
    if let Some(arg) = line.pending {
        return of(arg, line, current);
    }
    if let Some((before, arg, value)) = line.attached(current).filter(|_| is_short(line, current)) {
        return attached(before, &of(arg, line, value), value);
    }
    if !line.only_words && current.starts_with('-') {
        // By the protocol the candidates of `--flag=value` are values; the shell's script puts the flag back.
        if let Some((name, value)) = current.split_once('=') {
            return line
                .long(name)
                .filter(|arg| arg.get_action().takes_values())
                .map_or_else(nothing, |arg| of(arg, line, value));
        }
        return flags(line, current);
    }
    let mut offer = line.positional().map_or_else(nothing, |arg| of(arg, line, current));
    if line.words.is_empty() && !line.only_words {
        offer.candidates.extend(summaries(line.command).filter(|(name, _)| name.starts_with(current)));
    }
    offer
}

/// Whether a word is flags of one letter.
fn is_short(line: &Line<'_>, word: &str) -> bool {
    !line.only_words && word.starts_with('-') && !word.starts_with("--")
}

/// The values of a flag of one letter, in the word that it begins. Behind `=` they stand alone, as with long flags; without it
/// a shell cannot complete a file, since it does not know where the file's name begins.
fn attached(before: &str, offer: &Offer, value: &str) -> Offer {
    let directive = if before.ends_with('=') || value.contains('=') { offer.directive } else { offer.directive | NO_FILES };
    let before = if before.ends_with('=') { "" } else { before };
    let whole = |(word, about): &(String, String)| (format!("{before}{word}"), about.clone());
    Offer { candidates: offer.candidates.iter().map(whole).collect(), directive: directive & !folders(before) }
}

/// What is no folder's name.
fn folders(before: &str) -> u8 {
    if before.is_empty() { 0 } else { FOLDERS }
}

fn nothing() -> Offer {
    Offer { candidates: Vec::new(), directive: NO_FILES }
}

fn flags(line: &Line<'_>, current: &str) -> Offer {
    let mut candidates = Vec::new();
    for arg in line.flags() {
        let about = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}")).filter(|_| current == "-");
        candidates
            .extend(long.into_iter().chain(short).filter(|name| name.starts_with(current)).map(|name| (name, about.clone())));
    }
    Offer { candidates, directive: NO_FILES }
}

fn of(arg: &Arg, line: &Line<'_>, current: &str) -> Offer {
    let around = Around { line };
    let plain = |words: Vec<(String, String)>| Offer {
        candidates: words.into_iter().filter(|(word, _)| word.starts_with(current)).collect(),
        directive: NO_FILES,
    };
    match kind(line.command, arg).unwrap_or(Kind::Free) {
        Kind::Listed => listed(arg, line, current),
        Kind::Runtime => plain(bare(around.settings().runtimes())),
        Kind::Environment => plain(bare(around.settings().environments())),
        Kind::Region => plain(around.regions()),
        Kind::Context => plain(around.contexts()),
        Kind::Workload => plain(around.workloads(arg.get_id().as_str(), current)),
        Kind::FluxVersion => plain(bare(&Release::ALL.map(|release| release.to_string()))),
        Kind::Boolean => plain(bare(&["true", "false"].map(str::to_owned))),
        Kind::Verdict => verdicts(current),
        Kind::Topic => plain(help::words(line.values("words"))),
        Kind::Place(places) => around.places(places, current),
        Kind::Label => Offer { directive: NO_FILES | NO_SPACE, ..plain(around.labels()) },
        Kind::Folder => Offer { candidates: Vec::new(), directive: FOLDERS },
        Kind::File => Offer::default(),
        Kind::Free => nothing(),
    }
}

fn bare(words: &[String]) -> Vec<(String, String)> {
    words.iter().map(|word| (word.clone(), String::new())).collect()
}

/// Values that clap knows; formats also take a file behind `=`, which the shell completes.
fn listed(arg: &Arg, line: &Line<'_>, current: &str) -> Offer {
    let is_format = arg.get_id() == "output";
    if is_format && current.contains('=') {
        return Offer::default();
    }
    let given: Vec<&str> = line.values(arg.get_id().as_str()).collect();
    let values = arg.get_possible_values().into_iter().filter(|value| !given.contains(&value.get_name()));
    let words = values.map(|value| {
        (
            value.get_name().to_owned(),
            value.get_help().map(ToString::to_string).unwrap_or_default().trim_end_matches('.').to_owned(),
        )
    });
    Offer { candidates: words.filter(|(word, _)| word.starts_with(current)).collect(), directive: NO_FILES }
}

/// `Failed,Missing` or `!Ready`: the last word of the list.
fn verdicts(current: &str) -> Offer {
    let at = current.rfind([',', '!']).map_or(0, |at| at + 1);
    let (before, last) = current.split_at(at);
    let fits = |verdict: &Verdict| verdict.as_str().to_lowercase().starts_with(&last.to_lowercase());
    let words = Verdict::ALL.into_iter().filter(fits);
    let candidates = words.map(|verdict| (format!("{before}{}", verdict.as_str()), verdict.meaning().to_owned())).collect();
    Offer { candidates, directive: NO_FILES }
}

/// What the files around say, with the flags that were typed so far.
struct Around<'a> {
    line: &'a Line<'a>,
}

impl Around<'_> {
    fn start(&self) -> Option<PathBuf> {
        find::start(self.path("directory").as_deref()).ok()
    }

    /// A path that was typed. A shell would put the home folder in when the line is run; here it has not.
    fn path(&self, id: &str) -> Option<PathBuf> {
        let typed = self.line.value(id)?;
        let below = if typed == "~" { Some("") } else { typed.strip_prefix("~/") };
        Some(below.zip(env::home()).map_or_else(|| PathBuf::from(typed), |(below, home)| home.join(below)))
    }

    /// The settings; broken ones are as good as none here, and told when the line is run.
    fn settings(&self) -> Settings {
        let read = self.start().and_then(|start| Context::at(start).ok()).and_then(|it| it.settings(&PlaceFlags::default()).ok());
        read.unwrap_or_else(|| resolve([]))
    }

    fn contexts(&self) -> Vec<(String, String)> {
        let flags = KubeFlags { kubeconfig: self.path("kubeconfig"), ..KubeFlags::default() };
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let Ok(contexts) = cluster::contexts(&flags, &around) else { return Vec::new() };
        let settings = self.settings();
        let about = |name: &str| {
            let known = settings.clusters.iter().find(|cluster| cluster.context == name);
            let place =
                known.map(|it| [&it.runtime, &it.environment, &it.region].into_iter().flatten().cloned().collect::<Vec<_>>());
            let current = contexts.current.as_deref() == Some(name);
            let words = place.into_iter().flatten().chain(current.then(|| "current".to_owned())).collect::<Vec<_>>();
            words.join(" ")
        };
        contexts.all.iter().map(|name| (name.clone(), about(name))).collect()
    }

    fn regions(&self) -> Vec<(String, String)> {
        let mut regions: Vec<String> = self.settings().clusters.into_iter().filter_map(|cluster| cluster.region).collect();
        regions.sort();
        regions.dedup();
        bare(&regions)
    }

    /// Labels of the settings' clusters, each alone and with its values.
    fn labels(&self) -> Vec<(String, String)> {
        let clusters = self.settings().clusters;
        let labels = clusters.iter().flat_map(|cluster| &cluster.labels);
        let words = labels.flat_map(|(key, value)| [key.clone(), format!("{key}={value}")]);
        bare(&words.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>())
    }

    /// Workloads of workloads.yml and of the inventories that were seen, each once; those that are already named are left out.
    /// Parents are offered to who has begun to type one: they are many commands' second thought.
    fn workloads(&self, id: &str, current: &str) -> Vec<(String, String)> {
        let settings = self.settings();
        let runtime = self.line.value("runtime").or(settings.runtime()).map(str::to_owned);
        let fits = |name: &str| runtime.as_deref().is_none_or(|runtime| runtime == name);
        let environment = self.line.value("environment").or(settings.environment());
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, file) in self.files(&fits) {
            let Ok(text) = read::text(&file, "workloads.yml") else { continue };
            all.extend(ids::of(&text, environment).into_iter().map(|id| (id, name.clone())));
        }
        let base = settings.base();
        for seen in seen::recall(cache_folder().as_deref(), clock::now())
            .into_iter()
            .filter(|it| it.lies_below(base) && fits(&it.runtime) && environment.is_none_or(|name| name == it.environment))
        {
            let about = seen.to_string();
            let Seen { names, .. } = seen;
            all.extend(names.into_iter().map(|name| (name, about.clone())));
        }
        if id == "workloads" && !current.is_empty() {
            let runtimes = settings.runtimes().iter().filter(|runtime| fits(runtime));
            all.extend(runtimes.map(|runtime| (names::parent(runtime), format!("the parent of {runtime}"))));
        }
        let given: Vec<&str> = self.line.values(id).collect();
        let mut known = std::collections::BTreeSet::new();
        all.retain(|(name, _)| !given.contains(&name.as_str()) && known.insert(name.clone()));
        all.sort();
        all
    }

    /// The lists to read: `-f`, else those of the repository.
    fn files(&self, fits: &dyn Fn(&str) -> bool) -> Vec<(String, PathBuf)> {
        let Some(start) = self.start() else { return Vec::new() };
        let listed = self.line.command.get_arguments().any(|arg| arg.get_id() == "namespace");
        match self.path("file").filter(|file| listed && file.as_os_str() != "-") {
            Some(file) => vec![(file.display().to_string(), start.join(file))],
            None => find::runtimes(&start).into_iter().filter(|(runtime, _)| fits(runtime)).collect(),
        }
    }

    fn places(&self, places: Places, current: &str) -> Offer {
        let takes = |word: &str| places.words.contains(&word);
        if let Some(context) = current.strip_prefix(CLUSTER).filter(|_| takes(CLUSTER)) {
            let contexts = self.contexts().into_iter().filter(|(name, _)| name.starts_with(context));
            return Offer {
                candidates: contexts.map(|(name, about)| (format!("{CLUSTER}{name}"), about)).collect(),
                directive: NO_FILES,
            };
        }
        if current.starts_with(LAYOUT) && takes(LAYOUT) {
            return Offer { candidates: Vec::new(), directive: FOLDERS };
        }
        if current.starts_with(REGISTRY) {
            return nothing();
        }
        // Without a beginning files are the likeliest, where they are taken.
        let is_open = !current.is_empty() || !places.files;
        let fits = PLACES.iter().filter(|(word, _)| is_open && takes(word) && word.starts_with(current) && *word != current);
        let candidates: Vec<_> = fits.map(|(word, about)| ((*word).to_owned(), (*about).to_owned())).collect();
        let files = if places.files { 0 } else { NO_FILES };
        // More is typed behind a beginning, and nothing behind a word.
        let is_word = candidates.iter().all(|(word, _)| !word.ends_with([':', '/']));
        let directive = if is_word || candidates.is_empty() { files } else { files | NO_SPACE };
        Offer { candidates, directive }
    }
}

#[cfg(test)]
mod tests {
    use super::{kind, offer};
    use crate::commands::command_line;
    use crate::commands::completion::line::Line;
    use clap::Command;

    fn every(command: &Command, path: &str, look: &mut impl FnMut(&str, &Command, &clap::Arg)) {
        command.get_arguments().for_each(|arg| look(path, command, arg));
        command.get_subcommands().for_each(|sub| every(sub, &format!("{path} {}", sub.get_name()), look));
    }

    #[test]
    fn every_value_of_the_command_line_has_a_kind() {
        let mut unknown = Vec::new();
        every(&command_line("kubectl runway"), "", &mut |path, command, arg| {
            if arg.get_action().takes_values() && kind(command, arg).is_none() {
                unknown.push(format!("{path}: {} {:?}", arg.get_id(), arg.get_value_names()));
            }
        });
        assert_eq!(unknown, Vec::<String>::new(), "say in kind() what TAB shall offer for them");
    }

    fn words(words: &[&str]) -> (Vec<String>, u8) {
        let mut command = command_line("kubectl runway");
        command.build();
        let (current, before) = words.split_last().unwrap();
        let before: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
        let offer = offer(&Line::read(&command, &before), current);
        (offer.candidates.into_iter().map(|(word, _)| word).collect(), offer.directive)
    }

    #[test]
    fn commands_flags_and_values() {
        assert_eq!(words(&["inv"]), (vec!["inventory".to_owned()], 4));
        assert_eq!(words(&["inventory", "pus"]).0, ["push"]);
        assert_eq!(words(&["inventory", "push", "--dry"]).0, ["--dry-run"]);
        assert_eq!(words(&["inventory", "push", "--dry-run", "--dry"]).0, [""; 0], "given already");
        assert_eq!(words(&["inventory", "push", "-o", "j"]).0, ["json"]);
        assert_eq!(words(&["inventory", "push", "-o", "json", "-o", ""]).0, ["text", "yaml", "dotenv"]);
        assert_eq!(words(&["inventory", "push", "--output=do"]).0, ["dotenv"]);
        assert_eq!(words(&["inventory", "push", "-o", "json="]), (vec![], 0), "a file");
        assert_eq!(words(&["inventory", "push", "-oj"]), (vec!["-ojson".to_owned()], 4));
        assert_eq!(words(&["inventory", "push", "-qoj"]), (vec!["-qojson".to_owned()], 4));
        assert_eq!(words(&["inventory", "push", "-o=j"]), (vec!["json".to_owned()], 4), "as behind --output=");
        assert_eq!(words(&["inventory", "push", "-ojson=x"]), (vec![], 0), "a file");
        assert_eq!(words(&["inventory", "push", "-est"]), (vec!["-estaging".to_owned()], 4));
        assert_eq!(words(&["-Cx"]), (vec![], 4), "a shell would take all of it for the folder");
        assert_eq!(words(&["status", "--", "-oj"]), (vec![], 4));
        assert_eq!(words(&["-q", "status", "--verdict", "Failed,!mis"]).0, ["Failed,!Missing"]);
        assert_eq!(words(&["status", "--exit-code", "--not"]).0, ["--not-ready"], "its value is optional");
        assert_eq!(words(&["inventory", "verify", "--flux-version", "2.1"]).0, ["2.10"]);
        assert_eq!(words(&["--color", "n"]).0, ["never"]);
        assert_eq!(words(&["-C", ""]), (vec![], 16), "a folder");
        assert_eq!(words(&["inventory", "build", "-f", ""]), (vec![], 0), "a file");
        assert_eq!(words(&["inventory", "diff", "loc"]), (vec!["local".to_owned()], 0));
        assert_eq!(words(&["inventory", "diff", "l"]), (vec!["local".to_owned(), "layout:".to_owned()], 2));
        assert_eq!(words(&["inventory", "diff", ""]), (vec![], 0), "a file");
        assert_eq!(words(&["inventory", "push", "--to", "l"]), (vec!["layout:".to_owned()], 6));
        assert_eq!(words(&["inventory", "push", "--to", "oci://"]), (vec![], 4), "the root folder is no registry");
        assert_eq!(words(&["inventory", "push", "--to", "layout:"]), (vec![], 16), "a folder");
        assert_eq!(words(&["inventory", "push", "--to", "cluster:"]), (vec![], 4));
        assert_eq!(words(&["inventory", "push", "--source", ""]), (vec![], 4), "a URL");
        assert_eq!(words(&["inventory", "diff", "oci://x"]), (vec![], 4));
        assert_eq!(words(&["help", "finding", "duplicate-id"]).0, ["duplicate-id"]);
        assert_eq!(words(&["help", "inventory", "bu"]).0, ["build"]);
        assert_eq!(words(&["nonsense", ""]), (vec![], 4));
        assert_eq!(words(&["status", "--", "--dry"]), (vec![], 4));
    }
}
