use super::*;
use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};
use proptest::prelude::*;

const UNLIMITED: Limits = Limits { depth: usize::MAX, size: usize::MAX, items: usize::MAX };

#[test]
fn examples_of_the_format() {
    let document = Document::strict(b"5:hello").unwrap();
    assert_eq!(document.root().as_bytes(), Some(&b"hello"[..]));
    assert_eq!(bytes("hello"), b"5:hello");

    let document = Document::strict(b"i42e").unwrap();
    assert_eq!(document.root().as_int(), Some(42));
    assert_eq!(int(42), b"i42e");

    let document = Document::strict(b"l5:helloi42ee").unwrap();
    let items: Vec<_> = document.root().items().unwrap().collect();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].as_str(), Some("hello"));
    assert_eq!(items[1].as_int(), Some(42));
    let written = list(|l| {
        l.bytes("hello");
        l.int(42);
    });
    assert_eq!(written, b"l5:helloi42ee");

    let document = Document::strict(b"d5:hello5:worlde").unwrap();
    assert_eq!(document.root().get(b"hello").unwrap().as_str(), Some("world"));
    assert_eq!(dict(|d| d.bytes("hello", "world")), b"d5:hello5:worlde");
}

#[test]
fn every_fault_has_its_reason_and_offset() {
    use Reason::*;
    let past = |length, left| LengthPastEnd { length, left };
    let table: &[(&[u8], usize, Reason)] = &[
        (b"", 0, UnexpectedEnd),
        (b"i", 1, UnexpectedEnd),
        (b"i-", 2, UnexpectedEnd),
        (b"i42", 3, UnexpectedEnd),
        (b"l", 1, UnexpectedEnd),
        (b"li1e", 4, UnexpectedEnd),
        (b"d", 1, UnexpectedEnd),
        (b"d1:a", 4, UnexpectedEnd),
        (b"d1:ai1e", 7, UnexpectedEnd),
        (b"5", 1, UnexpectedEnd),
        (b"e", 0, UnexpectedByte(b'e')),
        (b"x", 0, UnexpectedByte(b'x')),
        (b"-1:a", 0, UnexpectedByte(b'-')),
        (b" i1e", 0, UnexpectedByte(b' ')),
        (b"i 1e", 1, UnexpectedByte(b' ')),
        (b"i1 e", 2, UnexpectedByte(b' ')),
        (b"i+1e", 1, UnexpectedByte(b'+')),
        (b"i1.5e", 2, UnexpectedByte(b'.')),
        (b"i--1e", 2, UnexpectedByte(b'-')),
        (b"i0x10e", 2, UnexpectedByte(b'x')),
        (b"5hello", 1, UnexpectedByte(b'h')),
        (b"1;a", 1, UnexpectedByte(b';')),
        (b"l1:ax", 4, UnexpectedByte(b'x')),
        (b"dx", 1, UnexpectedByte(b'x')),
        (b"ie", 1, NoDigits),
        (b"i-e", 1, NoDigits),
        (b"i00e", 1, LeadingZero),
        (b"i042e", 1, LeadingZero),
        (b"i-01e", 1, LeadingZero),
        (b"i-00e", 1, LeadingZero),
        (b"05:hello", 0, LeadingZero),
        (b"00:", 0, LeadingZero),
        (b"d01:ai1ee", 1, LeadingZero),
        (b"i-0e", 1, NegativeZero),
        (b"i9223372036854775808e", 1, IntegerOverflow),
        (b"i-9223372036854775809e", 1, IntegerOverflow),
        (b"i99999999999999999999999999e", 1, IntegerOverflow),
        (b"5:hell", 0, past(5, 4)),
        (b"1:", 0, past(1, 0)),
        (b"l4294967296:ae", 1, past(1 << 32, 2)),
        (b"18446744073709551615:", 0, past(u64::MAX, 0)),
        (b"99999999999999999999999:", 0, past(u64::MAX, 0)),
        (b"di1ei2ee", 1, KeyNotAString),
        (b"dlei2ee", 1, KeyNotAString),
        (b"ddei2ee", 1, KeyNotAString),
        (b"d1:ae", 4, MissingValue),
        (b"d1:ai1e1:be", 10, MissingValue),
        (b"d1:bi1e1:ai2ee", 7, UnsortedKey),
        (b"d2:aai1e1:ai2ee", 8, UnsortedKey),
        (b"d1:ai1e1:ai2ee", 7, DuplicateKey),
        (b"d0:i1e0:i2ee", 6, DuplicateKey),
        (b"i1ei2e", 3, TrailingBytes(3)),
        (b"5:hello\n", 7, TrailingBytes(1)),
        (b"dee", 2, TrailingBytes(1)),
    ];
    for &(input, offset, reason) in table {
        let shown = String::from_utf8_lossy(input);
        assert_eq!(Document::strict(input).unwrap_err(), Error { offset, reason }, "{shown}");
        if reason.is_forgivable() {
            let document = Document::lenient(input).unwrap();
            assert_eq!(document.warnings(), [Error { offset, reason }], "{shown}");
        } else {
            assert_eq!(Document::lenient(input).unwrap_err(), Error { offset, reason }, "{shown}");
        }
    }
}

