//! Finds, reads and merges kubeconfig files by kubectl's rules.
//!
//! kube's own reader is not used for that: it has no limit, stops at a file that is missing from a list, and takes an empty
//! `current-context` for a choice (client-go's `ClientConfigLoadingRules.Load` does none of these).

use super::flags::{KubeFlags, Surroundings};
use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError};
use runway_core::problem::{Class, Place, Problem};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// The largest kubeconfig, certificate or token file that is read, in bytes. 500 contexts with their certificates are 2 MiB.
pub(super) const MAX_FILE: u64 = 4 * 1024 * 1024;

/// All files together; of two entries with one name the first file's counts.
#[derive(Default)]
pub(super) struct Merged {
    /// `current-context` of the first file that sets one.
    pub(super) current: Option<String>,
    /// Contexts in the order of the files.
    pub(super) contexts: Vec<(String, Context)>,
    /// Clusters.
    pub(super) clusters: Vec<(String, Cluster)>,
    /// Users.
    pub(super) users: Vec<(String, AuthInfo)>,
    /// The files that were looked for, with a word when one was not there.
    pub(super) looked_at: Vec<String>,
}

/// The entry of a name.
pub(super) fn entry<'a, T>(entries: &'a [(String, T)], name: &str) -> Option<&'a T> {
    entries.iter().find(|(known, _)| known == name).map(|(_, entry)| entry)
}

/// The names of entries.
pub(super) fn names<T>(entries: &[(String, T)]) -> impl Iterator<Item = &str> {
    entries.iter().map(|(name, _)| name.as_str())
}

/// Reads what the flags and variables lead to.
pub(super) fn load(flags: &KubeFlags, around: &Surroundings<'_>) -> Result<Merged, Problem> {
    load_as(flags, around, Kubeconfig::from_yaml)
}

/// The same for who needs the contexts' names alone: clusters and users may be left out.
pub(super) fn load_contexts(flags: &KubeFlags, around: &Surroundings<'_>) -> Result<Merged, Problem> {
    load_as(flags, around, |text| {
        let part = contexts_alone(text).and_then(|part| Kubeconfig::from_yaml(&part).ok());
        part.map_or_else(|| Kubeconfig::from_yaml(text), Ok)
    })
}

/// Turns a file's text into its entries.
type Parse = fn(&str) -> Result<Kubeconfig, KubeconfigError>;

fn load_as(flags: &KubeFlags, around: &Surroundings<'_>, parse: Parse) -> Result<Merged, Problem> {
    let mut merged = Merged::default();
    if let Some(path) = &flags.kubeconfig {
        let file = one(path, parse)?.ok_or_else(|| {
            Problem::usage(format!("there is no kubeconfig file {}", path.display())).hint("check --kubeconfig")
        })?;
        merged.looked_at.push(format!("{} (--kubeconfig)", path.display()));
        merge(&mut merged, file, path)?;
        return Ok(merged);
    }
    let (paths, origin) = candidates(around);
    for path in paths {
        match one(&path, parse)? {
            Some(file) => {
                merged.looked_at.push(format!("{} ({origin})", path.display()));
                merge(&mut merged, file, &path)?;
            }
            None => merged.looked_at.push(format!("{} ({origin}; not there)", path.display())),
        }
    }
    Ok(merged)
}

/// The files of `KUBECONFIG`, else the one in the home folder.
fn candidates(around: &Surroundings<'_>) -> (Vec<PathBuf>, &'static str) {
    if let Some(list) = around.variable("KUBECONFIG") {
        let mut paths: Vec<PathBuf> = Vec::new();
        for path in std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()) {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        return (paths, "KUBECONFIG");
    }
    let home = around.home.as_ref().map(|home| home.join(".kube").join("config"));
    (home.into_iter().collect(), "the default")
}

/// One file; `None` when it is not there.
fn one(path: &Path, parse: Parse) -> Result<Option<Kubeconfig>, Problem> {
    let Some(bytes) = bounded(path, "the kubeconfig")? else { return Ok(None) };
    let refused = |why: &str| Problem::input("cannot read the kubeconfig").cause(why).at(file(path));
    let text = decode(&bytes).ok_or_else(|| refused("it is not text in UTF-8 or UTF-16"))?;
    let mut config = parse(&text).map_err(|error| malformed(path, &error))?;
    if config.kind.as_deref().is_some_and(|kind| kind != "Config") {
        return Err(refused("its kind is not Config"));
    }
    absolute_paths(&mut config, path.parent().unwrap_or(Path::new("")));
    Ok(Some(config))
}

/// A whole file.
fn file(path: &Path) -> Place {
    Place::file(path.display().to_string())
}

