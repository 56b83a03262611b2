//! The tasks that ended last, and how operators took part in them.

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::{Address, B256, Bytes};
use assent_network::gateway::{TaskOutcome, TaskProgress};
use assent_verifier::EpochId;
use serde::Serialize;

/// How many tasks are remembered.
const REMEMBERED: usize = 128;

/// The tasks that ended last on this gateway.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecentTasks(VecDeque<EndedTask>);

/// A task that ended, in short: its calldata and its attestation have no bound that a list could have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskSummary {
    task_id: B256,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    /// The code of the failure, if it has no attestation.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
    policy_client: Address,
    policy_id: B256,
    /// The first four bytes of the calldata, or all of them.
    selector: Bytes,
    /// When it ended (Unix time in milliseconds).
    ended_at: u64,
}

impl TaskSummary {
    /// Returns the summary of a task that ended, at a time unless it is known when.
    pub(crate) fn new(task_id: B256, progress: &TaskProgress, outcome: &TaskOutcome, now_millis: u64) -> Self {
        let task = &progress.accepted.task;
        let (status, decision, failure) = match outcome {
            TaskOutcome::Attested { document, .. } if document.attestation.decision == 0 => {
                ("attested", Some("deny"), None)
            }
            TaskOutcome::Attested { .. } => ("attested", Some("allow"), None),
            TaskOutcome::Failed(failure) => ("failed", None, Some(failure.code.as_str())),
        };
        Self {
            task_id,
            status,
            decision,
            failure,
            policy_client: task.policy_client,
            policy_id: task.policy_id,
            selector: task.intent.data.iter().copied().take(4).collect(),
            ended_at: progress.ended_at.unwrap_or(now_millis),
        }
    }
}

#[derive(Debug, Clone)]
struct EndedTask {
    summary: TaskSummary,
    /// The epoch whose operators attested it, if they did.
    attested_in: Option<EpochId>,
    /// The operators that decided, each with how long it took in milliseconds.
    decided: Vec<(Address, u64)>,
}

/// How an operator took part in the attested tasks of its epoch among those that ended last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Participation {
    /// The tasks.
    pub(crate) tasks: usize,
    /// Those that it decided.
    pub(crate) decided: usize,
    /// The median time from the task to its decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_millis: Option<u64>,
}

impl RecentTasks {
    /// Adds a task that ended, once.
    pub(crate) fn add(&mut self, summary: TaskSummary, attested_in: Option<EpochId>) {
        if self.0.iter().any(|known| known.summary.task_id == summary.task_id) {
            return;
        }
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(EndedTask { summary, attested_in, decided: Vec::new() });
    }

    /// Looks again at who decided: operators answer after the end, too.
    ///
    /// What the gateway has forgotten of a task stays as it was.
    pub(crate) fn refresh(&mut self, decision_times: impl Fn(B256) -> Option<Vec<(Address, u64)>>) {
        for task in &mut self.0 {
            if let Some(decided) = decision_times(task.summary.task_id) {
                task.decided = decided;
            }
        }
    }

    /// Returns the tasks, the latest first.
    pub(crate) fn summaries(&self) -> impl Iterator<Item = &TaskSummary> {
        self.0.iter().rev().map(|task| &task.summary)
    }

    /// Returns how operators took part, by epoch. Operators that decided nothing are missing.
    ///
    /// `attested` is the result of [`attested`](Self::attested).
    pub(crate) fn participation(
        &self,
        attested: &BTreeMap<EpochId, usize>,
    ) -> BTreeMap<(EpochId, Address), Participation> {
        let mut times: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        for task in &self.0 {
            let Some(epoch) = task.attested_in else { continue };
            for (operator, millis) in &task.decided {
                times.entry((epoch, *operator)).or_default().push(*millis);
            }
        }
        let participation = times.into_iter().map(|((epoch, operator), mut times)| {
            times.sort_unstable();
            let latency_millis = times.get(times.len() / 2).copied();
            let tasks = attested.get(&epoch).copied().unwrap_or_default();
            ((epoch, operator), Participation { tasks, decided: times.len(), latency_millis })
        });
        participation.collect()
    }

    /// Returns how many of the tasks were attested, by epoch.
    pub(crate) fn attested(&self) -> BTreeMap<EpochId, usize> {
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for epoch in self.0.iter().filter_map(|task| task.attested_in) {
            let count = counts.entry(epoch).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Address = Address::repeat_byte(1);
    const FAST: Address = Address::repeat_byte(2);

    fn id(number: u8) -> B256 {
        B256::repeat_byte(number)
    }

    fn summary(task_id: B256) -> TaskSummary {
        TaskSummary {
            task_id,
            status: "attested",
            decision: Some("allow"),
            failure: None,
            policy_client: SLOW,
            policy_id: B256::ZERO,
            selector: Bytes::new(),
            ended_at: 1,
        }
    }

    fn task_ids(recent: &RecentTasks) -> Vec<B256> {
        recent.summaries().map(|summary| summary.task_id).collect()
    }

    #[test]
    fn participation_counts_attested_tasks_and_late_decisions() {
        let mut recent = RecentTasks::default();
        let epoch = EpochId(7);
        for (number, attested_in) in [(1, Some(epoch)), (2, Some(epoch)), (3, None), (2, Some(epoch))] {
            recent.add(summary(id(number)), attested_in);
        }
        assert_eq!(task_ids(&recent), [id(3), id(2), id(1)]);
        recent.refresh(|task| Some(if task == id(1) { vec![(FAST, 5), (SLOW, 90)] } else { vec![(FAST, 9)] }));
        let participation = recent.participation(&recent.attested());
        let fast = Participation { tasks: 2, decided: 2, latency_millis: Some(9) };
        assert_eq!(participation[&(epoch, FAST)], fast);
        assert_eq!(participation[&(epoch, SLOW)].decided, 1);
        // It decided the second later; the gateway has forgotten the first.
        recent.refresh(|task| (task == id(2)).then(|| vec![(FAST, 9), (SLOW, 100)]));
        assert_eq!(recent.participation(&recent.attested())[&(epoch, SLOW)].decided, 2);
    }

    #[test]
    fn the_memory_of_tasks_is_bounded() {
        let mut recent = RecentTasks::default();
        for number in 0..u16::try_from(REMEMBERED).unwrap() + 10 {
            recent.add(summary(B256::left_padding_from(&number.to_be_bytes())), Some(EpochId(1)));
        }
        assert_eq!(task_ids(&recent).len(), REMEMBERED);
        assert_eq!(task_ids(&recent).last(), Some(&B256::left_padding_from(&[10])));
    }
}
