//! Decisions, counted by the rules that made them.

use super::{
    super::{
        data::Sources,
        era::NotObserved,
        files::{Loaded, image_of},
    },
    calls::{Found, PastCall},
};
use alloy_primitives::B256;
use anyhow::{Context as _, Result};
use assent_machine::Image;
use assent_policy::{Denial, EvaluationError, ExecutablePolicy, PolicyInput, Reason, Rules, denials, evaluate};
use assent_verifier::Decision;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The row of a message that belongs to no rule, since a rule computes it.
const OTHER_MESSAGE: &str = "denied: a message that a rule computes";

/// Counts of decisions. Their number is bounded by that of the policy's rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tally {
    /// The calls that would have been allowed.
    pub allowed: u64,
    /// The calls that would have been denied.
    pub denied: u64,
    /// The calls about which nothing would have been decided, or about which that is not known: a source has no answer.
    #[serde(default)]
    pub undecided: u64,
    /// The transactions that reverted, about which nothing is decided.
    pub reverted: u64,
    /// The spent attestations whose calls cannot be read.
    pub hidden: u64,
    /// Denied calls by the rule; a call can be denied by several.
    pub by_rule: BTreeMap<String, u64>,
}

impl Tally {
    /// Returns the number of calls, decided or not.
    pub const fn calls(&self) -> u64 {
        self.allowed.saturating_add(self.denied).saturating_add(self.undecided)
    }

    /// Counts what a transaction is about.
    pub fn count(&mut self, judged: &Judged) {
        match judged {
            Judged::Call(_, PastDecision::Allowed) => self.allowed += 1,
            Judged::Call(_, PastDecision::Denied(reasons)) => {
                self.denied += 1;
                let rules = reasons.iter().map(|reason| reason.rule.as_str()).collect::<BTreeSet<_>>();
                for rule in rules {
                    *self.by_rule.entry(rule.to_owned()).or_default() += 1;
                }
            }
            Judged::Call(_, PastDecision::Undecided(_)) => self.undecided += 1,
            Judged::Reverted => self.reverted += 1,
            Judged::Hidden { .. } => self.hidden += 1,
        }
    }

    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        self.allowed += other.allowed;
        self.denied += other.denied;
        self.undecided += other.undecided;
        self.reverted += other.reverted;
        self.hidden += other.hidden;
        for (rule, count) in &other.by_rule {
            *self.by_rule.entry(rule.clone()).or_default() += count;
        }
    }

    /// Returns the rows of the table: what, how many, and the share in hundredths of a percent.
    pub fn rows(&self) -> Vec<(String, u64, u64)> {
        let share = |count: u64| (count.saturating_mul(10_000)).checked_div(self.calls()).unwrap_or(0);
        let mut rows = vec![("allow".to_owned(), self.allowed), ("deny".to_owned(), self.denied)];
        rows.extend(self.by_rule.iter().map(|(rule, count)| (format!("  {rule}"), *count)));
        if self.undecided > 0 {
            rows.push(("undecided".to_owned(), self.undecided));
        }
        rows.into_iter().map(|(what, count)| (what, count, share(count))).collect()
    }

    /// Returns the counts as JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "calls": self.calls(), "allowed": self.allowed, "denied": self.denied, "undecided": self.undecided,
            "reverted": self.reverted, "hidden": self.hidden, "byRule": self.by_rule,
        })
    }
}

/// What a transaction is about, with the decision about its call.
#[derive(Debug, Clone)]
pub enum Judged {
    /// A call, and what the policy would have decided.
    Call(Box<PastCall>, PastDecision),
    /// A call that reverted, and changed nothing.
    Reverted,
    /// A spent attestation whose call cannot be read.
    Hidden {
        /// The transaction.
        transaction: B256,
        /// The block.
        block: u64,
        /// Why not.
        reason: String,
    },
}

