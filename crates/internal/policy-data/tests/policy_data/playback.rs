//! Recordings repeat an observation to the byte, or say what differs.

use crate::world::{CONTRACT, PRICE, host, observe, probe, request, steps, take, world};
use assent_policy_data::{
    ObserveError, PlaybackError, Recording,
    exchange::{Answer, Exchange, Question},
};

fn recording() -> Recording {
    let steps = format!(
        r#"{{"do":"balance","account":"{CONTRACT:#x}"}},{{"do":"code","account":"{CONTRACT:#x}"}},
           {{"do":"send","url":"https://api.example/hello"}},{{"do":"send","url":"https://api.example/slow"}},
           {{"do":"logs","addresses":["{CONTRACT:#x}"],"topics":[],"from":95,"to":100}}"#
    );
    observe(&steps).expect("it observes").recording
}

fn difference(recording: &Recording) -> PlaybackError {
    match host().replay(&probe(), recording).expect_err("the recording differs") {
        ObserveError::Playback(error) => error,
        other => panic!("another reason: {other}"),
    }
}

#[test]
fn a_recording_repeats_to_the_byte() {
    let recording = recording();
    let text = serde_json::to_string(&recording).expect("a recording is JSON");
    let read: Recording = serde_json::from_str(&text).expect("a recording is read as it is written");
    assert_eq!(read, recording);
    for _ in 0..2 {
        let repeated = host().replay(&probe(), &read).expect("it repeats");
        assert_eq!(repeated.recording, recording);
        assert_eq!(repeated.output.to_canonical(), recording.output);
    }
}

#[test]
fn fuel_is_the_same_for_a_recording() {
    let observation = observe(r#"{"do":"request"},{"do":"nan"}"#).expect("it observes");
    let repeated = host().replay(&probe(), &observation.recording).expect("it repeats");
    assert_eq!(repeated.fuel, observation.fuel);
}

#[test]
fn a_recording_is_plain_json() {
    let text = serde_json::to_string(&recording()).expect("a recording is JSON");
    let parsed = assent_json::parse(text.as_bytes()).expect("it is strict JSON");
    let exchanges = parsed.get("exchanges").and_then(|exchanges| exchanges.as_array()).expect("it has exchanges");
    let expected = format!(
        r#"{{"answer":{{"balance":"{}"}},"question":{{"account":"{CONTRACT:#x}","import":"chain.balance"}}}}"#,
        alloy_primitives::U256::MAX
    );
    assert_eq!(exchanges[0].to_canonical(), expected);
    let expected = r#"{"answer":{"response":{"body":"/hello","headers":[],"status":404}},"question":{"import":"http.send","request":{"body":null,"headers":[],"method":"GET","url":"https://api.example/hello"}}}"#;
    assert_eq!(exchanges[2].to_canonical(), expected);
}

#[test]
fn another_question_is_named() {
    let mut recording = recording();
    let Question::Balance { account } = &mut recording.exchanges[0].question else { panic!("the first step") };
    account.0[0] ^= 1;
    let PlaybackError::Question { index: 0, recorded, asked } = difference(&recording) else { panic!("the question") };
    assert_ne!(recorded, asked);
}

#[test]
fn a_component_that_differs_at_each_call_is_refused() {
    // Its steps are not those that were recorded: another request, with the same answers.
    let mut recording = recording();
    let text = steps(r#"{"do":"send","url":"https://api.example/hello?second"}"#).to_json().expect("a request");
    recording.request = text;
    assert!(matches!(difference(&recording), PlaybackError::Question { index: 0, .. }));
}

#[test]
fn missing_and_unused_answers_are_named() {
    let mut shorter = recording();
    shorter.exchanges.pop();
    assert!(matches!(difference(&shorter), PlaybackError::Ended { index: 4, .. }));

    let mut longer = recording();
    longer.exchanges.push(longer.exchanges[0].clone());
    assert_eq!(difference(&longer), PlaybackError::Unused { asked: 5, recorded: 6 });
}

#[test]
fn another_answer_gives_another_output() {
    let mut recording = recording();
    recording.exchanges[1].answer = Answer::Code(vec![7].into());
    let PlaybackError::Output { recorded, computed } = difference(&recording) else { panic!("the output") };
    assert!(recorded.contains("0x6001") && computed.contains("0x07"));
}

#[test]
fn an_answer_of_another_kind_is_named() {
    let mut recording = recording();
    recording.exchanges[1].answer = Answer::Storage(Default::default());
    assert_eq!(difference(&recording), PlaybackError::Answer { index: 1 });
}

#[test]
fn another_component_or_version_is_named() {
    let recording = recording();
    let price = host().load(PRICE).expect("it has the world");
    let error = host().replay(&price, &recording).expect_err("the recording is of the probe");
    assert!(matches!(error, ObserveError::Playback(PlaybackError::Source { .. })));

    let mut text = serde_json::to_value(&recording).expect("a recording is JSON");
    text["version"] = 2.into();
    let later: Recording = serde_json::from_value(text.clone()).expect("the version is read");
    assert_eq!(difference(&later), PlaybackError::Version { version: 2 });
    text["more"] = 1.into();
    assert!(serde_json::from_value::<Recording>(text).is_err());
}

#[test]
fn limits_hold_for_recordings_too() {
    let mut recording = observe("").expect("it observes").recording;
    let read = format!(r#"{{"do":"balance","account":"{CONTRACT:#x}"}}"#);
    recording.request = steps(&vec![read.as_str(); 65].join(",")).to_json().expect("a request");
    let one = observe(&read).expect("it observes").recording.exchanges[0].clone();
    recording.exchanges = vec![one; 65];
    assert_eq!(host().replay(&probe(), &recording).expect_err("65 reads"), ObserveError::TooManyReads);
}

#[test]
fn the_example_has_the_same_output_live_and_recorded() {
    let price = host().load(PRICE).expect("it has the world");
    let parameters = format!(r#"{{"feed":"{CONTRACT:#x}","url":"https://api.example/price"}}"#);
    let observation = host().observe(&price, &request(&parameters), &world()).expect("it observes");
    assert_eq!(observation.output.to_canonical(), r#"{"chain":"312345000000","web":"3123.45"}"#);
    assert_eq!(host().replay(&price, &observation.recording).expect("it repeats"), observation);
    let Exchange { question, .. } = &observation.recording.exchanges[1];
    assert!(matches!(question, Question::Http { request } if request.headers[0].value.contains("{{secret:")));
}

#[test]
fn a_long_request_is_refused() {
    let long = format!(r#"{{"do":"fail","reason":"{}"}}"#, "x".repeat(600 << 10));
    assert!(matches!(take(&long), Err(ObserveError::RequestTooLong { .. })));
}
