//! Operators who sign, and the service as a process.

use alloy_primitives::{
    Address, B256, Bytes, U256,
    aliases::{U48, U96},
};
use assent_signer::{AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, Context, Epoch, EpochId, Intent, Operator, OperatorSet, OperatorSetId, Policy,
    RecordedRoots, SpentNonces,
    digest::{intent_hash, task_id},
};
use reqwest::Client;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    ops::Range,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

/// Lifetime of attestations.
pub const LIFETIME: u64 = 600;

/// A nonce that is burned on chain: the context says so.
pub const BURNED: u64 = 1_000_000;

/// Four operators of weight 10, of which three must sign; a context file and a place for the ledger.
pub struct Fixture {
    directory: TempDir,
    keys: Vec<SecretKey>,
    pub context: Context,
}

impl Fixture {
    pub fn new() -> Self {
        let keys = (1..=4).map(|seed| SecretKey::from_key_material(&[seed; 32]).unwrap()).collect::<Vec<_>>();
        let operators = keys.iter().zip(1_u8..).map(|(key, number)| Operator {
            address: Address::with_last_byte(number),
            public_key: key.public_key(),
            weight: U96::from(10),
        });
        let operators = OperatorSet::new(operators.collect()).unwrap();
        let epoch = |number, valid_until| Epoch {
            number,
            operator_set: OperatorSetId(1),
            valid_until,
            operators: operators.clone(),
        };
        let policy_client = Address::repeat_byte(0xc1);
        let mut spent = SpentNonces::default();
        assert!(spent.spend(policy_client, U256::from(BURNED)));
        let context = Context {
            chain_id: U256::from(31_337),
            task_manager: Address::repeat_byte(0x7a),
            policy_client,
            policy: Some(Policy {
                policyId: B256::repeat_byte(0x70),
                operatorSet: 1,
                quorum: 6700,
                maxLifetime: U48::from(LIFETIME),
            }),
            issuance_floor: U48::from(now() - LIFETIME / 2),
            caller: Address::repeat_byte(0xa9),
            timestamp: 0, // The service goes by the clock.
            epochs: vec![epoch(EpochId(1), U48::MAX), epoch(EpochId(2), U48::ZERO)],
            recorded_roots: RecordedRoots::default(),
            spent,
        };
        let fixture = Self { directory: tempfile::tempdir().unwrap(), keys, context };
        fixture.write_context(&fixture.context);
        fixture
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write_context(&self, context: &Context) {
        std::fs::write(self.path("context.json"), serde_json::to_string(context).unwrap()).unwrap();
    }

    /// Attestations with these nonces, all under one root and so one signature.
    pub fn documents(&self, nonces: Range<u64>) -> Vec<AttestationDocument> {
        self.sign(nonces.map(|nonce| self.attestation(nonce, |_| {})).collect(), 4)
    }

    pub fn document(&self, nonce: u64) -> AttestationDocument {
        self.changed_document(nonce, |_| {})
    }

    /// An attestation of something else, signed by all.
    pub fn changed_document(&self, nonce: u64, change: impl FnOnce(&mut Attestation)) -> AttestationDocument {
        self.sign(vec![self.attestation(nonce, change)], 4).remove(0)
    }

    /// Signed by fewer.
    pub fn document_of(&self, nonce: u64, signers: usize) -> AttestationDocument {
        self.sign(vec![self.attestation(nonce, |_| {})], signers).remove(0)
    }

    fn attestation(&self, nonce: u64, change: impl FnOnce(&mut Attestation)) -> Attestation {
        let Context { chain_id, task_manager, policy_client, caller, .. } = self.context;
        let policy_id = self.context.policy.as_ref().unwrap().policyId;
        let intent = Intent {
            from: caller,
            to: policy_client,
            value: U256::ZERO,
            data: Bytes::from(nonce.to_be_bytes().to_vec()),
            chainId: chain_id,
        };
        let mut attestation = Attestation {
            taskId: B256::ZERO,
            policyId: policy_id,
            policyClient: policy_client,
            nonce: U256::from(nonce),
            issuedAt: U48::from(now() - 60),
            expiration: U48::from(now() + LIFETIME - 120),
            decision: 1,
            evidence: B256::repeat_byte(0xe1),
            intent,
        };
        change(&mut attestation);
        let Attestation { policyClient, policyId, nonce, ref intent, .. } = attestation;
        attestation.taskId = task_id(chain_id, task_manager, policyClient, policyId, intent_hash(intent), nonce);
        attestation
    }

    fn sign(&self, attestations: Vec<Attestation>, signers: usize) -> Vec<AttestationDocument> {
        let count = attestations.len();
        let batch = AttestationBatch::new(attestations, self.context.chain_id, self.context.task_manager).unwrap();
        let epoch = &self.context.epochs[0];
        let operators = epoch.operators.operators().iter().zip(&self.keys).take(signers);
        let partials = operators.map(|(operator, key)| PartialSignature::new(operator.address, key.sign_batch(&batch)));
        let aggregate = aggregate(epoch, batch.root(), &partials.collect::<Vec<_>>()).unwrap();
        (0..count).map(|place| aggregate.document(&batch, place).unwrap()).collect()
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attestation-service"));
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }
}

/// The service, until it is dropped.
pub struct Service {
    process: Child,
    url: String,
    client: Client,
}

impl Service {
    /// With a new ledger.
    pub fn begin(fixture: &Fixture, options: &[&str]) -> Self {
        Self::start(fixture, &[&["--create"], options].concat())
    }

