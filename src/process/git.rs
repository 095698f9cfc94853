//! What git says about a folder: where it comes from, and at which commit it stands.

use super::{Program, find, run};
use std::path::Path;
use std::time::Duration;

/// How long git may take for one question; a repository on a slow disk is still faster.
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes of an answer: names and hashes.
const MAX: usize = 64 << 10;

/// A checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// URL of the remote `origin`, as git has it: it may carry a credential.
    pub(crate) remote: Option<String>,
    /// The commit.
    pub(crate) commit: Option<String>,
    /// The tag or branch that points to it.
    pub(crate) name: Option<String>,
    /// The commit's time, RFC 3339.
    pub(crate) time: Option<String>,
}

/// Asks git about a folder; without git, or outside a repository, nothing is known.
pub(crate) async fn checkout(folder: &Path, path: Option<&str>) -> Checkout {
    let (Some(git), Some(folder)) = (find("git", path), folder.to_str()) else { return Checkout::default() };
    let ask = async |arguments: &[&str]| {
        // Optional locks and a pager would touch the repository or wait for a key.
        let mut all = vec!["--no-optional-locks", "--no-pager", "-C", folder];
        all.extend(arguments);
        let output =
            run(Program { path: &git, arguments: &all, folder: None, stdin: b"", limit: LIMIT, max_stdout: MAX }).await.ok()?;
        let text = String::from_utf8(output.stdout).ok().filter(|_| output.success)?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let Some(commit) = ask(&["rev-parse", "--verify", "--quiet", "HEAD"]).await else { return Checkout::default() };
    let tag = ask(&["describe", "--tags", "--exact-match", "HEAD"]).await;
    let name = match tag {
        Some(tag) => Some(tag),
        None => ask(&["symbolic-ref", "--short", "--quiet", "HEAD"]).await,
    };
    Checkout {
        remote: ask(&["remote", "get-url", "origin"]).await,
        time: ask(&["show", "--no-patch", "--format=%cI", "HEAD"]).await,
        commit: Some(commit),
        name,
    }
}
