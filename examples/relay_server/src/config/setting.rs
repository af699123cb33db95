//! A setting: its name, its meaning, and what its value may be.

use std::time::Duration;

use super::limits::{ByteRate, Limits, Rate};
use super::{ConfigError, duration, rate};

/// The least and the most that a value may be, as they are written.
type Range = (&'static str, &'static str);

/// A setting.
pub(crate) struct Setting {
    /// In the environment.
    pub(crate) variable: &'static str,
    /// What it says.
    pub(crate) meaning: &'static str,
    /// Why its default is what it is; empty if there is nothing to say.
    pub(crate) reason: &'static str,
    /// Whether SIGHUP brings a change into effect.
    pub(crate) is_reloaded: bool,
    /// The limit that it sets, if it sets one.
    pub(crate) limit: Option<Limit>,
    /// Below this range nothing works; a value above it was hardly meant.
    pub(crate) range: Option<Range>,
}

/// Where a limit is, and how it is written.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Count(fn(&mut Limits) -> &mut usize),
    Bytes(fn(&mut Limits) -> &mut usize),
    Time(fn(&mut Limits) -> &mut Duration),
    Rate(fn(&mut Limits) -> &mut Rate),
    ByteRate(fn(&mut Limits) -> &mut Option<ByteRate>),
}

pub(super) const fn plain(variable: &'static str, meaning: &'static str, reason: &'static str) -> Setting {
    Setting { variable, meaning, reason, is_reloaded: false, limit: None, range: None }
}

pub(super) const fn live(setting: Setting) -> Setting {
    Setting { is_reloaded: true, ..setting }
}

pub(super) const fn within(range: Range, setting: Setting) -> Setting {
    Setting { range: Some(range), ..setting }
}

pub(super) const fn limit(
    variable: &'static str,
    limit: Limit,
    range: Range,
    meaning: &'static str,
    reason: &'static str,
) -> Setting {
    live(plain_limit(variable, limit, range, meaning, reason))
}

pub(super) const fn plain_limit(
    variable: &'static str,
    limit: Limit,
    range: Range,
    meaning: &'static str,
    reason: &'static str,
) -> Setting {
    Setting { limit: Some(limit), ..within(range, plain(variable, meaning, reason)) }
}

impl Setting {
    /// In the file.
    pub(crate) fn key(&self) -> String {
        self.variable.trim_start_matches("PULSE_RELAY_").to_ascii_lowercase()
    }

    /// What a value may be, in words; empty if there is no restriction.
    pub(super) fn allowed(&self) -> String {
        let Some((least, most)) = self.range else { return String::new() };
        let or_none = if matches!(self.limit, Some(Limit::ByteRate(_))) { ", or `none`" } else { "" };
        format!("`{least}` to `{most}`{or_none}")
    }

    /// Reads a limit as it is written.
    pub(super) fn set(&self, limit: Limit, text: &str, limits: &mut Limits) -> Result<(), ConfigError> {
        match limit {
            Limit::Count(of) => *of(limits) = self.read(text, "a whole number", |text| text.parse().ok(), between)?,
            Limit::Bytes(of) => {
                let parse = |text: &str| usize::try_from(rate::parse_bytes(text)?).ok();
                *of(limits) = self.read(text, "bytes such as 262144 or 256KiB", parse, between)?;
            }
            Limit::Time(of) => *of(limits) = self.time(text)?,
            Limit::Rate(of) => {
                let expected = "so many at once and then so many a second, minute or hour, such as 200, 20/s";
                let is_within = |least: &Rate, rate: &Rate, most: &Rate| {
                    between(&least.burst, &rate.burst, &most.burst)
                        && between(&most.interval, &rate.interval, &least.interval)
                };
                *of(limits) = self.read(text, expected, rate::parse_rate, is_within)?;
            }
            Limit::ByteRate(of) => {
                let expected = "none, or bytes at once and then a second, such as 64MiB, 8MiB/s";
                let is_within = |least: &Option<ByteRate>, rate: &Option<ByteRate>, most: &Option<ByteRate>| {
                    let (Some(least), Some(rate), Some(most)) = (least, rate, most) else { return true };
                    between(&least.burst, &rate.burst, &most.burst)
                        && between(&least.per_second, &rate.per_second, &most.per_second)
                };
                *of(limits) = self.read(text, expected, rate::parse_byte_rate, is_within)?;
            }
        }
        Ok(())
    }

