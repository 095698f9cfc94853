//! The list of live scenarios: what the program has, and what is checked in. Both are the same, so that none is lost silently.

use std::collections::BTreeSet;

/// The names in the output of `--list --format terse`: lines like `module::name: test`.
pub(crate) fn listed(output: &str) -> BTreeSet<String> {
    output.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

/// The names in `tests/live/scenarios.txt`, one a line; `#` begins a comment.
pub(crate) fn expected(text: &str) -> BTreeSet<String> {
    let names = text.lines().map(str::trim);
    names.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// What is in one list only, in words; empty when they are the same.
pub(crate) fn differences(expected: &BTreeSet<String>, listed: &BTreeSet<String>) -> Vec<String> {
    let lost = expected.difference(listed).map(|name| format!("{name} is in scenarios.txt, but is no live scenario"));
    let new = listed.difference(expected).map(|name| format!("{name} is a live scenario, but not in scenarios.txt"));
    lost.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_compared_by_name() {
        let program = listed("a::b: test\nc: test\nd: benchmark\n\n2 tests, 1 benchmark\n");
        assert_eq!(program.len(), 2);
        assert!(differences(&expected("# all\nc\n\na::b\n"), &program).is_empty());
        assert_eq!(
            differences(&expected("c\nx\n"), &program),
            ["x is in scenarios.txt, but is no live scenario", "a::b is a live scenario, but not in scenarios.txt"]
        );
    }
}
