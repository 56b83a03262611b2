//! Byte offsets of an authorization's fields (docs/protocol.md, "Authorization").
//!
//! Up to [`KIND`] they are those of every authorization, and from [`SIGNATURE`] those of a direct one.
//!
//! ```
//! # let authorization = { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/authorization.rs")) };
//! use assent_types::offset;
//!
//! let bytes = authorization.encode();
//! assert_eq!(bytes[offset::EVIDENCE..offset::EPOCH], authorization.evidence);
//! ```

use crate::Signature;

/// The offset of `taskId`, 32 bytes.
pub const TASK_ID: usize = 0;
/// The offset of `nonce`, 32 bytes.
pub const NONCE: usize = 32;
/// The offset of `issuedAt`, 6 bytes.
pub const ISSUED_AT: usize = 64;
/// The offset of `expiration`, 6 bytes.
pub const EXPIRATION: usize = 70;
/// The offset of `decision`, 1 byte.
pub const DECISION: usize = 76;
/// The offset of `evidence`, 32 bytes.
pub const EVIDENCE: usize = 77;
/// The offset of `epoch`, 4 bytes.
pub const EPOCH: usize = 109;
/// The offset of `kind`, 1 byte.
pub const KIND: usize = 113;
/// The offset of the Merkle proof's length if the root is recorded, 1 byte.
pub const RECORDED_PROOF_LENGTH: usize = 114;
/// The offset of `signature`, 96 bytes.
pub const SIGNATURE: usize = 114;
/// The offset of the bitmap's length, 1 byte.
pub const BITMAP_LENGTH: usize = SIGNATURE + Signature::LENGTH;
/// The offset of the non-signer bitmap. The Merkle proof's length follows the bitmap.
pub const BITMAP: usize = BITMAP_LENGTH + 1;
