//! `tests/vectors/refused`: tokens that must be refused, a file each, and those that they are changes of, which must be
//! accepted. Every way to verify a token is asked: as the kind that it says, as each kind, in bulk, at the relay.

use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::Trial;
use pulse_trust::entitlement::{
    Capability, HostBinding, InspectedToken, LeaseChecks, VerifiedGrant, VerifiedLease, VerifiedLicense, VerifiedToken,
};
use pulse_trust::keys::{TrustKeySet, TrustKeys};
use pulse_trust::relay::{Admission, NoRevocations};
use pulse_trust::{ClockLeeway, Error, UnixTime};
use serde_json::Value;

use crate::common::{text, time};

/// Fewer files than that are not all of them.
const AT_LEAST: usize = 1000;

pub fn tests() -> Vec<Trial> {
    let files = files();
    assert!(files.len() >= AT_LEAST, "{} files", files.len());
    files
        .into_iter()
        .map(|path| {
            let case: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let group = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            let name = format!("refused/{group}/{}", text(&case, "name"));
            Trial::test(name, move || {
                check(&case);
                #[cfg(feature = "capi")]
                assert_eq!(crate::refused_in_c::outcome(&case), text(&case, "error"), "through the C functions");
                Ok(())
            })
        })
        .collect()
}

/// Every file of every group.
fn files() -> Vec<PathBuf> {
    let inside = |folder: PathBuf| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let groups = inside(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/refused"));
    let mut files: Vec<_> = groups.filter(|path| path.is_dir()).flat_map(inside).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

struct Question<'a> {
    token: &'a str,
    keys: TrustKeys,
    now: UnixTime,
    checks: LeaseChecks<'a>,
    capability: &'a str,
}

fn check(case: &Value) {
    let expected = text(case, "error");
    let checks = match checks(case) {
        Ok(checks) => checks,
        Err(refused) => return assert_eq!(refused.name(), expected),
    };
    let set = |kind: &str| TrustKeySet::from_setting(text(&case["keys"], kind)).unwrap();
    let question = Question {
        token: text(case, "token"),
        keys: TrustKeys::new(set("lease"), set("license")),
        now: time(case, "now"),
        checks,
        capability: text(case, "capability"),
    };
    assert_eq!(name(&question.answer()), expected);
    assert_eq!(name(&question.answer_in_bulk()), expected, "in bulk");
    if expected.is_empty() {
        return;
    }
    for (kind, accepted) in question.as_each_kind() {
        assert!(!accepted, "accepted as a {kind}");
    }
    question.inspect(expected);
    question.admit(expected);
}

impl Question<'_> {
    fn answer(&self) -> Result<(), Error> {
        VerifiedToken::verify(self.token, &self.keys, &self.checks, self.now).and_then(|token| self.grants(&token))
    }

    /// Twice the token among one that is none.
    fn answer_in_bulk(&self) -> Result<(), Error> {
        let all = [self.token, "x.y.z", self.token];
        let mut answers = VerifiedToken::verify_bulk(&all, &self.keys, &self.checks, self.now).into_iter();
        let (first, _, last) = (answers.next().unwrap(), answers.next().unwrap().unwrap_err(), answers.next().unwrap());
        assert_eq!(name(&first), name(&last));
        first.and_then(|token| self.grants(&token))
    }

    fn grants(&self, token: &VerifiedToken) -> Result<(), Error> {
        if self.capability.is_empty() {
            return Ok(());
        }
        let capability = Capability::new(self.capability);
        let counts = token.capabilities_at(self.now).contains(&capability);
        let answer = token.check_grants(&capability, self.now);
        assert_eq!(answer.is_ok(), counts, "the list and the check must agree");
        answer
    }

    /// Whether it is accepted where one kind is asked for.
    fn as_each_kind(&self) -> [(&'static str, bool); 3] {
        let wanted = |granted: Result<(), Error>| self.capability.is_empty() || granted.is_ok();
        let capability = Capability::new(self.capability);
        let lease = VerifiedLease::verify(self.token, &self.keys, &self.checks, self.now);
        let license = VerifiedLicense::verify(self.token, &self.keys, self.now);
        let grant = VerifiedGrant::verify(self.token, &self.keys, self.now);
        [
            ("lease", lease.is_ok_and(|lease| wanted(lease.check_grants(&capability, self.now)))),
            ("license", license.is_ok_and(|license| wanted(license.check_grants(&capability, self.now)))),
            ("grant", grant.is_ok_and(|grant| wanted(grant.check_grants(&capability, self.now)))),
        ]
    }

    /// A screen may show what only time or its plan makes worthless, and nothing else.
    fn inspect(&self, expected: &str) {
        let inspected = InspectedToken::inspect(self.token, &self.keys, &self.checks, self.now);
        let of_time = ["EXPIRED", "NOT_YET_VALID"];
        if of_time.contains(&expected) || !self.capability.is_empty() {
            assert!(inspected.is_ok(), "inspected: {inspected:?}");
        } else {
            assert_eq!(name(&inspected), expected, "inspected");
        }
    }

    /// The relay takes a lease for any host and organization; whatever else is refused never registers.
    fn admit(&self, expected: &str) {
        if ["HOST_MISMATCH", "ORG_MISMATCH"].contains(&expected) || text_is_of_the_caller(&self.checks, expected) {
            return;
        }
        let admission = Admission::new(self.keys.clone());
        let admitted = admission.admit(self.token, Some("secret"), &NoRevocations, self.now);
        if self.capability.is_empty() || self.capability == "relay" {
            assert!(admitted.is_err(), "it registers");
        }
    }
}

/// Whether the caller's own host is what has no normal form.
fn text_is_of_the_caller(checks: &LeaseChecks<'_>, expected: &str) -> bool {
    expected == "HOST_INVALID" && *checks != LeaseChecks::new(HostBinding::AnyHost)
}

fn checks(case: &Value) -> Result<LeaseChecks<'_>, Error> {
    let checks = LeaseChecks::new(match text(case, "host") {
        "" => HostBinding::AnyHost,
        host => HostBinding::Require(host),
    });
    let checks = match text(case, "org") {
        "" => checks,
        org => checks.with_org(org),
    };
    Ok(checks.with_leeway(ClockLeeway::new(Duration::from_secs(case["leeway"].as_u64().unwrap()))?))
}

/// The name of a refusal; empty where there is none.
fn name<T>(outcome: &Result<T, Error>) -> &'static str {
    outcome.as_ref().err().map_or("", Error::name)
}
