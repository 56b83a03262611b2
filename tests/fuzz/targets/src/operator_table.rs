use crate::{
    fixture::{operators, secret, write_tables},
    seeds::EARLIER_OPERATORS,
};
use alloy_primitives::Address;
use assent_verifier::OperatorSet;
use std::sync::LazyLock;

/// Bytes before the head: which of the earlier tables is changed, where, and by what.
const CHANGE: usize = 4;

/// Operator tables: what is read is written as the same bytes, in the head and in every earlier table.
///
/// The input is one change to the earlier tables (table, offset in two bytes, what is added by exclusive or), then the
/// head.
pub fn operator_table(input: &[u8]) {
    let Some((&[table, offset_high, offset_low, change], head)) = input.split_first_chunk::<CHANGE>() else { return };
    let Ok(addresses) = OperatorSet::earlier_tables(head) else {
        assert!(OperatorSet::from_tables::<&[u8]>(head, &[]).is_err());
        return;
    };
    let mut earlier = EARLIER_TABLES.clone();
    earlier.truncate(addresses.len());
    let offset = usize::from(u16::from_be_bytes([offset_high, offset_low]));
    if let Some(byte) = earlier.get_mut(usize::from(table)).and_then(|table| table.get_mut(offset)) {
        *byte ^= change;
    }
    if let Ok(set) = OperatorSet::from_tables(head, &earlier) {
        let mut written = write_tables(set.operators(), &addresses);
        assert_eq!(written.pop().as_deref(), Some(head));
        assert_eq!(written, earlier);
        assert_eq!(OperatorSet::new(set.operators().to_vec()), Ok(set));
    }
}

/// Two full tables.
static EARLIER_TABLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let operators = operators(&(0..EARLIER_OPERATORS + 1).map(secret).collect::<Vec<_>>());
    let mut tables = write_tables(&operators, &[Address::ZERO; 2]);
    tables.pop();
    tables
});
