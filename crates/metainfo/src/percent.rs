//! Percent-encoding of bytes (RFC 3986, section 2.1), as magnet links and announce queries use it.

use alloc::{string::String, vec::Vec};

/// A `%` that is not followed by two hexadecimal digits, at this byte offset of the encoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {0}: `%` without two hexadecimal digits behind it")]
pub struct PercentError(pub usize);

/// Decodes `%xx`; all other bytes, `+` included, stand for themselves.
///
/// # Errors
/// When a `%` is not followed by two hexadecimal digits.
pub fn decode(encoded: &[u8]) -> Result<Vec<u8>, PercentError> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut at = 0;
    while at < encoded.len() {
        if encoded[at] == b'%' {
            let digits = encoded.get(at + 1..at + 3).ok_or(PercentError(at))?;
            let high = hex_digit(digits[0]).ok_or(PercentError(at))?;
            let low = hex_digit(digits[1]).ok_or(PercentError(at))?;
            bytes.push(high << 4 | low);
            at += 3;
        } else {
            bytes.push(encoded[at]);
            at += 1;
        }
    }
    Ok(bytes)
}

/// Encodes every byte that is not unreserved (letters, digits, `-`, `.`, `_`, `~`).
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
            encoded.push('%');
            encoded.extend(digits);
        }
    }
    encoded
}

/// The value of one hexadecimal digit, in upper or lower case.
pub(crate) fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        let encoded = encode(&all);
        assert_eq!(decode(encoded.as_bytes()), Ok(all));
        assert!(encoded.contains("%2F0123456789%3A"));
        assert_eq!(decode(b"a%2fb%2Fc+d"), Ok(b"a/b/c+d".to_vec()));
    }

    #[test]
    fn torn_escapes_are_refused() {
        for (encoded, at) in
            [("%", 0), ("a%", 1), ("ab%1", 2), ("%41%4", 3), ("%g1", 0), ("%1g", 0), ("%%41", 0)]
        {
            assert_eq!(decode(encoded.as_bytes()), Err(PercentError(at)), "{encoded}");
        }
    }
}
