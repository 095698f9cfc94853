//! Text to nodes: one pass over the parser's events, with budgets.

use super::node::{Kind, Node};
use crate::finding::{Finding, Severity};
use crate::problem::Place;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::collections::HashMap;

/// Bounds for a text from outside.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of source.
    pub bytes: usize,
    /// Nodes, those that aliases repeat included.
    pub nodes: usize,
    /// How deep collections may nest.
    pub depth: usize,
    /// Nodes that aliases may add.
    pub alias_nodes: usize,
    /// Documents.
    pub documents: usize,
}

impl Default for Limits {
    /// Room for 100,000 workloads or an inventory of as many; an alias bomb ends after 10,000 copied nodes.
    fn default() -> Self {
        Self { bytes: 256 << 20, nodes: 20_000_000, depth: 64, alias_nodes: 10_000, documents: 1_000_000 }
    }
}

/// All documents of `source`, empty ones left out, and what is wrong with it.
///
/// A syntax error ends the reading; duplicate keys and the like are all found. A text with findings of severity error
/// must not be used further.
pub fn documents(file: &str, source: &str, limits: Limits) -> (Vec<Node>, Vec<Finding>) {
    let mut documents = Vec::new();
    let findings = each(file, source, limits, &mut |document| documents.push(document));
    usable(documents, findings)
}

/// A budget that ran out says that the text is hostile, and a document too many that it is another kind of text: nothing of it is
/// used.
fn usable(mut documents: Vec<Node>, findings: Vec<Finding>) -> (Vec<Node>, Vec<Finding>) {
    if findings.iter().any(|finding| matches!(finding.code, "yaml-budget" | "second-document")) {
        documents.clear();
    }
    (documents, findings)
}

/// Hands on every document as soon as it ends, so that only one of them is in memory; otherwise as [`documents`].
///
/// What was handed on counts only when no finding of severity error comes back.
pub fn each(file: &str, source: &str, limits: Limits, take: &mut dyn FnMut(Node)) -> Vec<Finding> {
    read(file, source, limits, &mut Takers { document: take, item: None })
}

/// Hands on every item of the first document, when that is a list, as soon as it ends; otherwise as [`documents`], where this list is
/// empty then. A list with an anchor of its own is left whole.
///
/// What was handed on counts only when a document comes back: else the list did not end, or nothing of the text is used.
pub fn items(file: &str, source: &str, limits: Limits, item: &mut dyn FnMut(Node)) -> (Vec<Node>, Vec<Finding>) {
    let mut documents = Vec::new();
    let document = &mut |document| documents.push(document);
    let findings = read(file, source, limits, &mut Takers { document, item: Some(item) });
    usable(documents, findings)
}

/// Who gets what was read.
struct Takers<'t> {
    document: &'t mut dyn FnMut(Node),
    item: Option<&'t mut dyn FnMut(Node)>,
}

fn read(file: &str, source: &str, limits: Limits, takers: &mut Takers<'_>) -> Vec<Finding> {
    let mut reader =
        Reader { file, limits, findings: Vec::new(), anchors: HashMap::new(), nodes: 0, copied: 0, skipped: 0, merges: false };
    if source.len() > limits.bytes {
        let message = format!("the text has {} bytes; the limit is {}", source.len(), limits.bytes);
        reader.findings.push(Finding {
            code: "yaml-budget",
            severity: Severity::Error,
            place: Place::file(file),
            span: (0, 0),
            workload: None,
            message,
            hint: None,
        });
        return reader.findings;
    }
    // A byte order mark is legal at the start of a YAML stream, and nowhere in Kubernetes' objects. Spans count from the
    // start of the file, with the mark.
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    reader.skipped = source.len() - text.len();
    reader.stream(text, takers);
    reader.findings
}

/// A collection that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<Node>,
    /// The keys of a large mapping, with their line; of a small one they are looked for where they are.
    seen: HashMap<String, usize>,
}

