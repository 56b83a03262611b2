//! The tables of the journal.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use alloy_primitives::{FixedBytes, keccak256};
use assent_durable_files::sync_folder_of;
use assent_verifier::PublicKey;
use redb::{
    Builder, Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageError, Table, TableDefinition, WriteTransaction, backends::FileBackend,
};

use crate::directory::beside;
use crate::entry::{DOMAIN_BYTES, Domain, Entry, Slot, StoredDomain, StoredEntry, VALUE_BYTES};
use crate::error::{Conflict, JournalError, OpenError, SignError};
use crate::hold::{Hold, HoldRequest, MAX_HOLDS};
use crate::statement::Claims;

/// Slot: what is recorded for it.
const ENTRIES: TableDefinition<&[u8], &[u8; VALUE_BYTES]> = TableDefinition::new("entries");
/// Domain, client, policy and task: what the attestation holds.
const HOLDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("holds");
/// Number: the domain.
const DOMAINS: TableDefinition<u32, &[u8; DOMAIN_BYTES]> = TableDefinition::new("domains");
/// The journal's format, key and identifier.
const IDENTITY: TableDefinition<&str, &[u8]> = TableDefinition::new("identity");
/// How many entries were recorded and pruned since the journal was created.
const COUNTS: TableDefinition<&str, u64> = TableDefinition::new("counts");

const VERSION: &[u8] = &[1];

/// The memory for pages. Lookups of new tasks read few pages, and those near the root stay.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The open file.
pub(crate) struct Store {
    database: Database,
    pub journal: FixedBytes<16>,
    pub public_key: PublicKey,
}

/// What a transaction recorded.
pub(crate) struct Recording {
    /// For each statement, whether it may be signed.
    pub outcomes: Vec<Result<(), SignError>>,
    /// The number of entries recorded since the journal was created.
    pub recorded: u64,
}

/// What is merged into the journal.
#[derive(Debug, Default)]
pub(crate) struct Merge {
    pub domains: Vec<StoredDomain>,
    /// Each with the index of its domain in `domains`.
    pub entries: Vec<(Slot, StoredEntry)>,
    /// Each with the index of its domain in `domains`.
    pub holds: Vec<(u32, Hold)>,
}

/// What a merge did.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub added: u64,
    pub known: u64,
    pub conflicts: Vec<Conflict>,
    pub recorded: u64,
}

