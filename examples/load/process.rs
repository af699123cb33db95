//! Child processes: this program again, in another role; what they print, and what they cost.

use std::process::Stdio;
use std::time::Duration;

use procfs::process::Process;
use rustix::process::{Pid, Signal, kill_process};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::Failure;

/// A child that answers by lines. It is killed when this is dropped.
pub(crate) struct Role {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Role {
    /// Starts this program in a role.
    pub(crate) fn start<'a>(
        arguments: &[String],
        environment: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).envs(environment);
        Self::of_program(command)
    }

    /// Starts another program.
    pub(crate) fn of_program(mut command: Command) -> Result<Self, Failure> {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("a child without output")?).lines();
        Ok(Self { child, lines })
    }

    /// The next line it prints.
    pub(crate) async fn line(&mut self) -> Result<String, Failure> {
        let line = timeout(Duration::from_secs(180), self.lines.next_line()).await.map_err(|_| "a child is silent")?;
        line?.ok_or_else(|| "a child ended".into())
    }

    /// The next line, JSON.
    pub(crate) async fn report<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        Ok(serde_json::from_str(&self.line().await?)?)
    }

    /// Kills it, as a crash would.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, as an operator would.
    pub(crate) fn terminate(&self) -> Result<(), Failure> {
        self.signal(Signal::TERM)
    }

    /// Stops it where it is, as a machine that hangs: its connections stay open.
    pub(crate) fn freeze(&self) -> Result<(), Failure> {
        self.signal(Signal::STOP)
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let id = self.child.id().ok_or("a child ended")?;
        let id = Pid::from_raw(i32::try_from(id)?).ok_or("a child without number")?;
        Ok(kill_process(id, signal)?)
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> Result<Usage, Failure> {
        let id = self.child.id().ok_or("a child ended")?;
        let process = Process::new(i32::try_from(id)?)?;
        let stat = process.stat()?;
        let ticks = u32::try_from(stat.utime.saturating_add(stat.stime))?;
        let per_second = u32::try_from(procfs::ticks_per_second())?;
        let kib = u32::try_from(process.status()?.vmrss.ok_or("no resident size")?)?;
        Ok(Usage { cpu_seconds: f64::from(ticks) / f64::from(per_second), resident_mb: f64::from(kib) / 1024.0 })
    }
}

/// Processor time and resident memory of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) resident_mb: f64,
}
