//! The ids in a workloads.yml, for TAB: by the keys that name them. The whole parser takes 30 ms for 5,000 workloads, which is too
//! long between two keys, and stops at the first error of a file that is being edited.

use runway_core::flux::names::label_fault;
use runway_core::workloads;

/// The key of an id, and its older name.
const KEY: &str = "runway_service_id";
const OLD_KEY: &str = "name";
/// A file that the parser may take: about a thousand workloads.
const SMALL: usize = 64 << 10;

/// The ids; with an environment those that are in it, where a file that names environments is small enough to be read in full.
pub(super) fn of(text: &str, environment: Option<&str>) -> Vec<String> {
    if let Some(environment) = environment.filter(|_| text.len() <= SMALL && text.contains("environments")) {
        let (list, _) = workloads::parse("workloads.yml", text);
        if !list.items.is_empty() {
            let fits = list.items.into_iter().filter(|item| !item.refused && item.is_in(environment));
            return fits.map(|item| item.id).collect();
        }
    }
    let by_key = if text.contains(KEY) { of_keys(text) } else { Vec::new() };
    let by_entry = if text.contains(OLD_KEY) { of_entries(text) } else { Vec::new() };
    let found = if by_entry.len() > by_key.len() { by_entry } else { by_key };
    if !found.is_empty() {
        return found;
    }
    let (list, _) = workloads::parse("workloads.yml", text);
    list.items.into_iter().filter(|item| !item.refused).map(|item| item.id).collect()
}

/// Wherever the key stands, which nothing else is called.
fn of_keys(text: &str) -> Vec<String> {
    let id = |line: &str| {
        let (before, rest) = line.split_once(KEY)?;
        value(rest).filter(|_| !before.contains('#'))
    };
    // Entries on one line, as JSON may have them, are separated by braces.
    text.split(['\n', '{', '}']).filter_map(id).collect()
}

/// The value behind a key: `: a`, and what may stand around it.
fn value(rest: &str) -> Option<String> {
    let rest = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?.trim_start();
    let id: String =
        rest.trim_start_matches(['"', '\'']).chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    label_fault(&id).is_none().then_some(id)
}

/// The keys of entries alone: the older name is a name of much else.
fn of_entries(text: &str) -> Vec<String> {
    let is_list = |line: &&str| ["workloads:", "inventory:"].iter().any(|key| line.starts_with(key));
    let begin = text.lines().position(|line| is_list(&line)).map_or(0, |at| at + 1);
    let mut found = Vec::new();
    // Where the dashes of the list stand, and the keys of the entry.
    let (mut dash, mut keys) = (None, 0);
    for line in text.lines().skip(begin) {
        let rest = line.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            continue;
        }
        let indent = line.len() - rest.len();
        let key = match rest.strip_prefix("- ") {
            Some(first) if indent == *dash.get_or_insert(indent) => {
                let first = first.trim_start();
                keys = line.len() - first.len();
                first
            }
            _ if dash.is_some_and(|dash| indent < dash || (indent == dash && !rest.starts_with('-'))) => break,
            _ if dash.is_some() && indent == keys => rest,
            _ => continue,
        };
        // The whole entry on one line: what stands before the first mapping in it.
        let inline = key.strip_prefix('{').map(|all| all.split('{').next().unwrap_or(all));
        let parts = inline.map_or_else(|| vec![key], |all| all.split(',').map(str::trim).collect());
        found.extend(parts.into_iter().find_map(id_of));
    }
    found
}

fn id_of(part: &str) -> Option<String> {
    let part = part.trim_start_matches(['"', '\'']);
    [KEY, OLD_KEY].iter().find_map(|key| value(part.strip_prefix(key)?))
}

#[cfg(test)]
mod tests {
    use super::of;

    fn ids(text: &str) -> Vec<String> {
        of(text, None)
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
        assert_eq!(ids("[{\"name\": \"a\"}, {\"name\": \"b\"}]"), ["a", "b"], "by the parser");
    }

    /// No parser would take these: they are found by where the key stands, and the same key elsewhere is none.
    #[test]
    fn the_older_name_is_found_without_the_parser() {
        let broken = "defaults:\n  flux:\n    patches:\n    - name: not-me\nworkloads:\n  - project_id: 1\n    name: a\n    flux:\n      \
                      healthChecks:\n        - name: not-me\n          kind: Deployment\n  # - name: not-me\n  - name: \"b\"\n  - [\n  \
                      -   name: c\n      members:\n      - name: not-me\n  - {project_id: 1, name: d, flux: {healthChecks: [{name: not-me}]}}\n  \
                      - runway_service_id: e\nother:\n- name: not-me\n";
        assert_eq!(ids(broken), ["a", "b", "c", "d", "e"]);
        assert_eq!(ids("- name: a\n- flux: {healthChecks: [\n- name: b\n"), ["a", "b"]);
    }

    #[test]
    fn an_environment_leaves_out_who_is_not_in_it() {
        let text = "- runway_service_id: a\n  environments: [staging]\n- runway_service_id: b\n- environments:\n    production: {}\n  runway_service_id: c\n";
        assert_eq!(of(text, Some("staging")), ["a", "b"]);
        assert_eq!(of(text, Some("production")), ["b", "c"]);
        assert_eq!(of(text, None), ["a", "b", "c"]);
        assert_eq!(of(&format!("{text}- [\n"), Some("staging")), ["a", "b", "c"], "a file that is being edited");
    }
}
