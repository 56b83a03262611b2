//! Observations and connections: each is bound to everything that it names, by itself and in a batch.

mod fixture;

use alloy_primitives::{Address, B256, U256};
use assent_verifier::{
    Connection, Epoch, Observation, ObservationError, Signature, SignedObservation, are_observations_valid_using,
    backend::{Backend, SignatureError},
    digest::{CONNECTION_TAG, OBSERVATION_TAG, SIGNATURE_TAG},
    verify_connection, verify_observation, verify_observations, verify_observations_using,
};
use fixture::{Fixture, public_key, secret};

fn sign(operator: u16, digest: B256, tag: &[u8]) -> Signature {
    Signature(secret(operator).sign(digest.as_slice(), tag, &[]).serialize())
}

fn observation(output: &str) -> Observation {
    Observation::new(B256::repeat_byte(1), "price", B256::repeat_byte(2), output.as_bytes())
}

#[test]
fn an_observation_is_bound_to_key_task_source_block_output_chain_and_task_manager() {
    let (chain, manager) = (U256::from(31337), Address::repeat_byte(0x11));
    let valid = observation("1");
    let signature = sign(0, valid.digest(chain, manager), OBSERVATION_TAG);
    let verify = |observation: &Observation, key, chain, manager| {
        verify_observation(observation, &public_key(&secret(key)), &signature, chain, manager)
    };
    assert_eq!(verify(&valid, 0, chain, manager), Ok(()));
    let invalid = Err(SignatureError::InvalidSignature);
    let other = B256::repeat_byte(9);
    for altered in [
        Observation { task_id: other, ..valid },
        Observation { source: other, ..valid },
        Observation { reference_block: other, ..valid },
        Observation { output: other, ..valid },
    ] {
        assert_eq!(verify(&altered, 0, chain, manager), invalid);
    }
    assert_eq!(verify(&valid, 1, chain, manager), invalid);
    assert_eq!(verify(&valid, 0, U256::from(1), manager), invalid);
    assert_eq!(verify(&valid, 0, chain, Address::ZERO), invalid);
    let attested = sign(0, valid.digest(chain, manager), SIGNATURE_TAG);
    assert_eq!(verify_observation(&valid, &public_key(&secret(0)), &attested, chain, manager), invalid);
}

#[test]
fn a_connection_is_bound_to_key_challenge_operator_gateway_chain_and_task_manager() {
    let (chain, manager) = (U256::from(31337), Address::repeat_byte(0x11));
    let (challenge, operator) = (B256::repeat_byte(1), Address::repeat_byte(2));
    let valid = Connection { challenge, operator, gateway: "gateway.example:443".into() };
    let proof = sign(0, valid.digest(chain, manager), CONNECTION_TAG);
    let verify = |connection: &Connection, key, chain, manager| {
        verify_connection(connection, &public_key(&secret(key)), &proof, chain, manager)
    };
    assert_eq!(verify(&valid, 0, chain, manager), Ok(()));
    let invalid = Err(SignatureError::InvalidSignature);
    for altered in [
        Connection { challenge: B256::ZERO, ..valid.clone() },
        Connection { operator: Address::ZERO, ..valid.clone() },
        Connection { gateway: "gateway.example:444".into(), ..valid.clone() },
    ] {
        assert_eq!(verify(&altered, 0, chain, manager), invalid);
    }
    assert_eq!(verify(&valid, 1, chain, manager), invalid);
    assert_eq!(verify(&valid, 0, U256::from(1), manager), invalid);
    assert_eq!(verify(&valid, 0, chain, Address::ZERO), invalid);
}

/// One valid observation of each operator, half of them different.
fn batch(fixture: &Fixture) -> Vec<SignedObservation> {
    let (context, operators) = (&fixture.context, fixture.context.epochs[0].operators.operators());
    let signed = operators.iter().zip(0_u16..).map(|(operator, index)| {
        let observation = observation(if index % 2 == 0 { "1" } else { "2" });
        let signature = sign(index, observation.digest(context.chain_id, context.task_manager), OBSERVATION_TAG);
        SignedObservation { operator: operator.address, observation, signature }
    });
    signed.collect()
}

fn a_batch_names_the_invalid_observations<B: Backend>() {
    let fixture = Fixture::with_operators(7);
    let (epoch, context): (&Epoch, _) = (&fixture.context.epochs[0], &fixture.context);
    let verify = |batch: &[SignedObservation]| {
        let (chain_id, task_manager) = (context.chain_id, context.task_manager);
        let results = verify_observations_using::<B>(epoch, batch, chain_id, task_manager);
        let are_valid = are_observations_valid_using::<B>(epoch, batch, chain_id, task_manager);
        assert_eq!(are_valid, results.iter().all(Result::is_ok));
        results
    };
    let valid = batch(&fixture);
    assert_eq!(verify(&valid), vec![Ok(()); 7]);
    assert_eq!(verify_observations(epoch, &valid, context.chain_id, context.task_manager), vec![Ok(()); 7]);
    assert_eq!(verify(&[]), vec![]);
    // Twice the same is twice valid.
    assert_eq!(verify(&[valid[3], valid[3]]), vec![Ok(()); 2]);

    let invalid = || Err(SignatureError::InvalidSignature.into());
    for index in 0..7 {
        let mut one_invalid = valid.clone();
        one_invalid[index].observation.output = B256::repeat_byte(9);
        let mut expected = vec![Ok(()); 7];
        expected[index] = invalid();
        assert_eq!(verify(&one_invalid), expected, "{index}");
    }
    // Two operators' signatures exchanged: the sum is the same, and neither is valid.
    let mut exchanged = valid.clone();
    (exchanged[0].signature, exchanged[2].signature) = (valid[2].signature, valid[0].signature);
    let results = verify(&exchanged);
    assert_eq!((results[0], results[1], results[2]), (invalid(), Ok(()), invalid()));

    let mut strange = valid.clone();
    strange[1].operator = Address::repeat_byte(0xee);
    strange[4].signature = Signature([0; 96]);
    let results = verify(&strange);
    let unknown = ObservationError::UnknownOperator { operator: Address::repeat_byte(0xee), epoch: epoch.number };
    assert_eq!(results[1], Err(unknown));
    assert_eq!(results[4], Err(SignatureError::MalformedSignature.into()));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);

    // A signature of the same bytes as an attestation's root.
    let digest = valid[0].observation.digest(context.chain_id, context.task_manager);
    let attested = SignedObservation { signature: sign(0, digest, SIGNATURE_TAG), ..valid[0] };
    assert_eq!(verify(&[attested]), vec![invalid()]);
}

#[cfg(feature = "arkworks")]
#[test]
fn a_batch_names_the_invalid_observations_with_arkworks() {
    a_batch_names_the_invalid_observations::<assent_verifier::backend::arkworks::Arkworks>();
}

#[cfg(feature = "blst")]
#[test]
fn a_batch_names_the_invalid_observations_with_blst() {
    a_batch_names_the_invalid_observations::<assent_verifier::backend::blst::Blst>();
}
