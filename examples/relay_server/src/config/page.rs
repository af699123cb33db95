//! The page of every setting, and the short form that `--help` shows.

use std::fmt::Write;

use super::Config;
use super::table::TABLE;

const HEAD: &str = "\
# Settings of pulse-relay

<!-- Written by the program: cargo run -p pulse-relay -- --settings > examples/relay_server/SETTINGS.md -->

Each setting is an environment variable, or a key of the file that `--config FILE` or `PULSE_RELAY_CONFIG` names. The environment takes
precedence. In the file (TOML) a value is a string or a number; where the variable takes values separated by commas, it is a list of strings:

```toml
addr = \":8443\"
hosted_entitlement_public_key = [\"kirJ+GGrL1oDgMcXHqvdzikVGoYAdgyxXTcQtErwrl4=\"]
tls_certificate = \"/etc/pulse-relay/relay.pem\"
tls_key = \"/etc/pulse-relay/relay.key\"
bytes_per_instance = \"64MiB, 8MiB/s\"
```

`pulse-relay --check-config` reads everything, including certificate and keys, and changes nothing. It prints each setting with its value
and its source, and exits with 0; if a setting cannot be used, it names that setting and exits with 1. SIGHUP makes the relay read the file
again, which brings the settings marked with ↻ into effect. A file that cannot be used changes nothing. The log names what needs a restart.

Times are written as `2s`, `1m30s` or `500ms`, bytes as `262144` or `256KiB`. A rate is a number at once, then a number per second, minute or
hour: `200, 20/s`.

";

/// The whole page, in Markdown.
pub fn settings_page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| Variable | Key | | Meaning | Default | Allowed | Because |\n|---|---|---|---|---|---|---|\n");
    let defaults = Config::default_settings();
    for (setting, default) in TABLE.iter().zip(&defaults) {
        let (variable, key, meaning, reason) = (setting.variable, setting.key(), setting.meaning, setting.reason);
        let live = if setting.is_reloaded { "↻" } else { "" };
        let (default, allowed) = (code(default), setting.allowed());
        writeln!(page, "| `{variable}` | `{key}` | {live} | {meaning} | {default} | {allowed} | {reason} |").ok();
    }
    page
}

/// A value as code, words as words.
fn code(default: &str) -> String {
    match default {
        "none" | "the Host header" => default.to_owned(),
        value => format!("`{value}`"),
    }
}

/// What `--help` says of them.
pub fn settings_help() -> String {
    let mut help =
        "Settings, from the environment or the file (--settings prints all that is to be said of them):\n".to_owned();
    for (setting, default) in TABLE.iter().zip(Config::default_settings()) {
        let meaning = setting.meaning.replace('`', "");
        writeln!(help, "  {}\n      {meaning} [{default}]", setting.variable).ok();
    }
    help
}
