//! The source `outstanding`: what attestations that allow a call add up to, until they are spent or expire.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256, keccak256};
use assent_json::Value;
use assent_policy::{AbiType, Builtin, Function, Observations, Observer, Parameter, Rules, Source};
use assent_rules::{ArgumentVisitor, decode};

use crate::Task;

/// A source `outstanding` of a policy.
#[derive(Debug, Clone)]
pub struct OutstandingSource {
    key: String,
    /// The functions that it counts, by selector, each with the index of the argument that is added up.
    functions: BTreeMap<[u8; 4], (Function, usize)>,
    member: Option<usize>,
    name: String,
    source: Source,
}

/// What attestations come to: their number, and the sum of their amounts.
// Complete: it is what the source answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutstandingTotal {
    /// The number of attestations.
    pub count: U256,
    /// The sum of their amounts, at most 2^256 − 1.
    pub sum: U256,
}

/// What an attestation that allows a call holds of its client's limits, and what the client's others may come to.
// Complete: the journal compares all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTask {
    /// The task's id.
    pub task_id: B256,
    /// The task.
    pub task: Task,
    /// The policy's sources `outstanding`.
    pub sources: Vec<HeldSource>,
}

/// What an attestation adds to a source, and what was agreed when it was decided.
// Complete: the journal compares all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSource {
    /// keccak256 of the source's key.
    pub source: B256,
    /// What the call adds; `None` if the source does not count its function.
    pub amount: Option<U256>,
    /// What the decision took as outstanding.
    pub agreed: OutstandingTotal,
}

impl OutstandingSource {
    /// Returns the sources `outstanding` of a policy's rules.
    ///
    /// # Errors
    ///
    /// Why a source can have no answer: the policy has no such function, or it has no such unsigned integer.
    pub fn all(rules: &Rules) -> Result<Vec<Self>, String> {
        let mut sources = Vec::new();
        for keyed in rules.sources() {
            let Observer::Builtin(Builtin::Outstanding(query)) = &keyed.source.observer else { continue };
            let rules_of = rules.members().get(keyed.member.unwrap_or(0));
            let known = rules_of.map(|member| member.functions.as_slice()).unwrap_or_default();
            let text = |name: &str| query.get(name).and_then(Value::as_str).unwrap_or_default();
            let (function, argument) = (text("function"), text("sum"));
            let mut functions = BTreeMap::new();
            for known in known.iter().filter(|known| known.name == function) {
                let index = known.parameters.iter().position(|parameter| parameter.name == argument);
                let index = index.filter(|index| {
                    let parameter = known.parameters.get(*index);
                    parameter.is_some_and(|parameter| matches!(parameter.ty, AbiType::Uint(_)))
                });
                let index = index.ok_or_else(|| format!("`{known}` has no unsigned integer `{argument}`"))?;
                functions.extend(known.selector().map(|selector| (selector, (known.clone(), index))));
            }
            if functions.is_empty() {
                return Err(format!("the policy has no function `{function}`"));
            }
            let (name, source) = (keyed.name.to_owned(), keyed.source.clone());
            sources.push(Self { key: keyed.key, functions, member: keyed.member, name, source });
        }
        Ok(sources)
    }

    /// Returns the key that observations have.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns keccak256 of the key, by which the journal knows the source.
    pub fn id(&self) -> B256 {
        keccak256(&self.key)
    }

    /// Returns what a call adds; `None` if its function is not counted.
    pub fn amount(&self, calldata: &[u8]) -> Option<U256> {
        let (selector, arguments) = calldata.split_first_chunk()?;
        let (function, index) = self.functions.get(selector)?;
        let integers = decode(&Integers, &function.parameters, arguments).ok()?;
        integers.get(*index).copied().flatten()
    }

    /// Returns the source's output.
    pub fn output(total: OutstandingTotal) -> Value {
        let OutstandingTotal { count, sum } = total;
        let fields = [("count", count.to_string()), ("sum", sum.to_string())];
        Value::from(fields.into_iter().map(|(name, value)| (name, Value::from(value))).collect::<assent_json::Object>())
    }

    /// Returns what the evaluator makes of observations: what a decision on them takes as outstanding.
    pub(super) fn agreed(&self, members: &BTreeMap<Option<usize>, Observations>) -> Option<OutstandingTotal> {
        let reduced = members.get(&self.member)?.reduce(&self.name, &self.source).ok()?;
        let integer = |name: &str| U256::from_str_radix(reduced.get(name)?.as_str()?, 10).ok();
        Some(OutstandingTotal { count: integer("count")?, sum: integer("sum")? })
    }
}

/// Decodes the integers among arguments; what is not one is `None`.
///
/// A value is a list, since that of the arguments is one. That of an integer has one entry, others need none.
struct Integers;

impl ArgumentVisitor for Integers {
    type Value = Vec<Option<U256>>;

    fn uint(&self, bytes: &[u8]) -> Self::Value {
        vec![U256::try_from_be_slice(bytes)]
    }

    fn int(&self, _bytes: &[u8]) -> Self::Value {
        Vec::new()
    }

    fn address(&self, _bytes: &[u8]) -> Self::Value {
        Vec::new()
    }

    fn boolean(&self, _value: bool) -> Self::Value {
        Vec::new()
    }

    fn bytes(&self, _bytes: &[u8]) -> Self::Value {
        Vec::new()
    }

    fn string(&self, _text: &str) -> Self::Value {
        Vec::new()
    }

    fn array(&self, _elements: Vec<Self::Value>) -> Self::Value {
        Vec::new()
    }

    /// Nothing reads what a tuple among the arguments comes to: only an unsigned integer is added up.
    fn tuple(&self, _members: &[Parameter], values: Vec<Self::Value>) -> Self::Value {
        values.iter().map(|value| value.first().copied().flatten()).collect()
    }
}
