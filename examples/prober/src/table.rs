//! A round as a table for people.

use std::fmt::Write;

use crate::probe::{Probe, Step};

const STEPS: [Step; 4] = [Step::Register, Step::Pair, Step::Request, Step::Refusal];

/// One line a probe, in columns as wide as they must be.
pub(crate) fn table(probes: &[Probe]) -> String {
    let mut rows = vec![["instance at", "phone at", "register", "pair", "request", "refusal", ""].map(str::to_owned)];
    for probe in probes {
        let [register, pair, request, refusal] =
            STEPS.map(|step| probe.milliseconds(step).map_or_else(|| "-".to_owned(), |time| format!("{time:.1} ms")));
        let verdict = match &probe.broken {
            None => "ok".to_owned(),
            Some(broken) => format!("BROKEN at {}: {}: {}", broken.step.as_str(), broken.code, broken.message),
        };
        rows.push([probe.instance_node.clone(), probe.phone_node.clone(), register, pair, request, refusal, verdict]);
    }
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(text, "{}", cells.join("  ").trim_end()).ok();
    }
    text
}
