//! The query strings of announce and scrape, read and written as bytes.
//!
//! An info hash and a peer id are 20 arbitrary bytes, percent-encoded (RFC 3986): they are not text, and nothing here
//! treats them so. Reading is strict in what decides an answer and ignores parameters it does not know; a `+` is a
//! plus sign, as this is not a form. Each refusal names the parameter and the reason in words fit for the
//! `failure reason` of a reply. Whether a claimed `ip` may be believed is for the server to decide.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::net::IpAddr;

use swarmlab_metainfo::InfoHash;

use crate::{Announce, AnnounceEvent, PeerId};

/// Longest query string that is read, in bytes: room for a scrape of 200 torrents.
pub const MAX_QUERY: usize = 16 * 1024;

/// Longest `key` and `ip`, in bytes. Clients send 8 hexadecimal digits as key; a host name has up to 255 bytes.
const MAX_TEXT: usize = 255;

/// What a client asks in an announce (BEP 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnounceQuery {
    /// The torrent.
    pub info_hash: InfoHash,
    /// What the client calls itself.
    pub peer_id: PeerId,
    /// The TCP port it listens on, not 0.
    pub port: u16,
    /// Bytes of content sent since its `started`.
    pub uploaded: u64,
    /// Bytes of content received since its `started`.
    pub downloaded: u64,
    /// Bytes it still lacks; `u64::MAX` if it does not know (some clients say -1 before they have the metadata).
    pub left: u64,
    /// What has happened.
    pub event: AnnounceEvent,
    /// How many peers it wants; `None` leaves that to the tracker, as does a value of -1.
    pub numwant: Option<u32>,
    /// Whether it wants peers as bytes (BEP 23); `None` leaves that to the tracker.
    pub compact: Option<bool>,
    /// It does not need the peer ids in a reply in dictionary form.
    pub no_peer_id: bool,
    /// The address it wants to be known by, as it wrote it: see [`claimed_ip`](Self::claimed_ip).
    pub ip: Option<Vec<u8>>,
    /// A secret by which the tracker could recognise it at another address.
    pub key: Option<Vec<u8>>,
    /// The `tracker id` of an earlier reply.
    pub tracker_id: Option<Vec<u8>>,
}

/// What a client asks in a scrape (BEP 48).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrapeQuery {
    /// The torrents; none means all.
    pub info_hashes: Vec<InfoHash>,
}

/// Why a query string is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Longer than [`MAX_QUERY`].
    #[error("the query is longer than {MAX_QUERY} bytes")]
    TooLong,
    /// A parameter is lacking or cannot be read.
    #[error("{name} {reason}")]
    Parameter {
        /// Its name in the query.
        name: &'static str,
        /// What is wrong with it.
        reason: Reason,
    },
}

/// What is wrong with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It must be there.
    #[error("is missing")]
    Missing,
    /// It is there twice.
    #[error("is given more than once")]
    Repeated,
    /// An escape sequence is cut short or not hexadecimal.
    #[error("has a % that is not followed by two hexadecimal digits")]
    Escape,
    /// It must be exactly 20 bytes once decoded.
    #[error("has {0} bytes; it must have 20")]
    Length(usize),
    /// It is longer than anything sensible.
    #[error("is longer than {MAX_TEXT} bytes")]
    TooLong,
    /// Not digits only.
    #[error("is not a number")]
    NotANumber,
    /// A number out of range.
    #[error("must be from {min} to {max}")]
    Range {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// Neither 0 nor 1.
    #[error("must be 0 or 1")]
    NotAFlag,
    /// Not an event of BEP 3 (or BEP 21).
    #[error("must be started, completed, stopped or empty")]
    NotAnEvent,
    /// Not an IP address; host names are not looked up.
    #[error("is not an IP address")]
    NotAnAddress,
}

impl Reason {
    fn of(self, name: &'static str) -> QueryError {
        QueryError::Parameter { name, reason: self }
    }
}

impl AnnounceQuery {
    /// What our own endpoints ask: the wish of an engine, with who asks, and the key by which a tracker knows it again when its
    /// address changes (BEP 7).
    pub fn of(
        announce: &Announce,
        info_hash: InfoHash,
        peer_id: PeerId,
        port: u16,
        key: u32,
    ) -> AnnounceQuery {
        AnnounceQuery {
            info_hash,
            peer_id,
            port,
            uploaded: announce.uploaded,
            downloaded: announce.downloaded,
            left: announce.left,
            event: announce.event,
            numwant: Some(announce.numwant.into()),
            compact: Some(true),
            no_peer_id: true,
            ip: None,
            key: Some(alloc::format!("{key:08x}").into_bytes()),
            tracker_id: None,
        }
    }

    /// Reads the part of the request's target after the `?`.
    ///
    /// # Errors
    /// When `info_hash`, `peer_id`, `port` or `left` is missing, or a known parameter is repeated or cannot be read.
    pub fn parse(query: &[u8]) -> Result<Self, QueryError> {
        let mut fields = Fields::default();
        for (name, value) in parameters(query)? {
            fields.set(name, value)?;
        }
        fields.finish()
    }

