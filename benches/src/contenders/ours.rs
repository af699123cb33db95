//! This library: token text to verified claims.

use pulse_trust::entitlement::VerifiedLease;
use pulse_trust::keys::TableSize;

use crate::fixtures::Fixture;
use crate::rounds::Contender;

/// One lease at a time, under a key with tables of this size.
pub fn single(fixture: &Fixture, size: TableSize) -> Contender<'_> {
    let name = match size {
        TableSize::None => "pulse-trust, plain path, no tables".to_owned(),
        size => format!("pulse-trust, {size:?} tables"),
    };
    let (keys, checks, mut leases) = (fixture.keys(size), fixture.checks(), fixture.turns());
    Contender::new(name, move || VerifiedLease::verify(leases.turn(), &keys, &checks, fixture.now).is_ok())
}

/// So many different leases together.
pub fn bulk(fixture: &Fixture, size: TableSize, count: usize) -> Contender<'_> {
    let (keys, checks) = (fixture.keys(size), fixture.checks());
    let leases = fixture.leases(count);
    Contender::new(format!("pulse-trust, {size:?} tables, bulk of {count}"), move || {
        let leases: Vec<&str> = leases.iter().map(String::as_str).collect();
        VerifiedLease::verify_bulk(&leases, &keys, &checks, fixture.now).iter().all(Result::is_ok)
    })
    .of(count)
}
