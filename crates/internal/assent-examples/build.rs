//! Passes on where assent-contracts has compiled the contracts, for `sol!` to read the examples' artifacts.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    match std::env::var("DEP_ASSENT_CONTRACTS_ARTIFACTS") {
        Ok(artifacts) => println!("cargo::rustc-env=ASSENT_ARTIFACTS={artifacts}"),
        Err(_) => println!("cargo::error=assent-contracts did not say where its artifacts are"),
    }
}
