//! Operator tables, which store an epoch's operators in contract code.

use crate::{HandoverError, Operator, OperatorSet, OperatorSetError, PublicKey, operators::TABLE_CAPACITY as CAPACITY};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_primitives::{Address, B256, Keccak256, aliases::U96, keccak256};

/// The bytes of a head without addresses: negated aggregate key, total weight, number of operators, earlier tables.
const HEAD_LENGTH: usize = 192 + 12 + 2 + 1;

/// The most tables before the head.
const MAX_EARLIER_TABLES: usize = 19;

/// The bytes of an entry: public key, weight, address.
const ENTRY_LENGTH: usize = 192 + 12 + 20;

/// The reason why contract code is not an epoch's operator table. `table` counts from 0, and the head is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorTableError {
    /// The code's length differs from what its head says.
    #[error("operator table {table} has {actual} bytes, which is not what its head says")]
    WrongLength {
        /// The table.
        table: usize,
        /// The length in bytes.
        actual: usize,
    },
    /// The code does not begin with a zero byte, so it is not a table.
    #[error("operator table {table} does not begin with a zero byte")]
    NotATable {
        /// The table.
        table: usize,
    },
    /// The number of earlier tables does not match the number of operators, or the given tables.
    #[error("operator table {table}: {actual} earlier tables where there should be {expected}")]
    EarlierTables {
        /// The table.
        table: usize,
        /// The number that the number of operators needs.
        expected: usize,
        /// The number in the head's field, or of the given tables.
        actual: usize,
    },
    /// An earlier table does not hold exactly 100 operators.
    #[error("operator table {table} holds {actual} operators, but an earlier table holds 100")]
    NotFull {
        /// The table.
        table: usize,
        /// The number in its head.
        actual: u16,
    },
    /// The stored total weight is not the sum of the weights.
    #[error("the total weight in operator table {table} is not the sum of the weights")]
    WrongTotalWeight {
        /// The table.
        table: usize,
    },
    /// The stored aggregate is not minus the sum of the keys.
    #[error("the aggregate key in operator table {table} is not minus the sum of the keys")]
    WrongAggregateKey {
        /// The table.
        table: usize,
    },
    /// The operators are not a valid set.
    #[error(transparent)]
    Operators(#[from] OperatorSetError),
}

impl OperatorSet {
    /// Reads an epoch's tables: the runtime code of the head, which the epoch names, and of the earlier tables.
    ///
    /// [`earlier_tables`](Self::earlier_tables) returns the earlier tables' addresses, in order.
    /// The stored count, total weight and aggregate key of every table are compared with recomputed values. An
    /// `EpochMirror` stores earlier tables with a head of zeros: then only the last head, which is of the whole set, is
    /// compared.
    ///
    /// # Errors
    ///
    /// Every [`OperatorTableError`].
    pub fn from_tables<T: AsRef<[u8]>>(head: &[u8], earlier: &[T]) -> Result<Self, OperatorTableError> {
        let table = earlier.len();
        let head = Table::parse(head, table)?;
        if head.earlier_tables.len() != earlier.len() {
            let (expected, actual) = (head.earlier_tables.len(), earlier.len());
            return Err(OperatorTableError::EarlierTables { table, expected, actual });
        }
        let mut operators = Vec::new();
        for (index, code) in earlier.iter().enumerate() {
            if let Some(entries) = entries_without_head(code.as_ref()) {
                operators.extend(entries);
                continue;
            }
            let earlier = Table::parse(code.as_ref(), index)?;
            if !earlier.earlier_tables.is_empty() || earlier.entries.len() != CAPACITY {
                return Err(OperatorTableError::NotFull { table: index, actual: earlier.operator_count });
            }
            earlier.compare(&Self::new(earlier.entries.clone())?, index)?;
            operators.extend(earlier.entries);
        }
        operators.extend_from_slice(&head.entries);
        let set = Self::new(operators)?;
        head.compare(&set, table)?;
        Ok(set)
    }

