//! For Assent's operators.

mod encoding;
mod key_file;
mod keystore;
mod secret_key;

pub use encoding::{PUBLIC_KEY_BYTES, SIGNATURE_BYTES};
pub use key_file::KeyFileError;
pub use keystore::{KeyDerivation, Keystore, KeystoreError};
pub use secret_key::{MIN_KEY_MATERIAL_BYTES, SECRET_KEY_BYTES, SecretKey, SecretKeyError};
