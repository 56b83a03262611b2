//! What recorded calls had in common: for each argument, its values or their maximum.

use super::{
    SuggestionOptions, name_of,
    values::{Argument, text},
};
use alloy_primitives::{I256, U256};
use assent_json::{Object, Value};
use assent_rules::{AbiType, Parameter};
use std::collections::BTreeSet;

/// Integers of fewer bits are codes rather than amounts: if few values were recorded, only these are allowed.
const CODE_BITS: u16 = 64;

/// What an argument may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Limit {
    /// One of the recorded values.
    OneOf(BTreeSet<Argument>),
    /// At most the recorded maximum.
    AtMost(U256),
    /// Between the recorded minimum and maximum.
    Between(I256, I256),
    /// Anything: too many values were recorded, which are counted here.
    Free(usize),
    /// An array of at most so many elements, if its length varies, and each element within a limit.
    Elements(Option<usize>, Box<Limit>),
    /// A tuple, each member within its limit.
    Members(Vec<Limit>),
}

impl Limit {
    /// Returns the narrowest limit of recorded values.
    pub(super) fn of(ty: &AbiType, values: &[&Argument], path: &str, options: &SuggestionOptions) -> Self {
        match ty {
            AbiType::Array(element) | AbiType::FixedArray(element, _) => {
                let lists = values.iter().map(|value| list(value)).collect::<Vec<_>>();
                let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
                let elements = lists.into_iter().flatten().collect::<Vec<_>>();
                let longest = matches!(ty, AbiType::Array(_)).then_some(longest);
                Self::Elements(longest, Box::new(Self::of(element, &elements, &format!("{path}[]"), options)))
            }
            AbiType::Tuple(members) => Self::Members(Self::of_each(
                members,
                &values.iter().map(|value| list(value)).collect::<Vec<_>>(),
                path,
                options,
            )),
            AbiType::Uint(bits) if !is_listed(*bits, values, path, options) => {
                Self::AtMost(values.iter().map(|value| unsigned(value)).max().unwrap_or_default())
            }
            AbiType::Int(bits) if !is_listed(*bits, values, path, options) => {
                let signed = values.iter().map(|value| signed(value));
                Self::Between(signed.clone().min().unwrap_or_default(), signed.max().unwrap_or_default())
            }
            _ => Self::one_of(values.iter().map(|value| (*value).clone()).collect(), options),
        }
    }

    /// Returns the narrowest limit of each of some parameters.
    pub(super) fn of_each(
        parameters: &[Parameter],
        lists: &[&[Argument]],
        path: &str,
        options: &SuggestionOptions,
    ) -> Vec<Self> {
        let limits = parameters.iter().enumerate().map(|(index, parameter)| {
            let values = lists.iter().filter_map(|list| list.get(index)).collect::<Vec<_>>();
            Self::of(&parameter.ty, &values, &format!("{path}.{}", name_of(parameter, index)), options)
        });
        limits.collect()
    }

    fn one_of(values: BTreeSet<Argument>, options: &SuggestionOptions) -> Self {
        // An address or a word has 66 characters at most; what is longer would fill the parameters.
        let is_short = values.iter().all(|value| text(value).len() <= 256);
        if values.len() <= options.max_list && is_short { Self::OneOf(values) } else { Self::Free(values.len()) }
    }

    /// Returns which parts are free: two limits of the same shape have the same rules.
    pub(super) fn shape(&self) -> String {
        match self {
            Self::OneOf(_) => "o".into(),
            Self::AtMost(_) => "m".into(),
            Self::Between(..) => "b".into(),
            Self::Free(_) => "f".into(),
            Self::Elements(_, element) => format!("[{}]", element.shape()),
            Self::Members(members) => format!("({})", members.iter().map(Self::shape).collect::<String>()),
        }
    }

    /// Returns the limit as it is in the parameters. Nothing if there is no limit.
    pub(super) fn value(&self, ty: &AbiType) -> Option<Value> {
        Some(match (self, ty) {
            (Self::Free(_), _) => return None,
            (Self::OneOf(values), _) => values.iter().map(json).collect::<Vec<_>>().into(),
            (Self::AtMost(most), _) => most.to_string().into(),
            (Self::Between(least, most), _) => {
                Object::from_iter([("least", least.to_string()), ("most", most.to_string())]).into()
            }
            (Self::Elements(longest, element), AbiType::Array(inner) | AbiType::FixedArray(inner, _)) => {
                let mut object = Object::new();
                if let Some(longest) = longest {
                    object.insert("longest", u32::try_from(*longest).unwrap_or(u32::MAX));
                }
                if let Some(value) = element.value(inner) {
                    object.insert("elements", value);
                }
                object.into()
            }
            (Self::Members(limits), AbiType::Tuple(members)) => values_of(members, limits).into(),
            _ => return None,
        })
    }

