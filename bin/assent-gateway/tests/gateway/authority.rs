//! A certificate authority of the test's own.

use std::{path::Path, process::Command};

/// Makes an authority (`authority.pem`), and a certificate of it for 127.0.0.1 (`chain.pem`) with its key (`key.pem`).
/// Returns whether that is possible.
pub fn make_authority(folder: &Path) -> bool {
    let openssl = |arguments: &str| {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
        made.is_ok_and(|output| output.status.success())
    };
    std::fs::write(folder.join("extensions"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n")
        .unwrap();
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let is_made = openssl(&format!(
        "req -x509 {new_key} -days 2 -subj /CN=authority -addext basicConstraints=critical,CA:TRUE \
         -keyout authority.key -out authority.pem"
    )) && openssl(&format!("req {new_key} -subj /CN=server -keyout key.pem -out request.pem"))
        && openssl(
            "x509 -req -in request.pem -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
             -extfile extensions -out chain.pem",
        );
    if !is_made {
        eprintln!("skipped: there is no openssl to make a certificate; Debian has it: apt-get install openssl");
    }
    is_made
}
