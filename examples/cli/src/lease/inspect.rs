//! Shows tokens, whether they verify or not. Without a key everything shown is what the token claims of itself; with one,
//! a token that does not verify is refused, and shown all the same.

use std::io::Write;

use clap::Args;
use pulse_trust::entitlement::VerifiedToken;
use pulse_trust::token::UnverifiedToken;
use pulse_trust::{Error, TokenKind};
use serde_json::{Value, json};

use super::claims;
use super::tokens::{Token, TokenArgs, no_token};
use super::trust::{Asked, TrustArgs};
use crate::outcome::{Outcome, Stop};
use crate::shown::{json_text, told};
use crate::style::{BAD, GOOD, WARN, styled};

/// So many tokens are read at a time.
const CHUNK: usize = 1024;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pulse-trust lease inspect < token.txt\n  \
    pulse-trust lease inspect --lease-key \"$KEY\" --json < token.txt")]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    tokens: TokenArgs,
    /// Prints one JSON object for each token
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &InspectArgs) -> Result<Outcome, Stop> {
    let asked = args.trust.asked()?;
    let mut tokens = args.tokens.open()?;
    let mut output = anstream::stdout().lock();
    let mut accepted = true;
    let mut number: u64 = 0;
    loop {
        let chunk = tokens.next_chunk(CHUNK)?;
        if chunk.is_empty() {
            return if number == 0 { Err(no_token()) } else { Ok(Outcome::accepted_if(accepted)) };
        }
        for token in &chunk {
            number = number.saturating_add(1);
            let inspected = inspect(token, &asked);
            accepted &= inspected.as_ref().is_ok_and(|it| !matches!(it.standing, Standing::Invalid(_)));
            let shown = if args.json { json_line(number, &inspected) } else { human(number, &inspected, &asked) };
            writeln!(output, "{shown}")?;
        }
    }
}

/// What a token says, and what is known of that.
struct Inspected {
    kind: TokenKind,
    key_id: Option<String>,
    claims: Value,
    standing: Standing,
}

enum Standing {
    /// No key was given for this kind: nothing is known.
    Unverified,
    /// It verifies now.
    Valid,
    /// It does not, for this reason.
    Invalid(Error),
}

fn inspect(token: &Token, asked: &Asked) -> Result<Inspected, Error> {
    let text = token.text()?;
    let parsed = UnverifiedToken::parse(text)?;
    let kind = parsed.unverified_kind()?;
    let claims = serde_json::from_str(parsed.unverified_payload())
        .map_err(|error| Error::payload_malformed(error.to_string()))?;
    let keys = if kind == TokenKind::Lease { &asked.keys.lease } else { &asked.keys.license };
    let standing = if keys.is_empty() {
        Standing::Unverified
    } else {
        match VerifiedToken::verify(text, &asked.keys, &asked.checks(), asked.now) {
            Ok(_) => Standing::Valid,
            Err(error) => Standing::Invalid(error),
        }
    };
    Ok(Inspected { kind, key_id: parsed.unverified_key_id().map(str::to_owned), claims, standing })
}

impl Standing {
    fn word(&self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Valid => "valid",
            Self::Invalid(_) => "invalid",
        }
    }
}

fn json_line(number: u64, inspected: &Result<Inspected, Error>) -> String {
    let error_json = |error: &Error| json!({"code": error.code(), "name": error.name(), "message": error.to_string()});
    let value = match inspected {
        Ok(it) => json!({
            "line": number, "readable": true, "kind": it.kind.as_str(), "standing": it.standing.word(),
            "refusal": if let Standing::Invalid(error) = &it.standing { error_json(error) } else { Value::Null },
            "key_id": it.key_id, "claims": it.claims,
        }),
        Err(error) => json!({"line": number, "readable": false, "error": error_json(error)}),
    };
    json_text(&value)
}

fn human(number: u64, inspected: &Result<Inspected, Error>, asked: &Asked) -> String {
    let it = match inspected {
        Ok(it) => it,
        Err(error) => {
            return format!("{number}: {}: {}", styled(BAD, "unreadable"), told(error));
        }
    };
    let standing = match &it.standing {
        Standing::Unverified => format!(
            "{}: no {} key was given, so anybody may have written this",
            styled(WARN, "UNVERIFIED"),
            if it.kind == TokenKind::Lease { "lease" } else { "license" },
        ),
        Standing::Valid => format!("{} now", styled(GOOD, "VALID")),
        // At another time it may be valid; nothing else changes with time.
        Standing::Invalid(error) if error.is_about_time() => {
            format!("{} now: {}", styled(BAD, "NOT VALID"), told(error))
        }
        Standing::Invalid(error) => format!("{}: {}", styled(BAD, "NOT VALID"), told(error)),
    };
    let mut text = format!("{number}: {}, {standing}", it.kind.as_str());
    if let Some(key_id) = &it.key_id {
        text.push_str(&claims::row("(key id)", key_id));
    }
    text.push_str(&claims::rows(&it.claims, asked.now));
    text
}
