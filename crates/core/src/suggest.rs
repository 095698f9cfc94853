//! "Did you mean": the nearest known word.

/// The known word nearest to `word`, when it is near enough to be what was meant.
///
/// The bound is the one that clap uses for its own suggestions (Jaro similarity above 0.7).
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro(word, candidate), candidate))
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_typo_and_nothing_for_a_stranger() {
        assert_eq!(nearest("region", ["regions", "groups", "members"]), Some("regions"));
        assert_eq!(nearest("zzz", ["regions", "groups"]), None);
    }
}
