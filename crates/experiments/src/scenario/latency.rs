//! The latency between nodes: one for all, drawn for each pair, or by the regions of the two ends.

use std::time::Duration;

use swarmlab_sim::Latency;

use super::check::wrong_kind;
use super::definition::LATENCY_TIME;
use super::diagnostic::{Findings, nearest, quote};
use super::document::{Node, Table, Value};
use super::record::Plain;
use super::scalar;
use crate::units::exact_time;

/// Most regions.
const MOST_REGIONS: usize = 256;

/// A latency and the names of its regions.
pub(crate) fn read(node: &Node, findings: &mut Findings) -> Option<Plain> {
    let (latency, regions) = match &node.value {
        Value::Table(table) if table.get("uniform").is_some() => (uniform(table, findings)?, Vec::new()),
        Value::Table(table) => by_regions(node, table, findings)?,
        _ => (Latency::Constant(scalar::time(node, "latency", LATENCY_TIME, findings)?), Vec::new()),
    };
    Some(Plain::Latency(latency, regions))
}

fn uniform(table: &Table, findings: &mut Findings) -> Option<Latency> {
    only(table, &["uniform"], findings)?;
    let node = table.get("uniform")?;
    let Value::List(ends) = &node.value else {
        wrong_kind(node, "'uniform' is a list of two times such as [\"5 ms\", \"80 ms\"]", findings);
        return None;
    };
    let times = times(ends, findings)?;
    match times[..] {
        [least, most] if least <= most => Some(Latency::Uniform(least, most)),
        [most, least] => {
            let help = format!("write uniform = [\"{}\", \"{}\"]", exact_time(least), exact_time(most));
            findings.add(node.place, "the first latency is the least, the second the largest", help);
            None
        }
        _ => {
            findings.say(node.place, format!("'uniform' is a list of two times, not of {}", times.len()));
            None
        }
    }
}

fn by_regions(node: &Node, table: &Table, findings: &mut Findings) -> Option<(Latency, Vec<String>)> {
    only(table, &["regions", "table"], findings)?;
    let (Some(regions), Some(rows)) = (table.get("regions"), table.get("table")) else {
        let help = "latency = { regions = [\"eu\", \"us\"], table = [[\"10 ms\", \"45 ms\"], [\"45 ms\", \"15 ms\"]] }";
        findings.add(node.place, "a latency by regions has the keys 'regions' and 'table'", help.to_owned());
        return None;
    };
    let names = names(regions, findings)?;
    let Value::List(list) = &rows.value else {
        wrong_kind(rows, "'table' is a list of rows, each a list of times", findings);
        return None;
    };
    let mut latencies = Vec::new();
    for row in list {
        let Value::List(cells) = &row.value else {
            wrong_kind(row, "a row of 'table' is a list of times", findings);
            return None;
        };
        if cells.len() != names.len() {
            findings
                .say(row.place, format!("this row has {} times for {} regions", cells.len(), names.len()));
            return None;
        }
        latencies.push(times(cells, findings)?);
    }
    if latencies.len() != names.len() {
        findings.say(rows.place, format!("'table' has {} rows for {} regions", latencies.len(), names.len()));
        return None;
    }
    Some((Latency::Regions(latencies), names))
}

fn names(node: &Node, findings: &mut Findings) -> Option<Vec<String>> {
    let mut names = Vec::new();
    if let Value::List(list) = &node.value {
        // One more than allowed is enough to refuse it.
        for item in list.iter().take(MOST_REGIONS + 1) {
            match &item.value {
                Value::Text(name) if names.contains(name) => {
                    findings.say(item.place, format!("the region {} is there twice", quote(name)));
                    return None;
                }
                Value::Text(name) => names.push(name.clone()),
                _ => {
                    wrong_kind(item, "a region is a name in quotes", findings);
                    return None;
                }
            }
        }
    }
    if names.is_empty() || names.len() > MOST_REGIONS {
        findings.say(node.place, format!("'regions' is a list of 1 to {MOST_REGIONS} names"));
        return None;
    }
    Some(names)
}

fn times(nodes: &[Node], findings: &mut Findings) -> Option<Vec<Duration>> {
    // Every one is looked at, also behind a wrong one.
    let times: Vec<Option<Duration>> =
        nodes.iter().map(|node| scalar::time(node, "latency", LATENCY_TIME, findings)).collect();
    times.into_iter().collect()
}

fn only(table: &Table, keys: &[&str], findings: &mut Findings) -> Option<()> {
    let other = table.0.iter().find(|entry| !keys.contains(&entry.key.as_str()));
    let Some(other) = other else { return Some(()) };
    let help = match nearest(&other.key, ["uniform", "regions", "table"].into_iter()) {
        Some(near) if !keys.iter().any(|key| table.get(key).is_some() && *key == near) => {
            format!("did you mean '{near}'?")
        }
        _ => "a latency is a time, { uniform = [..] } or { regions = [..], table = [..] }".to_owned(),
    };
    findings.add(other.place, format!("unknown key {} in latency", quote(&other.key)), help);
    None
}
