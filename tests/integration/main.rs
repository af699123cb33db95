//! The tests that need no process of their own, in one program, so that the library is linked to tests once. A topic is
//! a module: `cargo test --all-features --test integration billing` runs one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs
)]

/// That an error is of this variant, with these fields. Outside its crate a variant with fields cannot be built.
macro_rules! assert_error {
    ($error:expr, $variant:ident { $($field:ident: $value:expr),* $(,)? } $(, $($about:tt)+)?) => {{
        let expected = ($($value,)*);
        match &$error {
            pulse_trust::Error::$variant { $($field,)* .. } => {
                #[allow(clippy::clone_on_copy, reason = "some fields are texts")]
                let fields = ($($field.clone(),)*);
                assert_eq!(fields, expected $(, $($about)+)?);
            }
            other => panic!("expected {}, received {other:?}", stringify!($variant)),
        }
    }};
}

#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "storage")]
mod billing;
#[cfg(feature = "hazmat")]
mod channel;
#[cfg(all(unix, feature = "storage"))]
mod data_dir;
mod documentation;
mod entitlement;
#[cfg(feature = "hazmat")]
mod fixed_key;
mod frames;
mod guides;
#[cfg(feature = "storage")]
mod hosted;
#[cfg(all(unix, feature = "storage"))]
mod hosted_edges;
#[cfg(all(unix, feature = "storage"))]
mod key_loss;
mod keys_and_admission;
#[cfg(all(unix, feature = "storage"))]
mod lease_refresh;
#[cfg(feature = "storage")]
mod license_files;
mod names;
mod pairing;
mod relay_config;
#[cfg(feature = "storage")]
mod relay_enc;
mod runtime_sealing;
mod session;
#[cfg(all(unix, feature = "storage"))]
mod storage;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod table_memory;
mod threads;
mod token_edits;
mod token_rules;
mod vectors;
