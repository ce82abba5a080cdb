//! Checks a table against the definitions of its keys: unknown keys, missing ones, values of the wrong kind, without
//! unit or out of range. What concerns several keys is checked where they are read, in [`super::read`].

use super::client::CLIENT;
use super::definition::{Key, Kind, Need, Variant};
use super::diagnostic::{Findings, Place, alternatives, nearest, quote};
use super::document::{Node, Table, Value};
use super::keys::SCENARIO;
use super::record::{Field, Plain, Record};
use super::{expect, latency, preset, scalar};

/// The whole scenario as a record; `None` if anything is wrong with it.
pub(crate) fn scenario(root: &Node, findings: &mut Findings) -> Option<Record> {
    let record = table(root, root.place, &[SCENARIO], "a scenario", findings);
    if findings.0.is_empty() { record } else { None }
}

/// A table with these keys (in several lists, since some are shared), called `what` in messages.
fn table(node: &Node, named: Place, keys: &[&[Key]], what: &str, findings: &mut Findings) -> Option<Record> {
    let Value::Table(entries) = &node.value else {
        wrong_kind(node, &format!("{what} is a table"), findings);
        return None;
    };
    fields(entries, named, keys, what, findings)
}

fn fields(
    entries: &Table,
    named: Place,
    keys: &[&[Key]],
    what: &str,
    findings: &mut Findings,
) -> Option<Record> {
    let defined = || keys.iter().flat_map(|keys| keys.iter());
    let before = findings.0.len();
    for entry in &entries.0 {
        if !defined().any(|key| key.name == entry.key) {
            unknown_key(
                &entry.key,
                entry.place,
                &defined().map(|key| key.name).collect::<Vec<_>>(),
                what,
                findings,
            );
        }
    }
    let mut record = Record { place: named, fields: Vec::new() };
    for key in defined() {
        match entries.0.iter().find(|entry| entry.key == key.name) {
            Some(entry) => {
                let place = if entry.node.place.start == entry.node.place.end {
                    entry.place
                } else {
                    entry.node.place
                };
                if let Some(plain) = value(&entry.node, entry.place, key, findings) {
                    record.fields.push(Field { key: key.name, place, plain });
                }
            }
            None => absent(key, named, what, &mut record, findings),
        }
    }
    (findings.0.len() == before).then_some(record)
}

fn unknown_key(key: &str, place: Place, known: &[&str], what: &str, findings: &mut Findings) {
    let help = match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => match SCENARIO.iter().find(|section| section_keys(section).any(|name| name == key)) {
            Some(section) => format!(
                "'{key}' is a key of [{}]; here are {}",
                section.name,
                alternatives(known.iter().copied())
            ),
            None if known.is_empty() => format!("{what} has no further keys"),
            None => format!("the keys of {what} are {}", known.join(", ")),
        },
    };
    findings.add(place, format!("unknown key {} in {what}", quote(key)), help);
}

/// The names of the keys of a section at the top.
fn section_keys(section: &Key) -> impl Iterator<Item = &'static str> {
    let keys = match section.kind {
        Kind::Table(keys) | Kind::Tables { keys, .. } => keys,
        Kind::Client => CLIENT,
        _ => &[],
    };
    keys.iter().map(|key| key.name)
}

fn absent(key: &Key, place: Place, what: &str, record: &mut Record, findings: &mut Findings) {
    match key.need {
        Need::Optional => {}
        Need::Required => {
            let help = format!("{}: {}", key.name, key.about);
            findings.add(place, format!("{what} needs the key '{}'", key.name), help);
        }
        Need::Default(text) => {
            let value = match key.kind {
                Kind::Table(_) | Kind::Client => Value::Table(Table::default()),
                Kind::Count { .. } | Kind::Share | Kind::Ratio => Value::Number(text.to_owned()),
                Kind::Flag => Value::Flag(text == "true"),
                _ => Value::Text(text.to_owned()),
            };
            if let Some(plain) = self::value(&Node { place, value }, place, key, findings) {
                record.fields.push(Field { key: key.name, place, plain });
            }
        }
    }
}

