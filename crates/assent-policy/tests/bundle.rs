//! Bundles: reproducible to the byte, and nothing else is read.

use alloy_primitives::B256;
use assent_policy::{Bundle, BundleError, PolicyFolder};
use std::collections::BTreeMap;
use tar::EntryType;

const MANIFEST: &str = r#"{"name": "treasury", "version": "1.0.0", "entrypoint": "treasury",
    "functions": ["function pay(address to, uint256 amount)"], "sources": {"price": {"schema": {}}}}"#;
const RULES: &str = "package treasury\n\ndefault allow := false\n";

fn folder() -> BTreeMap<String, Vec<u8>> {
    let files: [(&str, &[u8]); 6] = [
        ("policy.json", MANIFEST.as_bytes()),
        ("treasury.rego", RULES.as_bytes()),
        ("treasury_test.rego", b"package treasury_test\n"),
        ("parameters.json", br#"{"limit": "5", "a": 1}"#),
        ("sources/price.wasm", b"\0asm"),
        ("README.md", b"not read"),
    ];
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
}

fn bundle() -> Bundle {
    PolicyFolder::read(&folder()).unwrap().build(B256::repeat_byte(7)).unwrap()
}

/// Writes an archive with these entries.
fn archive(entries: &[(String, EntryType, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, entry_type, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*entry_type);
        header.set_size(bytes.len().try_into().unwrap());
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        archive.append(&header, bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

/// The entries of a valid bundle.
fn entries(bundle: &Bundle) -> Vec<(String, EntryType, Vec<u8>)> {
    let bytes = bundle.to_bytes();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        (entry.path().unwrap().to_string_lossy().into_owned(), EntryType::Regular, bytes)
    });
    entries.collect()
}

#[test]
fn a_bundle_is_read_to_itself() {
    let bundle = bundle();
    assert_eq!(Bundle::parse(&bundle.to_bytes()), Ok(bundle));
}

#[test]
fn the_same_folder_has_the_same_bytes_address_and_id_everywhere() {
    let bundle = bundle();
    let names = entries(&bundle).into_iter().map(|(name, _, _)| name).collect::<Vec<_>>();
    assert_eq!(names, ["parameters.json", "policy.json", "rules.json", "sources/price.wasm"]);
    // Written out, so that no other version, system or clock changes them unseen.
    assert_eq!(bundle.cid(), "bafkreidldy2lh53fgrfwqxl7hiif5sli6gwntpw52wftdnq4fk7nnl7cea");
    let id = "0xa9d1cab11b50155493c7149987a9c353d4099f468a5deee484a0237fc0eec914";
    assert_eq!(bundle.policy().id().to_string(), id);
}

#[test]
fn tests_and_other_files_are_not_in_the_bundle() {
    let mut files = folder();
    files.remove("treasury_test.rego");
    files.remove("README.md");
    let without = PolicyFolder::read(&files).unwrap().build(B256::repeat_byte(7)).unwrap();
    assert_eq!(without.to_bytes(), bundle().to_bytes());
}

#[test]
fn new_parameters_are_a_new_policy_with_the_same_rules() {
    let bundle = bundle();
    let other = bundle.with_parameters(&assent_json::parse(br#"{"limit": "6"}"#).unwrap()).unwrap();
    assert_ne!(other.policy().id(), bundle.policy().id());
    assert_eq!(other.policy().rules_hash(), bundle.policy().rules_hash());
    assert_eq!(Bundle::parse(&other.to_bytes()), Ok(other));
}

#[test]
fn a_new_image_limit_rule_or_component_is_a_new_policy() {
    let id = |files: &BTreeMap<String, Vec<u8>>, image: u8| {
        PolicyFolder::read(files).unwrap().build(B256::repeat_byte(image)).unwrap().policy().id()
    };
    let original = id(&folder(), 7);
    assert_ne!(id(&folder(), 8), original, "image");
    for (file, from, to) in [
        ("policy.json", "\"version\": \"1.0.0\"", "\"limits\": {\"steps\": 5}, \"version\": \"1.0.0\""),
        ("policy.json", "amount", "value"),
        ("policy.json", "\"schema\": {}", "\"schema\": {}, \"reduce\": \"median\""),
        ("policy.json", "\"schema\": {}", "\"schema\": {}, \"hosts\": [\"a.example\"]"),
        ("treasury.rego", "false", "true"),
        ("sources/price.wasm", "asm", "asn"),
    ] {
        let mut files = folder();
        let text = String::from_utf8(files[file].clone()).unwrap();
        files.insert(file.into(), text.replace(from, to).into_bytes());
        assert_ne!(id(&files, 7), original, "{file}: {to}");
    }
}

/// An entry of an archive: name, kind and content.
type ArchiveEntry = (String, EntryType, Vec<u8>);

#[test]
fn hostile_archives_are_refused_with_their_reason() {
    let valid = entries(&bundle());
    let with = |change: &dyn Fn(&mut Vec<ArchiveEntry>)| {
        let mut entries = valid.clone();
        change(&mut entries);
        Bundle::parse(&archive(&entries))
    };
    assert_eq!(with(&|_| ()), Ok(bundle()), "the unmodified archive is a bundle");

    let is_unknown = |result: Result<Bundle, BundleError>| matches!(result, Err(BundleError::UnknownEntry(_)));
    let names =
        ["../escape", "/etc/passwd", "rules.json/", "./rules.json", "sources/../rules.json", "sources/a/b.wasm"];
    for name in names {
        assert!(is_unknown(with(&|entries| entries.push((name.into(), EntryType::Regular, vec![1])))), "{name}");
    }
    let kinds = [EntryType::Symlink, EntryType::Link, EntryType::Directory, EntryType::XHeader, EntryType::GNULongName];
    for kind in kinds {
        assert!(is_unknown(with(&|entries| entries[2].1 = kind)), "{kind:?}");
    }
    let duplicate = with(&|entries| entries.push(entries[0].clone()));
    assert_eq!(duplicate, Err(BundleError::DuplicateEntry("parameters.json".into())));
    for (index, (name, _, _)) in valid.iter().enumerate() {
        let result = with(&|entries| drop(entries.remove(index)));
        assert_eq!(result, Err(BundleError::MissingEntry(name.clone())));
    }
    assert!(matches!(with(&|entries| entries[3].2.push(0)), Err(BundleError::WrongComponent { .. })));
    assert!(matches!(with(&|entries| entries[0].2.push(b' ')), Err(BundleError::Content(_))), "not canonical");
    assert!(matches!(with(&|entries| entries[1].2.push(b' ')), Err(BundleError::Manifest(_))), "not canonical");
    assert!(matches!(with(&|entries| entries[0].2 = vec![b' '; 70_000]), Err(BundleError::EntryTooLong { .. })));
    assert!(matches!(with(&|entries| entries.swap(0, 2)), Err(BundleError::NotReproducible(_))), "order");
}

#[test]
fn no_byte_of_a_bundle_can_be_changed_dropped_or_appended() {
    let bundle = bundle();
    let bytes = bundle.to_bytes();
    assert!(Bundle::parse(&bytes).is_ok());
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        assert_ne!(Bundle::parse(&changed).ok().as_ref(), Some(&bundle), "byte {index}");
    }
    for length in (0..bytes.len()).step_by(97) {
        assert!(Bundle::parse(&bytes[..length]).is_err(), "the first {length} bytes");
    }
    for appended in [vec![0], vec![0; 512], vec![1; 512]] {
        assert!(Bundle::parse(&[bytes.as_slice(), &appended].concat()).is_err());
    }
}

#[test]
fn a_size_that_the_archive_only_claims_is_refused() {
    let mut header = tar::Header::new_ustar();
    header.set_path("sources/price.wasm").unwrap();
    header.set_size(u64::MAX / 2);
    header.set_cksum();
    assert!(Bundle::parse(header.as_bytes()).is_err());
    header.set_size(32 * 1024 * 1024);
    header.set_cksum();
    assert!(Bundle::parse(header.as_bytes()).is_err());
}
