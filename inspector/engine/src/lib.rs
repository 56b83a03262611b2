//! The functions of the Inspector's page: JSON in, JSON out.

use assent_inspection::{
    EvidenceReplay, EvidenceReport, Inspection,
    text::{self, TextError, Texts},
};
use serde::Serialize;
use std::cell::RefCell;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

/// An answer, with one of these fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Answer {
    Inspection(Box<Inspection>),
    Kind(&'static str),
    Progress(Progress),
    Replay(Box<EvidenceReport>),
    Error(TextError),
}

/// How far a replay is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    steps: u64,
    step_limit: u64,
}

thread_local! {
    /// The replay that [`advance`] continues.
    static REPLAY: RefCell<Option<EvidenceReplay>> = const { RefCell::new(None) };
}

/// Inspects the [`Texts`] in JSON: `{"inspection": …}`, or `{"error": {"input": …, "message": …}}`.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn inspect(texts: &str) -> String {
    let inspection = read(texts).and_then(|texts| text::inspect(&texts));
    answer(&inspection.map_or_else(Answer::Error, |inspection| Answer::Inspection(Box::new(inspection))))
}

/// Recognises which of the [`Texts`] a text is: `{"kind": …}`, or an error as [`inspect`] has it.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn recognise(text: &str) -> String {
    answer(&text::recognise(text).map_or_else(Answer::Error, Answer::Kind))
}

/// Prepares the replay of the evidence among the [`Texts`]: `{"progress": {"steps": 0, "stepLimit": …}}`, or an error
/// as [`inspect`] has it. It replaces any other replay.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn replay(texts: &str) -> String {
    match read(texts).and_then(|texts| EvidenceReplay::new(&texts)) {
        Ok(replay) => {
            let progress = progress(&replay);
            REPLAY.set(Some(replay));
            answer(&Answer::Progress(progress))
        }
        Err(error) => answer(&Answer::Error(error)),
    }
}

/// Makes at most so many more steps: `{"progress": …}`, or `{"replay": …}` when it has ended.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn advance(steps: u32) -> String {
    let Some(mut replay) = REPLAY.take() else {
        return answer(&Answer::Error(TextError { input: "evidence", message: "there is no replay".to_owned() }));
    };
    if replay.advance(steps.into()) {
        return answer(&Answer::Replay(Box::new(replay.finish())));
    }
    let progress = progress(&replay);
    REPLAY.set(Some(replay));
    answer(&Answer::Progress(progress))
}

fn progress(replay: &EvidenceReplay) -> Progress {
    Progress { steps: replay.steps(), step_limit: replay.step_limit() }
}

fn read(texts: &str) -> Result<Texts, TextError> {
    serde_json::from_str(texts).map_err(|error| TextError { input: "file", message: error.to_string() })
}

fn answer(answer: &Answer) -> String {
    serde_json::to_string(answer).unwrap_or_else(|error| {
        serde_json::json!({ "error": { "input": "file", "message": error.to_string() } }).to_string()
    })
}
