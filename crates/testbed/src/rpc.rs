//! HTTP to a program on this machine, from inside its network namespace: small requests, whole replies.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Longest wait for an answer of a program that is busy.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    /// The value of a header, whose name is not case-sensitive (RFC 9110, section 5.1).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers
            .map(|(key, value)| (key, value.trim()))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    fn parse(text: &str) -> Option<Reply> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Reply { status, head: head.to_owned(), body: body.to_owned() })
    }
}

/// Moves the calling thread into the network namespace that a file stands for. It stays there, so it should be a thread for
/// this purpose.
pub(crate) fn enter(namespace: &str) -> io::Result<()> {
    let file = File::open(namespace)?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).map_err(io::Error::from)
}

/// Asks for a page.
pub(crate) fn get(server: SocketAddr, path: &str) -> io::Result<Reply> {
    exchange(server, &format!("GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n"))
}

/// Hands in a JSON text; `header` is a further line of the head, or empty.
pub(crate) fn post(server: SocketAddr, path: &str, header: &str, body: &str) -> io::Result<Reply> {
    let line = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    exchange(
        server,
        &format!(
            "POST {path} HTTP/1.0\r\nHost: {server}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{line}\r\n{body}"
        ),
    )
}

/// HTTP/1.0: the end of the answer is the end of the connection, or of the length it names.
fn exchange(server: SocketAddr, request: &str) -> io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&server, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while (answer.len() as u64) < LARGEST && !is_whole(&answer) {
        match stream.read(&mut part)? {
            0 => break,
            length => answer.extend_from_slice(&part[..length]),
        }
    }
    let text = String::from_utf8_lossy(&answer);
    Reply::parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no answer in HTTP"))
}

/// Whether an answer has all the bytes its head promises; some servers keep the connection open all the same.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&answer[..end + 4]);
    let promised =
        Reply::parse(&text).and_then(|reply| reply.header("content-length")?.parse::<usize>().ok());
    promised.is_some_and(|length| answer.len() >= end + 4 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_whole_when_their_length_says_so() {
        let answer = b"HTTP/1.1 409 Conflict\r\nX-Session: abc\r\ncontent-length: 4\r\n\r\nbody";
        assert!(is_whole(answer) && !is_whole(&answer[..answer.len() - 1]) && !is_whole(&answer[..20]));
        let reply = Reply::parse(std::str::from_utf8(answer).unwrap()).unwrap();
        assert_eq!(
            (reply.status, reply.header("x-session"), reply.body.as_str()),
            (409, Some("abc"), "body")
        );
        assert!(Reply::parse("HTTP/1.0").is_none());
    }
}
