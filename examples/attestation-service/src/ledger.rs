//! What is spent, and why: one file, in which both are written in one transaction.
//!
//! A commit returns after the disk has it (`fsync`, in two phases). A process that dies in the middle of one leaves the
//! state before it. So there is never a spent nonce without its record, nor a record without its spent nonce.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use anyhow::{Context as _, Result, bail};
use assent_verifier::{Attestation, Context, VerifiedAttestation};
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

/// What a ledger's nonces belong to: under another chain or client the same nonce is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    chain_id: String,
    task_manager: Address,
    policy_client: Address,
}

impl Domain {
    /// That of a context.
    pub fn of<L>(context: &Context<L>) -> Self {
        let Context { chain_id, task_manager, policy_client, .. } = *context;
        Self { chain_id: chain_id.to_string(), task_manager, policy_client }
    }
}

/// An acceptance as it is kept, with everything that it takes to verify it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditRecord {
    /// From 0, without a gap.
    pub sequence: u64,
    /// keccak256 of the previous record, or zero: altering a record invalidates all that follow.
    pub previous: B256,
    /// In Unix seconds, by the clock of the machine: the time for which it was verified.
    pub accepted_at: u64,
    /// What the operators attested.
    pub attestation: Attestation,
    /// The operators' epoch.
    pub epoch: u32,
    /// The Merkle root that they signed.
    pub root: B256,
    /// Weight of those that signed.
    pub signed_weight: String,
    /// Weight of the whole epoch.
    pub total_weight: String,
    /// The authorization's bytes, with the signature.
    pub authorization: Bytes,
}

/// A record and where it stands.
pub struct Entry {
    pub sequence: u64,
    /// The [`AuditRecord`] as JSON, byte for byte as it is on disk.
    pub record: Vec<u8>,
}

/// What became of an attestation that was verified.
pub enum Recorded {
    /// Spent now.
    Now(Entry),
    /// Spent before, by the record of this number.
    Before(u64),
}

/// The file. Only one process has it open.
pub struct Ledger {
    database: Database,
}

impl Ledger {
    /// Creates an empty ledger where none exists.
    pub fn create(path: &Path, domain: &Domain) -> Result<Self> {
        let failed = || format!("the ledger {} cannot be begun", path.display());
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                anyhow::anyhow!("it is there already; go on with it by leaving out --create")
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

    /// Opens a ledger that must be there, and for this domain if one is named.
    pub fn open(path: &Path, domain: Option<&Domain>) -> Result<Self> {
        let database = Database::open(path).map_err(|error| match &error {
            DatabaseError::DatabaseAlreadyOpen => {
                anyhow::anyhow!("another process has the ledger {} open; stop that service first", path.display())
            }
            DatabaseError::Storage(redb::StorageError::Io(cause)) if cause.kind() == io::ErrorKind::NotFound => {
                anyhow::anyhow!(
                    "the ledger {} is not there. If there never was one, begin it with --create. Otherwise find it: with an \
                     empty ledger, every spent attestation is accepted again",
                    path.display()
                )
            }
            _ => anyhow::Error::new(error).context(format!("the ledger {} cannot be opened", path.display())),
        })?;
        let ledger = Self { database };
        let found = ledger.domain().with_context(|| {
            format!("{} is no ledger, or its beginning was cut short; in that case delete it", path.display())
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

    /// Whether a nonce is spent.
    pub fn is_spent(&self, policy_client: Address, nonce: U256) -> Result<bool, redb::Error> {
        let spent = self.database.begin_read()?.open_table(SPENT)?;
        Ok(spent.get(&key(policy_client, nonce))?.is_some())
    }

    /// The record that spent a nonce.
    pub fn spent_by(&self, policy_client: Address, nonce: U256) -> Result<Option<u64>, redb::Error> {
        let spent = self.database.begin_read()?.open_table(SPENT)?;
        Ok(spent.get(&key(policy_client, nonce))?.map(|sequence| sequence.value()))
    }

    /// Spends the nonce of each that is not spent yet and records it, all in one transaction. When this returns, it is
    /// on disk.
    ///
    /// On an error it is unknown what is on disk, and nothing may be answered but that.
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

    /// How many records there are.
    pub fn length(&self) -> Result<u64, redb::Error> {
        Ok(self.database.begin_read()?.open_table(AUDIT)?.len()?)
    }

    /// One record, as JSON.
    pub fn entry(&self, sequence: u64) -> Result<Option<Vec<u8>>, redb::Error> {
        let audit = self.database.begin_read()?.open_table(AUDIT)?;
        Ok(audit.get(sequence)?.map(|record| record.value().to_vec()))
    }

    /// Shows every record in turn, and returns the number of the first that is not as it was written: that does not
    /// follow from the one before, or whose nonce is not the one it spent.
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
        let domain = table.get(())?.context("it does not say for which chain and client it is")?;
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
