//! Walks an object along its CRD's schema, as the API server does before it stores anything.
//!
//! Flux's schemas use few of the words that there are, so this is a walker and no library. Patterns and rules of the Common Expression
//! Language are code, looked up by their text; a test fails when a shipped schema has one that is not in the table.

use crate::flux::duration::{self, Units};
use crate::suggest;
use serde_json::{Map, Value};

/// A step into a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A key of a mapping.
    Key(&'a str),
    /// A place in a list.
    Index(usize),
}

/// The path as people write it: `spec.dependsOn[0].name`.
pub fn shown(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(name) if text.is_empty() => text.push_str(name),
            Step::Key(name) => text.push_str(&format!(".{name}")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Something that the API server would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault<'a> {
    /// Where in the object; of a field that is missing, where it would stand.
    pub path: Vec<Step<'a>>,
    /// The finding's code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The key is at fault, not its value.
    pub at_key: bool,
    /// A text is expected and something else is there: perhaps only its quotes are missing.
    pub wants_text: bool,
}

/// Faults of one object that are told; more than these help nobody.
const MAX_FAULTS: usize = 100;

/// Everything in `value` that the schema refuses.
pub fn check<'a>(schema: &'a Value, value: &'a Value) -> Vec<Fault<'a>> {
    let mut walker = Walker { path: Vec::new(), faults: Vec::new() };
    walker.value(schema, value);
    walker.faults
}

/// The words of one schema. They are few, so that going through them once is cheaper than looking for each.
#[derive(Default)]
struct Words<'a> {
    kind: Option<&'a str>,
    nullable: bool,
    open: bool,
    int_or_string: bool,
    properties: Option<&'a Map<String, Value>>,
    others: Option<&'a Value>,
    items: Option<&'a Value>,
    required: &'a [Value],
    values: Option<&'a [Value]>,
    pattern: Option<&'static Pattern>,
    rules: &'a [Value],
    /// minLength, minItems or minProperties, and the largest of the same.
    least: Option<usize>,
    most: Option<usize>,
    /// minimum and maximum.
    lowest: Option<f64>,
    highest: Option<f64>,
}

impl<'a> Words<'a> {
    fn of(schema: &'a Value) -> Self {
        let mut words = Self::default();
        let list = |value: &'a Value| value.as_array().map(Vec::as_slice);
        let count = |value: &Value| value.as_u64().map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        for (word, value) in schema.as_object().into_iter().flatten() {
            match word.as_str() {
                "type" => words.kind = value.as_str(),
                "nullable" => words.nullable = value == true,
                "x-kubernetes-preserve-unknown-fields" => words.open = value == true,
                "x-kubernetes-int-or-string" => words.int_or_string = value == true,
                "properties" => words.properties = value.as_object(),
                "additionalProperties" => words.others = Some(value),
                "items" => words.items = Some(value),
                "required" => words.required = list(value).unwrap_or_default(),
                "enum" => words.values = list(value),
                "pattern" => words.pattern = PATTERNS.iter().find(|pattern| *value == pattern.text),
                "x-kubernetes-validations" => words.rules = list(value).unwrap_or_default(),
                "minLength" | "minItems" | "minProperties" => words.least = count(value),
                "maxLength" | "maxItems" | "maxProperties" => words.most = count(value),
                "minimum" => words.lowest = value.as_f64(),
                "maximum" => words.highest = value.as_f64(),
                // Descriptions, defaults (looked at where they count) and formats, which no shipped spec depends on.
                _ => {}
            }
        }
        words
    }
}

struct Walker<'a> {
    path: Vec<Step<'a>>,
    faults: Vec<Fault<'a>>,
}

