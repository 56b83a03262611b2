//! The operator's process.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use assent_network::Domain;

use crate::fixture::{Fixture, Result};

pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Fixture {
    /// Writes the configuration and creates the journal.
    pub fn configure(&self, gateway: SocketAddr, more: &str) -> Result {
        let Domain { task_manager, .. } = self.domain();
        let text = format!(
            "operator = \"{}\"\nkey = \"{}\"\nrpc-url = \"{}\"\ntask-manager = \"{task_manager}\"\n\
             gateways = [\"ws://{gateway}/operators\"]\npolicies = [\"{}\"]\njournal = \"{}\"\nevidence = \"{}\"\n\
             listen = \"127.0.0.1:0\"\nmax-node-lag = 0\n{more}",
            self.operator(),
            self.path("operator.key").display(),
            self.anvil.endpoint(),
            self.path("policies").display(),
            self.path("journal.redb").display(),
            self.path("evidence").display(),
        );
        std::fs::write(self.path("operator.toml"), text)?;
        if !self.path("journal.redb").exists() {
            succeeded(&self.command(&["journal", "create"]).output()?);
        }
        Ok(())
    }

    /// A command with the configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command();
        command.args(arguments).arg("--config").arg(self.path("operator.toml"));
        command
    }

    /// Starts the operator, and waits until it serves.
    pub fn run(&self) -> Result<Process> {
        self.run_with(&[])
    }

    /// Starts the operator with flags.
    pub fn run_with(&self, flags: &[&str]) -> Result<Process> {
        let mut child = self.command(flags).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let errors = child.stderr.take().ok_or("a pipe")?;
        // What it logs is shown if the test fails.
        std::thread::spawn(move || {
            BufReader::new(errors).lines().map_while(std::result::Result::ok).for_each(|line| println!("{line}"))
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("a pipe")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://").ok_or(format!("it says {line:?}"))?.parse()?;
        Ok(Process { child, address })
    }
}

impl Process {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// kill -9.
    pub fn kill(&mut self) -> Result {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop, and returns whether it ended well.
    pub fn terminate(mut self) -> Result<bool> {
        let id = self.id().to_string();
        succeeded(&Command::new("kill").args(["-TERM", &id]).output()?);
        Ok(self.child.wait()?.success())
    }

    /// GET over HTTP/1.1: the status and the body.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(self.address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: operator\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await??;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("a head")?;
        let status = head.split(' ').nth(1).ok_or("a status")?.parse()?;
        Ok((status, body.to_owned()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, without variables of the environment that it reads.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assent-operator"));
    command.env_remove("ASSENT_OPERATOR_CONFIG").stdin(Stdio::null());
    command
}

pub fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}
