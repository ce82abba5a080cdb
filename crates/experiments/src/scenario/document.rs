//! The text of a scenario as a tree that remembers where everything stands. Numbers stay texts, so that nothing is
//! rounded before it is known what they count.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Findings, Place};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub place: Place,
    pub value: Value,
}

/// A value of TOML.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    /// An integer or a float as it was written, without underscores.
    Number(String),
    Flag(bool),
    List(Vec<Node>),
    Table(Table),
    /// A date or a time of day: nothing of a scenario is one.
    Date,
}

/// A table: its entries in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table(pub Vec<Entry>);

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

impl Table {
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }
}

impl Value {
    /// What it is, with its article.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Number(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Date => "a date",
        }
    }
}

/// Reads TOML. Everything the TOML reader objects to is found at once.
pub(crate) fn read(text: &str, source: usize, findings: &mut Findings) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        // The usual slip: a quantity without quotes.
        let quotes = message
            .contains("must be quoted")
            .then(|| "texts and quantities are quoted: \"5 ms\"".to_owned());
        findings.add(
            Place { source, start: span.start, end: span.end },
            format!("not TOML: {message}"),
            quotes,
        );
    }
    let place = Place { source, start: 0, end: 0 };
    Node { place, value: Value::Table(table_of(table.into_inner(), source)) }
}

/// Reads one value as TOML has it, `offset` bytes into its source; `None` if it is none.
pub(crate) fn read_value(text: &str, source: usize, offset: usize) -> Option<Node> {
    // The parser for values takes what it can from the front, a document must be understood as a whole.
    const KEY: &str = "v=";
    let line = format!("{KEY}{text}");
    let mut table = DeTable::parse(&line).ok()?.into_inner();
    if table.len() != 1 || text.contains(['\n', '\r']) {
        return None;
    }
    let value = table.remove("v")?;
    let mut node = node_of(value, source);
    shift(&mut node, KEY.len(), offset);
    Some(node)
}

fn shift(node: &mut Node, back: usize, forth: usize) {
    let moved = |place: &mut Place| {
        place.start = (place.start + forth).saturating_sub(back);
        place.end = (place.end + forth).saturating_sub(back);
    };
    moved(&mut node.place);
    match &mut node.value {
        Value::List(nodes) => nodes.iter_mut().for_each(|node| shift(node, back, forth)),
        Value::Table(table) => {
            for entry in &mut table.0 {
                moved(&mut entry.place);
                shift(&mut entry.node, back, forth);
            }
        }
        _ => {}
    }
}

fn table_of(table: DeTable<'_>, source: usize) -> Table {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            let place = Place { source, start: span.start, end: span.end };
            Entry { key: key.into_inner().into_owned(), place, node: node_of(value, source) }
        })
        .collect();
    entries.sort_by_key(|entry| entry.place);
    Table(entries)
}

fn node_of(value: Spanned<DeValue<'_>>, source: usize) -> Node {
    let span = value.span();
    let place = Place { source, start: span.start, end: span.end };
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Value::Number(number.as_str().replace('_', "")),
        DeValue::Integer(number) => Value::Number(radix(number.as_str(), number.radix())),
        DeValue::Float(number) => Value::Number(number.as_str().replace('_', "")),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(values) => {
            Value::List(values.into_iter().map(|value| node_of(value, source)).collect())
        }
        DeValue::Table(table) => Value::Table(table_of(table, source)),
    };
    Node { place, value }
}

/// The decimal digits of `0x..`, `0o..` and `0b..`.
fn radix(digits: &str, radix: u32) -> String {
    u128::from_str_radix(&digits.replace('_', ""), radix)
        .map_or_else(|_| digits.to_owned(), |number| number.to_string())
}
