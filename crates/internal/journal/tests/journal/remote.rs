//! A remote signer, served by another journal.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use assent_journal::{
    Answer, Journal, LocalSigner, RemoteSigner, RemoteSignerOptions, SignError, Signer, SignerError,
    Statement::{self, Attestations},
    answer,
};
use assent_signer::SecretKey;
use assent_verifier::Connection;

use crate::setup::Place;
use crate::statements::{START, TASK_MANAGER, attestation, batch, chain_id, handover, observation, single};

type Handler = dyn Fn(&str, &str, &[u8]) -> Answer + Send + Sync;

/// A server on a free port of this machine, until the process ends. Returns its address.
fn serve(handler: impl Fn(&str, &str, &[u8]) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handler: Arc<Handler> = Arc::new(handler);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let handler = Arc::clone(&handler);
            thread::spawn(move || respond(stream.unwrap(), &*handler));
        }
    });
    format!("http://{address}")
}

/// Answers the requests of a connection.
fn respond(mut stream: TcpStream, handler: &Handler) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let Answer { status, body } = handler(&method, &path, &body);
        let head =
            format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn connect(url: &str, place: &Place) -> Result<RemoteSigner, SignerError> {
    RemoteSigner::connect(RemoteSignerOptions::new(url, place.signer().public_key()).timeout(Duration::from_secs(20)))
}

/// The journal of an operator whose key is with the signer at `url`.
fn operator(url: &str, key: &Place) -> (Place, Journal) {
    let place = Place::new();
    let journal = Journal::create(&place.options(), connect(url, key).unwrap()).unwrap();
    (place, journal)
}

#[test]
fn a_remote_signer_signs_what_a_local_one_signs() {
    let key = Place::new();
    let remote = key.create();
    let url = serve(move |method, path, body| answer(&remote, method, path, body));
    let (_place, journal) = operator(&url, &key);

    let local_place = Place::new();
    let local = Journal::create(&local_place.options(), key.signer()).unwrap();
    let batch = batch(vec![attestation(1, 1), attestation(2, 1)]);
    assert_eq!(journal.sign(Attestations(&batch)).unwrap(), local.sign(Attestations(&batch)).unwrap());
    let observation = observation(1, "price", "{}");
    let (chain_id, task_manager) = (chain_id(), TASK_MANAGER);
    let statement = Statement::Observation { observation: &observation, chain_id, task_manager, time: START };
    assert_eq!(journal.sign(statement).unwrap(), local.sign(statement).unwrap());
    let handover = handover(4, 6, 1);
    let statement = Statement::Handover(&handover);
    assert_eq!(journal.sign(statement).unwrap(), local.sign(statement).unwrap());
    let gateway = "gateway.example:443".to_owned();
    let connection = Connection { challenge: B256::repeat_byte(1), operator: Address::repeat_byte(2), gateway };
    assert_eq!(
        journal.prove_connection(&connection, chain_id, task_manager).unwrap(),
        local.prove_connection(&connection, chain_id, task_manager).unwrap()
    );
}

#[test]
fn the_remote_signers_journal_protects_an_operator_that_lost_its_own() {
    let key = Place::new();
    let remote = key.create();
    let url = serve(move |method, path, body| answer(&remote, method, path, body));
    let (_place, journal) = operator(&url, &key);
    journal.sign(Attestations(&single(1, 1))).unwrap();

    let (_place, forgetful) = operator(&url, &key);
    let refused = forgetful.sign(Attestations(&single(1, 2))).unwrap_err();
    let SignError::Signer(SignerError::Refused { status: 412, reason }) = refused else { panic!("{refused}") };
    assert!(reason.contains(&single(1, 1).root().to_string()), "{reason}");
}

