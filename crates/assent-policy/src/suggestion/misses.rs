//! Near misses: recorded calls with one change, which were not recorded and must be denied.

use super::{
    group::{Call, Group, Target},
    limits::Limit,
    name_of,
    values::{Argument, encode_call, int_range, uint_max},
};
use alloy_primitives::{Address, I256, U256};
use assent_rules::{AbiType, Function, Parameter};
use assent_types::Intent;
use std::collections::{BTreeMap, BTreeSet};

/// A call that was not recorded.
#[derive(Debug, Clone)]
pub(super) struct Miss {
    /// The change, for people and as part of a name.
    pub(super) change: String,
    pub(super) function: Function,
    pub(super) call: Call,
}

/// Returns the near misses of every target of every group.
pub(super) fn misses(groups: &[Group<'_>]) -> Vec<Miss> {
    let mut misses = Vec::new();
    for group in groups {
        for (address, target) in &group.targets {
            misses.extend(of_target(group, target));
            misses.extend(of_other_functions(groups, group, *address, target));
        }
    }
    misses
}

fn of_target(group: &Group<'_>, target: &Target) -> Vec<Miss> {
    let function = group.function;
    let Some(first) = target.calls.first() else { return Vec::new() };
    let miss = |change: &str, change_of: &dyn Fn(&mut Intent)| {
        let mut call = first.clone();
        change_of(&mut call.intent);
        Miss { change: change.to_owned(), function: function.clone(), call }
    };
    let mut misses = Vec::new();
    if let Some(chain) = other_number(&target.chains, U256::MAX) {
        misses.push(miss("another chain", &|intent| intent.chainId = chain));
    }
    if let Limit::OneOf(callers) = &target.callers
        && let Some(Argument::Address(caller)) = other(&AbiType::Address, callers)
    {
        misses.push(miss("another caller", &|intent| intent.from = caller));
    }
    if let Some(value) = target.value.checked_add(U256::ONE) {
        misses.push(miss("more value", &|intent| intent.value = value));
    }
    let mut changes = BTreeMap::new();
    for call in &target.calls {
        for (index, (parameter, limit)) in function.parameters.iter().zip(&target.limits).enumerate() {
            let Some(argument) = call.arguments.get(index) else { continue };
            for (change, changed) in variants(&parameter.ty, limit, argument, &name_of(parameter, index)) {
                changes.entry(change).or_insert_with(|| with_argument(function, call, index, changed));
            }
        }
    }
    misses.extend(changes.into_iter().map(|(change, call)| Miss { change, function: function.clone(), call }));
    misses
}

/// Returns calls of functions that were recorded, but not of this target, and of one that was not recorded at all.
fn of_other_functions(groups: &[Group<'_>], group: &Group<'_>, address: Address, target: &Target) -> Vec<Miss> {
    let Some(first) = target.calls.first() else { return Vec::new() };
    let mut misses = Vec::new();
    let mut seen = BTreeSet::new();
    for other in groups {
        let is_recorded =
            groups.iter().any(|group| group.function == other.function && group.targets.contains_key(&address));
        let call = other.targets.values().next().and_then(|target| target.calls.first());
        let Some(call) = call.filter(|_| !is_recorded && seen.insert(other.function.signature())) else { continue };
        let mut call = call.clone();
        (call.intent.from, call.intent.to, call.intent.chainId) = (first.intent.from, address, first.intent.chainId);
        misses.push(Miss { change: "another function".into(), function: other.function.clone(), call });
    }
    let is_known = |function: &Function| groups.iter().any(|group| group.function.selector() == function.selector());
    let unknown = (1_u32..).map(|number| Function { name: format!("notRecorded{number}"), parameters: Vec::new() });
    if let Some(function) = unknown.take(8).find(|function| !is_known(function)) {
        let mut call = Call { intent: first.intent.clone(), arguments: Vec::new() };
        call.intent.data = encode_call(&function, &[]).into();
        misses.push(Miss { change: "an unknown function".into(), function, call });
    }
    let targets = groups.iter().filter(|other| other.function == group.function);
    let targets = targets.flat_map(|group| group.targets.keys().map(|address| Argument::Address(*address)));
    if let Some(Argument::Address(other)) = other(&AbiType::Address, &targets.collect()) {
        let mut call = first.clone();
        call.intent.to = other;
        misses.push(Miss { change: "another target".into(), function: group.function.clone(), call });
    }
    misses
}

fn with_argument(function: &Function, call: &Call, index: usize, argument: Argument) -> Call {
    let mut call = call.clone();
    if let Some(old) = call.arguments.get_mut(index) {
        *old = argument;
    }
    call.intent.data = encode_call(function, &call.arguments).into();
    call
}

/// Returns variants of an argument that each have one part outside its limit, with the change.
fn variants(ty: &AbiType, limit: &Limit, argument: &Argument, path: &str) -> Vec<(String, Argument)> {
    match (limit, ty, argument) {
        (Limit::OneOf(values), ..) => {
            other(ty, values).map(|other| (format!("another {path}"), other)).into_iter().collect()
        }
        (Limit::AtMost(most), AbiType::Uint(bits), _) => {
            let more = most.checked_add(U256::ONE).filter(|more| *more <= uint_max(*bits));
            more.map(|more| (format!("more {path}"), Argument::Uint(more))).into_iter().collect()
        }
        (Limit::Between(least, most), AbiType::Int(bits), _) => {
            let (smallest, greatest) = int_range(*bits);
            let less = least.checked_sub(I256::ONE).filter(|less| *less >= smallest);
            let more = most.checked_add(I256::ONE).filter(|more| *more <= greatest);
            let less = less.map(|less| (format!("less {path}"), Argument::Int(less)));
            let more = more.map(|more| (format!("more {path}"), Argument::Int(more)));
            less.into_iter().chain(more).collect()
        }
        (
            Limit::Elements(longest, limit),
            AbiType::Array(element) | AbiType::FixedArray(element, _),
            Argument::List(values),
        ) => {
            let mut found = Vec::new();
            if *longest == Some(values.len()) {
                let mut longer = values.clone();
                longer.push(values.last().cloned().unwrap_or_else(|| zero(element)));
                found.push((format!("more elements of {path}"), Argument::List(longer)));
            }
            if let Some((last, before)) = values.split_last() {
                let inner = variants(element, limit, last, &format!("element of {path}"));
                found.extend(inner.into_iter().map(|(change, changed)| {
                    (change, Argument::List(before.iter().cloned().chain([changed]).collect()))
                }));
            }
            found
        }
        (Limit::Members(limits), AbiType::Tuple(members), Argument::List(values)) => {
            members_variants(members, limits, values, path)
        }
        _ => Vec::new(),
    }
}

fn members_variants(
    members: &[Parameter],
    limits: &[Limit],
    values: &[Argument],
    path: &str,
) -> Vec<(String, Argument)> {
    let mut found = Vec::new();
    for (index, ((member, limit), value)) in members.iter().zip(limits).zip(values).enumerate() {
        let inner = variants(&member.ty, limit, value, &format!("{path} {}", name_of(member, index)));
        found.extend(inner.into_iter().map(|(change, changed)| {
            let mut values = values.to_vec();
            if let Some(old) = values.get_mut(index) {
                *old = changed;
            }
            (change, Argument::List(values))
        }));
    }
    found
}

/// Returns a value that is not among those given. Nothing if the type has no other.
fn other(ty: &AbiType, values: &BTreeSet<Argument>) -> Option<Argument> {
    // One of so many candidates differs from all values, as long as the candidates differ from each other.
    (0..=values.len()).find_map(|number| candidate(ty, number).filter(|candidate| !values.contains(candidate)))
}

fn candidate(ty: &AbiType, number: usize) -> Option<Argument> {
    let integer = U256::try_from(number).ok()?;
    Some(match ty {
        AbiType::Uint(bits) => Argument::Uint((integer <= uint_max(*bits)).then_some(integer)?),
        AbiType::Int(bits) => {
            // From the least on, so that small types have all of their values among the candidates.
            let value = int_range(*bits).0.checked_add(I256::try_from(integer).ok()?)?;
            Argument::Int((value <= int_range(*bits).1).then_some(value)?)
        }
        AbiType::Address => {
            let word = integer.checked_add(U256::from(0xdead_u32))?.to_be_bytes::<32>();
            Argument::Address(Address::try_from(word.get(12..)?).ok()?)
        }
        AbiType::Bool => Argument::Bool(match number {
            0 => false,
            1 => true,
            _ => return None,
        }),
        AbiType::FixedBytes(length) => {
            let word = integer.to_be_bytes::<32>();
            let (before, bytes) = word.split_at_checked(32_usize.checked_sub(usize::from(*length))?)?;
            before.iter().all(|byte| *byte == 0).then(|| Argument::Bytes(bytes.to_vec()))?
        }
        AbiType::Bytes => Argument::Bytes(vec![0xff; number.checked_add(1)?]),
        AbiType::String => Argument::Text(format!("not recorded {number}")),
        AbiType::Array(_) | AbiType::FixedArray(..) | AbiType::Tuple(_) => return None,
    })
}

fn other_number(numbers: &BTreeSet<U256>, most: U256) -> Option<U256> {
    let above = numbers.last()?.checked_add(U256::ONE).filter(|number| *number <= most);
    above.or_else(|| numbers.first()?.checked_sub(U256::ONE))
}

/// Returns the zero or empty value of a type.
fn zero(ty: &AbiType) -> Argument {
    match ty {
        AbiType::Uint(_) => Argument::Uint(U256::ZERO),
        AbiType::Int(_) => Argument::Int(I256::ZERO),
        AbiType::Address => Argument::Address(Address::ZERO),
        AbiType::Bool => Argument::Bool(false),
        AbiType::Bytes => Argument::Bytes(Vec::new()),
        AbiType::FixedBytes(length) => Argument::Bytes(vec![0; usize::from(*length)]),
        AbiType::String => Argument::Text(String::new()),
        AbiType::Array(_) => Argument::List(Vec::new()),
        AbiType::FixedArray(element, length) => {
            Argument::List(vec![zero(element); usize::try_from(*length).unwrap_or_default()])
        }
        AbiType::Tuple(members) => Argument::List(members.iter().map(|member| zero(&member.ty)).collect()),
    }
}
