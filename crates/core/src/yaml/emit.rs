//! Values to YAML, byte for byte the same on every machine: these bytes are what the artifact's digest covers.
//!
//! Writing is left to `serde-saphyr` with one option: it would fold texts over 80 characters into block scalars, which
//! breaks every URL. The exact version is pinned, and the table below fails if a later one quotes differently.

use crate::problem::{Class, Problem};
use serde_json::Value;

/// One document, ending with a line break.
pub fn document(value: &Value) -> Result<String, Problem> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| Problem::new(Class::Internal, "an object cannot be written as YAML").caused_by(&error))
}

/// Several documents with `---` between them, none before the first.
pub fn documents<'a>(values: impl IntoIterator<Item = &'a Value>) -> Result<String, Problem> {
    let mut out = String::new();
    for value in values {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        out.push_str(&document(value)?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{document, documents};
    use crate::yaml;
    use serde_json::json;

    #[test]
    fn quoting_table() {
        let text = |s: &str| document(&json!({ "k": s })).unwrap();
        for plain in ["5m0s", "production", "${environment}", "a,b", "a:b", "oci://h:5000/x", "é"] {
            assert_eq!(text(plain), format!("k: {plain}\n"));
        }
        for quoted in [
            "on",
            "no",
            "y",
            "true",
            "null",
            "~",
            "1",
            "010",
            "1e3",
            "0x1",
            "",
            " a",
            "a: b",
            "a #b",
            "#x",
            "*x",
            "&x",
            "{a}",
            "[a]",
            "12:30",
            "2024-01-01",
        ] {
            assert_eq!(text(quoted), format!("k: \"{quoted}\"\n"));
        }
        let long = format!("oci://registry.example.com/{}", "a/".repeat(60));
        assert_eq!(text(&long), format!("k: {long}\n"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let value = json!({"a": [1, {"b": "no"}, []], "c": {}, "d": "x\ny\n", "e": true, "f": null, "g": "- x"});
        let text = documents([&value, &value]).unwrap();
        let (docs, findings) = yaml::documents("f", &text, yaml::Limits::default());
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(docs.iter().map(yaml::value::to_json).collect::<Vec<_>>(), [value.clone(), value]);
    }
}
