//! How far a key has been used: a small file beside the key.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use alloy_primitives::{B256, FixedBytes, keccak256};
use assent_durable_files::sync_folder_of;
use serde::Deserialize;

/// The length of a record. The file has two, in separate sectors, and the older one is overwritten.
const RECORD_BYTES: usize = 512;

/// The reason why a marker cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MarkerError {
    /// The file could not be opened, created, read or written.
    #[error("{0}")]
    Io(Arc<io::Error>),
    /// The file has no valid record.
    #[error("it is damaged; accept the journal only if it is the key's latest one")]
    Damaged,
    /// The marker is another key's.
    #[error("it belongs to the key {0} (hash of the public key)")]
    OtherKey(B256),
}

impl From<io::Error> for MarkerError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.into())
    }
}

/// What a marker knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// keccak256 of the public key.
    pub public_key: B256,
    /// The identifier of the journal that the key was last used with.
    pub journal: FixedBytes<16>,
    /// The number of entries that the journal had recorded.
    pub recorded: u64,
}

/// A record's line. The checksum is the start of keccak256 of what precedes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    version: u8,
    public_key: B256,
    journal: FixedBytes<16>,
    recorded: u64,
    #[serde(rename = "checksum")]
    _checksum: FixedBytes<8>,
}

/// The open file of a marker.
#[derive(Debug)]
pub(crate) struct Marker {
    file: File,
    mark: Mark,
    /// The record to overwrite next: 0 or 1.
    next: u64,
}

impl Marker {
    /// Reads the marker at a path. `None` if no file is there.
    pub fn read(path: &Path) -> Result<Option<Mark>, MarkerError> {
        match File::open(path) {
            Ok(file) => newest(&file).map(|(mark, _)| Some(mark)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens or creates the marker for a journal, and writes what the journal has recorded.
    pub fn start(path: &Path, mark: Mark) -> Result<Self, MarkerError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let known = newest(&file).ok();
        let next = known.map_or(0, |(_, index)| 1 - index);
        let mut marker = Self { file, mark, next };
        marker.record(mark.recorded)?;
        let continues = |known: Mark| known.journal == mark.journal && known.recorded <= mark.recorded;
        // A new or damaged file gets both records, and so does a journal that was accepted though it is older.
        if !known.is_some_and(|(known, _)| continues(known)) {
            marker.record(mark.recorded)?;
        }
        marker.sync()?;
        sync_folder_of(path)?;
        Ok(marker)
    }

    /// Writes that the journal has recorded `recorded` entries. It outlives the process from here on.
    pub fn record(&mut self, recorded: u64) -> Result<(), MarkerError> {
        self.mark.recorded = recorded;
        self.file.seek(SeekFrom::Start(self.next * to_u64(RECORD_BYTES)))?;
        self.file.write_all(&encode(&self.mark))?;
        self.next = 1 - self.next;
        Ok(())
    }

    /// Writes the marker to the disk. It outlives a power failure from here on.
    pub fn sync(&self) -> Result<(), MarkerError> {
        Ok(self.file.sync_data()?)
    }
}

/// Returns the valid record with the most entries, and its index.
fn newest(mut file: &File) -> Result<(Mark, u64), MarkerError> {
    let mut bytes = Vec::with_capacity(2 * RECORD_BYTES);
    file.take(to_u64(2 * RECORD_BYTES)).read_to_end(&mut bytes)?;
    file.seek(SeekFrom::Start(0))?;
    let records = bytes.chunks(RECORD_BYTES).zip(0..);
    let marks = records.filter_map(|(record, index)| Some((decode(record)?, index)));
    marks.max_by_key(|(mark, _)| mark.recorded).ok_or(MarkerError::Damaged)
}

fn encode(mark: &Mark) -> Vec<u8> {
    let Mark { public_key, journal, recorded } = mark;
    let mut line = format!(r#"{{"version":1,"publicKey":"{public_key}","journal":"{journal}","recorded":{recorded}"#);
    let checksum = FixedBytes::<8>::from_slice(keccak256(&line).split_at(8).0);
    line.push_str(&format!(r#","checksum":"{checksum}"}}"#));
    let mut record = line.into_bytes();
    record.resize(RECORD_BYTES - 1, b' ');
    record.push(b'\n');
    record
}

/// Parses a record. Only what [`encode`] writes is one.
fn decode(record: &[u8]) -> Option<Mark> {
    let Line { version, public_key, journal, recorded, .. } = serde_json::from_slice(record).ok()?;
    let mark = Mark { public_key, journal, recorded };
    (version == 1 && record == encode(&mark)).then_some(mark)
}

/// No length here is near the limit of either type.
fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(recorded: u64) -> Mark {
        Mark { public_key: B256::repeat_byte(1), journal: FixedBytes::repeat_byte(2), recorded }
    }

    #[test]
    fn the_greatest_valid_record_counts_whatever_happens_to_the_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("marker");
        assert_eq!(Marker::read(&path).unwrap(), None);
        let mut marker = Marker::start(&path, mark(7)).unwrap();
        assert_eq!(Marker::read(&path).unwrap(), Some(mark(7)));
        for recorded in 8..12 {
            marker.record(recorded).unwrap();
            assert_eq!(Marker::read(&path).unwrap(), Some(mark(recorded)));
        }
        // The next write, torn at any byte.
        let before = std::fs::read(&path).unwrap();
        marker.record(12).unwrap();
        let after = std::fs::read(&path).unwrap();
        for torn in (0..before.len()).step_by(13) {
            let bytes = [&after[..torn], &before[torn..]].concat();
            std::fs::write(&path, bytes).unwrap();
            let read = Marker::read(&path).unwrap().unwrap();
            assert!(read == mark(11) || read == mark(12), "{torn}");
        }
    }

    #[test]
    fn any_changed_byte_of_a_record_makes_it_invalid() {
        let record = encode(&mark(u64::MAX));
        assert_eq!(record.len(), RECORD_BYTES);
        assert_eq!(decode(&record), Some(mark(u64::MAX)));
        for index in 0..record.len() {
            for flip in [1, 0x20, 0x80] {
                let mut changed = record.clone();
                changed[index] ^= flip;
                assert_eq!(decode(&changed), None, "{index}");
            }
        }
    }
}
