//! Single objects of any kind: read, applied, patched. Whatever is written is written as the field manager `runway`.

use super::connection::{Cluster, build, get, segment};
use super::fault::Fault;
use super::stream::Allowance;
use http::{Method, Request, header};
use runway_core::problem::{Class, Problem};
use serde_json::Value;

/// The name under which the API server notes what we write.
pub(super) const FIELD_MANAGER: &str = "runway";

/// Bytes of one answer.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;

/// An object's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `v1` or `group/version`.
    pub(crate) api_version: String,
    /// Kind.
    pub(crate) kind: String,
    /// Namespace; ignored for kinds that have none.
    pub(crate) namespace: Option<String>,
    /// Name.
    pub(crate) name: String,
}

/// Why an object was not changed.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The same may be taken a little later: the server was busy or away, or the object just changed.
    pub(crate) may_pass: bool,
    /// The object is not there.
    pub(crate) absent: bool,
    /// In words.
    pub(crate) problem: Problem,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl Address {
    /// The address that an object carries.
    pub(crate) fn of(object: &Value) -> Option<Self> {
        let text = |pointer: &str| object.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Self {
            api_version: text("/apiVersion")?,
            kind: text("/kind")?,
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name")?,
        })
    }
}

impl Cluster {
    /// What the server has under a path such as `/version`; `None` when it has nothing there.
    #[cfg(test)]
    pub(super) async fn get_raw(&self, path: &str) -> Result<Option<Value>, Problem> {
        self.value(path).await.map_err(|fault| fault.problem(format!("cannot read {path} of {}", self.name())))
    }

    /// Creates an object or takes over its fields, by server-side apply. `force` takes fields from other managers.
    pub(crate) async fn apply(&self, object: &Value, dry_run: bool, force: bool) -> Result<Value, Problem> {
        let unnamed = || Problem::new(Class::Internal, "an object without apiVersion, kind or name cannot be applied");
        let address = Address::of(object).ok_or_else(unnamed)?;
        let mut query = format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict&force={force}");
        if dry_run {
            query.push_str("&dryRun=All");
        }
        self.patch(&address, "application/apply-patch+yaml", &query, object).await.map_err(|fault| {
            let conflict = fault.reason == "Conflict";
            let problem = fault.problem(format!("cannot apply {address} on {}", self.name()));
            if conflict { problem.hint("another field manager owns these fields; only force takes them over") } else { problem }
        })
    }

    /// Changes fields of an object that exists, by a JSON merge patch.
    pub(crate) async fn merge_patch(&self, address: &Address, patch: &Value, dry_run: bool) -> Result<Value, Refusal> {
        let mut query = format!("fieldManager={FIELD_MANAGER}&fieldValidation=Strict");
        if dry_run {
            query.push_str("&dryRun=All");
        }
        let patched = self.patch(address, "application/merge-patch+json", &query, patch).await;
        patched.map_err(|fault| Refusal {
            may_pass: fault.may_pass(),
            absent: fault.reason == "NotFound",
            problem: fault.problem(format!("cannot change {address} on {}", self.name())),
        })
    }

    /// An object; `None` when it does not exist.
    pub(crate) async fn get_object(&self, address: &Address) -> Result<Option<Value>, Problem> {
        let read = async { self.value(&self.path_of(address).await?).await };
        read.await.map_err(|fault| fault.problem(format!("cannot read {address} of {}", self.name())))
    }

    async fn value(&self, path: &str) -> Result<Option<Value>, Fault> {
        match self.ask(get(path)?, &mut Allowance::new(MAX_ANSWER)).await {
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.reason == "NotFound" => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    pub(super) async fn patch(&self, address: &Address, media: &str, query: &str, body: &Value) -> Result<Value, Fault> {
        let path = self.path_of(address).await?;
        let builder = Request::builder().method(Method::PATCH).uri(format!("{path}?{query}")).header(header::CONTENT_TYPE, media);
        let request = build(builder, body.to_string().into_bytes())?;
        let answer = self.ask(request, &mut Allowance::new(MAX_ANSWER)).await;
        answer.map_err(|mut fault| {
            if matches!(fault.reason, "TimedOut" | "ConnectionClosed") {
                fault.message.push_str("; whether it was written is not known");
            }
            fault
        })
    }

    /// Asks the server for the plural of a kind and whether it lives in namespaces.
    async fn path_of(&self, address: &Address) -> Result<String, Fault> {
        let (folder, found) = self.kind(&address.api_version, &address.kind).await?;
        let (plural, name) = (segment(&found.name), segment(&address.name));
        match &address.namespace {
            Some(namespace) if found.namespaced => Ok(format!("{folder}/namespaces/{}/{plural}/{name}", segment(namespace))),
            None if found.namespaced => Err(Fault::new("Refused", format!("{address} needs a namespace"))),
            _ => Ok(format!("{folder}/{plural}/{name}")),
        }
    }
}
