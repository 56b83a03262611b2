//! Spent nonces and their records, in one file, written in one transaction.
//!
//! A commit returns after it is on disk (`fsync`, in two phases). A process that stops during a commit leaves the state
//! before it. So there is never a spent nonce without its record, nor a record without its spent nonce.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use anyhow::{Context as _, Result, bail};
use assent_verifier::{Attestation, Context, EpochId, VerifiedAttestation};
use redb::{
    Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
    backends::FileBackend,
};
use serde::{Deserialize, Serialize};
use std::{fs::OpenOptions, io, path::Path};

/// Client and nonce: the sequence number of the record that spent it.
const SPENT: TableDefinition<&[u8; 52], u64> = TableDefinition::new("spent");
/// Sequence number: the record, as JSON.
const AUDIT: TableDefinition<u64, &[u8]> = TableDefinition::new("audit");
/// For what the ledger is, as JSON, under the only key.
const DOMAIN: TableDefinition<(), &[u8]> = TableDefinition::new("domain");

/// The chain and contracts of a ledger's nonces: on another chain or client the same nonce is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    chain_id: String,
    task_manager: Address,
    policy_client: Address,
}

impl Domain {
    /// Returns the domain of a context.
    pub fn of<L>(context: &Context<L>) -> Self {
        let Context { chain_id, task_manager, policy_client, .. } = *context;
        Self { chain_id: chain_id.to_string(), task_manager, policy_client }
    }
}

/// The record of an accepted attestation, with everything that is needed to verify it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditRecord {
    /// The number of the record, from 0 without gaps.
    pub sequence: u64,
    /// keccak256 of the previous record, or zero: altering a record invalidates all that follow.
    pub previous: B256,
    /// The time of verification in Unix seconds, by the machine's clock.
    pub accepted_at: u64,
    /// The attestation.
    pub attestation: Attestation,
    /// The operators' epoch.
    pub epoch: EpochId,
    /// The Merkle root that they signed.
    pub root: B256,
    /// Weight of those that signed.
    pub signed_weight: String,
    /// Weight of the whole epoch.
    pub total_weight: String,
    /// The authorization's bytes, with the signature.
    pub authorization: Bytes,
}

/// A record with its sequence number.
pub struct Entry {
    pub sequence: u64,
    /// The [`AuditRecord`] as JSON, exactly as on disk.
    pub record: Vec<u8>,
}

/// The result of recording a verified attestation.
pub enum Recorded {
    /// It is spent now.
    Now(Entry),
    /// It was spent before, by the record with this number.
    Before(u64),
}

/// The ledger. Only one process can open it.
pub struct Ledger {
    database: Database,
}

