//! What a token of any kind says about itself, whether it was verified or only inspected.

/// For an enum of a lease, a license and a grant.
macro_rules! of_any_kind {
    ($name:ident) => {
        impl $name {
            /// Its kind.
            pub fn kind(&self) -> $crate::token_kind::TokenKind {
                match self {
                    Self::Lease(_) => $crate::token_kind::TokenKind::Lease,
                    Self::License(_) => $crate::token_kind::TokenKind::License,
                    Self::Grant(_) => $crate::token_kind::TokenKind::Grant,
                }
            }

            /// The claims for a screen: compact JSON, in their normal form, without a lease's `provider_license`, which is
            /// a credential.
            pub fn claims_json(&self) -> String {
                match self {
                    Self::Lease(lease) => lease.claims().display_json(),
                    Self::License(license) => license.claims().to_json(),
                    Self::Grant(grant) => grant.claims().to_json(),
                }
            }
        }
    };
}

pub(super) use of_any_kind;
