//! "Did you mean": the nearest known word.

/// The known word nearest to `word`, when it is near enough to be what was meant.
///
/// The order is the one that clap uses for its own suggestions (Jaro similarity above 0.7); what takes more edits than half
/// of the longer word is another word, however many letters they share.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .filter(|candidate| is_near(word, candidate))
        .map(|candidate| (strsim::jaro(word, candidate), candidate))
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Whether one may be a slip of the finger for the other.
pub fn is_near(word: &str, candidate: &str) -> bool {
    strsim::damerau_levenshtein(word, candidate) * 2 <= word.chars().count().max(candidate.chars().count())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_typo_and_nothing_for_a_stranger() {
        assert_eq!(nearest("region", ["regions", "groups", "members"]), Some("regions"));
        assert_eq!(nearest("zzz", ["regions", "groups"]), None);
        assert_eq!(nearest("to", ["registry-token-stdin", "timeout"]), None, "all its letters are in there, and it is not meant");
        assert_eq!(nearest("svz", ["svc"]), Some("svc"));
    }
}
