//! The choice of the observations on which the operators decide.
//!
//! Up to a third of the weight may lie. What a liar signs must neither deny for everyone nor make everyone refuse, as
//! long as there are observations of a quorum without it. So the gateway looks at a set as operators and evaluator
//! will, before it is recorded: one set is chosen for a task, ever.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use assent_json::Value;
use assent_policy::{BasisPoints, MAX_DATA, Observations, Reduction, ReductionRule, Rules, Source, Tolerance};
use assent_types::Signature;
use assent_verifier::Epoch;

use super::{
    Accepted, AcceptedSources,
    held::{Fit, HeldObservations},
};
use crate::{
    message::{AgreedOutput, MAX_MESSAGE, SourceObservation},
    observations::{Members, members},
    task::{required_weight, weight_of},
};

/// The most bytes of the set in `decide` and in the task log, which add little to it.
const MAX_AGREED: usize = MAX_MESSAGE - 16 * 1024;
/// How much longer than the longest that a quorum needs an output may be: twice as long, and so many bytes more.
const LONGER_BYTES: usize = 1024;
/// What an observer takes in a message, with a signature of 96 bytes; and what an output takes besides its texts.
const OBSERVER_BYTES: usize = 280;
const OUTPUT_BYTES: usize = 48;
/// What an observer takes in the data region besides its weight, an output besides itself, and a policy or a source
/// besides its name.
const DATA_OBSERVER_BYTES: usize = 48;
const DATA_OUTPUT_BYTES: usize = 32;
const DATA_SOURCE_BYTES: usize = 160;
/// How often tolerances are halved: 10,000 basis points are less than 2^14.
const HALVINGS: u32 = 14;

/// How long the gateway has waited for observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Waited {
    /// Others may come soon.
    Briefly,
    /// Long enough for identical ones.
    Enough,
    /// Long enough for any: no other is expected.
    Longest,
}

/// What the choice depends on.
pub(super) struct Choice<'a> {
    accepted: &'a Accepted,
    epoch: &'a Epoch,
    required: U256,
    observed: Vec<(Address, &'a HeldObservations)>,
    waited: Waited,
}

/// One operator's observation of a source.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    operator: Address,
    weight: U256,
    observation: &'a SourceObservation,
}

/// The observations of each source that may be decided on, by its key.
type Sets<'a> = BTreeMap<String, SourceSet<'a>>;

/// The observations of one source.
#[derive(Clone)]
struct SourceSet<'a> {
    candidates: Vec<Candidate<'a>>,
    is_identical: bool,
}

/// What operators and evaluator will say of a set.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// A quorum decides, by the policy's rules.
    Decides,
    /// The evaluator denies: the observations do not become one value.
    Denies,
    /// No quorum signs: the reduced value is not within what the policy permits of what its operators observed.
    IsFar,
}

