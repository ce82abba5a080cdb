//! aria2: started with the torrent, asked by JSON-RPC on loopback. It counts what it has, not what it received twice.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Counts, PORT, Part, arguments, unexpected};
use crate::rpc;

/// Where it listens for us.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 6800);

pub(super) fn command(part: &Part<'_>) -> (PathBuf, Vec<OsString>) {
    let mut list = arguments(&[
        &"--no-conf",
        &"--disable-ipv6",
        &"--enable-dht=false",
        &"--bt-enable-lpd=false",
        &"--enable-peer-exchange=false",
        &"--quiet",
        &"--file-allocation=none",
        &"--seed-ratio=0",
        &"--enable-rpc",
        &"--rpc-listen-all=false",
        &format!("--rpc-listen-port={}", SERVER.port()),
        &format!("--interface={}", part.address),
        &format!("--listen-port={PORT}"),
    ]);
    list.extend(arguments(&[&"--dir", &part.folder, &"--torrent-file", &part.torrent]));
    if part.seed {
        list.push("--check-integrity=true".into());
    }
    if let Some(most) = part.settings.max_connections {
        list.push(format!("--bt-max-peers={most}").into());
    }
    (PathBuf::from("aria2c"), list)
}

pub(super) fn counts() -> io::Result<Counts> {
    let keys = ["status", "totalLength", "completedLength", "uploadLength"];
    let body = json!({ "jsonrpc": "2.0", "id": "1", "method": "aria2.tellActive", "params": [keys] });
    let reply = rpc::post(SERVER, "/jsonrpc", "", &body.to_string())?;
    let answer: Value = serde_json::from_str(&reply.body).map_err(|_| unexpected(&reply.body))?;
    of_answer(&answer).ok_or_else(|| unexpected(&reply.body))
}

/// It writes numbers as texts.
fn of_answer(answer: &Value) -> Option<Counts> {
    let download = answer["result"].as_array()?.first()?;
    let number = |key: &str| download[key].as_str()?.parse::<u64>().ok();
    let (total, completed) = (number("totalLength")?, number("completedLength")?);
    Some(Counts {
        uploaded: number("uploadLength")?,
        downloaded: completed,
        wasted: 0,
        complete: total > 0 && completed == total,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_texts() {
        let answer = |completed: &str| json!({ "result": [{ "status": "active", "totalLength": "100", "completedLength": completed, "uploadLength": "7" }] });
        let part = of_answer(&answer("40")).unwrap();
        assert_eq!(part, Counts { uploaded: 7, downloaded: 40, wasted: 0, complete: false });
        assert!(of_answer(&answer("100")).unwrap().complete);
        assert_eq!(of_answer(&json!({ "result": [] })), None);
    }
}
