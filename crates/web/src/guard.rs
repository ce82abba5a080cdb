//! Who may ask. Being on loopback keeps other machines out, not the pages of other sites in a browser on this one: such a
//! page can send requests here, and by having its own name resolve to 127.0.0.1 (DNS rebinding) even read the
//! answers. So a request must name this server as a person would, and a WebSocket, which no same-origin policy covers, must
//! come from our own page. A decision over a few words; nothing is read or sent here.

use std::net::IpAddr;

/// What matters of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask<'a> {
    /// Its `Host`.
    pub(crate) host: Option<&'a str>,
    /// Its `Origin`, which a browser adds to every WebSocket.
    pub(crate) origin: Option<&'a str>,
    /// Its `Sec-Fetch-Site`: how the page that asks is related to this server, in the browser's own words.
    pub(crate) site: Option<&'a str>,
    /// What it asks for.
    pub(crate) thing: Thing,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Thing {
    /// A file of the page, the same for everyone: a link from anywhere may lead to it.
    Asset,
    /// What is shown.
    #[default]
    Data,
    /// The same, over a WebSocket.
    Socket,
}

/// Why a request is not answered, as a sentence for whoever sent it.
pub(crate) fn refusal(ask: &Ask<'_>, port: u16) -> Option<&'static str> {
    if !ask.host.is_some_and(|host| is_ours(host, port)) {
        return Some("this server answers only to its own address on loopback");
    }
    let foreign = ask
        .origin
        .is_some_and(|origin| !origin.strip_prefix("http://").is_some_and(|host| is_ours(host, port)));
    // `none` is a person who typed the address.
    let elsewhere = ask.site.is_some_and(|site| !["none", "same-origin"].contains(&site));
    let refused = match ask.thing {
        Thing::Asset => false,
        Thing::Data => elsewhere,
        Thing::Socket => elsewhere || ask.origin.is_none(),
    };
    if foreign || refused {
        return Some("this server answers only to its own page");
    }
    None
}

/// Whether this is how a person on this machine names the server: loopback by number or by name, with its port.
fn is_ours(host: &str, port: u16) -> bool {
    let (name, number) = match host.rsplit_once(':') {
        // The colons of an IPv6 address without a port are inside its brackets.
        Some((name, number)) if !number.ends_with(']') => (name, number.parse().ok()),
        _ => (host, Some(80)),
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_loopback = address.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    number == Some(port) && (is_loopback || name.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_by_its_own_name_is_ours() {
        let ours = ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000", "127.1.2.3:8000"];
        for host in ours {
            assert!(is_ours(host, 8000), "{host}");
        }
        let foreign = [
            "127.0.0.1",
            "127.0.0.1:8001",
            "rebound.example:8000",
            "localhost.example:8000",
            "127.0.0.1.example:8000",
            "192.168.0.1:8000",
            "0.0.0.0:8000",
            "[::1]",
            "[::2]:8000",
            "x@127.0.0.1:8000",
            "127.0.0.1:8000:8000",
            ":8000",
            "",
        ];
        for host in foreign {
            assert!(!is_ours(host, 8000), "{host}");
        }
        assert!(is_ours("127.0.0.1", 80) && is_ours("[::1]", 80));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = Some("127.0.0.1:8000");
        let typed = Ask { host, site: Some("none"), ..Ask::default() };
        let fetched = Ask { host, site: Some("same-origin"), ..Ask::default() };
        let program = Ask { host, ..Ask::default() };
        let page = Ask { host, origin: Some("http://127.0.0.1:8000"), thing: Thing::Socket, ..typed };
        let link = Ask { host, site: Some("cross-site"), thing: Thing::Asset, ..Ask::default() };
        for ask in [typed, fetched, program, page, link] {
            assert_eq!(refusal(&ask, 8000), None, "{ask:?}");
        }
        let socket = Ask { host, thing: Thing::Socket, ..Ask::default() };
        let refused = [
            Ask::default(),
            Ask { host: Some("rebound.example:8000"), ..typed },
            Ask { host: Some("rebound.example:8000"), ..link },
            Ask { site: Some("cross-site"), ..typed },
            Ask { site: Some("same-site"), ..typed },
            Ask { origin: Some("http://rebound.example:8000"), ..program },
            Ask { origin: Some("null"), ..program },
            socket,
            Ask { origin: Some("https://127.0.0.1:8000"), ..socket },
            Ask { origin: Some("http://127.0.0.1:8001"), ..socket },
        ];
        for ask in refused {
            assert!(refusal(&ask, 8000).is_some(), "{ask:?}");
        }
    }
}
