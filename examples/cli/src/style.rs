//! The few colors of the output. `anstream` leaves them out where they do not belong.

use anstyle::{AnsiColor, Effects, Style};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
pub(crate) const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(crate) const NAME: Style = Style::new().effects(Effects::DIMMED);

/// A word in a style.
pub(crate) fn styled(style: Style, word: &str) -> String {
    format!("{}{word}{}", style.render(), style.render_reset())
}
