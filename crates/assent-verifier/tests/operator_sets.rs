//! Operator sets and the tables they are read from.

mod fixture;

use alloy_primitives::{
    Address, U256,
    aliases::{U48, U96},
    keccak256,
};
use assent_verifier::{
    Epoch, EpochId, Operator, OperatorSet, OperatorSetError, OperatorSetId, OperatorTableError, PublicKey,
};
use fixture::{encode_key, operators, secret, write_tables};
use std::hash::{BuildHasherDefault, DefaultHasher};

fn some_operators(count: u16) -> Vec<Operator> {
    operators(&(0..count).map(secret).collect::<Vec<_>>())
}

const NONE: [&[u8]; 0] = [];

#[test]
fn reads_a_set_of_one_table() {
    for count in [1, 7, 100] {
        let operators = some_operators(count);
        let [head] = write_tables(&operators, &[]).try_into().unwrap();
        assert_eq!(OperatorSet::from_tables(&head, &NONE), Ok(OperatorSet::new(operators).unwrap()));
        assert_eq!(OperatorSet::earlier_tables(&head), Ok(vec![]));
    }
}

#[test]
fn reads_a_set_of_several_tables() {
    let operators = some_operators(205);
    let addresses = [Address::repeat_byte(1), Address::repeat_byte(2)];
    let mut tables = write_tables(&operators, &addresses);
    let head = tables.pop().unwrap();
    assert_eq!(OperatorSet::earlier_tables(&head), Ok(addresses.to_vec()));
    assert_eq!(OperatorSet::from_tables(&head, &tables), Ok(OperatorSet::new(operators).unwrap()));

    let (expected, table) = (2, 1);
    let too_few = OperatorTableError::EarlierTables { table, expected, actual: 1 };
    assert_eq!(OperatorSet::from_tables(&head, &tables[..1]), Err(too_few));
    tables.swap(0, 1);
    let result = OperatorSet::from_tables(&head, &tables);
    assert!(matches!(result, Err(OperatorTableError::Operators(OperatorSetError::NotAscending { .. }))), "{result:?}");
    tables[0] = write_tables(&some_operators(99), &[]).remove(0);
    let not_full = OperatorTableError::NotFull { table: 0, actual: 99 };
    assert_eq!(OperatorSet::from_tables(&head, &tables), Err(not_full));
    // A head, even one with 100 operators, is not an earlier table.
    for count in [101, 200] {
        tables[0] = write_tables(&some_operators(count), &addresses[..1]).remove(1);
        let not_full = OperatorTableError::NotFull { table: 0, actual: count };
        assert_eq!(OperatorSet::from_tables(&head, &tables), Err(not_full));
    }
}

/// `EpochMirror.storeTable` knows only the entries: the last head describes the whole set.
#[test]
fn reads_a_set_whose_earlier_tables_a_mirror_stores() {
    let operators = some_operators(205);
    let addresses = [Address::repeat_byte(1), Address::repeat_byte(2)];
    let mut tables = write_tables(&operators, &addresses);
    let head = tables.pop().unwrap();
    for table in &mut tables {
        table[..208].fill(0);
    }
    let set = OperatorSet::new(operators).unwrap();
    assert_eq!(OperatorSet::from_tables(&head, &tables), Ok(set.clone()));
    let stored: Vec<_> = set.full_tables().map(|entries| [vec![0; 208], entries].concat()).collect();
    assert_eq!(stored, tables);

    // The head still has to agree with all entries.
    let mut heavier = tables.clone();
    heavier[0][208 + 192 + 11] ^= 1;
    let wrong = OperatorTableError::WrongTotalWeight { table: 2 };
    assert_eq!(OperatorSet::from_tables(&head, &heavier), Err(wrong));
    for length in [207, 208, tables[0].len() - 224, tables[0].len() - 1] {
        let mut short = tables.clone();
        short[0].truncate(length);
        assert!(OperatorSet::from_tables(&head, &short).is_err(), "{length} bytes");
    }
}

