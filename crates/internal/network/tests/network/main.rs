//! Messages and state machines, with BLS and the evaluator's image.

mod batches;
mod checks;
mod fixture;
mod gateway;
mod handovers;
mod hostile_gateways;
mod liars;
mod messages;
mod outstanding;
mod page;
mod scaling;
mod standing;
mod stored;
mod versions;
