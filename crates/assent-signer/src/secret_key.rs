//! An operator's secret key.

use core::fmt;

use assent_verifier::{PublicKey, Signature};
use blst::min_sig;
use zeroize::Zeroizing;

use crate::encoding::encode_public_key;

/// Bytes of a secret key: a big-endian integer from 1 to r − 1, r being the order of the curve's groups.
///
/// ```
/// use assent_signer::{SECRET_KEY_BYTES, SecretKey};
///
/// let key = SecretKey::from_bytes(&[7; SECRET_KEY_BYTES])?;
/// assert_eq!(key.to_bytes().len(), SECRET_KEY_BYTES);
/// # Ok::<(), assent_signer::SecretKeyError>(())
/// ```
pub const SECRET_KEY_BYTES: usize = 32;

/// Least bytes of input key material that the IETF draft's `KeyGen` takes.
///
/// ```
/// use assent_signer::{MIN_KEY_MATERIAL_BYTES, SecretKey};
///
/// assert!(SecretKey::from_key_material(&[1; MIN_KEY_MATERIAL_BYTES]).is_ok());
/// assert!(SecretKey::from_key_material(&[1; MIN_KEY_MATERIAL_BYTES - 1]).is_err());
/// ```
pub const MIN_KEY_MATERIAL_BYTES: usize = 32;

/// A BLS12-381 secret key whose public key is in G2 and whose signatures are in G1.
///
/// It is erased from memory when dropped, prints nothing of itself, and cannot be cloned, so that there is one copy to
/// erase.
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

/// Why a secret key could not be made or read.
///
/// ```
/// use assent_signer::{SecretKey, SecretKeyError};
///
/// assert_eq!(SecretKey::from_bytes(&[0xff; 32]).unwrap_err(), SecretKeyError::OutOfRange);
/// assert_eq!(SecretKey::from_key_material(b"short").unwrap_err(), SecretKeyError::KeyMaterialTooShort(5));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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
    /// A new key from the operating system's random generator.
    ///
    /// # Errors
    /// [`SecretKeyError::NoRandomness`].
    pub fn generate() -> Result<Self, SecretKeyError> {
        let mut key_material = Zeroizing::new([0_u8; MIN_KEY_MATERIAL_BYTES]);
        getrandom::fill(key_material.as_mut()).map_err(SecretKeyError::NoRandomness)?;
        Self::from_key_material(key_material.as_ref())
    }

    /// The key that `KeyGen` of draft-irtf-cfrg-bls-signature-04, section 2.3, derives from `key_material`, with empty
    /// `key_info`. Draft 05 derives the same key when given the salt it names for compatibility, SHA-256 of
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

    /// Reads a key from its 32 big-endian bytes.
    ///
    /// ```
    /// use assent_signer::SecretKey;
    ///
    /// let mut one = [0; 32];
    /// one[31] = 1;
    /// assert_eq!(*SecretKey::from_bytes(&one)?.to_bytes(), one);
    /// assert!(SecretKey::from_bytes(&[0; 32]).is_err());
    /// # Ok::<(), assent_signer::SecretKeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`SecretKeyError::OutOfRange`] for zero and for any number that is not below the order of the group.
    pub fn from_bytes(bytes: &[u8; SECRET_KEY_BYTES]) -> Result<Self, SecretKeyError> {
        min_sig::SecretKey::from_bytes(bytes).map(Self).map_err(|_| SecretKeyError::OutOfRange)
    }

    /// The key's 32 big-endian bytes, erased when dropped.
    ///
    /// ```
    /// use assent_signer::SecretKey;
    ///
    /// let key = SecretKey::generate()?;
    /// let again = SecretKey::from_bytes(&key.to_bytes())?;
    /// assert_eq!(again.public_key(), key.public_key());
    /// # Ok::<(), assent_signer::SecretKeyError>(())
    /// ```
    pub fn to_bytes(&self) -> Zeroizing<[u8; SECRET_KEY_BYTES]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key: a G2 point as `x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1`, 192 bytes, as the registry takes it (EIP-2537).
    pub fn public_key(&self) -> PublicKey {
        encode_public_key(&self.0.sk_to_pk())
    }

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
