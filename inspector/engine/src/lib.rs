//! The functions of the Inspector's page: JSON in, JSON out.

use assent_inspection::{
    Inspection,
    text::{self, TextError, Texts},
};
use serde::Serialize;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

/// An answer, with one of these fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Answer {
    Inspection(Box<Inspection>),
    Kind(&'static str),
    Error(TextError),
}

/// Inspects the [`Texts`] in JSON: `{"inspection": …}`, or `{"error": {"input": …, "message": …}}`.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn inspect(texts: &str) -> String {
    let texts: Texts = match serde_json::from_str(texts) {
        Ok(texts) => texts,
        Err(error) => return answer(&Answer::Error(TextError { input: "file", message: error.to_string() })),
    };
    answer(&text::inspect(&texts).map_or_else(Answer::Error, |inspection| Answer::Inspection(Box::new(inspection))))
}

/// Recognises which of the [`Texts`] a text is: `{"kind": …}`, or an error as [`inspect`] has it.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn recognise(text: &str) -> String {
    answer(&text::recognise(text).map_or_else(Answer::Error, Answer::Kind))
}

fn answer(answer: &Answer) -> String {
    serde_json::to_string(answer).unwrap_or_else(|error| {
        serde_json::json!({ "error": { "input": "file", "message": error.to_string() } }).to_string()
    })
}
