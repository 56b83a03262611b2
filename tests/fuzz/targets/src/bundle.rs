use assent_policy::{Bundle, ExecutablePolicy};

/// A built policy: what is read is exactly what would be written.
pub fn bundle(input: &[u8]) {
    let bundle = match Bundle::parse(input) {
        Ok(bundle) => bundle,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(bundle.to_bytes() == input, "two files are the same policy");
    let policy = bundle.policy();
    let (rules, parameters) = (policy.rules().to_owned(), policy.parameters().to_owned());
    let again = ExecutablePolicy::from_contents(policy.image(), rules, policy.step_limit(), parameters);
    assert_eq!(again.as_ref().map(ExecutablePolicy::id), Ok(policy.id()));
}
