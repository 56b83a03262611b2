//! Suggested policies, decided by the machine.

use super::{
    values::{Argument, encode_call, int_range, uint_max},
    *,
};
use crate::evaluator;
use alloy_primitives::I256;
use proptest::prelude::*;

const FUNCTIONS: [&str; 9] = [
    "function transfer(address to, uint256 amount)",
    "function transfer(address to, uint256 amount, bytes note)",
    "function vote(uint8 choice, bool urgent, int64 by, bytes4)",
    "function batch((address to, uint128 amount)[] payments, string[2] in)",
    "function nest((int8 x, (uint16[] y, bytes z) inner)[][] default)",
    "function input(uint256 input, string not)",
    "function a$b(bytes32 $id, int256 delta)",
    "function stop()",
    "receive()",
];

fn function(text: &str) -> Function {
    text.parse().unwrap()
}

fn intent(function: &Function, arguments: &[Argument]) -> Intent {
    let data = encode_call(function, arguments).into();
    Intent {
        from: Address::repeat_byte(0x11),
        to: Address::repeat_byte(0x22),
        value: U256::ZERO,
        data,
        chainId: U256::ONE,
    }
}

fn transfer() -> Function {
    function(FUNCTIONS[0])
}

fn payment(to: u8, amount: u64) -> Intent {
    intent(&transfer(), &[Argument::Address(Address::repeat_byte(to)), Argument::Uint(U256::from(amount))])
}

fn decision(policy: &ExecutablePolicy, intent: &Intent) -> (Decision, Vec<String>) {
    let evaluation = evaluate(evaluator().unwrap(), policy, &input(intent), "").unwrap();
    (evaluation.decision, evaluation.reasons.into_iter().map(|reason| reason.message).collect())
}

fn suggest(functions: &[Function], intents: &[Intent], options: &SuggestionOptions) -> (Suggestion, ExecutablePolicy) {
    let suggestion = Suggestion::new("recorded-calls", functions, intents, options).unwrap();
    let mut decisions = 0;
    let policy = suggestion.verify(evaluator().unwrap(), || decisions += 1);
    let policy = policy.unwrap_or_else(|error| panic!("{error}\n{}", suggestion.files()["recorded_calls.rego"]));
    assert_eq!(decisions, suggestion.decisions());
    (suggestion, policy)
}

#[test]
fn recorded_payments_are_allowed_up_to_their_maximum_and_to_their_recipients() {
    let (suggestion, policy) = suggest(&[transfer()], &[payment(1, 5), payment(2, 9)], &SuggestionOptions::default());
    for (call, expected) in [
        (payment(1, 9), None),
        (payment(2, 1), None),
        (payment(2, 10), Some("10 is more than the limit of 9 for `amount` of transfer")),
        (payment(3, 1), Some("0x0303030303030303030303030303030303030303 is not recorded as `to` of transfer")),
        (
            Intent { from: Address::ZERO, ..payment(1, 5) },
            Some("0x0000000000000000000000000000000000000000 is not recorded as the caller of transfer"),
        ),
        (Intent { value: U256::ONE, ..payment(1, 5) }, Some("1 is more than the limit of 0 for the value of transfer")),
        (Intent { chainId: U256::from(2), ..payment(1, 5) }, Some("2 is not recorded as the chain of transfer")),
        (
            Intent { to: Address::ZERO, ..payment(1, 5) },
            Some("calls of transfer(address,uint256) of 0x0000000000000000000000000000000000000000 were not recorded"),
        ),
    ] {
        let (decision, reasons) = decision(&policy, &call);
        assert_eq!(decision == Decision::Allow, expected.is_none(), "{call:?}");
        assert_eq!(reasons, expected.into_iter().collect::<Vec<_>>());
    }
    let changes = suggestion.near_misses().iter().map(|miss| miss.change.as_str()).collect::<Vec<_>>();
    let expected = [
        "another chain of transfer",
        "another caller of transfer",
        "more value of transfer",
        "another to of transfer",
        "more amount of transfer",
        "an unknown function of notRecorded1",
        "another target of transfer",
    ];
    assert_eq!(changes, expected);
}

#[test]
fn a_function_recorded_of_one_target_is_denied_of_another() {
    let stop = function("function stop()");
    let other = Intent { to: Address::repeat_byte(0x33), ..intent(&stop, &[]) };
    let (_, policy) = suggest(&[transfer(), stop.clone()], &[payment(1, 5), other], &SuggestionOptions::default());
    assert_eq!(decision(&policy, &intent(&stop, &[])).0, Decision::Deny);
}

