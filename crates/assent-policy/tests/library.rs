//! The library in policies/: each policy passes the check and its tests, and its page has its parameters.

mod steps_page;

use alloy_primitives::{Address, B256, U256};
use assent_policy::{
    Bundle, Conjunction, ConjunctionManifest, Finding, Function, Member, PolicyFolder, PolicyInput, ReferenceBlock,
    TestOptions, TestOutcome, TestReport, check, check_conjunction, denials, evaluate, evaluator,
    run_conjunction_tests, run_tests,
};
use assent_types::{Decision, Intent};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A policy of the library.
enum ReadPolicy {
    Single(Box<PolicyFolder>),
    All(Box<Conjunction>),
}

impl ReadPolicy {
    fn name(&self) -> &str {
        match self {
            Self::Single(folder) => &folder.manifest.name,
            Self::All(conjunction) => &conjunction.manifest.name,
        }
    }

    fn check(&self) -> Vec<Finding> {
        match self {
            Self::Single(folder) => check(folder),
            Self::All(conjunction) => check_conjunction(conjunction),
        }
    }

    fn build(&self) -> Bundle {
        let image = evaluator().unwrap().root();
        match self {
            Self::Single(folder) => folder.build(image).unwrap(),
            Self::All(conjunction) => conjunction.build(image).unwrap_or_else(|error| panic!("{error}")),
        }
    }

    fn test(&self) -> TestReport {
        let options = TestOptions { run: None, coverage: true };
        match self {
            Self::Single(folder) => run_tests(evaluator().unwrap(), folder, &options).unwrap(),
            Self::All(conjunction) => run_conjunction_tests(evaluator().unwrap(), conjunction, &options).unwrap(),
        }
    }
}

fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn policies() -> Vec<PathBuf> {
    let folders = fs::read_dir(library()).unwrap().map(|entry| entry.unwrap().path());
    let mut folders = folders.filter(|path| path.is_dir()).collect::<Vec<_>>();
    folders.sort();
    assert!(folders.len() >= 4, "{folders:?}");
    folders
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for directory in ["", "sources/"] {
        for entry in fs::read_dir(folder.join(directory)).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                files.insert(format!("{directory}{name}"), fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn read_single(folder: &Path) -> PolicyFolder {
    PolicyFolder::read(&files(folder)).unwrap_or_else(|error| panic!("{folder:?}: {error}"))
}

fn read(folder: &Path) -> ReadPolicy {
    let files = files(folder);
    let Some(manifest) = ConjunctionManifest::parse_if_conjunction(&files["policy.json"]).unwrap() else {
        return ReadPolicy::Single(Box::new(read_single(folder)));
    };
    let members =
        manifest.members.iter().map(|member| Member::Folder(Box::new(read_single(&folder.join(&member.policy)))));
    let conjunction = Conjunction::read(&files, members.collect());
    ReadPolicy::All(Box::new(conjunction.unwrap_or_else(|error| panic!("{folder:?}: {error}"))))
}

#[test]
fn every_policy_of_the_library_passes_the_check_and_is_named_as_its_folder() {
    for folder in policies() {
        let policy = read(&folder);
        assert_eq!(policy.check(), [], "{folder:?}");
        assert_eq!(folder.file_name().unwrap().to_str(), Some(policy.name()));
        policy.build();
    }
}

#[test]
fn every_policy_of_the_library_passes_its_tests_which_evaluate_every_line() {
    for folder in policies() {
        let report = read(&folder).test();
        let failed = report.tests.iter().filter(|test| test.outcome != TestOutcome::Pass).collect::<Vec<_>>();
        assert!(failed.is_empty() && report.tests.len() > 3, "{folder:?}: {failed:#?}");
        assert_eq!(report.coverage_basis_points(), Some(10_000), "{folder:?}: {:?}", report.coverage);
    }
}

/// A call that policies without sources allow: the policy, the function, the target, and the arguments as words.
type AllowedCall = (&'static str, &'static str, Address, Vec<B256>);

fn allowed_calls() -> Vec<AllowedCall> {
    const PAY: &str = "function pay(address token, address recipient, uint256 amount)";
    let [token, client, recipient] =
        [0xa1, 0xc1, 0xbeef_u64].map(|number| Address::from_word(B256::from(U256::from(number))));
    let amount = B256::from(U256::from(5) * U256::from(10).pow(U256::from(18)));
    let payment = vec![token.into_word(), recipient.into_word(), amount];
    vec![
        ("spending-limit", PAY, client, payment.clone()),
        ("allowlist", "function transfer(address to, uint256 amount)", token, vec![recipient.into_word(), amount]),
        (
            "no-unlimited-approvals",
            "function approve(address spender, uint256 amount)",
            token,
            vec![client.into_word(), amount],
        ),
        ("opening-hours", PAY, client, payment.clone()),
        ("business-payments", PAY, client, payment),
    ]
}

/// Policies with sources are compared where their sources are: in the tests of the crate that observes.
#[test]
fn the_page_of_the_library_has_the_steps_of_the_current_image() {
    let image = evaluator().unwrap();
    for (name, function, to, arguments) in allowed_calls() {
        let selector = function.parse::<Function>().unwrap().selector().unwrap();
        let data = [selector.as_slice(), arguments.concat().as_slice()].concat().into();
        let intent = Intent { from: Address::repeat_byte(0xd1), to, value: U256::ZERO, data, chainId: U256::ONE };
        // A Friday, nine o'clock at the example's offset.
        let block = ReferenceBlock {
            number: U256::from(1000),
            hash: B256::repeat_byte(0x22),
            timestamp: U256::from(1_800_000_000),
        };
        let input = PolicyInput { intent, policy_client: Address::with_last_byte(0xc1), nonce: U256::from(7), block };
        let evaluation = evaluate(image, read(&library().join(name)).build().policy(), &input, "").unwrap();
        assert_eq!(evaluation.decision, Decision::Allow, "{name}: {:?}", evaluation.reasons);
        steps_page::compare(name, evaluation.steps);
    }
}

#[test]
fn every_message_of_the_library_has_a_test() {
    for folder in policies() {
        let ReadPolicy::Single(policy) = read(&folder) else { continue };
        let tests = policy.tests.values().map(String::as_str).collect::<String>();
        let denials = denials(&policy.manifest.entrypoint, &policy.modules);
        assert!(!denials.is_empty(), "{folder:?}");
        for denial in denials {
            // The longest part of the message that is the same for every call.
            let texts = [denial.message.as_str(), denial.rule.as_str()].into_iter();
            let mut literals = texts.flat_map(|text| text.split('"').skip(1).step_by(2));
            let literal = literals.find(|literal| literal.contains(' ')).unwrap();
            let part = literal.split("%v").max_by_key(|part| part.len()).unwrap();
            assert!(tests.contains(part), "{folder:?}: {part:?} is in no test");
        }
    }
}

#[test]
fn every_parameter_of_the_library_is_described_in_its_schema_and_on_its_page() {
    for folder in policies() {
        let page = fs::read_to_string(folder.join("README.md")).unwrap();
        let ReadPolicy::Single(policy) = read(&folder) else { continue };
        let properties = policy.parameters_schema.get("properties").and_then(|properties| properties.as_object());
        for (name, schema) in properties.unwrap().iter() {
            assert!(schema.get("description").is_some(), "{folder:?}: {name}");
            let is_container = schema.get("items").is_some_and(|items| items.get("properties").is_some());
            assert!(is_container || page.contains(&format!("`{name}`")), "{folder:?}: {name}");
            assert!(policy.parameters.get(name).is_some(), "{folder:?}: parameters.json has no {name}");
        }
    }
}
