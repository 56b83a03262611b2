//! The sources of the library in policies/, from a world in memory to the decision.
//!
//! Each case is recorded in `policies/<policy>/recordings/`. `UPDATE_RECORDINGS=1` writes them again.

#[path = "../../../../assent-policy/tests/steps_page/mod.rs"]
mod steps_page;

use crate::world::host;
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use assent_policy::{
    Function, Observations, PolicyFolder, PolicyInput, ReferenceBlock, SourceManifest, evaluate, evaluator,
};
use assent_policy_data::{
    BlockReference, Component, ObservationRequest, ObserveError, Recording, SourceRun, World,
    chain::{ChainReadError, ChainReader},
    exchange::{Header, HttpFailure, HttpResponse, Log, LogFilter},
    history::{self, HistoryQuery},
    http::{HttpClient, HttpRefusal, Permissions, PermittedRequest, Secrets},
};
use assent_types::{Decision, Intent};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

const CLIENT: &str = "00000000000000000000000000000000000000c1";
const CALLER: &str = "00000000000000000000000000000000000000d1";
const TOKEN: &str = "00000000000000000000000000000000000000a1";
const RECIPIENT: &str = "000000000000000000000000000000000000beef";
const POLICY_ID: B256 = B256::repeat_byte(0x11);
const TIME: u64 = 1_800_000_000;
const BLOCK: BlockReference = Header { number: 1000, hash: B256::repeat_byte(0x22), timestamp: TIME };

/// A call, what the world answers about it, and what the policy decides.
struct Case {
    policy: &'static str,
    name: &'static str,
    to: &'static str,
    function: &'static str,
    /// The words of the arguments.
    arguments: Vec<String>,
    /// What contracts return, by address and calldata, or the selector of it.
    chain: Vec<(&'static str, String, String)>,
    /// What the web has, by URL.
    web: Vec<(&'static str, &'static str)>,
    /// Logs: topics, data and block.
    logs: Vec<(Vec<String>, String, u64)>,
    /// The answers of sources that operators' journals give.
    given: Vec<(&'static str, &'static str)>,
    /// The reasons of a denial; none if the call is allowed.
    reasons: Vec<&'static str>,
}

fn word(digits: &str) -> String {
    format!("{digits:0>64}")
}

fn number(number: u64) -> String {
    word(&format!("{number:x}"))
}

fn units(number: u64) -> String {
    word(&format!("{:x}", U256::from(number) * U256::from(10).pow(U256::from(18))))
}

impl Case {
    fn new(policy: &'static str, name: &'static str, function: &'static str, arguments: Vec<String>) -> Self {
        let (chain, web, logs, given, reasons) = (vec![], vec![], vec![], vec![], vec![]);
        Self { policy, name, to: CLIENT, function, arguments, chain, web, logs, given, reasons }
    }

    fn denied(mut self, reason: &'static str) -> Self {
        self.reasons.push(reason);
        self
    }

    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../policies").join(self.policy)
    }

    fn read(&self) -> PolicyFolder {
        let mut files = BTreeMap::new();
        for directory in ["", "sources"] {
            for entry in fs::read_dir(self.folder().join(directory)).into_iter().flatten() {
                let path = entry.expect("an entry").path();
                if path.is_file() {
                    let name = path.strip_prefix(self.folder()).expect("in the folder").to_string_lossy().into_owned();
                    files.insert(name, fs::read(&path).expect("a file"));
                }
            }
        }
        PolicyFolder::read(&files).unwrap_or_else(|error| panic!("{}: {error}", self.policy))
    }

    fn request(&self, policy: &PolicyFolder) -> ObservationRequest {
        let function = self.function.parse::<Function>().expect("a function");
        let selector = hex::encode(function.selector().expect("a selector"));
        let data = hex::decode(format!("{selector}{}", self.arguments.concat())).expect("calldata");
        let address = |digits: &str| digits.parse::<Address>().expect("an address");
        let (from, to) = (address(CALLER), address(self.to));
        ObservationRequest {
            intent: Intent { from, to, value: U256::ZERO, data: data.into(), chainId: U256::ONE },
            policy_client: address(CLIENT),
            nonce: U256::from(7),
            block: BLOCK,
            parameters: policy.parameters.clone(),
        }
    }

