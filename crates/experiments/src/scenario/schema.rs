//! The JSON Schema of scenario files (draft 2020-12), made from the definitions the reader uses, for editors and for
//! programs that write scenarios.

use serde_json::{Map, Value as Json, json};

use super::client::CLIENT;
use super::definition::{Key, Kind, Need, Variant};
use super::keys::SCENARIO;
use super::{expect, preset, write};
use crate::units::patterns;

/// The schema of `scenario/1`.
pub fn json_schema() -> Json {
    let mut schema = object(&[SCENARIO], &[]);
    let [size, rate, time, frequency] = patterns();
    let text =
        |pattern: String, about: &str| json!({ "type": "string", "pattern": pattern, "description": about });
    let own = [
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("title", json!("A scenario of swarmlab")),
        (
            "$defs",
            json!({
                "size": { "anyOf": [
                    { "type": "integer", "minimum": 0, "description": "Bytes." },
                    text(size, "A size with its unit."),
                ] },
                "rate": text(rate, "A rate with its unit."),
                "time": text(time, "A time with its unit."),
                "frequency": text(frequency, "Events per time."),
                "name": text("^[A-Za-z_-][A-Za-z0-9_-]{0,39}$".to_owned(), "A name."),
                "client": object(&[CLIENT], &[]),
            }),
        ),
    ];
    if let Json::Object(schema) = &mut schema {
        schema.extend(own.map(|(key, value)| (key.to_owned(), value)));
    }
    schema
}

/// A table with these keys and no others.
fn object(keys: &[&[Key]], first: &[(&str, Json)]) -> Json {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for (name, schema) in first {
        properties.insert((*name).to_owned(), schema.clone());
        required.push(name);
    }
    for key in keys.iter().flat_map(|keys| keys.iter()) {
        properties.insert(key.name.to_owned(), property(key));
        if key.need == Need::Required {
            required.push(key.name);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(key: &Key) -> Json {
    let mut schema = of_kind(&key.kind);
    if let Json::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), Json::String(write::meaning(key)));
    }
    schema
}

fn of_kind(kind: &Kind) -> Json {
    let defined = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    let latencies = |items: Json| json!({ "type": "array", "minItems": 1, "items": items });
    match kind {
        Kind::Text => json!({ "type": "string", "minLength": 1, "maxLength": 1000 }),
        Kind::Name => defined("name"),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Size { .. } => defined("size"),
        Kind::PieceLength => json!({ "anyOf": [{ "const": "auto" }, defined("size")] }),
        Kind::Rate { .. } => defined("rate"),
        Kind::Time { .. } => defined("time"),
        Kind::TimeOrNever => json!({ "anyOf": [{ "const": "never" }, defined("time")] }),
        Kind::Frequency => defined("frequency"),
        Kind::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Ratio => json!({ "type": "number", "minimum": 0, "maximum": 1000 }),
        Kind::Choice(words) => {
            let one_of = words.iter().map(|word| json!({ "const": word.name, "description": word.about }));
            json!({ "oneOf": one_of.collect::<Vec<_>>() })
        }
        Kind::Preset => json!({ "enum": preset::NAMES }),
        Kind::Variants(variants) => json!({ "oneOf": shapes(&[], variants) }),
        Kind::Table(keys) => object(&[keys], &[]),
        Kind::Client => defined("client"),
        Kind::Tables { keys, most } => {
            json!({ "type": "array", "minItems": 1, "maxItems": most, "items": object(&[keys], &[]) })
        }
        Kind::VariantTables { common, variants, most } => {
            json!({ "type": "array", "maxItems": most, "items": { "oneOf": shapes(common, variants) } })
        }
        Kind::Pair => json!({ "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "string" } }),
        Kind::Latency => json!({ "oneOf": [
            defined("time"),
            {
                "type": "object",
                "properties": { "uniform": { "type": "array", "minItems": 2, "maxItems": 2, "items": defined("time") } },
                "required": ["uniform"],
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": {
                    "regions": latencies(json!({ "type": "string" })),
                    "table": latencies(latencies(defined("time"))),
                },
                "required": ["regions", "table"],
                "additionalProperties": false,
            },
        ] }),
        Kind::Expectations => expectations(),
    }
}

/// Each variant as a table, and as its name where that says all.
fn shapes(common: &[Key], variants: &[Variant]) -> Vec<Json> {
    let mut shapes = Vec::new();
    for variant in variants {
        if common.is_empty() && variant.stands_alone() {
            shapes.push(json!({ "const": variant.name, "description": variant.about }));
        }
        let kind = json!({ "const": variant.name, "description": variant.about });
        shapes.push(object(&[common, variant.keys], &[("kind", kind)]));
    }
    shapes
}

fn expectations() -> Json {
    let [of_run, of_group] = expect::paths();
    let alternatives = |paths: Vec<&str>| paths.join("|").replace('.', "\\.");
    let pattern = format!(
        "^({}|checks\\..+|[A-Za-z_-][A-Za-z0-9_-]*\\.({}))$",
        alternatives(of_run),
        alternatives(of_group)
    );
    json!({
        "type": "object",
        "propertyNames": { "pattern": pattern },
        "additionalProperties": { "anyOf": [
            { "type": "string", "pattern": "^ *(<|<=|=|>=|>)" },
            { "type": "boolean" },
        ] },
    })
}
