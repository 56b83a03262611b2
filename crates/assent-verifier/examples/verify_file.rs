//! Verifies a file of attestation documents offline and prints one line for each. Copy it to check an archive, or what
//! another party handed over.
//!
//! ```sh
//! assent context --rpc-url URL --client 0x… --caller 0x… --document attestation.json --json > context.json
//! cargo run --package assent-verifier --features serde --example verify_file -- context.json attestations.json
//! ```
//!
//! The context says what a chain would know: chain, contracts, policy, caller, time, epochs, recorded roots and spent
//! nonces. Nothing is read from a network or a clock. The file is a JSON array of documents, or one document after the
//! other (JSON lines); `-` is standard input. A nonce that occurs twice is accepted once, as on chain.
//!
//! Exit status: 0 when every attestation is accepted, 1 when one is refused, 2 when the input cannot be read or holds
//! none.

use assent_verifier::{AttestationDocument, Call, Context, Refusal, VerifiedAttestation, verify_batch};
use std::{
    error::Error,
    fs,
    io::{self, Read, Write},
    process::ExitCode,
};

const USAGE: &str = "usage: verify_file CONTEXT ATTESTATIONS
  CONTEXT       what `assent context --json` prints
  ATTESTATIONS  attestation documents as `assent attest --document-out` writes them, in a JSON array or one after the
                other; - for standard input";

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    match run(&arguments, &mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints a line for each attestation. Whether all are accepted.
pub fn run(arguments: &[String], output: &mut impl Write) -> Result<bool, Box<dyn Error>> {
    let [context, attestations] = arguments else { return Err(USAGE.into()) };
    let context = serde_json::from_slice::<Context>(&read(context)?)
        .map_err(|error| format!("{context} is no context: {error}\n`assent context --json` prints one"))?;
    let documents = documents(&read(attestations)?)
        .map_err(|error| format!("{attestations} is no list of attestation documents: {error}"))?;
    if documents.is_empty() {
        return Err(format!("{attestations} holds no attestation").into());
    }

    let verdicts = verify_all(context, &documents)?;
    for (place, verdict) in verdicts.iter().enumerate() {
        match verdict {
            Ok(verified) => writeln!(
                output,
                "{place} accepted: task {}, nonce {}, signed by weight {} of {} of epoch {}",
                verified.attestation().taskId,
                verified.nonce(),
                verified.signed_weight(),
                verified.total_weight(),
                verified.epoch()
            )?,
            Err(reason) => writeln!(output, "{place} REFUSED: {reason}")?,
        }
    }
    Ok(verdicts.iter().all(Result::is_ok))
}

/// All documents together, which is several times as fast as one by one.
fn verify_all(
    mut context: Context,
    documents: &[AttestationDocument],
) -> Result<Vec<Result<VerifiedAttestation, String>>, Box<dyn Error>> {
    let authorizations = documents.iter().map(AttestationDocument::authorization).collect::<Result<Vec<_>, _>>()?;
    let encoded = authorizations.iter().map(|authorization| authorization.encode()).collect::<Vec<_>>();
    let calls = documents.iter().zip(&encoded);
    let calls = calls
        .map(|(document, authorization)| Call::Explicit { intent: &document.attestation.intent, authorization })
        .collect::<Vec<_>>();
    let results = verify_batch(&context, &calls);

    let places = documents.iter().zip(&authorizations).zip(results);
    let verdicts = places.map(|((document, authorization), result)| {
        let differences = context.differences(document, &document.attestation.intent, authorization);
        let differences = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        match result {
            // What was verified holds under the context. A document that also claims another client or policy would
            // mislead its reader.
            Ok(_) if !differences.is_empty() => Err(format!("the document contradicts what was signed: {differences}")),
            // Each call of a batch is verified separately: two may have the same nonce, which only the first spends.
            Ok(verified) => context.spend(&verified).map(|()| verified).map_err(|refusal| describe(&refusal)),
            Err(refusal @ Refusal::WrongTask { .. }) => Err(format!("{}; {differences}", describe(&refusal))),
            Err(refusal) => Err(describe(&refusal)),
        }
    });
    Ok(verdicts.collect())
}

fn describe(refusal: &Refusal) -> String {
    format!("{}: {refusal}", refusal.name())
}

/// An array, or documents one after the other.
fn documents(text: &[u8]) -> serde_json::Result<Vec<AttestationDocument>> {
    if text.trim_ascii_start().starts_with(b"[") {
        return serde_json::from_slice(text);
    }
    serde_json::Deserializer::from_slice(text).into_iter().collect()
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    let mut contents = Vec::new();
    let read = match path {
        "-" => io::stdin().read_to_end(&mut contents).map(|_| contents),
        path => fs::read(path),
    };
    read.map_err(|error| format!("{path} cannot be read: {error}"))
}
