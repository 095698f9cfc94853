//! The machine contract: the documents that `-o json` and `-o yaml` print.
//!
//! In: reports and results. Out: types with `Serialize`, whose field names are a promise.
//! Uses: actions, observed, assess, finding, problem, publish, settings.
//! Never: used by anything but renderers; working code has its own types.
//! Start at [`status`].

pub mod diff;
pub mod doctor;
pub mod push;
pub mod reconcile;
pub mod settings;
pub mod status;
pub mod tags;
pub mod verify;

/// The `apiVersion` of every document.
pub const API_VERSION: &str = "runway.gitlab.com/v1alpha1";

/// The JSON Schemas of the documents, by the name of their file in `schemas/`.
pub fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    let make = || schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    vec![
        ("status-report", make().into_root_schema_for::<status::StatusReport>()),
        ("diff-report", make().into_root_schema_for::<diff::DiffReport>()),
        ("doctor-report", make().into_root_schema_for::<doctor::DoctorReport>()),
        ("push-result", make().into_root_schema_for::<push::PushResult>()),
        ("settings", make().into_root_schema_for::<settings::Settings>()),
        ("tag-list", make().into_root_schema_for::<tags::TagList>()),
        ("verify-report", make().into_root_schema_for::<verify::VerifyReport>()),
        ("reconcile-result", make().into_root_schema_for::<reconcile::ReconcileResult>()),
    ]
}

/// A condition's status as documents have it: what is none of Kubernetes' three words says nothing.
fn ready(status: &str) -> &str {
    if matches!(status, "True" | "False") { status } else { "Unknown" }
}
