//! What the next word may be. Files are read: settings, kubeconfig, workloads.yml, the names that were seen last. No server is
//! asked and no program is run.

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
use clap::Arg;
use runway_core::assess::Verdict;
use runway_core::flux::crds::Release;
use runway_core::flux::names::label_fault;
use runway_core::settings::{Settings, resolve};
use runway_core::workloads;
use std::path::{Path, PathBuf};

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
    /// A workloads.yml, a folder, `oci://…`, `layout:…`, `cluster:…`.
    Source,
    Folder,
    File,
    /// A text that nobody can guess.
    Free,
}

/// The kind of an argument's value, by what clap calls it; `None`: not thought of yet.
fn kind(arg: &Arg) -> Option<Kind> {
    if !arg.get_possible_values().is_empty() {
        return Some(Kind::Listed);
    }
    let id = arg.get_id().as_str();
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
        (Some("SOURCE" | "TARGET" | "layout:DIR"), _) | (_, "source" | "new" | "old") => Kind::Source,
        (
            Some(
                "URL" | "DURATION" | "SELECTOR" | "N" | "TOKEN" | "UID" | "USER" | "GROUP" | "KEY=VALUE" | "TAG" | "REVISION"
                | "VERSION" | "NAME",
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
    match kind(arg).unwrap_or(Kind::Free) {
        Kind::Listed => listed(arg, line, current),
        Kind::Runtime => plain(bare(around.settings().runtimes())),
        Kind::Environment => plain(bare(around.settings().environments())),
        Kind::Region => plain(around.regions()),
        Kind::Context => plain(around.contexts()),
        Kind::Workload => plain(around.workloads(arg.get_id().as_str())),
        Kind::FluxVersion => plain(bare(&Release::ALL.map(|release| release.to_string()))),
        Kind::Boolean => plain(bare(&["true", "false"].map(str::to_owned))),
        Kind::Verdict => verdicts(current),
        Kind::Topic => plain(help::words(line.values("words"))),
        Kind::Source => around.sources(current),
        Kind::Folder => Offer { candidates: Vec::new(), directive: FOLDERS },
        Kind::File => Offer::default(),
        Kind::Free => nothing(),
    }
}

/// The ids of a workloads.yml, by the key that names them: the whole parser takes 30 ms for 5,000 workloads, which is too long
/// between two keys, and stops at the first error of a file that is being edited. A file with other keys is read by it.
fn ids(text: &str) -> Vec<String> {
    const KEY: &str = "runway_service_id";
    let id = |line: &str| {
        let (before, rest) = line.split_once(KEY)?;
        let rest =
            rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?.trim_start().trim_start_matches(['"', '\'']);
        let id: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        (!before.contains('#') && label_fault(&id).is_none()).then_some(id)
    };
    // Entries on one line, as JSON may have them, are separated by braces.
    let found: Vec<String> = text.split(['\n', '{', '}']).filter_map(id).collect();
    if !found.is_empty() {
        return found;
    }
    let (list, _) = workloads::parse("workloads.yml", text);
    list.items.into_iter().filter(|item| !item.refused).map(|item| item.id).collect()
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
        find::start(self.line.value("directory").map(Path::new)).ok()
    }

    /// The settings; broken ones are as good as none here, and told when the line is run.
    fn settings(&self) -> Settings {
        let read = self.start().and_then(|start| Context::at(start).ok()).and_then(|it| it.settings(&PlaceFlags::default()).ok());
        read.unwrap_or_else(|| resolve([]))
    }

    fn contexts(&self) -> Vec<(String, String)> {
        let kubeconfig = self.line.value("kubeconfig").map(PathBuf::from);
        let flags = KubeFlags { kubeconfig, ..KubeFlags::default() };
        let around = cluster::Surroundings { variables: &env::variable, home: env::home() };
        let contexts = cluster::configured(&flags, &around).and_then(|configured| configured.contexts());
        let Ok(contexts) = contexts else { return Vec::new() };
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

    /// Workloads of workloads.yml and of the inventories that were seen, each once; those that are already named are left out.
    fn workloads(&self, id: &str) -> Vec<(String, String)> {
        let settings = self.settings();
        let runtime = self.line.value("runtime").or(settings.runtime()).map(str::to_owned);
        let fits = |name: &str| runtime.as_deref().is_none_or(|runtime| runtime == name);
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, file) in self.files(&fits) {
            let Ok(text) = read::text(&file, "workloads.yml") else { continue };
            all.extend(ids(&text).into_iter().map(|id| (id, name.clone())));
        }
        let base = settings.base();
        for seen in seen::recall(cache_folder().as_deref(), clock::now())
            .into_iter()
            .filter(|it| it.lies_below(base) && fits(&it.runtime))
        {
            let about = seen.to_string();
            let Seen { names, .. } = seen;
            all.extend(names.into_iter().map(|name| (name, about.clone())));
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
        match self.line.value("file").filter(|file| listed && *file != "-") {
            Some(file) => vec![(file.to_owned(), start.join(file))],
            None => find::runtimes(&start).into_iter().filter(|(runtime, _)| fits(runtime)).collect(),
        }
    }

    fn sources(&self, current: &str) -> Offer {
        if let Some(context) = current.strip_prefix("cluster:") {
            let contexts = self.contexts().into_iter().filter(|(name, _)| name.starts_with(context));
            return Offer {
                candidates: contexts.map(|(name, about)| (format!("cluster:{name}"), about)).collect(),
                directive: NO_FILES,
            };
        }
        let forms = [
            ("local", "what workloads.yml says"),
            ("published", "what the registry's tag holds"),
            ("oci://", "an artifact in a registry"),
            ("layout:", "an OCI layout on disk"),
            ("cluster:", "what a cluster has applied"),
        ];
        let fits = forms.into_iter().filter(|(word, _)| !current.is_empty() && word.starts_with(current) && *word != current);
        let candidates: Vec<_> = fits.map(|(word, about)| (word.to_owned(), about.to_owned())).collect();
        // Without a beginning files are the likeliest; behind `layout:` the shell cannot complete them.
        let directive = if candidates.is_empty() { 0 } else { NO_SPACE };
        Offer { candidates, directive }
    }
}

#[cfg(test)]
mod tests {
    use super::{ids, kind, offer};
    use crate::commands::command_line;
    use crate::commands::completion::line::Line;
    use clap::Command;

    fn every(command: &Command, path: &str, look: &mut impl FnMut(&str, &clap::Arg)) {
        command.get_arguments().for_each(|arg| look(path, arg));
        command.get_subcommands().for_each(|sub| every(sub, &format!("{path} {}", sub.get_name()), look));
    }

    #[test]
    fn every_value_of_the_command_line_has_a_kind() {
        let mut unknown = Vec::new();
        every(&command_line("kubectl runway"), "", &mut |path, arg| {
            if arg.get_action().takes_values() && kind(arg).is_none() {
                unknown.push(format!("{path}: {} {:?}", arg.get_id(), arg.get_value_names()));
            }
        });
        assert_eq!(unknown, Vec::<String>::new(), "say in kind() what TAB shall offer for them");
    }

    #[test]
    fn ids_are_found_in_every_form_of_the_file() {
        let block =
            "# runway_service_id: not-me\n- project_id: 1\n  runway_service_id: a # the first\n- 'runway_service_id' : \"b\"\n";
        assert_eq!(ids(block), ["a", "b"]);
        assert_eq!(ids("[{\"runway_service_id\":\"a\",\"project_id\":1},{\"runway_service_id\": \"b\"}]"), ["a", "b"]);
        assert_eq!(
            ids("- runway_service_id: a\n- [\n- runway_service_id: b\n- runway_service_id: No Id\n"),
            ["a", "b"],
            "broken"
        );
        assert_eq!(ids("workloads:\n- name: a\n  flux: {healthChecks: [{name: x}]}\n"), ["a"], "by the other key");
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
        assert_eq!(words(&["-q", "status", "--verdict", "Failed,!mis"]).0, ["Failed,!Missing"]);
        assert_eq!(words(&["status", "--exit-code", "--not"]).0, ["--not-ready"], "its value is optional");
        assert_eq!(words(&["inventory", "verify", "--flux-version", "2.1"]).0, ["2.10"]);
        assert_eq!(words(&["--color", "n"]).0, ["never"]);
        assert_eq!(words(&["-C", ""]), (vec![], 16), "a folder");
        assert_eq!(words(&["inventory", "build", "-f", ""]), (vec![], 0), "a file");
        assert_eq!(words(&["inventory", "diff", "loc"]), (vec!["local".to_owned()], 2));
        assert_eq!(words(&["help", "finding", "duplicate-id"]).0, ["duplicate-id"]);
        assert_eq!(words(&["help", "inventory", "bu"]).0, ["build"]);
        assert_eq!(words(&["nonsense", ""]), (vec![], 4));
        assert_eq!(words(&["status", "--", "--dry"]), (vec![], 4));
    }
}
