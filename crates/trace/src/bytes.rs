//! Numbers and bytes of the format: varints (LEB128), fixed bytes, bytes with their length before them.

/// Bytes a varint takes at most: 64 bits, seven to a byte.
const LONGEST: usize = 10;

/// Appends a varint.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends bytes behind their length.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A field that cannot be: where it begins, counted from the start of the body, and what it should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

/// Reads a body from its start to its end.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Reads these bytes, from `at` on.
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Cursor { bytes, at: at.min(bytes.len()) }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// A flaw that begins `back` bytes before here.
    pub(crate) fn flaw(&self, back: usize, what: &'static str) -> Flaw {
        Flaw { at: self.at - back.min(self.at), what }
    }

    #[inline]
    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, Flaw> {
        let byte = *self.bytes.get(self.at).ok_or(self.flaw(0, what))?;
        self.at += 1;
        Ok(byte)
    }

    /// A varint of at most 64 bits.
    #[inline]
    pub(crate) fn number(&mut self, what: &'static str) -> Result<u64, Flaw> {
        let start = self.at;
        let mut number = 0;
        for place in 0..LONGEST {
            let byte = self.byte(what).map_err(|_| Flaw { at: start, what })?;
            let bits = u64::from(byte & 0x7f);
            // Of the tenth byte one bit is left.
            if place == LONGEST - 1 && byte > 1 {
                break;
            }
            number |= bits << (7 * place);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Flaw { at: start, what })
    }

    /// A varint that fits a smaller number.
    #[inline]
    pub(crate) fn small<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, Flaw> {
        let start = self.at;
        let number = self.number(what)?;
        T::try_from(number).map_err(|_| Flaw { at: start, what })
    }

    /// A varint below `end`.
    pub(crate) fn below(&mut self, end: u32, what: &'static str) -> Result<u32, Flaw> {
        let start = self.at;
        self.small(what).ok().filter(|&number| number < end).ok_or(Flaw { at: start, what })
    }

    /// So many bytes.
    pub(crate) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Flaw> {
        let end = self.at.checked_add(count).ok_or(self.flaw(0, what))?;
        let bytes = self.bytes.get(self.at..end).ok_or(self.flaw(0, what))?;
        self.at = end;
        Ok(bytes)
    }

    /// As many bytes as the array has.
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Flaw> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    /// Bytes behind their length.
    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Flaw> {
        let count = self.small(what)?;
        self.take(count, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_seven_bits_a_byte_lowest_first() {
        for (number, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            let mut out = Vec::new();
            put(&mut out, number);
            assert_eq!(out, bytes);
            assert_eq!(Cursor::new(bytes, 0).number("n"), Ok(number));
        }
    }

    #[test]
    fn what_is_no_varint_is_refused_where_it_begins() {
        let too_large = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
        for bytes in [&[][..], &[0x80], &too_large, &[0xff; 11]] {
            assert_eq!(Cursor::new(bytes, 0).number("n"), Err(Flaw { at: 0, what: "n" }), "{bytes:?}");
        }
        let mut cursor = Cursor::new(&[9, 0x80, 2], 0);
        assert_eq!((cursor.byte("b"), cursor.small::<u8>("s")), (Ok(9), Err(Flaw { at: 1, what: "s" })));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        assert_eq!(Cursor::new(&[3, 1, 2], 0).bytes("b"), Err(Flaw { at: 1, what: "b" }));
        assert_eq!(Cursor::new(&[2, 1, 2], 0).bytes("b"), Ok(&[1, 2][..]));
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert!(Cursor::new(&huge, 0).bytes("b").is_err());
    }
}
