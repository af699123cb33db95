//! Keys, leases, licenses and grants from the command line: make, sign, verify, inspect.
//!
//! `cargo run --example lease -- verify --lease-key KEY --host HOST < tokens`

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pulse_trust::entitlement::{
    Capability, GrantClaims, HostBinding, InspectedToken, InstanceHost, LeaseChecks, LeaseClaims, LicenseClaims,
    SubscriptionState, VerifiedToken,
};
use pulse_trust::keys::{PublicKey, SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::InstanceId;
use pulse_trust::token::MAX_TOKEN_LEN;
use pulse_trust::{Error, UnixTime};
use serde_json::{Value, json};

/// Keys, leases, licenses and grants: make, sign, verify, inspect
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a key pair
    Keygen {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Signs claims, given as JSON or by flags
    Sign(SignArgs),
    /// Verifies tokens, one a line on standard input
    Verify(ReadArgs),
    /// Shows tokens without regard to time, one a line on standard input
    Inspect(ReadArgs),
}

#[derive(Args)]
struct SignArgs {
    /// What to sign
    #[arg(long, value_enum, default_value = "lease")]
    kind: Kind,
    /// The private key, base64
    #[arg(long, env = "PULSE_SIGNING_KEY", hide_env_values = true)]
    key: String,
    /// The claims as JSON; - reads them from standard input
    #[arg(long)]
    claims: Option<String>,
    /// Lease: the instance host
    #[arg(long)]
    host: Option<String>,
    /// Lease: the organization
    #[arg(long, default_value = "default")]
    org: String,
    /// Contact
    #[arg(long)]
    email: Option<String>,
    /// Plan
    #[arg(long, default_value = "cloud_starter")]
    plan: String,
    /// Subscription state
    #[arg(long, default_value = "active")]
    state: String,
    /// A capability; without any, the plan's (lease) or the tier's (license, grant)
    #[arg(long = "capability")]
    capabilities: Vec<String>,
    /// License, grant: the license id
    #[arg(long)]
    license_id: Option<String>,
    /// Grant: the installation id
    #[arg(long)]
    installation_id: Option<String>,
    /// License, grant: the tier
    #[arg(long, default_value = "pro")]
    tier: String,
    /// Seconds until it expires; without it a lease holds 24 h, a grant 72 h, a license for ever
    #[arg(long)]
    ttl: Option<i64>,
    /// Unix seconds to take for now
    #[arg(long)]
    now: Option<i64>,
}

#[derive(Args)]
struct ReadArgs {
    /// A key that leases verify under (repeatable)
    #[arg(long = "lease-key")]
    lease_keys: Vec<String>,
    /// A key that licenses and grants verify under (repeatable)
    #[arg(long = "license-key")]
    license_keys: Vec<String>,
    /// The host a lease must be for
    #[arg(long)]
    host: Option<String>,
    /// The instance secret, from which the id of a license or grant is derived
    #[arg(long)]
    instance_secret: Option<String>,
    /// Unix seconds to take for now
    #[arg(long)]
    now: Option<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Takes this whole file, byte for byte, as one token
    #[arg(long)]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Lease,
    License,
    Grant,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Keygen { json } => keygen(json).map(|()| true),
        Command::Sign(args) => sign(&args).map(|()| true),
        Command::Verify(args) => read(&args, verify),
        Command::Inspect(args) => read(&args, inspect),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(usage) => {
            eprintln!("error: {usage}");
            ExitCode::from(2)
        }
    }
}

/// Wrong usage, in words.
type Usage = Box<dyn std::error::Error>;

fn keygen(as_json: bool) -> Result<(), Usage> {
    let key = SigningKey::generate()?;
    let (private, public) = (key.secret_base64(), key.public_key());
    if as_json {
        let object = json!({
            "private_key": private.expose_secret(), "public_key": public.to_base64(),
            "key_id": public.key_id().as_str(), "fingerprint": public.log_fingerprint(),
        });
        println!("{object}");
    } else {
        println!("private key  {}", private.expose_secret());
        println!("public key   {}", public.to_base64());
        println!("key id       {}", public.key_id());
        println!("fingerprint  {}", public.log_fingerprint());
    }
    Ok(())
}

