//! Why a call is denied.

use alloc::{string::String, vec::Vec};
use assent_json::{Object, Value};

/// The most bytes of a decision's result.
const MAX_RESULT: usize = 32 * 1024;

/// The parts of a decision that can deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The rules deny.
    Denied,
    /// The rules do not allow.
    NotAllowed,
    /// The calldata does not decode strictly.
    Calldata,
    /// The manifest does not name the function.
    Function,
    /// The input is not the encoding of one.
    Input,
    /// The parameters are not what the schema says.
    Parameters,
    /// The observations cannot be used, or do not agree.
    Data,
    /// The rules cannot be used.
    Rules,
    /// The evaluation ended with an error.
    Evaluation,
    /// The reasons are too long.
    Result,
}

/// A reason to deny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    kind: Kind,
    message: String,
    /// The index of the policy in a conjunction.
    policy: Option<String>,
}

/// Why a policy denies: one reason or more, or nothing if it allows.
pub(crate) type Reasons = Vec<Reason>;

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotAllowed => "notAllowed",
            Self::Calldata => "calldata",
            Self::Function => "function",
            Self::Input => "input",
            Self::Parameters => "parameters",
            Self::Data => "data",
            Self::Rules => "rules",
            Self::Evaluation => "evaluation",
            Self::Result => "result",
        }
    }
}

impl Reason {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), policy: None }
    }

    /// Names the policy of a conjunction that the reason is from.
    pub(crate) fn of_policy(mut self, index: &str) -> Self {
        self.policy = Some(index.into());
        self
    }

    fn into_json(self) -> Value {
        let mut object = Object::new();
        object.insert("kind", self.kind.name());
        object.insert("message", self.message);
        if let Some(policy) = self.policy {
            object.insert("policy", policy);
        }
        object.into()
    }
}

/// Returns the content of the result region for a decision: allow if there is no reason to deny.
pub(crate) fn result_of(reasons: Reasons) -> Vec<u8> {
    let decision = u8::from(reasons.is_empty());
    let content = content(decision, reasons);
    if content.len() <= MAX_RESULT {
        return content;
    }
    let message = "the reasons are longer than 32 KiB";
    self::content(0, [Reason::new(Kind::Result, message)].into())
}

fn content(decision: u8, reasons: Reasons) -> Vec<u8> {
    let reasons: Vec<Value> = reasons.into_iter().map(Reason::into_json).collect();
    let mut object = Object::new();
    object.insert("reasons", reasons);
    let mut content = Vec::from([decision]);
    content.extend_from_slice(Value::from(object).to_canonical().as_bytes());
    content
}
