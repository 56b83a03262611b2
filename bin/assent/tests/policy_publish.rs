//! Policies that are published and fetched, from stores that are not trusted.

#[path = "command/anvil.rs"]
mod anvil;
mod command;
#[path = "../../../crates/internal/s3/tests/moto/mod.rs"]
mod moto;

use anvil::Anvil;
use command::{Desk, Ran};
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

/// More bytes than a built policy may have.
const TOO_MANY: u64 = 130 * 1024 * 1024 + 1;

/// A web server that takes files with PUT, and misbehaves at some paths.
struct Web {
    url: String,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Web {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let files = Arc::<Mutex<BTreeMap<String, Vec<u8>>>>::default();
        let kept = Arc::clone(&files);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let files = Arc::clone(&kept);
                thread::spawn(move || serve(client, &files));
            }
        });
        Self { url, files }
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        self.files.lock().expect("the files").insert(path.to_owned(), bytes.to_vec());
    }

    fn paths(&self) -> Vec<String> {
        self.files.lock().expect("the files").keys().cloned().collect()
    }
}

fn serve(mut client: TcpStream, files: &Mutex<BTreeMap<String, Vec<u8>>>) {
    let mut reader = BufReader::new(client.try_clone().expect("the connection"));
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).expect("a request");
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).expect("a header");
        if header.trim().is_empty() {
            break;
        }
        if let Some(number) = header.to_lowercase().strip_prefix("content-length: ") {
            length = number.trim().parse().expect("a length");
        }
    }
    if method == "PUT" {
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        files.lock().expect("the files").insert(path, body);
        return answer(&mut client, "201 Created", &[]);
    }
    match path.as_str() {
        "/endless" => {
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while client.write_all(&[0; 65536]).is_ok() {}
        }
        "/announced" => {
            let _ = write!(client, "HTTP/1.1 200 OK\r\nContent-Length: {TOO_MANY}\r\nConnection: close\r\n\r\n");
        }
        "/cut" => {
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nabc");
        }
        "/redirect" => {
            let head = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n";
            let _ = client.write_all(head.as_bytes());
        }
        "/broken" => answer(&mut client, "500 Internal Server Error", b"secret"),
        path => match files.lock().expect("the files").get(path) {
            Some(file) => answer(&mut client, "200 OK", file),
            None => answer(&mut client, "404 Not Found", b""),
        },
    }
}

fn answer(client: &mut TcpStream, status: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // The other side can be gone.
    let _ = client.write_all(&[head.as_bytes(), body].concat());
}

/// A desk with a built policy, its id and its address.
fn desk() -> (Desk, String, String) {
    let desk = Desk::new();
    desk.run(&["policy", "new", "treasury"]).succeeded();
    let built = desk.run(&["policy", "build", "treasury", "--json"]).json();
    let text = |key: &str| built[key].as_str().expect("a text").to_owned();
    let (policy_id, cid) = (text("policyId"), text("cid"));
    (desk, policy_id, cid)
}

fn fetch(desk: &Desk, policy: &str, more: &[&str]) -> Ran {
    desk.run(&[&["policy", "fetch", policy, "--out", "fetched.policy"], more].concat())
}

fn bytes(desk: &Desk, name: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(desk.path(name.as_ref().to_str().expect("a name"))).expect("a file is read")
}

