//! The service as its users meet it: a process, HTTP, a file, and signals.

mod crash;
mod fixture;
mod ledger;
mod operation;
mod requests;
