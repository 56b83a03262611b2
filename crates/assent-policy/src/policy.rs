//! A policy that can be evaluated: rules with parameters.

use crate::{MAX_CONTENT, content::ContentError, evidence, json, rules::Rules};
use alloy_primitives::B256;
use assent_json::Value;
use assent_machine::{MAX_STEPS, Region};

/// Rules with parameters, for one image of the evaluator.
///
/// Its [`id`](Self::id) is what a client's contract names. Other parameters, another limit and another image are other
/// policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutablePolicy {
    image: B256,
    rules: String,
    step_limit: u64,
    parameters: String,
    rules_root: B256,
    parameters_root: B256,
}

impl ExecutablePolicy {
    /// Creates a policy.
    ///
    /// # Errors
    ///
    /// [`ContentError`] if the parameters do not fit the rules, or either is too long.
    pub fn new(image: B256, rules: &Rules, step_limit: u64, parameters: &Value) -> Result<Self, ContentError> {
        Self::from_contents(image, rules.to_canonical(), step_limit, parameters.to_canonical())
    }

    /// Creates a policy from the contents of its regions.
    ///
    /// # Errors
    ///
    /// [`ContentError`] if they are not in canonical form, do not fit each other, or are too long.
    pub fn from_contents(
        image: B256,
        rules: String,
        step_limit: u64,
        parameters: String,
    ) -> Result<Self, ContentError> {
        if step_limit == 0 || step_limit > MAX_STEPS {
            return Err(ContentError::WrongStepLimit(step_limit));
        }
        require_parameters(&Rules::parse(&rules)?, &parameters)?;
        let root = |what, region, content: &str| {
            let max = MAX_CONTENT;
            evidence::region_root(region, content.as_bytes()).ok_or(ContentError::TooLong {
                what,
                length: content.len(),
                max,
            })
        };
        let rules_root = root("rules", Region::Rules, &rules)?;
        let parameters_root = root("parameters", Region::Parameters, &parameters)?;
        Ok(Self { image, rules, step_limit, parameters, rules_root, parameters_root })
    }

    /// Returns the same rules with other parameters.
    ///
    /// # Errors
    ///
    /// As [`ExecutablePolicy::new`].
    pub fn with_parameters(&self, parameters: &Value) -> Result<Self, ContentError> {
        Self::from_contents(self.image, self.rules.clone(), self.step_limit, parameters.to_canonical())
    }

    /// Returns the policy's id.
    pub fn id(&self) -> B256 {
        evidence::policy_id(self.rules_hash(), self.parameters_root)
    }

    /// Returns the hash of the rules, which other parameters do not change.
    pub fn rules_hash(&self) -> B256 {
        evidence::rules_hash(self.image, self.rules_root, self.step_limit)
    }

    /// Returns the root of the image that evaluates the policy.
    pub const fn image(&self) -> B256 {
        self.image
    }

    /// Returns the content of the rules region.
    pub fn rules(&self) -> &str {
        &self.rules
    }

    /// Returns the root of the rules region.
    pub const fn rules_root(&self) -> B256 {
        self.rules_root
    }

    /// Returns the most steps that a decision may take.
    pub const fn step_limit(&self) -> u64 {
        self.step_limit
    }

    /// Returns the content of the parameters region.
    pub fn parameters(&self) -> &str {
        &self.parameters
    }

    /// Returns the root of the parameters region.
    pub const fn parameters_root(&self) -> B256 {
        self.parameters_root
    }
}

fn require_parameters(rules: &Rules, parameters: &str) -> Result<(), ContentError> {
    if parameters.len() > MAX_CONTENT {
        return Err(ContentError::TooLong { what: "parameters", length: parameters.len(), max: MAX_CONTENT });
    }
    let value = json::parse_canonical(parameters.as_bytes());
    let value = value.map_err(|error| ContentError::Json { what: "parameters", error })?;
    let (fits, expected) = match rules {
        Rules::Single(_) => (value.as_object().is_some(), "an object".to_owned()),
        Rules::All(members) => {
            let objects = value.as_array().filter(|array| array.iter().all(|element| element.as_object().is_some()));
            let fits = objects.is_some_and(|objects| objects.len() == members.len());
            (fits, format!("an array of {} objects, one for each policy", members.len()))
        }
    };
    if fits { Ok(()) } else { Err(ContentError::WrongParameters(expected)) }
}
