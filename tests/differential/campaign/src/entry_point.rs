//! The contracts' entry points that take an authorization.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// An entry point of the contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EntryPoint {
    /// `pay`, with the authorization appended to the calldata.
    Trailing,
    /// `execute`, with intent and authorization as arguments.
    Explicit,
    /// `checkAssentAuthorization`, the client's view.
    ClientView,
    /// `check`, the TaskManager's view, under any policy.
    TaskManagerView,
}

impl EntryPoint {
    /// Whether the call spends the nonce.
    pub fn spends(self) -> bool {
        matches!(self, Self::Trailing | Self::Explicit)
    }
}

impl Arbitrary for EntryPoint {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let all = [Self::Trailing, Self::Explicit, Self::ClientView, Self::TaskManagerView];
        prop::sample::select(all.to_vec()).boxed()
    }
}
