//! The digests that deploy tags have in their registries now: one HEAD each, 32 side by side, each reference once however
//! many clusters want it.

use crate::registry::Client;
use futures_util::future::join_all;
use runway_core::flux::reference::{Reference, Target};
use runway_core::observed::{Answer, Registry};
use runway_core::problem::Problem;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tokio::sync::{OnceCell, Semaphore};

/// Requests side by side.
const PARALLEL: usize = 32;

/// Asks registries, and remembers.
pub(crate) struct Asker<'a> {
    client: &'a Client,
    permits: Semaphore,
    /// Hosts that refused who we are, with their words: they are not asked again.
    refused: RefCell<BTreeMap<String, String>>,
    answers: RefCell<BTreeMap<String, Rc<OnceCell<Answer>>>>,
}

impl<'a> Asker<'a> {
    /// An asker that knows nothing yet.
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client, permits: Semaphore::new(PARALLEL), refused: RefCell::default(), answers: RefCell::default() }
    }

    /// The answers for these references, `host/repository:tag`.
    pub(crate) async fn ask(&self, references: &BTreeSet<String>) -> Registry {
        let answers = join_all(references.iter().map(|reference| self.answer(reference))).await;
        let mut registry = Registry::default();
        for (reference, answer) in references.iter().zip(answers) {
            registry.insert(reference.clone(), answer);
        }
        registry
    }

    async fn answer(&self, text: &str) -> Answer {
        let cell = Rc::clone(self.answers.borrow_mut().entry(text.to_owned()).or_default());
        let asked = cell.get_or_init(async || {
            // The semaphore is never closed; were it, asking without a permit would still be right.
            let _permit = self.permits.acquire().await;
            match Reference::parse(text) {
                // In a place of its own, made when its turn has come: a thousand that wait would be 4 MiB.
                Ok(reference) => Box::pin(self.one(&reference)).await,
                Err(problem) => Answer::Unknown(problem.to_string()),
            }
        });
        asked.await.clone()
    }

    async fn one(&self, reference: &Reference) -> Answer {
        let host = &reference.repository.host;
        if let Some(why) = self.refused.borrow().get(host) {
            return Answer::Unknown(why.clone());
        }
        let target = reference.target.clone().unwrap_or_else(|| Target::Tag("latest".to_owned()));
        match self.client.head(&reference.repository, &target).await {
            Ok(Some(head)) => Answer::Digest(head.digest.as_str().to_owned()),
            Ok(None) => Answer::NotThere,
            Err(problem) => {
                let why = text(&problem);
                if crate::registry::ends_the_asking(&problem) {
                    self.refused.borrow_mut().insert(host.clone(), why.clone());
                }
                Answer::Unknown(why)
            }
        }
    }
}

/// The problem in one line.
pub(crate) fn text(problem: &Problem) -> String {
    problem.to_string()
}
