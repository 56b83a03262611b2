// The hidden set-up of the documentation's examples: the examples of the Inspector's page, as texts and parsed. Each
// example includes this file as a module.

use assent_inspection::{
    Payload, Submission,
    text::{Example, Texts},
};

/// Returns the texts of the page's example of this name.
pub fn texts(name: &str) -> Texts {
    let examples = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../inspector/examples.json"));
    let examples: Vec<Example> = serde_json::from_str(examples).unwrap();
    examples.into_iter().find(|example| example.name == name).unwrap().texts
}

/// Returns the submission of an example with an authorization, a document, an intent and a context.
pub fn submission(name: &str) -> Submission {
    let Texts { authorization, document, intent, context, .. } = texts(name);
    Submission {
        payload: Some(Payload::Authorization(alloy_primitives::hex::decode(authorization).unwrap())),
        document: Some(serde_json::from_str(&document).unwrap()),
        intent: Some(serde_json::from_str(&intent).unwrap()),
        context: Some(serde_json::from_str(&context).unwrap()),
        ..Submission::default()
    }
}