#[test]
fn what_is_published_is_found_by_its_id_and_verified() {
    let ((desk, policy_id, cid), anvil, web) = (desk(), Anvil::start(&[]), Web::start());
    anvil.write_account_key(&desk, "account.key");
    let node = ["--rpc-url", anvil.url.as_str()];
    let publish = |more: &[&str]| {
        let arguments = ["policy", "publish", "treasury", "--json", "--private-key-file", "account.key"];
        desk.run(&[&arguments[..], &node, more].concat())
    };
    publish(&["--store", &web.url]).failed(1, &["no contract"]);
    assert!(web.paths().is_empty(), "nothing is uploaded before the registry is found");
    let deploy = ["deploy", "--policy-registry", "--private-key-file", "account.key", "--json"];
    let deployed = desk.run(&[&deploy[..], &node].concat()).json();
    let again = desk.run(&[&deploy[..], &node].concat()).json();
    assert_eq!(deployed["address"], again["address"]);
    assert!(deployed["gas"].is_u64() && again["gas"].is_null(), "{deployed} {again}");

    fetch(&desk, &policy_id, &node).failed(1, &["was not published"]);
    let published = publish(&["--store", &web.url]).json();
    assert_eq!((&published["policyId"], &published["cid"]), (&json!(policy_id), &json!(cid)));
    assert_eq!(web.paths(), [format!("/{policy_id}.cid"), format!("/{cid}.policy")]);
    fetch(&desk, &policy_id, &["--store", &web.url]).succeeded();
    fetch(&desk, &policy_id, &[&node[..], &["--force"]].concat()).succeeded();
    assert_eq!(bytes(&desk, "fetched.policy"), bytes(&desk, "treasury.policy"));
    fetch(&desk, &policy_id, &node).failed(1, &["fetched.policy already exists", "--force"]);

    // The newest publication that is the policy: anyone can publish the id with a URI that has something else.
    web.put("/wrong.policy", b"something else");
    for uri in [format!("{}/wrong.policy", web.url), format!("{}/redirect", web.url), "file:///etc/passwd".into()] {
        publish(&["--store", "store", "--uri", &uri]).succeeded();
        fetch(&desk, &policy_id, &[&node[..], &["--force"]].concat()).succeeded();
        assert_eq!(bytes(&desk, "fetched.policy"), bytes(&desk, "treasury.policy"));
    }
    web.files.lock().expect("the files").clear();
    let failed = fetch(&desk, &policy_id, &[&node[..], &["--force"]].concat());
    failed.failed(1, &["no publication", "does not have it", "redirects to", "no URL of a web server"]);
    let mirrored = [&node[..], &["--force", "--store", "store"]].concat();
    fetch(&desk, &policy_id, &mirrored).succeeded();
    // Also if the store does not have the file with the address.
    std::fs::remove_file(desk.path(&format!("store/{policy_id}.cid"))).expect("it is removed");
    fetch(&desk, &policy_id, &mirrored).succeeded();
    fetch(&desk, &policy_id, &["--force"]).failed(1, &["--rpc-url", "--store"]);
}

#[test]
fn a_folder_is_a_store_and_a_damaged_file_in_it_is_refused() {
    let (desk, policy_id, cid) = desk();
    std::fs::create_dir(desk.path("store")).expect("a folder");
    let name = format!("store/{cid}.policy");
    desk.write(&name, bytes(&desk, "treasury.policy"));
    let store = ["--store", "store"];
    fetch(&desk, &cid, &store).succeeded();
    assert_eq!(bytes(&desk, "fetched.policy"), bytes(&desk, "treasury.policy"));
    std::fs::remove_file(desk.path("fetched.policy")).expect("it is removed");
    fetch(&desk, &name, &["--policy-id", &policy_id]).succeeded();
    std::fs::remove_file(desk.path("fetched.policy")).expect("it is removed");
    fetch(&desk, &cid, &[]).failed(1, &["not where; give --store"]);

    let mut damaged = bytes(&desk, "treasury.policy");
    damaged[1000] ^= 1;
    desk.write(&name, &damaged);
    fetch(&desk, &cid, &store).failed(1, &["other bytes than asked for", &cid]);
    fetch(&desk, &name, &[]).failed(1, &["other bytes than asked for"]);
    assert!(!desk.path("fetched.policy").exists(), "nothing is written");
}

