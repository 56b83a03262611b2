//! The example `verify_file`: what it prints, and when it says that all is well.

#![cfg(feature = "serde")]

mod fixture;
#[path = "../examples/verify_file.rs"]
#[allow(dead_code, reason = "its `main` only turns the result into an exit status")]
mod verify_file;

use alloy_primitives::{Address, U256};
use assent_verifier::{AttestationDocument, Decision};
use fixture::Fixture;
use std::{fs, path::PathBuf};

/// Files of one test, removed with it.
struct Desk(PathBuf);

impl Desk {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("assent-verify-file-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let desk = Self(directory);
        desk.write("context.json", &serde_json::to_string(&Fixture::new().context).unwrap());
        desk
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Whether all are accepted, and the lines.
    fn run(&self, attestations: &str) -> Result<(bool, Vec<String>), String> {
        self.write("attestations.json", attestations);
        self.run_files("context.json", "attestations.json")
    }

    fn run_files(&self, context: &str, attestations: &str) -> Result<(bool, Vec<String>), String> {
        let arguments = [context, attestations].map(|name| self.0.join(name).to_str().unwrap().to_owned());
        let mut output = Vec::new();
        let accepted = verify_file::run(&arguments, &mut output).map_err(|error| error.to_string())?;
        Ok((accepted, String::from_utf8(output).unwrap().lines().map(str::to_owned).collect()))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn document(nonce: u64, change: impl Fn(&mut Fixture)) -> AttestationDocument {
    let mut fixture = Fixture::new();
    fixture.nonce = U256::from(nonce);
    change(&mut fixture);
    fixture.document()
}

fn lines(documents: &[AttestationDocument]) -> String {
    documents.iter().map(|document| serde_json::to_string(document).unwrap() + "\n").collect()
}

#[test]
fn all_accepted_in_an_array_and_in_lines_alike() {
    let desk = Desk::new("accepted");
    let documents = [document(1, |_| {}), document(2, |_| {})];
    for text in [lines(&documents), serde_json::to_string_pretty(&documents).unwrap()] {
        let (accepted, lines) = desk.run(&text).unwrap();
        assert!(accepted);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("1 accepted: task 0x"), "{lines:?}");
        assert!(lines[1].ends_with("nonce 2, signed by weight 50 of 70 of epoch 9"), "{lines:?}");
    }
}

#[test]
fn one_refused_among_many_is_named_with_its_reason_and_the_rest_are_accepted() {
    let desk = Desk::new("refused");
    let mut changed = document(6, |_| {});
    changed.attestation.intent.value += U256::from(1);
    let mut elsewhere = document(7, |_| {});
    elsewhere.attestation.policyClient = Address::ZERO;
    let documents = [
        document(1, |_| {}),
        document(2, |fixture| fixture.expiration = fixture::NOW),
        document(3, |fixture| fixture.decision = Decision::Deny),
        document(1, |_| {}),
        document(4, |fixture| fixture.absent = vec![0, 1, 2, 3]),
        AttestationDocument { signature: document(8, |_| {}).signature, ..document(5, |_| {}) },
        changed,
        elsewhere,
        document(9, |_| {}),
    ];
    let (accepted, lines) = desk.run(&lines(&documents)).unwrap();
    assert!(!accepted);
    let expected = [
        "0 accepted",
        "1 REFUSED: AttestationExpired: ",
        "2 REFUSED: PolicyDenied: ",
        "3 REFUSED: AttestationAlreadySpent: nonce 1 ",
        "4 REFUSED: QuorumNotReached: operators with weight 30 signed",
        "5 REFUSED: InvalidSignature: ",
        "6 REFUSED: WrongTask: ",
        "7 REFUSED: the document contradicts what was signed: policyClient: attested 0x0000",
        "8 accepted",
    ];
    assert_eq!(lines.len(), expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line:?} does not begin with {expected:?}");
    }
}

#[test]
fn input_that_cannot_be_read_is_an_error_that_says_where() {
    let desk = Desk::new("unreadable");
    let good = lines(&[document(1, |_| {})]);
    let cases = [
        (String::new(), "holds no attestation"),
        ("[]".to_owned(), "holds no attestation"),
        (format!("{good}{{\"chainId\": 1}}"), "line 2"),
        (good.replace("\"epoch\"", "\"epock\""), "unknown field `epock`"),
        (good[..good.len() / 2].to_owned(), "EOF"),
    ];
    for (text, expected) in cases {
        let error = desk.run(&text).unwrap_err();
        assert!(error.contains("attestations.json") && error.contains(expected), "{error}");
    }
    let error = desk.run_files("attestations.json", "attestations.json").unwrap_err();
    assert!(error.contains("is no context") && error.contains("assent context --json"), "{error}");
    let error = desk.run_files("missing.json", "attestations.json").unwrap_err();
    assert!(error.contains("missing.json cannot be read"), "{error}");
    let error = verify_file::run(&[], &mut Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("usage: "), "{error}");
}
