//! What a record says of the program that made it: time, commit, command, versions.

use std::process::Command;

use jiff::Timestamp;

/// A moment in UTC.
#[derive(Clone, Copy)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(Timestamp::now())
    }

    /// `2026-11-26T10:45:12Z`
    pub(crate) fn utc(self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub(crate) fn date(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }

    /// To the millisecond, so that two runs never have the same name.
    pub(crate) fn for_file_name(self) -> String {
        self.0.strftime("%Y-%m-%dT%H-%M-%S.%3fZ").to_string()
    }
}

pub(crate) fn of_this_program() -> Vec<(&'static str, String)> {
    vec![
        ("Commit", commit()),
        ("Command", command_line(std::env::args())),
        ("pulse-trust", env!("CARGO_PKG_VERSION").to_owned()),
        ("Compiler", first_line("rustc", &["--version"]).unwrap_or_else(|| "not known".to_owned())),
        ("System", system()),
    ]
}

/// The commit of the sources, and whether they were changed since.
fn commit() -> String {
    let git = |arguments: &[&str]| first_line("git", &[&["-C", env!("CARGO_MANIFEST_DIR")], arguments].concat());
    let Some(commit) = git(&["rev-parse", "HEAD"]) else { return "not known: no git checkout".to_owned() };
    match git(&["status", "--porcelain", "--untracked-files=no"]) {
        None => commit,
        Some(_) => format!("{commit}, with changes that are not committed"),
    }
}

/// The command, without the private key that may be in it.
fn command_line(arguments: impl Iterator<Item = String>) -> String {
    const SECRET: &str = "--signing-key";
    let mut shown = Vec::new();
    let mut is_secret = false;
    for argument in arguments {
        shown.push(match argument.split_once('=') {
            _ if is_secret => "(not shown)".to_owned(),
            Some((SECRET, _)) => format!("{SECRET}=(not shown)"),
            _ => argument.clone(),
        });
        is_secret = argument == SECRET;
    }
    shown.join(" ")
}

fn system() -> String {
    let kernel = first_line("uname", &["-sr"]).unwrap_or_else(|| std::env::consts::OS.to_owned());
    format!("{kernel}, {}", std::env::consts::ARCH)
}

/// The first line that a command prints; `None` where it fails or prints nothing.
fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}