#[test]
fn what_does_not_follow_from_its_fields_is_not_signed() {
    let key = Place::new();
    let remote = key.create();
    let path = format!("/v1/sign/{}", remote.public_key());
    let requests = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let signer = remote;
    let probe = Arc::new(signer);
    let served = Arc::clone(&probe);
    let url = serve(move |method, path, body| {
        seen.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
        answer(&served, method, path, body)
    });
    let (_place, journal) = operator(&url, &key);
    journal.sign(Attestations(&single(1, 1))).unwrap();
    let observation = observation(1, "price", "{}");
    let (chain_id, task_manager) = (chain_id(), TASK_MANAGER);
    journal.sign(Statement::Observation { observation: &observation, chain_id, task_manager, time: START }).unwrap();
    journal.sign(Statement::Handover(&handover(4, 6, 1))).unwrap();
    let requests = requests.lock().unwrap();
    let [attested, observed, handed_over] = [&requests[1], &requests[2], &requests[3]];
    for body in [attested, observed, handed_over] {
        assert_eq!(answer(&probe, "POST", &path, body.as_bytes()).status, 200);
    }
    let altered = [
        attested.replace("\"chainId\":\"1\",\"taskManager\"", "\"chainId\":\"2\",\"taskManager\""),
        attested.replace("\"decision\":\"allow\"", "\"decision\":\"deny\""),
        attested.replace(&single(1, 1).root().to_string(), &B256::repeat_byte(1).to_string()),
        observed.replace("\"chainId\":\"1\"", "\"chainId\":\"2\""),
        observed.replace(&observation.output.to_string(), &B256::repeat_byte(1).to_string()),
        observed.replace("\"type\":\"observation\"", "\"type\":\"connection\""),
        handed_over.replace("\"epoch\":6", "\"epoch\":7"),
        handed_over.replace("\"expiresAt\":1", "\"expiresAt\":2814749767106561"),
        handed_over.replace("\"committedAt\":1", "\"committedAt\":2"),
        handed_over.replace("\"committedAt\":1", "\"committedAt\":2814749767106561"),
        handed_over.replace("\"homeChain\":\"1\"", "\"homeChain\":\"2\""),
        "{}".to_owned(),
        String::new(),
    ];
    for body in altered {
        assert!(![attested, observed, handed_over].contains(&&body), "nothing was altered in {body}");
        assert_eq!(answer(&probe, "POST", &path, body.as_bytes()).status, 400, "{body}");
    }
    assert_eq!(answer(&probe, "POST", "/v1/sign/0x00", attested.as_bytes()).status, 404);
    assert_eq!(answer(&probe, "GET", &path, &[]).status, 404);
    assert_eq!(probe.recorded().unwrap(), 3);
}

#[test]
fn an_answer_that_is_not_the_keys_signature_is_refused() {
    let key = Place::new();
    let other = SecretKey::generate().unwrap().sign_root(single(1, 1).root());
    let keys = format!("{{\"keys\":[\"{}\"]}}", key.signer().public_key());
    type Case = (u16, String, fn(&SignerError) -> bool);
    let cases: [Case; 5] = [
        (200, format!("{{\"signature\":\"{other}\"}}"), |error| *error == SignerError::WrongSignature),
        (200, "{}".to_owned(), |error| matches!(error, SignerError::Unreachable { .. })),
        (200, "x".repeat(100_000), |error| matches!(error, SignerError::Unreachable { .. })),
        (404, "{}".to_owned(), |error| matches!(error, SignerError::UnknownKey(_))),
        (500, "not JSON".to_owned(), |error| matches!(error, SignerError::Refused { status: 500, .. })),
    ];
    for (status, body, is_expected) in cases {
        let keys = keys.clone();
        let url = serve(move |method, _, _| match method {
            "GET" => Answer { status: 200, body: keys.clone() },
            _ => Answer { status, body: body.clone() },
        });
        let (_place, journal) = operator(&url, &key);
        let SignError::Signer(error) = journal.sign(Attestations(&single(1, 1))).unwrap_err() else { panic!() };
        assert!(is_expected(&error), "{error}");
    }
}

#[test]
fn a_signer_without_the_key_or_without_an_answer_is_refused_at_the_start() {
    let key = Place::new();
    let url = serve(|_, _, _| Answer { status: 200, body: "{\"keys\":[]}".to_owned() });
    assert!(matches!(connect(&url, &key), Err(SignerError::UnknownKey(_))));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(connect(&format!("http://{closed}"), &key), Err(SignerError::Unreachable { .. })));
    // It accepts connections and stays silent.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let options = RemoteSignerOptions::new(url, key.signer().public_key()).timeout(Duration::from_millis(200));
    assert!(matches!(RemoteSigner::connect(options), Err(SignerError::Unreachable { .. })));
}

#[test]
fn over_http_only_this_machine_is_asked() {
    let key = LocalSigner::new(SecretKey::generate().unwrap()).public_key();
    for url in ["http://signer.example", "http://10.0.0.1:9000", "ftp://127.0.0.1", "127.0.0.1:9000", "http://"] {
        let refused = RemoteSigner::connect(RemoteSignerOptions::new(url, key));
        assert!(matches!(refused, Err(SignerError::Configuration(_))), "{url}: {refused:?}");
    }
    let options = RemoteSignerOptions::new("https://127.0.0.1:1", key).identity("no certificate").root_certificates("");
    assert!(matches!(RemoteSigner::connect(options), Err(SignerError::Configuration(_))));
}
