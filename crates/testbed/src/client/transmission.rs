//! Transmission: a daemon in its own directory of settings, told and asked by JSON-RPC on loopback.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Counts, PORT, Part, arguments, unexpected, write};
use crate::rpc;

/// Where it listens for us.
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9091);
const PATH: &str = "/transmission/rpc";

pub(super) fn command(part: &Part<'_>) -> io::Result<(PathBuf, Vec<OsString>)> {
    let mut settings = json!({
        "bind-address-ipv4": part.address.to_string(), "bind-address-ipv6": "::1",
        "peer-port": PORT, "port-forwarding-enabled": false,
        "dht-enabled": false, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
        "encryption": 0, // plain preferred
        "rpc-bind-address": "127.0.0.1", "rpc-port": SERVER.port(), "rpc-authentication-required": false,
        "rpc-whitelist-enabled": false, "rpc-host-whitelist-enabled": false,
        "download-dir": part.folder, "incomplete-dir-enabled": false, "rename-partial-files": false,
        "start-added-torrents": true, "ratio-limit-enabled": false, "idle-seeding-limit-enabled": false,
    });
    if let Some(most) = part.settings.max_connections {
        settings["peer-limit-per-torrent"] = most.into();
    }
    if let Some(slots) = part.settings.upload_slots {
        // Its optimistic slot comes on top.
        settings["upload-slots-per-torrent"] = slots.saturating_sub(1).max(1).into();
    }
    write(part.state, "settings.json", &settings.to_string())?;
    let list = arguments(&[&"--foreground", &"--config-dir", &part.state, &"--log-error"]);
    Ok((PathBuf::from("transmission-daemon"), list))
}

/// How it is told and asked.
pub(crate) struct Remote {
    /// Against forged requests: a reply with 409 says what it must be.
    session: String,
    torrent: PathBuf,
    folder: PathBuf,
}

impl Remote {
    pub(super) fn new(torrent: &Path, folder: &Path) -> Remote {
        Remote { session: String::new(), torrent: torrent.to_owned(), folder: folder.to_owned() }
    }

    pub(super) fn is_ready(&mut self) -> bool {
        self.call("session-get", &json!({ "fields": ["version"] })).is_ok()
    }

    /// Gives it the torrent. Content that is there already it finds by itself.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        let arguments = json!({ "filename": self.torrent, "download-dir": self.folder, "paused": false });
        self.call("torrent-add", &arguments).map(drop)
    }

    pub(super) fn counts(&mut self) -> io::Result<Counts> {
        let fields =
            ["leftUntilDone", "uploadedEver", "downloadedEver", "corruptEver", "percentDone", "status"];
        let answer = self.call("torrent-get", &json!({ "fields": fields }))?;
        let torrent = &answer["torrents"][0];
        counts(torrent).ok_or_else(|| unexpected(&answer.to_string()))
    }

    fn call(&mut self, method: &str, arguments: &Value) -> io::Result<Value> {
        let body = json!({ "method": method, "arguments": arguments }).to_string();
        let header = |session: &str| format!("X-Transmission-Session-Id: {session}");
        let mut reply = rpc::post(SERVER, PATH, &header(&self.session), &body)?;
        if reply.status == 409 {
            self.session = reply.header("X-Transmission-Session-Id").unwrap_or_default().to_owned();
            reply = rpc::post(SERVER, PATH, &header(&self.session), &body)?;
        }
        let answer: Value = serde_json::from_str(&reply.body).map_err(|_| unexpected(&reply.body))?;
        if answer["result"] == "success" {
            Ok(answer["arguments"].clone())
        } else {
            Err(unexpected(&reply.body))
        }
    }
}

/// Of a torrent's fields. Without the metadata's check `leftUntilDone` is 0 for a moment, so the share counts too.
fn counts(torrent: &Value) -> Option<Counts> {
    let number = |field: &str| torrent[field].as_u64();
    // 0 stopped, 1 and 2 checking, 3 and 4 downloading, 5 and 6 seeding.
    let seeding = number("status").is_some_and(|status| status >= 5);
    Some(Counts {
        uploaded: number("uploadedEver")?,
        downloaded: number("downloadedEver")?,
        wasted: number("corruptEver")?,
        complete: number("leftUntilDone")? == 0 && torrent["percentDone"].as_f64()? >= 1.0 && seeding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_complete_when_it_seeds() {
        let torrent = |status: u64, left: u64| {
            json!({ "leftUntilDone": left, "uploadedEver": 5, "downloadedEver": 7, "corruptEver": 1,
                "percentDone": if left == 0 { 1.0 } else { 0.5 }, "status": status })
        };
        let whole = counts(&torrent(6, 0)).unwrap();
        assert_eq!(whole, Counts { uploaded: 5, downloaded: 7, wasted: 1, complete: true });
        assert!(!counts(&torrent(4, 9)).unwrap().complete && !counts(&torrent(2, 0)).unwrap().complete);
        assert_eq!(counts(&Value::Null), None);
    }
}