    /// Returns the addresses of the earlier tables, at most 19, from the head's runtime code.
    ///
    /// ```
    /// use alloy_primitives::Address;
    /// use assent_verifier::{OperatorSet, OperatorSetError};
    ///
    /// /// Reads an epoch's operators with a function that reads contract code.
    /// fn read(head: Address, code: impl Fn(Address) -> Vec<u8>) -> Result<OperatorSet, Box<dyn std::error::Error>> {
    ///     let head = code(head);
    ///     let earlier: Vec<_> = OperatorSet::earlier_tables(&head)?.into_iter().map(code).collect();
    ///     Ok(OperatorSet::from_tables(&head, &earlier)?)
    /// }
    ///
    /// let nothing_there = read(Address::repeat_byte(1), |_| vec![]).unwrap_err();
    /// assert_eq!(nothing_there.to_string(), "operator table 0 has 0 bytes, which is not what its head says");
    /// ```
    ///
    /// # Errors
    ///
    /// [`OperatorTableError`] if the code is not a head's. Its `table` is then the claimed number of earlier tables.
    pub fn earlier_tables(head: &[u8]) -> Result<Vec<Address>, OperatorTableError> {
        let claimed = head.get(207).copied().map_or(0, usize::from);
        Ok(Table::parse(head, claimed)?.earlier_tables)
    }
}

impl OperatorSet {
    /// Returns the set's table as `EpochMirror.accept` takes it: the head, addresses of the earlier tables, and the
    /// last table's entries.
    ///
    /// The earlier tables are those of [`full_tables`](Self::full_tables), each stored on the mirror's chain. A set
    /// of up to 100 operators has no earlier table.
    ///
    /// # Errors
    ///
    /// [`OperatorTableError::EarlierTables`] if there are more or fewer of them.
    pub fn mirror_table(&self, earlier_tables: &[Address]) -> Result<Vec<u8>, OperatorTableError> {
        let full = self.full_tables_count();
        if earlier_tables.len() != full {
            let (table, expected, actual) = (full, full, earlier_tables.len());
            return Err(OperatorTableError::EarlierTables { table, expected, actual });
        }
        let mut table = self.table_head();
        table.extend(earlier_tables.iter().flatten());
        let last = self.operators().chunks(CAPACITY).next_back().unwrap_or_default();
        table.extend(encode_entries(last));
        Ok(table)
    }

    /// Returns the entries of each table before the last, as `EpochMirror.storeTable` takes them.
    pub fn full_tables(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.operators().chunks(CAPACITY).take(self.full_tables_count()).map(encode_entries)
    }

    /// Returns the head without addresses, which describes the whole set.
    pub(crate) fn table_head(&self) -> Vec<u8> {
        // At most 2,000 operators and 19 earlier tables.
        let count = u16::try_from(self.operators().len()).unwrap_or(u16::MAX);
        let earlier = u8::try_from(self.full_tables_count()).unwrap_or(u8::MAX);
        let mut head = self.negated_aggregate_key().as_ref().to_vec();
        head.extend(self.total_weight().to_be_bytes::<12>());
        head.extend(count.to_be_bytes());
        head.push(earlier);
        head
    }

    fn full_tables_count(&self) -> usize {
        self.operators().len().saturating_sub(1) / CAPACITY
    }
}

fn encode_entries(operators: &[Operator]) -> Vec<u8> {
    let mut entries = Vec::with_capacity(operators.len().saturating_mul(ENTRY_LENGTH));
    for Operator { address, public_key, weight } in operators {
        entries.extend_from_slice(public_key.as_ref());
        entries.extend(weight.to_be_bytes::<12>());
        entries.extend(address);
    }
    entries
}

/// Returns the content hash of a table as `EpochMirror.accept` takes it. Only its lengths are checked.
pub(crate) fn table_content_hash(table: &[u8], stored: &BTreeMap<Address, B256>) -> Result<B256, HandoverError> {
    let malformed = HandoverError::MalformedTable;
    let (head, rest) = table.split_first_chunk::<HEAD_LENGTH>().ok_or(malformed)?;
    let [.., high, low, earlier] = *head;
    let (operator_count, earlier) = (usize::from(u16::from_be_bytes([high, low])), usize::from(earlier));
    let own = operator_count.checked_sub(CAPACITY.saturating_mul(earlier)).ok_or(malformed)?;
    if earlier > MAX_EARLIER_TABLES || !(1..=CAPACITY).contains(&own) {
        return Err(malformed);
    }
    let addresses_length = earlier.saturating_mul(Address::len_bytes());
    let (addresses, entries) = rest.split_at_checked(addresses_length).ok_or(malformed)?;
    if entries.len() != own.saturating_mul(ENTRY_LENGTH) {
        return Err(malformed);
    }
    let mut content = Keccak256::new();
    content.update(head);
    for table in addresses.as_chunks().0.iter().map(Address::from) {
        content.update(stored.get(&table).ok_or(HandoverError::UnknownTable { table })?);
    }
    content.update(keccak256(entries));
    Ok(content.finalize())
}

