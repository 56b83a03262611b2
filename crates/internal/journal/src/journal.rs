//! The journal of one key.

use core::fmt;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use alloy_primitives::{Address, B256, FixedBytes, U256, keccak256};
use assent_signer::AttestationBatch;
use assent_verifier::{Connection, PublicKey, Signature};

use crate::entry::{Domain, Entry, Slot};
use crate::error::{ImportError, JournalError, OpenError, SignError};
use crate::exclusive::Exclusive;
use crate::hold::{Hold, HoldRequest};
use crate::interchange::{self, Import};
use crate::marker::{Mark, Marker, MarkerError};
use crate::options::JournalOptions;
use crate::signer::{Recorded, Signer};
use crate::statement::{Claims, Statement};
use crate::store::Store;
use crate::writer::{Failure, Reply, Request, Writer};
use crate::{LATEST_AFTER_PRUNING_SECONDS, RETENTION_SECONDS};

/// How many callers' requests wait before [`Journal::sign`] makes further callers wait to ask.
const LONGEST_QUEUE: usize = 1024;

/// How many entries one transaction prunes, so that signing waits only a little for it.
const PRUNED_AT_ONCE: usize = 2048;

/// The journal of one key, and the only way to sign with it.
///
/// Every function blocks, may be called from any thread, and needs no runtime.
/// In a program with tokio, call `tokio::task::spawn_blocking(move || journal.sign(Statement::Attestations(&batch)))`.
/// A synchronous loop signs what it has collected with [`sign_all`](Self::sign_all), in one transaction.
///
/// One thread writes. It takes what waits, records it in one transaction with one `fsync`, and only then lets the
/// callers sign, each on its own thread. The more callers wait, the more share an `fsync`.
///
/// The journal reads no clock. When the last reference is dropped, it is closed.
pub struct Journal {
    store: Arc<Store>,
    signer: Box<dyn Signer>,
    /// `None` only while the journal is dropped.
    queue: Option<SyncSender<Request>>,
    thread: Option<JoinHandle<()>>,
    failure: Failure,
    _locks: [Exclusive; 2],
}

/// What was pruned.
// Complete: it is what a caller shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneReport {
    /// The number of entries that were deleted.
    pub deleted: u64,
    /// The earliest time of a statement that can still be signed, in Unix seconds.
    pub floor: u64,
}

impl Journal {
    /// Creates the journal of a key that has never signed.
    ///
    /// # Errors
    /// [`OpenError::Exists`], [`OpenError::InUse`], [`OpenError::OtherJournal`] if the key's marker knows a journal
    /// with entries, [`OpenError::Marker`], [`OpenError::Io`].
    pub fn create(options: &JournalOptions, signer: impl Signer + 'static) -> Result<Self, OpenError> {
        let locks = lock(options)?;
        let public_key = signer.public_key();
        let used = read_marker(options, &public_key)?.filter(|mark| mark.recorded > 0);
        if let Some(used) = used.filter(|_| !options.accept_older) {
            return Err(OpenError::OtherJournal {
                path: options.path.clone(),
                found: "new".to_owned(),
                used: used.journal.to_string(),
            });
        }
        let mut journal = FixedBytes::<16>::ZERO;
        getrandom::fill(journal.as_mut_slice())
            .map_err(|error| OpenError::Io { path: options.path.clone(), error: std::io::Error::other(error) })?;
        let store = Store::create(&options.path, &public_key, journal)?;
        Self::start(options, store, signer, locks)
    }

    /// Opens the journal of a key, after it has verified the checksum of every page.
    ///
    /// # Errors
    /// Every variant of [`OpenError`] but `Exists`.
    pub fn open(options: &JournalOptions, signer: impl Signer + 'static) -> Result<Self, OpenError> {
        let locks = lock(options)?;
        let store = Store::open(&options.path, &signer.public_key())?;
        require_latest(options, &store)?;
        Self::start(options, store, signer, locks)
    }

