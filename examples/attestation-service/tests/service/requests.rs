//! What is accepted, and what every other request is answered.

use crate::fixture::{Answer, BURNED, Fixture, LIFETIME, Service, now};
use alloy_primitives::{Address, B256, U256, aliases::U48};
use assent_verifier::{AttestationDocument, Authorization, Context, EpochId, QuorumProof, Refusal, Signature, verify};
use serde_json::{Value, json};

#[tokio::test]
async fn an_accepted_attestation_is_on_record_with_all_it_takes_to_verify_it_again() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &[]);
    let document = fixture.document(7);
    let answer = service.submit(&document).await;
    assert_eq!(answer.accepted(), 0);
    assert_eq!(answer.body["attestation"], serde_json::to_value(&document.attestation).unwrap());

    let record = service.get("/audit/0").await;
    assert_eq!((record.status, &record.body), (200, &answer.body));
    let authorization: alloy_primitives::Bytes = serde_json::from_value(record.body["authorization"].clone()).unwrap();
    let context = Context { timestamp: record.body["acceptedAt"].as_u64().unwrap(), ..fixture.context.clone() };
    let verified = verify(&context, &document.attestation.intent, &authorization).unwrap();
    assert_eq!(record.body["root"], json!(verified.root()));
    assert_eq!(record.body["signedWeight"], "40");

    let again = service.submit(&document).await;
    let spent = Refusal::AttestationAlreadySpent { policyClient: fixture.context.policy_client, nonce: U256::from(7) };
    assert_is(&again, 409, &spent);
    assert_eq!(again.body["error"]["record"], 0);
    assert_eq!(again.body["error"]["arguments"]["nonce"], "7");
}

#[tokio::test]
async fn an_authorization_beside_its_intent_is_as_good_as_the_document() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &[]);
    let document = fixture.document_of(7, 3);
    let body = with_authorization(&document, &document.authorization().unwrap().encode());
    assert_eq!(service.post("/authorizations", body.to_string()).await.accepted(), 0);
    service.submit(&document).await.refused(409, "AttestationAlreadySpent");
}

/// Every refusal that a submission can meet, with its arguments and revert data.
#[tokio::test]
async fn each_refusal_is_answered_with_the_verifiers_error_and_spends_nothing() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &[]);
    let past = now() - 1;
    let far = now() + 2 * LIFETIME;
    let wrong_chain = fixture.changed_document(1, |attestation| attestation.intent.chainId = U256::from(1));
    let wrong_sender = fixture.changed_document(1, |attestation| attestation.intent.from = Address::ZERO);
    let wrong_task = fixture.changed_document(1, |attestation| attestation.policyClient = Address::ZERO);
    let expired = fixture.changed_document(1, |attestation| attestation.expiration = U48::from(past));
    let far = fixture.changed_document(1, |attestation| attestation.expiration = U48::from(far));
    let future = fixture.changed_document(1, |attestation| attestation.issuedAt = U48::from(now() + LIFETIME));
    let floor = fixture.context.issuance_floor.to::<u64>();
    let voided = fixture.changed_document(1, |attestation| {
        attestation.issuedAt = U48::from(floor - 1);
        attestation.expiration = U48::from(floor - 1 + LIFETIME);
    });
    let denied = fixture.changed_document(1, |attestation| attestation.decision = 0);
    let good = fixture.document(1);
    let task = denied.attestation.taskId;
    let cases: Vec<(AttestationDocument, u16, &str, Value)> = vec![
        (wrong_chain, 422, "WrongChain", json!({ "expected": "31337", "actual": "1" })),
        (wrong_sender, 422, "WrongSender", json!({ "expected": fixture.context.caller, "actual": Address::ZERO })),
        (wrong_task, 422, "WrongTask", Value::Null),
        (future, 422, "AttestationNotYetValid", Value::Null),
        (expired, 422, "AttestationExpired", Value::Null),
        (far, 422, "LifetimeTooLong", Value::Null),
        (voided, 422, "AttestationVoided", json!({ "issuedAt": floor - 1, "floor": floor })),
        (
            fixture.document(BURNED),
            409,
            "AttestationAlreadySpent",
            json!({ "policyClient": fixture.context.policy_client, "nonce": BURNED.to_string() }),
        ),
        (AttestationDocument { epoch: EpochId(3), ..good.clone() }, 422, "UnknownEpoch", json!({ "epoch": 3 })),
        (AttestationDocument { epoch: EpochId(2), ..good.clone() }, 422, "EpochRevoked", json!({ "epoch": 2 })),
        (fixture.document_of(1, 2), 422, "QuorumNotReached", json!({ "signed": "20", "required": "27" })),
        (AttestationDocument { signature: Signature([0; 96]), ..good.clone() }, 400, "MalformedSignature", json!({})),
        (
            AttestationDocument { signature: fixture.document(2).signature, ..good.clone() },
            422,
            "InvalidSignature",
            json!({}),
        ),
        (denied, 403, "PolicyDenied", json!({ "taskId": task })),
    ];
    for (document, status, name, arguments) in &cases {
        let answer = service.submit(document).await;
        let error = answer.refused(*status, name);
        if !arguments.is_null() {
            assert_eq!(error["arguments"], *arguments);
        }
        assert_is_refusal(error);
        assert_eq!(service.metric(&counter(name)).await, 1, "{name}");
    }
    let recorded = Authorization { quorum_proof: QuorumProof::Recorded, ..good.authorization().unwrap() };
    let answer = service.post("/authorizations", with_authorization(&good, &recorded.encode()).to_string()).await;
    assert_is(&answer, 422, &Refusal::RootNotRecorded { epoch: EpochId(1), root: good.root() });
    let cut = &good.authorization().unwrap().encode()[..100];
    let answer = service.post("/authorizations", with_authorization(&good, cut).to_string()).await;
    assert_is(&answer, 400, &Refusal::MalformedAuthorization);
    assert_eq!(answer.body["error"]["detail"], "the authorization ends within `evidence`");

    assert_eq!(service.get("/health").await.body["records"], 0, "nothing refused is on record");
    assert_eq!(service.submit(&good).await.accepted(), 0, "and no nonce is spent");
}