struct Reader<'a> {
    file: &'a str,
    limits: Limits,
    findings: Vec<Finding>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    copied: usize,
    /// Bytes before the text that the parser sees.
    skipped: usize,
    /// A merge key was seen.
    merges: bool,
}

impl Reader<'_> {
    fn stream(&mut self, source: &str, takers: &mut Takers<'_>) {
        let mut parser = Parser::new_from_str(source);
        let mut documents = 0;
        let mut stack: Vec<Open> = Vec::new();
        let mut root: Option<Node> = None;
        let mut begin = (Place::file(self.file), (0, 0));
        loop {
            let (event, span) = match parser.next_event() {
                None => break,
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    self.syntax(&error, source);
                    break;
                }
            };
            let done = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let tagged_text = tag.as_ref().is_some_and(|tag| tag.core_suffix() == Some("str"));
                    let plain = style == ScalarStyle::Plain && !tagged_text;
                    let node = self.node(span, Kind::Scalar { text: text.into_owned(), plain });
                    Some((node, anchor))
                }
                Event::SequenceStart(_, anchor, _) => {
                    let node = self.node(span, Kind::List(Vec::new()));
                    stack.push(Open { node, anchor, key: None, seen: HashMap::new() });
                    None
                }
                Event::MappingStart(_, anchor, _) => {
                    let node = self.node(span, Kind::Map(Vec::new()));
                    stack.push(Open { node, anchor, key: None, seen: HashMap::new() });
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => stack.pop().map(|open| (open.node, open.anchor)),
                Event::Alias(id) => self.alias(id, span).map(|node| (node, 0)),
                Event::DocumentStart(..) => {
                    root = None;
                    begin = (self.at(span), self.bytes(span));
                    self.anchors.clear();
                    None
                }
                Event::DocumentEnd => {
                    let is_any = root.as_ref().is_some_and(|node| !node.is_null());
                    if is_any && documents == self.limits.documents {
                        return self.too_many(begin);
                    }
                    if self.hand_on(root.take(), takers.document) {
                        documents += 1;
                        takers.item = None;
                    }
                    None
                }
                _ => None,
            };
            if let Some(fault) = self.over_budget(stack.len()) {
                return self.push("yaml-budget", self.at(span), self.bytes(span), fault, None);
            }
            if let Some((node, anchor)) = done {
                self.done(node, anchor, &mut stack, &mut root, takers);
            }
        }
    }

    /// Keeps a finished node for its aliases, and puts it where it belongs.
    fn done(&mut self, mut node: Node, anchor: usize, stack: &mut [Open], root: &mut Option<Node>, takers: &mut Takers<'_>) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size(&node)));
        }
        match (stack, &mut takers.item) {
            ([], _) => *root = Some(node),
            ([open], Some(take)) if open.anchor == 0 && matches!(open.node.kind, Kind::List(_)) => {
                self.expand(&mut node);
                take(node);
            }
            ([.., open], _) => self.place(open, node),
        }
    }

    fn expand(&mut self, node: &mut Node) {
        if self.merges {
            super::merge::expand(node, &mut |key, value| self.merge_fault(key, value));
        }
    }

    /// Hands a document on, with its merge keys expanded; the answer is whether there was one.
    fn hand_on(&mut self, document: Option<Node>, take: &mut dyn FnMut(Node)) -> bool {
        let Some(mut document) = document.filter(|node| !node.is_null()) else { return false };
        self.expand(&mut document);
        take(document);
        true
    }

    fn syntax(&mut self, error: &ScanError, source: &str) {
        let marker = error.marker();
        // A tab in the indentation is reported as a fault of the scalar before it.
        if let Some((line, column, at)) = tab(source, marker.line()).or_else(|| tab(source, marker.line() + 1)) {
            let message = "a tab in the indentation; YAML allows only spaces there".to_owned();
            self.push("yaml-syntax", Place::at(self.file, line, column), (at + self.skipped, 1), message, None);
            return;
        }
        let at = marker.byte_offset().unwrap_or(source.len());
        let place = Place::at(self.file, marker.line().max(1), marker.col() + 1);
        let length = source.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        // The parser looks ahead, and has a limit of its own against texts that only nest.
        let (code, message) = if error.info().contains("recursion limit") {
            ("yaml-budget", format!("it nests deeper than {} levels", self.limits.depth))
        } else {
            ("yaml-syntax", error.info().clone())
        };
        self.push(code, place, (at + self.skipped, length), message, None);
    }

    fn too_many(&mut self, (place, bytes): (Place, (usize, usize))) {
        if self.limits.documents > 1 {
            let message = format!("it has more than {} documents", self.limits.documents);
            return self.push("yaml-budget", place, bytes, message, None);
        }
        let hint = "put all into one document: only the first would be read".to_owned();
        self.push("second-document", place, bytes, "a second document begins here".to_owned(), Some(hint));
    }

    fn at(&self, span: Span) -> Place {
        Place::at(self.file, span.start.line().max(1), span.start.col() + 1)
    }

    fn node(&mut self, span: Span, kind: Kind) -> Node {
        self.nodes += 1;
        Node { line: span.start.line().max(1), column: span.start.col() + 1, span: self.bytes(span), kind }
    }

    /// Offset and length in the file.
    fn bytes(&self, span: Span) -> (usize, usize) {
        let start = span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().unwrap_or(start);
        (start + self.skipped, end.saturating_sub(start))
    }

    fn alias(&mut self, id: usize, span: Span) -> Option<Node> {
        let Some((node, size)) = self.anchors.get(&id) else {
            // What the parser knows and is not read to its end yet. Something has to stand there, or a key would take the
            // next key for its value.
            let hint = "write the value out".to_owned();
            let (place, bytes) = (self.at(span), self.bytes(span));
            self.push("alias-loop", place, bytes, "an alias stands inside its own anchor".to_owned(), Some(hint));
            return Some(self.node(span, Kind::Scalar { text: "~".to_owned(), plain: true }));
        };
        // Counted before the copy is made: a bomb must not cost memory first.
        self.copied = self.copied.saturating_add(*size);
        self.nodes = self.nodes.saturating_add(*size);
        if self.copied > self.limits.alias_nodes {
            return None;
        }
        let mut copy = node.clone();
        // The place where it is used is what a user looks at.
        (copy.line, copy.column) = (span.start.line().max(1), span.start.col() + 1);
        copy.span = self.bytes(span);
        Some(copy)
    }

    fn over_budget(&self, depth: usize) -> Option<String> {
        let limits = self.limits;
        if self.copied > limits.alias_nodes {
            return Some(format!("its aliases repeat more than {} nodes", limits.alias_nodes));
        }
        if depth > limits.depth {
            return Some(format!("it nests deeper than {} levels", limits.depth));
        }
        (self.nodes > limits.nodes).then(|| format!("it has more than {} nodes", limits.nodes))
    }

    /// Puts a finished node into the collection that is open.
    fn place(&mut self, open: &mut Open, node: Node) {
        match &mut open.node.kind {
            Kind::List(items) => items.push(node),
            Kind::Map(pairs) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => {
                    let Some(name) = key.text() else {
                        let place = Place::at(self.file, key.line, key.column);
                        let message = format!("a key is {}; only texts can be keys", key.describe());
                        self.push("yaml-key", place, key.span, message, None);
                        return;
                    };
                    if let Some(first) = first_line(pairs, &mut open.seen, name) {
                        let place = Place::at(self.file, key.line, key.column);
                        let message = format!("the key '{name}' stands twice in one mapping, first in line {first}");
                        let hint = "remove one of the two: YAML readers disagree about which one counts".to_owned();
                        self.push("duplicate-key", place, key.span, message, Some(hint));
                        return;
                    }
                    self.merges |= super::merge::is_merge(&key);
                    pairs.push((key, node));
                }
            },
            Kind::Scalar { .. } => {}
        }
    }

    fn merge_fault(&mut self, key: &Node, value: &Node) {
        let message = format!("'<<' takes over a mapping or a list of mappings, found {}", value.describe());
        let hint = "quote it when it is meant as a key: \"<<\"".to_owned();
        self.push("merge-key", Place::at(self.file, key.line, key.column), key.span, message, Some(hint));
    }

    fn push(&mut self, code: &'static str, place: Place, span: (usize, usize), message: String, hint: Option<String>) {
        self.findings.push(Finding { code, severity: Severity::Error, place, span, workload: None, message, hint });
    }
}