impl Ledger {
    /// Creates an empty ledger where none exists.
    pub fn create(path: &Path, domain: &Domain) -> Result<Self> {
        let failed = || format!("cannot create the ledger {}", path.display());
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                anyhow::anyhow!("it already exists; to use it, leave out --create")
            }
            _ => error.into(),
        });
        let database = Database::builder()
            .create_with_backend(FileBackend::new(file.with_context(failed)?)?)
            .with_context(failed)?;
        let transaction = database.begin_write()?;
        transaction.open_table(SPENT)?;
        transaction.open_table(AUDIT)?;
        transaction.open_table(DOMAIN)?.insert((), serde_json::to_vec(domain)?.as_slice())?;
        transaction.commit().with_context(failed)?;
        Ok(Self { database })
    }

    /// Opens an existing ledger, which must be for this domain if one is given.
    pub fn open(path: &Path, domain: Option<&Domain>) -> Result<Self> {
        let database = Database::open(path).map_err(|error| match &error {
            DatabaseError::DatabaseAlreadyOpen => {
                anyhow::anyhow!("another process has the ledger {} open; stop that service first", path.display())
            }
            DatabaseError::Storage(redb::StorageError::Io(cause)) if cause.kind() == io::ErrorKind::NotFound => {
                anyhow::anyhow!(
                    "the ledger {} does not exist. For a new service, create it with --create. Otherwise restore it: \
                     with an empty ledger, every spent attestation would be accepted again",
                    path.display()
                )
            }
            _ => anyhow::Error::new(error).context(format!("cannot open the ledger {}", path.display())),
        })?;
        let ledger = Self { database };
        let found = ledger.domain().with_context(|| {
            format!("{} is not a ledger, or its creation was interrupted; in that case delete it", path.display())
        })?;
        match domain {
            Some(domain) if *domain != found => bail!(
                "the ledger {} is for {}, but the context is for {}",
                path.display(),
                serde_json::to_string(&found)?,
                serde_json::to_string(domain)?
            ),
            _ => Ok(ledger),
        }
    }

    /// Returns whether a nonce is spent.
    pub fn is_spent(&self, policy_client: Address, nonce: U256) -> Result<bool, redb::Error> {
        let spent = self.database.begin_read()?.open_table(SPENT)?;
        Ok(spent.get(&key(policy_client, nonce))?.is_some())
    }

    /// Returns the number of the record that spent a nonce.
    pub fn spent_by(&self, policy_client: Address, nonce: U256) -> Result<Option<u64>, redb::Error> {
        let spent = self.database.begin_read()?.open_table(SPENT)?;
        Ok(spent.get(&key(policy_client, nonce))?.map(|sequence| sequence.value()))
    }

    /// Spends and records each attestation whose nonce is not spent yet, in one transaction, which is then on disk.
    ///
    /// On an error it is unknown what is on disk, and no result may be answered.
    pub fn record(
        &self,
        accepted_at: u64,
        verified: &[(&VerifiedAttestation, &[u8])],
    ) -> Result<Vec<Recorded>, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        // The default, written down because everything here rests on it.
        transaction.set_durability(Durability::Immediate)?;
        // Two phases, and a file that opens at once after a crash, however long it is.
        transaction.set_quick_repair(true);
        let mut recorded = Vec::with_capacity(verified.len());
        {
            let mut spent = transaction.open_table(SPENT)?;
            let mut audit = transaction.open_table(AUDIT)?;
            let last = audit.last()?;
            let (mut sequence, mut previous) =
                last.map_or((0, B256::ZERO), |(last, record)| (last.value() + 1, keccak256(record.value())));
            for (verified, authorization) in verified {
                let key = key(verified.policy_client(), verified.nonce());
                if let Some(before) = spent.get(&key)? {
                    recorded.push(Recorded::Before(before.value()));
                    continue;
                }
                let record = encode(sequence, previous, accepted_at, verified, authorization);
                spent.insert(&key, sequence)?;
                audit.insert(sequence, record.as_slice())?;
                previous = keccak256(&record);
                recorded.push(Recorded::Now(Entry { sequence, record }));
                sequence += 1;
            }
        }
        transaction.commit()?;
        Ok(recorded)
    }

    /// Returns the number of records.
    pub fn length(&self) -> Result<u64, redb::Error> {
        Ok(self.database.begin_read()?.open_table(AUDIT)?.len()?)
    }

    /// Returns one record, as JSON.
    pub fn entry(&self, sequence: u64) -> Result<Option<Vec<u8>>, redb::Error> {
        let audit = self.database.begin_read()?.open_table(AUDIT)?;
        Ok(audit.get(sequence)?.map(|record| record.value().to_vec()))
    }

    /// Passes every record to `show`, and returns the number of the first modified one. That is one that does not
    /// follow from the record before it, or whose nonce is not spent by it.
    pub fn examine(&self, mut show: impl FnMut(&[u8]) -> io::Result<()>) -> Result<Option<u64>> {
        let transaction = self.database.begin_read()?;
        let (spent, audit) = (transaction.open_table(SPENT)?, transaction.open_table(AUDIT)?);
        let mut previous = B256::ZERO;
        for (expected, entry) in (0..).zip(audit.iter()?) {
            let (sequence, bytes) = entry?;
            show(bytes.value())?;
            let sound = serde_json::from_slice(bytes.value()).ok().filter(|record: &AuditRecord| {
                (sequence.value(), record.sequence, record.previous) == (expected, expected, previous)
            });
            let Some(record) = sound else { return Ok(Some(expected)) };
            let key = key(record.attestation.policyClient, record.attestation.nonce);
            if spent.get(&key)?.map(|by| by.value()) != Some(expected) {
                return Ok(Some(expected));
            }
            previous = keccak256(bytes.value());
        }
        // A nonce that nothing on record spent, or a last record that is gone.
        Ok((spent.len()? != audit.len()?).then_some(audit.len()?))
    }

    fn domain(&self) -> Result<Domain> {
        let table = self.database.begin_read()?.open_table(DOMAIN)?;
        let domain = table.get(())?.context("it has no chain and client")?;
        Ok(serde_json::from_slice(domain.value())?)
    }
}

fn encode(
    sequence: u64,
    previous: B256,
    accepted_at: u64,
    verified: &VerifiedAttestation,
    authorization: &[u8],
) -> Vec<u8> {
    let record = AuditRecord {
        sequence,
        previous,
        accepted_at,
        attestation: verified.attestation().clone(),
        epoch: verified.epoch(),
        root: verified.root(),
        signed_weight: verified.signed_weight().to_string(),
        total_weight: verified.total_weight().to_string(),
        authorization: Bytes::copy_from_slice(authorization),
    };
    // It is made of numbers and strings with fixed names: that cannot fail.
    serde_json::to_vec(&record).unwrap_or_default()
}

fn key(policy_client: Address, nonce: U256) -> [u8; 52] {
    let mut key = [0; 52];
    key[..20].copy_from_slice(policy_client.as_slice());
    key[20..].copy_from_slice(&nonce.to_be_bytes::<32>());
    key
}