impl Store {
    /// Creates an empty journal at a path where none is. A crash leaves none, or a whole one.
    pub fn create(path: &Path, public_key: &PublicKey, journal: FixedBytes<16>) -> Result<Self, OpenError> {
        if path.symlink_metadata().is_ok() {
            return Err(OpenError::Exists(path.to_owned()));
        }
        let unfinished = beside(path, "new");
        let io = |error| OpenError::Io { path: path.to_owned(), error };
        let mut options = OpenOptions::new();
        // What a crash left here has no entry. The caller holds the journal's lock.
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&unfinished).map_err(io)?;
        let failed = |error: redb::Error| damaged(path, error);
        let backend = FileBackend::new(file).map_err(|error| failed(error.into()))?;
        let database = builder().create_with_backend(backend).map_err(|error| failed(error.into()))?;
        let store = Self { database, journal, public_key: *public_key };
        store.write_identity().map_err(failed)?;
        std::fs::rename(&unfinished, path).map_err(io)?;
        sync_folder_of(path).map_err(io)?;
        Ok(store)
    }

    /// Opens a journal and verifies the checksum of every page.
    pub fn open(path: &Path, public_key: &PublicKey) -> Result<Self, OpenError> {
        // Created by `open` below otherwise, and then empty.
        if !path.exists() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        // Damaged bytes can lead the database into a panic.
        let opened = catch_unwind(AssertUnwindSafe(|| -> Result<Self, redb::Error> {
            let database = builder().open(path)?;
            let transaction = database.begin_read()?;
            let (journal, found) = identity(&transaction)?;
            let recorded = count(&transaction, "recorded")?;
            let pruned = count(&transaction, "pruned")?;
            let entries = transaction.open_table(ENTRIES)?.len()?;
            if recorded.checked_sub(pruned) != Some(entries) {
                let reason = format!("{recorded} entries were recorded and {pruned} pruned, but there are {entries}");
                return Err(redb::Error::Corrupted(reason));
            }
            drop(transaction);
            Ok(Self { database, journal, public_key: found })
        }));
        let store = match opened {
            Ok(Ok(store)) => store,
            Ok(Err(redb::Error::DatabaseAlreadyOpen)) => {
                return Err(OpenError::InUse { path: path.to_owned(), process: None });
            }
            Ok(Err(redb::Error::Io(error)))
                if !matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
            {
                return Err(OpenError::Io { path: path.to_owned(), error });
            }
            Ok(Err(error)) => return Err(damaged(path, error)),
            Err(_) => return Err(damaged(path, "its pages contradict each other")),
        };
        if store.public_key != *public_key {
            return Err(OpenError::OtherKey {
                path: path.to_owned(),
                expected: keccak256(public_key.as_ref()),
                found: keccak256(store.public_key.as_ref()),
            });
        }
        Ok(store)
    }

    /// Records each statement of which no slot has another digest, in one transaction, which is then on disk.
    ///
    /// On an error it is unknown what is on disk, and nothing may be signed.
    pub fn record(&self, statements: &[Claims]) -> Result<Recording, redb::Error> {
        let transaction = self.write()?;
        let mut outcomes = Vec::with_capacity(statements.len());
        let recorded;
        let added = {
            let mut tables = Tables::open(&transaction)?;
            for statement in statements {
                outcomes.push(tables.record(statement)?);
            }
            recorded = tables.finish()?;
            tables.added
        };
        // What was only looked up is on disk already.
        if added == 0 {
            transaction.abort()?
        } else {
            transaction.commit()?
        }
        Ok(Recording { outcomes, recorded })
    }

    /// Adds entries and holds that the journal lacks, in one transaction. What is on record stays.
    pub fn merge(&self, merge: &Merge) -> Result<Merged, redb::Error> {
        let transaction = self.write()?;
        let mut merged = Merged::default();
        {
            let mut tables = Tables::open(&transaction)?;
            let mut numbers = Vec::with_capacity(merge.domains.len());
            for domain in &merge.domains {
                numbers.push(tables.merge_domain(domain)?);
            }
            let number_of = |index: u32| usize::try_from(index).ok().and_then(|index| numbers.get(index).copied());
            for (slot, entry) in &merge.entries {
                let Some(domain) = number_of(entry.domain) else { continue };
                tables.merge_entry(slot, StoredEntry { domain, ..*entry }, &mut merged)?;
            }
            for (index, hold) in &merge.holds {
                let Some(number) = number_of(*index) else { continue };
                tables.merge_hold(number, hold)?;
            }
            merged.recorded = tables.finish()?;
        }
        transaction.commit()?;
        Ok(merged)
    }

    /// Raises a domain's floor, below which no statement without an entry is recorded. It never falls.
    pub fn raise_floor(&self, domain: &Domain, floor: u64) -> Result<(), redb::Error> {
        let transaction = self.write()?;
        {
            let mut tables = Tables::open(&transaction)?;
            if let Some((_, stored)) = tables.domains.get_mut(domain) {
                stored.floor = stored.floor.max(floor);
            }
            tables.finish()?;
        }
        Ok(transaction.commit()?)
    }

    /// Deletes those entries of a domain whose time is before `before`. Returns how many.
    pub fn delete(&self, keys: &[Vec<u8>], domain: &Domain, before: u64) -> Result<u64, redb::Error> {
        let transaction = self.write()?;
        let mut deleted = 0;
        {
            let mut tables = Tables::open(&transaction)?;
            let number = tables.domains.get(domain).map(|(number, _)| *number);
            for key in keys {
                let entry = tables.entries.get(key.as_slice())?.map(|value| StoredEntry::from_bytes(value.value()));
                if entry.is_some_and(|entry| Some(entry.domain) == number && entry.time < before) {
                    tables.entries.remove(key.as_slice())?;
                    deleted += 1;
                }
            }
            let pruned = tables.counts.get("pruned")?.map_or(0, |count| count.value());
            tables.counts.insert("pruned", pruned + deleted)?;
        }
        transaction.commit()?;
        Ok(deleted)
    }

    /// Deletes holds of a domain. Returns how many there were.
    pub fn release(&self, domain: &Domain, holds: &[Hold]) -> Result<u64, redb::Error> {
        let transaction = self.write()?;
        let mut released = 0;
        {
            let mut tables = Tables::open(&transaction)?;
            let (number, _) = tables.domain(domain);
            for hold in holds {
                released += u64::from(tables.holds.remove(hold.key(number).as_slice())?.is_some());
            }
        }
        transaction.commit()?;
        Ok(released)
    }

    /// Passes each hold whose key begins with `prefix` to `visit`, as of now.
    pub fn for_each_hold<E: From<redb::Error>>(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(Hold) -> Result<(), E>,
    ) -> Result<(), E> {
        let transaction = self.database.begin_read().map_err(redb::Error::from)?;
        let table = match transaction.open_table(HOLDS) {
            Ok(table) => table,
            // A journal of before, in which nothing was recorded since.
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(redb::Error::from(error).into()),
        };
        for hold in holds_of(&table, prefix)? {
            visit(hold?)?;
        }
        Ok(())
    }

    /// Returns the domains, with their numbers.
    pub fn domains(&self) -> Result<BTreeMap<u32, StoredDomain>, redb::Error> {
        let table = self.database.begin_read()?.open_table(DOMAINS)?;
        let rows = table.iter()?;
        rows.map(|row| row.map(|(number, row)| (number.value(), StoredDomain::from_bytes(row.value()))))
            .collect::<Result<_, StorageError>>()
            .map_err(Into::into)
    }

    /// Returns the number of entries recorded since the journal was created.
    pub fn recorded(&self) -> Result<u64, redb::Error> {
        count(&self.database.begin_read()?, "recorded")
    }

    /// Returns what is recorded for a slot.
    pub fn entry(&self, slot: &Slot) -> Result<Option<Entry>, redb::Error> {
        let entries = self.database.begin_read()?.open_table(ENTRIES)?;
        let Some(stored) = entries.get(slot.key().as_slice())?.map(|value| StoredEntry::from_bytes(value.value()))
        else {
            return Ok(None);
        };
        let Some(domain) = self.domains()?.get(&stored.domain).map(|stored| stored.domain) else {
            return Err(redb::Error::Corrupted(format!("{slot} has the unknown domain {}", stored.domain)));
        };
        Ok(Some(Entry { digest: stored.digest, time: stored.time, domain }))
    }

    /// Passes each entry whose key begins with `prefix` to `visit`, in the order of the keys, as of now.
    pub fn for_each<E: From<redb::Error>>(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], StoredEntry) -> Result<(), E>,
    ) -> Result<(), E> {
        let entries = self.database.begin_read().map_err(redb::Error::from)?.open_table(ENTRIES);
        let entries = entries.map_err(redb::Error::from)?;
        for row in entries.range(prefix..).map_err(redb::Error::from)? {
            let (key, value) = row.map_err(redb::Error::from)?;
            if !key.value().starts_with(prefix) {
                break;
            }
            visit(key.value(), StoredEntry::from_bytes(value.value()))?;
        }
        Ok(())
    }

    fn write_identity(&self) -> Result<(), redb::Error> {
        let transaction = self.write()?;
        {
            let mut identity = transaction.open_table(IDENTITY)?;
            identity.insert("version", VERSION)?;
            identity.insert("public key", self.public_key.as_ref())?;
            identity.insert("journal", self.journal.as_slice())?;
            let mut counts = transaction.open_table(COUNTS)?;
            counts.insert("recorded", 0)?;
            counts.insert("pruned", 0)?;
            transaction.open_table(ENTRIES)?;
            transaction.open_table(DOMAINS)?;
            transaction.open_table(HOLDS)?;
        }
        Ok(transaction.commit()?)
    }

    /// Begins a transaction that is on disk once it is committed.
    ///
    /// One phase with checksums suffices. It trusts that no one makes a page whose XXH3 equals that of a half-written
    /// one. Everything here is a keccak256 hash or a time. See docs/decisions/0014-a-journal-in-redb.md.
    fn write(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        // The default, written down because everything rests on it.
        transaction.set_durability(Durability::Immediate)?;
        Ok(transaction)
    }
}

