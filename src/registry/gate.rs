//! One wrong login is tried once at a registry, not once per workload and again in each round: servers that are asked with
//! it again and again lock the user out.

use super::challenge;
use super::exchange::Trouble;
use super::http::Answer;
use super::origin;
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Mutex as Turn;

/// Refusals in a row after which a login that was good has to prove itself again: its password may have been changed.
const REFUSALS: u32 = 3;

/// What is known about logins at registries. A login is what is sent, so that another one is another try.
#[derive(Default)]
pub(super) struct Gates(Mutex<HashMap<Asked, Arc<Turn<Gate>>>>);

/// A site, and what is sent to it.
type Asked = (String, HeaderValue);

#[derive(Default)]
enum Gate {
    /// One request tries it; those beside it wait for its answer.
    #[default]
    New,
    /// It was taken; so many refusals since.
    Open(u32),
    /// It was refused, with this answer.
    Shut(Box<Answer>),
}

impl Gates {
    /// Asks with a login, or gives the answer that it got before.
    pub(super) async fn pass(
        &self,
        base: &Url,
        login: &HeaderValue,
        ask: impl AsyncFnOnce() -> Result<Answer, Trouble>,
    ) -> Result<Answer, Trouble> {
        let key = (base.as_str().to_owned(), login.clone());
        let gate = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let mut state = gate.lock().await;
        match &*state {
            Gate::Shut(answer) => return Ok(answer.as_ref().clone()),
            Gate::New => {
                let result = ask().await;
                *state = match &result {
                    Ok(answer) if refuses(answer, base) => Gate::Shut(Box::new(answer.clone())),
                    _ => Gate::Open(0),
                };
                return result;
            }
            Gate::Open(_) => drop(state),
        }
        let result = ask().await;
        let refused = result.as_ref().is_ok_and(|answer| refuses(answer, base));
        let mut state = gate.lock().await;
        if let Gate::Open(before) = &*state {
            let refusals = if refused { before + 1 } else { 0 };
            *state = if refusals < REFUSALS { Gate::Open(refusals) } else { Gate::New };
        }
        drop(state);
        result
    }
}

/// Whether a registry does not take a login, which is something else than a right that the login has not.
fn refuses(answer: &Answer, base: &Url) -> bool {
    let lacks_right = || challenge::all(&answer.headers).iter().any(|it| it.get("error") == Some("insufficient_scope"));
    answer.status == 401 && origin::same(&answer.url, base) && !lacks_right()
}
