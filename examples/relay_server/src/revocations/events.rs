//! The events of the feed, and the file that keeps them.
//!
//! The shape of an event is not published. Read here: an object that names what is revoked by the claim's name or its
//! long form: `lid`, `iid`, `jti`, `host`, `instance_id`, `kid`; `lid` with `lv` revokes what is below that version alone.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::entitlement::InstanceHost;
use pulse_trust::keys::KeyId;
use pulse_trust::relay::{InstanceId, RevocationList};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::state_file;

const FILE: &str = "revocations.json";
/// The largest number that every reader of JSON has exactly (RFC 8259, section 6).
pub(super) const MAX_SEQ: u64 = (1 << 53) - 1;

/// What one event revokes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Event {
    #[serde(default, alias = "license_id", skip_serializing_if = "Option::is_none")]
    lid: Option<String>,
    #[serde(default, alias = "license_version", alias = "min_lv", skip_serializing_if = "Option::is_none")]
    lv: Option<i64>,
    #[serde(default, alias = "installation_id", skip_serializing_if = "Option::is_none")]
    iid: Option<String>,
    #[serde(default, alias = "token_id", skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(default, alias = "instance_host", skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    #[serde(default, alias = "key_id", skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
}

impl Event {
    /// Reads an event, or says why not if it names nothing that we can revoke.
    pub(super) fn read(value: Value) -> Result<Self, &'static str> {
        let event: Self = serde_json::from_value(value).map_err(|_| "a member is of the wrong type")?;
        let mut probe = RevocationList::default();
        if event.apply(&mut probe)? { Ok(event) } else { Err("it names nothing that can be revoked") }
    }

    /// Adds it to a list; returns whether it named anything.
    fn apply(&self, list: &mut RevocationList) -> Result<bool, &'static str> {
        let mut names_something = false;
        let given = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
        match (given(&self.lid), self.lv) {
            (Some(id), Some(version)) => list.revoke_license_below(&id, version),
            (Some(id), None) => list.revoke_license(&id),
            (None, Some(_)) => return Err("it names a license version without a license"),
            (None, None) => {}
        }
        names_something |= given(&self.lid).is_some();
        if let Some(id) = given(&self.iid) {
            list.revoke_installation(&id);
            names_something = true;
        }
        if let Some(id) = given(&self.jti) {
            list.revoke_token(&id);
            names_something = true;
        }
        if let Some(host) = given(&self.host) {
            list.revoke_host(&InstanceHost::normalize(&host).map_err(|_| "its host is invalid")?);
            names_something = true;
        }
        if let Some(id) = given(&self.instance_id) {
            list.revoke_instance(&InstanceId::parse(&id).map_err(|_| "its instance id is invalid")?);
            names_something = true;
        }
        if let Some(id) = given(&self.kid) {
            list.revoke_signing_key(&KeyId::parse(&id).map_err(|_| "its key id is invalid")?);
            names_something = true;
        }
        Ok(names_something)
    }
}

/// All that the feed has said, and up to where it was read.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) next_seq: u64,
    /// When it was last read to its end, Unix time; absent until then, and while it is read from its beginning again.
    #[serde(default)]
    pub(super) read_at: Option<i64>,
    events: BTreeSet<Event>,
    #[serde(skip)]
    path: PathBuf,
}

impl Kept {
    /// What the data directory keeps.
    ///
    /// # Errors
    /// If the file cannot be read, or is not one of ours: starting without it would forget what was revoked.
    pub(super) fn load(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(FILE);
        let Some(text) = state_file::read(&path)? else { return Ok(Self { path, ..Self::default() }) };
        let kept: Self = serde_json::from_str(&text).map_err(|error| {
            let message = format!("{}: expected the kept revocations, found something else at line {} column {}; move the file away to read the feed from its beginning", path.display(), error.line(), error.column());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        let mut kept = Self { path, ..kept };
        if kept.next_seq > MAX_SEQ {
            kept.begin_anew();
        }
        Ok(kept)
    }

    /// The feed is to be read from its beginning. What it said stays in force.
    pub(super) fn begin_anew(&mut self) {
        (self.next_seq, self.read_at) = (0, None);
    }

    /// How long ago the feed was read to its end; `None` if it never was, or if the clock was set back since.
    pub(super) fn age(&self, now: UnixTime) -> Option<Duration> {
        let read_at = self.read_at.map(UnixTime::from_secs).filter(|read_at| *read_at <= now)?;
        Some(now.saturating_duration_since(read_at))
    }

    pub(super) fn add(&mut self, events: impl IntoIterator<Item = Event>) {
        self.events.extend(events);
    }

    pub(super) fn save(&self) -> io::Result<()> {
        state_file::replace(&self.path, &serde_json::to_vec(self)?)
    }

    pub(super) fn list(&self) -> RevocationList {
        let mut list = RevocationList::default();
        for event in &self.events {
            event.apply(&mut list).ok();
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_trust::relay::{RevocationSubject, Revocations, RevokedKind};
    use serde_json::json;

    #[test]
    fn events_are_read_under_both_names_and_survive_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut kept = Kept::load(directory.path()).unwrap();
        kept.next_seq = 7;
        for value in [
            json!({"lid": "l1"}),
            json!({"license_id": "l2", "lv": 4, "seq": 9}),
            json!({"iid": "i"}),
            json!({"token_id": "t"}),
            json!({"host": "T-1.Example.Test"}),
            json!({"instance_id": "relay_0123456789abcdef"}),
            json!({"kid": "0123456789abcdef"}),
        ] {
            kept.add([Event::read(value).unwrap()]);
        }
        kept.save().unwrap();
        let kept = Kept::load(directory.path()).unwrap();
        assert_eq!((kept.next_seq, kept.events.len()), (7, 7));
        let list = kept.list();
        let mut subject = RevocationSubject::default();
        subject.license_id = Some("l2".to_owned());
        subject.license_version = Some(3);
        assert_eq!(list.revoked(&subject), Some(RevokedKind::LicenseVersion));
        subject.license_version = Some(4);
        assert_eq!(list.revoked(&subject), None);
        subject.host = Some("t-1.example.test".to_owned());
        assert_eq!(list.revoked(&subject), Some(RevokedKind::Host));
    }

    #[test]
    fn an_event_that_names_nothing_is_refused() {
        for value in [
            json!({}),
            json!(7),
            json!({"lid": 7}),
            json!({"lv": 3}),
            json!({"lid": ""}),
            json!({"instance_id": "x"}),
            json!({"kid": "0123456789ABCDEF"}),
        ] {
            assert!(Event::read(value.clone()).is_err(), "{value}");
        }
    }

    #[test]
    fn a_file_that_is_not_ours_is_not_taken_for_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        state_file::replace(&directory.path().join(FILE), b"{}").unwrap();
        assert!(Kept::load(directory.path()).is_err());
    }
}