#[tokio::test]
async fn a_document_that_says_something_else_than_was_signed_is_refused() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &[]);
    let good = fixture.document(1);
    let mut elsewhere = good.clone();
    elsewhere.attestation.policyClient = Address::ZERO;
    let answer = service.submit(&elsewhere).await;
    let differences = &answer.refused(422, "ContradictoryDocument")["differences"];
    assert_eq!(differences[0]["field"], "policyClient");
    assert_eq!(differences.as_array().map(Vec::len), Some(1));

    // Signed for another policy: the refusal names the field.
    let other = fixture.changed_document(1, |attestation| attestation.policyId = B256::repeat_byte(9));
    let answer = service.submit(&other).await;
    assert_eq!(answer.refused(422, "WrongTask")["differences"][0]["field"], "policyId");
    assert_eq!(service.submit(&good).await.accepted(), 0);
}

#[tokio::test]
async fn what_is_no_submission_is_told_what_is_wrong_with_it() {
    let fixture = Fixture::new();
    let service = Service::begin(&fixture, &["--longest-body", "4000"]);
    let good = serde_json::to_value(fixture.document(1)).unwrap();
    let mut wrong_value = good.clone();
    wrong_value["attestation"]["intent"]["value"] = json!("much");
    let mut unknown_field = good.clone();
    unknown_field["extra"] = json!(1);
    let cases = [
        (String::new(), "EOF"),
        ("{}".to_owned(), "missing field"),
        (wrong_value.to_string(), "attestation.intent.value"),
        (unknown_field.to_string(), "unknown field `extra`"),
        (format!("{good} and more"), "trailing characters"),
    ];
    for (body, words) in cases {
        let answer = service.post("/documents", body).await;
        let message = answer.refused(400, "MalformedRequest")["message"].as_str().unwrap().to_owned();
        assert!(message.contains(words), "{message}");
    }
    let answer = service.post("/authorizations", good.to_string()).await;
    answer.refused(400, "MalformedRequest");
    service.post("/documents", " ".repeat(4001)).await.refused(413, "RequestTooLong");
    service.post("/elsewhere", "{}").await.refused(404, "NotFound");
    service.get("/documents").await.refused(405, "MethodNotAllowed");
    service.get("/audit/0").await.refused(404, "NoSuchRecord");
    service.get("/audit/first").await.refused(400, "MalformedRequest");
    assert_eq!(service.metric(&counter("MalformedRequest")).await, 6);
    assert_eq!(service.submit(&fixture.document(1)).await.accepted(), 0, "the service is well");
}

fn with_authorization(document: &AttestationDocument, authorization: &[u8]) -> Value {
    json!({
        "intent": document.attestation.intent,
        "authorization": alloy_primitives::hex::encode_prefixed(authorization),
    })
}

fn counter(outcome: &str) -> String {
    format!("attestation_service_submissions_total{{outcome=\"{outcome}\"}}")
}

#[track_caller]
fn assert_is(answer: &Answer, status: u16, refusal: &Refusal) {
    let error = answer.refused(status, refusal.name());
    assert_eq!(error["message"], refusal.to_string());
    assert_eq!(error["revertData"], alloy_primitives::hex::encode_prefixed(refusal.revert_data()));
}

/// Its revert data is that of a refusal, and the rest says the same.
#[track_caller]
fn assert_is_refusal(error: &Value) {
    let data = alloy_primitives::hex::decode(error["revertData"].as_str().unwrap()).unwrap();
    let refusal = Refusal::decode(&data).unwrap();
    assert_eq!(
        (&error["name"], &error["signature"], &error["message"]),
        (&json!(refusal.name()), &json!(refusal.signature()), &json!(refusal.to_string()))
    );
}
