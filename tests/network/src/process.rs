//! Operators, gateways and NATS as processes, which can be killed and started again.

use std::{
    env,
    fs::File,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

/// The variable that says what this program runs as.
pub(crate) const ROLE: &str = "ASSENT_HARNESS_ROLE";

/// What a process is started with.
// Complete: a process needs no more.
#[derive(Debug, Clone)]
pub struct Launch {
    /// This program.
    pub program: PathBuf,
    /// What it runs as.
    pub role: &'static str,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The program that starts it, with arguments, if another one does.
    pub through: Vec<String>,
    /// Further variables of its environment.
    pub variables: Vec<(&'static str, String)>,
    /// The file to which its standard error is appended.
    pub log: PathBuf,
}

impl Launch {
    /// Returns the command, with further arguments before its own.
    pub fn command(&self, before: &[&str]) -> Result<Command> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = match self.through.split_first() {
            None => Command::new(&self.program),
            Some((starter, arguments)) => {
                let mut command = Command::new(starter);
                command.args(arguments).arg(&self.program);
                command
            }
        };
        command
            .env(ROLE, self.role)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(before)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stderr(log);
        Ok(command)
    }
}

/// A process that serves at an address, and is killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    launch: Launch,
    child: Option<Child>,
    output: Option<BufReader<ChildStdout>>,
    address: Option<SocketAddr>,
}

impl Process {
    /// Returns a process that is not started.
    pub fn new(launch: Launch) -> Self {
        Self { launch, child: None, output: None, address: None }
    }

    /// Starts it, unless it runs.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&mut self) -> Result<()> {
        if self.child.is_none() {
            let mut child = self.launch.command(&[])?.stdout(Stdio::piped()).spawn().context("starting a process")?;
            self.output = child.stdout.take().map(BufReader::new);
            self.child = Some(child);
            self.address = None;
        }
        Ok(())
    }

    /// Waits until it listens, and returns the address.
    ///
    /// # Errors
    /// If it ends instead. Its log says why.
    pub fn listening(&mut self) -> Result<SocketAddr> {
        if let Some(address) = self.address {
            return Ok(address);
        }
        let mut line = String::new();
        self.output.as_mut().context("the process is not started")?.read_line(&mut line)?;
        let url = line.trim().strip_prefix("listening on ");
        let address = url.and_then(|url| url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")));
        let Some(address) = address else {
            bail!("a process does not listen, it says {line:?}; its log is {}", self.launch.log.display());
        };
        let address = address.parse()?;
        self.address = Some(address);
        Ok(address)
    }

    /// Kills it (SIGKILL), if it runs.
    ///
    /// # Errors
    /// If it ended before by itself, or cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if let Some(status) = child.try_wait()? {
            bail!("a process ended by itself: {status}; its log is {}", self.launch.log.display());
        }
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Returns whether it was started and not killed.
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Returns the process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Has it run as something else from the next start on.
    pub fn set_role(&mut self, role: &'static str) {
        self.launch.role = role;
    }

    /// Has another program start it from the next start on, such as `ip netns exec NAME`.
    pub fn start_through(&mut self, starter: &[&str]) {
        self.launch.through = starter.iter().map(|part| (*part).to_owned()).collect();
    }

    /// Sets a variable of its environment from the next start on.
    pub fn set_variable(&mut self, name: &'static str, value: &str) {
        self.launch.variables.push((name, value.to_owned()));
    }

    /// Returns what it is started with.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends a signal to a process, as `kill -STOP` does.
///
/// # Errors
/// If there is no such process or signal.
pub fn signal(process: u32, signal: &str) -> Result<()> {
    ensure!(Command::new("kill").args([signal, &process.to_string()]).status()?.success(), "kill {signal} {process}");
    Ok(())
}

/// Returns an address of this machine whose port is free now.
///
/// # Errors
/// If no port is free.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// A server of NATS with JetStream.
#[derive(Debug)]
pub struct NatsServer {
    folder: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl NatsServer {
    /// Returns a server that keeps its data in a folder, and is not started.
    ///
    /// # Errors
    /// If no port is free.
    pub fn new(folder: &Path) -> Result<Self> {
        Ok(Self { folder: folder.to_owned(), address: free_address()?, child: None })
    }

    /// Returns whether the program is installed, or why it cannot be used.
    ///
    /// # Errors
    /// How to get it.
    pub fn is_installed() -> Result<()> {
        let version = Command::new(nats_program()).arg("--version").output();
        match version.is_ok_and(|output| output.status.success()) {
            true => Ok(()),
            false => bail!("nats-server is not installed; Debian has it: apt-get install nats-server"),
        }
    }

    /// Returns the server's URL.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Starts it, unless it runs, and waits until it answers.
    ///
    /// # Errors
    /// If it does not answer in 20 seconds.
    pub fn start(&mut self) -> Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        let child = Command::new(nats_program())
            .args(["--addr", "127.0.0.1", "--jetstream", "--port", &self.address.port().to_string()])
            .arg("--store_dir")
            .arg(self.folder.join("nats"))
            .arg("--log")
            .arg(self.folder.join("nats.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting nats-server")?;
        self.child = Some(child);
        for _ in 0..400 {
            if std::net::TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        bail!("nats-server does not answer; its log is in {}", self.folder.display())
    }

    /// Kills it (SIGKILL), if it runs.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

fn nats_program() -> PathBuf {
    env::var_os("NATS_SERVER").map_or_else(|| "nats-server".into(), PathBuf::from)
}