/// What a policy would have decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PastDecision {
    /// The call would have been allowed.
    Allowed,
    /// The call would have been denied, for these reasons.
    Denied(Vec<OutcomeReason>),
    /// A source has no answer, and why.
    Undecided(String),
}

/// Why a call would have been denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeReason {
    /// The kind, as docs/policy-reference.md lists them.
    pub kind: String,
    /// The message.
    pub message: String,
    /// The rule, for people.
    pub rule: String,
}

/// A message's rule, with the parts of the message that do not change.
type RuleMessage = (Denial, Option<Vec<String>>);

/// Decides about calls that were made, and names the rules.
pub struct Judge {
    image: &'static Image,
    policy: ExecutablePolicy,
    sources: Sources,
    /// The messages of each policy.
    members: Vec<Vec<RuleMessage>>,
}

impl Judge {
    /// Returns the judge for a policy with its sources.
    pub fn new(loaded: Loaded, sources: Sources) -> Result<Self> {
        let policy = loaded.policy;
        let rules = Rules::parse(policy.rules())?;
        let members = rules.members().iter().map(|member| {
            let denials = denials(&member.entrypoint, &member.modules).into_iter();
            denials.map(|denial| (denial.clone(), pattern(&denial.message))).collect()
        });
        Ok(Self { image: image_of(&policy)?, members: members.collect(), policy, sources })
    }

    /// Returns the policy.
    pub const fn policy(&self) -> &ExecutablePolicy {
        &self.policy
    }

    /// Decides about the call of a transaction, if it has one that can be read.
    pub async fn judge(self: &Arc<Self>, found: &Found) -> Result<Judged> {
        Ok(match found {
            Found::Call(call) => Judged::Call(call.clone(), self.decide(call.input.clone()).await?),
            Found::Reverted => Judged::Reverted,
            Found::Hidden { transaction, block, reason } => {
                Judged::Hidden { transaction: *transaction, block: *block, reason: reason.clone() }
            }
        })
    }

    /// Decides about a call, in a thread that may block. One that is too long for the evaluator is denied: no operator
    /// could sign it.
    async fn decide(self: &Arc<Self>, input: PolicyInput) -> Result<PastDecision> {
        let judge = Arc::clone(self);
        let decided = tokio::task::spawn_blocking(move || judge.decide_here(&input)).await;
        decided.context("the evaluation was cancelled")?
    }

    fn decide_here(&self, input: &PolicyInput) -> Result<PastDecision> {
        let data = match self.sources.data(input) {
            Ok(data) => data.content,
            Err(error) => match error.downcast::<NotObserved>() {
                Ok(NotObserved { message, is_temporary: false }) => return Ok(PastDecision::Undecided(message)),
                Ok(temporary) => return Err(temporary.into()),
                Err(error) => return Err(error),
            },
        };
        let evaluation = match evaluate(self.image, &self.policy, input, &data) {
            Ok(evaluation) => evaluation,
            Err(error @ EvaluationError::TooLong { .. }) => {
                let (kind, rule) = ("input".to_owned(), "input".to_owned());
                return Ok(PastDecision::Denied(vec![OutcomeReason { kind, message: error.to_string(), rule }]));
            }
            Err(error) => return Err(error.into()),
        };
        let mut reasons = evaluation.reasons.iter().map(|reason| self.reason(reason)).collect::<Vec<_>>();
        if evaluation.decision == Decision::Deny && reasons.is_empty() {
            let [kind, rule] = ["result", "result"].map(str::to_owned);
            reasons.push(OutcomeReason { kind, message: "the evaluator gave no reason".into(), rule });
        }
        Ok(if reasons.is_empty() { PastDecision::Allowed } else { PastDecision::Denied(reasons) })
    }

    fn reason(&self, reason: &Reason) -> OutcomeReason {
        OutcomeReason { kind: reason.kind.clone(), message: reason.message.clone(), rule: self.rule_of(reason) }
    }