    /// Signs a statement, after it is on record on disk that its slots have these digests.
    ///
    /// The same statement gives the same signature, however often it is signed. A digest on record may be signed again
    /// under another root. A call that waits for the disk and one that signs never hold each other up.
    ///
    /// # Errors
    /// [`SignError::AlreadySigned`] if another digest is on record for a slot: then none of a batch is recorded.
    /// [`SignError::Pruned`], [`SignError::Journal`], [`SignError::Signer`].
    pub fn sign(&self, statement: Statement<'_>) -> Result<Signature, SignError> {
        let mut outcomes = self.record(&[statement])?;
        outcomes.pop().unwrap_or(Err(SignError::Journal(JournalError::Closed)))?;
        Ok(self.signer.sign(&Recorded::new(statement))?)
    }

    /// Signs attestations of which some hold amounts of their client's limits, as [`sign`](Self::sign) does.
    ///
    /// In the same transaction, each hold is compared with those on record, and recorded. So of two attestations that
    /// together exceed what was agreed, the second is refused, whichever thread asks first. What is on record already
    /// is signed again without a comparison.
    ///
    /// # Errors
    /// As [`sign`](Self::sign), and [`SignError::Exceeded`], [`SignError::TooManyHolds`]: then none is recorded.
    pub fn sign_holding(&self, batch: &AttestationBatch, holds: Vec<HoldRequest>) -> Result<Signature, SignError> {
        let statement = Statement::Attestations(batch);
        let claims = Claims { holds, ..statement.claims() };
        let mut outcomes = self.ask(|reply| Request::Record(vec![claims], reply))?;
        outcomes.pop().unwrap_or(Err(SignError::Journal(JournalError::Closed)))?;
        Ok(self.signer.sign(&Recorded::new(statement))?)
    }

    /// Returns the holds of a client under a policy. Some may be spent or expired: see [`HoldTotal::of`].
    ///
    /// [`HoldTotal::of`]: crate::HoldTotal::of
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    pub fn holds(&self, domain: &Domain, policy_client: Address, policy_id: B256) -> Result<Vec<Hold>, JournalError> {
        let domains = self.store.domains()?;
        let number = domains.iter().find(|(_, stored)| stored.domain == *domain).map(|(number, _)| *number);
        let Some(number) = number else { return Ok(Vec::new()) };
        self.collect_holds(&Hold::prefix(number, policy_client, policy_id))
    }