    fn world(&self, source: &SourceManifest) -> World {
        let mut secrets = Secrets::default();
        for host in &source.hosts {
            let secret = Zeroizing::new("correct-horse-battery".to_owned());
            secrets.insert("PRICE_KEY", host, POLICY_ID, secret).expect("the secret is valid");
        }
        let hosts = source.hosts.iter().map(String::as_str);
        let permissions = Permissions::new(hosts, POLICY_ID, secrets.into()).expect("hosts are valid");
        let web = self.web.iter().map(|(url, body)| ((*url).to_owned(), (*body).to_owned())).collect();
        let (calls, logs) = (self.chain.clone(), self.logs.clone());
        World::new(Arc::new(Chain { calls, logs })).with_web(Arc::new(Web(web)), permissions.into())
    }

    fn observe(&self, policy: &PolicyFolder, name: &str) -> Result<SourceRun, ObserveError> {
        let source = &policy.manifest.sources[name];
        let (request, world) = (self.request(policy), self.world(source));
        if let Some(query) = history_query(source) {
            return history::observe(&query, &request, &world);
        }
        host().observe(&component(policy, name), &request, &world)
    }

    /// Returns the recordings of all sources that are components.
    fn record(&self, policy: &PolicyFolder) -> BTreeMap<String, Recording> {
        let is_given = |name: &str| self.given.iter().any(|(given, _)| *given == name);
        let sources = policy.manifest.sources.keys().filter(|name| !is_given(name));
        let recordings = sources.map(|name| {
            let observed = self.observe(policy, name);
            let observed = observed.unwrap_or_else(|error| panic!("{} {}: {name}: {error}", self.policy, self.name));
            (name.clone(), observed.recording)
        });
        recordings.collect()
    }

    /// Decides as the case says, and returns the steps.
    fn decide(&self, policy: &PolicyFolder, recordings: &BTreeMap<String, Recording>) -> u64 {
        let mut outputs = BTreeMap::new();
        for (name, recording) in recordings {
            let replayed = match history_query(&policy.manifest.sources[name]) {
                Some(query) => history::replay(&query, recording),
                None => host().replay(&component(policy, name), recording),
            };
            outputs.insert(name.clone(), replayed.expect("it is replayed").output);
        }
        for (name, answer) in &self.given {
            outputs.insert((*name).to_owned(), assent_json::parse(answer.as_bytes()).expect("JSON"));
        }
        let data = Observations::of_one(outputs).expect("outputs").to_canonical().expect("data");
        let ObservationRequest { intent, policy_client, nonce, .. } = self.request(policy);
        let block =
            ReferenceBlock { number: U256::from(1000), hash: BLOCK.hash, timestamp: U256::from(BLOCK.timestamp) };
        let input = PolicyInput { intent, policy_client, nonce, block };
        let image = evaluator().expect("an image");
        let policy = policy.policy(image.root()).expect("a policy");
        let evaluation = evaluate(image, &policy, &input, &data).expect("an evaluation");
        let reasons = evaluation.reasons.iter().map(|reason| reason.message.as_str()).collect::<Vec<_>>();
        let expected = if self.reasons.is_empty() { Decision::Allow } else { Decision::Deny };
        assert_eq!((evaluation.decision, &reasons), (expected, &self.reasons), "{} {}", self.policy, self.name);
        evaluation.steps
    }
}

/// Returns the query of the built-in source `history`.
fn history_query(source: &SourceManifest) -> Option<HistoryQuery> {
    let builtin = source.builtin.as_ref().filter(|builtin| builtin.name() == "history")?;
    Some(serde_json::from_str(&builtin.query().to_canonical()).expect("a query"))
}

fn component(policy: &PolicyFolder, name: &str) -> Component {
    host().load(&policy.components[name]).expect("it has the world")
}

struct Chain {
    calls: Vec<(&'static str, String, String)>,
    logs: Vec<(Vec<String>, String, u64)>,
}

impl ChainReader for Chain {
    fn call(&self, _: &BlockReference, to: Address, data: &Bytes) -> Result<Result<Bytes, Bytes>, ChainReadError> {
        let (to, data) = (hex::encode(to), hex::encode(data));
        let answer = self.calls.iter().find(|(account, call, _)| *account == to && data.starts_with(call.as_str()));
        // Other contracts revert.
        Ok(match answer {
            Some((_, _, returned)) => Ok(hex::decode(returned).expect("hex").into()),
            None => Err(Bytes::new()),
        })
    }

    fn storage(&self, _: &BlockReference, _: Address, _: B256) -> Result<B256, ChainReadError> {
        Ok(B256::ZERO)
    }

    fn code(&self, _: &BlockReference, _: Address) -> Result<Bytes, ChainReadError> {
        Ok(Bytes::new())
    }

