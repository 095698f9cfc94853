//! Files that source-controller leaves out when it stores an artifact.
//!
//! Source of the rules: `fluxcd/pkg` sourceignore 0.18 (`gitignore/pattern.go`, a copy of go-git's) and artifact 0.18 (`storage/archive.go`):
//! the patterns of every `.sourceignore`, then those of the source's `spec.ignore`, the last that matches decides; where there is
//! none at all, the defaults; those of version control always. They are almost git's: a folder that is left out does not take
//! along what a later pattern takes back, and `/**` matches nothing.

use super::Tree;
use crate::text::fits;
use std::iter::Peekable;
use std::str::Chars;

/// Its name.
pub const FILE: &str = ".sourceignore";
/// `ExcludeVCS`.
const VERSION_CONTROL: &str = ".git/\n.gitignore\n.gitmodules\n.gitattributes\n";
/// `ExcludeExt`, `ExcludeCI` and `ExcludeExtra`.
const DEFAULTS: &str = "*.jpg\n*.jpeg\n*.gif\n*.png\n*.wmv\n*.flv\n*.tar.gz\n*.zip\n.github/\n.circleci/\n.travis.yml\n.gitlab-ci.yml\nappveyor.yml\n\
                        .drone.yml\ncloudbuild.yaml\ncodeship-services.yml\ncodeship-steps.yml\n**/.goreleaser.yml\n**/.sops.yaml\n**/.flux.yaml\n";

/// The patterns that count for a tree.
#[derive(Debug)]
pub struct Ignore {
    patterns: Vec<Pattern>,
    /// The tree or its source has patterns of its own.
    pub is_own: bool,
}

impl Ignore {
    /// The patterns of a tree: those of its `.sourceignore` files and of its source's `spec.ignore`, or the defaults.
    pub fn of(tree: &Tree, spec_ignore: &str) -> Self {
        let files = tree.files().filter_map(|(path, content)| Some((folder(&path)?, content)));
        let mut files: Vec<(Vec<String>, &[u8])> = files.collect();
        // A folder's own come before those of the folders in it, and these in the order of their names.
        files.sort();
        let mut own: Vec<Pattern> =
            files.iter().flat_map(|(folder, content)| Pattern::all(&String::from_utf8_lossy(content), folder)).collect();
        own.extend(Pattern::all(spec_ignore, &[]));
        let is_own = !own.is_empty();
        let mut patterns = Pattern::all(VERSION_CONTROL, &[]);
        patterns.extend(if is_own { own } else { Pattern::all(DEFAULTS, &[]) });
        Self { patterns, is_own }
    }

    /// Whether a file is left out.
    pub fn drops(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        self.patterns.iter().rev().find(|pattern| pattern.matches(&parts)).is_some_and(|pattern| !pattern.takes_back)
    }
}

/// The folder that a `.sourceignore` is for; none of other files, and of those that are not looked for.
fn folder(path: &str) -> Option<Vec<String>> {
    let mut parts: Vec<&str> = path.split('/').collect();
    (parts.pop() == Some(FILE) && !parts.contains(&".git")).then(|| parts.into_iter().map(str::to_owned).collect())
}

/// One line.
#[derive(Debug)]
struct Pattern {
    /// Where it counts.
    folder: Vec<String>,
    what: What,
    /// It takes back what an earlier one left out.
    takes_back: bool,
    /// It is about folders alone.
    folders: bool,
}

#[derive(Debug)]
enum What {
    /// A name at any depth.
    Name(Glob),
    /// A path from the pattern's folder.
    Path(Vec<Part>),
    /// Go's `filepath.Match` knows no such pattern.
    Nothing,
}

#[derive(Debug)]
enum Part {
    /// Before, between or after slashes.
    Empty,
    /// `**`: any folders.
    Folders,
    /// One name.
    Name(Glob),
}

