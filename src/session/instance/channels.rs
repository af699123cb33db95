//! The channels of one connection.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::config::InstanceLimits;
use crate::error::{Error, Result};
use crate::relay::{Channel, Identity, accept_key_exchange};
use crate::secret::Secret;

/// One phone's conversation.
pub(super) struct OpenChannel {
    state: ChannelState,
    /// The ids of the requests that wait for their answers.
    pub(super) waiting: BTreeSet<String>,
    /// When a half-open channel ends: one that has neither exchanged keys nor asked anything.
    until: Option<Duration>,
}

enum ChannelState {
    /// The program has not judged it yet. What the phone presented is sent back with the acceptance.
    Offered(Secret),
    /// Accepted; a key exchange or a request in plain text comes next.
    Accepted,
    /// Keys were exchanged.
    Secured(Box<Channel>),
    /// The phone asks in plain text: it is a deployed phone without key exchange.
    Plain,
}

#[derive(Default)]
pub(super) struct Channels {
    open: BTreeMap<u32, OpenChannel>,
}

impl Channels {
    /// Adds a channel that was offered.
    ///
    /// # Errors
    /// Why not, in words for the phone.
    pub(super) fn offer(
        &mut self,
        id: u32,
        auth_token: Secret,
        limits: &InstanceLimits,
        until: Duration,
    ) -> Result<(), &'static str> {
        if self.open.contains_key(&id) {
            return Err("the channel is open already");
        }
        let half_open = self.open.values().filter(|channel| channel.until.is_some()).count();
        if self.open.len() >= limits.channels || half_open >= limits.half_open_channels {
            return Err("the instance has too many channels");
        }
        let channel =
            OpenChannel { state: ChannelState::Offered(auth_token), waiting: BTreeSet::new(), until: Some(until) };
        self.open.insert(id, channel);
        Ok(())
    }

    /// The program has accepted the channel: what the phone presented.
    pub(super) fn accept(&mut self, id: u32) -> Result<Secret> {
        let channel = self.offered(id)?;
        match core::mem::replace(&mut channel.state, ChannelState::Accepted) {
            ChannelState::Offered(auth_token) => Ok(auth_token),
            _ => Ok(Secret::default()),
        }
    }

    /// A channel that waits to be judged.
    pub(super) fn offered(&mut self, id: u32) -> Result<&mut OpenChannel> {
        match self.open.get_mut(&id) {
            Some(channel) if matches!(channel.state, ChannelState::Offered(_)) => Ok(channel),
            _ => Err(Error::SessionChannel { channel: id, expected: "waiting to be accepted or refused" }),
        }
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut OpenChannel> {
        self.open.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<OpenChannel> {
        self.open.remove(&id)
    }

    /// Requests of all channels that wait for their answers.
    pub(super) fn waiting_requests(&self) -> usize {
        self.open.values().map(|channel| channel.waiting.len()).sum()
    }

    /// Removes all channels, and returns their ids in ascending order.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = u32> + use<> {
        core::mem::take(&mut self.open).into_keys()
    }

    /// The next moment at which a half-open channel ends.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.open.values().filter_map(|channel| channel.until).min()
    }

    /// The half-open channels whose time is over.
    pub(super) fn idle(&self, now: Duration) -> Vec<u32> {
        let is_over = |channel: &OpenChannel| channel.until.is_some_and(|until| now >= until);
        self.open.iter().filter(|(_, channel)| is_over(channel)).map(|(id, _)| *id).collect()
    }
}

impl OpenChannel {
    /// Takes the phone's half of the key exchange, and returns the payload to answer with.
    pub(super) fn exchange_keys(&mut self, payload: &[u8], identity: &Identity) -> Result<Vec<u8>> {
        let unexpected = |expected| Error::FrameUnexpected { expected, received: "KEY_EXCHANGE" };
        match self.state {
            ChannelState::Accepted => {}
            ChannelState::Offered(_) => return Err(unexpected("nothing before the channel is accepted")),
            ChannelState::Secured(_) | ChannelState::Plain => {
                return Err(unexpected("one key exchange, before the first request"));
            }
        }
        let (keys, answer) = accept_key_exchange(payload, identity)?;
        self.state = ChannelState::Secured(Box::new(keys));
        self.until = None;
        Ok(answer)
    }

    /// What a DATA frame carries, in plain text.
    pub(super) fn open(&mut self, payload: &[u8]) -> Result<Vec<u8>> {
        let plain = match &mut self.state {
            ChannelState::Offered(_) => {
                let expected = "nothing before the channel is accepted";
                return Err(Error::FrameUnexpected { expected, received: "DATA" });
            }
            ChannelState::Secured(keys) => keys.open(payload)?,
            ChannelState::Accepted | ChannelState::Plain => payload.to_vec(),
        };
        if matches!(self.state, ChannelState::Accepted) {
            self.state = ChannelState::Plain;
        }
        self.until = None;
        Ok(plain)
    }

    /// Makes a DATA frame's payload of plain text.
    pub(super) fn seal(&mut self, plain: &str) -> Result<Vec<u8>> {
        match &mut self.state {
            ChannelState::Secured(keys) => keys.seal(plain.as_bytes()),
            _ => Ok(plain.as_bytes().to_vec()),
        }
    }

    /// How much longer a message is once it is sealed.
    pub(super) const fn overhead(&self) -> usize {
        match self.state {
            ChannelState::Secured(_) => crate::relay::SEALED_OVERHEAD,
            _ => 0,
        }
    }
}