/// The tables of a write transaction, and what is to be written at its end.
struct Tables<'a> {
    entries: Table<'a, &'static [u8], &'static [u8; VALUE_BYTES]>,
    holds: Table<'a, &'static [u8], &'static [u8]>,
    domain_rows: Table<'a, u32, &'static [u8; DOMAIN_BYTES]>,
    counts: Table<'a, &'static str, u64>,
    domains: BTreeMap<Domain, (u32, StoredDomain)>,
    added: u64,
}

impl<'a> Tables<'a> {
    fn open(transaction: &'a WriteTransaction) -> Result<Self, redb::Error> {
        let entries = transaction.open_table(ENTRIES)?;
        let holds = transaction.open_table(HOLDS)?;
        let domain_rows = transaction.open_table(DOMAINS)?;
        let counts = transaction.open_table(COUNTS)?;
        let mut domains = BTreeMap::new();
        for row in domain_rows.iter()? {
            let (number, row) = row?;
            let stored = StoredDomain::from_bytes(row.value());
            domains.insert(stored.domain, (number.value(), stored));
        }
        Ok(Self { entries, holds, domain_rows, counts, domains, added: 0 })
    }

    /// Records a statement: all of its slots, or none if one of them has another digest.
    fn record(&mut self, statement: &Claims) -> Result<Result<(), SignError>, redb::Error> {
        let (number, mut stored) = self.domain(&statement.domain);
        let mut new: BTreeMap<Vec<u8>, StoredEntry> = BTreeMap::new();
        for claim in &statement.claims {
            let key = claim.slot.key();
            let known = match self.get(&key)? {
                Some(entry) => Some(entry.digest),
                None => new.get(&key).map(|entry| entry.digest),
            };
            match known {
                Some(recorded) if recorded != claim.digest => {
                    let conflict = Conflict { slot: claim.slot, recorded, requested: claim.digest };
                    return Ok(Err(SignError::AlreadySigned(conflict.into())));
                }
                Some(_) => {}
                None if claim.time < stored.floor => {
                    let (slot, time, floor) = (claim.slot, claim.time, stored.floor);
                    return Ok(Err(SignError::Pruned { slot, time, floor }));
                }
                None => {
                    new.insert(key, StoredEntry { domain: number, time: claim.time, digest: claim.digest });
                }
            }
        }
        // What is on record is signed again, whatever has been recorded since.
        let is_new = |request: &HoldRequest| {
            let slot = Slot::Attestation { task_id: request.hold.task_id };
            new.contains_key(&slot.key())
        };
        let held: Vec<_> = statement.holds.iter().filter(|request| is_new(request)).collect();
        if let Err(refusal) = self.hold(number, &held)? {
            return Ok(Err(refusal));
        }
        for (key, entry) in new {
            self.insert(&key, &entry)?;
            stored.newest = stored.newest.max(entry.time);
            self.domains.insert(statement.domain, (number, stored));
        }
        Ok(Ok(()))
    }