/// Returns the entries of a full table as `EpochMirror.storeTable` stores it: its head is zeros.
fn entries_without_head(code: &[u8]) -> Option<impl Iterator<Item = Operator>> {
    let (head, entries) = code.split_first_chunk::<{ 1 + HEAD_LENGTH }>()?;
    let is_full = entries.len() == CAPACITY.saturating_mul(ENTRY_LENGTH);
    (is_full && *head == [0; 1 + HEAD_LENGTH]).then(|| entries.chunks_exact(ENTRY_LENGTH).filter_map(parse_entry))
}

/// One table, of which only the lengths are checked.
struct Table {
    negated_aggregate_key: PublicKey,
    total_weight: U96,
    operator_count: u16,
    earlier_tables: Vec<Address>,
    entries: Vec<Operator>,
}

impl Table {
    fn parse(code: &[u8], table: usize) -> Result<Self, OperatorTableError> {
        let wrong_length = OperatorTableError::WrongLength { table, actual: code.len() };
        let ([leading], rest) = code.split_first_chunk().ok_or(wrong_length)?;
        if *leading != 0 {
            return Err(OperatorTableError::NotATable { table });
        }
        let (negated_aggregate_key, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let (total_weight, rest) = rest.split_first_chunk::<12>().ok_or(wrong_length)?;
        let (operator_count, rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let ([earlier_count], rest) = rest.split_first_chunk().ok_or(wrong_length)?;
        let operator_count = u16::from_be_bytes(*operator_count);

        let operators = usize::from(operator_count);
        if operators > OperatorSet::MAX_OPERATORS {
            return Err(OperatorSetError::TooMany(operators).into());
        }
        let Some(before_last) = operators.checked_sub(1) else {
            return Err(OperatorSetError::Empty.into());
        };
        let expected = before_last / CAPACITY;
        if usize::from(*earlier_count) != expected {
            return Err(OperatorTableError::EarlierTables { table, expected, actual: (*earlier_count).into() });
        }
        let own = (before_last % CAPACITY).saturating_add(1);

        let addresses_length = expected.saturating_mul(Address::len_bytes());
        let (addresses, entries) = rest.split_at_checked(addresses_length).ok_or(wrong_length)?;
        if entries.len() != own.saturating_mul(ENTRY_LENGTH) {
            return Err(wrong_length);
        }
        Ok(Self {
            negated_aggregate_key: PublicKey(*negated_aggregate_key),
            total_weight: U96::from_be_bytes(*total_weight),
            operator_count,
            earlier_tables: addresses.as_chunks().0.iter().map(Address::from).collect(),
            entries: entries.chunks_exact(ENTRY_LENGTH).filter_map(parse_entry).collect(),
        })
    }

    /// Compares the head's values with those of its operators.
    fn compare(&self, operators: &OperatorSet, table: usize) -> Result<(), OperatorTableError> {
        if self.total_weight != operators.total_weight() {
            return Err(OperatorTableError::WrongTotalWeight { table });
        }
        if self.negated_aggregate_key != *operators.negated_aggregate_key() {
            return Err(OperatorTableError::WrongAggregateKey { table });
        }
        Ok(())
    }
}

/// Parses an entry. Returns `None` only for another length than an entry's.
fn parse_entry(bytes: &[u8]) -> Option<Operator> {
    let (public_key, rest) = bytes.split_first_chunk()?;
    let (weight, address) = rest.split_first_chunk::<12>()?;
    Some(Operator {
        address: Address::from(*<&[u8; 20]>::try_from(address).ok()?),
        public_key: PublicKey(*public_key),
        weight: U96::from_be_bytes(*weight),
    })
}
