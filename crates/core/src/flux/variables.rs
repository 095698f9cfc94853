//! `${variable}` as Flux reads it after a build (`fluxcd/pkg/envsubst`, `postBuild` of a Kustomization).

use crate::text::head;

/// The label or annotation that keeps an object from being substituted, when its value is `disabled`.
pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Expressions inside each other; more is meant to harm.
const MAX_DEPTH: usize = 32;

/// A variable in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable<'a> {
    /// Its name.
    pub name: &'a str,
    /// It may be undefined.
    pub has_default: bool,
}

/// Why Flux would refuse a text: the build of everything beside it fails, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken<'a> {
    /// The text from the expression on.
    pub at: &'a str,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Broken<'_> {
    /// The expression, as far as it helps to find it.
    pub fn expression(&self) -> &str {
        let line = self.at.lines().next().unwrap_or_default();
        head(line.split_inclusive('}').next().unwrap_or_default(), 30)
    }
}

/// The variables of a text, those inside of others too; `$${…}` is none.
pub fn variables(text: &str) -> Result<Vec<Variable<'_>>, Broken<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (_, here) = rest.split_at(at);
        if let Some(inside) = here.strip_prefix("${") {
            rest = expression(inside, 0, &mut found).map_err(|why| Broken { at: here, why })?;
        } else {
            // Of two, the first is the escape of the second.
            rest = here.strip_prefix("$$").or_else(|| here.strip_prefix('$')).unwrap_or_default();
        }
    }
    Ok(found)
}

/// Whether a name can be defined (`varsubRegex`).
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_') && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

type Rest<'a> = Result<&'a str, &'static str>;

const NO_END: &str = "it has no end: '}'";
const NO_NAME: &str = "a name of letters, digits and '_' is expected after '${'";
const NO_WORD: &str = "something is expected before '}'";
const NOT_KNOWN: &str = "after the name only '}' or an operator such as ':=' can stand";
const NO_SLASH: &str = "a replacement is written ${name/pattern/text}";
const TOO_DEEP: &str = "expressions nest too deep";

/// An expression, from behind its `${`; what is left after it.
fn expression<'a>(text: &'a str, depth: usize, found: &mut Vec<Variable<'a>>) -> Rest<'a> {
    if depth > MAX_DEPTH {
        return Err(TOO_DEEP);
    }
    let (is_length, text) = text.strip_prefix('#').map_or((false, text), |rest| (true, rest));
    let (name, rest) = text.split_at(text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len()));
    if name.is_empty() {
        return Err(NO_NAME);
    }
    let plain = Variable { name, has_default: false };
    if is_length {
        found.push(plain);
        return close(rest);
    }
    for operator in [":=", ":-", ":?", ":+", "="] {
        if let Some(mut rest) = rest.strip_prefix(operator) {
            found.push(Variable { name, has_default: true });
            while !rest.starts_with('}') {
                rest = word(rest, &['}'], depth, found)?;
            }
            return close(rest);
        }
    }
    found.push(plain);
    let first = rest.chars().next().unwrap_or_default();
    match first {
        ':' => {
            let rest = word(rest.strip_prefix(':').unwrap_or_default(), &[':', '}'], depth, found)?;
            match rest.strip_prefix(':') {
                Some(length) => close(word(length.trim_start_matches(':'), &['}'], depth, found)?),
                None => close(rest),
            }
        }
        '/' => {
            let rest = rest.strip_prefix('/').unwrap_or_default();
            let rest = rest.strip_prefix(['/', '#', '%']).unwrap_or(rest);
            let rest = escaped(rest, '/', depth, found)?;
            let rest = Some(rest.trim_start_matches('/')).filter(|after| after.len() < rest.len()).ok_or(NO_SLASH)?;
            if rest.starts_with('}') { close(rest) } else { close(escaped(rest, '}', depth, found)?) }
        }
        '#' | '%' => close(word(behind(rest, &[first]), &['}'], depth, found)?),
        ',' | '^' => close(behind(rest, &[',', '^'])),
        '}' => close(rest),
        _ if rest.is_empty() => Err(NO_END),
        _ => Err(NOT_KNOWN),
    }
}

