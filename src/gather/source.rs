//! The one grammar for "where an inventory is": a workloads.yml, a folder, a registry, a layout, a cluster.

use runway_core::flux::reference::Reference;
use runway_core::problem::Problem;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where an inventory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A workloads.yml; `-` is standard input.
    File(PathBuf),
    /// A folder that contains `<environment>/`.
    Folder(PathBuf),
    /// `oci://REPOSITORY[:TAG|@DIGEST]`.
    Registry(Reference),
    /// `layout:DIR[:TAG]`.
    Layout(PathBuf, Option<String>),
    /// `cluster:CONTEXT`.
    Cluster(String),
}

impl Source {
    /// Reads what a user wrote; paths are relative to `start`.
    pub(crate) fn parse(text: &str, start: &Path) -> Result<Self, Problem> {
        if text.is_empty() {
            return Err(Problem::usage("the name of a source is empty")
                .cause("it would be the current folder; a variable in it may not be set")
                .hint("leave it out, or write . for the current folder"));
        }
        if text.starts_with("oci://") {
            return Reference::parse(text).map(Self::Registry);
        }
        if let Some(rest) = text.strip_prefix("layout:") {
            return layout(rest, start).map(|(folder, tag)| Self::Layout(folder, tag));
        }
        if let Some(context) = text.strip_prefix("cluster:") {
            return Ok(Self::Cluster(context.to_owned()));
        }
        if text.contains("://") {
            return Err(Problem::usage(format!("'{text}' is no source of an inventory"))
                .hint("write a file, a folder, oci://REPOSITORY[:TAG], layout:DIR[:TAG] or cluster:CONTEXT"));
        }
        let path = start.join(text);
        Ok(if text != "-" && path.is_dir() {
            Self::Folder(path)
        } else if text == "-" {
            Self::File(PathBuf::from("-"))
        } else {
            Self::File(path)
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => write!(f, "{reference}"),
            Self::Layout(root, None) => write!(f, "layout:{}", root.display()),
            Self::Layout(root, Some(tag)) => write!(f, "layout:{}:{tag}", root.display()),
            Self::Folder(path) | Self::File(path) => write!(f, "{}", path.display()),
            Self::Cluster(context) => write!(f, "cluster:{context}"),
        }
    }
}

/// `DIR[:TAG]`; a folder that exists under the whole text wins.
pub(crate) fn layout(text: &str, start: &Path) -> Result<(PathBuf, Option<String>), Problem> {
    if text.is_empty() {
        return Err(Problem::usage("layout: names no folder").hint("write layout:DIR or layout:DIR:TAG"));
    }
    let whole = start.join(text);
    match text.rsplit_once(':') {
        Some((folder, tag)) if !whole.is_dir() && !folder.is_empty() && !is_drive(folder) => {
            if let Some(why) = runway_core::flux::reference::tag_fault(tag) {
                return Err(Problem::usage(format!("'{tag}' is no tag")).cause(why).hint(format!(
                    "what stands after the last colon is the tag; a folder with a colon in its name has to be there: {text}"
                )));
            }
            Ok((start.join(folder), Some(tag.to_owned())))
        }
        _ => Ok((whole, None)),
    }
}

/// `C:`, which is no folder with a tag.
fn is_drive(folder: &str) -> bool {
    cfg!(windows) && folder.len() == 1 && folder.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::Source;
    use std::path::{Path, PathBuf};

    #[test]
    fn grammar() {
        let start = Path::new("/repo");
        let parse = |text: &str| Source::parse(text, start);
        assert!(matches!(parse("oci://h/a:t"), Ok(Source::Registry(_))));
        assert_eq!(parse("layout:out").unwrap(), Source::Layout(PathBuf::from("/repo/out"), None));
        assert_eq!(parse("layout:out:staging").unwrap(), Source::Layout(PathBuf::from("/repo/out"), Some("staging".into())));
        assert_eq!(parse("cluster:kind-a").unwrap(), Source::Cluster("kind-a".into()));
        assert_eq!(parse("w.yml").unwrap(), Source::File(PathBuf::from("/repo/w.yml")));
        for wrong in ["layout:../lq:bad/tag", "layout:a:", "layout:a:.b", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("http://x").is_err() && parse("layout:").is_err() && parse("oci://x").is_err());
    }
}
