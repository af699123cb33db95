//! A record as Markdown and JSON, in the shape of the blocked record that it answers.

use serde_json::{Value, json};

use crate::blocked_record::UnblockStep;
use crate::record::{Record, Step};
use crate::relay::Metrics;

impl Record {
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "# Cloud Hosted Tier Runtime Readiness Record\n\n- Date: {}\n- Gate: cloud-hosted-tier-runtime-readiness\n\
             - Assertion: RA11\n- Result: {}\n- Evidence tier: {}\n- Supersedes: {}\n- Began: {}\n- Ended: {}\n\n\
             ## Environment\n\n",
            self.began.date(),
            self.result(),
            self.tier(),
            self.supersession(),
            self.began.utc(),
            self.ended.utc(),
        );
        for (name, value) in &self.environment {
            text.push_str(&format!("- {name}: {value}\n"));
        }
        text.push_str("\n## Not exercised\n\n");
        for part in self.not_exercised() {
            text.push_str(&format!("- {part}\n"));
        }
        text.push_str("\n## Blocking facts of the blocked record, and what was seen now\n\n");
        for (index, fact) in self.facts().iter().enumerate() {
            text.push_str(&format!("{}. {}\n   - Now: **{}**\n", index + 1, fact.text, fact.verdict.words()));
            for link in fact.evidence {
                text.push_str(&format!("   - Evidence: {link}: {}\n", self.seen(link)));
            }
        }
        text.push_str("\n## Required unblock steps\n\n");
        for (index, step) in self.unblock_steps().iter().enumerate() {
            text.push_str(&format!("{}. {}\n", index + 1, checkbox(step)));
            for part in &step.parts {
                text.push_str(&format!("   - {}\n", checkbox(part)));
            }
        }
        text.push_str("\n## Metrics\n\n| | before | registered | phone connected |\n|---|---:|---:|---:|\n");
        let moments = [self.metrics_before, self.metrics_registered, self.metrics_paired];
        type Reading = fn(&Metrics) -> i64;
        let rows: [(&str, Reading); 2] = [
            ("pulse_relay_instance_connections", |metrics| metrics.instance_connections),
            ("pulse_relay_app_sessions", |metrics| metrics.app_sessions),
        ];
        for (name, value) in rows {
            let cells = moments.map(|at| at.as_ref().map_or_else(|| "not read".to_owned(), |at| value(at).to_string()));
            text.push_str(&format!("| `{name}` | {} |\n", cells.join(" | ")));
        }
        text.push_str("\n## Exercised flow\n\n| Link | Result | Seen |\n|---|---|---|\n");
        for step in &self.steps {
            let (result, seen) = (if step.passed { "ok" } else { "**broken**" }, step.seen.replace('|', "\\|"));
            text.push_str(&format!("| {} | {result} | {seen} |\n", step.link));
        }
        text.push_str("\n## Outcome\n\n");
        text.push_str(&match self.first_broken() {
            None if self.was_fresh => {
                "Every link holds, with no manual step from the provisioned directory to the paired phone.\n".to_owned()
            }
            None => "Every link holds. The tenant had started before, so its bootstrap was not part of this run.\n"
                .to_owned(),
            Some(step) => format!("The first broken link is `{}`: {}\n", step.link, step.seen),
        });
        text.push_str("\n## Sign-off\n\n- Name:\n- Date:\n- The phone was Pulse Mobile, version:\n");
        text
    }

    pub(crate) fn json(&self) -> String {
        let environment: serde_json::Map<_, _> =
            self.environment.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let facts: Vec<_> = self
            .facts()
            .iter()
            .map(|fact| {
                let evidence: Vec<_> =
                    fact.evidence.iter().map(|link| json!({"link": link, "seen": self.seen(link)})).collect();
                json!({"fact": fact.text, "now": fact.verdict.words(), "evidence": evidence})
            })
            .collect();
        let metrics = |at: Option<Metrics>| {
            at.map(|at| {
                json!({
                    "pulse_relay_instance_connections": at.instance_connections,
                    "pulse_relay_app_sessions": at.app_sessions,
                })
            })
        };
        let record = json!({
            "date": self.began.date(), "began": self.began.utc(), "ended": self.ended.utc(),
            "gate": "cloud-hosted-tier-runtime-readiness", "assertion": "RA11",
            "result": self.result(), "evidence_tier": self.tier(), "supersedes": self.supersession(),
            "environment": environment, "not_exercised": self.not_exercised(),
            "relay_addresses": self.exercised.relay_addresses,
            "blocking_facts": facts,
            "unblock_steps": self.unblock_steps().iter().map(step_json).collect::<Vec<_>>(),
            "metrics": {
                "before": metrics(self.metrics_before),
                "registered": metrics(self.metrics_registered),
                "phone_connected": metrics(self.metrics_paired),
            },
            "exercised_flow": self.steps.iter().map(flow_json).collect::<Vec<_>>(),
            "first_broken_link": self.first_broken().map(|step| step.link),
        });
        format!("{record:#}\n")
    }

    /// Only a successful record of the live system replaces the blocked one.
    fn supersession(&self) -> String {
        if self.tier() == "real-external-e2e" && self.result() == "passed" {
            self.supersedes.clone()
        } else {
            format!("nothing; {} stands", self.supersedes)
        }
    }

    fn seen(&self, link: &str) -> &str {
        self.step(link).map_or("not reached", |step| &step.seen)
    }
}

fn checkbox(step: &UnblockStep) -> String {
    format!("[{}] {} ({})", if step.done { "x" } else { " " }, step.text, step.why)
}

fn step_json(step: &UnblockStep) -> Value {
    let parts: Vec<Value> = step.parts.iter().map(step_json).collect();
    json!({"step": step.text, "done": step.done, "why": step.why, "parts": parts})
}

fn flow_json(step: &Step) -> Value {
    json!({"link": step.link, "passed": step.passed, "seen": step.seen})
}
