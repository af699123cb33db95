//! Pairing codes: built by the runtime, checked by the phone ([formats:
//! pairing](crate::_documentation::formats#pairing)).
//!
//! The runtime fills in an [`Onboarding`] and gets an [`OnboardingPayload`], which it offers as JSON, as a deep link,
//! or as a compact code in a QR picture (`qr_svg`, `qr_terminal`, with the feature `qr`). The phone hands the scanned
//! text to [`PairingCode::parse`] and works with what comes out. If pairing fails, [`check_connection`] says which of
//! the two sides is wrong.
//!
//! # What a pairing code proves
//! It proves nothing about who made it: it carries no signature, and anyone can print one. It only names an instance,
//! the relay it is reached by, and the identity key it must prove. A phone may believe
//! - that the identity in the text was not cut off or mistyped: if the code carries a fingerprint, public key and
//!   fingerprint agree (the compact code leaves this to the error correction of the QR picture);
//! - that the relay is reached over TLS, or is on a local network.
//!
//! It may **not** believe that the code is that of the instance its owner means: that comes from where the code was
//! seen (the owner's own screen), and, at each connection, from the identity's signature on the key exchange
//! ([`crate::relay::AppHandshake::finish`]). So a phone takes the key from [`PairingCode::require_identity`] and opens
//! no channel without it.
//!
//! A pairing code holds an access token: anyone who reads the code can use the instance. Treat it as a password.

mod code;
mod connection;
mod deep_link;
mod diagnostic;
mod local_host;
mod onboarding;
mod percent;
#[cfg(feature = "qr")]
mod qr;
mod relay_url;
mod scanned;

pub(crate) use code::read_relay_url;
pub use code::{MAX_CODE_LEN, PairingCode};
pub use connection::{ConnectionCheck, InstanceIdVerdict, TokenVerdict, check_connection};
pub use diagnostic::{Diagnostic, DiagnosticCode, Severity};
pub use onboarding::{NotReady, ONBOARDING_SCHEMA, Onboarding, OnboardingPayload, RelaySection};
#[cfg(feature = "qr")]
pub use qr::{qr_svg, qr_terminal};
pub use relay_url::{relay_url_for_app, relay_url_normal_form};
