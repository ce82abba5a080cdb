//! CRC-32 as in IEEE 802.3 (reflected, polynomial 0xedb88320), eight bytes at a time.

/// What a byte makes of the sum when `row` more bytes follow it.
const TABLE: [[u32; 256]; 8] = {
    let mut table = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
            bit += 1;
        }
        table[0][byte] = sum;
        byte += 1;
    }
    let mut row = 1;
    while row < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = table[row - 1][byte];
            table[row][byte] = before >> 8 ^ table[0][(before & 255) as usize];
            byte += 1;
        }
        row += 1;
    }
    table
};

/// A sum that is being made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crc(u32);

impl Crc {
    pub(crate) const fn new() -> Self {
        Crc(u32::MAX)
    }

    /// Adds bytes.
    pub(crate) fn add(self, bytes: &[u8]) -> Self {
        let (eights, rest) = bytes.as_chunks::<8>();
        let mut sum = self.0;
        for eight in eights {
            let [a, b, c, d, e, f, g, h] = *eight;
            let first = (sum ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
            let places = [first[0], first[1], first[2], first[3], e, f, g, h];
            sum = (0..8).fold(0, |sum, at| sum ^ TABLE[7 - at][usize::from(places[at])]);
        }
        Crc(rest.iter().fold(sum, |sum, byte| sum >> 8 ^ TABLE[0][usize::from(sum as u8 ^ byte)]))
    }

    pub(crate) const fn sum(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_standard() {
        assert_eq!(Crc::new().add(b"123456789").sum(), 0xcbf4_3926);
        assert_eq!(Crc::new().sum(), 0);
        let text = b"The quick brown fox jumps over the lazy dog";
        for cut in 0..text.len() {
            assert_eq!(Crc::new().add(&text[..cut]).add(&text[cut..]).sum(), 0x414f_a339);
        }
    }
}