    /// Returns the holds of all clients.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    pub fn all_holds(&self, domain: &Domain) -> Result<Vec<Hold>, JournalError> {
        let domains = self.store.domains()?;
        let number = domains.iter().find(|(_, stored)| stored.domain == *domain).map(|(number, _)| *number);
        number.map_or_else(|| Ok(Vec::new()), |number| self.collect_holds(&number.to_be_bytes()))
    }

    /// Deletes holds of attestations that can no longer be spent. Returns how many there were.
    ///
    /// Warning: a hold that is released too early no longer counts. Release what is spent at a block that stays, and
    /// what expired before every block that may still be a task's reference block.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn release(&self, domain: &Domain, holds: Vec<Hold>) -> Result<u64, JournalError> {
        self.ask(|reply| Request::Release(*domain, holds, reply))
    }

    fn collect_holds(&self, prefix: &[u8]) -> Result<Vec<Hold>, JournalError> {
        let mut holds = Vec::new();
        self.store.for_each_hold::<JournalError>(prefix, |hold| {
            holds.push(hold);
            Ok(())
        })?;
        Ok(holds)
    }

    /// Signs several statements, recorded in one transaction. Each is signed or refused separately.
    ///
    /// Of two statements with different digests for one slot, the first is signed.
    pub fn sign_all(&self, statements: &[Statement<'_>]) -> Vec<Result<Signature, SignError>> {
        let outcomes = match self.record(statements) {
            Ok(outcomes) => outcomes,
            Err(error) => statements.iter().map(|_| Err(error.clone().into())).collect(),
        };
        let signed = statements.iter().zip(outcomes).map(|(statement, outcome)| {
            outcome?;
            Ok(self.signer.sign(&Recorded::new(*statement))?)
        });
        signed.collect()
    }

    /// Answers a gateway's challenge. It is not recorded: a connection's signature is nothing else's.
    ///
    /// # Errors
    /// [`SignError::Signer`].
    pub fn prove_connection(
        &self,
        connection: &Connection,
        chain_id: U256,
        task_manager: Address,
    ) -> Result<Signature, SignError> {
        Ok(self.signer.prove_connection(connection, chain_id, task_manager)?)
    }

    /// Returns the public key of the journal and of its signer.
    pub fn public_key(&self) -> &PublicKey {
        &self.store.public_key
    }

    /// Returns what is on record for a slot.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    pub fn entry(&self, slot: &Slot) -> Result<Option<Entry>, JournalError> {
        Ok(self.store.entry(slot)?)
    }

    /// Returns the number of entries recorded since the journal was created, with the pruned ones.
    ///
    /// # Errors
    /// [`JournalError::Failed`].
    pub fn recorded(&self) -> Result<u64, JournalError> {
        Ok(self.store.recorded()?)
    }

    /// Returns the failure after which nothing more is signed. For a health check: `None` says that nothing failed yet.
    pub fn failure(&self) -> Option<JournalError> {
        self.failure.get()
    }

    /// Deletes the entries of a TaskManager that are older than [`RETENTION_SECONDS`].
    ///
    /// `now` is the timestamp of a recent block of the chain. The journal's newest entry limits it, so that a wrong
    /// time deletes nothing that is still needed. From then on, nothing is signed that is older than the newest entry
    /// by more than [`LATEST_AFTER_PRUNING_SECONDS`] and is not on record. So two different digests of one slot are
    /// always further apart than [`RETENTION_SECONDS`], and never valid at the same time.
    ///
    /// # Errors
    /// [`JournalError`]. What was deleted before stays deleted, and the floor stays raised.
    pub fn prune(&self, domain: &Domain, now: u64) -> Result<PruneReport, JournalError> {
        let domains = self.store.domains()?;
        let Some((number, stored)) = domains.iter().find(|(_, stored)| stored.domain == *domain) else {
            return Ok(PruneReport { deleted: 0, floor: 0 });
        };
        let floor = now.min(stored.newest).saturating_sub(LATEST_AFTER_PRUNING_SECONDS);
        let before = floor.saturating_sub(RETENTION_SECONDS);
        let mut old: Vec<Vec<u8>> = Vec::new();
        self.store.for_each::<JournalError>(&[], |key, entry| {
            if entry.domain == *number && entry.time < before {
                old.push(key.to_vec());
            }
            Ok(())
        })?;
        if old.is_empty() {
            return Ok(PruneReport { deleted: 0, floor: stored.floor });
        }
        // First the floor: an entry is deleted only when its task cannot be signed again.
        self.ask(|reply| Request::RaiseFloor(*domain, floor, reply))?;
        let mut deleted = 0;
        for keys in old.chunks(PRUNED_AT_ONCE) {
            let keys = keys.to_vec();
            deleted += self.ask(|reply| Request::Delete { keys, domain: *domain, before, reply })?;
        }
        Ok(PruneReport { deleted, floor: stored.floor.max(floor) })
    }

    /// Writes all entries as JSON, in the format of docs/operators/journal.md.
    ///
    /// What is recorded meanwhile is left out. Before the key is used elsewhere, stop this process, then export.
    ///
    /// # Errors
    /// [`OpenError::Io`]'s error of the writer, and the journal's as `io::Error`.
    pub fn export(&self, writer: impl Write) -> std::io::Result<()> {
        interchange::export(&self.store, writer)
    }

    /// Merges an export into the journal: adds what it lacks, and changes nothing that is on record.
    ///
    /// # Errors
    /// Every variant of [`ImportError`]; then nothing was imported.
    pub fn import(&self, reader: impl Read) -> Result<Import, ImportError> {
        let merge = interchange::parse(reader, &self.store.public_key)?;
        let merged = self.ask(|reply| Request::Merge(merge, reply))?;
        Ok(Import { added: merged.added, known: merged.known, conflicts: merged.conflicts })
    }

    fn record(&self, statements: &[Statement<'_>]) -> Result<Vec<Result<(), SignError>>, JournalError> {
        let claims = statements.iter().map(Statement::claims).collect();
        self.ask(|reply| Request::Record(claims, reply))
    }

    fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, JournalError> {
        let (reply, answer) = sync_channel(1);
        let queue = self.queue.as_ref().ok_or(JournalError::Closed)?;
        queue.send(request(reply)).map_err(|_| JournalError::Closed)?;
        answer.recv().map_err(|_| JournalError::Closed)?
    }

    fn start(
        options: &JournalOptions,
        store: Store,
        signer: impl Signer + 'static,
        locks: [Exclusive; 2],
    ) -> Result<Self, OpenError> {
        let recorded = store
            .recorded()
            .map_err(|error| OpenError::Damaged { path: options.path.clone(), reason: error.to_string() })?;
        let mark = Mark { public_key: keccak256(store.public_key.as_ref()), journal: store.journal, recorded };
        let marker = Marker::start(&options.marker, mark).map_err(|error| marker_error(options, error))?;
        let store = Arc::new(store);
        let failure = Failure::default();
        let (sender, queue) = sync_channel(LONGEST_QUEUE);
        let writer = Writer {
            store: Arc::clone(&store),
            marker,
            queue,
            failure: failure.clone(),
            longest_group: options.longest_group,
        };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(|| writer.run())
            .map_err(|error| OpenError::Io { path: options.path.clone(), error })?;
        Ok(Self { store, signer: Box::new(signer), queue: Some(sender), thread: Some(thread), failure, _locks: locks })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // It catches its panics.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("journal", &self.store.journal).finish_non_exhaustive()
    }
}