fn sign(args: &SignArgs) -> Result<(), Usage> {
    let key = SigningKey::from_base64(&args.key)?;
    let claims = match args.claims.as_deref() {
        Some("-") => io::read_to_string(io::stdin().take(64 * 1024))?,
        Some(text) => text.to_owned(),
        None => claims_of_flags(args)?,
    };
    let token = match args.kind {
        Kind::Lease => LeaseClaims::from_json(&claims)?.sign(&key)?,
        Kind::License => LicenseClaims::from_json(&claims)?.sign(&key)?,
        Kind::Grant => GrantClaims::from_json(&claims)?.sign(&key)?,
    };
    println!("{token}");
    Ok(())
}

fn claims_of_flags(args: &SignArgs) -> Result<String, Usage> {
    let now = args.now.map_or_else(UnixTime::now, UnixTime::from_secs);
    let expiry = |default: i64| UnixTime::from_secs(now.as_secs().saturating_add(args.ttl.unwrap_or(default)));
    let needed = |value: &Option<String>, flag: &str| value.clone().ok_or(format!("{flag} or --claims is needed"));
    let claims = match args.kind {
        Kind::Lease => {
            let mut claims =
                LeaseClaims::new(&InstanceHost::normalize(&needed(&args.host, "--host")?)?, expiry(86_400));
            claims.org_id.clone_from(&args.org);
            claims.email.clone_from(&args.email);
            claims.plan_version.clone_from(&args.plan);
            claims.subscription_state = SubscriptionState::from_name(&args.state);
            claims.capabilities = if args.capabilities.is_empty() {
                pulse_trust::entitlement::hosted_plan_capabilities(&args.plan)
            } else {
                args.capabilities.iter().map(|name| Capability::new(name)).collect()
            };
            claims.iat = Some(now);
            return Ok(claims.to_json());
        }
        Kind::License => json!({
            "lid": needed(&args.license_id, "--license-id")?, "email": needed(&args.email, "--email")?,
            "tier": args.tier, "iat": now.as_secs(), "exp": args.ttl.map(|_| expiry(0).as_secs()),
            "capabilities": args.capabilities, "subscription_state": args.state,
        }),
        Kind::Grant => json!({
            "lid": needed(&args.license_id, "--license-id")?, "iid": needed(&args.installation_id, "--installation-id")?,
            "st": args.state, "tier": args.tier, "plan": args.plan, "feat": args.capabilities, "email": args.email,
            "iat": now.as_secs(), "exp": expiry(72 * 3600).as_secs(),
        }),
    };
    Ok(claims.to_string())
}

/// What is asked of every token.
struct Asked {
    keys: TrustKeys,
    host: Option<String>,
    instance_secret: Option<String>,
    now: UnixTime,
}

impl Asked {
    fn checks(&self) -> LeaseChecks<'_> {
        LeaseChecks::new(self.host.as_deref().map_or(HostBinding::AnyHost, HostBinding::Require))
    }
}

/// Answers each token in order; whether all were accepted.
fn read(args: &ReadArgs, answer: fn(&str, &Asked) -> Result<Value, Error>) -> Result<bool, Usage> {
    let set = |keys: &[String]| -> Result<TrustKeySet, Error> {
        Ok(TrustKeySet::new(keys.iter().map(|key| PublicKey::from_base64(key)).collect::<Result<Vec<_>, _>>()?))
    };
    let asked = Asked {
        keys: TrustKeys { lease: set(&args.lease_keys)?, license: set(&args.license_keys)? },
        host: args.host.clone(),
        instance_secret: args.instance_secret.clone(),
        now: args.now.map_or_else(UnixTime::now, UnixTime::from_secs),
    };
    if asked.keys.lease.is_empty() && asked.keys.license.is_empty() {
        return Err("--lease-key or --license-key is needed".into());
    }
    if let Some(host) = &asked.host {
        InstanceHost::normalize(host)?;
    }
    let mut output = io::stdout().lock();
    let mut all_accepted = true;
    let mut give = |token: &Token| -> io::Result<()> {
        let answered = token.text().and_then(|text| answer(text, &asked));
        all_accepted &= answered.is_ok();
        let line = if args.json { json_line(answered) } else { human_line(answered) };
        writeln!(output, "{line}")
    };
    if let Some(path) = &args.file {
        let file = std::fs::File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        give(&Token::read(file)?)?;
    } else {
        let mut input = io::stdin().lock();
        while let Some(token) = Token::read_line(&mut input)? {
            give(&token)?;
        }
    }
    Ok(all_accepted)
}

