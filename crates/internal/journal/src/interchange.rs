//! Export and import of entries, as JSON.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use alloy_primitives::{Address, B256, U256, keccak256};
use assent_verifier::{EpochId, PublicKey};
use serde::{Deserialize, Serialize};

use crate::entry::{ATTESTATION, Domain, HANDOVER, OBSERVATION, Slot, StoredDomain, StoredEntry};
use crate::error::{Conflict, ImportError};
use crate::hold::Hold;
use crate::store::{Merge, Store};

/// The version of the format. docs/operators/journal.md specifies it.
const VERSION: u64 = 1;

/// The result of an import.
// Complete: every entry of the export is counted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The number of entries that the journal lacked.
    pub added: u64,
    /// The number of entries that it had.
    pub known: u64,
    /// The entries with another digest than the journal's, which was kept. If both were signed, it is an offence.
    pub conflicts: Vec<Conflict>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Export {
    version: u64,
    public_key: PublicKey,
    data: Vec<DomainData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DomainData {
    chain_id: String,
    task_manager: Address,
    newest: u64,
    floor: u64,
    attestations: Vec<Attested>,
    observations: Vec<Observed>,
    /// Missing means an empty list.
    #[serde(default)]
    handovers: Vec<HandedOver>,
    #[serde(default)]
    holds: Vec<Held>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Attested {
    task_id: B256,
    digest: B256,
    time: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Observed {
    task_id: B256,
    source: B256,
    digest: B256,
    time: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HandedOver {
    epoch: u32,
    digest: B256,
    time: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Held {
    task_id: B256,
    policy_client: Address,
    policy_id: B256,
    nonce: String,
    expiration: u64,
    amounts: BTreeMap<B256, String>,
}

/// Writes the whole journal, an entry a line, without holding it in memory.
pub(crate) fn export(store: &Store, mut writer: impl Write) -> io::Result<()> {
    require_known_kinds(store)?;
    let domains = store.domains().map_err(io::Error::other)?;
    write!(writer, "{{\n\"version\": {VERSION},\n\"publicKey\": \"{}\",\n\"data\": [", store.public_key)?;
    let mut separator = "\n";
    for (number, StoredDomain { domain, newest, floor }) in &domains {
        let Domain { chain_id, task_manager } = domain;
        write!(writer, "{separator}{{\n\"chainId\": \"{chain_id}\",\n\"taskManager\": \"{task_manager:#x}\",\n")?;
        write!(writer, "\"newest\": {newest},\n\"floor\": {floor},\n\"attestations\": [")?;
        export_entries(store, *number, ATTESTATION, "\n", &mut writer)?;
        write!(writer, "],\n\"observations\": [")?;
        export_entries(store, *number, OBSERVATION, "\n", &mut writer)?;
        write!(writer, "]")?;
        // Most journals have neither of these fields.
        if export_entries(store, *number, HANDOVER, ",\n\"handovers\": [\n", &mut writer)? {
            write!(writer, "]")?;
        }
        if export_holds(store, *number, ",\n\"holds\": [\n", &mut writer)? {
            write!(writer, "]")?;
        }
        write!(writer, "\n}}")?;
        separator = ",\n";
    }
    writeln!(writer, "]\n}}")?;
    writer.flush()
}

/// Refuses a journal with an entry that an export would leave out.
fn require_known_kinds(store: &Store) -> io::Result<()> {
    store.for_each::<Failed>(&[], |key, _| Ok(parse_slot(key).map(drop)?))?;
    Ok(())
}

fn parse_slot(key: &[u8]) -> io::Result<Slot> {
    let unknown = || io::Error::new(io::ErrorKind::InvalidData, "an entry of the journal has an unknown kind");
    Slot::parse(key).ok_or_else(unknown)
}

/// Writes the entries of a domain of one kind, `before` in front of the first. Returns whether there is one.
fn export_entries(
    store: &Store,
    number: u32,
    kind: u8,
    before: &'static str,
    writer: &mut impl Write,
) -> io::Result<bool> {
    let mut separator = before;
    let mut is_any = false;
    store.for_each::<Failed>(&[kind], |key, StoredEntry { domain, time, digest }| {
        if domain != number {
            return Ok(());
        }
        let line = match parse_slot(key)? {
            Slot::Attestation { task_id } => serde_json::to_string(&Attested { task_id, digest, time }),
            Slot::Observation { task_id, source } => serde_json::to_string(&Observed { task_id, source, digest, time }),
            Slot::Handover { epoch, .. } => serde_json::to_string(&HandedOver { epoch: epoch.into(), digest, time }),
        };
        write!(writer, "{separator}{}", line.map_err(io::Error::other)?)?;
        (separator, is_any) = (",\n", true);
        Ok(())
    })?;
    Ok(is_any)
}

/// Writes what attestations of a domain hold, `before` in front of the first. Returns whether there is one.
fn export_holds(store: &Store, number: u32, before: &'static str, writer: &mut impl Write) -> io::Result<bool> {
    let mut separator = before;
    let mut is_any = false;
    store.for_each_hold::<Failed>(&number.to_be_bytes(), |hold| {
        let amounts = hold.amounts.iter().map(|(source, amount)| (*source, amount.to_string()));
        let held = Held {
            task_id: hold.task_id,
            policy_client: hold.policy_client,
            policy_id: hold.policy_id,
            nonce: hold.nonce.to_string(),
            expiration: hold.expiration,
            amounts: amounts.collect(),
        };
        write!(writer, "{separator}{}", serde_json::to_string(&held).map_err(io::Error::other)?)?;
        (separator, is_any) = (",\n", true);
        Ok(())
    })?;
    Ok(is_any)
}

/// An error of the journal or of the writer.
struct Failed(io::Error);

impl From<redb::Error> for Failed {
    fn from(error: redb::Error) -> Self {
        Self(io::Error::other(error))
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<Failed> for io::Error {
    fn from(Failed(error): Failed) -> Self {
        error
    }
}

/// Parses an export for a key.
pub(crate) fn parse(reader: impl Read, public_key: &PublicKey) -> Result<Merge, ImportError> {
    let Export { version, public_key: found, data } = serde_json::from_reader(io::BufReader::new(reader))?;
    if version != VERSION {
        return Err(ImportError::Version(version));
    }
    if found != *public_key {
        let (expected, found) = (keccak256(public_key.as_ref()), keccak256(found.as_ref()));
        return Err(ImportError::OtherKey { expected, found });
    }
    let mut merge = Merge::default();
    for (data, number) in data.into_iter().zip(0_u32..) {
        let chain_id = decimal("chain", &data.chain_id)?;
        for held in data.holds {
            merge.holds.push((number, held.parse()?));
        }
        let attestations = data.attestations.into_iter().map(|Attested { task_id, digest, time }| {
            (Slot::Attestation { task_id }, StoredEntry { domain: number, time, digest })
        });
        let observations = data.observations.into_iter().map(|Observed { task_id, source, digest, time }| {
            (Slot::Observation { task_id, source }, StoredEntry { domain: number, time, digest })
        });
        let home_registry = data.task_manager;
        let handovers = data.handovers.into_iter().map(|HandedOver { epoch, digest, time }| {
            let slot = Slot::Handover { home_chain: chain_id, home_registry, epoch: EpochId(epoch) };
            (slot, StoredEntry { domain: number, time, digest })
        });
        let entries: Vec<_> = attestations.chain(observations).chain(handovers).collect();
        // What the entries say, whatever the export's own number is: pruning relies on it.
        let newest = entries.iter().map(|(_, entry)| entry.time).max().unwrap_or(0);
        let domain = Domain { chain_id, task_manager: data.task_manager };
        merge.domains.push(StoredDomain { domain, newest: newest.max(data.newest), floor: data.floor });
        merge.entries.extend(entries);
    }
    Ok(merge)
}

impl Held {
    fn parse(self) -> Result<Hold, ImportError> {
        let amounts = self.amounts.into_iter().map(|(source, amount)| Ok((source, decimal("amount", &amount)?)));
        Ok(Hold {
            task_id: self.task_id,
            policy_client: self.policy_client,
            policy_id: self.policy_id,
            nonce: decimal("nonce", &self.nonce)?,
            expiration: self.expiration,
            amounts: amounts.collect::<Result<_, ImportError>>()?,
        })
    }
}

/// Parses a decimal number without leading zeros.
fn decimal(what: &str, text: &str) -> Result<U256, ImportError> {
    let number = U256::from_str_radix(text, 10).ok().filter(|number| number.to_string() == text);
    number.ok_or_else(|| {
        ImportError::Malformed(serde::de::Error::custom(format!("the {what} {text:?} is not a decimal number")))
    })
}
