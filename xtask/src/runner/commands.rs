//! Commands that start in the repository's root, and how they end.

use std::{
    cell::RefCell,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Outcome;

thread_local! {
    /// Where the output of commands goes while it cannot go to the terminal.
    pub(super) static OUTPUT: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// The repository's root. cargo names this package's directory when it runs the binary, wherever the clone has moved.
pub fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("xtask"), PathBuf::from);
    package.join("..")
}

/// Cargo's target directory, absolute: a relative path would be resolved a second time by programs that start in the
/// root.
pub fn target_directory() -> PathBuf {
    let directory = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    std::path::absolute(&directory).unwrap_or(directory)
}

/// A command that starts in the repository's root.
pub fn command(program: impl Into<OsString>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program.into());
    command.current_dir(root()).args(arguments);
    command
}

/// The cargo that runs this command.
pub fn cargo(arguments: &[&str]) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Cargo's home, with what it fetched from registries.
pub fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

/// The compiler that cargo uses.
pub fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// The forge that package-lock.json pins.
pub fn forge(arguments: &[&str]) -> Command {
    command(forge_path(), arguments)
}

/// Where npm puts the pinned forge.
pub fn forge_path() -> PathBuf {
    root().join("node_modules/.bin/forge")
}

/// Returns what a program prints, or nothing if it is missing or fails.
pub fn printed(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Returns the first two numbers of a version such as `v22.13.1`.
pub fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// Whether cargo has a subcommand.
pub fn has_cargo(subcommand: &str) -> bool {
    let version = cargo(&[subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Runs a command. Its output goes to the terminal, or is kept until the step has ended.
pub fn execute(mut command: Command) -> Outcome {
    let announcement = format!("$ {}", shown(&command));
    match redirect(&mut command, &announcement) {
        Ok(true) => {}
        Ok(false) => eprintln!("{announcement}"),
        Err(error) => return Outcome::Failed(format!("cannot keep its output: {error}")),
    }
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(status.to_string()),
        Err(error) => Outcome::Failed(format!("cannot start {}: {error}", shown(&command))),
    }
}

/// Runs a command that must succeed before anything that follows makes sense.
///
/// # Errors
/// If the command did not succeed.
pub fn must_pass(command: Command) -> Result<(), String> {
    let name = program(&command).to_string_lossy().into_owned();
    execute(command).into_result().map_err(|reason| format!("{name} failed ({reason}); see its output above"))
}

/// Sends a command's output to where this thread's output goes. Returns whether that is not the terminal.
fn redirect(command: &mut Command, announcement: &str) -> io::Result<bool> {
    OUTPUT.with_borrow_mut(|output| {
        let Some(file) = output else { return Ok(false) };
        file.write_all(format!("{announcement}\n").as_bytes())?;
        command.stdout(file.try_clone()?).stderr(file.try_clone()?);
        Ok(true)
    })
}

/// The program's name without its directory.
fn program(command: &Command) -> &OsStr {
    Path::new(command.get_program()).file_name().unwrap_or(command.get_program())
}

/// The command as typed in the repository's root.
fn shown(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={:?}", name.to_string_lossy(), value?.to_string_lossy())));
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    let name = program(command).to_string_lossy().into_owned();
    variables.chain([name]).chain(arguments).collect::<Vec<_>>().join(" ")
}
