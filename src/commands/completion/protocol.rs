//! cobra's completion protocol, which kubectl and flux speak: the words of a command line in, a candidate a line out, each with
//! a tab and a description, and last `:` with the sum of what the shell shall do (cobra, `completions.go`, `ShellCompDirective`).

use super::line::Line;
use super::values::{self, Offer};
use clap::Command;
use std::ffi::OsString;

/// No space after the only candidate.
pub(super) const NO_SPACE: u8 = 2;
/// No files when there is no candidate.
pub(super) const NO_FILES: u8 = 4;
/// Only folders.
pub(super) const FOLDERS: u8 = 16;

/// A question for completion.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The words after the program's name; the last one is to be completed.
    words: Vec<String>,
    /// Whether the shell shows descriptions.
    described: bool,
}

impl Asked {
    /// The question that a command line is, if it is one: `__complete …`, or the name by which kubectl asks.
    pub(crate) fn of(arguments: &[OsString]) -> Option<Self> {
        let text = |word: &OsString| word.to_string_lossy().into_owned();
        let (program, rest) = arguments.split_first()?;
        let stem = std::path::Path::new(program).file_stem()?.to_string_lossy().into_owned();
        let (words, described) = match rest.split_first() {
            _ if stem == "kubectl_complete-runway" => (rest, true),
            Some((first, words)) if first == "__complete" => (words, true),
            Some((first, words)) if first == "__completeNoDesc" => (words, false),
            _ => return None,
        };
        Some(Self { words: words.iter().map(text).collect(), described })
    }
}

/// The answer's text. Whatever was asked ends with a line of what to do: flux takes an empty answer for a failure.
pub(crate) fn answer(asked: &Asked, mut command: Command) -> String {
    command.build();
    let (current, before) = asked.words.split_last().map_or(("", [].as_slice()), |(last, rest)| (last.as_str(), rest));
    let line = Line::read(&command, before);
    let offer = values::offer(&line, current);
    text(&offer, asked.described)
}

fn text(offer: &Offer, described: bool) -> String {
    let mut out = String::new();
    for (word, about) in &offer.candidates {
        // A line is a candidate: one that would become two, or type a control character, is none.
        if word.chars().any(char::is_control) {
            continue;
        }
        out.push_str(word);
        let about = runway_core::text::visible(about.lines().next().unwrap_or_default());
        if described && !about.is_empty() {
            out.push('\t');
            out.push_str(&about);
        }
        out.push('\n');
    }
    out + &format!(":{}\n", offer.directive)
}

#[cfg(test)]
mod tests {
    use super::{Asked, NO_FILES, Offer, text};

    fn asked(words: &[&str]) -> Option<Asked> {
        Asked::of(&words.iter().map(Into::into).collect::<Vec<_>>())
    }

    #[test]
    fn who_asks() {
        let is = |words: &[&str], described| Some(Asked { words: words.iter().map(|it| (*it).to_owned()).collect(), described });
        assert_eq!(asked(&["/x/kubectl_complete-runway", "status", ""]), is(&["status", ""], true));
        assert_eq!(asked(&["/x/flux-runway", "__complete", "st"]), is(&["st"], true));
        assert_eq!(asked(&["kubectl-runway", "__completeNoDesc"]), is(&[], false));
        assert_eq!(asked(&["kubectl-runway", "status", "__complete"]), None);
    }

    #[test]
    fn what_would_break_a_line_is_left_out() {
        let candidates = [("a\nb", ""), ("c\u{1b}", ""), ("d", "two\nlines"), ("e", "\u{1b}[2J")];
        let candidates = candidates.map(|(word, about)| (word.to_owned(), about.to_owned())).to_vec();
        let offer = Offer { candidates, directive: NO_FILES };
        assert_eq!(text(&offer, true), "d\ttwo\ne\t\\u{1b}[2J\n:4\n");
        assert_eq!(text(&offer, false), "d\ne\n:4\n");
    }
}
