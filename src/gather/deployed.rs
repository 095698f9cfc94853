//! The digests that deploy tags have in their registries now: one HEAD each, 32 side by side.

use crate::registry::Client;
use futures_util::stream::{self, StreamExt as _};
use runway_core::flux::reference::{Reference, Target};
use runway_core::observed::{Answer, Registry};
use runway_core::problem::Problem;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Requests side by side.
const PARALLEL: usize = 32;

/// Asks for every reference, `host/repository:tag`. A host that refused who we are is not asked again.
pub(crate) async fn ask(client: &Client, references: &BTreeSet<String>) -> Registry {
    let refused: RefCell<BTreeMap<String, String>> = RefCell::default();
    let answers = stream::iter(references).map(|text| async {
        let answer = match Reference::parse(text) {
            Ok(reference) => one(client, &reference, &refused).await,
            Err(problem) => Answer::Unknown(problem.to_string()),
        };
        (text.clone(), answer)
    });
    let mut registry = Registry::default();
    for (reference, answer) in answers.buffer_unordered(PARALLEL).collect::<Vec<_>>().await {
        registry.insert(reference, answer);
    }
    registry
}

async fn one(client: &Client, reference: &Reference, refused: &RefCell<BTreeMap<String, String>>) -> Answer {
    let host = &reference.repository.host;
    if let Some(why) = refused.borrow().get(host) {
        return Answer::Unknown(why.clone());
    }
    let target = reference.target.clone().unwrap_or_else(|| Target::Tag("latest".to_owned()));
    match client.head(&reference.repository, &target).await {
        Ok(Some(head)) => Answer::Digest(head.digest.as_str().to_owned()),
        Ok(None) => Answer::NotThere,
        Err(problem) => {
            let why = text(&problem);
            if crate::registry::ends_the_asking(&problem) {
                refused.borrow_mut().insert(host.clone(), why.clone());
            }
            Answer::Unknown(why)
        }
    }
}

/// The problem in one line.
pub(crate) fn text(problem: &Problem) -> String {
    problem.to_string()
}