    /// Records holds, each of which counts for those after it: all of them, or none if one exceeds what was agreed.
    fn hold(&mut self, number: u32, requests: &[&HoldRequest]) -> Result<Result<(), SignError>, redb::Error> {
        for (index, request) in requests.iter().enumerate() {
            if let Err(refusal) = self.hold_one(number, request)? {
                for recorded in requests.iter().take(index) {
                    self.holds.remove(recorded.hold.key(number).as_slice())?;
                }
                return Ok(Err(refusal));
            }
        }
        Ok(Ok(()))
    }

    fn hold_one(&mut self, number: u32, request: &HoldRequest) -> Result<Result<(), SignError>, redb::Error> {
        let hold = &request.hold;
        let prefix = Hold::prefix(number, hold.policy_client, hold.policy_id);
        let others = holds_of(&self.holds, &prefix)?.take(MAX_HOLDS).collect::<Result<Vec<_>, redb::Error>>()?;
        if others.len() >= MAX_HOLDS {
            return Ok(Err(SignError::TooManyHolds(hold.policy_client)));
        }
        if let Some(excess) = request.excess(&others) {
            return Ok(Err(SignError::Exceeded(excess.into())));
        }
        self.holds.insert(hold.key(number).as_slice(), hold.to_bytes().as_slice())?;
        Ok(Ok(()))
    }

    fn merge_domain(&mut self, merged: &StoredDomain) -> Result<u32, redb::Error> {
        let (number, mut stored) = self.domain(&merged.domain);
        stored.newest = stored.newest.max(merged.newest);
        stored.floor = stored.floor.max(merged.floor);
        self.domains.insert(merged.domain, (number, stored));
        Ok(number)
    }