impl<'a> Choice<'a> {
    pub(super) fn new(
        accepted: &'a Accepted,
        epoch: &'a Epoch,
        observed: Vec<(Address, &'a HeldObservations)>,
        waited: Waited,
    ) -> Self {
        let required = required_weight(epoch, &accepted.client_policy);
        Self { accepted, epoch, required, observed, waited }
    }

    /// Returns the observations of a quorum for each source, if it is time to decide on them.
    pub(super) fn choose(&self) -> Option<Vec<AgreedOutput>> {
        let keys = self.accepted.sources.keys();
        let sets = keys.into_iter().enumerate().map(|(index, key)| Some((key, self.of_source(index)?)));
        let sets = sets.collect::<Option<Sets<'_>>>()?;
        let chosen = self.bounded(&sets)?;
        let is_brief = self.waited == Waited::Briefly;
        let rules = match &self.accepted.sources {
            AcceptedSources::Rules(rules) => rules,
            AcceptedSources::Identity(identity) => {
                let suits = sets.values().zip(identity.values()).all(|(set, must)| set.is_identical || !must);
                return (suits || !is_brief).then_some(chosen);
            }
        };
        // Of a bare quorum, a single liar could choose what no more than a quorum exceeds.
        let is_chosen_by_one = |set: &SourceSet<'_>, source: &Source| !set.is_identical && has_quorum(&source.reduce);
        let is_early =
            rules.sources().any(|keyed| sets.get(&keyed.key).is_some_and(|set| is_chosen_by_one(set, keyed.source)));
        if is_early && is_brief {
            return None;
        }
        match self.verdict(rules, &chosen) {
            Verdict::Decides => Some(chosen),
            // Operators then say what is wrong, or how far off it is.
            Verdict::Denies => self.at_last(chosen),
            Verdict::IsFar if is_brief => None,
            Verdict::IsFar => self.nearer(rules, &sets, &chosen).or_else(|| self.at_last(chosen)),
        }
    }

    /// Returns a set on which no quorum decides by the rules, if no other observation is to be expected.
    fn at_last(&self, chosen: Vec<AgreedOutput>) -> Option<Vec<AgreedOutput>> {
        (self.waited == Waited::Longest).then_some(chosen)
    }

    /// Returns the observations of a source that may be decided on, if they are a quorum's.
    ///
    /// What does not fit is left out, unless nothing else is to be expected: the denial then says what does not.
    fn of_source(&self, index: usize) -> Option<SourceSet<'a>> {
        let mut candidates = Vec::new();
        let mut misfits = Vec::new();
        for (operator, held) in &self.observed {
            let Some((observation, fit)) = held.observations.get(index) else { continue };
            let Some(weight) = weight_of(self.epoch, *operator) else { continue };
            let candidate = Candidate { operator: *operator, weight: U256::from(weight), observation };
            match fit {
                Fit::Fits => candidates.push(candidate),
                Fit::Misfit => misfits.push(candidate),
                Fit::Unusable => {}
            }
        }
        if weight(&candidates) < self.required && self.waited == Waited::Longest {
            candidates.append(&mut misfits);
        }
        if weight(&candidates) < self.required {
            return None;
        }
        if let Some(identical) = self.quorum_alike(&candidates, |candidate| candidate.observation.output.clone()) {
            return Some(SourceSet { candidates: identical, is_identical: true });
        }
        if let Some(same_fields) = self.same_fields(index)
            && let Some(alike) = self.quorum_alike(&candidates, |candidate| same_fields(candidate.output()))
        {
            candidates = alike;
        }
        candidates.sort_by_key(|candidate| {
            let output = &candidate.observation.output;
            (output.len(), output, candidate.operator)
        });
        let longest = self.quorum_of(&candidates).last().map_or(0, |candidate| candidate.observation.output.len());
        let most = longest.saturating_mul(2).saturating_add(LONGER_BYTES);
        candidates.retain(|candidate| candidate.observation.output.len() <= most);
        Some(SourceSet { candidates, is_identical: false })
    }

