//! The service as its users meet it: a process, HTTP, a file, and signals.

mod crash;
mod ledger;
mod operation;
mod requests;
mod stage;
