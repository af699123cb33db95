//! A lease that is refreshed while the runtime runs, in the directory.

use std::time::Duration;

use crate::common::exposed;
use pulse_trust::entitlement::{LeaseClaims, tenant_host};
use pulse_trust::hosted::{
    DEFAULT_ORG, Runtime, RuntimeMode, TenantOrder, clear_lost_lease, issue_billing_state, lease_refresh,
    save_refreshed_lease,
};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::storage::{BillingState, DataDir, Revision};
use pulse_trust::{Error, Secret, UnixTime};

const NOW: UnixTime = UnixTime::from_secs(1_774_440_000);

struct Tenant {
    directory: tempfile::TempDir,
    control_plane: SigningKey,
    runtime: Runtime,
}

impl Tenant {
    fn new() -> Self {
        let (directory, control_plane) = (tempfile::tempdir().unwrap(), SigningKey::generate().unwrap());
        let order = {
            let mut tenant_order = TenantOrder::new("t-abc", "https://cloud.example.test");
            tenant_order.stripe_customer_id = Some("cus_1".to_owned());
            tenant_order
        };
        let mut issued = issue_billing_state(&order, BillingState::default(), &control_plane, NOW).unwrap();
        let data_dir = DataDir::new(directory.path()).lock().unwrap();
        data_dir.save_billing_state("default", &mut issued.billing, &Revision::ABSENT).unwrap();
        let lease = TrustKeySet::new([control_plane.public_key().clone()]);
        let runtime = Runtime::new(RuntimeMode::Hosted, TrustKeys::for_leases(lease));
        Self { directory, control_plane, runtime }
    }

    fn lease(&self, tenant: &str, org: &str) -> String {
        let host = tenant_host(tenant, "https://cloud.example.test").unwrap();
        let mut claims = LeaseClaims::new(&host, NOW.saturating_add(Duration::from_secs(2 * 86_400)));
        claims.org_id = org.to_owned();
        claims.sign(&self.control_plane).unwrap().expose_secret().to_owned()
    }

    /// The control plane issues another lease, with another refresh token.
    fn reissue(&self) {
        let data_dir = DataDir::new(self.directory.path()).lock().unwrap();
        let loaded = data_dir.billing_state(DEFAULT_ORG).unwrap();
        let order = TenantOrder::new("t-abc", "https://cloud.example.test");
        let mut issued = issue_billing_state(&order, loaded.value.unwrap(), &self.control_plane, NOW).unwrap();
        data_dir.save_billing_state(DEFAULT_ORG, &mut issued.billing, &loaded.revision).unwrap();
    }

    fn billing(&self) -> BillingState {
        DataDir::new(self.directory.path()).lock().unwrap().billing_state("default").unwrap().value.unwrap()
    }
}

#[test]
fn a_new_lease_replaces_the_old_one_and_nothing_else() {
    let tenant = Tenant::new();
    assert!(lease_refresh(&tenant.billing(), &tenant.runtime, DEFAULT_ORG, NOW).unwrap().is_some());
    let before = tenant.billing();
    let data_dir = DataDir::new(tenant.directory.path()).lock().unwrap();
    let lease = tenant.lease("t-abc", "default");
    let token = before.entitlement_refresh_token.as_ref().unwrap();
    let saved = save_refreshed_lease(&data_dir, &tenant.runtime, DEFAULT_ORG, token, &lease, NOW).unwrap();
    assert!(!saved.superseded);
    drop(data_dir);
    let after = tenant.billing();
    assert_eq!(exposed(&after.entitlement_jwt), lease);
    assert!(after.entitlement_refresh_token == before.entitlement_refresh_token);
    assert_eq!(after.stripe_customer_id.as_deref(), Some("cus_1"));
}

#[test]
fn a_lease_for_another_host_or_organization_is_not_saved() {
    // Its public URL is not set: the lease that is replaced says for which host the new one has to be.
    let tenant = Tenant::new();
    let before = tenant.billing();
    let data_dir = DataDir::new(tenant.directory.path()).lock().unwrap();
    let token = before.entitlement_refresh_token.as_ref().unwrap();
    let save = |lease: &str| save_refreshed_lease(&data_dir, &tenant.runtime, DEFAULT_ORG, token, lease, NOW);
    assert!(matches!(save(&tenant.lease("t-other", "default")), Err(Error::HostMismatch { .. })));
    assert!(matches!(save(&tenant.lease("t-abc", "org-1")), Err(Error::OrgMismatch { .. })));
    drop(data_dir);
    assert!(tenant.billing().entitlement_jwt == before.entitlement_jwt);
}

#[test]
fn a_final_refusal_clears_lease_and_token_and_says_expired() {
    let tenant = Tenant::new();
    let token = tenant.billing().entitlement_refresh_token.unwrap();
    let data_dir = DataDir::new(tenant.directory.path()).lock().unwrap();
    assert!(!clear_lost_lease(&data_dir, DEFAULT_ORG, &token).unwrap().superseded);
    // What comes of a request that was under way is too late.
    let lease = tenant.lease("t-abc", "default");
    let late = save_refreshed_lease(&data_dir, &tenant.runtime, DEFAULT_ORG, &token, &lease, NOW);
    assert!(late.unwrap().superseded);
    assert!(clear_lost_lease(&data_dir, DEFAULT_ORG, &token).unwrap().superseded);
    assert!(clear_lost_lease(&data_dir, DEFAULT_ORG, &Secret::default()).unwrap().superseded);
    drop(data_dir);
    let billing = tenant.billing();
    assert!(billing.entitlement_jwt.is_none() && billing.entitlement_refresh_token.is_none());
    assert_eq!(
        (billing.subscription_state.clone(), billing.stripe_customer_id.as_deref()),
        (Some("expired".into()), Some("cus_1"))
    );
    assert!(lease_refresh(&billing, &tenant.runtime, DEFAULT_ORG, NOW).unwrap().is_none());
}