    /// With the ledger that is there, or not, as the options say.
    pub fn start(fixture: &Fixture, options: &[&str]) -> Self {
        let fixed = ["serve", "--context", "context.json", "--ledger", "ledger.redb", "--listen", "127.0.0.1:0"];
        let mut process = fixture.command(&[&fixed, options].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("the service says where it listens").to_owned();
        Self { process, url, client: Client::new() }
    }

    /// A separate client, for another task.
    pub fn caller(&self) -> Caller {
        Caller { url: self.url.clone(), client: self.client.clone() }
    }

    pub async fn submit(&self, document: &AttestationDocument) -> Answer {
        self.caller().submit(document).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: impl Into<String>) -> Answer {
        self.caller().post(path, body.into()).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.caller().get(path).await
    }

    /// The value of a metric's line.
    pub async fn metric(&self, line: &str) -> u64 {
        let text = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap();
        let value = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{line} is not in\n{text}")).parse().unwrap()
    }

    /// SIGKILL: no handler runs.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Waits for the end; whether it ended well.
    pub fn wait(mut self) -> bool {
        self.process.wait().unwrap().success()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client of the service.
#[derive(Clone)]
pub struct Caller {
    url: String,
    client: Client,
}

impl Caller {
    pub async fn submit(&self, document: &AttestationDocument) -> Result<Answer, reqwest::Error> {
        self.post("/documents", serde_json::to_string(document).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: String) -> Result<Answer, reqwest::Error> {
        Answer::of(self.client.post(format!("{}{path}", self.url)).body(body).send().await?).await
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("{}{path}", self.url)).send().await.unwrap()).await.unwrap()
    }
}

/// A status and JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: bool,
    pub body: Value,
}

impl Answer {
    async fn of(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let (status, retry_after) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
        let body = response.bytes().await?;
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| panic!("no JSON: {body:?}"));
        Ok(Self { status, retry_after, body })
    }

    /// The number of the record that this acceptance is.
    #[track_caller]
    pub fn accepted(&self) -> u64 {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["sequence"].as_u64().expect("a record has a number")
    }

    #[track_caller]
    pub fn refused(&self, status: u16, name: &str) -> &Value {
        assert_eq!((self.status, &self.body["error"]["name"]), (status, &json!(name)), "{self:?}");
        &self.body["error"]
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
