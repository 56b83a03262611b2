//! Recorded calls by target and function, and the groups that share rules.

use super::{
    SuggestionError, SuggestionOptions,
    limits::Limit,
    name_of,
    values::{Argument, decode_call, text, types_of},
};
use alloy_primitives::{Address, U256, hex};
use assent_rules::{AbiType, Function};
use assent_types::Intent;
use std::collections::{BTreeMap, BTreeSet};

/// A recorded call, decoded.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) intent: Intent,
    pub(super) arguments: Vec<Argument>,
}

/// What was recorded of a function of one target.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) calls: Vec<Call>,
    pub(super) chains: BTreeSet<U256>,
    pub(super) callers: Limit,
    pub(super) value: U256,
    pub(super) limits: Vec<Limit>,
}

/// Targets of one function whose limits have the same shape, so that they share rules.
#[derive(Debug, Clone)]
pub(super) struct Group<'a> {
    pub(super) function: &'a Function,
    /// The group's name in rules and parameters.
    pub(super) name: String,
    pub(super) targets: BTreeMap<Address, Target>,
}

/// Groups distinct calls. The functions that were called are in the order in which they were given.
pub(super) fn groups<'a>(
    functions: &'a [Function],
    intents: &[Intent],
    options: &SuggestionOptions,
) -> Result<Vec<Group<'a>>, SuggestionError> {
    let mut calls = BTreeMap::<usize, BTreeMap<Address, Vec<Call>>>::new();
    for (index, intent) in intents.iter().enumerate() {
        let (function, arguments) = decode(functions, intent, index.saturating_add(1))?;
        let of_target = calls.entry(function).or_default().entry(intent.to).or_default();
        of_target.push(Call { intent: intent.clone(), arguments });
    }
    let mut groups = Vec::new();
    let mut names = Names::default();
    for (index, targets) in calls {
        let Some(function) = functions.get(index) else { continue };
        let mut shapes = BTreeMap::<String, BTreeMap<Address, Target>>::new();
        for (address, calls) in targets {
            let target = Target::new(function, calls, options);
            shapes.entry(target.shape()).or_default().insert(address, target);
        }
        for targets in shapes.into_values() {
            groups.push(Group { function, name: names.unique(&function.name), targets });
        }
    }
    Ok(groups)
}

fn decode(functions: &[Function], intent: &Intent, number: usize) -> Result<(usize, Vec<Argument>), SuggestionError> {
    let selector = intent.data.get(..4);
    let found = functions.iter().enumerate().find(|(_, function)| match function.selector() {
        Some(own) => selector == Some(own.as_slice()),
        None => intent.data.is_empty(),
    });
    let Some((index, function)) = found else {
        let selector = intent.data.get(..4).map(hex::encode_prefixed);
        return Err(SuggestionError::UnknownFunction { number, selector });
    };
    let arguments = decode_call(function, &intent.data)
        .ok_or_else(|| SuggestionError::Undecodable { number, function: function.to_string() })?;
    Ok((index, arguments))
}

impl Target {
    fn new(function: &Function, calls: Vec<Call>, options: &SuggestionOptions) -> Self {
        let callers = calls.iter().map(|call| Argument::Address(call.intent.from)).collect::<Vec<_>>();
        let lists = calls.iter().map(|call| call.arguments.as_slice()).collect::<Vec<_>>();
        Self {
            chains: calls.iter().map(|call| call.intent.chainId).collect(),
            callers: Limit::of(&AbiType::Address, &callers.iter().collect::<Vec<_>>(), "", options),
            value: calls.iter().map(|call| call.intent.value).max().unwrap_or_default(),
            limits: Limit::of_each(&function.parameters, &lists, &function.name, options),
            calls,
        }
    }

    fn shape(&self) -> String {
        let limits = self.limits.iter().map(Limit::shape).collect::<String>();
        format!("{}{limits}", self.callers.shape())
    }

    /// Returns what a call shows of the limits: its listed values, and the maxima that it reaches.
    pub(super) fn facts(&self, function: &Function, call: &Call) -> Vec<String> {
        let intent = &call.intent;
        let mut facts = vec![format!("chain {}", intent.chainId), format!("caller {}", intent.from)];
        if intent.value == self.value {
            facts.push("value".into());
        }
        for (index, (ty, (limit, argument))) in
            types_of(&function.parameters).into_iter().zip(self.limits.iter().zip(&call.arguments)).enumerate()
        {
            collect_facts(ty, limit, argument, &index.to_string(), &mut facts);
        }
        facts
    }
}

fn collect_facts(ty: &AbiType, limit: &Limit, argument: &Argument, path: &str, facts: &mut Vec<String>) {
    match (limit, ty, argument) {
        (Limit::OneOf(_), ..) => facts.push(format!("{path} {}", text(argument))),
        (Limit::AtMost(most), _, Argument::Uint(value)) if value == most => facts.push(format!("{path} most")),
        (Limit::Between(least, _), _, Argument::Int(value)) if value == least => facts.push(format!("{path} least")),
        (Limit::Between(_, most), _, Argument::Int(value)) if value == most => facts.push(format!("{path} most")),
        (
            Limit::Elements(longest, limit),
            AbiType::Array(element) | AbiType::FixedArray(element, _),
            Argument::List(values),
        ) => {
            if *longest == Some(values.len()) {
                facts.push(format!("{path} longest"));
            }
            for value in values {
                collect_facts(element, limit, value, &format!("{path}[]"), facts);
            }
        }
        (Limit::Members(limits), AbiType::Tuple(members), Argument::List(values)) => {
            for (index, ((member, limit), value)) in members.iter().zip(limits).zip(values).enumerate() {
                collect_facts(&member.ty, limit, value, &format!("{path}.{}", name_of(member, index)), facts);
            }
        }
        _ => {}
    }
}

/// Names in Rego, each given once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// Returns a name in Rego that was not returned before.
    pub(super) fn unique(&mut self, name: &str) -> String {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = name.chars().map(|c| if is_letter(c) { c } else { '_' }).collect::<String>();
        let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
        let mut candidates = core::iter::once(name.clone()).chain(numbered);
        let unique = candidates.find(|candidate| !self.0.contains(candidate)).unwrap_or(name);
        self.0.insert(unique.clone());
        unique
    }
}
