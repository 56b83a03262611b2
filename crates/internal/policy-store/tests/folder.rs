//! Policies in folders, of which none is trusted.

use std::{collections::BTreeMap, fs, path::Path};

use alloy_primitives::B256;
use assent_policy::{Bundle, Conjunction, Member, PolicyFolder};
use assent_policy_store::{Cid, PolicyStore, StoreError, fetch, fetch_published};

const IMAGE: B256 = B256::repeat_byte(7);

fn folder(name: &str, source: Option<&[u8]>) -> PolicyFolder {
    let sources = if source.is_some() { r#", "sources": {"price": {"schema": {}}}"# } else { "" };
    let functions = r#""functions": ["receive()"]"#;
    let manifest = format!(r#"{{"name": "{name}", "version": "1", "entrypoint": "{name}", {functions}{sources}}}"#);
    let mut files = BTreeMap::from([
        ("policy.json".to_owned(), manifest.into_bytes()),
        (format!("{name}.rego"), format!("package {name}\n\nallow if input.intent.value <= 5\n").into_bytes()),
    ]);
    files.extend(source.map(|component| ("sources/price.wasm".to_owned(), component.to_vec())));
    PolicyFolder::read(&files).unwrap()
}

fn policy(name: &str) -> Bundle {
    folder(name, None).build(IMAGE).unwrap()
}

fn store(directory: &tempfile::TempDir) -> (PolicyStore, std::path::PathBuf) {
    let folder = directory.path().join("some/policies");
    (PolicyStore::parse(folder.to_str().unwrap()).unwrap(), folder)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_policy_is_found_by_its_id_its_address_and_its_uri() {
    let directory = tempfile::tempdir().unwrap();
    let (store, folder) = store(&directory);
    let bundle = policy("one");
    let (id, cid) = (bundle.policy().id(), Cid::parse(&bundle.cid()).unwrap());
    assert!(matches!(store.fetch(id).await, Err(StoreError::UnknownPolicy { policy_id, .. }) if policy_id == id));
    assert!(matches!(store.fetch_address(&cid, None).await, Err(StoreError::NotFound { .. })));
    let uri = store.put(&bundle).await.unwrap();
    assert_eq!(store.put(&bundle).await.unwrap(), uri, "twice is as once");
    assert_eq!(names(&folder), [format!("{id}.cid"), format!("{cid}.policy")]);
    for fetched in [
        store.fetch(id).await.unwrap(),
        store.fetch_address(&cid, Some(id)).await.unwrap(),
        fetch(&uri, Some(id)).await.unwrap(),
    ] {
        assert_eq!((fetched.bundle, fetched.bytes, fetched.uri), (bundle.clone(), bundle.to_bytes(), uri.clone()));
    }
    let other = B256::repeat_byte(1);
    assert!(matches!(fetch(&uri, Some(other)).await, Err(StoreError::WrongPolicy { .. })));
}

#[tokio::test]
async fn a_file_of_any_name_is_found_by_its_id() {
    let directory = tempfile::tempdir().unwrap();
    let (store, folder) = store(&directory);
    fs::create_dir_all(&folder).unwrap();
    let (one, two) = (policy("one"), policy("two"));
    fs::write(folder.join("a.policy"), "no policy").unwrap();
    fs::write(folder.join("mine.policy"), one.to_bytes()).unwrap();
    fs::write(folder.join("two.txt"), two.to_bytes()).unwrap();
    assert_eq!(store.fetch(one.policy().id()).await.unwrap().bundle, one);
    let id = two.policy().id();
    assert!(matches!(store.fetch(id).await, Err(StoreError::UnknownPolicy { .. })));
    // What was looked through before is not what is there now.
    fs::write(folder.join("mine.policy"), two.to_bytes()).unwrap();
    fs::rename(folder.join("mine.policy"), folder.join("other.policy")).unwrap();
    assert_eq!(store.fetch(id).await.unwrap().bundle, two);
    assert!(matches!(store.fetch(one.policy().id()).await, Err(StoreError::UnknownPolicy { .. })));
    for number in 0..1000 {
        fs::write(folder.join(format!("{number}.policy")), "").unwrap();
    }
    assert!(matches!(store.fetch(one.policy().id()).await, Err(StoreError::TooManyFiles { limit: 1000, .. })));
}

#[tokio::test]
async fn neither_a_policy_nor_the_file_with_its_address_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    let (store, folder) = store(&directory);
    let (one, two) = (policy("one"), policy("two"));
    for bundle in [&one, &two] {
        store.put(bundle).await.unwrap();
    }
    let id = one.policy().id();
    let pointer = folder.join(format!("{id}.cid"));
    for wrong in [two.cid(), "bafkrei".to_owned(), "../../one".to_owned(), "a".repeat(100_000), String::new()] {
        fs::write(&pointer, wrong).unwrap();
        assert_eq!(store.fetch(id).await.unwrap().bundle, one);
    }
    fs::write(&pointer, two.cid()).unwrap();
    store.put(&one).await.unwrap();
    assert_eq!(fs::read_to_string(&pointer).unwrap().trim_end(), one.cid(), "a wrong address is replaced");

    let file = folder.join(format!("{}.policy", one.cid()));
    fs::write(&file, two.to_bytes()).unwrap();
    assert!(matches!(store.fetch(id).await, Err(StoreError::WrongAddress { .. })));
    assert!(matches!(store.put(&one).await, Err(StoreError::Damaged { .. })));
    assert_eq!(fs::read(&file).unwrap(), two.to_bytes(), "what is there is not overwritten");
}

#[tokio::test]
async fn another_version_of_a_policy_is_the_same_policy() {
    let directory = tempfile::tempdir().unwrap();
    let (store, folder) = store(&directory);
    let one = policy("one");
    let newer = Bundle::new("one".into(), "2".into(), one.policy().clone(), BTreeMap::new()).unwrap();
    store.put(&one).await.unwrap();
    store.put(&newer).await.unwrap();
    assert_eq!(names(&folder).len(), 3);
    assert_eq!(store.fetch(one.policy().id()).await.unwrap().bundle, one);
}

#[tokio::test]
async fn a_conjunction_comes_with_the_components_of_its_policies() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = store(&directory);
    let members =
        vec![Member::Folder(Box::new(folder("one", Some(b"component")))), Member::Bundle(Box::new(policy("two")))];
    let manifest = r#"{"name": "both", "version": "1", "all": [{"policy": "one"}, {"policy": "two.policy"}]}"#;
    let files = BTreeMap::from([("policy.json".to_owned(), manifest.as_bytes().to_vec())]);
    let bundle = Conjunction::read(&files, members).unwrap().build(IMAGE).unwrap();
    store.put(&bundle).await.unwrap();
    let fetched = store.fetch(bundle.policy().id()).await.unwrap().bundle;
    assert_eq!(fetched, bundle);
    assert_eq!(fetched.components().values().collect::<Vec<_>>(), [b"component"]);
}

#[tokio::test]
async fn a_published_file_of_another_machine_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = store(&directory);
    let bundle = policy("one");
    let id = bundle.policy().id();
    let uris = [store.put(&bundle).await.unwrap(), "ftp://example.com/one.policy".to_owned()];
    let error = fetch_published(&uris, id, None).await.unwrap_err();
    assert!(matches!(error.failures[0].1, StoreError::NotPublic { .. }), "{error}");
    assert!(matches!(error.failures[1].1, StoreError::UnknownScheme { .. }), "{error}");
    assert_eq!(fetch_published(&uris, id, Some(&store)).await.unwrap().bundle, bundle);
}
