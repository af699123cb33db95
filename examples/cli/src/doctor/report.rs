//! What the doctor found, and how it is told. Much of it is text of strangers - a token's, a relay's, a file's name - so
//! everything is escaped where it is written for a terminal, and nowhere before.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pulse_trust::Error;
use serde_json::{Value, json};

use crate::shown::{json_text, shown};
use crate::style::{BAD, GOOD, NAME, WARN, styled};

/// What was found of one directory.
pub(super) struct Report {
    pub(super) directory: PathBuf,
    pub(super) links: Vec<Link>,
    pub(super) warnings: Vec<String>,
    relay_not_asked: Option<&'static str>,
}

/// One link of the chain.
pub(super) struct Link {
    pub(super) name: &'static str,
    pub(super) state: State,
}

pub(super) enum State {
    Holds(String),
    /// The tenant's next start makes it.
    WillBeMade(String),
    Broken(Box<Fault>),
}

/// A broken link.
pub(super) struct Fault {
    pub(super) what: String,
    /// The library's error, where it is one.
    pub(super) error: Option<Error>,
    /// The values that do not fit together, each with where it is from.
    pub(super) sides: Vec<(String, String)>,
    pub(super) mend: Mend,
}

/// How a link is mended.
pub(super) struct Mend {
    /// Where, and what it does.
    pub(super) what: String,
    /// What to run, or the line to put into the environment.
    pub(super) command: Option<String>,
}

impl Link {
    pub(super) fn holds(name: &'static str, seen: impl Into<String>) -> Self {
        Self { name, state: State::Holds(seen.into()) }
    }

    pub(super) fn broken(name: &'static str, fault: Fault) -> Self {
        Self { name, state: State::Broken(Box::new(fault)) }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken(_))
    }
}

impl Report {
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), links: Vec::new(), warnings: Vec::new(), relay_not_asked: None }
    }

    /// The relay was not asked, for a reason that the verdict names.
    pub(super) fn relay_not_asked(&mut self, offline: bool) {
        let why = if offline { "--offline" } else { "the tenant has no relay yet; --relay URL asks one" };
        self.relay_not_asked = Some(why);
    }

    pub(super) fn first_broken(&self) -> Option<(&'static str, &Fault)> {
        self.links.iter().find_map(|link| match &link.state {
            State::Broken(fault) => Some((link.name, fault.as_ref())),
            _ => None,
        })
    }

    /// Why nothing can be said of the directory: this user may not read it.
    pub(super) fn cannot_tell(&self) -> Option<String> {
        let (_, fault) = self.first_broken()?;
        match &fault.error {
            Some(Error::File { kind: io::ErrorKind::PermissionDenied, .. }) => Some(fault.what.clone()),
            _ => None,
        }
    }

    pub(super) fn write(&self, output: &mut impl Write, as_json: bool) -> io::Result<()> {
        if as_json { writeln!(output, "{}", json_text(&self.json())) } else { self.write_text(output) }
    }

    fn write_text(&self, output: &mut impl Write) -> io::Result<()> {
        writeln!(output, "{}", styled(NAME, &shown(&self.directory.display().to_string())))?;
        for link in &self.links {
            match &link.state {
                State::Holds(seen) => {
                    writeln!(output, "{} {:<24} {}", styled(GOOD, "ok     "), link.name, shown(seen))?;
                }
                State::WillBeMade(seen) => {
                    let (state, seen) = (styled(WARN, "to come"), shown(seen));
                    writeln!(output, "{state} {:<24} the next start makes it: {seen}", link.name)?;
                }
                State::Broken(fault) => {
                    writeln!(output, "{} {:<24} {}", styled(BAD, "BROKEN "), link.name, shown(&fault.what))?;
                }
            }
        }
        for warning in &self.warnings {
            writeln!(output, "{} {}", styled(WARN, "warning"), shown(warning))?;
        }
        match self.first_broken() {
            None => writeln!(output, "\n{}", styled(GOOD, &self.good_verdict()))?,
            Some((name, fault)) => {
                write_fault(output, name, fault)?;
                if self.links.iter().filter(|link| link.is_broken()).count() > 1 {
                    writeln!(output, "Then run the doctor again: what follows the {name} may follow from it.")?;
                }
            }
        }
        Ok(())
    }

    fn good_verdict(&self) -> String {
        match self.relay_not_asked {
            Some(why) => format!("Everything here is ready to register. The relay was not asked ({why})."),
            None => "Every link holds that shows from here: a phone can reach this tenant.".to_owned(),
        }
    }

    fn json(&self) -> Value {
        let links: Vec<Value> = self.links.iter().map(link_json).collect();
        let mut value = json!({
            "directory": self.directory.display().to_string(),
            "ready": self.first_broken().is_none(),
            "first_broken": self.first_broken().map(|(name, _)| name),
            "relay_asked": self.relay_not_asked.is_none(),
            "links": links,
            "warnings": self.warnings,
        });
        if let (Some((_, fault)), Some(object)) = (self.first_broken(), value.as_object_mut()) {
            object.insert("mend".to_owned(), json!({"what": fault.mend.what, "command": fault.mend.command}));
        }
        value
    }
}

fn write_fault(output: &mut impl Write, name: &str, fault: &Fault) -> io::Result<()> {
    writeln!(output, "\n{} {name}: {}", styled(BAD, "The first broken link is the"), shown(&fault.what))?;
    let width = fault.sides.iter().map(|(side, _)| side.chars().count()).max().unwrap_or_default();
    for (side, value) in &fault.sides {
        writeln!(output, "  {side:<width$}  {}", shown(value))?;
    }
    writeln!(output, "To mend it: {}", shown(&fault.mend.what))?;
    match &fault.mend.command {
        Some(command) => writeln!(output, "  {}", shown(command)),
        None => Ok(()),
    }
}

fn link_json(link: &Link) -> Value {
    match &link.state {
        State::Holds(seen) => json!({"name": link.name, "state": "holds", "seen": seen}),
        State::WillBeMade(seen) => json!({"name": link.name, "state": "will_be_made", "seen": seen}),
        State::Broken(fault) => {
            let sides: serde_json::Map<_, _> =
                fault.sides.iter().map(|(side, value)| (side.clone(), Value::from(value.as_str()))).collect();
            json!({
                "name": link.name, "state": "broken", "what": fault.what,
                "code": fault.error.as_ref().map(Error::code), "error": fault.error.as_ref().map(Error::name),
                "sides": sides, "mend": {"what": fault.mend.what, "command": fault.mend.command},
            })
        }
    }
}