/// The line in which a mapping has a key already. A table for each of many small mappings would take longer than their keys.
fn first_line(pairs: &[(Node, Node)], seen: &mut HashMap<String, usize>, name: &str) -> Option<usize> {
    const SMALL: usize = 16;
    if pairs.len() < SMALL {
        return pairs.iter().find(|(key, _)| key.text() == Some(name)).map(|(key, _)| key.line);
    }
    // Those that came in since the last look: all of them the first time, then one.
    for (key, _) in pairs.iter().skip(seen.len()) {
        seen.insert(key.text().unwrap_or_default().to_owned(), key.line);
    }
    seen.get(name).copied()
}

/// Nodes in a tree, itself included.
fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar { .. } => 1,
        Kind::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Map(pairs) => 1 + pairs.iter().map(|(key, value)| size(key) + size(value)).sum::<usize>(),
    }
}

/// The first tab in the indentation of a line: its line, column and offset.
fn tab(source: &str, line: usize) -> Option<(usize, usize, usize)> {
    let mut lines = source.split_inclusive('\n');
    let before: usize = lines.by_ref().take(line.checked_sub(1)?).map(str::len).sum();
    let indentation = lines.next()?.chars().take_while(|c| matches!(c, ' ' | '\t'));
    let at = indentation.into_iter().position(|c| c == '\t')?;
    Some((line, at + 1, before + at))
}

