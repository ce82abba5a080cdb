//! Bencode (BEP 3): byte strings, integers, lists and dictionaries.
//!
//! Owns reading and writing of the four types. Reading never recurses and never copies: [`Reader`] gives one
//! [`Event`] per token, [`Document`] keeps them as a flat tree that borrows the input, and every node knows the
//! range of bytes it was read from (the raw range of `info` is what is hashed). Writing goes through [`dict`] and
//! [`list`], which cannot produce anything but the canonical form. What the keys *mean* is not known here.
//!
//! ```
//! use swarmlab_metainfo::bencode::{self, Document};
//!
//! let document = Document::strict(b"d5:hello5:worlde").unwrap();
//! let world = document.root().get(b"hello").unwrap();
//! assert_eq!(world.as_bytes(), Some(&b"world"[..]));
//! assert_eq!(world.span(), 8..15);
//! assert_eq!(bencode::dict(|d| d.bytes("hello", "world")), b"d5:hello5:worlde");
//! ```

mod document;
mod encode;
mod error;
mod reader;

#[cfg(test)]
mod tests;

pub use document::{Document, Entries, Items, Kind, Node};
pub use encode::{DictEncoder, ListEncoder, bytes, dict, int, list};
pub use error::{Error, Reason};
pub use reader::{Event, Limits, Mode, Reader, Token};
