//! The results of the rounds.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};
use serde_json::{Value, json};

/// What happened in one round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Round {
    pub(crate) number: u64,
    /// How the operator that lies behaved.
    pub(crate) behaviour: &'static str,
    /// Processes that were killed while there was load, by kind.
    pub(crate) killed: BTreeMap<&'static str, u64>,
    pub(crate) accepted: u64,
    pub(crate) attested: u64,
    /// Tasks that ended without an attestation, by code.
    pub(crate) failed: BTreeMap<String, u64>,
    /// Requests that gateways refused.
    pub(crate) refused: u64,
    /// Attestations that the vault's contract judged as they say, and decisions that were repeated from evidence.
    pub(crate) on_chain: u64,
    pub(crate) replayed: u64,
    pub(crate) millis: u64,
}

/// The results of all rounds.
#[derive(Debug, Clone)]
pub(crate) struct CheckReport {
    pub(crate) seed: u64,
    pub(crate) log: &'static str,
    pub(crate) rounds: Vec<Round>,
    /// Entries of all operators' journals at the end.
    pub(crate) attestations: u64,
    pub(crate) observations: u64,
    /// Messages that the operator that lies changed, and that the gateway that lies sent.
    pub(crate) lies: u64,
    pub(crate) rogue_messages: u64,
    /// What operators signed for the gateway that lies, and what they refused it, by code.
    pub(crate) rogue_signed: u64,
    pub(crate) rogue_refusals: BTreeMap<&'static str, u64>,
    /// What does not hold.
    pub(crate) violations: Vec<String>,
}

impl Round {
    fn ended(&self) -> u64 {
        self.attested + self.failed.values().sum::<u64>()
    }

    /// Returns a line about the round.
    pub(crate) fn line(&self) -> String {
        let killed: Vec<_> = self.killed.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        format!(
            "round {}: the liar {}, killed {}; {} accepted, {} attested, {} without ({:?}); {} ms",
            self.number,
            self.behaviour,
            killed.join(", "),
            self.accepted,
            self.attested,
            self.ended() - self.attested,
            self.failed,
            self.millis,
        )
    }

    fn json(&self) -> Value {
        json!({
            "round": self.number,
            "liar": self.behaviour,
            "killed": self.killed,
            "accepted": self.accepted,
            "attested": self.attested,
            "failed": self.failed,
            "refused": self.refused,
            "verifiedOnChain": self.on_chain,
            "replayed": self.replayed,
            "millis": self.millis,
        })
    }
}

impl CheckReport {
    /// Returns the report for programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "seed": self.seed,
            "log": self.log,
            "profile": profile(),
            "rounds": self.rounds.iter().map(Round::json).collect::<Vec<_>>(),
            "journalAttestations": self.attestations,
            "journalObservations": self.observations,
            "liesOfTheOperator": self.lies,
            "messagesOfTheRogueGateway": self.rogue_messages,
            "signedForTheRogueGateway": self.rogue_signed,
            "refusedToTheRogueGateway": self.rogue_refusals,
            "violations": self.violations,
        })
    }
}

/// Returns the profile that this program was built with.
pub(crate) const fn profile() -> &'static str {
    if cfg!(debug_assertions) { "dev" } else { "release" }
}

/// Returns the results as text: a row for each behaviour of the operator that lies.
pub(crate) fn table(report: &CheckReport) -> String {
    let columns =
        ["liar", "rounds", "operators killed", "gateways killed", "NATS killed", "accepted", "attested", "failed"];
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(columns);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut liars: Vec<&str> = report.rounds.iter().map(|round| round.behaviour).collect();
    liars.sort_unstable();
    liars.dedup();
    for liar in liars.iter().map(|liar| Some(*liar)).chain([None]) {
        let rounds = || report.rounds.iter().filter(|round| liar.is_none_or(|liar| round.behaviour == liar));
        let killed = |kind| rounds().filter_map(|round| round.killed.get(kind)).sum::<u64>();
        let numbers = [
            u64::try_from(rounds().count()).unwrap_or_default(),
            killed("operators"),
            killed("gateways"),
            killed("nats"),
            rounds().map(|round| round.accepted).sum(),
            rounds().map(|round| round.attested).sum(),
            rounds().map(|round| round.ended() - round.attested).sum(),
        ];
        let name = liar.unwrap_or("all").to_owned();
        table.add_row([name].into_iter().chain(numbers.map(|number| number.to_string())));
    }
    let sum = |field: fn(&Round) -> u64| report.rounds.iter().map(field).sum::<u64>();
    let mut failures: BTreeMap<&str, u64> = BTreeMap::new();
    for (code, count) in report.rounds.iter().flat_map(|round| &round.failed) {
        *failures.entry(code).or_default() += count;
    }
    let verdict = match report.violations.len() {
        0 => "Nothing was lost, and nothing was signed twice differently.".to_owned(),
        count => format!("{count} violations:\n- {}", report.violations.join("\n- ")),
    };
    format!(
        "{table}\n\n\
         Task log {}, profile {}, seed {}, {} ms.\n\
         Ends without an attestation, by code: {failures:?}.\n\
         Journals: {} attestations and {} observations, compared after each round.\n\
         {} attestations were verified by the vault's contract, {} decisions repeated from evidence.\n\
         The operator that lies changed {} messages.\n\
         The gateway that lies sent {}, and got {} signatures, none of two statements about a task;\n\
         it was refused: {:?}.\n\
         {verdict}",
        report.log,
        profile(),
        report.seed,
        sum(|round| round.millis),
        report.attestations,
        report.observations,
        sum(|round| round.on_chain),
        sum(|round| round.replayed),
        report.lies,
        report.rogue_messages,
        report.rogue_signed,
        report.rogue_refusals,
    )
}
