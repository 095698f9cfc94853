//! Choosing clusters by the labels that the settings give them, in kubectl's words: `a=b`, `a!=b`, `a`, `!a`, joined by commas.

use crate::problem::Problem;
use crate::text::matches;
use std::collections::BTreeMap;

/// What a cluster's labels have to be: all of these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    /// A name or pattern; none: that the key is there.
    value: Option<String>,
    holds: bool,
}

impl Selector {
    /// Reads what was given, as often as it was given.
    pub fn parse(given: &[String]) -> Result<Self, Problem> {
        let parts = given.iter().flat_map(|text| text.split(','));
        parts.map(requirement).collect::<Result<_, _>>().map(Self)
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the labels are so. As in kubectl, `a!=b` holds for a cluster without `a`.
    pub fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|wanted| {
            let is = match (&wanted.value, labels.get(&wanted.key)) {
                (None, known) => known.is_some(),
                (Some(pattern), known) => known.is_some_and(|value| matches(pattern, value)),
            };
            is == wanted.holds
        })
    }
}

fn requirement(text: &str) -> Result<Requirement, Problem> {
    let text = text.trim();
    let (key, value, holds) = match (text.split_once("!="), text.split_once('='), text.strip_prefix('!')) {
        (Some((key, value)), ..) => (key, Some(value), false),
        (_, Some((key, value)), _) => (key, Some(value.strip_prefix('=').unwrap_or(value)), true),
        (_, _, Some(key)) => (key, None, false),
        _ => (text, None, true),
    };
    let key = key.trim();
    if key.is_empty() || key.contains(['!', ' ', '(']) {
        return Err(Problem::usage(format!("--label '{text}' is no selector")).hint("write KEY=VALUE, KEY!=VALUE, KEY or !KEY"));
    }
    Ok(Requirement { key: key.to_owned(), value: value.map(|value| value.trim().to_owned()), holds })
}

#[cfg(test)]
mod tests {
    use super::Selector;
    use std::collections::BTreeMap;

    #[test]
    fn holds_as_in_kubectl() {
        let labels = BTreeMap::from([("tier".to_owned(), "canary".to_owned()), ("old".to_owned(), String::new())]);
        let holds = |text: &str| Selector::parse(&[text.to_owned()]).unwrap().holds(&labels);
        for text in
            ["tier=canary", "tier==canary", "tier=can*", "tier", "old", "old=", "!none", "none!=x", "tier!=stable", "tier,old"]
        {
            assert!(holds(text), "{text}");
        }
        for text in ["tier=stable", "none", "!tier", "tier!=canary", "tier!=can*", "none=", "tier,none", "tier=Canary"] {
            assert!(!holds(text), "{text}");
        }
        assert!(Selector::default().holds(&labels) && Selector::default().is_empty());
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in ["", "=x", "a,,b", "tier in (a)", "!=x"] {
            assert!(Selector::parse(&[text.to_owned()]).is_err(), "{text}");
        }
    }
}
