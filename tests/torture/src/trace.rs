//! The system calls of a victim, recorded by strace.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::jobs::Job;
use crate::victim::{End, MARK, Victim, end_of};

/// One system call of a victim, after its mark.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Which of its name it is, from the beginning of the process.
    pub(crate) ordinal: usize,
    pub(crate) arguments: String,
    pub(crate) result: String,
}

/// Runs a job in a directory under strace, and gives its calls.
pub(crate) fn record(victim: &Victim, job: Job, directory: &Path) -> Result<Vec<Call>, String> {
    let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let path = file.path().display().to_string();
    let strace = ["strace", "-f", "-qq", "-xx", "-y", "-s", "1000000", "-o", &path].map(str::to_owned);
    match end_of(&mut victim.command_under(&strace, job, directory))? {
        End::Done => {}
        other => return Err(format!("{job:?} without a fault is {other:?}")),
    }
    let text = fs::read_to_string(file.path()).map_err(|error| error.to_string())?;
    let calls = parse(&text);
    if calls.is_empty() { Err("the record shows no mark".to_owned()) } else { Ok(calls) }
}

/// The calls after the mark. A call that another thread interrupted is put together again.
fn parse(text: &str) -> Vec<Call> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut unfinished: HashMap<String, String> = HashMap::new();
    let mut has_begun = false;
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        let rest = if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread.to_owned(), begun.to_owned());
            continue;
        } else if let Some((_, end)) = rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            format!("{}{end}", unfinished.remove(thread).unwrap_or_default())
        } else {
            rest.to_owned()
        };
        let Some((name, rest)) = rest.split_once('(') else { continue };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { continue };
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        let arguments = arguments.trim_end().trim_end_matches(')').to_owned();
        if name == "chdir" && unescape(&arguments).contains(MARK) {
            has_begun = true;
        } else if has_begun {
            calls.push(Call { name: name.to_owned(), ordinal: *count, arguments, result: result.to_owned() });
        }
    }
    calls
}

/// The text in which `\xNN` stands for a byte; what strace shows of a path or of data.
pub(crate) fn unescape(text: &str) -> String {
    String::from_utf8_lossy(&unescape_bytes(text)).into_owned()
}

pub(crate) fn unescape_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let digits = rest.get(at + 2..at + 4).unwrap_or_default();
        match u8::from_str_radix(digits, 16) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(b"\\x"),
        }
        rest = rest.get(at + 4..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