#[test]
fn a_sets_hash_is_that_of_the_entries_of_its_tables() {
    let operators = some_operators(205);
    let addresses = [Address::repeat_byte(1), Address::repeat_byte(2)];
    // A zero byte, key, weight, count, number of earlier tables and their addresses are before the entries.
    let hashes: Vec<_> = write_tables(&operators, &addresses)
        .iter()
        .map(|table| keccak256(&table[1 + 192 + 12 + 2 + 1 + 20 * usize::from(table[207])..]))
        .collect();
    let set = OperatorSet::new(operators.clone()).unwrap();
    assert_eq!(set.set_hash(), keccak256(hashes.concat()));

    // One table, and then one more operator.
    let one_table = OperatorSet::new(operators[..100].to_vec()).unwrap();
    let more = OperatorSet::new(operators[..101].to_vec()).unwrap();
    assert_eq!(one_table.set_hash(), keccak256(hashes[0]));
    assert_ne!(one_table.set_hash(), more.set_hash());
}

#[test]
fn reads_the_largest_set_and_none_that_is_larger() {
    // The tables accept a key more than once; the registry does not.
    let one = some_operators(1).remove(0);
    let operator = |place: u16| Operator { address: Address::from_word(U256::from(place).into()), ..one.clone() };
    let operators: Vec<_> = (0..2000).map(operator).collect();
    let addresses: Vec<_> = (0..19).map(Address::repeat_byte).collect();
    let mut tables = write_tables(&operators, &addresses);
    let mut head = tables.pop().unwrap();
    assert_eq!(OperatorSet::earlier_tables(&head), Ok(addresses));
    assert_eq!(OperatorSet::from_tables(&head, &tables).unwrap().operators(), operators);
    head[205..207].copy_from_slice(&2001u16.to_be_bytes());
    let too_many = OperatorTableError::Operators(OperatorSetError::TooMany(2001));
    assert_eq!(OperatorSet::from_tables(&head, &tables), Err(too_many));
}

#[test]
fn an_earlier_table_that_does_not_agree_with_its_entries_is_named() {
    let addresses = [Address::repeat_byte(1), Address::repeat_byte(2)];
    let mut tables = write_tables(&some_operators(201), &addresses);
    let head = tables.pop().unwrap();
    for (byte, error) in [
        (0, OperatorTableError::NotATable { table: 1 }),
        (1, OperatorTableError::WrongAggregateKey { table: 1 }),
        (204, OperatorTableError::WrongTotalWeight { table: 1 }),
    ] {
        let mut tables = tables.clone();
        tables[1][byte] ^= 1;
        assert_eq!(OperatorSet::from_tables(&head, &tables), Err(error), "byte {byte}");
    }
    let too_long = [head.as_slice(), &[0]].concat();
    let wrong_length = OperatorTableError::WrongLength { table: 2, actual: head.len() + 1 };
    assert_eq!(OperatorSet::earlier_tables(&too_long), Err(wrong_length), "by the number of tables the head claims");
}

#[test]
fn sets_are_equal_and_hash_alike_when_their_operators_are_the_same() {
    let hash = |set: &OperatorSet| std::hash::BuildHasher::hash_one(&BuildHasherDefault::<DefaultHasher>::new(), set);
    let set = OperatorSet::new(some_operators(3)).unwrap();
    let same = OperatorSet::new(some_operators(3)).unwrap();
    let other = OperatorSet::new(some_operators(2)).unwrap();
    assert_eq!((&set, &set), (&same, &set.clone()));
    assert_ne!(set, other);
    assert_eq!(hash(&set), hash(&same));
    assert_ne!(hash(&set), hash(&other));
}

#[test]
fn the_aggregate_key_is_the_sum_of_the_keys() {
    let set = OperatorSet::new(some_operators(3)).unwrap();
    let keys: Vec<_> = (0..3).map(|seed| secret(seed).sk_to_pk()).collect();
    let sum = blst::min_sig::AggregatePublicKey::aggregate(&keys.iter().collect::<Vec<_>>(), true).unwrap();
    assert_eq!(*set.aggregate_key(), encode_key(sum.to_public_key()));
    assert_ne!(set.aggregate_key(), set.negated_aggregate_key());
}