/// A file's bytes, up to [`MAX_FILE`]; `None` when it is not there.
pub(super) fn bounded(path: &Path, what: &str) -> Result<Option<Vec<u8>>, Problem> {
    let unreadable = |error: &std::io::Error| Problem::input(format!("cannot read {what}")).caused_by(error).at(file(path));
    let opened = match std::fs::File::open(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    let mut bytes = Vec::new();
    opened.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MAX_FILE {
        let why = format!("it is larger than {} MiB", MAX_FILE / 1024 / 1024);
        return Err(Problem::input(format!("cannot read {what}")).cause(why).at(file(path)));
    }
    Ok(Some(bytes))
}

/// Text in UTF-8, with or without its mark, or in UTF-16 with its mark (what `PowerShell` writes by `>`).
fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks(2).filter_map(|pair| pair.try_into().ok()).map(unit).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        bytes => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// What a text says of contexts, when its keys stand in lines of their own, as kubectl writes them. Clusters and users with their
/// certificates are nearly all of a kubeconfig: of 100 contexts a parser takes 7 ms for them.
fn contexts_alone(text: &str) -> Option<String> {
    let mut part = String::new();
    let mut is_wanted = false;
    for line in text.split_inclusive('\n') {
        match line.as_bytes() {
            // A second document counts for nothing, or is an error.
            [b'-', b'-', b'-', ..] => return None,
            // Below the key: lists may begin where their key does.
            [b' ' | b'-' | b'#' | b'\n' | b'\r', ..] => {}
            [first, ..] if first.is_ascii_alphabetic() => {
                let (key, _) = line.split_once(':')?;
                is_wanted = matches!(key, "apiVersion" | "kind" | "current-context" | "contexts");
            }
            _ => return None,
        }
        if is_wanted {
            part.push_str(line);
        }
    }
    part.contains("contexts:").then_some(part)
}

/// Only the place is told: the parser's own words quote the line, and that line may hold a token.
fn malformed(path: &Path, error: &KubeconfigError) -> Problem {
    let mut place = file(path);
    if let KubeconfigError::Parse(fault) = error
        && let Some(at) = fault.location()
    {
        place.line = usize::try_from(at.line()).ok().filter(|line| *line > 0);
        place.column = usize::try_from(at.column()).ok().filter(|column| *column > 0);
    }
    Problem::input("cannot read the kubeconfig").cause("it is not YAML of the form that a kubeconfig has").at(place)
}

/// Paths in a file are relative to that file's folder; a plugin's command only when it is a path.
fn absolute_paths(config: &mut Kubeconfig, folder: &Path) {
    let fix = |path: &mut Option<String>| {
        if let Some(text) = path
            && !text.is_empty()
            && Path::new(text.as_str()).is_relative()
            && let Some(joined) = folder.join(text.as_str()).to_str()
        {
            joined.clone_into(text);
        }
    };
    for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        fix(&mut cluster.certificate_authority);
    }
    for user in config.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        fix(&mut user.client_certificate);
        fix(&mut user.client_key);
        fix(&mut user.token_file);
        if let Some(exec) = &mut user.exec
            && exec.command.as_ref().is_some_and(|command| command.contains(std::path::is_separator))
        {
            fix(&mut exec.command);
        }
    }
}

/// Adds a file below those that came before it.
fn merge(merged: &mut Merged, next: Kubeconfig, path: &Path) -> Result<(), Problem> {
    merged.current = merged.current.take().or_else(|| next.current_context.filter(|name| !name.is_empty()));
    let contexts = next.contexts.into_iter().map(|named| (named.name, named.context.unwrap_or_default()));
    add(&mut merged.contexts, contexts, "context", path)?;
    let clusters = next.clusters.into_iter().map(|named| (named.name, named.cluster.unwrap_or_default()));
    add(&mut merged.clusters, clusters, "cluster", path)?;
    let users = next.auth_infos.into_iter().map(|named| (named.name, named.auth_info.unwrap_or_default()));
    add(&mut merged.users, users, "user", path)
}

/// Adds the entries whose names are new. Two of one name in the same file are refused, as client-go refuses them.
fn add<T>(all: &mut Vec<(String, T)>, next: impl Iterator<Item = (String, T)>, what: &str, path: &Path) -> Result<(), Problem> {
    let mut seen: Vec<(String, T)> = Vec::new();
    for (name, value) in next {
        if entry(&seen, &name).is_some() {
            let why = format!("it has two {what} entries named {name:?}");
            return Err(Problem::input("cannot read the kubeconfig").cause(why).at(file(path)));
        }
        seen.push((name, value));
    }
    for (name, value) in seen {
        if entry(all, &name).is_none() {
            all.push((name, value));
        }
    }
    Ok(())
}

/// Nothing is configured at all: says what was looked for.
pub(super) fn nothing(merged: &Merged) -> Problem {
    let mut problem = Problem::new(Class::Cluster, "no cluster is configured");
    if merged.looked_at.is_empty() {
        problem = problem.cause("KUBECONFIG names no file and the home folder is not known");
    }
    for looked_at in &merged.looked_at {
        problem = problem.cause(format!("looked at {looked_at}"));
    }
    problem
        .hint("set KUBECONFIG or give --kubeconfig; in a GitLab pipeline with the agent KUBECONFIG is set for you")
        .hint("a pod's own service account is never used unasked")
}
