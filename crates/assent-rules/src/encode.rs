//! The layout of a sequence of encoded values.

use crate::WORD;
use alloc::vec::Vec;

/// Returns the encoding of a sequence: heads, then tails. Each part has whether its type is dynamic, and its encoding.
///
/// ```
/// use assent_rules::encode_sequence;
///
/// let mut offset = [0; 32];
/// offset[31] = 32;
/// assert_eq!(encode_sequence([(true, vec![0; 32])]), [offset, [0; 32]].concat());
/// ```
pub fn encode_sequence(parts: impl IntoIterator<Item = (bool, Vec<u8>)>) -> Vec<u8> {
    let parts: Vec<(bool, Vec<u8>)> = parts.into_iter().collect();
    let head = |(is_dynamic, part): &(bool, Vec<u8>)| if *is_dynamic { WORD } else { part.len() };
    let mut offset = parts.iter().map(head).fold(0_usize, usize::saturating_add);
    let (mut heads, mut tails) = (Vec::new(), Vec::new());
    for (is_dynamic, part) in parts {
        if is_dynamic {
            heads.extend(word(offset));
            offset = offset.saturating_add(part.len());
            tails.extend(part);
        } else {
            heads.extend(part);
        }
    }
    heads.extend(tails);
    heads
}

fn word(size: usize) -> [u8; WORD] {
    let mut word = [0; WORD];
    if let Some(low) = word.last_chunk_mut() {
        *low = u64::try_from(size).unwrap_or(u64::MAX).to_be_bytes();
    }
    word
}
