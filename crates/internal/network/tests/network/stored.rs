//! The form in which the task log keeps a task.

use assent_network::{
    gateway::{
        Accepted, Answer, Event, Failure, FailureCode, LoggedTask, OperatorAnswerKind, TaskOutcome, agreed_from_stored,
        agreed_to_stored,
    },
    message::AgreedOutput,
};
use assent_types::Decision;

use crate::fixture::{Network, accepted, address, domain, key, task};

fn attested() -> TaskOutcome {
    let mut network = Network::new(4);
    network.connect();
    network.request();
    network.gateway.outcome(task().id(domain())).unwrap().clone()
}

fn failed() -> TaskOutcome {
    TaskOutcome::Failed(Failure::new(FailureCode::NoQuorum, "too few operators sign", false))
}

fn agreed() -> Vec<AgreedOutput> {
    let observation = assent_types::Observation::new(task().id(domain()), "limit", task().block_hash, b"{}");
    let signature = key(1).sign_observation(&observation, domain().chain_id, domain().task_manager);
    vec![AgreedOutput { source: "limit".into(), output: "{}".into(), observers: vec![(address(1), signature)] }]
}

#[test]
fn everything_of_a_task_is_read_as_it_was_written() {
    let text = accepted().to_stored();
    assert_eq!(Accepted::from_stored(text.as_bytes()), Ok(accepted()));
    assert_eq!(agreed_from_stored(agreed_to_stored(&agreed()).as_bytes()), Ok(agreed()));
    for outcome in [attested(), failed()] {
        let text = outcome.to_stored();
        assert_eq!(TaskOutcome::from_stored(text.as_bytes(), &accepted(), domain()), Ok(outcome));
    }
    for code in FailureCode::ALL {
        let outcome = TaskOutcome::Failed(Failure::new(*code, "", true));
        assert_eq!(TaskOutcome::from_stored(outcome.to_stored().as_bytes(), &accepted(), domain()), Ok(outcome));
    }
}

#[test]
fn what_is_not_exactly_the_form_is_refused() {
    let is_read = |text: &str| {
        Accepted::from_stored(text.as_bytes()).is_ok()
            || agreed_from_stored(text.as_bytes()).is_ok()
            || TaskOutcome::from_stored(text.as_bytes(), &accepted(), domain()).is_ok()
    };
    for text in [accepted().to_stored(), agreed_to_stored(&agreed()), attested().to_stored(), failed().to_stored()] {
        assert!(is_read(&text), "{text}");
        let (before, version) = text.rsplit_once(",\"version\":").unwrap();
        for other in ["0", "1", "2", "3"].into_iter().filter(|other| !version.starts_with(other)) {
            assert!(!is_read(&format!("{before},\"version\":{other}}}")), "{text}");
        }
        assert!(!is_read(&format!("{before}}}")), "{text}");
        assert!(!is_read(&text.replacen('{', "{\"a\":1,", 1)), "{text}");
        assert!(!is_read(&text[..text.len() - 1]), "{text}");
    }
    let wrong = attested().to_stored().replace("\"allow\"", "\"maybe\"");
    assert!(!is_read(&wrong));
}

#[test]
fn a_task_that_another_gateway_ended_is_answered_with_that_end() {
    let mut network = Network::new(4);
    network.request();
    let task_id = task().id(domain());
    assert_eq!(network.answers, [Answer::Accepted { task_id }]);
    let logged = |outcome| Box::new(LoggedTask { accepted: accepted(), agreed: None, outcome });
    // That another gateway works on it is no news.
    network.at_gateway(Event::AlreadyRecorded { task_id, logged: logged(None) });
    network.run();
    assert_eq!(network.answers.len(), 1);
    network.at_gateway(Event::AlreadyRecorded { task_id, logged: logged(Some(attested())) });
    network.run();
    assert_eq!(network.answers.last(), Some(&Answer::Finished { task_id, outcome: attested() }));
    // The first end stays.
    network.at_gateway(Event::AlreadyRecorded { task_id, logged: logged(Some(failed())) });
    network.run();
    assert_eq!(network.answers.len(), 2);
    assert_eq!(network.gateway.outcome(task_id), Some(&attested()));
}

#[test]
fn progress_names_each_operators_answer() {
    let mut network = Network::new(4);
    network.silent = vec![2];
    assert_eq!(network.gateway.progress(task().id(domain())), None);
    network.connect();
    network.request();
    let progress = network.gateway.progress(task().id(domain())).unwrap();
    let signed = OperatorAnswerKind::Signed(Decision::Allow);
    let answers: Vec<_> = progress.answers.iter().map(|answer| (answer.operator, answer.kind.clone())).collect();
    assert_eq!(answers, [(address(1), signed.clone()), (address(2), signed.clone()), (address(4), signed)]);
    assert!(progress.outcome.is_some() && progress.ended_at.is_some() && progress.agreed_at.is_some());
}
