//! The evidence, as Markdown and JSON, in the shape of the blocked record that it replaces.

use std::path::Path;

use serde_json::json;

use crate::Failure;

/// One link of the chain, and what was seen of it.
pub(crate) struct Step {
    pub(crate) link: &'static str,
    pub(crate) passed: bool,
    pub(crate) seen: String,
}

/// What a record holds. No secret.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) steps: Vec<Step>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) is_external: bool,
}

impl Record {
    /// Notes and prints a link; the failure goes on to the caller.
    pub(crate) fn note<T>(&mut self, link: &'static str, outcome: Result<(T, String), Failure>) -> Result<T, Failure> {
        let (passed, seen, value) = match outcome {
            Ok((value, seen)) => (true, seen, Ok(value)),
            Err(failure) => (false, failure.to_string(), Err(failure)),
        };
        println!("{} {link}: {seen}", if passed { "ok    " } else { "BROKEN" });
        self.steps.push(Step { link, passed, seen });
        value
    }

    pub(crate) fn first_broken(&self) -> Option<&Step> {
        self.steps.iter().find(|step| !step.passed)
    }

    fn seen(&self, link: &str) -> &str {
        self.steps.iter().find(|step| step.link == link).map_or("not reached", |step| &step.seen)
    }

    fn result(&self) -> &'static str {
        if self.first_broken().is_none() { "passed" } else { "blocked" }
    }

    fn tier(&self) -> &'static str {
        if self.is_external { "real-external-e2e" } else { "managed-runtime-exercise" }
    }

    /// Each blocking fact of the old record, with what was seen now.
    fn facts(&self) -> [(&'static str, String); 7] {
        let seen = |link: &str| self.seen(link).to_owned();
        [
            ("Tenant runtimes had no machine-owned relay registration path", seen("runtime: bootstrap")),
            ("relay.enc and activation.enc were absent beside a valid billing.json", seen("runtime: directory")),
            ("The relay reported zero connected instances", seen("relay: metric")),
            ("The relay had only the license key wired", seen("relay: keys")),
            ("The runtime could only offer a classic license token", seen("runtime: credential")),
            ("The canonical fix was in the repository, but not the running behavior", seen("relay: registration")),
            ("No test ran the whole way to a phone", seen("phone: request through the channel")),
        ]
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "# Cloud Hosted Tier Runtime Readiness Record\n\n- Date: {}\n- Gate: cloud-hosted-tier-runtime-readiness\n\
             - Assertion: RA11\n- Result: {}\n- Evidence tier: {}\n\n## Environment\n\n",
            today(),
            self.result(),
            self.tier()
        );
        for (name, value) in &self.environment {
            text.push_str(&format!("- {name}: {value}\n"));
        }
        text.push_str("\n## Blocking facts of 2026-03-25, and what was seen now\n\n");
        for (index, (fact, seen)) in self.facts().iter().enumerate() {
            text.push_str(&format!("{}. {fact}.\n   Now: {seen}\n", index.saturating_add(1)));
        }
        text.push_str("\n## Exercised flow\n\n| Link | Result | Seen |\n|---|---|---|\n");
        for step in &self.steps {
            let (result, seen) = (if step.passed { "ok" } else { "**broken**" }, step.seen.replace('|', "\\|"));
            text.push_str(&format!("| {} | {result} | {seen} |\n", step.link));
        }
        text.push_str("\n## Outcome\n\n");
        text.push_str(&match self.first_broken() {
            None => {
                "Every link holds, with no manual step from the provisioned directory to the paired phone.\n".to_owned()
            }
            Some(step) => format!("The first broken link is `{}`: {}\n", step.link, step.seen),
        });
        text
    }

    fn json(&self) -> String {
        let environment: serde_json::Map<_, _> =
            self.environment.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let facts: Vec<_> = self.facts().iter().map(|(fact, seen)| json!({"fact": fact, "seen": seen})).collect();
        let steps: Vec<_> = self
            .steps
            .iter()
            .map(|step| json!({"link": step.link, "passed": step.passed, "seen": step.seen}))
            .collect();
        let record = json!({
            "date": today(), "gate": "cloud-hosted-tier-runtime-readiness", "assertion": "RA11",
            "result": self.result(), "evidence_tier": self.tier(), "environment": environment,
            "blocking_facts": facts, "exercised_flow": steps,
            "first_broken_link": self.first_broken().map(|step| step.link),
        });
        format!("{record:#}\n")
    }

    /// Writes both forms into a directory.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(directory).map_err(Failure::from_error)?;
        for (suffix, text) in [("md", self.markdown()), ("json", self.json())] {
            let path = directory.join(format!("cloud-hosted-tier-runtime-readiness-{}.{suffix}", today()));
            std::fs::write(&path, text).map_err(Failure::from_error)?;
            println!("wrote {}", path.display());
        }
        Ok(())
    }
}

/// The UTC date (Howard Hinnant's days-to-civil algorithm).
fn today() -> String {
    let days = pulse_trust::UnixTime::now().as_secs().div_euclid(86_400);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