impl<'a> Walker<'a> {
    fn fault(&mut self, code: &'static str, message: String) -> Option<&mut Fault<'a>> {
        if self.faults.len() >= MAX_FAULTS {
            return None;
        }
        let path = self.path.clone();
        self.faults.push(Fault { path, code, message, hint: None, at_key: false, wants_text: false });
        self.faults.last_mut()
    }

    /// A fault of the value that stands here.
    fn refuse(&mut self, why: &str) {
        let message = format!("{} {why}", shown(&self.path));
        self.fault("object-schema", message);
    }

    fn value(&mut self, schema: &'a Value, value: &'a Value) {
        let words = Words::of(schema);
        if (value.is_null() && words.nullable) || !self.has_type(&words, value) {
            return;
        }
        self.limits(&words, value);
        match value {
            Value::Object(map) => self.map(&words, map),
            Value::Array(items) => {
                if let Some(schema) = words.items {
                    for (index, item) in items.iter().enumerate() {
                        self.at(Step::Index(index), |walker| walker.value(schema, item));
                    }
                }
            }
            _ => {}
        }
        self.rules(words.rules, value);
    }

    fn at(&mut self, step: Step<'a>, walk: impl FnOnce(&mut Self)) {
        self.path.push(step);
        walk(self);
        self.path.pop();
    }

    /// Whether the value has the type that the schema asks for; a fault when not.
    fn has_type(&mut self, words: &Words<'_>, value: &Value) -> bool {
        if words.int_or_string {
            if !(value.is_i64() || value.is_u64() || value.is_string()) {
                self.refuse(&format!("is a whole number or a text, found {}", describe(value)));
            }
            return true;
        }
        let Some(wanted) = words.kind else { return true };
        let ok = match wanted {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            _ => true,
        };
        if ok {
            return true;
        }
        let is_duration = words.pattern.is_some_and(|pattern| pattern.code == "duration");
        let message = format!("{} is {}, found {}", shown(&self.path), named(wanted), describe(value));
        let code = if is_duration { "duration" } else { "object-schema" };
        if let Some(fault) = self.fault(code, message) {
            fault.wants_text = wanted == "string" && !is_duration;
            fault.hint = is_duration.then(|| "write a number with its unit, such as 5m or 30s".to_owned());
        }
        false
    }

    fn limits(&mut self, words: &Words<'_>, value: &Value) {
        if let Some(values) = words.values.filter(|values| !values.contains(value)) {
            self.none_of(values, value);
        }
        match value {
            Value::String(text) => {
                self.bounds(text.chars().count(), words, "characters");
                self.pattern(words.pattern, text);
            }
            Value::Array(items) => self.bounds(items.len(), words, "items"),
            Value::Object(map) => self.bounds(map.len(), words, "keys"),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                if words.lowest.is_some_and(|lowest| number < lowest) || words.highest.is_some_and(|highest| number > highest) {
                    self.refuse("is outside of what is allowed");
                }
            }
            _ => {}
        }
    }

    fn none_of(&mut self, values: &[Value], value: &Value) {
        let known: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        let found = value.as_str().map_or_else(|| describe(value).to_owned(), |text| format!("'{text}'"));
        let message = format!("{} is one of {}, found {found}", shown(&self.path), known.join(", "));
        let near = value.as_str().and_then(|text| suggest::nearest(text, known));
        let hint = near.map(|word| format!("did you mean {word}?"));
        if let Some(fault) = self.fault("object-schema", message) {
            fault.hint = hint;
        }
    }

    fn bounds(&mut self, length: usize, words: &Words<'_>, what: &str) {
        if let Some(least) = words.least.filter(|least| length < *least) {
            self.refuse(&format!("has {length} {what}; at least {least} are needed"));
        }
        if let Some(most) = words.most.filter(|most| length > *most) {
            self.refuse(&format!("has {length} {what}; at most {most} are allowed"));
        }
    }

    fn pattern(&mut self, pattern: Option<&Pattern>, text: &str) {
        let Some(pattern) = pattern else { return };
        if let Some(why) = (pattern.fault)(text) {
            let message = format!("{} '{text}' cannot be used: {why}", shown(&self.path));
            self.fault(pattern.code, message);
        }
    }

