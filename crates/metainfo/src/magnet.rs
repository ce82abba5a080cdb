//! Magnet links (BEP 9): a torrent named by its info hash.
//!
//! Owns the text of the link. Fetching the metadata that the link names is not done here.

use crate::{
    InfoHash, InfoHashError,
    percent::{self, PercentError},
};
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

/// A magnet link. Parsed with [`str::parse`], written with [`ToString::to_string`].
///
/// ```
/// use swarmlab_metainfo::Magnet;
///
/// let link = "magnet:?xt=urn:btih:c12fe1c06bba254a9dc9f519b335aa7c1367a88a&dn=a%20file";
/// let magnet: Magnet = link.parse().unwrap();
/// assert_eq!(magnet.name.as_deref(), Some("a file"));
/// assert_eq!(magnet.to_string(), link);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Magnet {
    /// `xt`: the info hash, written with 40 hexadecimal or 32 base32 digits.
    pub info_hash: InfoHash,
    /// `dn`: a name to show until the metadata is there. Not safe as a path.
    pub name: Option<String>,
    /// `tr`: trackers, each a tier of its own.
    pub trackers: Vec<String>,
    /// `x.pe`: peers as `host:port`, the host a name, an IPv4 address, or an IPv6 address in brackets.
    pub peers: Vec<String>,
}

/// Why a text is no usable magnet link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MagnetError {
    /// Another kind of text.
    #[error("a magnet link starts with `magnet:?`")]
    NotMagnet,
    /// A value with a broken percent-encoding.
    #[error("magnet link, `{key}`: {error}")]
    Percent {
        /// The parameter.
        key: String,
        /// Where in the parameter's value.
        error: PercentError,
    },
    /// A value that is not UTF-8 when decoded.
    #[error("magnet link, `{0}`: not UTF-8")]
    NotUtf8(String),
    /// No `xt=urn:btih:`.
    #[error("the magnet link has no info hash (`xt=urn:btih:...`)")]
    NoInfoHash,
    /// Only the hash of a v2 torrent (`urn:btmh:`, BEP 52).
    #[error("the magnet link is of BitTorrent v2 only (BEP 52); v1 and hybrid torrents are supported")]
    VersionTwoOnly,
    /// An info hash that cannot be read.
    #[error("magnet link, `xt`: {0}")]
    InfoHash(#[from] InfoHashError),
    /// Two different info hashes.
    #[error("the magnet link names two different torrents")]
    TwoTorrents,
    /// A peer that is not `host:port`.
    #[error("magnet link, `x.pe`: `{0}` is not `host:port`")]
    Peer(String),
}

impl FromStr for Magnet {
    type Err = MagnetError;

    fn from_str(link: &str) -> Result<Self, MagnetError> {
        let (scheme, query) = link.trim().split_once('?').ok_or(MagnetError::NotMagnet)?;
        if !scheme.eq_ignore_ascii_case("magnet:") {
            return Err(MagnetError::NotMagnet);
        }
        let mut info_hash = None;
        let mut is_version_two = false;
        let (mut name, mut trackers, mut peers) = (None, Vec::new(), Vec::new());
        for parameter in query.split('&') {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            // `xt.1`, `tr.2`: several values of one key may be numbered.
            match key
                .split_once('.')
                .filter(|(_, number)| number.parse::<u32>().is_ok())
                .map_or(key, |(key, _)| key)
            {
                "xt" => {
                    let topic = text(key, value)?;
                    is_version_two |= strip_prefix(&topic, "urn:btmh:").is_some();
                    if let Some(digits) = strip_prefix(&topic, "urn:btih:") {
                        let found: InfoHash = digits.parse()?;
                        if info_hash.replace(found).is_some_and(|other| other != found) {
                            return Err(MagnetError::TwoTorrents);
                        }
                    }
                }
                // Forms write a blank as `+`; a plus that is meant is written %2B.
                "dn" => name = Some(text(key, &value.replace('+', " "))?),
                "tr" => trackers.push(text(key, value)?),
                "x.pe" => peers.push(peer(text(key, value)?)?),
                _ => {}
            }
        }
        // A line break inside an address could forge a line of a request.
        trackers.retain(|url| !url.is_empty() && !url.contains(char::is_control));
        match info_hash {
            Some(info_hash) => Ok(Magnet { info_hash, name, trackers, peers }),
            None if is_version_two => Err(MagnetError::VersionTwoOnly),
            None => Err(MagnetError::NoInfoHash),
        }
    }
}

fn text(key: &str, value: &str) -> Result<String, MagnetError> {
    let bytes = percent::decode(value.as_bytes())
        .map_err(|error| MagnetError::Percent { key: key.to_owned(), error })?;
    String::from_utf8(bytes).map_err(|_| MagnetError::NotUtf8(key.to_owned()))
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn peer(peer: String) -> Result<String, MagnetError> {
    let is_good = peer.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host_is_good = match bare {
            Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && !host.contains(|c: char| c.is_control() || ":[]/ ".contains(c)),
        };
        host_is_good && port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+')
    });
    if is_good { Ok(peer) } else { Err(MagnetError::Peer(peer)) }
}