#[test]
fn refuses_tables_whose_head_does_not_agree_with_the_entries() {
    let [valid] = write_tables(&some_operators(3), &[]).try_into().unwrap();
    let read = |change: fn(&mut Vec<u8>)| {
        let mut code = valid.clone();
        change(&mut code);
        OperatorSet::from_tables(&code, &NONE).unwrap_err()
    };
    let table = 0;
    let length = valid.len();
    assert_eq!(read(|code| code.clear()), OperatorTableError::WrongLength { table, actual: 0 });
    assert_eq!(read(|code| code.push(0)), OperatorTableError::WrongLength { table, actual: length + 1 });
    assert_eq!(read(|code| code.truncate(207)), OperatorTableError::WrongLength { table, actual: 207 });
    assert_eq!(read(|code| code[0] = 1), OperatorTableError::NotATable { table });
    assert_eq!(read(|code| code[204] ^= 1), OperatorTableError::WrongTotalWeight { table });
    assert_eq!(read(|code| code[206] = 2), OperatorTableError::WrongLength { table, actual: length });
    assert_eq!(read(|code| code[206] = 0), OperatorSetError::Empty.into());
    assert_eq!(read(|code| code[205] = 0xff), OperatorSetError::TooMany(0xff03).into());
    let earlier = OperatorTableError::EarlierTables { table, expected: 0, actual: 1 };
    assert_eq!(read(|code| code[207] = 1), earlier);
    assert_eq!(read(|code| code[1..193].fill(0)), OperatorTableError::WrongAggregateKey { table });
    let swapped = read(|code| {
        let (first, rest) = code[208..].split_at_mut(224);
        first.swap_with_slice(&mut rest[..224]);
    });
    assert!(matches!(swapped, OperatorTableError::Operators(OperatorSetError::NotAscending { .. })));
    // No cut panics.
    for length in 0..valid.len() {
        assert!(OperatorSet::from_tables(&valid[..length], &NONE).is_err());
        OperatorSet::earlier_tables(&valid[..length]).unwrap_err();
    }
}

#[test]
fn refuses_operators_that_are_not_a_set() {
    let refused = |change: fn(&mut Vec<Operator>)| {
        let mut operators = some_operators(3);
        change(&mut operators);
        OperatorSet::new(operators).unwrap_err()
    };
    let address = some_operators(3)[1].address;
    assert_eq!(refused(Vec::clear), OperatorSetError::Empty);
    assert_eq!(
        refused(|operators| operators.swap(0, 1)),
        OperatorSetError::NotAscending { address: some_operators(1)[0].address }
    );
    let first = some_operators(1)[0].address;
    assert_eq!(
        refused(|operators| operators[1].address = operators[0].address),
        OperatorSetError::NotAscending { address: first }
    );
    let malformed = OperatorSetError::MalformedPublicKey { address };
    assert_eq!(refused(|operators| operators[1].public_key = PublicKey::INFINITY), malformed);
    assert_eq!(refused(|operators| operators[1].public_key.0[191] ^= 1), malformed);
    assert_eq!(refused(|operators| operators[1].weight = U96::ZERO), OperatorSetError::WithoutWeight { address });
    assert_eq!(refused(|operators| operators[1].weight = U96::MAX), OperatorSetError::WeightTooLarge);
    let many = |operators: &mut Vec<Operator>| *operators = vec![operators[0].clone(); 2001];
    assert_eq!(refused(many), OperatorSetError::TooMany(2001));
}

#[test]
fn the_required_weight_is_rounded_up_and_never_under_the_floor() {
    let mut operators = some_operators(1);
    let mut required = |weight: U96, quorum| {
        operators[0].weight = weight;
        OperatorSet::new(operators.clone()).unwrap().required_weight(quorum)
    };
    assert_eq!(required(U96::from(1), 0), U256::from(1));
    assert_eq!(required(U96::from(10_000), 5000), U256::from(5001));
    assert_eq!(required(U96::from(10_000), 5002), U256::from(5002));
    assert_eq!(required(U96::from(10_001), 10_000), U256::from(10_001));
    assert_eq!(required(U96::from(3), 6667), U256::from(3));
    assert_eq!(required(U96::MAX, 10_000), U256::from(U96::MAX));
    let expected = (U256::from(U96::MAX) * U256::from(u16::MAX)).div_ceil(U256::from(10_000));
    assert_eq!(required(U96::MAX, u16::MAX), expected);
}

#[test]
fn an_epoch_is_in_force_until_a_second_and_never_beyond_48_bits() {
    let operators = OperatorSet::new(some_operators(1)).unwrap();
    let epoch = Epoch { number: EpochId(1), operator_set: OperatorSetId(1), valid_until: U48::MAX, operators };
    assert!(epoch.is_in_force((1 << 48) - 2));
    assert!(!epoch.is_in_force((1 << 48) - 1));
    assert!(!epoch.is_in_force(u64::MAX));
    let revoked = Epoch { valid_until: U48::ZERO, ..epoch };
    assert!(!revoked.is_in_force(0));
}
