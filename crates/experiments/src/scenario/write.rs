//! Writes a checked scenario back: as TOML with the meaning of each key beside it, or as JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use swarmlab_sim::Latency;

use super::client::CLIENT;
use super::definition::{Key, Kind, NEVER};
use super::keys::SCENARIO;
use super::record::{Plain, Record};
use crate::units::{exact_frequency, exact_rate, exact_size, exact_time};

/// The whole scenario, in the order of the definitions, whatever the order of the file.
pub(super) fn toml(record: &Record) -> String {
    let mut text = String::new();
    lines(&mut text, record, SCENARIO);
    for key in SCENARIO {
        match (record.get(key.name), key.kind) {
            (Some(Plain::Table(table)), Kind::Table(keys)) => {
                section(&mut text, &format!("[{}]", key.name), table, keys)
            }
            (Some(Plain::Table(table)), _) => section(&mut text, &format!("[{}]", key.name), table, CLIENT),
            (Some(Plain::Tables(tables)), Kind::Tables { keys, .. }) => {
                for table in tables {
                    section(&mut text, &format!("[[{}]]", key.name), table, keys);
                    if let Some(client) = table.find_table("client") {
                        section(&mut text, &format!("[{}.client]", key.name), client, CLIENT);
                    }
                }
            }
            (Some(Plain::Tables(tables)), Kind::VariantTables { common, variants, .. }) => {
                for table in tables {
                    let kind = table.word("kind");
                    let keys = variants
                        .iter()
                        .filter(|variant| variant.name == kind)
                        .flat_map(|variant| variant.keys);
                    let keys: Vec<Key> = common.iter().chain(keys).copied().collect();
                    let header = format!("[[{}]]\nkind = {}", key.name, quoted(kind));
                    section(&mut text, &header, table, &keys);
                }
            }
            (Some(Plain::Expectations(list)), _) => {
                text.push_str("\n[expect]\n");
                for expectation in list {
                    let _ = writeln!(text, "{} = {}", quoted(&expectation.path), quoted(&expectation.wanted));
                }
            }
            _ => {}
        }
    }
    text
}

fn section(text: &mut String, header: &str, record: &Record, keys: &[Key]) {
    let _ = writeln!(text, "\n{header}");
    lines(text, record, keys);
}

/// A line for each of these keys; those of a table of their own are left to it.
fn lines(text: &mut String, record: &Record, keys: &[Key]) {
    for key in keys {
        let apart = matches!(key.kind, Kind::Client)
            || matches!(record.get(key.name), Some(Plain::Tables(_) | Plain::Expectations(_)))
            || matches!(key.kind, Kind::Table(_)) && SCENARIO.iter().any(|section| section.name == key.name);
        if let Some(plain) = record.get(key.name).filter(|_| !apart) {
            let _ = writeln!(text, "{} = {}", key.name, inline(plain));
        }
    }
}

/// `[client]` with the meaning of each key.
pub(super) fn client_toml(record: &Record) -> String {
    let mut text = "[client]\n".to_owned();
    for key in CLIENT {
        if let Some(plain) = record.get(key.name) {
            let _ = writeln!(text, "# {}", key.about);
            if let Kind::Choice(words) = key.kind {
                for word in words {
                    let _ = writeln!(text, "#   {:<15} {}", word.name, word.about);
                }
            }
            let _ = writeln!(text, "{} = {}", key.name, inline(plain));
        }
    }
    text
}