impl Pattern {
    fn all(text: &str, folder: &[String]) -> Vec<Self> {
        let lines = text.lines().map(|line| line.strip_suffix('\r').unwrap_or(line));
        lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty()).map(|line| Self::parse(line, folder)).collect()
    }

    fn parse(line: &str, folder: &[String]) -> Self {
        let (takes_back, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let line = if line.ends_with("\\ ") { line } else { line.trim_end_matches(' ') };
        let (folders, line) = line.strip_suffix('/').map_or((false, line), |rest| (true, rest));
        let what = if line.contains('/') {
            let part = |part: &str| match part {
                "" => Some(Part::Empty),
                "**" => Some(Part::Folders),
                part if part.contains("**") => None,
                part => Glob::parse(part).map(Part::Name),
            };
            line.split('/').map(part).collect::<Option<_>>().map(What::Path)
        } else {
            Glob::parse(line).map(What::Name)
        };
        Self { folder: folder.to_vec(), what: what.unwrap_or(What::Nothing), takes_back, folders }
    }

    /// Whether it matches a file, by the parts of its path.
    fn matches(&self, path: &[&str]) -> bool {
        let Some((above, path)) = path.split_at_checked(self.folder.len()) else { return false };
        if !above.iter().eq(&self.folder) {
            return false;
        }
        match &self.what {
            // The last part is the file's name, and no folder.
            What::Name(glob) => {
                path.iter().position(|name| glob.matches(name)).is_some_and(|at| !self.folders || at + 1 < path.len())
            }
            What::Path(parts) => rest(parts, path).is_some_and(|rest| !self.folders || !rest.is_empty()),
            What::Nothing => false,
        }
    }
}

/// What of a path is left behind the parts of a pattern that match its beginning: `globMatch`.
fn rest<'a, 'b>(pattern: &[Part], mut path: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let mut matched = false;
    let mut anywhere = false;
    for (at, part) in pattern.iter().enumerate() {
        let glob = match part {
            Part::Empty => {
                anywhere = false;
                continue;
            }
            Part::Folders if at + 1 == pattern.len() => break,
            Part::Folders => {
                anywhere = true;
                continue;
            }
            Part::Name(glob) => glob,
        };
        let found = path.iter().position(|name| glob.matches(name));
        match found {
            Some(at) if at == 0 || anywhere => {
                path = path.get(at + 1..).unwrap_or_default();
                matched = true;
            }
            // One that was not found below `**` spoils only what is before it.
            None if anywhere && !path.is_empty() => {
                path = &[];
                matched = false;
            }
            _ => return None,
        }
        anywhere = false;
    }
    matched.then_some(path)
}

/// A pattern for one name, in the language of Go's `filepath.Match`.
#[derive(Debug)]
struct Glob(Vec<Sign>);

#[derive(Debug)]
enum Sign {
    /// `*`
    Run,
    /// `?`
    Any,
    One(char),
    /// `[a-z]`, `[^a-z]`: ranges, both ends included.
    Class(bool, Vec<(char, char)>),
}

/// One end of a range in a class.
fn end(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    }
}

impl Glob {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.chars().peekable();
        let mut signs = Vec::new();
        while let Some(c) = rest.next() {
            signs.push(match c {
                '*' => Sign::Run,
                '?' => Sign::Any,
                '\\' => Sign::One(rest.next()?),
                '[' => {
                    let negated = rest.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    while ranges.is_empty() || rest.next_if_eq(&']').is_none() {
                        let low = end(&mut rest)?;
                        let high = if rest.next_if_eq(&'-').is_some() { end(&mut rest)? } else { low };
                        ranges.push((low, high));
                    }
                    Sign::Class(negated, ranges)
                }
                c => Sign::One(c),
            });
        }
        Some(Self(signs))
    }

    fn matches(&self, name: &str) -> bool {
        fits(&self.0, name, |sign| matches!(sign, Sign::Run), Sign::stands_for)
    }
}

