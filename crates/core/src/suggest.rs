//! "Did you mean": the nearest known word.

/// The known word nearest to `word`, when it is near enough to be what was meant: one that `word` abbreviates, else one that
/// looks like it. Upper and lower case are the same.
///
/// The order is the one that clap uses for its own suggestions (Jaro similarity above 0.7); what takes more edits than half
/// of the longer word is another word, however many letters they share.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    best(known, |candidate| {
        let score = strsim::jaro(&word, candidate);
        let is_short = abbreviates(&word, candidate);
        let is_like = score > 0.7 && is_near(&word, candidate);
        (is_short || is_like).then_some(if is_short { score + 1.0 } else { score })
    })
}

/// The same among words that look alike without meaning the same, as flags do: a letter or two may be wrong, no more.
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let wrong = (word.chars().count() / 4).max(1);
    best(known, |candidate| {
        let is_short = abbreviates(&word, candidate) || (candidate.chars().count() > 3 && word.starts_with(candidate));
        let is_typo = word.chars().count() > 2 && strsim::osa_distance(&word, candidate) <= wrong;
        (is_short || is_typo).then(|| strsim::jaro(&word, candidate))
    })
}

/// The word of the highest score; the first of several.
fn best<'a>(known: impl IntoIterator<Item = &'a str>, score: impl Fn(&str) -> Option<f64>) -> Option<&'a str> {
    let mut found: Option<(f64, &'a str)> = None;
    for candidate in known {
        let Some(score) = score(&candidate.to_lowercase()) else { continue };
        if found.is_none_or(|(best, _)| score > best) {
            found = Some((score, candidate));
        }
    }
    found.map(|(_, candidate)| candidate)
}

/// Whether each part of a word begins the same part of another one, as `dup-id` does of `duplicate-id`, and `pus` of `push`.
fn abbreviates(word: &str, whole: &str) -> bool {
    let mut parts = whole.split(['-', '_', '.']);
    word.chars().count() > 1 && word.split(['-', '_', '.']).all(|part| parts.next().is_some_and(|all| all.starts_with(part)))
}

/// Whether one may be a slip of the finger for the other.
fn is_near(word: &str, candidate: &str) -> bool {
    strsim::damerau_levenshtein(word, candidate) * 2 <= word.chars().count().max(candidate.chars().count())
}

#[cfg(test)]
mod tests {
    use super::{near, nearest};

    #[test]
    fn finds_a_typo_and_nothing_for_a_stranger() {
        assert_eq!(nearest("region", ["regions", "groups", "members"]), Some("regions"));
        assert_eq!(nearest("zzz", ["regions", "groups"]), None);
        assert_eq!(nearest("", ["regions", "groups"]), None);
        assert_eq!(nearest("to", ["registry-token-stdin", "timeout"]), None, "all its letters are in there, and it is not meant");
        assert_eq!(nearest("svz", ["svc"]), Some("svc"));
    }

    #[test]
    fn a_beginning_is_nearer_than_what_looks_alike() {
        assert_eq!(nearest("pus", ["pull", "build", "push"]), Some("push"));
        assert_eq!(nearest("psh", ["push", "pull"]), Some("push"));
        assert_eq!(nearest("dup-id", ["invalid-id", "two-ids", "no-id", "duplicate-id"]), Some("duplicate-id"));
        assert_eq!(nearest("DUPLICATE-IDS", ["invalid-id", "duplicate-id"]), Some("duplicate-id"));
    }

    #[test]
    fn flags_are_only_near_by_a_letter_or_two() {
        let flags = ["color", "context", "all-contexts", "dry-run", "environment", "output-dir", "wait"];
        assert_eq!(near("contxt", flags), Some("context"));
        assert_eq!(near("dryrun", flags), Some("dry-run"));
        assert_eq!(near("enviromnent", flags), Some("environment"));
        assert_eq!(near("env", flags), Some("environment"));
        assert_eq!(near("output-directory", flags), Some("output-dir"));
        for stranger in ["cluster", "count", "force", "o", "all-clusters", "color-context"] {
            assert_eq!(near(stranger, flags), (stranger == "color-context").then_some("color"), "{stranger}");
        }
    }
}