impl fmt::Display for Magnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "magnet:?xt=urn:btih:{}", self.info_hash)?;
        if let Some(name) = &self.name {
            write!(f, "&dn={}", percent::encode(name.as_bytes()))?;
        }
        for tracker in &self.trackers {
            write!(f, "&tr={}", percent::encode(tracker.as_bytes()))?;
        }
        for peer in &self.peers {
            // Readable, as in the BEP: colon and brackets mean nothing else in a query.
            let peer = percent::encode(peer.as_bytes());
            write!(f, "&x.pe={}", peer.replace("%3A", ":").replace("%5B", "[").replace("%5D", "]"))?;
        }
        Ok(())
    }
}

impl From<&crate::Metainfo> for Magnet {
    /// The link that names a torrent, with its trackers.
    fn from(torrent: &crate::Metainfo) -> Self {
        Magnet {
            info_hash: torrent.info_hash(),
            name: Some(torrent.name().to_string()),
            trackers: torrent.tiers().into_iter().flatten().collect(),
            peers: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const HEX: &str = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a";
    /// The same twenty bytes in base32 (RFC 4648).
    const BASE32: &str = "YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK";

    fn parse(link: &str) -> Result<Magnet, MagnetError> {
        link.parse()
    }

    #[test]
    fn both_spellings_of_the_hash_are_read() {
        let hex = parse(&format!("magnet:?xt=urn:btih:{HEX}")).unwrap();
        for same in [
            format!("magnet:?xt=urn:btih:{BASE32}"),
            format!("magnet:?xt=urn:btih:{}", BASE32.to_lowercase()),
            format!("MAGNET:?xt=URN:BTIH:{}", HEX.to_uppercase()),
            format!(" magnet:?foo=bar&&xt.1=urn%3Abtih%3A{HEX}&xt.2=urn:btih:{BASE32}&x=%zz\n"),
        ] {
            assert_eq!(parse(&same).as_ref(), Ok(&hex), "{same}");
        }
    }

    #[test]
    fn a_full_link_is_read_and_written() {
        let link = format!(
            "magnet:?xt=urn:btih:{HEX}&dn=f%C3%BCr%20alle%20%26%2B&tr=http%3A%2F%2Ft.example%3A80%2Fannounce%3Fk%3D1\
             &tr=udp%3A%2F%2Fu.example&x.pe=127.0.0.1:6881&x.pe=[::1]:6882&x.pe=host.example:1"
        );
        let magnet = parse(&link).unwrap();
        assert_eq!(magnet.name.as_deref(), Some("für alle &+"));
        assert_eq!(magnet.trackers, ["http://t.example:80/announce?k=1", "udp://u.example"]);
        assert_eq!(magnet.peers, ["127.0.0.1:6881", "[::1]:6882", "host.example:1"]);
        assert_eq!(magnet.to_string(), link);
        assert_eq!(parse(&link.replace("%20", "+")).unwrap(), magnet);
    }

    #[test]
    fn bad_links_are_refused_with_the_reason() {
        let hash = |rest: &str| format!("magnet:?xt=urn:btih:{HEX}{rest}");
        let v2 = "magnet:?xt=urn:btmh:1220caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e";
        let peer = |peer: &str| (hash(&format!("&x.pe={peer}")), MagnetError::Peer(peer.into()));
        let percent = |key: &str, at| MagnetError::Percent { key: key.into(), error: PercentError(at) };
        let table = [
            ("".into(), MagnetError::NotMagnet),
            ("magnet:".into(), MagnetError::NotMagnet),
            (format!("http://x/?xt=urn:btih:{HEX}"), MagnetError::NotMagnet),
            ("magnet:?".into(), MagnetError::NoInfoHash),
            ("magnet:?dn=x".into(), MagnetError::NoInfoHash),
            ("magnet:?xt=urn:sha1:abc".into(), MagnetError::NoInfoHash),
            ("magnet:?xt=".into(), MagnetError::NoInfoHash),
            (v2.into(), MagnetError::VersionTwoOnly),
            ("magnet:?xt=urn:btih:".into(), InfoHashError::Length(0).into()),
            (format!("magnet:?xt=urn:btih:{HEX}0"), InfoHashError::Length(41).into()),
            (format!("magnet:?xt=urn:btih:{}", "g".repeat(40)), InfoHashError::Digit('g').into()),
            (format!("magnet:?xt=urn:btih:{}", "1".repeat(32)), InfoHashError::Digit('1').into()),
            (format!("magnet:?xt=urn:btih:{}", "é".repeat(20)), InfoHashError::Digit('é').into()),
            (hash(&format!("&xt=urn:btih:{}", "0".repeat(40))), MagnetError::TwoTorrents),
            (hash("&dn=%"), percent("dn", 0)),
            (hash("&tr=http%3"), percent("tr", 4)),
            (hash("&dn=%ff"), MagnetError::NotUtf8("dn".into())),
            peer(""),
            peer("host"),
            peer(":1"),
            peer("host:0"),
            peer("host:65536"),
            peer("host:+1"),
            peer("a b:1"),
            peer("::1:6881"),
            peer("[::g]:6881"),
        ];
        for (link, error) in table {
            assert_eq!(parse(&link), Err(error), "{link}");
        }
    }
}