#[test]
fn an_argument_with_too_many_values_is_free_and_that_is_said() {
    let intents = (0..5).map(|to| payment(to, 7)).collect::<Vec<_>>();
    let listed = SuggestionOptions { max_list: 5, ..SuggestionOptions::default() };
    let (suggestion, policy) = suggest(&[transfer()], &intents, &listed);
    assert!(suggestion.limits().iter().all(|limit| !limit.is_free));
    assert_eq!(decision(&policy, &payment(9, 7)).0, Decision::Deny);

    let free = SuggestionOptions { max_list: 4, ..SuggestionOptions::default() };
    let (suggestion, policy) = suggest(&[transfer()], &intents, &free);
    let free = suggestion.limits().iter().filter(|limit| limit.is_free).collect::<Vec<_>>();
    let [limit] = free.as_slice() else { panic!("{free:?}") };
    assert_eq!((limit.what.as_str(), limit.limit.as_str()), ("to", "anything: 5 values were recorded"));
    assert!(suggestion.files()["recorded_calls.rego"].contains("# NOT LIMITED: to."));
    assert_eq!(decision(&policy, &payment(9, 7)).0, Decision::Allow);
    assert_eq!(decision(&policy, &payment(9, 8)).0, Decision::Deny);

    // Another target of the same function, with few recipients, stays narrow.
    let narrow = Intent { to: Address::repeat_byte(0x33), ..payment(1, 7) };
    let intents = intents.into_iter().chain([narrow]).collect::<Vec<_>>();
    let options = SuggestionOptions { max_list: 4, ..SuggestionOptions::default() };
    let (_, policy) = suggest(&[transfer()], &intents, &options);
    let other = Intent { to: Address::repeat_byte(0x33), ..payment(9, 7) };
    assert_eq!(decision(&policy, &other).0, Decision::Deny);
    assert_eq!(decision(&policy, &payment(9, 7)).0, Decision::Allow);
}

#[test]
fn values_of_an_integer_are_listed_if_they_are_exact() {
    let intents = [payment(1, 5), payment(1, 9)];
    let options = SuggestionOptions { exact: vec!["transfer.amount".into()], ..SuggestionOptions::default() };
    let (_, policy) = suggest(&[transfer()], &intents, &options);
    assert_eq!(decision(&policy, &payment(1, 9)).0, Decision::Allow);
    assert_eq!(decision(&policy, &payment(1, 6)).0, Decision::Deny);
    for path in ["transfer.to", "transfer.nothing", "amount"] {
        let options = SuggestionOptions { exact: vec![path.into()], ..SuggestionOptions::default() };
        let refused = Suggestion::new("p", &[transfer()], &intents, &options).map(|_| ());
        assert_eq!(refused, Err(SuggestionError::UnknownArgument(path.into())));
    }
}

#[test]
fn the_same_calls_give_the_same_policy_in_any_order_and_number() {
    let calls = [payment(1, 5), payment(2, 9), payment(1, 7)];
    let suggest = |calls: &[Intent]| {
        Suggestion::new("p", &[transfer()], calls, &SuggestionOptions::default()).unwrap().files().clone()
    };
    let [one, two, three] = calls.clone();
    assert_eq!(suggest(&calls), suggest(&[three, one.clone(), two, one]));
}

#[test]
fn what_cannot_be_understood_is_refused_with_its_number() {
    let suggest = |calls: &[Intent]| {
        Suggestion::new("p", &[transfer()], calls, &SuggestionOptions::default()).map(|_| ()).unwrap_err()
    };
    assert_eq!(suggest(&[]), SuggestionError::NoCalls);
    let unknown = intent(&function("function stop()"), &[]);
    let selector = Some("0x07da68f5".to_owned());
    assert_eq!(suggest(&[payment(1, 1), unknown]), SuggestionError::UnknownFunction { number: 2, selector });
    let empty = intent(&function("receive()"), &[]);
    assert_eq!(suggest(&[empty]), SuggestionError::UnknownFunction { number: 1, selector: None });
    let mut longer = payment(1, 1);
    longer.data = [longer.data.as_ref(), &[0; 32]].concat().into();
    assert!(matches!(suggest(&[longer]), SuggestionError::Undecodable { number: 1, .. }));
    let twice = Suggestion::new("p", &[transfer(), transfer()], &[], &SuggestionOptions::default());
    assert!(matches!(twice.map(|_| ()), Err(SuggestionError::SameSelector(..))));
}