    /// Returns candidates of which a quorum has the same value.
    fn quorum_alike<K: Ord>(
        &self,
        candidates: &[Candidate<'a>],
        value: impl Fn(&Candidate<'a>) -> K,
    ) -> Option<Vec<Candidate<'a>>> {
        let mut alike: BTreeMap<K, Vec<Candidate<'a>>> = BTreeMap::new();
        for candidate in candidates {
            alike.entry(value(candidate)).or_default().push(*candidate);
        }
        alike.into_values().find(|candidates| weight(candidates) >= self.required)
    }

    /// Returns what reads the fields of an output that a quorum must have identically, if a source has a rule for each
    /// field.
    fn same_fields(&self, index: usize) -> Option<impl Fn(Value) -> String> {
        let AcceptedSources::Rules(rules) = &self.accepted.sources else { return None };
        let Reduction::Fields(fields) = &rules.sources().nth(index)?.source.reduce else { return None };
        Some(move |output: Value| {
            let Value::Object(mut object) = output else { return String::new() };
            for (field, _) in fields.iter().filter(|(_, rule)| **rule != ReductionRule::Same) {
                object.remove(field);
            }
            Value::from(object).to_canonical()
        })
    }

    /// Returns the first candidates that are a quorum.
    fn quorum_of<'b>(&self, candidates: &'b [Candidate<'a>]) -> &'b [Candidate<'a>] {
        let mut sum = U256::ZERO;
        let last = candidates.iter().position(|candidate| {
            sum = sum.saturating_add(candidate.weight);
            sum >= self.required
        });
        last.and_then(|last| candidates.get(..=last)).unwrap_or(candidates)
    }

    /// Returns observations that fit a message, a record and the data region. Nothing if a quorum's have no room.
    ///
    /// Those of a quorum are taken for each source, and of the others as many as have room, the shortest first.
    fn bounded(&self, sets: &Sets<'_>) -> Option<Vec<AgreedOutput>> {
        let mut selection = Selection::new(sets);
        for (source, set) in sets {
            if !self.quorum_of(&set.candidates).iter().all(|candidate| selection.take(source, candidate)) {
                return None;
            }
        }
        for (source, set) in sets {
            let others = set.candidates.get(self.quorum_of(&set.candidates).len()..).unwrap_or_default();
            for candidate in others {
                selection.take(source, candidate);
            }
        }
        Some(selection.outputs())
    }

    fn members(&self, rules: &Rules, chosen: &[AgreedOutput]) -> Option<Members> {
        members(&rules.source_keys(), chosen, self.epoch, self.required).ok()
    }

    /// Returns what operators and evaluator will say of a set.
    fn verdict(&self, rules: &Rules, chosen: &[AgreedOutput]) -> Verdict {
        let Some(members) = self.members(rules, chosen) else { return Verdict::Denies };
        if Observations::require_fit(&members, rules).is_err() {
            return Verdict::Denies;
        }
        if rules.sources().all(|keyed| keyed.source.within.is_none()) {
            return Verdict::Decides;
        }
        let reduced = Observations::reduced(&members, rules);
        let keys = self.accepted.sources.keys();
        // Who has not observed refuses, too.
        let near = self.observed.iter().filter(|(_, held)| {
            let outputs = held.observations.iter().map(|(observation, _)| output_of(observation));
            reduced.require_near(&keys.iter().cloned().zip(outputs).collect()).is_ok()
        });
        let weights = near.filter_map(|(operator, _)| weight_of(self.epoch, *operator));
        let near = weights.fold(U256::ZERO, |sum, weight| sum.saturating_add(U256::from(weight)));
        if near >= self.required { Verdict::Decides } else { Verdict::IsFar }
    }

    /// Returns a set without the outliers that keep a quorum from signing, if there is one.
    ///
    /// With less than half of a set's weight, liars do not move its median beyond what others observed. What is not
    /// near the median is left out: what is not within the policy's tolerance, then within half of it, and so on.
    fn nearer(&self, rules: &Rules, sets: &Sets<'_>, chosen: &[AgreedOutput]) -> Option<Vec<AgreedOutput>> {
        let members = self.members(rules, chosen)?;
        let mut medians = Vec::new();
        for keyed in rules.sources() {
            let Some(within) = &keyed.source.within else { continue };
            let by_median = Source { reduce: by_median(&keyed.source.reduce, within), ..keyed.source.clone() };
            let median = members.get(&keyed.member)?.reduce(keyed.name, &by_median).ok()?;
            medians.push((keyed, within, median));
        }
        (0..HALVINGS).find_map(|halvings| {
            let mut nearer = sets.clone();
            for (keyed, within, median) in &medians {
                let within = halved(within, halvings);
                let schema = Some(&keyed.source.schema);
                let candidates = &mut nearer.get_mut(&keyed.key)?.candidates;
                candidates.retain(|candidate| within.check(&candidate.output(), median, schema).is_ok());
                if weight(candidates) < self.required {
                    return None;
                }
            }
            self.bounded(&nearer).filter(|chosen| self.verdict(rules, chosen) == Verdict::Decides)
        })
    }
}

impl Candidate<'_> {
    fn output(&self) -> Value {
        output_of(self.observation)
    }
}

/// A set that grows within its bounds.
struct Selection<'s> {
    /// The observers of each output, by source.
    chosen: BTreeMap<(&'s str, &'s str), Vec<(Address, Signature)>>,
    /// The bytes that are left in a message and in the data region.
    message: usize,
    data: usize,
}