    /// The address the client claims.
    ///
    /// # Errors
    /// When what it wrote is not an IP address.
    pub fn claimed_ip(&self) -> Result<Option<IpAddr>, QueryError> {
        let Some(claimed) = &self.ip else { return Ok(None) };
        let text = core::str::from_utf8(claimed).ok();
        text.and_then(|text| text.parse().ok()).map(Some).ok_or(Reason::NotAnAddress.of("ip"))
    }

    /// The URL to ask: the announce URL with this query, behind the URL's own query if it has one (a passkey). A
    /// fragment is left out.
    pub fn url(&self, announce: &str) -> String {
        let mut url = begin(announce);
        parameter(&mut url, "info_hash", &self.info_hash.0);
        parameter(&mut url, "peer_id", &self.peer_id.0);
        number(&mut url, "port", self.port.into());
        number(&mut url, "uploaded", self.uploaded);
        number(&mut url, "downloaded", self.downloaded);
        number(&mut url, "left", self.left);
        if let Some(event) = self.event.name() {
            parameter(&mut url, "event", event.as_bytes());
        }
        if let Some(numwant) = self.numwant {
            number(&mut url, "numwant", numwant.into());
        }
        if let Some(compact) = self.compact {
            number(&mut url, "compact", compact.into());
        }
        if self.no_peer_id {
            number(&mut url, "no_peer_id", 1);
        }
        for (name, value) in [("ip", &self.ip), ("key", &self.key), ("trackerid", &self.tracker_id)] {
            if let Some(value) = value {
                parameter(&mut url, name, value);
            }
        }
        url
    }
}

impl ScrapeQuery {
    /// Reads the part of the request's target after the `?`, if there is one.
    ///
    /// # Errors
    /// When an `info_hash` cannot be read.
    pub fn parse(query: &[u8]) -> Result<Self, QueryError> {
        let mut info_hashes = Vec::new();
        for (name, value) in parameters(query)? {
            if name == b"info_hash" {
                info_hashes.push(InfoHash(id(value).map_err(|reason| reason.of("info_hash"))?));
            }
        }
        Ok(ScrapeQuery { info_hashes })
    }

    /// The URL to ask, made of the announce URL: the text `announce` that begins its last path segment becomes
    /// `scrape` (BEP 48). `None` if there is no such text: the tracker cannot be scraped.
    pub fn url(&self, announce: &str) -> Option<String> {
        let announce = announce.split('#').next().unwrap_or_default();
        let path = announce.split('?').next().unwrap_or_default();
        let (before, last) = announce.split_at(path.rfind('/')? + 1);
        let mut url = String::from(before);
        url.push_str("scrape");
        url.push_str(last.strip_prefix("announce")?);
        let mut url = begin(&url);
        self.info_hashes.iter().for_each(|hash| parameter(&mut url, "info_hash", &hash.0));
        if self.info_hashes.is_empty() {
            url.pop();
        }
        Some(url)
    }
}

/// The parameters of an announce as they come in. Each is set once.
#[derive(Default)]
struct Fields {
    info_hash: Option<[u8; 20]>,
    peer_id: Option<[u8; 20]>,
    port: Option<u16>,
    uploaded: Option<u64>,
    downloaded: Option<u64>,
    left: Option<u64>,
    event: Option<AnnounceEvent>,
    numwant: Option<Option<u32>>,
    compact: Option<bool>,
    no_peer_id: Option<bool>,
    ip: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    tracker_id: Option<Vec<u8>>,
}

