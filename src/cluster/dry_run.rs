//! Whether a server would accept an object: server-side apply with `dryRun=All`, which stores nothing.

use super::connection::Cluster;
use super::fault::Fault;
use super::write::{Address, FIELD_MANAGER};
use runway_core::problem::{Class, Problem};
use serde_json::Value;

impl Cluster {
    /// The server's words when it refuses the object itself; no answer, and no permission to ask, are problems.
    ///
    /// Fields of other managers are taken over in the rehearsal: the parent's controller, which will apply the object, owns
    /// them, and a change of its own fields is no conflict for it.
    pub(crate) async fn dry_run(&self, object: &Value) -> Result<Option<String>, Problem> {
        let unnamed = || Problem::new(Class::Internal, "an object without apiVersion, kind or name cannot be applied");
        let address = Address::of(object).ok_or_else(unnamed)?;
        let query = format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force=true&dryRun=All");
        match self.patch(&address, "application/apply-patch+yaml", &query, object).await {
            Ok(_) => Ok(None),
            Err(fault) if is_refusal(&fault) => Ok(Some(said(fault))),
            Err(fault) => Err(fault.problem(format!("{} could not be asked about {address}", self.name()))),
        }
    }
}

/// Whether it is about the object: its fields, a kind or version that is not served, a namespace that is not there.
fn is_refusal(fault: &Fault) -> bool {
    fault.reason == "NotInstalled" || matches!(fault.code, Some(400 | 404 | 409 | 422))
}

/// The message; single causes repeat it in more detail, so the message stands for them.
fn said(fault: Fault) -> String {
    if fault.message.is_empty() { fault.causes.join("; ") } else { fault.message }
}
