//! One round: every node by itself, then every pair of them.

use std::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::keys::PublicKey;

use crate::dialing::Dialer;
use crate::instance::{Registered, register};
use crate::node::Node;
use crate::phone::{self, Pairing};
use crate::probe::{Broken, Probe, Step};
use crate::tenant::Tenant;

/// What probes go out to.
pub(crate) struct Prober {
    pub(crate) nodes: Vec<Node>,
    pub(crate) has_pairs: bool,
    pub(crate) tenant: Tenant,
    pub(crate) dialer: Dialer,
    pub(crate) within: Duration,
}

impl Prober {
    /// Probes everything once. The tenant has one instance id, so that its instance is at one node at a time; phones come to it
    /// from there first, then from every other node.
    pub(crate) async fn round(&self) -> Vec<Probe> {
        let mut probes = Vec::new();
        for at in &self.nodes {
            let from = std::iter::once(at).chain(self.nodes.iter().filter(|node| self.has_pairs && *node != at));
            match self.registered(at).await.map_err(|broken| self.dialer.explained(broken)) {
                Err(broken) => {
                    probes.extend(from.map(|phone_at| probe(at, phone_at, Vec::new(), Some(broken.clone()))))
                }
                Ok((instance, identity)) => {
                    for phone_at in from {
                        probes.push(self.phone(at, phone_at, &instance, &identity).await);
                    }
                    instance.leave(self.within).await;
                }
            }
        }
        probes
    }

    async fn registered(&self, at: &Node) -> Result<(Registered, PublicKey), Broken> {
        let credential = self
            .tenant
            .credential()
            .map_err(|failure| Broken::new(Step::Credential, "no_credential", failure.to_string()))?;
        let identity = credential.identity.public_key().clone();
        let instance = register(at, &self.tenant, credential, &self.dialer, self.within).await?;
        Ok((instance, identity))
    }

    async fn phone(&self, at: &Node, phone_at: &Node, instance: &Registered, identity: &PublicKey) -> Probe {
        let pairing = |auth_token| Pairing { instance_id: &instance.instance_id, identity, auth_token };
        let nonce = format!("{} {} {:?} ", at.name, phone_at.name, UnixTime::now());
        let known = pairing(self.tenant.auth_token.duplicate());
        let (asked, mut broken) = phone::ask(phone_at, known, &nonce, &self.dialer, self.within).await;
        let mut steps = vec![(Step::Register, instance.took.as_secs_f64())];
        steps.extend(asked.into_iter().map(|(step, took)| (step, took.as_secs_f64())));
        if broken.is_none() {
            let stranger = pairing("a token that nobody gave out".into());
            match phone::is_refused(phone_at, stranger, &self.dialer, self.within).await {
                Ok(took) => steps.push((Step::Refusal, took.as_secs_f64())),
                Err(not_refused) => broken = Some(not_refused),
            }
        }
        let broken = broken.map(|broken| self.dialer.explained(broken));
        let credential_ends_at = instance.expires_at.map(UnixTime::as_secs);
        Probe { credential_ends_at, ..probe(at, phone_at, steps, broken) }
    }
}

fn probe(at: &Node, phone_at: &Node, steps: Vec<(Step, f64)>, broken: Option<Broken>) -> Probe {
    Probe { instance_node: at.name.clone(), phone_node: phone_at.name.clone(), steps, broken, credential_ends_at: None }
}