    fn merge_entry(&mut self, slot: &Slot, entry: StoredEntry, merged: &mut Merged) -> Result<(), redb::Error> {
        let key = slot.key();
        match self.get(&key)? {
            None => {
                self.insert(&key, &entry)?;
                merged.added += 1;
            }
            Some(known) if known.digest == entry.digest => {
                // Kept for as long as the later of both asks.
                if known.time < entry.time {
                    self.entries.insert(key.as_slice(), &entry.to_bytes())?;
                }
                merged.known += 1;
            }
            Some(known) => {
                merged.conflicts.push(Conflict { slot: *slot, recorded: known.digest, requested: entry.digest });
            }
        }
        Ok(())
    }

    fn merge_hold(&mut self, number: u32, hold: &Hold) -> Result<(), redb::Error> {
        let key = hold.key(number);
        let is_known = self.holds.get(key.as_slice())?.is_some();
        if !is_known {
            self.holds.insert(key.as_slice(), hold.to_bytes().as_slice())?;
        }
        Ok(())
    }

    /// Writes the domains and the number of entries, which it returns.
    fn finish(&mut self) -> Result<u64, redb::Error> {
        for (number, stored) in self.domains.values() {
            self.domain_rows.insert(number, &stored.to_bytes())?;
        }
        let recorded = self.counts.get("recorded")?.map_or(0, |count| count.value()) + self.added;
        self.counts.insert("recorded", recorded)?;
        Ok(recorded)
    }

    fn domain(&self, domain: &Domain) -> (u32, StoredDomain) {
        let new = || {
            let next = self.domains.values().map(|(number, _)| number + 1).max().unwrap_or(0);
            (next, StoredDomain { domain: *domain, newest: 0, floor: 0 })
        };
        self.domains.get(domain).copied().unwrap_or_else(new)
    }

    fn get(&self, key: &[u8]) -> Result<Option<StoredEntry>, redb::Error> {
        Ok(self.entries.get(key)?.map(|value| StoredEntry::from_bytes(value.value())))
    }

    fn insert(&mut self, key: &[u8], entry: &StoredEntry) -> Result<(), redb::Error> {
        self.entries.insert(key, &entry.to_bytes())?;
        self.added += 1;
        Ok(())
    }
}

/// Returns the holds whose keys begin with a prefix.
fn holds_of<'a>(
    table: &'a impl ReadableTable<&'static [u8], &'static [u8]>,
    prefix: &'a [u8],
) -> Result<impl Iterator<Item = Result<Hold, redb::Error>>, redb::Error> {
    let rows = table.range(prefix..)?;
    let unknown = || redb::Error::Corrupted("a hold is in another format".to_owned());
    let holds = rows.map(move |row| {
        let (key, bytes) = row?;
        let belongs = key.value().starts_with(prefix);
        belongs.then(|| Hold::parse(key.value(), bytes.value()).ok_or_else(unknown)).transpose()
    });
    Ok(holds.map_while(Result::transpose))
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

fn identity(transaction: &ReadTransaction) -> Result<(FixedBytes<16>, PublicKey), redb::Error> {
    let table = transaction.open_table(IDENTITY)?;
    let field = |name: &str| -> Result<Vec<u8>, redb::Error> {
        Ok(table.get(name)?.map(|value| value.value().to_vec()).unwrap_or_default())
    };
    if field("version")? != VERSION {
        return Err(redb::Error::Corrupted("it has another version than 1".to_owned()));
    }
    let public_key = PublicKey::try_from(field("public key")?.as_slice());
    let journal = FixedBytes::try_from(field("journal")?.as_slice());
    match (journal, public_key) {
        (Ok(journal), Ok(public_key)) => Ok((journal, public_key)),
        _ => Err(redb::Error::Corrupted("it does not name its key".to_owned())),
    }
}

fn count(transaction: &ReadTransaction, name: &str) -> Result<u64, redb::Error> {
    let counts = transaction.open_table(COUNTS)?;
    let count = counts.get(name)?.map(|count| count.value());
    count.ok_or_else(|| redb::Error::Corrupted(format!("it does not say how many entries were {name}")))
}

fn damaged(path: &Path, reason: impl ToString) -> OpenError {
    OpenError::Damaged { path: path.to_owned(), reason: reason.to_string() }
}

impl From<redb::Error> for JournalError {
    fn from(error: redb::Error) -> Self {
        Self::failed(error)
    }
}
