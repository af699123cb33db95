//! The few colors of the output. `anstream` leaves them out where they do not belong.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Effects, Style};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
pub(crate) const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(crate) const NAME: Style = Style::new().effects(Effects::DIMMED);

/// Takes `CLICOLOR_FORCE=0` for "not forced", as its specification says; `anstream` takes any value for a yes. Colors then
/// appear where both outputs are terminals that show them.
pub(crate) fn obey_the_environment() {
    let is_zero = |variable: &str| std::env::var_os(variable).is_some_and(|value| value == "0");
    if !is_zero("CLICOLOR_FORCE") {
        return;
    }
    let both_are_terminals = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    let is_dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
    if !both_are_terminals || is_dumb || is_zero("CLICOLOR") {
        anstream::ColorChoice::Never.write_global();
    }
}

/// A word in a style.
pub(crate) fn styled(style: Style, word: &str) -> String {
    format!("{}{word}{}", style.render(), style.render_reset())
}
