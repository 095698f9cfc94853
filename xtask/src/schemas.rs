//! `cargo xtask schemas`: what is generated from the key tables, and what is taken over from Flux's own modules.
//!
//! `schemas` writes `schemas/workloads.schema.json`; a test in core compares it with what it would write now.
//! `schemas flux` takes the CRDs out of Flux's Go modules and reduces them to what an object is checked against; needs Go and
//! unzip, and is run by hand when a Flux release is added.

use crate::folders;
use runway_core::flux::crds;
use runway_core::workloads::schema;
use runway_core::yaml::{self, value::to_json};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Where a CRD is taken from.
#[derive(Clone, Copy)]
enum Taken {
    /// `config/crd/bases` of the controller's module.
    Module(&'static str),
    /// The types in its `api` module, by the generator that Flux uses, where the proxy does not serve the controller's own.
    /// For 1.7.3, of which both are served, the two are the same bytes.
    Types(&'static str),
}
use Taken::{Module, Types};

/// A release of Flux and the versions of its two controllers.
const RELEASES: [(&str, Taken, Taken); 5] = [
    ("2.6", Types("v1.6.2"), Types("v1.6.1")),
    ("2.7", Module("v1.7.3"), Module("v1.7.3")),
    ("2.8", Module("v1.8.5"), Types("v1.8.5")),
    ("2.9", Module("v1.9.6"), Module("v1.9.6")),
    ("2.10", Module("v1.10.1"), Module("v1.10.1")),
];

/// The generator of `make manifests` in Flux's controllers, as 1.7 and later have it.
const GENERATOR: &str = "sigs.k8s.io/controller-tools/cmd/controller-gen@v0.19.0";

/// The CRD's file in a controller's module, and the kind in lower case.
const CRDS: [(&str, &str, &str); 2] = [
    ("source-controller", "source.toolkit.fluxcd.io_ocirepositories.yaml", "ocirepository"),
    ("kustomize-controller", "kustomize.toolkit.fluxcd.io_kustomizations.yaml", "kustomization"),
];

/// Writes what is generated from tables.
pub(crate) fn generated() -> Result<(), String> {
    folders::generate(&folders::workspace().join("schemas/workloads.schema.json"), &schema::text())
}

/// Takes over the CRDs.
pub(crate) fn flux() -> Result<(), String> {
    for (release, source, kustomize) in RELEASES {
        for ((module, file, kind), from) in CRDS.into_iter().zip([source, kustomize]) {
            let keep_words = release == crds::NEWEST;
            let text = match from {
                Module(version) => shipped(module, version, file)?,
                Types(version) => generate(module, version, file)?,
            };
            for (api, schema) in reduced(&text, keep_words)? {
                let path = folders::workspace().join(format!("crates/core/schemas/{release}/{kind}-{api}.json"));
                let text = serde_json::to_string_pretty(&schema).map_err(|error| error.to_string())?;
                folders::generate(&path, &(text + "\n"))?;
            }
        }
    }
    Ok(())
}

/// The text of a CRD in a controller's Go module.
///
/// It comes from the zip in the module cache: `go mod download` checks it and puts it there, and then refuses to unpack a
/// module that asks for a newer Go.
fn shipped(module: &str, version: &str, file: &str) -> Result<String, String> {
    let module = format!("github.com/fluxcd/{module}");
    let download = format!("{module}@{version}");
    // Its exit code says whether the module could be unpacked, which is not asked for; the zip is looked at below.
    drop(run("go", &["mod", "download", "-json", &download]));
    let cache = run("go", &["env", "GOMODCACHE"])?;
    let zip = format!("{}/cache/download/{module}/@v/{version}.zip", cache.trim());
    run("unzip", &["-p", &zip, &format!("{download}/config/crd/bases/{file}")])
}

/// The text of a CRD, made of the types in the controller's `api` module.
fn generate(module: &str, version: &str, file: &str) -> Result<String, String> {
    let answer = run("go", &["mod", "download", "-json", &format!("github.com/fluxcd/{module}/api@{version}")])?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
    let types = answer.get("Dir").and_then(Value::as_str).ok_or("the module cannot be had")?;
    let folder = folders::target().join("schemas").join(format!("{module}-{version}"));
    let out = folder.join("crds");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    let path = |path: &Path| path.to_str().map(str::to_owned).ok_or("a path that is no UTF-8");
    fs::create_dir_all(folder.parent().unwrap_or(&folder)).map_err(|error| error.to_string())?;
    // The module cache is not to be written to, and the generator asks for a module around it.
    run("cp", &["-r", "--no-preserve=mode", types, &path(&folder)?])?;
    run("go", &["-C", &path(&folder)?, "run", GENERATOR, "crd", "paths=./...", &format!("output:crd:dir={}", path(&out)?)])?;
    fs::read_to_string(out.join(file)).map_err(|error| format!("{}: {error}", out.join(file).display()))
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
