//! URLs of HTTP trackers, as far as a client needs to take them apart.
//!
//! A tracker's query is percent-encoded bytes that must arrive as they were written, so nothing is normalised: what
//! is not plain ASCII is refused, not repaired.

use std::fmt;

/// An `http` or `https` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HttpUrl {
    pub(super) https: bool,
    /// Host name or address; an IPv6 address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Host and port as they were written: the `Host` of the request.
    pub(super) authority: String,
    /// Path and query, beginning with a slash.
    pub(super) target: String,
}

/// Why a URL cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It has no scheme.
    #[error("it is not a URL; it must begin with http:// or https://")]
    NotAUrl,
    /// A scheme that is not spoken.
    #[error("trackers are asked over http and https, not over {0}")]
    Scheme(String),
    /// A space, a control character or a letter outside ASCII.
    #[error("it holds {0:?}, which must be percent-encoded")]
    Character(char),
    /// No host, or one that cannot be a host name or an address.
    #[error("{0:?} is not a host name or an IP address")]
    Host(String),
    /// Not a port number.
    #[error("{0:?} is not a port from 1 to 65535")]
    Port(String),
    /// `user:password@` in front of the host.
    #[error("a user name in the URL is not supported")]
    User,
    /// A path or query that HTTP does not allow.
    #[error("its path or query holds a character that must be percent-encoded")]
    Target,
}

impl HttpUrl {
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        if let Some(odd) = text.chars().find(|letter| !letter.is_ascii_graphic()) {
            return Err(UrlError::Character(odd));
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::NotAUrl)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            other => return Err(UrlError::Scheme(other.to_owned())),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlError::User);
        }
        let (host, port) = split(authority)?;
        let port = match port {
            None | Some("") => 80 + 363 * u16::from(https),
            Some(port) => {
                let number = port.parse().ok().filter(|&number| number != 0);
                number.ok_or_else(|| UrlError::Port(port.to_owned()))?
            }
        };
        let slash = if target.starts_with('/') { "" } else { "/" };
        let target = format!("{slash}{target}");
        Ok(HttpUrl { https, host: host.to_owned(), port, authority: authority.to_owned(), target })
    }

    /// The URL that a `Location` header leads to (RFC 3986, section 5, without `.` and `..` segments).
    pub(super) fn join(&self, location: &str) -> Result<Self, UrlError> {
        let scheme = if self.https { "https" } else { "http" };
        let path = self.target.split('?').next().unwrap_or_default();
        let own = location.split(['?', '#']).next().unwrap_or_default();
        Self::parse(&if own.contains("://") {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{}{location}", self.authority)
        } else if location.starts_with('?') {
            format!("{scheme}://{}{path}{location}", self.authority)
        } else {
            let folder = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
            format!("{scheme}://{}{folder}{location}", self.authority)
        })
    }
}

/// Host and port of an authority.
fn split(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    let wrong = || UrlError::Host(authority.to_owned());
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(wrong)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(wrong()),
        };
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if host.is_empty() || !host.bytes().all(sound) { Err(wrong()) } else { Ok((host, port)) }
}

/// Without the query, which may hold a passkey.
impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "{}://{}{path}", if self.https { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (bool, String, u16, String) {
        let url = HttpUrl::parse(text).unwrap();
        (url.https, url.host, url.port, url.target)
    }

    #[test]
    fn urls_come_apart() {
        for (text, https, host, port, target) in [
            ("http://t/announce", false, "t", 80, "/announce"),
            ("HTTPS://t.example:8443/a/b?x=%20#y", true, "t.example", 8443, "/a/b?x=%20"),
            ("https://t", true, "t", 443, "/"),
            ("http://t?x=1", false, "t", 80, "/?x=1"),
            ("http://t:/x", false, "t", 80, "/x"),
            ("http://[::1]:6969/announce", false, "::1", 6969, "/announce"),
            ("http://[2001:db8::1]/x", false, "2001:db8::1", 80, "/x"),
            ("http://10.0.0.1:1/x@y:z", false, "10.0.0.1", 1, "/x@y:z"),
        ] {
            assert_eq!(parts(text), (https, host.to_owned(), port, target.to_owned()), "{text}");
        }
        assert_eq!(HttpUrl::parse("http://[::1]:80/a?passkey=1").unwrap().to_string(), "http://[::1]:80/a");
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for (text, words) in [
            ("tracker:80/announce", "begin with http://"),
            ("udp://t:80", "not over udp"),
            ("http://t/a b", "' '"),
            ("http://tracker.örg/", "'ö'"),
            ("http:///x", "\"\" is not a host name"),
            ("http://a_b!/x", "is not a host name"),
            ("http://[::g]/x", "is not a host name"),
            ("http://[::1]x/", "is not a host name"),
            ("http://t:0/", "\"0\" is not a port"),
            ("http://t:65536/", "is not a port"),
            ("http://t:8x/", "is not a port"),
            ("http://me:secret@t/", "user name"),
        ] {
            let error = HttpUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn locations_are_followed() {
        let base = HttpUrl::parse("https://t:8443/a/announce?x=1").unwrap();
        for (location, url) in [
            ("http://other/y?z=1", "http://other/y?z=1"),
            ("//other/y", "https://other/y"),
            ("/y?z", "https://t:8443/y?z"),
            ("/y?to=http://other/", "https://t:8443/y?to=http://other/"),
            ("y", "https://t:8443/a/y"),
            ("?z", "https://t:8443/a/announce?z"),
        ] {
            assert_eq!(base.join(location), HttpUrl::parse(url), "{location}");
        }
        assert_eq!(base.join("ftp://x/"), Err(UrlError::Scheme("ftp".into())));
    }
}