/// Behind an operator of one sign or two.
fn behind<'a>(text: &'a str, signs: &[char]) -> &'a str {
    let text = text.strip_prefix(signs).unwrap_or(text);
    text.strip_prefix(signs).unwrap_or(text)
}

fn close(text: &str) -> Rest<'_> {
    text.strip_prefix('}').ok_or(if text.contains('}') { NOT_KNOWN } else { NO_END })
}

/// A parameter: an expression, or a text up to a sign.
fn word<'a>(text: &'a str, ends: &[char], depth: usize, found: &mut Vec<Variable<'a>>) -> Rest<'a> {
    if let Some(inside) = text.strip_prefix("${") {
        return expression(inside, depth + 1, found);
    }
    let stops = [text.find(ends), text.find("${")].into_iter().flatten().min();
    match stops {
        _ if text.is_empty() => Err(NO_END),
        Some(0) => Err(NO_WORD),
        Some(at) => Ok(text.get(at..).unwrap_or_default()),
        None => Ok(""),
    }
}

/// A parameter of a replacement, in which `\/`, `\\` and `$$` are escapes.
fn escaped<'a>(text: &'a str, end: char, depth: usize, found: &mut Vec<Variable<'a>>) -> Rest<'a> {
    if let Some(inside) = text.strip_prefix("${") {
        return expression(inside, depth + 1, found);
    }
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("${") {
            break;
        }
        let escape = ["\\/", "\\\\", "$$"].into_iter().find_map(|escape| rest.strip_prefix(escape));
        if escape.is_none() && c == end {
            break;
        }
        rest = escape.or_else(|| rest.get(c.len_utf8()..)).unwrap_or_default();
    }
    if rest.len() == text.len() { Err(if text.is_empty() { NO_END } else { NO_WORD }) } else { Ok(rest) }
}

#[cfg(test)]
mod tests {
    use super::{Variable, is_name, variables};

    #[test]
    fn what_is_a_variable() {
        let plain = |name| Variable { name, has_default: false };
        let with_default = |name| Variable { name, has_default: true };
        let text = "a ${region} ${b:=c} ${d:-e} ${f=g} $${h} $i $$$${k} $$${l} 5$ {}";
        assert_eq!(
            variables(text).unwrap(),
            [plain("region"), with_default("b"), with_default("d"), with_default("f"), plain("l")]
        );
        // What stands in a default is read, whether it is needed or not.
        assert_eq!(variables("${a:=x${b}-${c:=}}y").unwrap(), [with_default("a"), plain("b"), with_default("c")]);
        assert_eq!(variables("äö${é}").unwrap(), [plain("é")]);
        assert!(is_name("_a1") && !is_name("1a") && !is_name("a-b") && !is_name(""));
    }

    /// The operators of envsubst's own tests, and what its parser refuses (each tried with it).
    #[test]
    fn expressions_as_envsubst_takes_them() {
        let all = |texts: &'static str| texts.split('|').map(str::trim);
        let fine = r"${#v} | ${v^} | ${v^^} | ${v,} | ${v,,} | ${v^,} | ${v:11} | ${v:11:5} | ${v:${w}} | ${v:1:${w}} |
             ${v=} | ${v:?e} | ${v:+e} | ${v/%abc/X} | ${v/#abc/X} | ${v//a/b} | ${v/a/} | ${v/\/a/b} |
             ${v/a}b/c} | ${v#*.} | ${v##*/} | ${v%.*} | ${v%%.*} | ${v=${w^^}} | $${ | $ | $$ | { | } | a$b";
        for text in all(fine) {
            assert!(variables(text).is_ok(), "{text}: {:?}", variables(text));
        }
        let broken = r"${} | ${ | ${v | ${a-b.c!} | ${ v} | ${v } | ${v-} | ${.Values} | ${v:} | ${v::} | ${v:1:} | ${v#} |
             ${v%} | ${v/a} | ${v/a/b | ${v//} | ${v^^^} | ${#v:1} | ${#} | ${v:=a | ${v:=${w} | ${v!} |
             ${v#a${w}} | $$${";
        for text in all(broken).chain(["a\n${v\n}"]) {
            assert!(variables(text).is_err(), "{text}");
        }
        assert_eq!(variables("a ${b} ${c d}").unwrap_err().at, "${c d}");
        assert!(variables(&"${a:=".repeat(100_000)).is_err());
    }
}
