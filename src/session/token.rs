//! Judging what a phone presents.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// Whether a token that a phone presented is one of those that the instance knows. The time it takes depends on the
/// lengths and the number of tokens alone: not on their bytes, nor on which of them matches. An empty token is never
/// known.
///
/// ```
/// use pulse_trust::Secret;
/// use pulse_trust::session::is_auth_token_known;
/// assert!(is_auth_token_known(&Secret::from("b"), ["a", "b"]));
/// assert!(!is_auth_token_known(&Secret::from("c"), ["a", "b"]));
/// assert!(!is_auth_token_known(&Secret::from(""), [""]));
/// ```
pub fn is_auth_token_known<'a>(presented: &Secret, known: impl IntoIterator<Item = &'a str>) -> bool {
    let digest = |token: &str| Sha256::digest(token.as_bytes());
    let presented_digest = digest(presented.expose_secret());
    let is_any = known
        .into_iter()
        .filter(|token| !token.is_empty())
        .fold(subtle::Choice::from(0), |found, token| found | digest(token).ct_eq(&presented_digest));
    is_any.into()
}
