//! Verifies tokens, on all cores where there are many.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pulse_trust::Error;
use pulse_trust::entitlement::{Capability, VerifiedToken};
use pulse_trust::relay::InstanceId;
use serde_json::{Value, json};

use super::claims;
use super::tokens::{Token, TokenArgs, no_token};
use super::trust::{Asked, TrustArgs};
use crate::moment::moment;
use crate::outcome::{Outcome, Stop};
use crate::shown::{json_text, shown, told};
use crate::style::{BAD, GOOD, WARN, styled};

/// So many tokens are read, verified and printed at a time: memory stays bounded however many there are.
const CHUNK: usize = 8192;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pulse-trust lease verify --lease-key \"$KEY\" --host t-abc.cloud.example.com < token.txt\n  \
    pulse-trust lease verify --lease-key \"$KEY\" --quiet < all-tokens.txt")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    tokens: TokenArgs,
    /// The instance secret, from which the instance id of a license or grant is derived
    #[arg(long, value_name = "SECRET", env = "PULSE_INSTANCE_SECRET", hide_env_values = true)]
    instance_secret: Option<String>,
    /// Refuses tokens that do not grant this capability now
    #[arg(long, value_name = "CAPABILITY")]
    require: Option<String>,
    /// Prints one JSON object for each token
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Prints the summary only
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(args: &VerifyArgs) -> Result<Outcome, Stop> {
    let asked = args.trust.asked()?;
    if !asked.has_keys() {
        return Err(Stop::usage(
            "--lease-key or --license-key is required: a token proves nothing without the key it must be signed under. \
             'pulse-trust lease inspect' shows a token without one",
        ));
    }
    let mut tokens = args.tokens.open()?;
    let mut output = anstream::stdout().lock();
    let progress = progress_bar();
    let began = Instant::now();
    let mut summary = Summary::default();
    loop {
        let chunk = tokens.next_chunk(CHUNK)?;
        if chunk.is_empty() {
            break;
        }
        let is_alone = summary.total == 0 && chunk.len() == 1;
        for verdict in verify_on_all_cores(&chunk, &asked, args) {
            summary.count(&verdict);
            if !args.quiet {
                let number = summary.total;
                let line =
                    if args.json { json_line(number, &verdict) } else { human(number, is_alone, &verdict, &asked) };
                writeln!(output, "{line}")?;
            }
        }
        progress.set_position(summary.total);
    }
    progress.finish_and_clear();
    if summary.total == 0 {
        return Err(no_token());
    }
    if args.quiet {
        writeln!(output, "{}", summary.text(began.elapsed()))?;
    } else if summary.total != 1 {
        writeln!(anstream::stderr(), "{}", summary.text(began.elapsed())).ok();
    }
    Ok(Outcome::accepted_if(summary.refused == 0))
}

/// What is told about a token that verifies.
struct Verified {
    token: VerifiedToken,
    instance_id: Option<InstanceId>,
    relay: Result<(), Error>,
}