    fn map(&mut self, words: &Words<'a>, map: &'a Map<String, Value>) {
        let (properties, others) = (words.properties, words.others);
        // A mapping of which the schema says nothing (metadata is one) is open.
        let is_open = words.open
            || others.is_some_and(|others| others.as_bool() == Some(true))
            || (properties.is_none() && others.is_none());
        for (name, value) in map {
            let known = properties.and_then(|properties| properties.get(name)).or(others.filter(|others| others.is_object()));
            match known {
                Some(schema) => self.at(Step::Key(name), |walker| walker.value(schema, value)),
                None if is_open => {}
                None => self.unknown(name, properties),
            }
        }
        for name in words.required.iter().filter_map(Value::as_str).filter(|name| !map.contains_key(*name)) {
            // The API server fills in defaults before it looks.
            let field = properties.and_then(|properties| properties.get(name));
            if field.is_none_or(|field| field.get("default").is_none()) {
                self.missing(name);
            }
        }
    }

    fn unknown(&mut self, name: &'a str, properties: Option<&Map<String, Value>>) {
        let near = properties.and_then(|properties| suggest::nearest(name, properties.keys().map(String::as_str)));
        let hint = near.map(|word| format!("did you mean {word}?"));
        self.at(Step::Key(name), |walker| {
            let message = format!("there is no field {}", shown(&walker.path));
            if let Some(fault) = walker.fault("unknown-field", message) {
                fault.at_key = true;
                fault.hint = hint;
            }
        });
    }

    fn missing(&mut self, name: &'a str) {
        self.at(Step::Key(name), |walker| {
            let message = format!("{} is required", shown(&walker.path));
            if let Some(fault) = walker.fault("object-schema", message) {
                fault.at_key = true;
            }
        });
    }

    fn rules(&mut self, rules: &[Value], value: &Value) {
        for entry in rules {
            let text = entry.get("rule").and_then(Value::as_str).unwrap_or_default();
            let Some(rule) = RULES.iter().find(|rule| rule.text == text) else { continue };
            if (rule.holds)(value) {
                continue;
            }
            let message = entry.get("message").and_then(Value::as_str).unwrap_or(text).to_owned();
            let path = [self.path.as_slice(), rule.at].concat();
            if let Some(fault) = self.fault("object-schema", message) {
                fault.path = path;
                fault.at_key = !rule.at.is_empty();
            }
        }
    }
}

fn named(wanted: &str) -> &str {
    match wanted {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        other => other,
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// A pattern of the schemas, as code.
pub(super) struct Pattern {
    pub(super) text: &'static str,
    code: &'static str,
    fault: fn(&str) -> Option<&'static str>,
}

/// Every pattern of the shipped schemas.
pub(super) const PATTERNS: &[Pattern] = &[
    Pattern {
        text: r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$",
        code: "duration",
        fault: |text| duration::parse(text, Units::WithHours).err(),
    },
    Pattern {
        text: r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$",
        code: "duration",
        fault: |text| duration::parse(text, Units::WithoutHours).err(),
    },
    Pattern {
        text: "^oci://.*$",
        code: "source-url",
        fault: |text| (!text.starts_with("oci://")).then_some("it does not begin with oci://"),
    },
];

/// A rule of the Common Expression Language, as code.
pub(super) struct Rule {
    pub(super) text: &'static str,
    /// The field that it is about, below where it stands.
    at: &'static [Step<'static>],
    holds: fn(&Value) -> bool,
}

/// Every rule of the shipped schemas.
pub(super) const RULES: &[Rule] = &[
    Rule {
        text: "has(self.configMapRef) || has(self.secretRef)",
        at: &[],
        holds: |value| value.get("configMapRef").is_some() || value.get("secretRef").is_some(),
    },
    Rule {
        text: "!has(self.configMapRef) || !has(self.secretRef)",
        at: &[],
        holds: |value| value.get("configMapRef").is_none() || value.get("secretRef").is_none(),
    },
    Rule {
        text: "has(self.configMapRef) != has(self.secretRef)",
        at: &[],
        holds: |value| value.get("configMapRef").is_some() != value.get("secretRef").is_some(),
    },
    Rule {
        text: "has(self.spec) && has(self.spec.url)",
        at: &[Step::Key("spec"), Step::Key("url")],
        holds: |value| value.pointer("/spec/url").is_some(),
    },
    Rule {
        text: "has(self.spec) && has(self.spec.interval)",
        at: &[Step::Key("spec"), Step::Key("interval")],
        holds: |value| value.pointer("/spec/interval").is_some(),
    },
];

#[cfg(test)]
mod tests;