    /// Returns the JSON Schema of [`value`](Self::value).
    pub(super) fn schema(&self, ty: &AbiType) -> Option<Value> {
        Some(match (self, ty) {
            (Self::Free(_), _) => return None,
            (Self::OneOf(_), _) => array_of(leaf_schema(ty)),
            (Self::AtMost(_), _) => string("uint256"),
            (Self::Between(..), _) => object_of([("least", string("int256")), ("most", string("int256"))]),
            (Self::Elements(longest, element), AbiType::Array(inner) | AbiType::FixedArray(inner, _)) => {
                let longest = longest.map(|_| ("longest", Object::from_iter([("type", "integer")]).into()));
                object_of(longest.into_iter().chain(element.schema(inner).map(|schema| ("elements", schema))))
            }
            (Self::Members(limits), AbiType::Tuple(members)) => schemas_of(members, limits),
            _ => return None,
        })
    }
}

/// Returns limits by the names of their parameters.
pub(super) fn values_of(parameters: &[Parameter], limits: &[Limit]) -> Object {
    let values = parameters.iter().enumerate().zip(limits);
    let values =
        values.filter_map(|((index, parameter), limit)| Some((name_of(parameter, index), limit.value(&parameter.ty)?)));
    values.collect()
}

/// Returns the JSON Schema of [`values_of`].
pub(super) fn schemas_of(parameters: &[Parameter], limits: &[Limit]) -> Value {
    let schemas = parameters.iter().enumerate().zip(limits);
    let schemas = schemas
        .filter_map(|((index, parameter), limit)| Some((name_of(parameter, index), limit.schema(&parameter.ty)?)));
    object_of(schemas)
}

/// Returns the schema of an object that has these properties, and no others.
pub(super) fn object_of(properties: impl IntoIterator<Item = (impl Into<String>, Value)>) -> Value {
    let properties = properties.into_iter().map(|(name, schema)| (name.into(), schema)).collect::<Object>();
    let names = properties.keys().map(Value::from).collect::<Vec<_>>();
    Object::from_iter([
        ("type", Value::from("object")),
        ("required", names.into()),
        ("additionalProperties", false.into()),
        ("properties", properties.into()),
    ])
    .into()
}

/// Returns the schema of an array.
pub(super) fn array_of(items: Value) -> Value {
    Object::from_iter([("type", Value::from("array")), ("items", items)]).into()
}

/// Returns the schema of a string with a format.
pub(super) fn string(format: &str) -> Value {
    Object::from_iter([("type", "string"), ("format", format)]).into()
}

fn leaf_schema(ty: &AbiType) -> Value {
    match ty {
        AbiType::Uint(_) => string("uint256"),
        AbiType::Int(_) => string("int256"),
        AbiType::Address => string("address"),
        AbiType::Bytes | AbiType::FixedBytes(_) => string("bytes"),
        AbiType::Bool => Object::from_iter([("type", "boolean")]).into(),
        _ => Object::from_iter([("type", "string")]).into(),
    }
}

fn json(argument: &Argument) -> Value {
    match argument {
        Argument::Bool(value) => (*value).into(),
        other => text(other).into(),
    }
}

fn is_listed(bits: u16, values: &[&Argument], path: &str, options: &SuggestionOptions) -> bool {
    let is_code = bits < CODE_BITS || options.exact.iter().any(|exact| exact == path);
    is_code && values.iter().collect::<BTreeSet<_>>().len() <= options.max_list
}

fn list(argument: &Argument) -> &[Argument] {
    if let Argument::List(values) = argument { values } else { &[] }
}

fn unsigned(argument: &Argument) -> U256 {
    if let Argument::Uint(value) = argument { *value } else { U256::ZERO }
}

fn signed(argument: &Argument) -> I256 {
    if let Argument::Int(value) = argument { *value } else { I256::ZERO }
}