fn verify_on_all_cores(chunk: &[Token], asked: &Asked, args: &VerifyArgs) -> Vec<Result<Verified, Error>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = chunk.len().div_ceil(cores).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> =
            chunk.chunks(share).map(|part| scope.spawn(move || verify_part(part, asked, args))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn verify_part(part: &[Token], asked: &Asked, args: &VerifyArgs) -> Vec<Result<Verified, Error>> {
    // A token that is not text fails by itself; the empty text in its place keeps the order.
    let texts: Vec<&str> = part.iter().map(|token| token.text().unwrap_or_default()).collect();
    let verdicts = VerifiedToken::verify_bulk(&texts, &asked.keys, &asked.checks(), asked.now);
    part.iter()
        .zip(verdicts)
        .map(|(token, verdict)| token.text().and(verdict).and_then(|it| judge(it, asked, args)))
        .collect()
}

fn judge(token: VerifiedToken, asked: &Asked, args: &VerifyArgs) -> Result<Verified, Error> {
    if let Some(capability) = &args.require {
        token.check_grants(&Capability::new(capability), asked.now)?;
    }
    let of_license =
        |license_id: &str| args.instance_secret.as_deref().map(|secret| InstanceId::of_license(license_id, secret));
    let instance_id = match &token {
        VerifiedToken::Lease(lease) => Some(Ok(InstanceId::of_host(lease.instance_host()))),
        VerifiedToken::License(license) => of_license(&license.claims().lid),
        VerifiedToken::Grant(grant) => of_license(&grant.claims().lid),
        _ => None,
    };
    let relay = token.check_grants(&Capability::RELAY, asked.now);
    Ok(Verified { instance_id: instance_id.transpose()?, relay, token })
}

fn json_line(number: u64, verdict: &Result<Verified, Error>) -> String {
    let value = match verdict {
        Ok(verified) => json!({
            "line": number, "accepted": true, "kind": verified.token.kind().as_str(),
            "grants_relay": verified.relay.is_ok(),
            "relay_refusal": verified.relay.as_ref().err().map(error_json),
            "instance_id": verified.instance_id.as_ref().map(ToString::to_string),
            "counts_until": verified.token.counts_until().map(pulse_trust::UnixTime::as_secs),
            "claims": claims_of(&verified.token),
        }),
        Err(error) => json!({"line": number, "accepted": false, "error": error_json(error)}),
    };
    json_text(&value)
}

fn error_json(error: &Error) -> Value {
    json!({"code": error.code(), "name": error.name(), "message": error.to_string()})
}

fn claims_of(token: &VerifiedToken) -> Value {
    serde_json::from_str(&token.claims_json()).unwrap_or_default()
}

/// One line for each of many tokens; all there is to know of a single one.
fn human(number: u64, is_alone: bool, verdict: &Result<Verified, Error>, asked: &Asked) -> String {
    let place = if is_alone { String::new() } else { format!("{number}: ") };
    let verified = match verdict {
        Ok(verified) => verified,
        Err(error) => {
            return format!("{place}{}: {}", styled(BAD, "refused"), told(error));
        }
    };
    let subject = match &verified.token {
        VerifiedToken::Lease(lease) => format!(" for {}", lease.instance_host()),
        VerifiedToken::License(license) => format!(" {}", shown(&license.claims().lid)),
        VerifiedToken::Grant(grant) => format!(" of license {}", shown(&grant.claims().lid)),
        _ => String::new(),
    };
    let relay = match &verified.relay {
        Ok(()) => styled(GOOD, "grants relay"),
        Err(reason) => {
            format!("{}: {}", styled(WARN, "does not grant relay"), told(reason))
        }
    };
    let until = verified
        .token
        .counts_until()
        .map_or_else(|| "never expires".to_owned(), |at| format!("expires {}", moment(at, asked.now)));
    let head =
        format!("{place}{} {}{subject}, {until}; {relay}", styled(GOOD, "valid"), verified.token.kind().as_str());
    if !is_alone {
        return head;
    }
    let id = verified.instance_id.as_ref().map_or_else(|| "needs --instance-secret".to_owned(), ToString::to_string);
    let capabilities = verified.token.capabilities_at(asked.now);
    let capabilities: Vec<&str> = capabilities.iter().map(Capability::as_str).collect();
    let claims = claims::rows(&claims_of(&verified.token), asked.now);
    format!("{head}{}{}{claims}", claims::row("instance id", &id), claims::row("grants now", &capabilities.join(" ")))
}

#[derive(Default)]
struct Summary {
    total: u64,
    refused: u64,
    without_relay: u64,
}

impl Summary {
    fn count(&mut self, verdict: &Result<Verified, Error>) {
        self.total = self.total.saturating_add(1);
        match verdict {
            Err(_) => self.refused = self.refused.saturating_add(1),
            Ok(verified) if verified.relay.is_err() => self.without_relay = self.without_relay.saturating_add(1),
            Ok(_) => {}
        }
    }

    fn text(&self, took: Duration) -> String {
        let valid = self.total.saturating_sub(self.refused);
        let without = match self.without_relay {
            0 => String::new(),
            count => format!(" ({count} of them do not grant relay)"),
        };
        format!(
            "{} tokens: {valid} valid{without}, {} refused, in {:.2} s",
            self.total,
            self.refused,
            took.as_secs_f64()
        )
    }
}

/// On a terminal alone, and only for what takes a while.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {human_pos} tokens, {per_sec}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}
