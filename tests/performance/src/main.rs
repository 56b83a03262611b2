//! `cargo xtask report`.

fn main() {}