#[test]
fn the_whole_range_of_integers_is_read_and_written() {
    for value in [0, 1, -1, 9, 10, -10, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1] {
        let written = int(value);
        assert_eq!(Document::strict(&written).unwrap().root().as_int(), Some(value));
    }
    assert_eq!(Document::lenient(b"i-0e").unwrap().root().as_int(), Some(0));
    assert_eq!(Document::lenient(b"i-007e").unwrap().root().as_int(), Some(-7));
}

#[test]
fn of_a_key_given_twice_the_first_counts() {
    let document = Document::lenient(b"d1:ai1e1:bi2e1:ai3ee").unwrap();
    assert_eq!(document.root().get(b"a").unwrap().as_int(), Some(1));
    assert_eq!(document.root().entries().unwrap().count(), 3);
    assert_eq!(document.warnings(), [Error { offset: 13, reason: Reason::UnsortedKey }]);
}

#[test]
fn a_node_knows_its_bytes_and_only_its_type() {
    let input = b"d4:infod6:lengthi5e4:listld1:xleeee5:otherlee";
    let document = Document::strict(input).unwrap();
    let info = document.root().get(b"info").unwrap();
    assert_eq!(info.raw(), b"d6:lengthi5e4:listld1:xleeee");
    assert_eq!(&input[info.span()], info.raw());
    assert_eq!(info.kind(), Kind::Dict);
    assert_eq!(info.get(b"length").unwrap().as_int(), Some(5));
    assert_eq!(info.get(b"list").unwrap().raw(), b"ld1:xleee");
    assert!(info.get(b"other").is_none());
    assert!(info.items().is_none());
    assert!(info.as_bytes().is_none());
    assert!(info.as_int().is_none());
    let other = document.root().get(b"other").unwrap();
    assert_eq!(other.items().unwrap().count(), 0);
    assert!(other.get(b"length").is_none());
    let keys: Vec<_> = document.root().entries().unwrap().map(|(key, _)| key.span()).collect();
    assert_eq!(keys, [1..7, 35..42]);
}

#[test]
fn events_name_every_byte_once() {
    let input = b"d1:ali-7e3:xyzee";
    let events: Vec<_> = Reader::new(input, Mode::Strict, UNLIMITED).map(Result::unwrap).collect();
    let expected = [
        (Token::Dict, 0..1, 0),
        (Token::Key(b"a"), 1..4, 1),
        (Token::List, 4..5, 1),
        (Token::Int(-7), 5..9, 2),
        (Token::Bytes(b"xyz"), 9..14, 2),
        (Token::End, 14..15, 1),
        (Token::End, 15..16, 0),
    ];
    assert_eq!(events, expected.map(|(token, span, depth)| Event { token, span, depth }));
}

