//! The claims of all three kinds, read in one pass over the payload and borrowed from it.
//!
//! A value of the wrong type is recorded, not refused: whether it matters depends on the kind of token, which is known
//! only at the end. Lists and objects stay text until the signature has been checked.

use core::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::claim_values::Scalar;
use super::unique_names::{Text, check_names};
use crate::error::{Error, Result};
use crate::token_kind::{LEASE_ISSUER, TokenKind};

macro_rules! claims {
    (scalars: $($scalar:ident)*; structures: $($structure:ident)*;) => {
        /// Every claim that any of the three kinds knows.
        #[derive(Default)]
        pub(super) struct RawClaims<'a> {
            $(pub(super) $scalar: Option<Scalar<'a>>,)*
            $(pub(super) $structure: Option<&'a RawValue>,)*
        }

        impl<'de: 'a, 'a> Visitor<'de> for RawClaimsVisitor<'a> {
            type Value = RawClaims<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawClaims<'a>, A::Error> {
                let mut claims = RawClaims::default();
                while let Some(Text(name)) = map.next_key::<Text>()? {
                    let twice = match name.as_ref() {
                        $(stringify!($scalar) => claims.$scalar.replace(map.next_value()?).is_some(),)*
                        $(stringify!($structure) => claims.$structure.replace(map.next_value()?).is_some(),)*
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            false
                        }
                    };
                    if twice {
                        return Err(A::Error::custom(format_args!("claim {name} appears twice")));
                    }
                }
                Ok(claims)
            }
        }

        impl RawClaims<'_> {
            /// Refuses an object inside a claim that has a name twice, so that no two readers of the token see
            /// different values. Numbers and texts were looked at when they were read.
            pub(super) fn check_names(&self) -> Result<()> {
                $(check_names(stringify!($structure), self.$structure)?;)*
                Ok(())
            }
        }
    };
}

claims! {
    scalars:
        org_id email instance_host plan_version subscription_state trial_started_at trial_ends_at provider_license
        iss sub exp nbf iat jti lid iid lv st tier plan max_guests max_users current_period_end grace_until
        license_period_end entitlement_signing_public_key;
    structures: aud capabilities limits meters_enabled features feat;
}

impl<'a> RawClaims<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`Error::PayloadMalformed`] if it is not a JSON object, or a claim that we know appears twice.
    pub(super) fn parse(payload: &'a str) -> Result<Self> {
        // serde would quote what is there instead, by means of Debug, which the WebAssembly is built without.
        if !payload.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return Err(Error::PayloadMalformed { reason: "expected a JSON object".to_owned() });
        }
        let malformed = |error: serde_json::Error| Error::PayloadMalformed { reason: error.to_string() };
        let mut deserializer = serde_json::Deserializer::from_str(payload);
        let claims = deserializer.deserialize_map(RawClaimsVisitor(core::marker::PhantomData)).map_err(malformed)?;
        deserializer.end().map_err(malformed)?;
        Ok(claims)
    }

    /// The kind these claims say they are of.
    pub(super) fn kind(&self) -> Option<TokenKind> {
        let present = |claim: &Option<Scalar<'_>>| claim.as_ref().is_some_and(|value| !matches!(value, Scalar::Null));
        if matches!(&self.iss, Some(Scalar::Text(iss)) if iss == LEASE_ISSUER) {
            Some(TokenKind::Lease)
        } else if present(&self.iid) {
            Some(TokenKind::Grant)
        } else if present(&self.lid) {
            Some(TokenKind::License)
        } else {
            None
        }
    }
}

struct RawClaimsVisitor<'a>(core::marker::PhantomData<&'a ()>);
