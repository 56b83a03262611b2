//! An operator's secret key.

use core::fmt;

use assent_verifier::{PublicKey, Signature};
use blst::min_sig;
use zeroize::Zeroizing;

use crate::encoding::encode_public_key;

/// The length of a secret key in bytes.
///
/// A key is a big-endian integer from 1 to r − 1, where r is the order of the curve's groups.
pub const SECRET_KEY_BYTES: usize = 32;

/// The smallest length of input key material for the IETF draft's `KeyGen`, in bytes.
pub const MIN_KEY_MATERIAL_BYTES: usize = 32;

/// A BLS12-381 secret key whose public key is in G2 and whose signatures are in G1.
///
/// It is erased from memory when dropped, never printed, and cannot be cloned, so that one copy exists to erase.
///
/// ```
/// use assent_signer::SecretKey;
///
/// let key = SecretKey::generate()?;
/// assert_eq!(key.public_key().as_ref().len(), 192);
/// assert_eq!(format!("{key:?}"), "SecretKey(redacted)");
/// # Ok::<(), assent_signer::SecretKeyError>(())
/// ```
pub struct SecretKey(min_sig::SecretKey);

/// The reason why a secret key cannot be generated or parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretKeyError {
    /// The operating system gave no random bytes.
    #[error("the operating system's random generator failed: {0}")]
    NoRandomness(getrandom::Error),
    /// Too little key material to make a key from.
    #[error("key material is {0} bytes long; at least {MIN_KEY_MATERIAL_BYTES} are needed")]
    KeyMaterialTooShort(usize),
    /// The bytes are no secret key: zero, or not below the order of the group.
    #[error("a secret key is a number from 1 to r - 1, where r is the order of the BLS12-381 groups")]
    OutOfRange,
}

impl SecretKey {
    /// Generates a key from the operating system's random generator.
    ///
    /// # Errors
    /// [`SecretKeyError::NoRandomness`].
    pub fn generate() -> Result<Self, SecretKeyError> {
        let mut key_material = Zeroizing::new([0_u8; MIN_KEY_MATERIAL_BYTES]);
        getrandom::fill(key_material.as_mut()).map_err(SecretKeyError::NoRandomness)?;
        Self::from_key_material(key_material.as_ref())
    }

    /// Derives a key from key material, with `KeyGen` of draft-irtf-cfrg-bls-signature-04, section 2.3.
    ///
    /// `key_info` is empty. Draft 05 derives the same key with the salt that it names for compatibility, SHA-256 of
    /// `BLS-SIG-KEYGEN-SALT-`. EIP-2333 calls the function `hkdf_mod_r` and a wallet's first key `master_SK`.
    ///
    /// The same material always gives the same key: it must be at least 32 unpredictable bytes.
    ///
    /// ```
    /// use assent_signer::SecretKey;
    ///
    /// // EIP-2333, test case 0: the master key of this seed.
    /// let seed = alloy_primitives::hex!(
    ///     "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
    ///     "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
    /// );
    /// let key = SecretKey::from_key_material(&seed)?;
    /// let expected = "6083874454709270928345386274498605044986640685124978867557563392430687146096";
    /// assert_eq!(*key.to_bytes(), expected.parse::<alloy_primitives::U256>().unwrap().to_be_bytes::<32>());
    /// # Ok::<(), assent_signer::SecretKeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`SecretKeyError::KeyMaterialTooShort`].
    pub fn from_key_material(key_material: &[u8]) -> Result<Self, SecretKeyError> {
        min_sig::SecretKey::key_gen(key_material, &[])
            .map(Self)
            .map_err(|_| SecretKeyError::KeyMaterialTooShort(key_material.len()))
    }

    /// Parses a key from its 32 big-endian bytes.
    ///
    /// # Errors
    /// [`SecretKeyError::OutOfRange`] for zero and for any number that is not below the order of the group.
    pub fn from_bytes(bytes: &[u8; SECRET_KEY_BYTES]) -> Result<Self, SecretKeyError> {
        min_sig::SecretKey::from_bytes(bytes).map(Self).map_err(|_| SecretKeyError::OutOfRange)
    }

    /// Returns the key's 32 big-endian bytes, which are erased when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Returns the public key: a G2 point as `x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1`, 192 bytes, the order of EIP-2537.
    pub fn public_key(&self) -> PublicKey {
        encode_public_key(&self.0.sk_to_pk())
    }

    #[cfg(feature = "keystore")]
    pub(crate) fn public_key_point(&self) -> min_sig::PublicKey {
        self.0.sk_to_pk()
    }

    /// Signs `message` under the domain separation tag `tag`: a G1 point as `x ‖ y`, 96 bytes.
    pub(crate) fn sign(&self, message: &[u8], tag: &[u8]) -> Signature {
        Signature(self.0.sign(message, tag, &[]).serialize())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(redacted)")
    }
}
