//! What signs once a statement is on record.

use core::fmt;

use alloy_primitives::{Address, U256};
use assent_signer::SecretKey;
use assent_verifier::{Connection, PublicKey, Signature};

use crate::statement::Statement;

/// A statement that is on record, on disk. Only the journal makes one, so that nothing else can be signed.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a>(Statement<'a>);

impl<'a> Recorded<'a> {
    /// Only for the journal, after the commit.
    pub(crate) fn new(statement: Statement<'a>) -> Self {
        Self(statement)
    }

    /// Returns the statement.
    pub fn statement(&self) -> Statement<'a> {
        self.0
    }
}

/// The holder of an operator's key.
///
/// A BLS signature is unique for a key and a message: to sign again what is on record gives the same bytes.
pub trait Signer: Send + Sync {
    /// Returns the public key.
    fn public_key(&self) -> PublicKey;

    /// Signs a statement that is on record.
    ///
    /// # Errors
    /// Those of the implementation. The statement stays on record and can be signed later.
    fn sign(&self, recorded: &Recorded<'_>) -> Result<Signature, SignerError>;

    /// Answers a gateway's challenge. See [`SecretKey::prove_connection`].
    ///
    /// # Errors
    /// Those of the implementation.
    fn prove_connection(
        &self,
        connection: &Connection,
        chain_id: U256,
        task_manager: Address,
    ) -> Result<Signature, SignerError>;
}

/// The reason why a signer does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The remote signer's address, certificates or key cannot be used.
    #[error("the remote signer's configuration: {0}")]
    Configuration(String),
    /// The remote signer did not answer.
    #[error("the remote signer at {url} did not answer: {reason}")]
    Unreachable {
        /// The address that was asked.
        url: String,
        /// What failed.
        reason: String,
    },
    /// The remote signer does not hold the key.
    #[error("the remote signer at {0} does not hold the key")]
    UnknownKey(String),
    /// The remote signer refused, for example because its own records have another digest.
    #[error("the remote signer refused (HTTP {status}): {reason}")]
    Refused {
        /// The answer's status.
        status: u16,
        /// The answer's text.
        reason: String,
    },
    /// The remote signer's answer is not the key's signature of the statement.
    #[error("the remote signer's answer is not this key's signature of the statement")]
    WrongSignature,
}

/// A key in this process.
///
/// ```
/// use assent_journal::{LocalSigner, Signer};
/// use assent_signer::SecretKey;
///
/// let key = SecretKey::generate()?;
/// let public_key = key.public_key();
/// assert_eq!(LocalSigner::new(key).public_key(), public_key);
/// # Ok::<(), assent_signer::SecretKeyError>(())
/// ```
pub struct LocalSigner(SecretKey);

impl LocalSigner {
    /// Returns a signer with a key, which is given away: nothing else signs with it.
    pub fn new(key: SecretKey) -> Self {
        Self(key)
    }
}

impl Signer for LocalSigner {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn sign(&self, recorded: &Recorded<'_>) -> Result<Signature, SignerError> {
        Ok(match recorded.statement() {
            Statement::Attestations(batch) => self.0.sign_batch(batch),
            Statement::Observation { observation, chain_id, task_manager, .. } => {
                self.0.sign_observation(observation, chain_id, task_manager)
            }
            Statement::Handover(handover) => self.0.hand_over_epoch(handover),
        })
    }

    fn prove_connection(
        &self,
        connection: &Connection,
        chain_id: U256,
        task_manager: Address,
    ) -> Result<Signature, SignerError> {
        Ok(self.0.prove_connection(connection, chain_id, task_manager))
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalSigner(redacted)")
    }
}
