//! Files in a data directory: sealed, crash-safe, locked (FORMATS 7, 8).
//!
//! Nothing is lost here: a file is replaced whole or not at all, what cannot be read is neither overwritten nor taken
//! for absent, and no new key is made while something sealed under a lost one is there.

mod billing_file;
mod billing_integrity;
mod billing_state;
mod commercial_migration;
mod data_dir;
mod files;
mod key_loss;
mod license_files;
mod master_key;
#[cfg(any(unix, windows))]
mod native;
mod relay_enc;
mod seal;

pub use billing_state::BillingState;
pub use commercial_migration::CommercialMigration;
pub use data_dir::{DataDir, Loaded, LockedDataDir};
pub use files::{Entry, EntryKind, Files, HeldLock};
pub use license_files::{Activation, StoredLicense};