/// A token's bytes, and how long it was where it is longer than any token.
struct Token {
    bytes: Vec<u8>,
    length: usize,
}

impl Token {
    fn read(mut input: impl Read) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let kept = input.by_ref().take(kept_len()).read_to_end(&mut bytes)?;
        let rest = io::copy(&mut input, &mut io::sink())?;
        Ok(Self { bytes, length: kept.saturating_add(usize::try_from(rest).unwrap_or(usize::MAX)) })
    }

    /// The next line, byte for byte; only the line feed goes. What is over the limit is counted, not kept.
    fn read_line(input: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let mut length = input.take(kept_len()).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            return Ok(None);
        }
        let mut ended = bytes.last() == Some(&b'\n');
        if ended {
            bytes.pop();
            length = length.saturating_sub(1);
        }
        while !ended {
            let mut more = Vec::new();
            let read = input.take(kept_len()).read_until(b'\n', &mut more)?;
            ended = read == 0 || more.last() == Some(&b'\n');
            length = length.saturating_add(read).saturating_sub(usize::from(more.last() == Some(&b'\n')));
        }
        Ok(Some(Self { bytes, length }))
    }

    fn text(&self) -> Result<&str, Error> {
        if self.length > MAX_TOKEN_LEN {
            return Err(Error::TokenTooLarge { what: "token", limit: MAX_TOKEN_LEN, received: self.length });
        }
        str::from_utf8(&self.bytes).map_err(|_| Error::TokenMalformed { reason: "not UTF-8" })
    }
}

/// One byte more than a token may have says that it is too long.
fn kept_len() -> u64 {
    u64::try_from(MAX_TOKEN_LEN).unwrap_or(u64::MAX).saturating_add(1)
}

fn verify(token: &str, asked: &Asked) -> Result<Value, Error> {
    let verified = VerifiedToken::verify(token, &asked.keys, &asked.checks(), asked.now)?;
    let of_license = |license_id: &str| {
        asked.instance_secret.as_deref().map(|secret| InstanceId::of_license(license_id, secret)).transpose()
    };
    let instance_id = match &verified {
        VerifiedToken::Lease(lease) => Some(InstanceId::of_host(lease.instance_host())),
        VerifiedToken::License(license) => of_license(&license.claims().lid)?,
        VerifiedToken::Grant(grant) => of_license(&grant.claims().lid)?,
        _ => None,
    };
    let claims: Value = serde_json::from_str(&verified.claims_json()).unwrap_or_default();
    Ok(json!({
        "accepted": true, "kind": verified.kind().as_str(), "claims": claims,
        "instance_id": instance_id.map(|id| id.to_string()),
        "capabilities": verified.capabilities_at(asked.now),
        "grants_relay": verified.check_grants(&Capability::RELAY, asked.now).is_ok(),
    }))
}

fn inspect(token: &str, asked: &Asked) -> Result<Value, Error> {
    let inspected = InspectedToken::inspect(token, &asked.keys, &asked.checks(), asked.now)?;
    let (kind, claims, state) = (inspected.kind(), inspected.claims_json(), inspected.state_at(asked.now).to_string());
    let claims: Value = serde_json::from_str(&claims).unwrap_or_default();
    let verifies_now = match VerifiedToken::verify(token, &asked.keys, &asked.checks(), asked.now) {
        Ok(_) => Value::Null,
        Err(error) => Value::String(error.to_string()),
    };
    Ok(json!({"accepted": true, "kind": kind.as_str(), "claims": claims, "state": state, "refused_now": verifies_now}))
}

fn json_line(answered: Result<Value, Error>) -> String {
    let value = answered.unwrap_or_else(
        |error| json!({"accepted": false, "code": error.code(), "error": error.name(), "message": error.to_string()}),
    );
    value.to_string()
}

fn human_line(answered: Result<Value, Error>) -> String {
    match answered {
        Ok(value) => {
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
            let claims = serde_json::to_string_pretty(&value.get("claims")).unwrap_or_default();
            let refused = match value.get("refused_now").and_then(Value::as_str) {
                Some(reason) => format!("\nnot valid now: {reason}"),
                None => String::new(),
            };
            format!("ok: {}, instance id {}{refused}\n{claims}", text("kind"), text("instance_id"))
        }
        Err(error) => format!("refused: {error} ({} {})", error.code(), error.name()),
    }
}
