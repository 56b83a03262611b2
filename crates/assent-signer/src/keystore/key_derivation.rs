//! Derivation of the encryption key from the password.

use sha2::Sha256;
use zeroize::Zeroizing;

use super::KeystoreError;

/// The most memory that scrypt may take, in bytes. EIP-2335's own parameters take 256 MiB.
const MOST_SCRYPT_MEMORY: u128 = 512 * 1024 * 1024;

/// The most work that scrypt may do, as n · r · p: four times that of EIP-2335's own parameters, a few seconds.
const MOST_SCRYPT_WORK: u128 = 1 << 23;

/// The most iterations of PBKDF2: forty times EIP-2335's own, a few seconds.
const MOST_PBKDF2_ITERATIONS: u32 = 10_000_000;

/// The function that derives a keystore's encryption key from the password, with its cost.
///
/// ```
/// use assent_signer::{KeyDerivation, Keystore, SecretKey};
///
/// assert_eq!(KeyDerivation::default(), KeyDerivation::Scrypt { log_n: 18, r: 8, p: 1 });
///
/// // Less memory for a machine that has little; 64 MiB here.
/// let modest = KeyDerivation::Scrypt { log_n: 16, r: 8, p: 1 };
/// let keystore = Keystore::encrypt(&SecretKey::generate()?, "password", modest)?;
/// assert!(keystore.decrypt("password").is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Complete: EIP-2335 has these functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyDerivation {
    /// scrypt (RFC 7914).
    Scrypt {
        /// The logarithm to base 2 of the cost `n`, 1 or more. Time and memory grow with n · r.
        log_n: u8,
        /// The block size, in units of 128 bytes.
        r: u32,
        /// The number of passes over the memory.
        p: u32,
    },
    /// PBKDF2 with HMAC-SHA-256 (RFC 8018). It needs no memory, and so resists graphics cards less than scrypt.
    Pbkdf2 {
        /// The number of iterations.
        iterations: u32,
    },
}

impl Default for KeyDerivation {
    /// Returns scrypt with the parameters of EIP-2335's test case: n = 262144, r = 8, p = 1 (256 MiB, about a second).
    fn default() -> Self {
        Self::Scrypt { log_n: 18, r: 8, p: 1 }
    }
}

impl KeyDerivation {
    /// Refuses undefined parameters, and those that take more than 512 MiB or a few seconds.
    pub(super) fn check_bounds(self) -> Result<(), KeystoreError> {
        let refuse = |reason| Err(KeystoreError::KeyDerivationOutOfBounds(reason));
        match self {
            Self::Pbkdf2 { iterations: 0 } => refuse("pbkdf2 with c = 0"),
            Self::Pbkdf2 { iterations } if iterations > MOST_PBKDF2_ITERATIONS => {
                refuse("pbkdf2 with c over 10,000,000")
            }
            Self::Pbkdf2 { .. } => Ok(()),
            Self::Scrypt { log_n, r, p } if !(1..64).contains(&log_n) || r == 0 || p == 0 => {
                refuse("scrypt with n below 2, or with r or p of 0")
            }
            Self::Scrypt { log_n, r, p } => {
                // Below 2^64 · 2^32 · 2^32, so no product overflows 128 bits.
                let (n, r, p) = (1_u128 << log_n, u128::from(r), u128::from(p));
                if (n + p) * r > MOST_SCRYPT_MEMORY / 128 {
                    refuse("scrypt with over 512 MiB of memory, 128 · r · (n + p)")
                } else if n * r * p > MOST_SCRYPT_WORK {
                    refuse("scrypt with n · r · p over 2^23")
                } else {
                    Ok(())
                }
            }
        }
    }

    /// Derives EIP-2335's decryption key: 16 bytes for the cipher, then 16 for the checksum.
    pub(super) fn derive(self, password: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        self.check_bounds()?;
        let mut key = Zeroizing::new([0_u8; 32]);
        match self {
            Self::Pbkdf2 { iterations } => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, key.as_mut()),
            Self::Scrypt { log_n, r, p } => {
                let unusable = KeystoreError::KeyDerivationOutOfBounds("scrypt cannot run with these parameters");
                match scrypt::Params::new(log_n, r, p) {
                    Ok(parameters) => {
                        scrypt::scrypt(password, salt, &parameters, key.as_mut()).map_err(|_| unusable)?
                    }
                    Err(_) => return Err(unusable),
                }
            }
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::KeyDerivation;

    #[test]
    fn bounds_what_a_hostile_keystore_can_make_us_do() {
        let refused = [
            KeyDerivation::Pbkdf2 { iterations: 0 },
            KeyDerivation::Pbkdf2 { iterations: u32::MAX },
            KeyDerivation::Scrypt { log_n: 0, r: 8, p: 1 },
            KeyDerivation::Scrypt { log_n: 18, r: 0, p: 1 },
            KeyDerivation::Scrypt { log_n: 18, r: 8, p: 0 },
            KeyDerivation::Scrypt { log_n: 20, r: 8, p: 1 },
            KeyDerivation::Scrypt { log_n: 64, r: 1, p: 1 },
            KeyDerivation::Scrypt { log_n: 255, r: 1, p: 1 },
            KeyDerivation::Scrypt { log_n: 1, r: u32::MAX, p: 1 },
            KeyDerivation::Scrypt { log_n: 1, r: 1, p: u32::MAX },
            KeyDerivation::Scrypt { log_n: 63, r: u32::MAX, p: u32::MAX },
            KeyDerivation::Scrypt { log_n: 18, r: 8, p: 5 },
        ];
        for parameters in refused {
            assert!(parameters.check_bounds().is_err(), "{parameters:?}");
            assert!(parameters.derive(b"password", b"salt").is_err(), "{parameters:?}");
        }
        let accepted = [
            KeyDerivation::default(),
            KeyDerivation::Scrypt { log_n: 18, r: 8, p: 4 },
            KeyDerivation::Pbkdf2 { iterations: 10_000_000 },
        ];
        for parameters in accepted {
            assert!(parameters.check_bounds().is_ok(), "{parameters:?}");
        }
    }
}
