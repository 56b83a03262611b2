//! The documents that the rules see, from the contents of the regions.

use crate::{
    abi::{arguments, is_called_by},
    exact,
    input::Input,
    observations,
    reason::{Kind, Reason},
    rules::Rules,
};
use alloc::{collections::BTreeMap, format, string::ToString as _};
use assent_json::Value as Json;
use assent_rules::Function;
use regorus::Value;

/// What a decision follows from: the contents of the machine's regions.
// Complete: another region would be another machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Regions<'a> {
    /// The rules, or the rules of several policies.
    pub rules: &'a [u8],
    /// The parameters.
    pub parameters: &'a [u8],
    /// The intent, its client, nonce and reference block.
    pub input: &'a [u8],
    /// The observations of the sources.
    pub data: &'a [u8],
}

/// Returns the document `input` of the rules.
pub(crate) fn input_document(rules: &Rules, input: &[u8]) -> Result<Value, Reason> {
    let input = Input::decode(input).ok_or_else(|| {
        Reason::new(Kind::Input, "the input is not what abi.encode writes for a PolicyInput".to_string())
    })?;
    let function = called(&rules.functions, input.calldata)?;
    let signature = function.signature();
    let arguments = arguments(function, input.calldata);
    let arguments = arguments.map_err(|error| Reason::new(Kind::Calldata, format!("{signature}: {error}")))?;
    Ok(input.document(&function.name, &signature, arguments))
}

fn called<'a>(functions: &'a [Function], calldata: &[u8]) -> Result<&'a Function, Reason> {
    functions.iter().find(|function| is_called_by(function, calldata)).ok_or_else(|| {
        let message = match calldata.first_chunk::<4>() {
            Some(selector) => format!("the policy does not name the function {}", exact::hex(selector)),
            None if calldata.is_empty() => "the policy does not name receive(), a call without calldata".to_string(),
            None => format!("the calldata has {} bytes, too few for a function", calldata.len()),
        };
        Reason::new(Kind::Function, message)
    })
}

/// Returns the document `data` of the rules, without the rules.
pub(crate) fn data_document(rules: &Rules, parameters: Option<Json>, data: Option<Json>) -> Result<Value, Reason> {
    let parameters = match parameters {
        Some(parameters @ Json::Object(_)) => parameters,
        Some(other) => {
            return Err(Reason::new(
                Kind::Parameters,
                format!("the parameters must be an object, not {}", other.kind()),
            ));
        }
        None => return Err(Reason::new(Kind::Parameters, "the parameters are empty".to_string())),
    };
    let parameters = exact::value(parameters, rules.parameters_schema.as_ref());
    let parameters = parameters.map_err(|error| Reason::new(Kind::Parameters, error))?;
    let observed = observations::reduce(data, &rules.sources).map_err(|error| Reason::new(Kind::Data, error))?;
    let documents = [(Value::from("params"), parameters), (Value::from("wasm"), observed)];
    Ok(BTreeMap::from(documents).into())
}

/// Parses the content of a region; nothing if it is empty.
pub(crate) fn parse(content: &[u8], kind: Kind) -> Result<Option<Json>, Reason> {
    if content.is_empty() {
        return Ok(None);
    }
    assent_json::parse_canonical(content).map(Some).map_err(|error| Reason::new(kind, error.to_string()))
}
