//! Instance ids ([formats: instance-ids](crate::_documentation::formats#instance-ids)).

use sha2::{Digest, Sha256};

use crate::encoding;
use crate::entitlement::InstanceHost;
use crate::error::{Error, Result};
use crate::text_type::text_type;

const PREFIX: &str = "relay_";

/// The id under which an instance is known at the relay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(String);

impl InstanceId {
    /// The id of a hosted instance: from its host alone.
    ///
    /// ```
    /// use pulse_trust::{entitlement::InstanceHost, relay::InstanceId};
    /// let host = InstanceHost::normalize("t-j4hts14pnc.cloud.pulserelay.pro")?;
    /// assert_eq!(InstanceId::of_host(&host).as_str(), "relay_2e1b0929e6fd7c52");
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    pub fn of_host(host: &InstanceHost) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"hosted:");
        hash.update(host.as_str().as_bytes());
        Self::from_hash::<8>(&hash.finalize().into())
    }

    /// The id of an instance with a license or grant: from the license id and the instance secret. The registrant
    /// chooses the secret, so the id has 16 bytes of the hash, which keeps it from searching for the id of another
    /// instance.
    ///
    /// # Errors
    /// [`Error::InstanceHintMissing`] for an empty secret.
    pub fn of_license(license_id: &str, instance_secret: &str) -> Result<Self> {
        if instance_secret.is_empty() {
            return Err(Error::InstanceHintMissing);
        }
        let mut hash = Sha256::new();
        hash.update(format!("instance:{}:{license_id}:", license_id.len()).as_bytes());
        hash.update(instance_secret.as_bytes());
        Ok(Self::from_hash::<16>(&hash.finalize().into()))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// [`Error::InstanceIdInvalid`] unless it is `relay_` and 16 or 32 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self> {
        let digits = text.strip_prefix(PREFIX).ok_or(Error::InstanceIdInvalid)?;
        let is_hex = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && matches!(digits.len(), 16 | 32) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::InstanceIdInvalid)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_hash<const N: usize>(hash: &[u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", encoding::hex_encode(hash.first_chunk::<N>().map_or(&[][..], |head| &head[..]))))
    }
}

text_type!(InstanceId, parse);