#[test]
fn the_reader_stops_at_an_error_and_keeps_it() {
    let mut reader = Reader::new(b"li1ex", Mode::Lenient, UNLIMITED);
    assert!(reader.next().unwrap().is_ok());
    assert!(reader.next().unwrap().is_ok());
    let error = Error { offset: 4, reason: Reason::UnexpectedByte(b'x') };
    assert_eq!(reader.next(), Some(Err(error)));
    assert_eq!(reader.next(), None);
    assert_eq!(reader.finish(), Err(error));
}

#[test]
fn a_prefix_leaves_the_rest() {
    let limits = Limits::default();
    let (document, rest) = Document::prefix(b"d8:msg_typei1eePAYLOAD", Mode::Strict, limits).unwrap();
    assert_eq!(document.root().get(b"msg_type").unwrap().as_int(), Some(1));
    assert_eq!(rest, b"PAYLOAD");
    assert!(Document::prefix(b"d8:msg_typei1e", Mode::Strict, limits).is_err());
}

#[test]
fn a_megabyte_of_nesting_does_not_overflow_the_stack() {
    const DEPTH: usize = 1 << 20;
    for open in [&b"l"[..], b"d1:a"] {
        let mut input = open.repeat(DEPTH);
        let error = Document::lenient(&input).unwrap_err();
        assert_eq!(error, Error { offset: 100 * open.len(), reason: Reason::TooDeep(100) });
        let error = Document::read(&input, Mode::Strict, UNLIMITED).unwrap_err();
        assert_eq!(error, Error { offset: input.len(), reason: Reason::UnexpectedEnd });

        input.extend(if open == b"l" { vec![b'l', b'e'] } else { vec![b'd', b'e'] });
        input.resize(input.len() + DEPTH, b'e');
        let document = Document::read(&input, Mode::Strict, UNLIMITED).unwrap();
        assert_eq!(document.root().span(), 0..input.len());
        assert_eq!(Reader::new(&input, Mode::Strict, UNLIMITED).filter(Result::is_err).count(), 0);
        drop(document.clone());
    }
}

#[test]
fn limits_are_exact() {
    let read = |input, limits| Document::read(input, Mode::Strict, limits).map(|_| ());
    let limits = Limits { depth: 2, size: 10, items: 3 };
    assert_eq!(read(b"lli1eei2ee", limits), Err(Error { offset: 6, reason: Reason::TooManyItems(3) }));
    assert_eq!(read(b"lli1eee", limits), Ok(()));
    assert_eq!(read(b"lllee", limits), Err(Error { offset: 2, reason: Reason::TooDeep(2) }));
    assert_eq!(read(b"8:12345678", limits), Ok(()));
    assert_eq!(read(b"9:123456789", limits), Err(Error { offset: 10, reason: Reason::TooLarge(10) }));
}

#[test]
fn keys_given_in_any_order_are_written_in_order() {
    let written = dict(|d| {
        d.int("b", 2);
        d.dict("a", |inner| {
            inner.list("z", |l| {
                l.list(|_| ());
                l.dict(|d| d.bytes("k", "v"));
            });
            inner.bytes("y", [0xff, 0]);
            inner.int("z", 1);
        });
        d.int("", 0);
        d.int("aa", 3);
        d.int("b", 4);
    });
    assert_eq!(written, b"d0:i0e1:ad1:y2:\xff\x001:zlled1:k1:veee2:aai3e1:bi2ee");
    assert!(Document::strict(&written).is_ok());
}

#[test]
fn nodes_are_copied_as_they_were_written() {
    let document = Document::lenient(b"d1:bi01e1:ale1:c1:xe").unwrap();
    let node = document.root();
    let written = dict(|d| {
        d.node("info", node);
        d.int("a", 1);
        d.list("l", |l| l.node(node));
    });
    let expected = b"d1:ai1e4:infod1:bi01e1:ale1:c1:xe1:lld1:bi01e1:ale1:c1:xeee";
    assert_eq!(written, expected);
}