fn inline(plain: &Plain) -> String {
    match plain {
        Plain::Text(text) => quoted(text),
        Plain::Word(word) => quoted(word),
        Plain::Auto => quoted("auto"),
        Plain::Flag(flag) => flag.to_string(),
        Plain::Count(count) => count.to_string(),
        Plain::Number(billionths) => decimal(*billionths),
        Plain::Size(bytes) => quoted(&exact_size(*bytes)),
        Plain::Rate(rate) => quoted(&exact_rate(*rate)),
        Plain::Time(time) => quoted(&time_text(*time)),
        Plain::Frequency(frequency) => quoted(&exact_frequency(*frequency)),
        Plain::Pair(one, other) => format!("[{}, {}]", quoted(one), quoted(other)),
        Plain::Variant(name, record) if record.fields.is_empty() => quoted(name),
        Plain::Variant(name, record) => {
            let kind = std::iter::once(format!("kind = {}", quoted(name)));
            let keys = record.fields.iter().map(|field| format!("{} = {}", field.key, inline(&field.plain)));
            format!("{{ {} }}", kind.chain(keys).collect::<Vec<_>>().join(", "))
        }
        Plain::Table(record) => {
            let keys = record.fields.iter().map(|field| format!("{} = {}", field.key, inline(&field.plain)));
            format!("{{ {} }}", keys.collect::<Vec<_>>().join(", "))
        }
        Plain::Latency(Latency::Constant(time), _) => quoted(&exact_time(*time)),
        Plain::Latency(Latency::Uniform(least, most), _) => {
            format!("{{ uniform = [{}, {}] }}", quoted(&exact_time(*least)), quoted(&exact_time(*most)))
        }
        Plain::Latency(Latency::Regions(table), names) => {
            let list = |texts: Vec<String>| format!("[{}]", texts.join(", "));
            let row = |row: &Vec<_>| list(row.iter().map(|time| quoted(&exact_time(*time))).collect());
            let names = list(names.iter().map(|name| quoted(name)).collect());
            format!("{{ regions = {names}, table = {} }}", list(table.iter().map(row).collect()))
        }
        Plain::Tables(_) | Plain::Expectations(_) => unreachable!("sections stand by themselves"),
    }
}

fn time_text(time: Duration) -> String {
    if time == NEVER { "never".to_owned() } else { exact_time(time) }
}

/// Billionths as a decimal number: `0.25`, `12`.
fn decimal(billionths: u64) -> String {
    let (whole, rest) = (billionths / 1_000_000_000, billionths % 1_000_000_000);
    let text = format!("{whole}.{rest:09}");
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

/// A text as a basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A record as JSON: quantities as texts with units, the rest as it is.
pub(super) fn json(record: &Record) -> Json {
    let fields = record.fields.iter().map(|field| (field.key.to_owned(), value(&field.plain)));
    Json::Object(fields.collect())
}

fn value(plain: &Plain) -> Json {
    let text = |text: String| Json::String(text);
    match plain {
        Plain::Text(plain) => text(plain.clone()),
        Plain::Word(word) => text((*word).to_owned()),
        Plain::Auto => text("auto".to_owned()),
        Plain::Flag(flag) => Json::Bool(*flag),
        Plain::Count(count) => Json::from(*count),
        Plain::Number(billionths) => decimal(*billionths).parse().map_or(Json::Null, Json::Number),
        Plain::Size(bytes) => text(exact_size(*bytes)),
        Plain::Rate(rate) => text(exact_rate(*rate)),
        Plain::Time(time) => text(time_text(*time)),
        Plain::Frequency(frequency) => text(exact_frequency(*frequency)),
        Plain::Pair(one, other) => Json::from(vec![one.clone(), other.clone()]),
        Plain::Table(record) => json(record),
        Plain::Tables(records) => Json::Array(records.iter().map(json).collect()),
        Plain::Variant(name, record) if record.fields.is_empty() => text((*name).to_owned()),
        Plain::Variant(name, record) => {
            let mut object = Map::new();
            object.insert("kind".to_owned(), text((*name).to_owned()));
            if let Json::Object(fields) = json(record) {
                object.extend(fields);
            }
            Json::Object(object)
        }
        Plain::Expectations(list) => {
            let pairs = list.iter().map(|one| (one.path.clone(), text(one.wanted.clone())));
            Json::Object(pairs.collect())
        }
        Plain::Latency(latency, names) => of_latency(latency, names),
    }
}

fn of_latency(latency: &Latency, names: &[String]) -> Json {
    match latency {
        Latency::Constant(time) => Json::String(exact_time(*time)),
        Latency::Uniform(least, most) => {
            serde_json::json!({ "uniform": [exact_time(*least), exact_time(*most)] })
        }
        Latency::Regions(table) => {
            let rows = table.iter().map(|row| row.iter().map(|time| exact_time(*time)).collect::<Vec<_>>());
            serde_json::json!({ "regions": names, "table": rows.collect::<Vec<_>>() })
        }
    }
}

/// The meaning of a key with its default, for other programs.
pub(super) fn meaning(key: &Key) -> String {
    match key.need {
        super::definition::Need::Default(value) if !value.is_empty() => {
            format!("{} Default: {value}.", key.about)
        }
        _ => key.about.to_owned(),
    }
}
