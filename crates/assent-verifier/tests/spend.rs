//! Verification that spends, and contexts that are built input by input.

mod fixture;

use alloy_primitives::{Address, U256};
use assent_verifier::{
    Context, ContextBuilder, Intent, Refusal, SpentLedger, SpentNonces, append_trailing, spend, spend_trailing, verify,
};
use fixture::Fixture;

#[test]
fn spending_verifies_and_a_second_time_is_refused() {
    let mut fixture = Fixture::new();
    let authorization = fixture.authorization().encode();
    let expected = verify(&fixture.context, &fixture.intent, &authorization).unwrap();

    let verified = spend(&mut fixture.context, &fixture.intent, &authorization).unwrap();
    assert_eq!(verified, expected);
    assert!(fixture.context.spent.is_spent(fixture.context.policy_client, fixture.nonce));

    let spent = Refusal::AttestationAlreadySpent { policyClient: fixture.context.policy_client, nonce: fixture.nonce };
    assert_eq!(spend(&mut fixture.context, &fixture.intent, &authorization), Err(spent));
}

#[test]
fn a_trailing_call_is_spent_once() {
    let mut fixture = Fixture::new();
    fixture.intent.to = fixture.context.policy_client;
    let calldata = append_trailing(&fixture.intent.data, &fixture.authorization()).unwrap();
    let value = fixture.intent.value;
    let verified = spend_trailing(&mut fixture.context, value, &calldata).unwrap();
    assert_eq!(*verified.intent(), fixture.intent);
    let again = spend_trailing(&mut fixture.context, value, &calldata).unwrap_err();
    assert_eq!(again.name(), "AttestationAlreadySpent");
}

#[test]
fn another_ledger_changes_nothing_else_of_a_context() {
    struct Everything(SpentNonces);

    impl SpentLedger for Everything {
        fn is_spent(&self, _: Address, _: U256) -> bool {
            true
        }
    }

    let fixture = Fixture::new();
    let authorization = fixture.authorization().encode();
    let context = fixture.context.clone().map_ledger(Everything);
    let refusal = verify(&context, &fixture.intent, &authorization).unwrap_err();
    assert_eq!(refusal.name(), "AttestationAlreadySpent");
    assert_eq!(context.map_ledger(|Everything(spent)| spent), fixture.context);
}

#[test]
fn a_refused_call_spends_nothing() {
    let mut fixture = Fixture::new();
    let authorization = fixture.authorization().encode();
    let another = Intent { value: fixture.intent.value + U256::from(1), ..fixture.intent.clone() };
    assert_eq!(spend(&mut fixture.context, &another, &authorization).unwrap_err().name(), "WrongTask");
    let refused = spend_trailing(&mut fixture.context, U256::ZERO, &authorization);
    assert_eq!(refused.unwrap_err(), Refusal::MalformedAuthorization);
    assert_eq!(fixture.context.spent, SpentNonces::default());
    assert!(spend(&mut fixture.context, &fixture.intent, &authorization).is_ok());
}

#[test]
fn of_two_verified_calls_with_one_nonce_only_the_first_is_spent() {
    let mut fixture = Fixture::new();
    let verified = verify(&fixture.context, &fixture.intent, &fixture.authorization().encode()).unwrap();
    assert_eq!(fixture.context.spend(&verified), Ok(()));
    assert_eq!(fixture.context.spend(&verified).unwrap_err().name(), "AttestationAlreadySpent");
}

#[test]
fn a_context_is_what_its_builder_was_given() {
    let mut fixture = Fixture::new();
    fixture.record(&fixture.document(), 50);
    assert_eq!(built(&fixture.context, None), fixture.context);
}

/// Each input by its position in [`built`].
#[test]
fn a_context_with_an_input_left_out_refuses_every_call() {
    let fixture = Fixture::new();
    let authorization = fixture.authorization().encode();
    assert!(verify(&built(&fixture.context, None), &fixture.intent, &authorization).is_ok());
    let refusals = [
        "WrongChain",
        "PolicyNotSet",
        "WrongTask",
        "PolicyNotSet",
        "AttestationVoided",
        "WrongSender",
        "AttestationExpired",
        "UnknownEpoch",
    ];
    for (left_out, refusal) in refusals.into_iter().enumerate() {
        let context = built(&fixture.context, Some(left_out));
        let refused = verify(&context, &fixture.intent, &authorization).unwrap_err();
        assert_eq!(refused.name(), refusal, "without input {left_out}");
    }
}

fn built(context: &Context, left_out: Option<usize>) -> Context {
    type Input = fn(ContextBuilder<SpentNonces>, Context) -> ContextBuilder<SpentNonces>;
    let inputs: [Input; 9] = [
        |builder, context| builder.chain_id(context.chain_id),
        |builder, context| builder.task_manager(context.task_manager),
        |builder, context| builder.policy_client(context.policy_client),
        |builder, context| builder.policy(context.policy),
        |builder, context| builder.issuance_floor(context.issuance_floor),
        |builder, context| builder.caller(context.caller),
        |builder, context| builder.timestamp(context.timestamp),
        |builder, context| builder.epochs(context.epochs),
        |builder, context| builder.recorded_roots(context.recorded_roots),
    ];
    let given = inputs.into_iter().enumerate().filter(|(index, _)| Some(*index) != left_out);
    let builder = Context::builder(context.spent.clone());
    given.fold(builder, |builder, (_, input)| input(builder, context.clone())).build()
}