    fn rule_of(&self, reason: &Reason) -> String {
        let index = reason.policy.as_ref().and_then(|index| index.parse::<usize>().ok());
        let prefix = index.map(|index| format!("policy {index}: ")).unwrap_or_default();
        if reason.kind != "denied" {
            return prefix + &reason.kind;
        }
        let messages = self.members.get(index.unwrap_or(0)).map(Vec::as_slice).unwrap_or_default();
        let found =
            messages.iter().find(|(_, parts)| parts.as_ref().is_some_and(|parts| matches(&reason.message, parts)));
        prefix
            + &found.map_or_else(
                || OTHER_MESSAGE.to_owned(),
                |(denial, parts)| {
                    let message = parts.as_deref().unwrap_or_default().join("…");
                    format!("denied: {message} ({}:{})", denial.file, denial.line)
                },
            )
    }
}

/// Returns the parts of a message between the values in it. Nothing if it is no literal or `sprintf` of one.
fn pattern(source: &str) -> Option<Vec<String>> {
    let source = source.trim();
    let format = source.strip_prefix("sprintf").map(|rest| rest.trim_start().strip_prefix('(').unwrap_or(rest));
    let mut literals = serde_json::Deserializer::from_str(format.unwrap_or(source).trim_start()).into_iter::<String>();
    let literal = literals.next()?.ok()?;
    if format.is_none() {
        let is_all = literals.byte_offset() == source.len();
        return is_all.then(|| vec![literal]);
    }
    let mut parts = vec![String::new()];
    let mut chars = literal.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            parts.last_mut()?.push(c);
            continue;
        }
        // A verb: flags and width, then a letter; `%%` is a percent sign.
        match chars.by_ref().find(|c| c.is_ascii_alphabetic() || *c == '%')? {
            '%' => parts.last_mut()?.push('%'),
            _ => parts.push(String::new()),
        }
    }
    Some(parts)
}

/// Returns whether a message has these parts in this order, at its start and at its end.
fn matches(message: &str, parts: &[String]) -> bool {
    let [first, rest @ ..] = parts else { return false };
    let Some(mut message) = message.strip_prefix(first.as_str()) else { return false };
    let Some((last, middle)) = rest.split_last() else { return message.is_empty() };
    for part in middle {
        let Some((_, after)) = message.split_once(part.as_str()) else { return false };
        message = after;
    }
    message.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_belongs_to_the_rule_that_formats_it() {
        for (source, message, is_of_rule) in [
            (r#""closed""#, "closed", true),
            (r#""closed""#, "closed today", false),
            (r#"sprintf("%v is more than %v", [x, y])"#, "5 is more than 4", true),
            (r#"sprintf("%v is more than %v", [x, y])"#, "5 is less than 4", false),
            (r#"sprintf("%d %% of %s", [x, y])"#, "5 % of all", true),
            (r#"sprintf("limit: %v", [x])"#, "limit: ", true),
            (r#"sprintf("limit: %v", [x])"#, "a limit: 5", false),
            (r#"sprintf("%v%v", [x, y])"#, "anything", true),
            (r#"sprintf("%v. end", [x])"#, "5. end.", false),
        ] {
            let pattern = pattern(source).expect(source);
            assert_eq!(matches(message, &pattern), is_of_rule, "{source}: {message}");
        }
        for source in ["message", "concat(\", \", [x])", r#""a" + x"#, "sprintf(format, [x])"] {
            assert_eq!(pattern(source), None, "{source}");
        }
    }

    #[test]
    fn shares_are_of_all_decisions() {
        let mut tally = Tally { allowed: 2, denied: 1, ..Tally::default() };
        tally.by_rule.insert("function".into(), 1);
        tally.add(&tally.clone());
        let rows = [("allow", 4, 6666), ("deny", 2, 3333), ("  function", 2, 3333)];
        assert_eq!(tally.rows(), rows.map(|(what, count, share)| (what.to_owned(), count, share)));
        assert_eq!(Tally::default().rows()[0], ("allow".to_owned(), 0, 0));
    }
}
