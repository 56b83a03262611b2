//! Operators whose observations would deny for everyone, make everyone refuse, or have no room.

use alloy_primitives::U256;
use assent_network::{
    gateway::{self, Accepted, AcceptedSources, Answer, Event, LoggedTask, Submission, TaskOutcome},
    message::{GatewayMessage, MAX_MESSAGE, OperatorMessage},
};
use assent_policy::{MAX_DATA, MAX_OUTPUT};
use assent_types::Decision;

use crate::fixture::{GATEWAY, NOW_MILLIS, Network, accepted, address, domain, reducing, submission, task};

const INTEGERS: &str = r#"{"format":"uint256","type":"string"}"#;
const FIELDS: &str = r#"{"properties":{"usd":{"format":"uint256","type":"string"}}}"#;

/// A network in which the first operators observe other things than the rest.
fn network(count: u8, lies: &[&str], truths: &[&str]) -> Network {
    let mut network = Network::new(count);
    let outputs = lies.iter().chain(truths.iter().cycle()).take(usize::from(count));
    network.outputs = outputs.map(|output| (*output).to_owned()).collect();
    network
}

fn decision(network: &Network) -> Option<Decision> {
    match network.answers.last() {
        Some(Answer::Finished { outcome: TaskOutcome::Attested { document, .. }, .. }) => {
            Some(Decision::try_from(document.attestation.decision).unwrap())
        }
        _ => None,
    }
}

/// Asks, and lets time pass until the gateway expects no further observations.
fn decide(network: &mut Network) -> Option<Decision> {
    network.connect();
    network.request();
    for millis in [500, 1000, 2000, 4000] {
        network.at_gateway(Event::Tick);
        network.run_at(NOW_MILLIS + millis);
    }
    decision(network)
}

/// The number of observers in what the operators got to decide on.
fn agreed_observers(network: &Network) -> usize {
    let message = network.messages("decide")[0].as_bytes();
    let Ok(GatewayMessage::Decide { observations, .. }) = GatewayMessage::parse(message) else {
        panic!("not a message: {} bytes", message.len())
    };
    observations.iter().map(|output| output.observers.len()).sum()
}

