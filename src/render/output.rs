//! `-o FORMAT[=PATH]`, and documents as JSON and YAML.

use runway_core::problem::{Class, Place, Problem};
use runway_core::text::json_escaped;
use runway_core::yaml::emit;
use serde::Serialize;
use std::borrow::Cow;
use std::path::PathBuf;

/// One `-o`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// The format's name.
    pub(crate) format: String,
    /// The file, when it does not go to stdout.
    pub(crate) path: Option<PathBuf>,
}

impl Output {
    /// Reads `FORMAT[=PATH]`; the formats that a command has are given.
    pub(crate) fn parse(text: &str, formats: &[&str]) -> Result<Self, Problem> {
        let (format, path) = match text.split_once('=') {
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        if !formats.contains(&format) {
            let mut problem = Problem::usage(format!("this command has no output format '{format}'"))
                .cause(format!("it has {}", formats.join(", ")));
            if let Some(word) = runway_core::suggest::nearest(format, formats.iter().copied()) {
                problem = problem.hint(format!("did you mean {word}?"));
            }
            return Err(problem);
        }
        if path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return Err(Problem::usage(format!("-o {format}= names no file")));
        }
        Ok(Self { format: format.to_owned(), path })
    }

    /// Reads all `-o` of a command line; without any, one of the default format, which stands first.
    pub(crate) fn parse_all(texts: &[String], formats: &[&str]) -> Result<Vec<Self>, Problem> {
        if texts.is_empty() {
            let default = formats.first().copied().unwrap_or_default().to_owned();
            return Ok(vec![Self { format: default, path: None }]);
        }
        let outputs: Vec<Self> = texts.iter().map(|text| Self::parse(text, formats)).collect::<Result<_, _>>()?;
        if outputs.iter().filter(|output| output.path.is_none()).count() > 1 {
            return Err(Problem::usage("two output formats cannot both go to standard output")
                .hint("give all but one a file: -o FORMAT=PATH"));
        }
        let mut files = std::collections::BTreeSet::new();
        if let Some(twice) = outputs.iter().filter_map(|output| output.path.as_ref()).find(|path| !files.insert(*path)) {
            return Err(
                Problem::usage("two output formats cannot both go to one file").at(Place::file(twice.display().to_string()))
            );
        }
        Ok(outputs)
    }
}

/// A document as JSON, indented by two.
pub(crate) fn json(document: &impl Serialize) -> Result<String, Problem> {
    let text = serde_json::to_string_pretty(document).map_err(|error| internal(&error))?;
    let mut text = json_escaped(&text).into_owned();
    text.push('\n');
    Ok(text)
}

/// A document as YAML, in which nothing is for a terminal to obey either.
pub(crate) fn yaml(document: &impl Serialize) -> Result<String, Problem> {
    let text = emit::document(&serde_json::to_value(document).map_err(|error| internal(&error))?)?;
    if matches!(json_escaped(&text), Cow::Borrowed(_)) {
        return Ok(text);
    }
    text.split_inclusive('\n').map(escaped_line).collect()
}

/// A line of YAML whose text has characters to be escaped, which only double quotes can do. The emitter folds nothing: a text is
/// one line.
fn escaped_line(line: &str) -> Result<String, Problem> {
    let Cow::Owned(escaped) = json_escaped(line) else { return Ok(line.to_owned()) };
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    let bare = text.trim_start().trim_start_matches("- ");
    let key = bare.split_once(": ").filter(|(key, _)| key.chars().all(|c| c.is_ascii_alphanumeric()));
    let value = key.map_or(bare, |(_, value)| value);
    if value.starts_with('"') {
        // Its escapes are JSON's.
        return Ok(escaped);
    }
    let plain = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).map(|value| value.replace("''", "'"));
    let quoted = serde_json::to_string(plain.as_deref().unwrap_or(value)).map_err(|error| internal(&error))?;
    let head = text.get(..text.len() - value.len()).unwrap_or_default();
    Ok(format!("{head}{}{end}", json_escaped(&quoted)))
}

fn internal(error: &serde_json::Error) -> Problem {
    Problem::new(Class::Internal, "the document cannot be written").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::Output;

    #[test]
    fn yaml_is_the_same_value_without_anything_to_obey() {
        let nasty = ["\u{9b}31m", "it's \u{202e}", "\u{1b}[2J\u{202e}", "a: \u{202e} # b", "plain", "- \u{200b}"];
        let value = serde_json::json!({"a": nasty[0], "items": nasty, "b": {"c": nasty[1]}});
        let text = super::yaml(&value).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !(c.is_control() || matches!(c, '\u{202e}' | '\u{200b}'))), "{text:?}");
        let (documents, findings) = runway_core::yaml::documents("x", &text, runway_core::yaml::Limits::default());
        assert!(findings.is_empty(), "{findings:?}: {text}");
        assert_eq!(documents.iter().map(runway_core::yaml::value::to_json).collect::<Vec<_>>(), [value], "{text}");
    }

    #[test]
    fn formats_and_paths() {
        let parse =
            |texts: &[&str]| Output::parse_all(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>(), &["table", "json"]);
        assert_eq!(parse(&[]).unwrap()[0].format, "table");
        assert_eq!(parse(&["table", "json=a=b.json"]).unwrap()[1].path.as_deref().and_then(|p| p.to_str()), Some("a=b.json"));
        assert!(parse(&["table", "json"]).is_err());
        assert!(parse(&["json=a", "table=a"]).is_err() && parse(&["json=a", "table=b"]).is_ok());
        assert!(parse(&["jsn"]).unwrap_err().hints[0].contains("json"));
        assert!(parse(&["json="]).is_err());
    }
}