impl<'s> Selection<'s> {
    fn new(sets: &Sets<'_>) -> Self {
        let names = sets.keys().map(|source| DATA_SOURCE_BYTES.saturating_add(source.len()));
        Self { chosen: BTreeMap::new(), message: MAX_AGREED, data: MAX_DATA.saturating_sub(names.sum()) }
    }

    /// Takes an observation, if there is room for it.
    fn take(&mut self, source: &'s str, candidate: &Candidate<'s>) -> bool {
        let output = candidate.observation.output.as_str();
        let mut message = OBSERVER_BYTES;
        let mut data = DATA_OBSERVER_BYTES.saturating_add(candidate.weight.to_string().len());
        if !self.chosen.contains_key(&(source, output)) {
            // Its text is a string in the message.
            let escapes = output.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count();
            let texts = output.len().saturating_add(escapes).saturating_add(source.len());
            message = message.saturating_add(OUTPUT_BYTES).saturating_add(texts);
            data = data.saturating_add(DATA_OUTPUT_BYTES).saturating_add(output.len());
        }
        let left = self.message.checked_sub(message).zip(self.data.checked_sub(data));
        let Some((message, data)) = left else { return false };
        (self.message, self.data) = (message, data);
        let observers = self.chosen.entry((source, output)).or_default();
        observers.push((candidate.operator, candidate.observation.signature));
        true
    }

    /// Returns the outputs in order, each with its observers in order.
    fn outputs(self) -> Vec<AgreedOutput> {
        let outputs = self.chosen.into_iter().map(|((source, output), mut observers)| {
            observers.sort_by_key(|(operator, _)| *operator);
            AgreedOutput { source: source.to_owned(), output: output.to_owned(), observers }
        });
        outputs.collect()
    }
}

/// Returns what was observed. What is not JSON is not near anything.
fn output_of(observation: &SourceObservation) -> Value {
    assent_json::parse_canonical(observation.output.as_bytes()).unwrap_or_default()
}

fn weight(candidates: &[Candidate<'_>]) -> U256 {
    candidates.iter().fold(U256::ZERO, |sum, candidate| sum.saturating_add(candidate.weight))
}

fn has_quorum(reduce: &Reduction) -> bool {
    match reduce {
        Reduction::Whole(rule) => *rule == ReductionRule::Quorum,
        Reduction::Fields(rules) => rules.values().any(|rule| *rule == ReductionRule::Quorum),
    }
}

/// Returns the reduction that takes the median of what has a tolerance.
fn by_median(reduce: &Reduction, within: &Tolerance) -> Reduction {
    match (reduce, within) {
        (Reduction::Fields(rules), Tolerance::Fields(fields)) => {
            let medians = fields.keys().map(|field| (field.clone(), ReductionRule::Median));
            Reduction::Fields(rules.clone().into_iter().chain(medians).collect())
        }
        _ => Reduction::Whole(ReductionRule::Median),
    }
}

/// Returns a tolerance that was halved several times, and is at least one basis point.
fn halved(within: &Tolerance, times: u32) -> Tolerance {
    let halved = |within: &BasisPoints| {
        BasisPoints::new((within.get() >> times.min(u16::BITS.saturating_sub(1))).max(1)).unwrap_or(*within)
    };
    match within {
        Tolerance::Whole(within) => Tolerance::Whole(halved(within)),
        Tolerance::Fields(fields) => {
            Tolerance::Fields(fields.iter().map(|(field, within)| (field.clone(), halved(within))).collect())
        }
    }
}
