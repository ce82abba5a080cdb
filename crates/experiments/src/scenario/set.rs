//! `--set PATH=VALUE`: changes the document before it is checked. A path is the keys down to a value
//! (`client.unchoke_slots`); a group is found by its name (`group.leechers.count`), a fault by its number from 0; behind
//! `expect.` comes a path into the result as a whole. The value is one of TOML, or else a text without its quotes.

use super::diagnostic::{Findings, Place, nearest, quote};
use super::document::{self, Entry, Node, Table, Value};

/// Applies a flag's text, which is the source number `source`.
pub(crate) fn apply(root: &mut Node, flag: &str, source: usize, findings: &mut Findings) {
    let all = Place { source, start: 0, end: flag.len() };
    let Some((path, value)) = flag.split_once('=') else {
        findings.add(all, "--set needs PATH=VALUE".to_owned(), "as in client.unchoke_slots=6".to_owned());
        return;
    };
    let offset = path.len() + 1;
    let keys = keys_of(path, source);
    if keys.iter().any(|(key, _)| key.is_empty()) {
        let help = "as in client.unchoke_slots or group.leechers.count";
        findings.add(
            Place { end: path.len(), ..all },
            format!("{} is no path", quote(path)),
            help.to_owned(),
        );
        return;
    }
    let node = document::read_value(value, source, offset).unwrap_or_else(|| {
        let start = offset + (value.len() - value.trim_start().len());
        let text = value.trim();
        Node { place: Place { source, start, end: start + text.len() }, value: Value::Text(text.to_owned()) }
    });
    put(root, &keys, node, findings);
}

/// The keys of a path and where they stand.
fn keys_of(path: &str, source: usize) -> Vec<(String, Place)> {
    let mut keys = Vec::new();
    let mut start = 0;
    // A path into the result is one key, whatever points it has.
    let most = if path.trim_start().starts_with("expect.") { 2 } else { usize::MAX };
    for part in path.splitn(most, '.') {
        let place = Place { source, start, end: start + part.len() };
        keys.push((part.trim().trim_matches('"').to_owned(), place));
        start += part.len() + 1;
    }
    keys
}

fn put(node: &mut Node, keys: &[(String, Place)], value: Node, findings: &mut Findings) {
    let Some(((key, place), rest)) = keys.split_first() else {
        *node = value;
        return;
    };
    match &mut node.value {
        Value::Table(table) => {
            if table.get(key).is_none() {
                let empty = Node { place: *place, value: Value::Table(Table::default()) };
                table.0.push(Entry { key: key.clone(), place: *place, node: empty });
            }
            // From now on an error in it is the flag's.
            if rest.is_empty()
                && let Some(entry) = table.0.iter_mut().find(|entry| entry.key == *key)
            {
                entry.place = *place;
            }
            if let Some(next) = table.get_mut(key) {
                put(next, rest, value, findings);
            }
        }
        Value::List(nodes) => {
            let by_number = key.parse::<usize>().ok().filter(|number| *number < nodes.len());
            let found = by_number.or_else(|| nodes.iter().position(|node| name_of(node) == Some(key)));
            match found {
                Some(number) => put(&mut nodes[number], rest, value, findings),
                None => unknown(key, *place, nodes, findings),
            }
        }
        other => {
            let message = format!("what {} is in is {}: it has no keys", quote(key), other.what());
            findings.add(*place, message, "set the whole value".to_owned());
        }
    }
}

fn name_of(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Table(table) => match &table.get("name")?.value {
            Value::Text(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

fn unknown(key: &str, place: Place, nodes: &[Node], findings: &mut Findings) {
    let names: Vec<&str> = nodes.iter().filter_map(name_of).collect();
    let help = match nearest(key, names.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None if names.is_empty() => format!("there are {}, numbered from 0", nodes.len()),
        None => format!("there are {}", names.join(", ")),
    };
    findings.add(place, format!("there is none called {}", quote(key)), help);
}
