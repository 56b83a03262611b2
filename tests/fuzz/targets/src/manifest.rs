use alloy_primitives::B256;
use assent_policy::{Bundle, Function, Manifest, PolicyFolder, Rules, check, denials};
use std::collections::BTreeMap;

/// Ends each file of the input but the last. No text in UTF-8 has this byte.
pub(crate) const SEPARATOR: u8 = 0xff;

/// The folder's files, in the order of the input's parts.
pub(crate) const FILES: [&str; 5] =
    ["policy.json", "parameters.schema.json", "parameters.json", "policy.rego", "policy_test.rego"];

/// A policy's folder: every file of it may be anything. What can be built is read back as the same, and has an id.
pub fn manifest(input: &[u8]) {
    let parts = input.splitn(FILES.len(), |byte| *byte == SEPARATOR);
    let files: BTreeMap<_, _> = FILES.iter().map(ToString::to_string).zip(parts.map(<[u8]>::to_vec)).collect();
    let of_file = files.get(FILES[0]).map(|text| Manifest::parse(text));
    let folder = match PolicyFolder::read(&files) {
        Ok(folder) => folder,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(Some(Ok(&folder.manifest)), of_file.as_ref().map(Result::as_ref));
    for calldata in folder.manifest.functions.iter().filter_map(Function::zero_calldata) {
        assert!(calldata.len() <= 4 + 64 * 1024, "{} bytes", calldata.len());
    }
    let findings = check(&folder);
    assert_eq!(check(&folder), findings);
    assert!(findings.iter().all(|finding| finding.line > 0 && finding.column > 0 && !finding.message.is_empty()));
    let _ = denials(&folder.manifest.entrypoint, &folder.modules);
    let Ok(bundle) = folder.build(B256::ZERO) else { return };
    assert_eq!(Bundle::parse(&bundle.to_bytes()).as_ref(), Ok(&bundle));
    let policy = bundle.policy();
    assert_eq!(folder.policy(B256::ZERO).as_ref(), Ok(policy));
    let rules = Rules::parse(policy.rules()).expect("what was built can be read");
    assert_eq!(rules.to_canonical(), policy.rules());
    assert_ne!(folder.policy(B256::with_last_byte(1)).expect("the image does not matter").id(), policy.id());
}
