//! What a caller should be told about and may log. The operation itself has succeeded.

/// A returned warning. This crate logs nothing itself; a warning holds no secret.
///
/// ```
/// use pulse_trust::relay::RelayEnvironment;
/// let (_, warnings) = RelayEnvironment::from_values(Some("perhaps"), None);
/// assert!(warnings[0].to_string().contains("PULSE_RELAY_ENABLED"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// Users other than the owner may read the file.
    #[error("{path} has mode {mode:04o}, wider than 0600")]
    WideMode {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// Users other than the owner may list the data directory.
    #[error("{path} has mode {mode:04o}, wider than 0700")]
    WideDirectoryMode {
        /// The directory.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A file that should be written in its current form could not be; what was read still counts.
    #[error("{path} could not be rewritten in its current form: {detail}")]
    RewriteFailed {
        /// The file.
        path: String,
        /// Why.
        detail: String,
    },
    /// A billing.json without an integrity code, which anyone with write access to the directory may have written.
    #[error("{path} has no integrity code, so nothing shows who wrote it")]
    BillingUnsigned {
        /// The file.
        path: String,
    },
    /// An environment variable that is ignored.
    #[error("{variable} is ignored: {reason}")]
    EnvironmentIgnored {
        /// The variable.
        variable: &'static str,
        /// Why.
        reason: String,
    },
}

impl Warning {
    /// Adds those that are not there yet: several files of a directory are sealed under one key, which is read for each.
    #[cfg(feature = "storage")]
    pub(crate) fn add_new(warnings: &mut Vec<Self>, more: impl IntoIterator<Item = Self>) {
        for warning in more {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
}
