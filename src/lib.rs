//! The trust decisions that Pulse's parts share: **who** may register at the relay (a signed entitlement), **as which**
//! instance (a derived id), **with which** identity (an Ed25519 key pair, kept sealed on disk), and **what** a phone
//! may believe about a pairing code that it scanned.
//!
//! - [The journey, link by link](#the-journey-link-by-link): where to start, with a program that runs all of it
//! - [Which module for what](#which-module-for-what)
//! - [Parsed is not verified](#parsed-is-not-verified): the three types of a token
//! - [Time, errors and secrets](#time-errors-and-secrets)
//! - [Features](#features)
//! - Longer documents: the [formats](_documentation::formats) on the wire and on disk, the
//!   [design](_documentation::design) and its reasons, the [architecture](_documentation::architecture) for those who
//!   change something, the [errors](_documentation::errors), a [glossary](_documentation::glossary), and the
//!   [platforms](_documentation::platforms)
//!
//! # The journey, link by link
//!
//! 1. **The control plane** signs a lease for a tenant's host and writes `billing.json`:
//!    [`hosted::issue_billing_state`], [`storage::LockedDataDir::save_billing_state`].
//! 2. **The tenant's runtime** starts on that directory: [`hosted::bootstrap()`] verifies the lease, makes `relay.enc`
//!    with an identity of its own, and picks the credential. [`hosted::readiness()`] says which link is broken, if one
//!    is.
//! 3. **The relay** decides on the credential and derives the instance id: [`relay::Admission::admit`].
//! 4. **The runtime** offers the pairing code: [`pairing::Onboarding`], [`pairing::qr_svg`].
//! 5. **The phone** reads it with [`pairing::PairingCode::parse`] and speaks to the instance over a channel that the
//!    relay cannot read: [`relay::AppHandshake`]. [`session::InstanceEnd`] and [`session::PhoneEnd`] are whole
//!    conversations.
//!
//! ```
//! use pulse_trust::UnixTime;
//! use pulse_trust::hosted::{Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state};
//! use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
//! use pulse_trust::pairing::{Onboarding, PairingCode};
//! use pulse_trust::relay::{Admission, AppHandshake, NoRevocations, accept_key_exchange};
//! use pulse_trust::storage::{BillingState, DataDir, Revision};
//!
//! let now = UnixTime::from_secs(1_774_440_000);
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path();
//! // 1. The control plane.
//! let control_plane = SigningKey::generate()?;
//! let order = TenantOrder::new("t-abc", "https://cloud.example.test");
//! let mut issued = issue_billing_state(&order, BillingState::default(), &control_plane, now)?;
//! let data_dir = DataDir::new(path).lock()?;
//! data_dir.save_billing_state("default", &mut issued.billing, &Revision::ABSENT)?;
//!
//! // 2. The tenant's runtime.
//! let lease = TrustKeySet::new([control_plane.public_key().clone()]);
//! let keys = TrustKeys::for_leases(lease);
//! let started = bootstrap(&data_dir, &Runtime::new(RuntimeMode::Hosted, keys.clone()), now)?;
//!
//! // 3. The relay.
//! let token = started.credential.require_secret_token()?;
//! let registration = Admission::new(keys).admit(token, None, &NoRevocations, now)?;
//!
//! // 4. The pairing code.
//! let code = Onboarding::new(&started.config, registration.instance_id.as_str(), "device-token").build()?;
//!
//! // 5. The phone, and the instance behind the relay.
//! let scanned = PairingCode::parse(code.secret_compact_code().expose_secret())?;
//! let handshake = AppHandshake::start()?;
//! let (mut instance, answer) = accept_key_exchange(handshake.message(), &started.config.identity()?)?;
//! let mut phone = handshake.finish(&answer, scanned.require_identity()?)?;
//! assert_eq!(instance.open(&phone.seal(b"GET /api/status")?)?, b"GET /api/status");
//! # Ok::<(), pulse_trust::Error>(())
//! ```
//!
//! # Which module for what
//!
//! | module | what it decides or does |
//! |---|---|
//! | [`keys`] | Ed25519 keys, key ids and fingerprints; which keys are trusted for which kind of token |
//! | [`token`] | the one strict parser of compact tokens, and signing |
//! | [`entitlement`] | leases, licenses and grants: claims, capabilities, plans, hosts, refresh schedule |
//! | [`relay`] | admission, instance ids, identity, relay config, frames, the encrypted channel |
//! | [`pairing`] | pairing codes: payload, deep link, QR code, checks |
//! | [`storage`] | the data directory: sealed, crash-safe, locked files |
//! | [`hosted`] | the bootstrap of a hosted tenant, its credential, the readiness report |
//! | [`session`] | both ends of a conversation through the relay, as state machines without I/O |
//!
//! # Parsed is not verified
//!
//! A token that was only parsed ([`token::UnverifiedToken`]), one that was verified ([`entitlement::VerifiedLease`],
//! [`entitlement::VerifiedToken`]) and a lease that was read without regard to time ([`entitlement::Inspected`])
//! are different types. Policy code takes only the verified one.
//!
//! # Time, errors and secrets
//!
//! - The library is synchronous and does no I/O of its own, except in [`storage`]. The caller provides the clock
//!   ([`UnixTime`]), the sockets and the HTTP.
//! - Every [`Error`] has a number and a name that all languages share, and a message that shows both sides of what
//!   did not agree. [`Error::TABLE`] lists them with their meaning and what to do.
//! - Nothing is logged. What a caller should know comes back as a [`Warning`].
//! - A [`Secret`] is wiped when it is dropped, compared in constant time, and shown by no `Debug` output.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `storage` | yes | [`storage`] and [`hosted`]: encrypted files in a data directory, and the bootstrap that works on them. A phone or a verifier leaves it out. |
//! | `qr` | yes | [`pairing::qr_svg`] and [`pairing::qr_terminal`]: a pairing code as a picture |
//! | `base-table` | yes | multiples of the base point, compiled in. Signing and the first verification are faster, and the library is 50 KB larger. |
//! | `capi` | no | the C functions that `include/pulse_trust.h` declares, with `storage` and `qr` |
//! | `hazmat` | no | functions named `danger_...`, which weaken security where they are used outside tests: channels with given ephemeral keys, keys of any order |
//!
//! No feature changes what is accepted.

#[path = "documentation/mod.rs"]
pub mod _documentation;
mod encoding;
pub mod entitlement;
pub mod error;
#[cfg(feature = "capi")]
pub mod ffi;
#[cfg(feature = "storage")]
pub mod hosted;
mod json;
pub mod keys;
mod members;
pub mod pairing;
mod primitives;
mod reason;
pub mod relay;
mod secret;
pub mod session;
#[cfg(feature = "storage")]
pub mod storage;
mod text_type;
mod time;
pub mod token;
mod token_kind;
mod unix_time;
mod url;
mod warning;
mod wire_error;

pub use error::{Error, ErrorEntry, Result};
pub use secret::{Secret, SecretBytes};
pub use time::{ClockLeeway, UnixTime};
pub use token_kind::TokenKind;
pub use warning::Warning;

/// The version of this library, such as `1.2.3`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The README's example is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