#[test]
fn an_output_that_does_not_fit_the_policy_is_left_out() {
    let deep = format!("{{\"usd\":\"2\",\"x\":{}{}}}", "[".repeat(62), "]".repeat(62));
    let prices: &[&str] = &[r#"{"usd":"2"}"#, r#"{"usd":"3"}"#, r#"{"usd":"4"}"#];
    let median = r#"{"usd":"median"}"#;
    let cases: &[(&str, &str, &[&str], &str)] = &[
        ("\"median\"", INTEGERS, &["\"2\"", "\"3\"", "\"4\""], "\"many\""),
        ("\"median\"", INTEGERS, &["\"2\"", "\"3\"", "\"4\""], "2"),
        ("\"median\"", "{}", &["2", "3", "4"], "\"2\""),
        ("\"median\"", "{}", &["2", "3", "4"], "null"),
        ("\"quorum\"", "{}", &["2", "3", "4"], "{}"),
        ("\"min\"", "{}", &["2", "3", "4"], "[]"),
        ("\"max\"", "{}", &["2", "3", "4"], "\"0\""),
        ("\"union\"", "{}", &["[1]", "[1,2]", "[]"], "1"),
        ("\"union\"", r#"{"items":{"type":"string","format":"address"}}"#, &["[]"], "[\"0x00\"]"),
        ("\"union\"", r#"{"items":{"type":"string","format":"uint256"}}"#, &["[\"1\"]", "[\"2\"]"], "[\"-1\"]"),
        (median, FIELDS, prices, "{}"),
        (median, FIELDS, prices, "[]"),
        (median, FIELDS, prices, r#"{"usd":"-1"}"#),
        (median, FIELDS, prices, r#"{"usd":2}"#),
        // By itself it is JSON, and in the data region it nests too deep.
        (median, FIELDS, prices, &deep),
    ];
    for (reduce, schema, truths, lie) in cases {
        let mut network = network(4, &[lie], truths);
        network.policy = reducing(reduce, None, schema, "limit != null");
        assert_eq!(decide(&mut network), Some(Decision::Allow), "{reduce} {lie}: {:?}", network.answers);
        assert_eq!(agreed_observers(&network), 3, "{reduce} {lie}");
    }
}

#[test]
fn a_field_that_must_be_the_same_is_that_of_a_quorum() {
    let truths = [r#"{"chain":1,"usd":"2"}"#, r#"{"chain":1,"usd":"3"}"#, r#"{"chain":1,"usd":"4"}"#];
    let mut network = network(4, &[r#"{"chain":2,"usd":"2"}"#], &truths);
    network.policy = reducing(r#"{"usd":"median"}"#, None, FIELDS, "limit.chain == 1");
    assert_eq!(decide(&mut network), Some(Decision::Allow), "{:?}", network.answers);
    assert_eq!(agreed_observers(&network), 3);
}

#[test]
fn what_a_quorum_does_not_exceed_is_not_one_liars_choice() {
    let mut network = network(4, &["9000"], &["1", "2", "3"]);
    network.policy = reducing("\"quorum\"", None, "{}", "limit <= 3");
    assert_eq!(decide(&mut network), Some(Decision::Allow), "{:?}", network.answers);
}

#[test]
fn if_nothing_fits_the_operators_say_so() {
    let mut network = network(4, &[], &["\"many\"", "\"few\""]);
    network.policy = reducing("\"median\"", None, "{}", "limit != null");
    assert_eq!(decide(&mut network), Some(Decision::Deny), "{:?}", network.answers);
    let Some(Answer::Finished { outcome: TaskOutcome::Attested { reasons, .. }, .. }) = network.answers.last() else {
        panic!("{:?}", network.answers)
    };
    assert!(reasons[0].contains("is not an integer"), "{reasons:?}");
}

#[test]
fn a_late_observation_that_fits_is_waited_for_while_another_does_not() {
    let mut network = network(4, &["\"many\""], &["2", "3", "4"]);
    network.policy = reducing("\"median\"", None, "{}", "limit != null");
    network.connect();
    network.silent = vec![3];
    network.request();
    network.at_gateway(Event::Tick);
    network.run_at(NOW_MILLIS + 1500);
    assert_eq!(network.messages("decide"), Vec::<&str>::new());
    network.silent = Vec::new();
    network.at_gateway(Event::Tick);
    network.run_at(NOW_MILLIS + 2600);
    assert_eq!(decision(&network), Some(Decision::Allow), "{:?}", network.answers);
}

#[test]
fn an_outlier_does_not_make_the_others_refuse() {
    for (reduce, lie) in [("min", "1"), ("min", "985"), ("max", "9000"), ("quorum", "9000"), ("median", "1")] {
        // Each honest observation is within 50 basis points of the others, and the tolerance is 100.
        let mut network = network(4, &[lie], &["1000", "1002", "1004"]);
        network.policy = reducing(&format!("\"{reduce}\""), Some("100"), "{}", "limit >= 1000");
        assert_eq!(decide(&mut network), Some(Decision::Allow), "{reduce} {lie}: {:?}", network.answers);
    }
    let (lie, truths) = (r#"{"usd":"9000"}"#, [r#"{"usd":"1000"}"#, r#"{"usd":"1002"}"#, r#"{"usd":"1004"}"#]);
    let mut network = network(4, &[lie], &truths);
    network.policy = reducing(r#"{"usd":"max"}"#, Some(r#"{"usd":100}"#), FIELDS, "limit.usd <= 1004");
    assert_eq!(decide(&mut network), Some(Decision::Allow), "{:?}", network.answers);
}

#[test]
fn operators_that_are_too_far_apart_say_so() {
    let mut network = network(4, &[], &["1000", "1100", "1200", "1300"]);
    network.policy = reducing("\"median\"", Some("100"), "{}", "true");
    assert_eq!(decide(&mut network), None);
    let refused = network.messages("refused");
    assert!(refused.iter().any(|message| message.contains("basis points off the reduced")), "{refused:?}");
}

/// Distinct outputs of almost the most bytes, whose text as a string of JSON is twice as long.
fn long(number: usize) -> String {
    let filler = "\\\"".repeat(MAX_OUTPUT / 2 - 40);
    format!(r#"{{"usd":"{number}","x":"{filler}"}}"#)
}

#[test]
fn long_outputs_of_liars_take_no_ones_room() {
    // Nine of 28 are less than a third, and their outputs do not fit the data region.
    let lies: Vec<_> = (0..9).map(long).collect();
    assert!(lies.iter().all(|lie| (MAX_OUTPUT - 200..=MAX_OUTPUT).contains(&lie.len())));
    assert!(lies.iter().map(String::len).sum::<usize>() > MAX_DATA);
    let lies: Vec<_> = lies.iter().map(String::as_str).collect();
    let truths = [r#"{"usd":"100"}"#, r#"{"usd":"101"}"#];
    for (reduce, within) in [("median", None), ("quorum", None), ("median", Some(r#"{"usd":200}"#))] {
        let mut network = network(28, &lies, &truths);
        network.policy = reducing(&format!(r#"{{"usd":"{reduce}"}}"#), within, FIELDS, "limit.usd >= 100");
        assert_eq!(decide(&mut network), Some(Decision::Allow), "{reduce}: {:?}", network.answers);
        assert!(network.messages("decide").iter().all(|message| message.len() <= MAX_MESSAGE));
        // Not longer than what honest operators sign needs.
        assert!(network.messages("decide").iter().all(|message| message.len() < 28 * 400), "{reduce}");
    }
}

#[test]
fn of_long_outputs_as_many_are_chosen_as_have_room() {
    // Seven of ten are a quorum and have room, all ten have not.
    let filler = "0".repeat(16_000);
    let lists: Vec<_> = (0..10).map(|number| format!(r#"{{"a":{number},"b":["{number}{filler}"]}}"#)).collect();
    let lists: Vec<_> = lists.iter().map(String::as_str).collect();
    let mut network = network(10, &lists, &[]);
    // All are waited for.
    network.policy = reducing(r#"{"a":"quorum","b":"union"}"#, None, "{}", "count(limit.b) >= 7");
    assert_eq!(decide(&mut network), Some(Decision::Allow), "{:?}", network.answers);
    assert!((7..10).contains(&agreed_observers(&network)));
}

#[test]
fn an_operator_has_no_more_than_its_share_of_what_a_gateway_holds() {
    const TASKS: u64 = 40;
    let mut settings = gateway::Settings::new(domain(), [GATEWAY.to_owned()]);
    settings.max_observation_bytes = 4 * 64 * 1024;
    let mut network = Network::with_settings(4, settings);
    network.policy = reducing(r#"{"usd":"median"}"#, None, FIELDS, "limit.usd >= 100");
    network.outputs = vec![long(1), r#"{"usd":"100"}"#.into(), r#"{"usd":"101"}"#.into(), r#"{"usd":"102"}"#.into()];
    network.connect();
    // No quorum yet: everything is held.
    network.silent = vec![2, 3];
    for nonce in 0..TASKS {
        network.at_gateway(Event::Requested {
            request: nonce,
            submission: Submission { nonce: Some(U256::from(nonce)), ..submission() },
        });
    }
    network.run();
    let honest = usize::try_from(TASKS).unwrap() * 300;
    let held = network.gateway.observation_bytes();
    assert!((2 * MAX_OUTPUT..=64 * 1024 + honest).contains(&held), "{held}");

    network.silent = Vec::new();
    for millis in [1000, 2500] {
        network.at_gateway(Event::Tick);
        network.run_at(NOW_MILLIS + millis);
    }
    let attested = network.answers.iter().filter(|answer| {
        matches!(answer, Answer::Finished { outcome: TaskOutcome::Attested { document, .. }, .. }
            if document.attestation.decision == u8::from(Decision::Allow))
    });
    assert_eq!(attested.count(), usize::try_from(TASKS).unwrap());
    assert_eq!(network.gateway.observation_bytes(), 0);
}

#[test]
fn a_task_of_an_earlier_version_is_decided() {
    // As a gateway of version 1 recorded it: the sources are known by whether they must be identical.
    let (with_rules, sources) = (accepted().to_stored(), r#""sources":{"limit":true}"#);
    let (before, rest) = with_rules.split_once(r#""rules":"#).unwrap();
    let (_, after) = rest.split_once(r#","task":"#).unwrap();
    let text = format!(r#"{before}{sources},"task":{after}"#).replace(r#""version":2"#, r#""version":1"#);
    let logged = Accepted::from_stored(text.as_bytes()).unwrap();
    assert_eq!(logged.to_stored(), text);
    let AcceptedSources::Identity(sources) = &logged.sources else { panic!("{:?}", logged.sources) };
    assert_eq!(sources.get("limit"), Some(&true));

    let mut network = Network::new(4);
    network.outputs[0] = "\"a lie\"".to_owned();
    network.connect();
    let logged = LoggedTask { accepted: logged, agreed: None, outcome: None };
    network.at_gateway(Event::Recovered(Box::new(logged)));
    network.run();
    let task_id = task().id(domain());
    let Some(TaskOutcome::Attested { document, .. }) = network.gateway.outcome(task_id) else {
        panic!("{:?}", network.gateway.progress(task_id))
    };
    assert_eq!(document.attestation.decision, u8::from(Decision::Allow));
}

#[test]
fn an_excluded_liar_s_observations_do_not_hold_a_task_up() {
    let mut network = network(4, &["3"], &["2", "3", "4"]);
    network.policy = reducing("\"median\"", None, "{}", "limit != null");
    network.alter = |index, message| match OperatorMessage::parse(message.as_bytes()) {
        Ok(OperatorMessage::Observed { task_id, mut observations }) if index == 0 => {
            observations[0].signature.0[5] ^= 1;
            OperatorMessage::Observed { task_id, observations }.to_json()
        }
        _ => message,
    };
    assert_eq!(decide(&mut network), Some(Decision::Allow), "{:?}", network.answers);
    let message = network.messages("decide")[0];
    assert!(!message.contains(&format!("{:#x}", address(1))), "{message}");
}
