//! The decision: from the regions to the content of the result region.

use crate::{
    documents::{Regions, data_document, input_document, parse},
    reason::{Kind, Reason, Reasons, result_of},
    rego,
    rules::{Content, Rules},
    trial,
};
use alloc::{format, string::ToString as _, vec::Vec};
use assent_json::Value as Json;

/// Returns the content of the result region: the decision byte, then the reasons as canonical JSON.
///
/// ```
/// use assent_evaluator::{Regions, evaluate};
///
/// let result = evaluate(&Regions { rules: b"{}", ..Regions::default() });
/// assert_eq!(result[0], 0);
/// assert_eq!(&result[1..], br#"{"reasons":[{"kind":"rules","message":"`version` must be 1"}]}"#);
/// ```
pub fn evaluate(regions: &Regions<'_>) -> Vec<u8> {
    match Content::read(regions.rules) {
        Err(error) => result_of([Reason::new(Kind::Rules, error)].into()),
        Ok(Content::Trial(rules, trial)) => trial::run(&rules, &trial, regions),
        Ok(Content::One(rules)) => result_of(decide_one(&rules, regions)),
        Ok(Content::All(policies)) => result_of(decide_all(&policies, regions)),
    }
}

fn decide_one(rules: &Rules, regions: &Regions<'_>) -> Reasons {
    let documents = parse(regions.parameters, Kind::Parameters)
        .and_then(|parameters| Ok((parameters, parse(regions.data, Kind::Data)?)));
    match documents {
        Ok((parameters, data)) => decide(rules, parameters, regions.input, data),
        Err(reason) => [reason].into(),
    }
}

/// Decides each policy with its parameters and data, and returns the reasons of all.
fn decide_all(policies: &[Rules], regions: &Regions<'_>) -> Reasons {
    let parameters = match parse(regions.parameters, Kind::Parameters) {
        Ok(Some(Json::Array(parameters))) if parameters.len() == policies.len() => parameters,
        Ok(_) => {
            let message = format!("the parameters must be an array of {}, one for each policy", policies.len());
            return [Reason::new(Kind::Parameters, message)].into();
        }
        Err(reason) => return [reason].into(),
    };
    let mut data = match parse(regions.data, Kind::Data) {
        Ok(None) => assent_json::Object::new(),
        Ok(Some(Json::Object(data))) => data,
        Ok(Some(other)) => {
            let message = format!("the data must be an object by the policies' indices, not {}", other.kind());
            return [Reason::new(Kind::Data, message)].into();
        }
        Err(reason) => return [reason].into(),
    };
    let mut reasons = Reasons::new();
    for (index, (rules, parameters)) in policies.iter().zip(parameters).enumerate() {
        let index = index.to_string();
        let decided = decide(rules, Some(parameters), regions.input, data.remove(&index));
        reasons.extend(decided.into_iter().map(|reason| reason.of_policy(&index)));
    }
    if let Some(unknown) = data.keys().next() {
        reasons
            .push(Reason::new(Kind::Data, format!("there is data for the policy {unknown:?}, which does not exist")));
    }
    reasons
}

fn decide(rules: &Rules, parameters: Option<Json>, input: &[u8], data: Option<Json>) -> Reasons {
    let engine = || rego::engine(rules, true).map_err(|error| Reason::new(Kind::Rules, error));
    let documents = input_document(rules, input)
        .and_then(|input| Ok((input, data_document(rules, parameters, data)?)))
        .and_then(|(input, data)| Ok((input, data, engine()?)));
    match documents {
        Ok((input, data, engine)) => rego::decide(engine, &rules.entrypoint, input, data),
        Err(reason) => [reason].into(),
    }
}
