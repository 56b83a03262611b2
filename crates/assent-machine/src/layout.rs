//! The address space: which region holds what, and which addresses the program may write.
//!
//! ```text
//! 0x0000_0000  image        4 MiB   the program; the only executable region
//! 0x0040_0000  rules        1 MiB
//! 0x0050_0000  parameters   1 MiB
//! 0x0060_0000  input        1 MiB
//! 0x0070_0000  (zero)       1 MiB
//! 0x0080_0000  data         8 MiB
//! 0x0100_0000  ── read-only below, writable from here ──
//! 0x0100_0000  stack        1 MiB   grows down; an overflow meets the read-only regions and traps
//! 0x0110_0000  heap        46.9 MiB
//! 0x03ff_0000  result      64 KiB
//! 0x0400_0000  end
//! ```
//!
//! Every region is aligned to its size, so that its contents are one subtree of the memory's Merkle tree with a
//! separate root. A region other than the image holds a length (four bytes, little-endian) followed by that many bytes.

/// One past the last address: memory has 64 MiB.
pub const MEMORY_END: u32 = 0x0400_0000;
/// The first address that a program may write.
pub const WRITABLE_START: u32 = 0x0100_0000;
/// The first address above the stack: the initial stack pointer.
pub const STACK_TOP: u32 = 0x0110_0000;

/// A part of memory whose contents have a separate root.
///
/// The list is complete: another region would be another machine, and another image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Region {
    /// The program, and the only region that can be executed.
    Image,
    /// The policy's rules.
    Rules,
    /// The client's parameters.
    Parameters,
    /// The intent, the call and the task.
    Input,
    /// What data sources answered.
    Data,
    /// What the program answered.
    Result,
}

impl Region {
    /// Every region, by address.
    pub const ALL: [Self; 6] = [Self::Image, Self::Rules, Self::Parameters, Self::Input, Self::Data, Self::Result];

    /// Returns the first address of the region.
    pub const fn start(self) -> u32 {
        match self {
            Self::Image => 0,
            Self::Rules => 0x0040_0000,
            Self::Parameters => 0x0050_0000,
            Self::Input => 0x0060_0000,
            Self::Data => 0x0080_0000,
            Self::Result => 0x03ff_0000,
        }
    }

    /// Returns the size of the region in bytes, a power of two.
    pub const fn size(self) -> u32 {
        match self {
            Self::Image => 0x0040_0000,
            Self::Rules | Self::Parameters | Self::Input => 0x0010_0000,
            Self::Data => 0x0080_0000,
            Self::Result => 0x0001_0000,
        }
    }

    /// Returns the most content bytes that fit: the size, less the four bytes of the length where there is one.
    pub const fn capacity(self) -> u32 {
        match self {
            Self::Image => self.size(),
            _ => self.size() - 4,
        }
    }

    /// Returns the height of the region's subtree: its contents are `2^height` leaves of 32 bytes.
    pub const fn height(self) -> u32 {
        (self.size() / 32).trailing_zeros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_aligned_to_their_size_and_do_not_overlap() {
        let mut end = 0;
        for region in Region::ALL {
            assert!(region.size().is_power_of_two());
            assert_eq!(region.start() % region.size(), 0, "{region:?}");
            assert!(region.start() >= end, "{region:?}");
            end = region.start() + region.size();
        }
        assert_eq!(end, MEMORY_END);
    }

    #[test]
    fn only_the_result_is_writable() {
        for region in Region::ALL {
            assert_eq!(region.start() >= WRITABLE_START, region == Region::Result, "{region:?}");
        }
    }
}
