//! The units of systemd.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::fixture::Result;

#[test]
fn the_units_of_systemd_are_valid() -> Result {
    let has_systemd = Command::new("systemd-analyze").arg("--version").stdout(Stdio::null()).status();
    if !has_systemd.is_ok_and(|status| status.success()) {
        eprintln!("skipped: systemd-analyze is not there; it is in Debian's package systemd");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    for program in ["assent-operator", "assent-gateway"] {
        let unit = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../operations/systemd"));
        let text = fs::read_to_string(unit.join(format!("{program}.service")))?;
        // The program need not be installed here; any other takes its part.
        let installed = format!("/usr/local/bin/{program}");
        assert_eq!(text.matches(&installed).count(), 2, "{program}");
        let path = folder.path().join(format!("{program}.service"));
        fs::write(&path, text.replace(&installed, env!("CARGO_BIN_EXE_assent-operator")))?;
        let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        // It also reads units of the machine, which may have other errors.
        let own: Vec<_> = errors.lines().filter(|line| line.contains(program)).collect();
        assert!(output.status.success() && own.is_empty(), "{errors}");
    }
    Ok(())
}