impl Sign {
    fn stands_for(&self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => *one == c,
            Self::Class(negated, ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated,
            Self::Run => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ignore;
    use crate::artifact::Tree;

    const FILES: [&str; 6] =
        ["manifests.yaml", "sub/x.yaml", "sub/deep/x.yaml", "sub/manifests.yaml", ".git/x.yaml", "cloudbuild.yaml"];

    fn dropped(own: &[(&str, &str)], spec: &str) -> String {
        let mut tree = Tree::new();
        for (path, text) in own {
            tree.insert(path, text.as_bytes().into()).unwrap();
        }
        let ignore = Ignore::of(&tree, spec);
        FILES.iter().map(|path| if ignore.drops(path) { 'x' } else { '-' }).collect()
    }

    /// What `sourceignore` 0.18 itself says of the same rules and files (`x`: dropped), recorded from its `ReadPatterns` and `NewMatcher`.
    #[rustfmt::skip]
    const RECORDED: &[(&str, &str)] = &[
        ("", "----xx"),
        ("# nothing\n\n", "----xx"),
        ("*.yaml", "xxxxxx"),
        ("*.y*ml\n", "xxxxxx"),
        ("/manifests.yaml", "x---x-"),
        ("**/manifests.yaml", "x--xx-"),
        ("*", "xxxxxx"),
        ("/*", "xxxxxx"),
        ("/**", "----x-"),
        ("**", "xxxxxx"),
        ("**/*", "xxxxxx"),
        ("/**/manifests.yaml", "x--xx-"),
        ("/**/x.yaml", "-xx-x-"),
        ("/*\n!manifests.yaml", "-xx-xx"),
        ("/*\n!sub", "x---xx"),
        ("/*\n!/sub/", "x---xx"),
        ("*.yaml\n!manifests.yaml", "-xx-xx"),
        ("manifests.yaml/", "----x-"),
        ("sub/", "-xxxx-"),
        ("sub/\n!sub/x.yaml", "--xxx-"),
        ("/sub", "-xxxx-"),
        ("sub", "-xxxx-"),
        ("sub/x.yaml", "-x--x-"),
        ("sub/*", "-xxxx-"),
        ("sub/**", "-xxxx-"),
        ("sub/*/x.yaml", "--x-x-"),
        ("sub/**/x.yaml", "-xx-x-"),
        ("/sub/**\n!/sub/deep/", "-x-xx-"),
        ("deep/", "--x-x-"),
        ("sub/deep/", "--x-x-"),
        ("**/deep", "--x-x-"),
        ("/**/*", "xxxxxx"),
        ("./manifests.yaml", "----x-"),
        ("**/**", "----x-"),
        ("sub**", "-xxxx-"),
        ("sub**/x.yaml", "----x-"),
        ("manifests.yaml/**", "x---x-"),
        (" manifests.yaml", "----x-"),
        ("manifests.yaml ", "x--xx-"),
        ("manifests.yaml\t", "----x-"),
        ("\\manifests.yaml", "x--xx-"),
        ("\\!x", "----x-"),
        ("[m]anifests.yaml", "x--xx-"),
        ("[^m]*.yaml", "-xx-xx"),
        ("[a-m]*.yaml", "x--xxx"),
        ("[^a-m]*.yaml", "-xx-x-"),
        ("[m", "----x-"),
        ("[]m]*", "----x-"),
        ("[m-]*", "----x-"),
        ("[\\m]*", "x--xx-"),
        ("[a-", "----x-"),
        ("*[m", "----x-"),
        ("x.yaml[", "----x-"),
        ("manifest?.yaml", "x--xx-"),
        ("?", "----x-"),
        ("*\n!/**", "xxxxxx"),
        ("*\n!**", "------"),
        ("/", "----x-"),
        ("!", "----x-"),
        ("**/", "-xxxx-"),
        ("//", "----x-"),
        ("sub//x.yaml", "-x--x-"),
        ("x.yaml\r", "-xx-x-"),
        ("s*/x.yaml", "-x--x-"),
        ("s?b/x.yaml", "-x--x-"),
        ("**/s[tuv]b/**/x.yaml", "-xx-x-"),
        ("*\\", "----x-"),
    ];

    #[test]
    fn as_flux_itself_decides() {
        for (rules, expected) in RECORDED {
            assert_eq!(dropped(&[], rules), *expected, "spec.ignore {rules:?}");
            assert_eq!(dropped(&[(".sourceignore", rules)], ""), *expected, ".sourceignore {rules:?}");
        }
    }

    #[test]
    fn each_folder_has_its_own_and_the_source_has_the_last_word() {
        for (own, spec, expected) in [
            (vec![("sub/.sourceignore", "x.yaml")], "", "-xx-x-"),
            (vec![("sub/.sourceignore", "/x.yaml")], "", "-x--x-"),
            (vec![("sub/.sourceignore", "!x.yaml"), (".sourceignore", "*.yaml")], "", "x--xxx"),
            (vec![("sub/deep/.sourceignore", "!*"), ("sub/.sourceignore", "*")], "", "-x-xx-"),
            (vec![(".sourceignore", "*.yaml")], "!manifests.yaml", "-xx-xx"),
            (vec![(".git/.sourceignore", "!x.yaml")], "", "----xx"),
            (vec![("x.sourceignore", "*")], "", "----xx"),
        ] {
            assert_eq!(dropped(&own, spec), expected, "{own:?} {spec:?}");
        }
    }
}
