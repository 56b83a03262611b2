//! Files in a bucket of a real server.

mod moto;

use std::time::{Duration, SystemTime};

use assent_s3::{Created, S3Error, S3Path};
use moto::Moto;

fn path(server: &Moto) -> S3Path {
    S3Path::with_variables("s3://files/some/prefix/", server.variables()).unwrap()
}

#[tokio::test]
async fn a_file_is_created_once_and_read_within_a_limit() {
    let Some(server) = Moto::start("files") else { return };
    let file = path(&server).join("a/b.txt");
    assert_eq!(file.to_string(), "s3://files/some/prefix/a/b.txt");
    assert_eq!(file.read(10).await.unwrap(), None);
    assert_eq!(file.create(b"first".to_vec()).await.unwrap(), Created::New);
    assert_eq!(file.create(b"second".to_vec()).await.unwrap(), Created::Exists);
    assert_eq!(file.read(5).await.unwrap().unwrap(), b"first");
    assert!(matches!(file.read(4).await, Err(S3Error::TooLong { limit: 4, .. })));
    file.replace(b"third".to_vec()).await.unwrap();
    assert_eq!(file.read(5).await.unwrap().unwrap(), b"third");
}

#[tokio::test]
async fn of_several_writers_of_a_name_one_succeeds() {
    let Some(server) = Moto::start("files") else { return };
    let file = path(&server).join("contested");
    let writers = (0..8_u8).map(|number| {
        let file = file.clone();
        tokio::spawn(async move { (number, file.create(vec![number]).await.unwrap()) })
    });
    let mut winners = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        let (number, created) = writer.await.unwrap();
        if created == Created::New {
            winners.push(number);
        }
    }
    assert_eq!(file.read(1).await.unwrap().unwrap(), winners);
}

#[tokio::test]
async fn old_files_of_the_store_are_removed_and_no_others() {
    let Some(server) = Moto::start("files") else { return };
    let below = path(&server);
    let outside = S3Path::with_variables("s3://files/other/1.mine", server.variables()).unwrap();
    let files = [below.join("a/1.mine"), below.join("b/2.mine"), below.join("b/3.txt"), outside];
    for file in &files {
        file.create(b"x".to_vec()).await.unwrap();
    }
    let is_mine = |name: &str| name.ends_with(".mine");
    let (past, future) = (SystemTime::now() - Duration::from_secs(3600), SystemTime::now() + Duration::from_secs(3600));
    assert_eq!(below.remove_before(past, is_mine).await.unwrap(), 0);
    assert_eq!(below.remove_before(future, is_mine).await.unwrap(), 2);
    for (file, is_there) in files.iter().zip([false, false, true, true]) {
        assert_eq!(file.read(1).await.unwrap().is_some(), is_there, "{file}");
    }
}

#[tokio::test]
async fn a_server_that_fails_is_not_one_without_the_file() {
    // No server listens on a port that was free just now.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{free}")),
    ];
    let variables = variables.map(|(key, value)| (key.to_owned(), value));
    let file = S3Path::with_variables("s3://files/a", variables).unwrap();
    assert!(matches!(file.read(1).await, Err(S3Error::Failed { doing: "read", .. })));
    assert!(matches!(file.create(vec![1]).await, Err(S3Error::Failed { doing: "write", .. })));
}

#[test]
fn a_uri_names_a_bucket() {
    let parse = |uri: &str| S3Path::with_variables(uri, []);
    for (uri, shown) in [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://my.bucket-1/a/b/", "s3://my.bucket-1/a/b"),
    ] {
        assert_eq!(parse(uri).unwrap().to_string(), shown);
    }
    for uri in [
        "",
        "bucket",
        "https://bucket/a",
        "s3://",
        "s3://ab",
        "s3://a b c",
        "s3://a:b/c",
        "s3://bucket/../a",
        "s3://user@bucket",
    ] {
        assert!(matches!(parse(uri), Err(S3Error::InvalidUri { .. })), "{uri}");
    }
    let unusable = [("AWS_SKIP_SIGNATURE".to_owned(), "perhaps".to_owned())];
    assert!(matches!(S3Path::with_variables("s3://bucket", unusable), Err(S3Error::Settings { .. })));
}
