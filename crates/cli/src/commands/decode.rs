//! `swarmlab decode`: explains bytes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;
use serde_json::json;

use crate::decode::{self, Explained, Fault, Kind, render};
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;

/// Explain bencode, a handshake, peer messages or an announce, byte by byte
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab decode --text d5:hello5:worlde
  swarmlab decode debian.torrent
  swarmlab decode --hex --text '00 00 00 05 04 00 00 00 07'
  curl -s \"$ANNOUNCE_URL\" | swarmlab decode -

Input that is malformed is explained up to the error; the exit status is then 2.")]
pub struct Decode {
    /// What to explain; - is standard input, as is leaving it out
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Explain this text instead of a file
    #[arg(short, long, conflicts_with = "file", allow_hyphen_values = true)]
    text: Option<String>,
    /// The input is written in hexadecimal; blanks, line ends and colons do not count
    #[arg(long)]
    hex: bool,
    /// Take the input for this instead of guessing
    #[arg(long = "as", value_name = "KIND", value_enum)]
    kind: Option<Kind>,
    /// A line for every part of every value, however long the input is
    #[arg(long)]
    full: bool,
    /// Print one JSON document (schema decode/1)
    #[arg(long)]
    json: bool,
}

/// Most input that is explained, in bytes.
const LARGEST: u64 = 64 << 20;

#[derive(Serialize)]
struct Document<'a> {
    kind: &'static str,
    length: usize,
    spans: Vec<decode::WithBytes<'a>>,
    warnings: Vec<serde_json::Value>,
    error: Option<serde_json::Value>,
}

impl Decode {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let input = self.input(env)?;
        let data = if self.hex { parse_hex(&input)? } else { input };
        if data.is_empty() {
            return Err(Error::invalid("there is nothing to decode: the input is empty")
                .help("swarmlab decode --text 5:hello shows how it looks"));
        }
        let explained = decode::explain(self.kind.unwrap_or_else(|| Kind::of(&data)), &data);
        if self.json {
            env.json("decode/1", &document(&explained, &data))?;
        } else {
            env.print(render::render(&explained, &data, self.full, env.out_style()).as_bytes())?;
        }
        for warning in &explained.warnings {
            env.warn(format_args!("byte {}: {}", warning.offset, warning.reason));
        }
        match explained.fault {
            None => Ok(Exit::Done),
            Some(fault) => Err(self.refuse(explained.kind, &fault)),
        }
    }

    fn input(&self, env: &Env) -> Result<Vec<u8>, Error> {
        if let Some(text) = &self.text {
            return Ok(text.clone().into_bytes());
        }
        let mut bytes = Vec::new();
        let (name, result) = match self.file.as_deref().filter(|file| *file != Path::new("-")) {
            Some(file) => {
                let result = File::open(env.resolve(file));
                (
                    file.display().to_string(),
                    result.and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)),
                )
            }
            None => {
                if env.in_is_terminal() {
                    env.note("type what to decode, end with Ctrl-D");
                }
                ("standard input".to_owned(), env.stdin().by_ref().take(LARGEST + 1).read_to_end(&mut bytes))
            }
        };
        result.map_err(|error| {
            let help = (error.kind() == std::io::ErrorKind::NotFound).then(|| {
                format!("if that is what to explain, not a file's name: swarmlab decode --text '{name}'")
            });
            let error = Error::failed(format!("cannot read {name}")).because(error);
            help.into_iter().fold(error, Error::help)
        })?;
        if bytes.len() as u64 > LARGEST {
            return Err(Error::invalid(format!("{name} is larger than 64 MiB, the most that is explained")));
        }
        Ok(bytes)
    }

    fn refuse(&self, kind: Kind, fault: &Fault) -> Error {
        let error = Error::invalid(format!("byte {}: {}", fault.offset, fault.reason));
        match self.kind {
            None if fault.offset == 0 => {
                error.help(format!("this was taken for {}; say what it is with --as KIND", kind.title()))
            }
            _ => error,
        }
    }
}

