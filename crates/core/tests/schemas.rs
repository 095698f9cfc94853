//! The published JSON Schemas are those of the types: a change of the contract is a change of a file that somebody reviews.
#![expect(clippy::disallowed_methods, reason = "a test reads and writes files and fails by panicking")]

use std::path::Path;

/// `RUNWAY_UPDATE=1 cargo test -p kubectl-runway-core --test schemas` writes them anew.
#[test]
fn the_files_are_what_the_types_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let mut stale = Vec::new();
    for (name, schema) in runway_core::api::schemas() {
        let file = folder.join(format!("{name}.schema.json"));
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("RUNWAY_UPDATE").is_some() {
            std::fs::write(&file, &text).unwrap();
        } else if std::fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            stale.push(file.display().to_string());
        }
    }
    assert!(stale.is_empty(), "set RUNWAY_UPDATE=1 to write them anew: {}", stale.join(", "));
}
