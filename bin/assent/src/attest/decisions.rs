//! The decision about each call: that of the client's policy, or one that no policy made.

use super::{
    entries::{CallsFile, Entry},
    policy_context::PolicyContext,
};
use crate::{
    arguments, output,
    policy::{
        block::BlockArguments,
        data::{DataArguments, Sources},
        decision::Request,
        files,
    },
};
use alloy_primitives::{B256, U256, aliases::U48};
use anyhow::{Result, anyhow, bail};
use assent_policy::{EvidenceFile, ExecutablePolicy, PolicyInput, ReferenceBlock};
use assent_verifier::Decision;
use clap::Args;
use std::path::{Path, PathBuf};

/// The options for the decision.
#[derive(Args)]
pub struct DecisionArguments {
    /// Decide by this policy, the client's: its folder, or the file that `assent policy build` wrote.
    #[arg(
        long,
        value_name = "PATH",
        required_unless_present = "without_policy",
        conflicts_with_all = ["decision", "evidence", "without_policy"]
    )]
    policy: Option<PathBuf>,
    /// The client's parameters, instead of the policy's own.
    #[arg(long, value_name = "FILE", requires = "policy")]
    parameters: Option<PathBuf>,
    #[command(flatten)]
    block: BlockArguments,
    #[command(flatten)]
    data: DataArguments,
    /// Sign a --decision that no policy made. Warning: nothing tells later why the call was allowed.
    #[arg(long)]
    without_policy: bool,
    /// The operators' decision.
    #[arg(long, requires = "without_policy")]
    decision: Option<arguments::Decision>,
    /// The hash that commits to everything that the operators evaluated.
    #[arg(long, value_name = "HASH", requires = "without_policy", value_parser = arguments::hash)]
    evidence: Option<B256>,
}

/// Decides about calls.
pub enum Decider<'a> {
    /// By the client's policy.
    Policy(Box<ByPolicy<'a>>),
    /// As the options or the entry say.
    Given { decision: Option<Decision>, evidence: Option<B256> },
}

/// The client's policy, with what is the same for all calls.
pub struct ByPolicy<'a> {
    policy: ExecutablePolicy,
    context: &'a PolicyContext,
    block: Reference,
    sources: Sources,
}

/// The reference block.
#[derive(Clone, Copy)]
enum Reference {
    /// A node's, whose time is that of every attestation.
    OfNode(ReferenceBlock),
    /// One that the caller gives, at the time of each attestation.
    Given(ReferenceBlock),
}

/// A decision with its evidence.
pub struct Decided {
    pub decision: Decision,
    pub evidence: B256,
    /// What the decision was computed from, if a policy made it.
    pub file: Option<EvidenceFile>,
}

impl DecisionArguments {
    /// Returns the files that are read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.policy.iter().chain(&self.parameters).map(PathBuf::as_path).chain(self.data.files())
    }

    /// Returns the reference block of the node, if one is named.
    pub fn block_of_node(&self, chain_id: U256) -> Result<Option<ReferenceBlock>> {
        self.block.node.named().map(|node| self.block.of_node(&node, chain_id)).transpose()
    }

    /// Reads the policy, and checks that it is the client's. `block` is the node's, if one is named.
    pub fn decider<'a>(&self, context: &'a PolicyContext, block: Option<ReferenceBlock>) -> Result<Decider<'a>> {
        let Some(path) = &self.policy else {
            let decision = self.decision.map(Decision::from);
            return Ok(Decider::Given { decision, evidence: self.evidence });
        };
        let loaded = files::LocalPolicy::read(path)?.load(self.parameters.as_deref())?;
        let policy = &loaded.policy;
        if policy.id() != context.policy_id {
            bail!(
                "the client's policy is {}, but {} with these parameters is {}; give the policy and the parameters \
                 that the client names",
                context.policy_id,
                path.display(),
                policy.id()
            );
        }
        let block = match block {
            Some(block) => Reference::OfNode(block),
            None => Reference::Given(self.block.given(U256::ZERO)?),
        };
        let sources = self.data.sources(&loaded, self.data.read()?, self.block.node.named().as_ref())?;
        Ok(Decider::Policy(Box::new(ByPolicy { policy: loaded.policy, context, block, sources })))
    }
}

impl Decider<'_> {
    /// Decides about an entry.
    pub fn decide(&self, source: &CallsFile, index: usize, entry: &Entry, nonce: U256, time: U48) -> Result<Decided> {
        let (decision, evidence) = match self {
            Self::Policy(by_policy) => return by_policy.decide(source, index, entry, nonce, time),
            Self::Given { decision, evidence } => (decision, evidence),
        };
        let missing = |field, option| {
            anyhow!("{} has no `{field}`; add it, or give {option} for all entries without one", source.entry(index))
        };
        Ok(Decided {
            decision: entry.decision.or(*decision).ok_or_else(|| missing("decision", "--decision"))?,
            evidence: entry.evidence.or(*evidence).ok_or_else(|| missing("evidence", "--evidence"))?,
            file: None,
        })
    }
}

impl Reference {
    /// Returns the block for an attestation that is issued at a time.
    fn at(self, timestamp: U256, entry: impl Fn() -> String) -> Result<ReferenceBlock> {
        match self {
            Self::Given(block) => Ok(ReferenceBlock { timestamp, ..block }),
            Self::OfNode(block) if block.timestamp == timestamp => Ok(block),
            Self::OfNode(block) => bail!(
                "{} is issued at {timestamp}, but the reference block {} is of {}; leave out the time of issuance, or \
                 give another --block",
                entry(),
                block.number,
                block.timestamp
            ),
        }
    }
}

impl ByPolicy<'_> {
    fn decide(&self, source: &CallsFile, index: usize, entry: &Entry, nonce: U256, time: U48) -> Result<Decided> {
        if entry.decision.is_some() || entry.evidence.is_some() {
            bail!(
                "{} has its own `decision` or `evidence`, but --policy decides; leave them out, or give \
                 --without-policy instead of --policy",
                source.entry(index)
            );
        }
        let policy_client = self.context.policy_client;
        let input = PolicyInput {
            intent: entry.intent.clone(),
            policy_client,
            nonce,
            block: self.block.at(U256::from(time), || source.entry(index))?,
        };
        let data = self.sources.wait_for_data(&input)?;
        let request = Request { input, data };
        let (evaluation, file) = request.decide(self.policy.clone())?;
        for reason in &evaluation.reasons {
            let entry = if source.batch.is_some() { format!("entry {index} (from 0): ") } else { String::new() };
            output::remark(format_args!("{entry}denied: {}", reason.message));
        }
        Ok(Decided { decision: evaluation.decision, evidence: file.evidence, file: Some(file) })
    }
}