    /// Reads a time.
    pub(super) fn time(&self, text: &str) -> Result<Duration, ConfigError> {
        self.read(text, "a duration such as 2s or 1m30s", duration::parse, between)
    }

    fn read<T>(
        &self,
        text: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
        is_within: impl Fn(&T, &T, &T) -> bool,
    ) -> Result<T, ConfigError> {
        let (least, most) = self.range.unwrap_or_default();
        // The maximum for a larger machine may be beyond what a smaller one can count.
        let is_allowed = |value: &T| match (parse(least), parse(most)) {
            (Some(least), Some(most)) => is_within(&least, value, &most),
            (Some(least), None) => is_within(&least, value, value),
            _ => true,
        };
        parse(text).filter(is_allowed).ok_or_else(|| ConfigError {
            variable: self.variable,
            reason: format!("expected {expected}, from {least} to {most}, received {text:?}"),
        })
    }
}

fn between<T: PartialOrd>(least: &T, value: &T, most: &T) -> bool {
    least <= value && value <= most
}

#[cfg(test)]
mod tests {
    use super::super::table::TABLE;
    use super::*;

    #[test]
    fn both_ends_of_each_range_are_allowed_and_each_limit_has_one() {
        for setting in TABLE {
            assert!(setting.limit.is_none() || setting.range.is_some(), "{} has no range", setting.variable);
            let Some((least, most)) = setting.range else { continue };
            for text in [least, most] {
                let read = match setting.limit {
                    Some(limit) => setting.set(limit, text, &mut Limits::default()),
                    None => setting.time(text).map(drop),
                };
                assert_eq!(read, Ok(()), "{}", setting.variable);
            }
        }
    }

    #[test]
    fn what_nobody_can_have_meant_is_refused_with_what_is_allowed() {
        for (variable, values) in [
            ("PULSE_RELAY_DRAIN_TIMEOUT", ["0", "99ms", "48h"].as_slice()),
            ("PULSE_RELAY_HELLO_TIMEOUT", &["0s", "1ns", "24h"]),
            ("PULSE_RELAY_SILENCE_TIMEOUT", &["25s", "100h"]),
            ("PULSE_RELAY_IDENTITY_HOLD", &["0", "100000h"]),
            ("PULSE_RELAY_CERTIFICATE_INTERVAL", &["1ns", "8760h"]),
            ("PULSE_RELAY_MAX_INSTANCES", &["0", "-1", "99999999999999999999"]),
            ("PULSE_RELAY_MAX_HTTP", &["0", "7"]),
            ("PULSE_RELAY_CHANNELS_PER_APP", &["0"]),
            ("PULSE_RELAY_QUEUE_MEMORY", &["0", "1KiB", "9999999GiB"]),
            ("PULSE_RELAY_CHANNEL_QUEUE", &["0", "64KiB", "2GiB"]),
            ("PULSE_RELAY_BYTES_PER_APP", &["0, 0/s", "1, 1/s", "64KiB, 1/s", "2000GiB, 1MiB/s"]),
            ("PULSE_RELAY_CONNECTS_PER_INSTANCE", &["0, 1/s", "1, 0/s", "1, 1/48h", "4000000000, 1/s"]),
        ] {
            let setting = TABLE.iter().find(|setting| setting.variable == variable).unwrap();
            let (least, most) = setting.range.unwrap();
            for text in values {
                let read = match setting.limit {
                    Some(limit) => setting.set(limit, text, &mut Limits::default()),
                    None => setting.time(text).map(drop),
                };
                let refused = read.unwrap_err();
                assert_eq!(refused.variable, variable);
                let allowed = format!("from {least} to {most}, received {text:?}");
                assert!(refused.reason.ends_with(&allowed), "{refused}");
            }
        }
    }
}