#[cfg(test)]
mod tests {
    use super::{Limits, documents};

    fn codes(source: &str) -> Vec<(&'static str, String)> {
        documents("f.yml", source, Limits::default()).1.into_iter().map(|f| (f.code, f.place.to_string())).collect()
    }

    #[test]
    fn reads_documents_with_places() {
        let (docs, findings) = documents("f", "a: 1\n---\n- x\n- y: no\n---\n# nothing\n", Limits::default());
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(docs.len(), 2);
        let y = docs[1].items()[1].get("y").unwrap();
        assert_eq!((y.line, y.column, y.text()), (4, 6, Some("no")));
    }

    #[test]
    fn a_duplicate_key_is_found_in_a_mapping_of_any_size() {
        for size in 1..40 {
            for again in 0..size {
                let keys: Vec<String> = (0..size).map(|n| format!("k{n}: 1")).collect();
                let text = format!("{}\nk{again}: 2\nk{again}: 3\nz: 1\n", keys.join("\n"));
                let found = documents("f.yml", &text, Limits::default()).1;
                let said: Vec<String> = found.iter().map(|finding| finding.message.clone()).collect();
                let expected = format!("the key 'k{again}' stands twice in one mapping, first in line {}", again + 1);
                assert_eq!(said, [expected.clone(), expected]);
            }
        }
    }

    #[test]
    fn duplicate_keys_are_all_found() {
        let found = codes("a: 1\nb: 2\na: 3\na: 4\n");
        assert_eq!(found, [("duplicate-key", "f.yml:3:1".to_owned()), ("duplicate-key", "f.yml:4:1".to_owned())]);
    }

    #[test]
    fn syntax_errors_have_a_place() {
        assert_eq!(codes("a: [1, 2\nb: 3\n")[0].0, "yaml-syntax");
        let source = "\u{feff}a: 0\nb:\n  x: 1\n\tc: 1\n";
        let (_, findings) = documents("f", source, Limits::default());
        assert!(findings[0].message.contains("tab"), "{findings:?}");
        assert_eq!(findings[0].place.to_string(), "f:4:1");
        assert_eq!(source.get(findings[0].span.0..).and_then(|rest| rest.chars().next()), Some('\t'));
    }

