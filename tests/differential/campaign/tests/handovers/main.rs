//! Handovers: the mirror and the verifier decide the same, and two chains follow one registry.

mod random;
mod two_chains;
