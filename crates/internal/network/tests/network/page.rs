//! docs/network.md: its examples are what the state machines say, to the byte.

use alloy_primitives::B256;
use assent_network::message::{GatewayMessage, OperatorMessage, RefusalCode, Refused, VERSIONS};

use crate::fixture::{HANDOVER, Network};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/network.md");

#[test]
fn the_pages_connection_is_what_both_state_machines_say() {
    let mut network = Network::new(1);
    network.connect();
    network.request();
    assert_eq!(network.closed, Vec::<String>::new());
    let lines = network.transcript.iter().map(|(is_operators, text)| {
        for_direction(*is_operators, text);
        line(*is_operators, text)
    });
    compare("transcript", &lines.collect::<String>());
}

#[test]
fn the_pages_batch_is_what_both_state_machines_say() {
    let mut network = Network::with_batches(1);
    network.connect();
    network.request_many(3);
    assert_eq!(network.closed, Vec::<String>::new());
    let kinds = ["offerForBatch", "decided", "signBatch", "batchSigned"].map(|kind| format!(r#""type":"{kind}""#));
    let of_batches = network.transcript.iter().filter(|(_, text)| kinds.iter().any(|kind| text.contains(kind)));
    let lines = of_batches.map(|(is_operators, text)| {
        for_direction(*is_operators, text);
        line(*is_operators, text)
    });
    compare("batch", &lines.collect::<String>());
}

#[test]
fn the_pages_handover_is_what_both_state_machines_say() {
    let mut network = Network::new(1);
    network.connect();
    network.request_handover(1);
    assert_eq!(network.closed, Vec::<String>::new());
    let kinds = ["signHandover", "handoverSigned"].map(|kind| format!(r#""type":"{kind}""#));
    let of_handovers = network.transcript.iter().filter(|(_, text)| kinds.iter().any(|kind| text.contains(kind)));
    let lines = of_handovers.map(|(is_operators, text)| {
        for_direction(*is_operators, text);
        line(*is_operators, text)
    });
    compare("handover", &lines.collect::<String>());
}

#[test]
fn the_pages_other_messages_are_written_and_read_so() {
    let task_id = B256::repeat_byte(0xaa);
    let refusal = Refused {
        code: RefusalCode::StaleBlock,
        message: "block 20 is 48 seconds old, more than 24".into(),
        retryable: false,
    };
    let undecided = Refused {
        code: RefusalCode::Undecided,
        message: format!("task {task_id} is not decided here"),
        retryable: true,
    };
    let not_final = Refused::new(RefusalCode::NotFinal, "no final block of the home chain has epoch 6 in force", true);
    let messages = [
        (false, GatewayMessage::Unsupported { versions: VERSIONS }.to_json()),
        (true, OperatorMessage::Refused { task_id, refusal }.to_json()),
        (true, OperatorMessage::BatchRefused { root: task_id, refusal: undecided }.to_json()),
        (true, OperatorMessage::HandoverRefused { handover: HANDOVER, refusal: not_final }.to_json()),
        (false, GatewayMessage::Cancel { task_id }.to_json()),
        (false, GatewayMessage::Ping { number: 1 }.to_json()),
        (true, OperatorMessage::Pong { number: 1 }.to_json()),
    ];
    let lines = messages.iter().map(|(is_operators, text)| {
        for_direction(*is_operators, text);
        line(*is_operators, text)
    });
    compare("others", &lines.collect::<String>());
}

#[test]
fn the_page_has_every_code_of_a_refusal() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    for code in RefusalCode::ALL {
        assert!(page.contains(&format!("\n| `{}` |", code.as_str())), "{}", code.as_str());
    }
}

/// Requires that a message is read as what was written.
fn for_direction(is_operators: bool, text: &str) {
    let again = if is_operators {
        OperatorMessage::parse(text.as_bytes()).unwrap().to_json()
    } else {
        GatewayMessage::parse(text.as_bytes()).unwrap().to_json()
    };
    assert_eq!(again, text);
}

fn line(is_operators: bool, text: &str) -> String {
    format!("    {} {text}\n", if is_operators { '>' } else { '<' })
}

/// Compares a section of the page; with `UPDATE_NETWORK_PAGE` set, writes it.
fn compare(section: &str, expected: &str) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (start, end) = (format!("<!-- {section} -->\n"), format!("<!-- end of {section} -->"));
    let from = page.find(&start).unwrap() + start.len();
    let to = from + page[from..].find(&end).unwrap();
    let expected = format!("\n{expected}\n");
    if std::env::var_os("UPDATE_NETWORK_PAGE").is_some() {
        std::fs::write(PAGE, [&page[..from], &expected, &page[to..]].concat()).unwrap();
        return;
    }
    assert_eq!(&page[from..to], expected, "write it with UPDATE_NETWORK_PAGE=1, and read what changed");
}
