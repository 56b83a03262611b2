//! Reading is strict: a message has one form, and versions are negotiated or refused.

use assent_network::message::{GatewayMessage, MAX_MESSAGE, MessageError, OperatorMessage, Versions};

use crate::fixture::{Network, task};

#[test]
fn the_highest_common_version_is_taken_and_disjoint_ranges_are_refused() {
    let range = |min, max| Versions { min, max };
    for (ours, theirs, expected) in [
        (range(1, 1), range(1, 1), Some(1)),
        (range(1, 3), range(2, 5), Some(3)),
        (range(2, 5), range(1, 3), Some(3)),
        (range(1, 1), range(2, 2), None),
        (range(2, 2), range(1, 1), None),
        (range(1, 9), range(7, 3), None),
    ] {
        assert_eq!(ours.negotiate(theirs).ok(), expected, "{ours:?} {theirs:?}");
    }
    let error = range(1, 2).negotiate(range(3, 4)).unwrap_err().to_string();
    assert_eq!(error, "no common version of the messages: 1 to 2 here, 3 to 4 there");
}

#[test]
fn both_sides_close_with_a_clear_error_without_a_common_version() {
    let mut network = Network::new(1);
    network.alter =
        |_, message| message.replace(r#""maxVersion":3,"minVersion":1"#, r#""maxVersion":5,"minVersion":4"#);
    network.connect();
    assert_eq!(network.transcript[1].1, r#"{"maxVersion":3,"minVersion":1,"type":"unsupported"}"#);
    assert_eq!(network.closed[0], "no common version of the messages: 1 to 3 here, 4 to 5 there");
    assert_eq!(network.closed.len(), 2);
    assert_eq!(network.gateway.operators().count(), 0);
}

#[test]
fn a_message_with_another_spelling_is_refused() {
    let valid = GatewayMessage::Offer { task: task() }.to_json();
    assert_eq!(GatewayMessage::parse(valid.as_bytes()), Ok(GatewayMessage::Offer { task: task() }));
    for (from, to) in [
        (r#""type":"offer""#, r#""type":"offers""#),
        (r#""type":"offer""#, r#""type":"hello""#),
        (r#""type":"offer""#, r#""other":1,"type":"offer""#),
        (r#""epoch":5,"#, ""),
        (r#""epoch":5,"#, r#""epoch":5,"extra":5,"#),
        (r#""epoch":5,"#, r#""epoch":5,"epoch":5,"#),
        (r#""epoch":5,"#, r#""epoch":"5","#),
        (r#""epoch":5,"#, r#""epoch":5.0,"#),
        (r#""epoch":5,"#, r#""epoch":4294967296,"#),
        (r#""nonce":"258""#, r#""nonce":"0258""#),
        (r#""nonce":"258""#, r#""nonce":"0x102""#),
        (r#""nonce":"258""#, r#""nonce":258"#),
        (r#""value":"3""#, r#""value":"-3""#),
        (r#""data":"0x""#, r#""data":"""#),
        (r#""data":"0x""#, r#""data":"0x0""#),
        (r#""data":"0x""#, r#""data":"0xAB""#),
        (r#""from":"0x44"#, r#""from":"0x4444"#),
        (r#""expiration":1800000600"#, r#""expiration":281474976710656"#),
    ] {
        let altered = valid.replacen(from, to, 1);
        assert_ne!(altered, valid, "{from}");
        assert!(GatewayMessage::parse(altered.as_bytes()).is_err(), "{to}");
    }
    assert!(GatewayMessage::parse(format!("{valid} x").as_bytes()).is_err());
    assert!(OperatorMessage::parse(valid.as_bytes()).is_err(), "the other side's message");
    assert!(GatewayMessage::parse(b"[]").is_err());
    assert!(GatewayMessage::parse(b"").is_err());
    let long = " ".repeat(MAX_MESSAGE + 1);
    assert_eq!(GatewayMessage::parse(long.as_bytes()), Err(MessageError::TooLong(MAX_MESSAGE + 1)));
    let longest = format!("{valid}{}", " ".repeat(MAX_MESSAGE - valid.len()));
    assert!(GatewayMessage::parse(longest.as_bytes()).is_ok());
    let mut task = task();
    task.intent.data = vec![0; 64 * 1024 + 1].into();
    assert!(GatewayMessage::parse(GatewayMessage::Offer { task }.to_json().as_bytes()).is_err());
    let deep = format!(r#"{{"number":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    assert!(matches!(GatewayMessage::parse(deep.as_bytes()), Err(MessageError::Json(_))));
}
