//! For Assent's operators.

mod attestation_batch;
mod encoding;
mod key_file;
mod keystore;
mod secret_key;
mod signing;

pub use attestation_batch::{AttestationBatch, AttestationBatchError};
pub use key_file::KeyFileError;
pub use keystore::{KeyDerivation, Keystore, KeystoreError};
pub use secret_key::{MIN_KEY_MATERIAL_BYTES, SECRET_KEY_BYTES, SecretKey, SecretKeyError};
