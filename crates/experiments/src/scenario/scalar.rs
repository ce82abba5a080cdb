//! Single values: words, counts, and quantities with their units and ranges.

use std::fmt::Display;

use swarmlab_metainfo::Layout;

use super::definition::{Key, Kind, LEAST_LATENCY, NEVER, SOME_TIME};
use super::diagnostic::{Findings, alternatives, nearest, quote};
use super::document::{Node, Value};
use super::record::Plain;
use crate::units::{
    UnitError, exact_rate, exact_size, exact_time, parse_billionths, parse_frequency, parse_rate, parse_size,
    parse_time,
};

/// Piece lengths: what `swarmlab create` takes too.
const PIECE_LENGTHS: [u64; 2] = [Layout::BLOCK_LEN as u64, 256 << 20];
/// Longest text.
const LONGEST: usize = 1_000;
/// Longest name.
const LONGEST_NAME: usize = 40;

/// A value that is no table.
pub(crate) fn read(node: &Node, key: &Key, findings: &mut Findings) -> Option<Plain> {
    let told = match key.kind {
        Kind::Text => text(node, key.name).map(|text| Plain::Text(text.to_owned())),
        Kind::Name => name(node, key.name).map(|text| Plain::Text(text.to_owned())),
        Kind::Flag => match &node.value {
            Value::Flag(flag) => Ok(Plain::Flag(*flag)),
            _ => Err(kind_of(node, key.name, "true or false")),
        },
        Kind::Choice(words) => {
            return word(node, key.name, words.iter().map(|word| word.name), findings).map(Plain::Word);
        }
        Kind::Count { least, most } => count(node, key.name, least, most).map(Plain::Count),
        Kind::Size { least, most } => size(node, key.name).and_then(|size| {
            in_range(node, key.name, size, least, most, exact_size).map(|()| Plain::Size(size))
        }),
        Kind::PieceLength => piece_length(node, key.name),
        Kind::Rate { least, most } => quantity(node, key.name, "a rate such as \"10 Mbit/s\"", parse_rate)
            .and_then(|rate| {
                in_range(node, key.name, rate, least, most, exact_rate).map(|()| Plain::Rate(rate))
            }),
        Kind::TimeOrNever if matches!(&node.value, Value::Text(text) if text == "never") => {
            Ok(Plain::Time(NEVER))
        }
        Kind::TimeOrNever => return time(node, key.name, SOME_TIME, findings).map(Plain::Time),
        Kind::Time { .. } => return time(node, key.name, key.kind, findings).map(Plain::Time),
        Kind::Frequency => quantity(node, key.name, "a frequency such as \"2 /s\"", parse_frequency)
            .and_then(|found| match found {
                0 => Err(Told::say(format!("'{}' must be more than 0", key.name))),
                _ => Ok(Plain::Frequency(found)),
            }),
        Kind::Share => number(node, key.name, 1).map(Plain::Number),
        Kind::Ratio => number(node, key.name, 1_000).map(Plain::Number),
        other => unreachable!("{other:?} is no single value"),
    };
    settle(node, told, findings)
}

/// A time, as `kind` bounds it.
pub(crate) fn time(
    node: &Node,
    name: &str,
    kind: Kind,
    findings: &mut Findings,
) -> Option<std::time::Duration> {
    let Kind::Time { least, most } = kind else { unreachable!("{kind:?} is no time") };
    let told = quantity(node, name, "a time such as \"30 s\"", parse_time).and_then(|time| {
        if least == LEAST_LATENCY && time < least {
            let message = format!("a latency of {} is too small", exact_time(time));
            let help = "the least is '100 us': the threads of a run swap messages in windows as wide as the least \
                        latency, and the same rule holds for one thread, so that the result does not depend on them";
            return Err(Told { message, help: Some(help.to_owned()) });
        }
        in_range(node, name, time, least, most, exact_time).map(|()| time)
    });
    settle(node, told, findings)
}

/// One of these words.
pub(crate) fn word<'a>(
    node: &Node,
    name: &str,
    words: impl Iterator<Item = &'a str> + Clone,
    findings: &mut Findings,
) -> Option<&'a str> {
    let Value::Text(text) = &node.value else {
        return settle(node, Err(kind_of(node, name, &format!("one of {}", alternatives(words)))), findings);
    };
    if let Some(found) = words.clone().find(|word| word == text) {
        return Some(found);
    }
    let help = match nearest(text, words.clone()) {
        Some(near) => format!("did you mean \"{near}\"? '{name}' is {}", alternatives(words)),
        None => format!("'{name}' is {}", alternatives(words)),
    };
    findings.add(node.place, format!("unknown {name} {}", quote(text)), help);
    None
}

/// What is wrong with a value, before its place is known.
pub(crate) struct Told {
    message: String,
    help: Option<String>,
}

impl Told {
    fn say(message: String) -> Told {
        Told { message, help: None }
    }
}

fn settle<T>(node: &Node, told: Result<T, Told>, findings: &mut Findings) -> Option<T> {
    told.map_err(|told| findings.add(node.place, told.message, told.help)).ok()
}

fn kind_of(node: &Node, name: &str, should: &str) -> Told {
    Told::say(format!("'{name}' is {should}, not {}", node.value.what()))
}