/// The control plane may issue a lease while it answers a refresh of the one before.
#[test]
fn a_lease_that_was_issued_meanwhile_is_neither_cleared_nor_replaced() {
    let tenant = Tenant::new();
    let asked_with = tenant.billing().entitlement_refresh_token.unwrap();
    tenant.reissue();
    let issued = tenant.billing();
    let data_dir = DataDir::new(tenant.directory.path()).lock().unwrap();
    for refused in [&asked_with, &Secret::default(), &Secret::from("etr_hosted_0")] {
        let cleared = clear_lost_lease(&data_dir, DEFAULT_ORG, refused).unwrap();
        let lease = tenant.lease("t-abc", "default");
        let saved = save_refreshed_lease(&data_dir, &tenant.runtime, DEFAULT_ORG, refused, &lease, NOW).unwrap();
        assert!(cleared.superseded && saved.superseded);
    }
    drop(data_dir);
    let after = tenant.billing();
    assert!(after.entitlement_jwt == issued.entitlement_jwt);
    assert!(after.entitlement_refresh_token == issued.entitlement_refresh_token);
    assert_eq!(after.subscription_state, issued.subscription_state);
}

/// Nothing says for which host the new lease has to be.
#[test]
fn a_token_without_a_lease_is_refused() {
    let tenant = Tenant::new();
    let data_dir = DataDir::new(tenant.directory.path()).lock().unwrap();
    let loaded = data_dir.billing_state(DEFAULT_ORG).unwrap();
    let mut billing = loaded.value.unwrap();
    billing.entitlement_jwt = None;
    data_dir.save_billing_state(DEFAULT_ORG, &mut billing, &loaded.revision).unwrap();
    let token = billing.entitlement_refresh_token.as_ref().unwrap();
    let lease = tenant.lease("t-abc", "default");
    let saved = save_refreshed_lease(&data_dir, &tenant.runtime, DEFAULT_ORG, token, &lease, NOW);
    assert!(matches!(saved, Err(Error::NoLease)));
    assert!(matches!(clear_lost_lease(&data_dir, DEFAULT_ORG, token), Err(Error::NoLease)));
}

/// The organizations of a self-hosted runtime have leases of their own, below `orgs/`.
#[test]
fn the_lease_of_another_organization_is_refreshed_where_it_is() {
    let tenant = Tenant::new();
    let data_dir = DataDir::new(tenant.directory.path()).lock().unwrap();
    let mut billing = BillingState::default();
    billing.entitlement_jwt = Some(tenant.lease("t-abc", "org-1").into());
    billing.entitlement_refresh_token = Some("etr_hosted_0123".into());
    data_dir.save_billing_state("org-1", &mut billing, &Revision::ABSENT).unwrap();

    assert!(lease_refresh(&billing, &tenant.runtime, "org-1", NOW).unwrap().is_some());
    assert!(matches!(lease_refresh(&billing, &tenant.runtime, DEFAULT_ORG, NOW), Err(Error::OrgMismatch { .. })));
    let (own, foreign) = (tenant.lease("t-abc", "org-1"), tenant.lease("t-abc", "default"));
    let save = |lease: &str| {
        let token = billing.entitlement_refresh_token.as_ref().unwrap();
        save_refreshed_lease(&data_dir, &tenant.runtime, "org-1", token, lease, NOW)
    };
    let refused = save(&foreign);
    assert!(matches!(refused, Err(Error::OrgMismatch { .. })), "{refused:?}");
    assert!(!save(&own).unwrap().superseded);
    let stored = |org: &str| data_dir.billing_state(org).unwrap().value.unwrap().entitlement_jwt;
    assert_eq!(exposed(&stored("org-1")), own);
    assert!(!clear_lost_lease(&data_dir, "org-1", &billing.entitlement_refresh_token.unwrap()).unwrap().superseded);
    assert!(stored("org-1").is_none() && stored(DEFAULT_ORG).is_some());
}

#[test]
fn an_answer_may_be_twice_as_long_as_a_token() {
    use pulse_trust::entitlement::RefreshRequest;
    use pulse_trust::token::MAX_TOKEN_LEN;
    let tenant = Tenant::new();
    let request = RefreshRequest::new("default", "t-abc.cloud.example.test", "etr_hosted_0");
    let answer = |length: usize| {
        let body = format!(r#"{{"entitlement_jwt":"{}"}}"#, tenant.lease("t-abc", "default"));
        request.accept(format!("{body:<length$}").as_bytes(), &tenant.runtime.keys, NOW).map(|_| ())
    };
    let limit = 2 * MAX_TOKEN_LEN;
    assert_eq!(answer(limit), Ok(()));
    for received in [limit + 1, limit + 100] {
        assert_error!(
            answer(received).unwrap_err(),
            TokenTooLarge { what: "refresh answer", limit: limit, received: received }
        );
    }
}
