//! The handshake: the 68 bytes that open every peer connection (BEP 3).

use core::fmt;

/// The 20 bytes by which a peer calls itself (BEP 3; conventions in BEP 20).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 20]);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            match byte {
                b'!'..=b'~' => write!(f, "{}", byte as char)?,
                _ => write!(f, "%{byte:02x}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({self})")
    }
}

/// The eight reserved bytes of the handshake: one bit per extension (BEP 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reserved(pub [u8; 8]);

impl Reserved {
    /// What this engine speaks: the fast extension (BEP 6).
    pub const OURS: Reserved = Reserved([0, 0, 0, 0, 0, 0, 0, 0x04]);

    /// Whether the fast extension is spoken (BEP 6, the bit 0x04 of the last byte).
    pub const fn fast(self) -> bool {
        self.0[7] & 0x04 != 0
    }

    /// Whether the extension protocol is spoken (BEP 10, the bit 0x10 of the sixth byte).
    pub const fn extended(self) -> bool {
        self.0[5] & 0x10 != 0
    }

    /// Whether there is a DHT node (BEP 5, the bit 0x01 of the last byte).
    pub const fn dht(self) -> bool {
        self.0[7] & 0x01 != 0
    }
}
