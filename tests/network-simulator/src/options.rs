//! What is simulated.

/// A history.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// What decides everything that happens.
    pub seed: u64,
    /// A part that is broken on purpose, to see that the invariants find it.
    pub sabotage: Option<Sabotage>,
}

/// A part that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Honest operators' journals forget what they recorded when the operator crashes.
    ForgetfulJournal,
    /// The gateway answers without a record in the task log, which a crash then loses.
    ForgetfulTaskLog,
    /// Honest operators sign the opposite of what the policy decided.
    WrongDecision,
    /// Honest operators sign the root of a batch as the gateway gives it.
    UnseenLeaf,
    /// The task log takes the end of a task from a gateway whose lease has ended.
    IgnoredLease,
    /// Honest operators sign a handover before it is final.
    HastyHandover,
}