impl Fields {
    fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), QueryError> {
        match name {
            b"info_hash" => once(&mut self.info_hash, "info_hash", id(value)),
            b"peer_id" => once(&mut self.peer_id, "peer_id", id(value)),
            b"port" => once(&mut self.port, "port", integer(value, 1, u16::MAX.into()).map(|n| n as u16)),
            b"uploaded" => once(&mut self.uploaded, "uploaded", integer(value, 0, u64::MAX)),
            b"downloaded" => once(&mut self.downloaded, "downloaded", integer(value, 0, u64::MAX)),
            b"left" if value == b"-1" => once(&mut self.left, "left", Ok(u64::MAX)),
            b"left" => once(&mut self.left, "left", integer(value, 0, u64::MAX)),
            b"event" => once(&mut self.event, "event", event(value)),
            b"numwant" if value == b"-1" => once(&mut self.numwant, "numwant", Ok(None)),
            b"numwant" => {
                let wanted = integer(value, 0, u32::MAX.into()).map(|wanted| Some(wanted as u32));
                once(&mut self.numwant, "numwant", wanted)
            }
            b"compact" => once(&mut self.compact, "compact", flag(value)),
            b"no_peer_id" => once(&mut self.no_peer_id, "no_peer_id", flag(value)),
            b"ip" => once(&mut self.ip, "ip", text(value)),
            b"key" => once(&mut self.key, "key", text(value)),
            b"trackerid" => once(&mut self.tracker_id, "trackerid", text(value)),
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<AnnounceQuery, QueryError> {
        Ok(AnnounceQuery {
            info_hash: InfoHash(self.info_hash.ok_or(Reason::Missing.of("info_hash"))?),
            peer_id: PeerId(self.peer_id.ok_or(Reason::Missing.of("peer_id"))?),
            port: self.port.ok_or(Reason::Missing.of("port"))?,
            uploaded: self.uploaded.unwrap_or(0),
            downloaded: self.downloaded.unwrap_or(0),
            left: self.left.ok_or(Reason::Missing.of("left"))?,
            event: self.event.unwrap_or_default(),
            numwant: self.numwant.flatten(),
            compact: self.compact,
            no_peer_id: self.no_peer_id.unwrap_or(false),
            ip: self.ip,
            key: self.key,
            tracker_id: self.tracker_id,
        })
    }
}

fn once<T>(field: &mut Option<T>, name: &'static str, value: Result<T, Reason>) -> Result<(), QueryError> {
    match (field.is_some(), value) {
        (true, _) => Err(Reason::Repeated.of(name)),
        (false, Ok(value)) => {
            *field = Some(value);
            Ok(())
        }
        (false, Err(reason)) => Err(reason.of(name)),
    }
}

/// Names and values, still encoded; a parameter without `=` has an empty value.
fn parameters(query: &[u8]) -> Result<impl Iterator<Item = (&[u8], &[u8])>, QueryError> {
    if query.len() > MAX_QUERY {
        return Err(QueryError::TooLong);
    }
    Ok(query.split(|&byte| byte == b'&').filter(|part| !part.is_empty()).map(|part| {
        let equals = part.iter().position(|&byte| byte == b'=');
        equals.map_or((part, &[][..]), |at| (&part[..at], &part[at + 1..]))
    }))
}

/// The bytes of a value once decoded.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = Result<u8, Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        if first != b'%' {
            return Some(Ok(first));
        }
        let [high, low, rest @ ..] = rest else { return Some(Err(Reason::Escape)) };
        self.0 = rest;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        Some(match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => Ok((high * 16 + low) as u8),
            _ => Err(Reason::Escape),
        })
    }
}

fn id(value: &[u8]) -> Result<[u8; 20], Reason> {
    let (mut id, mut length) = ([0; 20], 0);
    for byte in Decoded(value) {
        let byte = byte?;
        if let Some(place) = id.get_mut(length) {
            *place = byte;
        }
        length += 1;
    }
    if length == 20 { Ok(id) } else { Err(Reason::Length(length)) }
}

fn integer(value: &[u8], min: u64, max: u64) -> Result<u64, Reason> {
    let mut number: Option<u64> = None;
    let mut overflow = false;
    for byte in Decoded(value) {
        let digit = byte?.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Reason::NotANumber);
        }
        let next = number.unwrap_or(0).checked_mul(10).and_then(|tens| tens.checked_add(digit.into()));
        overflow |= next.is_none();
        number = Some(next.unwrap_or(u64::MAX));
    }
    let number = number.ok_or(Reason::NotANumber)?;
    if overflow || !(min..=max).contains(&number) { Err(Reason::Range { min, max }) } else { Ok(number) }
}

fn flag(value: &[u8]) -> Result<bool, Reason> {
    match value {
        b"0" => Ok(false),
        b"1" => Ok(true),
        _ => Err(Reason::NotAFlag),
    }
}

fn event(value: &[u8]) -> Result<AnnounceEvent, Reason> {
    match value {
        // A partial seed says `paused` (BEP 21); to the tracker it is a leecher like others.
        b"" | b"empty" | b"paused" => Ok(AnnounceEvent::None),
        b"started" => Ok(AnnounceEvent::Started),
        b"completed" => Ok(AnnounceEvent::Completed),
        b"stopped" => Ok(AnnounceEvent::Stopped),
        _ => Err(Reason::NotAnEvent),
    }
}

fn text(value: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut text = Vec::new();
    for byte in Decoded(value) {
        if text.len() == MAX_TEXT {
            return Err(Reason::TooLong);
        }
        text.push(byte?);
    }
    Ok(text)
}

/// The announce URL without a fragment, ready to take parameters.
fn begin(announce: &str) -> String {
    let mut url = String::with_capacity(announce.len() + 320);
    url.push_str(announce.split('#').next().unwrap_or_default());
    match url.find('?') {
        None => url.push('?'),
        Some(_) if url.ends_with(['?', '&']) => {}
        Some(_) => url.push('&'),
    }
    url
}

fn parameter(url: &mut String, name: &str, value: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    name_of(url, name);
    for &byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(byte.into());
        } else {
            url.push('%');
            url.push(DIGITS[usize::from(byte >> 4)].into());
            url.push(DIGITS[usize::from(byte & 15)].into());
        }
    }
}

fn number(url: &mut String, name: &str, value: u64) {
    name_of(url, name);
    // Writing to a String cannot fail.
    let _ = write!(url, "{value}");
}

fn name_of(url: &mut String, name: &str) {
    if !url.ends_with(['?', '&']) {
        url.push('&');
    }
    url.push_str(name);
    url.push('=');
}

#[cfg(test)]
mod tests;
