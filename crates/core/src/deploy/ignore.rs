//! Whether `spec.ignore` of a source leaves the published file out.

use crate::text::matches;

/// Whether the rules drop a file of the artifact's root; the last one that matches decides, as in gitignore
/// (`go-git`'s, which source-controller uses).
pub(super) fn drops(rules: &str, name: &str) -> bool {
    let rules = rules.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
    rules.fold(false, |dropped, rule| {
        let (keeps, pattern) = rule.strip_prefix('!').map_or((false, rule), |pattern| (true, pattern));
        if is_for(pattern, name) { !keeps } else { dropped }
    })
}

fn is_for(pattern: &str, name: &str) -> bool {
    // A rule for folders.
    if pattern.ends_with('/') {
        return false;
    }
    match pattern.strip_prefix("**/").or_else(|| pattern.strip_prefix('/')) {
        // To go-git these leave the root's own files alone.
        Some("**") => false,
        Some(rest) => !rest.contains('/') && matches(rest, name),
        None => !pattern.contains('/') && matches(pattern, name),
    }
}

#[cfg(test)]
mod tests {
    use super::drops;

    #[test]
    fn the_last_rule_that_matches_decides() {
        for (rules, expected) in [
            ("*.yaml", true),
            ("*.y*ml\n", true),
            ("manifests.*", true),
            ("/manifests.yaml", true),
            ("**/manifests.yaml", true),
            ("# all\n\n*\n", true),
            ("*.yaml\n!manifests.yaml", false),
            ("!manifests.yaml\n/*", true),
            ("manifests.yaml/", false),
            ("sub/manifests.yaml", false),
            ("# *.yaml", false),
            ("*.md", false),
            ("/**", false),
            ("", false),
        ] {
            assert_eq!(drops(rules, "manifests.yaml"), expected, "{rules}");
        }
    }
}
