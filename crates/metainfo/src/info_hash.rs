//! The info hash: the twenty bytes that name a torrent on the network, and their spellings.

use core::{fmt, str::FromStr};

/// SHA-1 of the raw bytes of the `info` dictionary: the name of a torrent (BEP 3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InfoHash(pub [u8; 20]);

impl fmt::Display for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InfoHash({self})")
    }
}

/// Why a text is no info hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InfoHashError {
    /// Not 40 (hexadecimal) or 32 (base32) digits, but this many bytes.
    #[error("an info hash has 40 hexadecimal or 32 base32 digits, not {0}")]
    Length(usize),
    /// A character that is no digit of the spelling that the length tells.
    #[error("{0:?} is no digit of an info hash")]
    Digit(char),
}

impl FromStr for InfoHash {
    type Err = InfoHashError;

    /// Reads 40 hexadecimal or 32 base32 digits (BEP 9), in upper or lower case.
    fn from_str(text: &str) -> Result<Self, InfoHashError> {
        let bits_per_digit = match text.len() {
            40 => 4,
            32 => 5,
            other => return Err(InfoHashError::Length(other)),
        };
        let mut hash = [0; 20];
        let (mut pending, mut bits, mut filled) = (0u32, 0, 0);
        for digit in text.chars() {
            let value = match (bits_per_digit, digit) {
                (4, _) => digit.to_digit(16),
                (_, '2'..='7') => Some(digit as u32 - '2' as u32 + 26),
                (_, 'a'..='z') => Some(digit as u32 - 'a' as u32),
                (_, 'A'..='Z') => Some(digit as u32 - 'A' as u32),
                _ => None,
            };
            pending = pending << bits_per_digit | value.ok_or(InfoHashError::Digit(digit))?;
            bits += bits_per_digit;
            if bits >= 8 {
                bits -= 8;
                hash[filled] = (pending >> bits) as u8;
                filled += 1;
            }
        }
        Ok(InfoHash(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn both_spellings_are_read_and_the_hexadecimal_one_is_written() {
        let hex = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a";
        let hash: InfoHash = hex.parse().unwrap();
        assert_eq!(hash.0[..3], [0xc1, 0x2f, 0xe1]);
        assert_eq!(hash.to_string(), hex);
        assert_eq!("YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK".parse(), Ok(hash));
        assert_eq!(hex[1..].parse::<InfoHash>(), Err(InfoHashError::Length(39)));
        assert_eq!(hex.replace('f', "x").parse::<InfoHash>(), Err(InfoHashError::Digit('x')));
        assert_eq!("8".repeat(32).parse::<InfoHash>(), Err(InfoHashError::Digit('8')));
    }
}
