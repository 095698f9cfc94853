//! `cargo xtask schemas`: what is generated from the key tables, and what is taken over from Flux's own modules.
//!
//! `schemas` writes `schemas/workloads.schema.json`; a test in core compares it with what it would write now.
//! `schemas flux` takes the CRDs out of Flux's Go modules and reduces them to what an object is checked against; needs Go and
//! unzip, and is run by hand when a Flux release is added.

use runway_core::flux::crds;
use runway_core::workloads::schema;
use runway_core::yaml::{self, value::to_json};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

/// A release of Flux and the versions of its two controllers.
const RELEASES: [(&str, &str, &str); 4] = [
    ("2.7", "v1.7.3", "v1.7.3"),
    // kustomize-controller v1.8 is served by no proxy that we reach; `flux::crds` falls back to 2.7's Kustomization.
    ("2.8", "v1.8.5", ""),
    ("2.9", "v1.9.6", "v1.9.6"),
    ("2.10", "v1.10.1", "v1.10.1"),
];

/// The CRD's file in a controller's module, and the kind in lower case.
const CRDS: [(&str, &str, &str); 2] = [
    ("source-controller", "source.toolkit.fluxcd.io_ocirepositories.yaml", "ocirepository"),
    ("kustomize-controller", "kustomize.toolkit.fluxcd.io_kustomizations.yaml", "kustomization"),
];

/// Writes what is generated from tables.
pub(crate) fn generated() -> ExitCode {
    ended(write(&root().join("schemas/workloads.schema.json"), &schema::text()))
}

/// Takes over the CRDs.
pub(crate) fn flux() -> ExitCode {
    ended(take_over())
}

fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn take_over() -> Result<(), String> {
    for (release, source, kustomize) in RELEASES {
        for ((module, file, kind), version) in CRDS.into_iter().zip([source, kustomize]) {
            if version.is_empty() {
                continue;
            }
            let keep_words = release == crds::NEWEST;
            for (api, schema) in reduced(&crd(module, version, file)?, keep_words)? {
                let path = root().join(format!("crates/core/schemas/{release}/{kind}-{api}.json"));
                let text = serde_json::to_string_pretty(&schema).map_err(|error| error.to_string())?;
                write(&path, &(text + "\n"))?;
            }
        }
    }
    Ok(())
}

/// The text of a CRD in a controller's Go module.
///
/// It comes from the zip in the module cache: `go mod download` checks it and puts it there, and then refuses to unpack a
/// module that asks for a newer Go.
fn crd(module: &str, version: &str, file: &str) -> Result<String, String> {
    let module = format!("github.com/fluxcd/{module}");
    let download = format!("{module}@{version}");
    // Its exit code says whether the module could be unpacked, which is not asked for; the zip is looked at below.
    drop(run("go", &["mod", "download", "-json", &download]));
    let cache = run("go", &["env", "GOMODCACHE"])?;
    let zip = format!("{}/cache/download/{module}/@v/{version}.zip", cache.trim());
    run("unzip", &["-p", &zip, &format!("{download}/config/crd/bases/{file}")])
}

fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .env("GOFLAGS", "-mod=mod")
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{program}: {error}"))
}

/// The schemas of all versions that a CRD serves, without status and, unless they are kept, without descriptions.
fn reduced(text: &str, keep_words: bool) -> Result<Vec<(String, Value)>, String> {
    let (documents, findings) = yaml::documents("crd", text, yaml::Limits::default());
    if let Some(finding) = findings.first() {
        return Err(format!("{}: {}", finding.place, finding.message));
    }
    let crd = documents.first().map(to_json).unwrap_or_default();
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array).cloned().unwrap_or_default();
    let served = versions.into_iter().filter(|version| version.get("served") == Some(&Value::Bool(true)));
    let schemas = served.map(|mut version| {
        let name = version.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut schema = version.pointer_mut("/schema/openAPIV3Schema").map(Value::take).unwrap_or_default();
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.remove("status");
        }
        if !keep_words {
            without_words(&mut schema, false);
        }
        (name, schema)
    });
    Ok(schemas.collect())
}

/// Takes descriptions away; below `properties` the keys are names of fields, and one may be called `description`.
fn without_words(value: &mut Value, names: bool) {
    match value {
        Value::Object(map) => {
            if !names {
                map.shift_remove("description");
            }
            for (key, value) in map {
                without_words(value, key == "properties" && !names);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| without_words(item, false)),
        _ => {}
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let at = |error: std::io::Error| format!("{}: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(at)?;
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        println!("unchanged {}", path.display());
        return Ok(());
    }
    fs::write(path, text).map_err(at)?;
    println!("wrote {}", path.display());
    Ok(())
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