fn document<'a>(explained: &'a Explained, data: &'a [u8]) -> Document<'a> {
    let fault = |fault: &Fault| json!({"offset": fault.offset, "message": fault.reason});
    Document {
        kind: match explained.kind {
            Kind::Bencode => "bencode",
            Kind::Torrent => "torrent",
            Kind::Reply => "reply",
            Kind::Handshake => "handshake",
            Kind::Messages => "messages",
            Kind::Request => "request",
        },
        length: data.len(),
        spans: explained.spans.iter().map(|span| decode::WithBytes(span, data)).collect(),
        warnings: explained.warnings.iter().map(fault).collect(),
        error: explained.fault.as_ref().map(fault),
    }
}

fn parse_hex(text: &[u8]) -> Result<Vec<u8>, Error> {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let mut digits = Vec::new();
    for (offset, byte) in text.iter().enumerate() {
        match char::from(*byte).to_digit(16) {
            Some(digit) => digits.push(digit as u8),
            None if byte.is_ascii_whitespace() || *byte == b':' => {}
            None => {
                let shown = byte.escape_ascii();
                return Err(Error::invalid(format!(
                    "character {offset} of the input, '{shown}', is no hexadecimal digit"
                ))
                .help("leave out --hex if the input is the bytes themselves"));
            }
        }
    }
    if !digits.len().is_multiple_of(2) {
        return Err(Error::invalid(format!(
            "{} hexadecimal digits make no whole number of bytes",
            digits.len()
        ))
        .help("each byte is two digits"));
    }
    Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, run_with};

    #[track_caller]
    fn shows(args: &[&str], expected: &str) {
        let outcome = run(&[&["decode"], args].concat());
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
        assert_eq!(outcome.stdout, expected);
    }

    #[test]
    fn the_four_types() {
        shows(
            &["-t", "5:hello"],
            "\
bencode, 7 bytes

     0  5:hello  string     hello
     0    5      length     5      bytes that follow the colon
     1    :      separator
     2    hello  content    hello
",
        );
        shows(
            &["-t", "i42e"],
            "\
bencode, 4 bytes

     0  i42e  integer               42
     0    i   start of the integer
     1    42  number                42  decimal, with a sign if negative
     3    e   end of the integer
",
        );
        shows(
            &["-t", "l5:helloi42ee"],
            "\
bencode, 13 bytes

     0  l          list                  2 items
     1    5:hello  string                hello
     1      5      length                5        bytes that follow the colon
     2      :      separator
     3      hello  content               hello
     8    i42e     integer               42
     8      i      start of the integer
     9      42     number                42       decimal, with a sign if negative
    11      e      end of the integer
    12  e          end of the list
",
        );
        shows(
            &["-t", "d5:hello5:worlde"],
            "\
bencode, 16 bytes

     0  d          dictionary             1 entry
     1    5:hello  key                    hello
     1      5      length                 5        bytes that follow the colon
     2      :      separator
     3      hello  content                hello
     8    5:world  string                 world
     8      5      length                 5        bytes that follow the colon
     9      :      separator
    10      world  content                world
    15  e          end of the dictionary
",
        );
    }

    #[test]
    fn a_handshake_and_messages() {
        let hello = b"13426974546f7272656e742070726f746f636f6c0000000000100005\
            6161616161616161616161616161616161616161\
            2d5452333030302d6162636465666768696a6b6c\
            00000000 00000005 04 00000007 0000000c 07 00000001 00004000 616263";
        let outcome = run_with(Path::new(""), &["decode", "--hex"], hello);
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
        assert_eq!(
            outcome.stdout,
            "\
a handshake, 97 bytes

     0                                        handshake                                            opens every peer connection, both ways (BEP 3)
     0    13                                  length     19                                        of the protocol's name
     1    BitTorrent protocol                 protocol   BitTorrent protocol
    20    00 00 00 00 00 10 00 05             reserved   extension protocol, DHT, fast extension   a bit per extension (BEP 4, 5, 6, 10)
    28    61 61 61 61 61 61 61 61 61 61 61 …  info hash  6161616161616161616161616161616161616161  SHA-1 of the info dictionary: which torrent
    48    -TR3000-abcdefghijkl                peer id    -TR3000-abcdefghijkl                      Transmission, version 3.0.0.0
    68                                        message    keep-alive                                nothing to say, still here
    68    00 00 00 00                         length     0                                         bytes that follow
    72                                        message    have: piece 7                             I have got this piece and checked it
    72    00 00 00 05                         length     5                                         bytes that follow
    76    04                                  id         4                                         have
    77    00 00 00 07                         piece      7                                         index, from 0
    81                                        message    piece: piece 1, 3 B from byte 16384       here is a block
    81    00 00 00 0c                         length     12                                        bytes that follow
    85    07                                  id         7                                         piece
    86    00 00 00 01                         piece      1                                         index, from 0
    90    00 00 40 00                         begin      16384                                     offset in the piece, in bytes
    94    61 62 63                            block      3 B                                       content
"
        );
    }

    #[test]
    fn an_announce() {
        let url = "/announce?info_hash=%c1/%e1%c0k%ba%25J%9d%c9%f5%19%b35%aa%7c%13g%a8%8a\
                   &peer_id=-TR3000-abcdefghijkl&port=6881&left=0&event=completed";
        shows(
            &["-t", url],
            "\
a tracker request, 132 bytes

     0  /announce                             announce URL        /announce
     9  ?                                     start of the query
    10  info_hash=%c1/%e1%c0k%ba%25J%9d%c9%…  info_hash           c12fe1c06bba254a9dc9f519b335aa7c1367a88a  which torrent: 20 bytes, percent-encoded
    70  &                                     separator
    71  peer_id=-TR3000-abcdefghijkl          peer_id             -TR3000-abcdefghijkl                      Transmission, version 3.0.0.0
    99  &                                     separator
   100  port=6881                             port                6881                                      TCP port the client listens on
   109  &                                     separator
   110  left=0                                left                0                                         bytes it lacks: none, it is a seed
   116  &                                     separator
   117  event=completed                       event               completed                                 it has just got the last piece
",
        );
    }

    #[test]
    fn malformed_input_is_explained_up_to_the_error() {
        let outcome = run(&["decode", "-t", "d5:hello"]);
        assert_eq!(outcome.status, 2);
        assert!(outcome.stdout.contains("hello"), "{}", outcome.stdout);
        assert_eq!(outcome.stderr, "error: byte 8: the input ends inside a value\n");
        let outcome = run(&["decode", "-t", "i03e"]);
        assert_eq!(outcome.status, 2);
        assert!(outcome.stderr.contains("leading zero"), "{}", outcome.stderr);
        let outcome = run(&["decode", "-t", "nonsense"]);
        assert_eq!(outcome.status, 2);
        assert!(outcome.stderr.contains("say what it is with --as KIND"), "{}", outcome.stderr);
    }

    #[test]
    fn standard_input_and_its_line_end() {
        let outcome = run_with(Path::new(""), &["decode"], b"i42e\n");
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
        assert!(outcome.stdout.contains("not part of the value"));
    }

    #[test]
    fn hexadecimal_input() {
        let outcome = run(&["decode", "--hex", "-t", "00:00 0005\n04 00000007"]);
        assert_eq!(outcome.status, 0, "{}", outcome.stderr);
        assert!(outcome.stdout.contains("have: piece 7"), "{}", outcome.stdout);
        for (text, says) in [("0g", "character 1 of the input, 'g'"), ("000", "3 hexadecimal digits")] {
            let outcome = run(&["decode", "--hex", "-t", text]);
            assert_eq!(outcome.status, 2);
            assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
        }
    }

    #[test]
    fn json_lists_the_spans() {
        let document = run(&["decode", "--json", "-t", "d5:hello5:worlde"]).json();
        assert_eq!(document["schema"], "decode/1");
        assert_eq!(document["kind"], "bencode");
        assert_eq!(document["length"], 16);
        assert_eq!(document["error"], json!(null));
        let value = &document["spans"][0]["children"][2];
        let content = json!({"offset": 10, "len": 5, "bytes_hex": "776f726c64", "name": "content", "value": "world", "meaning": ""});
        assert_eq!(value["children"][2], content);
        let broken = run(&["decode", "--json", "-t", "i42"]);
        assert_eq!(broken.status, 2);
        assert_eq!(broken.json()["error"]["offset"], 3);
    }

    #[test]
    fn a_name_that_is_no_file_gets_advice() {
        let outcome = run(&["decode", "5:hello"]);
        assert_eq!(outcome.status, 1);
        assert!(outcome.stderr.contains("swarmlab decode --text '5:hello'"), "{}", outcome.stderr);
    }
}