fn value(node: &Node, named: Place, key: &Key, findings: &mut Findings) -> Option<Plain> {
    let name = key.name;
    match key.kind {
        Kind::Table(keys) => table(node, named, &[keys], &format!("[{name}]"), findings).map(Plain::Table),
        Kind::Client => table(node, named, &[CLIENT], &format!("[{name}]"), findings).map(Plain::Table),
        Kind::Variants(variants) => variant_of(node, named, &[], variants, name, findings)
            .map(|(name, record)| Plain::Variant(name, record)),
        Kind::Tables { keys, most } => each(node, name, most, findings, |node, findings| {
            table(node, node.place, &[keys], &format!("[[{name}]]"), findings)
        }),
        Kind::VariantTables { common, variants, most } => {
            each(node, name, most, findings, |node, findings| {
                let (kind, mut record) = variant_of(node, node.place, common, variants, name, findings)?;
                record.fields.insert(0, Field { key: "kind", place: node.place, plain: Plain::Word(kind) });
                Some(record)
            })
        }
        Kind::Expectations => expect::read(node, findings).map(Plain::Expectations),
        Kind::Latency => latency::read(node, findings),
        Kind::Preset => scalar::word(node, name, preset::NAMES.iter().copied(), findings).map(Plain::Word),
        Kind::Pair => pair(node, name, findings),
        _ => scalar::read(node, key, findings),
    }
}

fn each(
    node: &Node,
    name: &str,
    most: usize,
    findings: &mut Findings,
    one: impl Fn(&Node, &mut Findings) -> Option<Record>,
) -> Option<Plain> {
    let Value::List(nodes) = &node.value else {
        wrong_kind(node, &format!("'{name}' is a list of tables, each written [[{name}]]"), findings);
        return None;
    };
    if nodes.len() > most {
        let place = nodes[most].place;
        findings.say(place, format!("there are {} of [[{name}]]; at most {most} are taken", nodes.len()));
        return None;
    }
    // Every one is looked at, also behind a wrong one.
    let records: Vec<Option<Record>> = nodes.iter().map(|node| one(node, findings)).collect();
    records.into_iter().collect::<Option<Vec<_>>>().map(Plain::Tables)
}

/// A table whose `kind` says which of the variants it is, or the name of one that needs no keys.
fn variant_of(
    node: &Node,
    named: Place,
    common: &[Key],
    variants: &'static [Variant],
    name: &str,
    findings: &mut Findings,
) -> Option<(&'static str, Record)> {
    let names = || variants.iter().map(|variant| variant.name);
    match &node.value {
        Value::Text(_) if common.is_empty() => {
            let found = scalar::word(node, name, names(), findings)?;
            let variant = variants.iter().find(|variant| variant.name == found)?;
            if !variant.stands_alone() {
                let needed = variant.keys.iter().filter(|key| key.need == Need::Required);
                let needed: Vec<String> = needed.map(|key| format!(", {} = ..", key.name)).collect();
                let help = format!("write {name} = {{ kind = \"{found}\"{} }}", needed.concat());
                findings.add(node.place, format!("{name} '{found}' needs more to be said"), help);
                return None;
            }
            let record = fields(&Table::default(), node.place, &[variant.keys], name, findings)?;
            Some((variant.name, record))
        }
        Value::Table(entries) => {
            let Some(kind) = entries.get("kind") else {
                let help = format!("kinds are {}", alternatives(names()));
                findings.add(named, format!("'{name}' needs the key 'kind'"), help);
                return None;
            };
            let found = scalar::word(kind, "kind", names(), findings)?;
            let variant = variants.iter().find(|variant| variant.name == found)?;
            let rest = Table(entries.0.iter().filter(|entry| entry.key != "kind").cloned().collect());
            let record =
                fields(&rest, named, &[common, variant.keys], &format!("{name} '{found}'"), findings)?;
            Some((variant.name, record))
        }
        _ => {
            wrong_kind(
                node,
                &format!("'{name}' is a table such as {{ kind = \"{}\" }}", variants[0].name),
                findings,
            );
            None
        }
    }
}

fn pair(node: &Node, name: &str, findings: &mut Findings) -> Option<Plain> {
    if let Value::List(nodes) = &node.value
        && let [Node { value: Value::Text(one), .. }, Node { value: Value::Text(other), .. }] =
            nodes.as_slice()
    {
        return Some(Plain::Pair(one.clone(), other.clone()));
    }
    findings.say(node.place, format!("'{name}' is a list of two names of groups, such as [\"a\", \"b\"]"));
    None
}

/// Says what should be here.
pub(super) fn wrong_kind(node: &Node, should: &str, findings: &mut Findings) {
    findings.say(node.place, format!("{should}, not {}", node.value.what()));
}
