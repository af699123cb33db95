//! Files in a data directory: sealed, crash-safe, locked ([formats: encrypted
//! files](crate::_documentation::formats#encrypted-files), [billing
//! state](crate::_documentation::formats#billing-state)).
//!
//! Nothing is lost here: a file is replaced whole or not at all, what cannot be read is neither overwritten nor taken
//! for absent, and no new key is made while something sealed under a lost one is there.

mod billing_file;
mod billing_integrity;
mod billing_state;
mod commercial_migration;
mod data_dir;
mod files;
mod key_file;
mod key_loss;
mod license_files;
mod master_key;
#[cfg(unix)]
mod native;
mod reader;
mod relay_enc;
mod revision;
mod runtime_sealing;
mod seal;

pub use billing_state::BillingState;
pub use commercial_migration::CommercialMigration;
pub use data_dir::{DataDir, Loaded, LockedDataDir, Saved};
#[cfg(all(feature = "capi", target_family = "wasm"))]
pub(crate) use files::LOCK_FILE;
pub use files::{DirectoryFiles, Entry, EntryKind, Files};
pub(crate) use license_files::ACTIVATION_FILE;
pub use license_files::{Activation, LicenseFile, StoredLicense};
pub use reader::DataDirReader;
pub use relay_enc::IdentityChange;
pub use revision::Revision;