/// Any value, as a test thinks of it.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Int(i64),
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Dict(BTreeMap<Vec<u8>, Tree>),
}

impl Tree {
    fn read(node: Node<'_, '_>) -> Tree {
        match node.kind() {
            Kind::Int => Tree::Int(node.as_int().unwrap()),
            Kind::Bytes => Tree::Bytes(node.as_bytes().unwrap().to_vec()),
            Kind::List => Tree::List(node.items().unwrap().map(Tree::read).collect()),
            Kind::Dict => {
                let entries = node.entries().unwrap();
                Tree::Dict(entries.map(|(k, v)| (k.as_bytes().unwrap().to_vec(), Tree::read(v))).collect())
            }
        }
    }

    fn add_to_list(&self, list: &mut ListEncoder<'_>) {
        match self {
            Tree::Int(value) => list.int(*value),
            Tree::Bytes(value) => list.bytes(value),
            Tree::List(items) => list.list(|inner| items.iter().for_each(|item| item.add_to_list(inner))),
            // The last key first: the encoder has to put them in order.
            Tree::Dict(entries) => {
                list.dict(|inner| {
                    entries.iter().rev().for_each(|(key, value)| value.add_to_dict(key, inner))
                });
            }
        }
    }

    fn add_to_dict(&self, key: &[u8], dict: &mut DictEncoder<'_>) {
        match self {
            Tree::Int(value) => dict.int(key, *value),
            Tree::Bytes(value) => dict.bytes(key, value),
            Tree::List(items) => {
                dict.list(key, |inner| items.iter().for_each(|item| item.add_to_list(inner)))
            }
            Tree::Dict(entries) => {
                dict.dict(key, |inner| {
                    entries.iter().rev().for_each(|(key, value)| value.add_to_dict(key, inner))
                });
            }
        }
    }

    fn write(&self) -> Vec<u8> {
        let written = list(|list| self.add_to_list(list));
        written[1..written.len() - 1].to_vec()
    }
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..12);
    let leaf = prop_oneof![any::<i64>().prop_map(Tree::Int), bytes().prop_map(Tree::Bytes)];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Tree::List),
            prop::collection::btree_map(bytes(), inner, 0..8).prop_map(Tree::Dict),
        ]
    })
}

/// Bytes that are bencode more often than chance would have it.
fn bytes_near_bencode() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "d", "l", "e", "i", "i0e", "i-1e", "i42e", "0:", "1:a", "1:b", "2:ab", "3:x", "-", "0", "9", ":",
        "\u{0}",
    ]);
    let soup = prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat().into_bytes());
    let torn = (any_tree(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(tree, at, byte)| {
        let mut bytes = tree.write();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    prop_oneof![soup, torn, prop::collection::vec(any::<u8>(), 0..64)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_written_is_read_back(tree in any_tree()) {
        let written = tree.write();
        let document = Document::strict(&written).unwrap();
        prop_assert_eq!(document.root().raw(), &written);
        prop_assert_eq!(Tree::read(document.root()), tree);
    }

    #[test]
    fn what_strict_reading_accepts_is_canonical(bytes in bytes_near_bencode()) {
        if let Ok(document) = Document::strict(&bytes) {
            prop_assert_eq!(Tree::read(document.root()).write(), bytes);
        }
    }

    #[test]
    fn lenient_reading_warns_of_exactly_what_strict_reading_refuses(bytes in bytes_near_bencode()) {
        match (Document::strict(&bytes), Document::lenient(&bytes)) {
            (Ok(_), lenient) => prop_assert!(lenient.unwrap().warnings().is_empty()),
            (Err(error), Ok(lenient)) => prop_assert_eq!(lenient.warnings().first(), Some(&error)),
            (Err(strict), Err(lenient)) => {
                prop_assert!(strict == lenient || strict.reason.is_forgivable());
                prop_assert!(lenient.offset <= bytes.len());
            }
        }
    }
}
