//! The input: `abi.encode` of an intent, its client, nonce and reference block.

use crate::exact::{hex, uint};
use alloc::collections::BTreeMap;
use regorus::Value;

const WORD: usize = 32;
/// The words before the bytes of the call: the outer offset, six of the input, five of the intent, and a length.
const FIXED_WORDS: usize = 13;

/// What a policy decides about.
pub(crate) struct Input<'a> {
    words: &'a [[u8; WORD]],
    /// The call's data.
    pub(crate) calldata: &'a [u8],
}

impl<'a> Input<'a> {
    /// Decodes an input. Returns nothing unless the bytes are exactly what `abi.encode` writes.
    pub(crate) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<WORD>();
        let (words, data) = words.split_at_checked(FIXED_WORDS)?;
        // What is dynamic follows in order, without gaps.
        let offsets = [(0, 32), (1, 6 * 32), (10, 5 * 32)];
        let addresses = [2, 7, 8];
        let length = usize::try_from(small(words.get(12)?)?).ok()?;
        let is_canonical = rest.is_empty()
            && offsets.iter().all(|(index, offset)| words.get(*index).and_then(small) == Some(*offset))
            && addresses.iter().all(|index| words.get(*index).is_some_and(|word| word.starts_with(&[0; 12])))
            && data.len() == length.div_ceil(WORD);
        let (calldata, padding) = data.as_flattened().split_at_checked(length)?;
        (is_canonical && padding.iter().all(|byte| *byte == 0)).then_some(Self { words, calldata })
    }

    /// Returns the document `input` of the rules.
    pub(crate) fn document(&self, function: &str, signature: &str, arguments: Value) -> Value {
        let intent = object([
            ("from", self.address(7)),
            ("to", self.address(8)),
            ("value", self.uint(9)),
            ("data", hex(self.calldata).into()),
            ("chain_id", self.uint(11)),
        ]);
        let call = object([("function", function.into()), ("signature", signature.into()), ("args", arguments)]);
        let task = object([
            ("client", self.address(2)),
            ("nonce", self.uint(3)),
            ("block", self.uint(4)),
            ("block_hash", hex(self.word(5)).into()),
            ("time", self.uint(6)),
        ]);
        object([("intent", intent), ("call", call), ("task", task)])
    }

    fn word(&self, index: usize) -> &'a [u8] {
        self.words.get(index).map(<[u8; WORD]>::as_slice).unwrap_or_default()
    }

    fn address(&self, index: usize) -> Value {
        hex(self.word(index).get(12..).unwrap_or_default()).into()
    }

    fn uint(&self, index: usize) -> Value {
        uint(self.word(index))
    }
}

fn small(word: &[u8; WORD]) -> Option<u32> {
    let (high, low) = word.split_last_chunk::<4>()?;
    high.iter().all(|byte| *byte == 0).then(|| u32::from_be_bytes(*low))
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    members.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<BTreeMap<_, _>>().into()
}
