//! Which rows are shown; the exit code and the counts are about all that were considered.

use super::item::Item;
use super::words::Verdict;
use crate::problem::Problem;
use crate::suggest;
use std::collections::BTreeSet;

/// The verdicts whose rows are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    verdicts: BTreeSet<Verdict>,
}

impl Default for Selection {
    fn default() -> Self {
        Self { verdicts: Verdict::ALL.into() }
    }
}

impl Selection {
    /// Reads words such as `Failed`, `failed,missing` and `!Ready`. Without a word that stands for itself everything is
    /// meant, and `!` takes away.
    pub fn parse(words: &[String]) -> Result<Self, Problem> {
        let (mut wanted, mut unwanted) = (BTreeSet::new(), BTreeSet::new());
        for word in words.iter().flat_map(|words| words.split(',')).map(str::trim).filter(|word| !word.is_empty()) {
            let (into, name) = match word.strip_prefix('!') {
                Some(name) => (&mut unwanted, name),
                None => (&mut wanted, word),
            };
            into.insert(name.parse().map_err(|()| unknown(name))?);
        }
        if wanted.is_empty() {
            wanted = Verdict::ALL.into();
        }
        Ok(Self { verdicts: &wanted - &unwanted })
    }

    /// Whether a row is shown.
    pub fn shows(&self, item: &Item) -> bool {
        self.verdicts.contains(&item.verdict)
    }
}

fn unknown(word: &str) -> Problem {
    let words = || Verdict::ALL.into_iter().map(Verdict::as_str);
    let problem = Problem::usage(format!("there is no verdict '{word}'"))
        .cause(format!("the verdicts are {}", words().collect::<Vec<_>>().join(", ")));
    match suggest::nearest(word, words()) {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::{Selection, Verdict};

    fn parse(words: &[&str]) -> Vec<Verdict> {
        Selection::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap().verdicts.into_iter().collect()
    }

    #[test]
    fn words_choose_and_take_away() {
        assert_eq!(parse(&["failed,Missing"]), [Verdict::Missing, Verdict::Failed]);
        assert_eq!(parse(&["!Ready"]).len(), Verdict::ALL.len() - 1);
        assert_eq!(parse(&["Ready", "Failed", "!ready"]), [Verdict::Failed]);
        assert_eq!(parse(&[]).len(), Verdict::ALL.len());
        let error = Selection::parse(&["Faild".to_owned()]).unwrap_err();
        assert!(error.hints[0].contains("Failed"), "{error}");
    }

    #[test]
    fn every_verdict_reads_back() {
        for verdict in Verdict::ALL {
            assert_eq!(verdict.as_str().to_lowercase().parse(), Ok(verdict));
        }
    }
}