    #[test]
    fn an_alias_in_its_own_anchor_is_said_and_shifts_nothing() {
        let (docs, findings) = documents("f.yml", "- &a {x: 1, m: [foo, *a], y: *a, z: 2}\n", Limits::default());
        let found: Vec<_> = findings.iter().map(|f| (f.code, f.place.to_string(), f.message.as_str())).collect();
        let said = "an alias stands inside its own anchor";
        assert_eq!(found, [("alias-loop", "f.yml:1:22".to_owned(), said), ("alias-loop", "f.yml:1:30".to_owned(), said)]);
        assert_eq!(docs[0].items()[0].get("z").and_then(|z| z.text()), Some("2"));
        assert_eq!(docs[0].items()[0].get("m").map(|m| m.items().len()), Some(2));
    }

    #[test]
    fn a_second_document_is_told_where_it_begins() {
        let one = Limits { documents: 1, ..Limits::default() };
        let found = |source: &str| {
            let (docs, findings) = documents("f.yml", source, one);
            (docs.len(), findings.iter().map(|f| format!("{} {} {}", f.place, f.code, f.message)).collect::<Vec<_>>())
        };
        let said = "f.yml:2:1 second-document a second document begins here".to_owned();
        assert_eq!(found("- a\n---\n- b\n---\n- c\n"), (0, vec![said]));
        // Markers around one document are fine.
        assert_eq!(found("---\n- a\n---\n# nothing\n...\n"), (1, vec![]));
        let (_, findings) = documents("f.yml", "a\n---\nb\n---\nc\n", Limits { documents: 2, ..Limits::default() });
        assert_eq!((findings[0].code, findings[0].place.to_string().as_str()), ("yaml-budget", "f.yml:4:1"));
    }

    #[test]
    fn bombs_end_early() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..10 {
            let refs = vec![format!("*a{}", n - 1); 9].join(",");
            bomb.push_str(&format!("a{n}: &a{n} [{refs}]\n"));
        }
        assert_eq!(codes(&bomb)[0].0, "yaml-budget");
        let (_, findings) = documents("f.yml", &"[".repeat(100_000), Limits::default());
        assert_eq!(findings[0].code, "yaml-budget", "{findings:?}");
        let source = format!("- x\n- {}{}\n", "[".repeat(70), "]".repeat(70));
        let (_, findings) = documents("f.yml", &source, Limits::default());
        let (at, length) = findings[0].span;
        assert_eq!((findings[0].place.to_string().as_str(), source.get(at..at + length)), ("f.yml:2:66", Some("[")));
    }

    #[test]
    fn merge_keys_become_what_they_take_over() {
        let source = "d: &d {a: 1, b: 2}\nx:\n  <<: *d\n  b: 3\ny: {<<: [{c: 1}, {c: 2, d: 3}]}\nz: {\"<<\": 1}\n";
        let (docs, findings) = documents("f", source, Limits::default());
        assert!(findings.is_empty(), "{findings:?}");
        let value = super::super::value::to_json(&docs[0]);
        assert_eq!(value["x"], serde_json::json!({"b": 3, "a": 1}));
        assert_eq!(value["y"], serde_json::json!({"c": 1, "d": 3}));
        assert_eq!(codes("a:\n  <<: 5\n"), [("merge-key", "f.yml:2:3".to_owned())]);
    }

    #[test]
    fn spans_count_the_byte_order_mark() {
        let source = "\u{feff}- ab\n";
        let (docs, _) = documents("f", source, Limits::default());
        let (at, len) = docs[0].items()[0].span;
        assert_eq!(source.get(at..at + len), Some("ab"));
    }

    #[test]
    fn aliases_are_copied() {
        let (docs, findings) = documents("f", "a: &x {k: v}\nb: *x\n", Limits::default());
        assert!(findings.is_empty());
        assert_eq!(docs[0].get("b").and_then(|b| b.get("k")).and_then(|k| k.text()), Some("v"));
    }
}
