//! Pairing codes: built by the runtime, checked by the phone (FORMATS 13).
//!
//! The runtime builds an [`OnboardingPayload`] and shows its deep link, or the shorter [`OnboardingPayload::secret_compact_code`],
//! as a QR code. The phone reads what it scanned with [`PairingCode::parse`].
//!
//! **What a code proves.** Nothing by itself: whoever can show a code can show any code. A code that was seen on the
//! screen of one's own instance says which identity key belongs to it; from then on the channel's signature check
//! ([`crate::relay::AppHandshake::finish`]) proves that it is the same instance, whoever runs the relay between. The
//! `auth_token` in it is a secret: who has seen the code can connect.

mod connection;
mod deep_link;
mod diagnostic;
mod local_host;
mod onboarding;
#[cfg(feature = "qr")]
mod qr;
mod relay_url;
mod scan;

pub use connection::{ConnectionCheck, InstanceIdVerdict, TokenVerdict, check_connection};
pub use diagnostic::{Diagnostic, DiagnosticCode, Severity};
pub use onboarding::{NotReady, ONBOARDING_SCHEMA, Onboarding, OnboardingPayload, RelaySection};
#[cfg(feature = "qr")]
pub use qr::{qr_svg, qr_terminal};
pub use relay_url::{relay_url_for_app, relay_url_normal_form};
pub use scan::{MAX_CODE_LEN, PairingCode};