/// Locks the journal, and the key: two journals of one key are as dangerous as two processes with one journal.
fn lock(options: &JournalOptions) -> Result<[Exclusive; 2], OpenError> {
    Ok([Exclusive::acquire(&options.path)?, Exclusive::acquire(&options.marker)?])
}

fn read_marker(options: &JournalOptions, public_key: &PublicKey) -> Result<Option<Mark>, OpenError> {
    match Marker::read(&options.marker) {
        Ok(Some(mark)) if mark.public_key != keccak256(public_key.as_ref()) => {
            Err(marker_error(options, MarkerError::OtherKey(mark.public_key)))
        }
        Ok(mark) => Ok(mark),
        Err(MarkerError::Damaged) if options.accept_older => Ok(None),
        Err(error) => Err(marker_error(options, error)),
    }
}

/// Checks that the journal has everything that the key's marker knows of.
fn require_latest(options: &JournalOptions, store: &Store) -> Result<(), OpenError> {
    let path = options.path.clone();
    let recorded =
        store.recorded().map_err(|error| OpenError::Damaged { path: path.clone(), reason: error.to_string() })?;
    let mark = read_marker(options, &store.public_key)?;
    if options.accept_older {
        return Ok(());
    }
    let Some(mark) = mark else {
        if recorded == 0 {
            return Ok(());
        }
        return Err(OpenError::NoMarker { path, recorded, marker: options.marker.clone() });
    };
    if mark.journal != store.journal {
        if mark.recorded == 0 {
            return Ok(());
        }
        let (found, used) = (store.journal.to_string(), mark.journal.to_string());
        return Err(OpenError::OtherJournal { path, found, used });
    }
    if recorded < mark.recorded {
        return Err(OpenError::Older { path, recorded, used: mark.recorded });
    }
    Ok(())
}

fn marker_error(options: &JournalOptions, error: MarkerError) -> OpenError {
    OpenError::Marker { path: options.marker.clone(), error }
}