#[test]
fn with_many_calls_the_tests_are_those_that_show_every_limit() {
    let intents = (0..210_u64).map(|amount| payment(u8::try_from(amount % 10).unwrap(), amount)).collect::<Vec<_>>();
    let suggestion = Suggestion::new("recorded-calls", &[transfer()], &intents, &SuggestionOptions::default()).unwrap();
    assert_eq!((suggestion.recorded().len(), suggestion.tested()), (210, 200));
    let tests = &suggestion.files()["recorded_calls_test.rego"];
    assert!(
        tests.contains("\"amount\": 209}")
            && (0..10_u8).all(|to| tests.contains(&text(&Argument::Address(Address::repeat_byte(to)))))
    );
}

fn arguments(parameters: &[Parameter]) -> BoxedStrategy<Vec<Argument>> {
    parameters.iter().map(|parameter| argument(&parameter.ty)).collect::<Vec<_>>().boxed()
}

fn argument(ty: &AbiType) -> BoxedStrategy<Argument> {
    match ty {
        AbiType::Uint(bits) => {
            let max = uint_max(*bits);
            let small = (0_u64..4).prop_map(|value| Argument::Uint(U256::from(value)));
            prop_oneof![3 => small, 1 => Just(Argument::Uint(max)), 1 => Just(Argument::Uint(max - U256::ONE))].boxed()
        }
        AbiType::Int(bits) => {
            let (least, most) = int_range(*bits);
            let small = (-2_i64..3).prop_map(|value| Argument::Int(I256::try_from(value).unwrap()));
            prop_oneof![3 => small, 1 => Just(Argument::Int(least)), 1 => Just(Argument::Int(most))].boxed()
        }
        AbiType::Address => any::<u8>().prop_map(|byte| Argument::Address(Address::repeat_byte(byte % 5))).boxed(),
        AbiType::Bool => any::<bool>().prop_map(Argument::Bool).boxed(),
        AbiType::Bytes => prop::collection::vec(any::<u8>(), 0..40).prop_map(Argument::Bytes).boxed(),
        AbiType::FixedBytes(length) => {
            prop::collection::vec(0_u8..2, usize::from(*length)).prop_map(Argument::Bytes).boxed()
        }
        AbiType::String => prop_oneof![any::<String>(), "[a-c\"\\\\\n%]{0,3}"].prop_map(Argument::Text).boxed(),
        AbiType::Array(element) => prop::collection::vec(argument(element), 0..3).prop_map(Argument::List).boxed(),
        AbiType::FixedArray(element, length) => {
            let length = usize::try_from(*length).unwrap();
            prop::collection::vec(argument(element), length).prop_map(Argument::List).boxed()
        }
        AbiType::Tuple(members) => arguments(members).prop_map(Argument::List).boxed(),
    }
}

fn call() -> impl Strategy<Value = Intent> {
    let function_and_arguments = prop::sample::select(FUNCTIONS.to_vec()).prop_flat_map(|text| {
        let function = function(text);
        arguments(&function.parameters).prop_map(move |arguments| intent(&function, &arguments))
    });
    let value = prop_oneof![3 => (0_u64..3).prop_map(U256::from), 1 => Just(U256::MAX)];
    (function_and_arguments, 1_u8..4, 1_u8..4, 1_u8..3, value).prop_map(|(intent, from, to, chain, value)| Intent {
        from: Address::repeat_byte(from),
        to: Address::repeat_byte(to),
        chainId: U256::from(chain),
        value,
        ..intent
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, ..ProptestConfig::default() })]

    /// `verify` decides about each recorded call and each near miss on the machine, and runs the check and the tests.
    #[test]
    fn every_recorded_call_is_allowed_and_every_near_miss_denied(
        calls in prop::collection::vec(call(), 1..6),
        max_list in 1_usize..4,
    ) {
        let functions = FUNCTIONS.map(function);
        let options = SuggestionOptions { max_list, ..SuggestionOptions::default() };
        let (suggestion, _) = suggest(&functions, &calls, &options);
        prop_assert!(suggestion.near_misses().len() > 3);
        prop_assert!(suggestion.recorded().iter().all(|recorded| calls.contains(recorded)));
        prop_assert!(calls.iter().all(|call| suggestion.recorded().contains(call)));
    }

    /// What was never recorded as a target is never allowed, whatever else was.
    #[test]
    fn calls_of_an_unknown_target_are_denied(calls in prop::collection::vec(call(), 1..3), other in call()) {
        let (_, policy) = suggest(&FUNCTIONS.map(function), &calls, &SuggestionOptions::default());
        let other = Intent { to: Address::repeat_byte(0x99), ..other };
        prop_assert_eq!(decision(&policy, &other).0, Decision::Deny);
    }
}
