//! A node of a YAML document with the place where it was written.

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Byte offset and length in the source.
    pub span: (usize, usize),
    /// What it is.
    pub kind: Kind,
}

/// The three kinds of nodes.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text as written, after YAML's own escapes.
    Scalar {
        /// The text.
        text: String,
        /// Written without quotes and without a tag that makes it a string: its type depends on the reader.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file; keys are unique.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The value of a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Key and value, when this is a mapping that has the key.
    pub fn entry(&self, key: &str) -> Option<(&Self, &Self)> {
        self.entries().find(|(name, _)| name.text() == Some(key))
    }

    /// All keys and values; empty when this is no mapping.
    pub fn entries(&self) -> impl Iterator<Item = (&Self, &Self)> {
        let pairs = if let Kind::Map(pairs) = &self.kind { pairs.as_slice() } else { &[] };
        pairs.iter().map(|(key, value)| (key, value))
    }

    /// All items; empty when this is no list.
    pub fn items(&self) -> &[Self] {
        if let Kind::List(items) = &self.kind { items } else { &[] }
    }

    /// The raw text of a scalar.
    pub fn text(&self) -> Option<&str> {
        if let Kind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }

    /// Whether it is `null`, `~` or nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, in words for messages.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { plain: false, .. } => "a text",
            Kind::Scalar { text, .. } => match super::value::plain_type(text) {
                super::value::Plain::Text => "a text",
                super::value::Plain::Null => "nothing",
                super::value::Plain::Bool(_) => "true or false",
                super::value::Plain::Number(_) => "a number",
            },
        }
    }
}