#[test]
fn a_hostile_server_gets_nothing_written() {
    let ((desk, policy_id, cid), web) = (desk(), Web::start());
    let policy = bytes(&desk, "treasury.policy");
    web.put("/good", &policy);
    fetch(&desk, &format!("{}/good", web.url), &["--policy-id", &policy_id]).succeeded();
    std::fs::remove_file(desk.path("fetched.policy")).expect("it is removed");

    web.put("/text", b"<html>");
    web.put("/longer", &[policy.as_slice(), &[0; 512]].concat());
    web.put(&format!("/{cid}.policy"), b"something else");
    desk.write("mine.json", desk.read("treasury/parameters.json").replace("\"500", "\"900"));
    desk.run(&["policy", "build", "treasury", "--parameters", "mine.json", "--out", "mine.policy"]).succeeded();
    web.put("/other", &bytes(&desk, "mine.policy"));
    let of_cid = format!("{cid}.policy");
    let cases: [(&str, &str); 9] = [
        ("text", "gives no built policy"),
        ("longer", "gives no built policy"),
        ("other", "gives the policy 0x"),
        (&of_cid, "other bytes than asked for"),
        ("endless", "sends more than 136314880 bytes"),
        ("announced", "announces more than 136314880 bytes"),
        ("cut", "cannot fetch"),
        ("redirect", "redirects to http://169.254.169.254/latest"),
        ("broken", "the server answers 500"),
    ];
    for (path, expected) in cases {
        let said = fetch(&desk, &format!("{}/{path}", web.url), &["--policy-id", &policy_id]).failed(1, &[expected]);
        assert!(!said.contains("secret"), "{said}");
        assert!(!desk.path("fetched.policy").exists(), "{path}");
    }
    fetch(&desk, &format!("{}/none", web.url), &[]).failed(1, &["does not have it"]);
    fetch(&desk, &cid, &["--store", &web.url]).failed(1, &["other bytes than asked for"]);
    fetch(&desk, "ftp://example.com/a.policy", &[]).failed(1, &["ftp:// is not a store"]);
    fetch(&desk, &policy_id, &["--rpc-url", &web.url]).failed(1, &["asking the node"]);
}

#[test]
fn a_bucket_is_a_store_with_the_credentials_of_the_environment() {
    let Some(server) = moto::Moto::start("policies") else { return };
    let ((desk, policy_id, cid), anvil) = (desk(), Anvil::start(&[]));
    anvil.write_account_key(&desk, "account.key");
    let variables = server.variables();
    let environment = variables.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>();
    let run = |arguments: &[&str]| desk.run_under(&environment, arguments);
    let fetch = |policy: &str, more: &[&str]| {
        run(&[&["policy", "fetch", policy, "--out", "fetched.policy", "--force"], more].concat())
    };
    let node = ["--rpc-url", anvil.url.as_str()];
    let account = ["--private-key-file", "account.key"];
    run(&[&["deploy", "--policy-registry"], &node[..], &account].concat()).succeeded();
    let store = "s3://policies/of/us";
    fetch(&policy_id, &["--store", store]).failed(1, &["s3://policies/of/us has no policy 0x"]);
    let publish = [&["policy", "publish", "treasury", "--store", store, "--json"], &node[..], &account].concat();
    let uri = format!("{store}/{cid}.policy");
    // Twice: what is there is not written again.
    for _ in 0..2 {
        assert_eq!(run(&publish).json()["uri"], uri);
    }
    let built = bytes(&desk, "treasury.policy");
    for (policy, more) in [
        (policy_id.as_str(), &["--store", store][..]),
        (&cid, &["--store", store]),
        (&uri, &["--policy-id", &policy_id]),
        (&policy_id, &["--store", store, node[0], node[1]]),
    ] {
        fetch(policy, more).succeeded();
        assert_eq!(bytes(&desk, "fetched.policy"), built, "{policy}");
    }
    // A bucket that a publisher chose does not see the account of the caller.
    fetch(&policy_id, &node).failed(1, &["no URL of a web server", "give the store"]);
    fetch("s3://policies/none.policy", &[]).failed(1, &["the bucket does not have it"]);
    fetch("s3://p", &[]).failed(1, &["not a bucket's URI"]);

    desk.run(&["policy", "new", "other"]).succeeded();
    desk.write("other/parameters.json", desk.read("other/parameters.json").replace("\"500", "\"900"));
    let other = run(&[&["policy", "publish", "other", "--store", "other", "--json"], &node[..], &account].concat());
    let other = other.json()["cid"].as_str().expect("a text").to_owned();
    let path = assent_s3::S3Path::with_variables(store, variables.clone()).expect("a bucket");
    let file = path.join(&format!("{cid}.policy"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(file.replace(bytes(&desk, format!("other/{other}.policy")))).expect("moto takes it");
    fetch(&policy_id, &["--store", store]).failed(1, &["other bytes than asked for"]);
    run(&publish).failed(1, &["is damaged"]);
}