    fn balance(&self, _: &BlockReference, _: Address) -> Result<U256, ChainReadError> {
        Ok(U256::ZERO)
    }

    fn logs(&self, _: &BlockReference, filter: &LogFilter) -> Result<Vec<Log>, ChainReadError> {
        let log = |(topics, data, block_number): &(Vec<String>, String, u64)| Log {
            address: filter.addresses.first().copied().unwrap_or_default(),
            topics: topics.iter().map(|topic| topic.parse().expect("a topic")).collect(),
            data: hex::decode(data).expect("hex").into(),
            block_number: *block_number,
            log_index: 0,
            transaction_hash: B256::ZERO,
        };
        let logs = self.logs.iter().map(log);
        Ok(logs.filter(|log| (filter.from_block..=filter.to_block).contains(&log.block_number)).collect())
    }

    fn header(&self, block: &BlockReference, number: u64) -> Result<Header, ChainReadError> {
        let timestamp = block.timestamp.saturating_sub(12 * (block.number - number));
        Ok(Header { number, hash: B256::left_padding_from(&number.to_be_bytes()), timestamp })
    }
}

struct Web(BTreeMap<String, String>);

impl HttpClient for Web {
    fn send(&self, request: &PermittedRequest) -> Result<Result<HttpResponse, HttpFailure>, HttpRefusal> {
        let body = self.0.get(request.url().as_str());
        let status = if body.is_some() { 200 } else { 500 };
        Ok(Ok(HttpResponse { status, headers: vec![], body: body.cloned().unwrap_or_default() }))
    }
}

fn cases() -> Vec<Case> {
    let cases =
        [sanctions(), kyc(), health_factor(), price_deviation(), spending_window(), new_recipients(), agent_session()];
    cases.into_iter().flatten().collect()
}

const FIRST: &str = "https://lists.example.com/addresses.json";
const SECOND: &str = "https://lists.example.org/addresses.json";

fn sanctions() -> Vec<Case> {
    let case = |name, first, second| {
        let pay = "function pay(address token, address recipient, uint256 amount)";
        let arguments = vec![word(TOKEN), word(RECIPIENT), number(5)];
        Case { web: vec![(FIRST, first), (SECOND, second)], ..Case::new("sanctions", name, pay, arguments) }
    };
    let (other, recipient) = (
        r#"["0x000000000000000000000000000000000000dEaD"]"#,
        r#"["0x0000000000000000000000000000000000000001", "0x000000000000000000000000000000000000BEEF"]"#,
    );
    vec![
        case("allow", other, other),
        case("deny-recipient-of-the-second-list", other, recipient)
            .denied("0x000000000000000000000000000000000000beef is on a list of sanctioned addresses"),
        case("deny-caller", r#"["0x00000000000000000000000000000000000000D1"]"#, other)
            .denied("0x00000000000000000000000000000000000000d1 is on a list of sanctioned addresses"),
    ]
}

fn kyc() -> Vec<Case> {
    const REGISTRY: &str = "00000000000000000000000000000000000000e1";
    let case = |name, country: u64, is_verified: u64| {
        let transfer = "function transfer(address to, uint256 amount)";
        // The amount is asked about too, since it could be an address.
        let chain = vec![
            (REGISTRY, format!("b9209e33{}", word(CALLER)), number(1)),
            (REGISTRY, format!("7e42683b{}", word(CALLER)), number(756)),
            (REGISTRY, format!("b9209e33{}", word(RECIPIENT)), number(is_verified)),
            (REGISTRY, format!("7e42683b{}", word(RECIPIENT)), number(country)),
            (REGISTRY, "b9209e33".to_owned(), number(0)),
        ];
        Case { chain, ..Case::new("kyc", name, transfer, vec![word(RECIPIENT), number(5)]) }
    };
    vec![
        case("allow", 276, 1),
        case("deny-country", 408, 1)
            .denied("0x000000000000000000000000000000000000beef is in the country 408, which is not permitted"),
        case("deny-not-verified", 276, 0)
            .denied("the registry has not verified 0x000000000000000000000000000000000000beef"),
    ]
}

fn health_factor() -> Vec<Case> {
    const POOL: &str = "00000000000000000000000000000000000000f1";
    const ORACLE: &str = "00000000000000000000000000000000000000f2";
    let case = |name, amount: u64| {
        let borrow = "function borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, \
                      address onBehalfOf)";
        let arguments = vec![word(TOKEN), number(amount), number(2), number(0), word(CLIENT)];
        // 10,000 of collateral, of which 80 % count, 4,000 of debt, and a price of 2, with 8 decimals.
        let base = |amount: u64| number(amount * 100_000_000);
        let account = [base(10_000), base(4_000), base(4_000), number(8_000), number(7_500), units(2)].concat();
        let chain = vec![
            (POOL, format!("bf92857c{}", word(CLIENT)), account),
            (ORACLE, format!("b3596f07{}", word(TOKEN)), base(2)),
            (TOKEN, "313ce567".to_owned(), number(6)),
        ];
        Case { chain, to: POOL, ..Case::new("health-factor", name, borrow, arguments) }
    };
    vec![
        // 8,000 ÷ 1.5 = 5,333.33…
        case("allow", 666_000_000),
        case("deny", 667_000_000).denied(
            "the health factor would be less than 15000 basis points: a debt of 533400000000 against 800000000000 that \
             counts of the collateral",
        ),
    ]
}

fn price_deviation() -> Vec<Case> {
    const FEED: &str = "00000000000000000000000000000000000000f3";
    let case = |name, chain: u64, web: &'static str| {
        let swap = "function swap(address tokenIn, address tokenOut, uint256 amountIn, uint256 minAmountOut)";
        let token_out = word("00000000000000000000000000000000000000a2");
        // 1 token for at least 1,990 of the other, which has 6 decimals.
        let arguments = vec![word(TOKEN), token_out, units(1), number(1_990_000_000)];
        let round = [number(1), number(chain), number(0), number(0), number(1)].concat();
        Case {
            chain: vec![(FEED, "feaf968c".to_owned(), round)],
            web: vec![("https://prices.example.com/a1-a2", web)],
            ..Case::new("price-deviation", name, swap, arguments)
        }
    };
    vec![
        case("allow", 200_000_000_000, r#"{"price": "199900000000"}"#),
        case("deny", 200_000_000_000, r#"{"price": "210000000000"}"#)
            .denied(
                "1990000000 is accepted for 1000000000000000000: more than 50 basis points less than the price \
                 210000000000",
            )
            .denied(
                "the prices 200000000000 of the chain and 210000000000 of the web differ by more than 100 basis points",
            ),
    ]
}

/// `Transfer(address,address,uint256)`.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// A payment of 5 units.
const PAY: &str = "function pay(address token, address recipient, uint256 amount)";

fn transfer(to: &str, amount: u64, block: u64) -> (Vec<String>, String, u64) {
    let topics = [CLIENT, to].map(|account| format!("0x{}", word(account)));
    ([vec![TRANSFER.to_owned()], topics.to_vec()].concat(), units(amount), block)
}

fn payment(policy: &'static str, name: &'static str) -> Case {
    Case::new(policy, name, PAY, vec![word(TOKEN), word(RECIPIENT), units(5)])
}

fn spending_window() -> Vec<Case> {
    let case = |name, pending| Case {
        logs: vec![transfer(RECIPIENT, 700, 900), transfer(CALLER, 1_000, 950)],
        given: vec![("pending", pending)],
        ..payment("spending-window", name)
    };
    vec![
        case("allow", r#"{"count": "1", "sum": "295000000000000000000"}"#),
        case("deny-with-what-is-pending", r#"{"count": "1", "sum": "295000000000000000001"}"#).denied(
            "1700000000000000000000 spent and 295000000000000000001 pending in the last day and 5000000000000000000 \
             more exceed the limit of 2000000000000000000000",
        ),
    ]
}

fn new_recipients() -> Vec<Case> {
    let case = |name, received| Case {
        logs: vec![transfer(CALLER, 400, 900), transfer(RECIPIENT, received, 950)],
        given: vec![("pending", r#"{"count": "0", "sum": "0"}"#)],
        ..payment("new-recipients", name)
    };
    vec![
        case("allow", 5),
        case("deny", 6).denied(
            "0x000000000000000000000000000000000000beef is new: with 6000000000000000000 received and 0 pending, \
             5000000000000000000 more exceed the limit of 10000000000000000000",
        ),
    ]
}

fn agent_session() -> Vec<Case> {
    const CONTRACT: &str = "00000000000000000000000000000000000000ac";
    let case = |name, calls: u64, answer: &str| {
        let function = "function payApproved(address token, address recipient, uint256 amount, bytes approval)";
        // The contract's address, and 50 bytes that it takes as a signature.
        let approval = format!("{CONTRACT}{}", "77".repeat(50));
        let payment = [word(TOKEN), word(RECIPIENT), units(900), number(128), number(70)];
        let arguments = [payment.to_vec(), vec![format!("{approval:0<192}")]].concat();
        // AttestationSpent(address,bytes32,uint256,uint32,bytes32).
        let spent = alloy_primitives::keccak256("AttestationSpent(address,bytes32,uint256,uint32,bytes32)");
        let topics = vec![spent.to_string(), format!("0x{}", word(CLIENT)), format!("0x{}", number(5))];
        let logs = (0..calls).map(|call| (topics.clone(), [number(call), number(1), number(0)].concat(), 990 + call));
        let pending = r#"{"count": "1", "sum": "5"}"#;
        Case {
            chain: vec![(CONTRACT, "1626ba7e".to_owned(), format!("{answer:0<64}"))],
            logs: logs.collect(),
            given: vec![("pending", pending), ("pending_approved", pending)],
            ..Case::new("agent-session", name, function, arguments)
        }
    };
    vec![
        case("allow-with-the-approval-of-a-contract", 2, "1626ba7e"),
        case("deny-without-approval", 2, "ffffffff").denied("no approver signed this payment"),
        case("deny-more-calls-in-an-hour", 9, "1626ba7e").denied("it would be call 12 of the last hour, of 11"),
    ]
}

#[test]
fn the_sources_of_the_library_observe_what_is_recorded_and_the_policies_decide_on_it() {
    let is_update = std::env::var_os("UPDATE_RECORDINGS").is_some();
    // The page of the library has the steps of the first call of each policy that is allowed.
    let mut seen = BTreeSet::new();
    for case in cases() {
        let policy = case.read();
        let recordings = case.record(&policy);
        let directory = case.folder().join("recordings");
        let path = directory.join(format!("{}.json", case.name));
        if is_update {
            fs::create_dir_all(&directory).expect("a folder");
            let text = serde_json::to_string_pretty(&recordings).expect("JSON");
            fs::write(&path, text + "\n").expect("a file");
        }
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let committed = serde_json::from_str::<BTreeMap<String, Recording>>(&text).expect("recordings");
        assert_eq!(committed, recordings, "{}", path.display());
        let steps = case.decide(&policy, &committed);
        if case.name.starts_with("allow") && seen.insert(case.policy) {
            steps_page::compare(case.policy, steps);
        }
    }
}

#[test]
fn every_recording_of_the_library_is_of_a_case() {
    let mut cases = cases();
    cases.dedup_by_key(|case| case.policy);
    for case in &cases {
        for entry in fs::read_dir(case.folder().join("recordings")).expect("a folder") {
            let name = entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned();
            let is_known = self::cases().iter().any(|known| known.policy == case.policy && known.name == name);
            assert!(is_known, "{}: {name}", case.policy);
        }
    }
}

#[test]
fn a_list_of_sanctions_that_does_not_answer_or_is_not_a_list_ends_the_observation() {
    let cases = [
        (vec![(FIRST, r#"["0x01"]"#)], "answers with status 500"),
        (vec![(FIRST, r#"["0x01"]"#), (SECOND, "[]")], "has an empty list"),
        (vec![(FIRST, r#"["0x01"]"#), (SECOND, "{}")], "has no array"),
        (vec![(FIRST, r#"["0x01"]"#), (SECOND, "[1]")], "no string"),
        (vec![(FIRST, r#"["0x01"]"#), (SECOND, "<html>")], "https://lists.example.org/addresses.json: "),
    ];
    for (web, expected) in cases {
        let mut case = sanctions().remove(0);
        case.web = web;
        let error = case.observe(&case.read(), "listed").expect_err(expected).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn a_contract_that_reverts_or_answers_something_else_ends_the_observation() {
    for (policy, source, cases) in [("kyc", "identity", kyc()), ("health-factor", "position", health_factor())] {
        for broken in [None, Some("01"), Some("zz")] {
            let mut case = cases.iter().find(|case| case.policy == policy && case.name == "allow").map(|case| Case {
                chain: case.chain.clone(),
                to: case.to,
                ..Case::new(case.policy, case.name, case.function, case.arguments.clone())
            });
            let case = case.as_mut().expect("a case");
            match broken {
                None => case.chain.clear(),
                Some("zz") => case.chain[0].2 = "ff".repeat(case.chain[0].2.len() / 2 + 32),
                Some(text) => case.chain[0].2 = text.to_owned(),
            }
            assert!(case.observe(&case.read(), source).is_err(), "{policy}: {broken:?}");
        }
    }
}