fn text<'a>(node: &'a Node, name: &str) -> Result<&'a str, Told> {
    match &node.value {
        Value::Text(text) if text.len() > LONGEST => {
            Err(Told::say(format!("'{name}' has {} bytes; at most {LONGEST} are taken", text.len())))
        }
        Value::Text(text) if text.chars().any(char::is_control) || text.is_empty() => {
            Err(Told::say(format!("'{name}' must be one line of text")))
        }
        Value::Text(text) => Ok(text),
        _ => Err(kind_of(node, name, "a text in quotes")),
    }
}

fn name<'a>(node: &'a Node, name: &str) -> Result<&'a str, Told> {
    let text = text(node, name)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.len() <= LONGEST_NAME && text.chars().all(fits) && !text.starts_with(|c: char| c.is_ascii_digit())
    {
        return Ok(text);
    }
    let near: String = text.chars().map(|c| if fits(c) { c } else { '-' }).take(LONGEST_NAME - 1).collect();
    let near = if near.starts_with(|c: char| c.is_ascii_digit()) { format!("n{near}") } else { near };
    Err(Told {
        message: format!(
            "{} is no {name}: letters, digits, '-' and '_', up to {LONGEST_NAME}, not beginning with a digit",
            quote(text)
        ),
        help: Some(format!("\"{near}\" would be one")),
    })
}

fn count(node: &Node, name: &str, least: u64, most: u64) -> Result<u64, Told> {
    let Value::Number(text) = &node.value else {
        return Err(kind_of(node, name, "a whole number without quotes"));
    };
    let digits = text.strip_prefix('+').unwrap_or(text);
    match digits.parse::<u64>() {
        Ok(count) => in_range(node, name, count, least, most, |count| count.to_string()).map(|()| count),
        Err(_) if text.starts_with('-') => Err(nearest_bound(name, text, least)),
        Err(_) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Err(nearest_bound(name, text, most)),
        Err(_) => Err(Told::say(format!("'{name}' is a whole number, not {}", quote(text)))),
    }
}

fn size(node: &Node, name: &str) -> Result<u64, Told> {
    match &node.value {
        Value::Number(text) => parse_size(text).map_err(|error| unit_error(name, text, error)),
        _ => quantity(node, name, "a size such as \"100 MiB\"", parse_size),
    }
}

fn piece_length(node: &Node, name: &str) -> Result<Plain, Told> {
    if matches!(&node.value, Value::Text(text) if text == "auto") {
        return Ok(Plain::Auto);
    }
    let length = size(node, name)?;
    let [least, most] = PIECE_LENGTHS;
    if length.is_power_of_two() && (least..=most).contains(&length) {
        return Ok(Plain::Size(length));
    }
    let clamped = length.clamp(least, most);
    let above = clamped.next_power_of_two();
    let nearest = if above - clamped > clamped - above / 2 { above / 2 } else { above };
    Err(Told {
        message: format!(
            "{} is no piece length: a power of two from 16 KiB to 256 MiB, or \"auto\"",
            quote(written(node))
        ),
        help: Some(format!("the nearest is \"{}\"", exact_size(nearest))),
    })
}

/// Billionths of a number from 0 to `most`.
fn number(node: &Node, name: &str, most: u64) -> Result<u64, Told> {
    let Value::Number(text) = &node.value else {
        return Err(kind_of(node, name, &format!("a number from 0 to {most} without quotes")));
    };
    match parse_billionths(text.strip_prefix('+').unwrap_or(text)) {
        Some(billionths) if billionths <= most * 1_000_000_000 => Ok(billionths),
        Some(_) => Err(nearest_bound(name, text, most)),
        None if text.starts_with('-') => Err(nearest_bound(name, text, 0_u64)),
        None => {
            Err(Told::say(format!("'{name}' is a number from 0 to {most} such as 0.25, not {}", quote(text))))
        }
    }
}

/// A text with a unit.
fn quantity<T>(
    node: &Node,
    name: &str,
    should: &str,
    parse: impl Fn(&str) -> Result<T, UnitError>,
) -> Result<T, Told> {
    match &node.value {
        Value::Text(text) => parse(text).map_err(|error| unit_error(name, text, error)),
        // The parser says which unit is missing.
        Value::Number(text) => match parse(text) {
            Err(error) => Err(unit_error(name, text, error)),
            Ok(_) => Err(kind_of(node, name, should)),
        },
        _ => Err(kind_of(node, name, should)),
    }
}

fn unit_error(name: &str, text: &str, error: UnitError) -> Told {
    Told::say(format!("{name} = {}: {error}", quote(text)))
}

fn in_range<T: PartialOrd>(
    node: &Node,
    name: &str,
    value: T,
    least: T,
    most: T,
    show: impl Fn(T) -> String,
) -> Result<(), Told> {
    match value {
        value if value < least => Err(nearest_bound(name, written(node), show(least))),
        value if value > most => Err(nearest_bound(name, written(node), show(most))),
        _ => Ok(()),
    }
}

/// A text or a number as it was written.
fn written(node: &Node) -> &str {
    match &node.value {
        Value::Text(text) | Value::Number(text) => text,
        other => other.what(),
    }
}

fn nearest_bound(name: &str, value: &str, bound: impl Display) -> Told {
    Told {
        message: format!("{name} = {} is out of range", quote(value)),
        help: Some(format!("the nearest is '{bound}'")),
    }
}
