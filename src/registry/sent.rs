//! Secrets that were sent: whoever gets them may repeat them, and no explanation must.

use super::secret::Secret;
use reqwest::header::HeaderValue;
use runway_core::problem::Problem;
use std::collections::VecDeque;

/// Bytes of tokens that are remembered; the oldest are forgotten first, which are of no use to anybody any more.
const MAX_TOKENS: usize = 4 << 20;
/// A shorter secret stands in many words, and taking it out would say where.
const SHORTEST: usize = 4;

/// All secrets that were sent.
#[derive(Default)]
pub(super) struct SentSecrets {
    logins: Vec<Secret>,
    /// `Bearer …`, shared with those who send it.
    tokens: VecDeque<HeaderValue>,
    bytes: usize,
}

impl SentSecrets {
    /// Remembers a login.
    pub(super) fn login(&mut self, secret: Secret) {
        if !self.logins.contains(&secret) {
            self.logins.push(secret);
        }
    }

    /// Remembers a token.
    pub(super) fn token(&mut self, header: HeaderValue) {
        self.bytes += header.len();
        self.tokens.push_back(header);
        while self.bytes > MAX_TOKENS {
            let Some(oldest) = self.tokens.pop_front() else { return };
            self.bytes -= oldest.len();
        }
    }

    /// Takes them out of the words of whoever got them.
    pub(super) fn scrub(&self, text: &str) -> String {
        self.without(text, |_| true)
    }

    /// Takes them out of everything that a problem says. Words of our own are among it: a password that is a plain word stays,
    /// for what is missing would say what it is. Out of others' words it was taken before.
    pub(super) fn clean(&self, problem: Problem) -> Problem {
        let text = |text: &String| self.clean_text(text);
        let place = problem.place.map(|place| runway_core::problem::Place { file: text(&place.file), ..place });
        let (causes, hints) = (problem.causes.iter().map(text).collect(), problem.hints.iter().map(text).collect());
        Problem { what: text(&problem.what), causes, hints, place, ..problem }
    }

    /// The same for one text.
    pub(super) fn clean_text(&self, text: &str) -> String {
        self.without(text, |secret| !is_word(secret))
    }

    fn without(&self, text: &str, counts: impl Fn(&str) -> bool) -> String {
        // Tokens are long, there may be hundreds, and most texts are a few words: what is longer than a text is not in it.
        let may_be_there = |header: &&HeaderValue| header.len() <= "Bearer ".len() + text.len();
        let tokens = self.tokens.iter().filter(may_be_there).filter_map(|header| header.to_str().ok());
        let all = self.logins.iter().map(Secret::expose).chain(tokens);
        let bare = all.map(|secret| secret.strip_prefix("Basic ").or(secret.strip_prefix("Bearer ")).unwrap_or(secret));
        bare.filter(|secret| secret.len() >= SHORTEST && counts(secret)).fold(text.to_owned(), hide)
    }
}

/// Hosts lose their capitals on the way.
fn hide(text: String, secret: &str) -> String {
    let (lower, wanted) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    if !lower.contains(&wanted) {
        return text;
    }
    let (mut out, mut from) = (String::new(), 0);
    for (at, found) in lower.match_indices(&wanted) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str("[secret]");
        from = at + found.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Whether it may stand in a sentence of ours.
fn is_word(secret: &str) -> bool {
    secret.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::{HeaderValue, MAX_TOKENS, Problem, Secret, SentSecrets};

    #[test]
    fn whatever_a_problem_says_is_without_them() {
        let mut sent = SentSecrets::default();
        for secret in ["Pa55word", "Basic cnVud2F5", "registry", "abc", "Pa55word"] {
            sent.login(Secret::new(secret));
        }
        sent.token(HeaderValue::from_static("Bearer t0ken"));
        let problem = Problem::input("what pa55word").cause("Basic cnVud2F5, t0ken, abc").hint("the registry Pa55WORD!");
        let clean = sent.clean(problem);
        assert_eq!((clean.what.as_str(), clean.causes[0].as_str()), ("what [secret]", "Basic [secret], [secret], abc"));
        assert_eq!(clean.hints, ["the registry [secret]!"]);
        assert_eq!(sent.scrub("ä registry, PA55WORDPa55word"), "ä [secret], [secret][secret]");
    }

    #[test]
    fn old_tokens_are_forgotten() {
        let mut sent = SentSecrets::default();
        for number in 0..100 {
            sent.token(HeaderValue::from_str(&format!("Bearer {number:04}{}", "x".repeat(64 << 10))).unwrap());
        }
        assert!(sent.bytes <= MAX_TOKENS && sent.tokens.len() > 50, "{} {}", sent.bytes, sent.tokens.len());
        assert!(sent.tokens.back().unwrap().to_str().unwrap().starts_with("Bearer 0099"));
    }
}
