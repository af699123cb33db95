//! The status page: one document without scripts, which loads itself again.

use std::fmt::Write;

use pulse_trust::UnixTime;

use crate::probe::{Probe, Step};
use crate::standing::Standing;

const STYLE: &str = include_str!("page.css");

/// The page as of now.
pub(crate) fn page(standing: &Standing, interval: u64, now: UnixTime) -> String {
    let mut html = String::with_capacity(8192);
    let (class, verdict) = verdict(standing, interval, now);
    write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{verdict} - Pulse prober</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"refresh\" content=\"{refresh}\"><style>{STYLE}</style></head><body>\
         <main><h1>Pulse prober</h1><p class=\"verdict {class}\" role=\"status\">{verdict}</p>",
        refresh = interval.clamp(5, 60),
    )
    .ok();
    match standing.at {
        None => html.push_str("<p>The first round has not ended yet.</p>"),
        Some(at) => {
            let ago = now.as_secs().saturating_sub(at);
            write!(html, "<p>Round {} ended {ago} s ago; a round begins every {interval} s.</p>", standing.rounds).ok();
            matrix(&mut html, standing);
            broken(&mut html, standing);
            history(&mut html, standing, now);
        }
    }
    html.push_str(
        "<footer>An instance registers at the node of the row with a real credential; a phone pairs with it through the node of \
         the column, verifies its identity, sends 40,000 bytes and gets them back, and a phone with an unknown token is refused. \
         <a href=\"/metrics\">Metrics</a> <a href=\"/status.json\">JSON</a></footer></main></body></html>",
    );
    html
}

/// What the page says first. A prober that has stopped looking says nothing of the relay.
fn verdict(standing: &Standing, interval: u64, now: UnixTime) -> (&'static str, String) {
    let Some(at) = standing.at else { return ("wait", "… waiting for the first round".to_owned()) };
    let late = i64::try_from(interval.saturating_mul(3).saturating_add(60)).unwrap_or(i64::MAX);
    if now.as_secs().saturating_sub(at) > late {
        return ("bad", "✗ no round has ended for too long".to_owned());
    }
    match (standing.broken(), standing.last.len()) {
        (0, all) => ("good", format!("✓ all {all} probes pass")),
        (broken, all) => ("bad", format!("✗ {broken} of {all} probes fail")),
    }
}

fn matrix(html: &mut String, standing: &Standing) {
    html.push_str("<table><caption>Last round, milliseconds of the request</caption><thead><tr><td></td>");
    for node in &standing.nodes {
        write!(html, "<th scope=\"col\">phone at {}</th>", escaped(node)).ok();
    }
    html.push_str("</tr></thead><tbody>");
    for at in &standing.nodes {
        write!(html, "<tr><th scope=\"row\">instance at {}</th>", escaped(at)).ok();
        for from in &standing.nodes {
            let seen = standing.last.iter().find(|probe| probe.instance_node == *at && probe.phone_node == *from);
            html.push_str(&seen.map_or_else(|| "<td class=\"none\">not probed</td>".to_owned(), cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
}

fn cell(probe: &Probe) -> String {
    match (&probe.broken, probe.milliseconds(Step::Request)) {
        (Some(broken), _) => format!("<td class=\"bad\">✗ {}<br>{}</td>", broken.step.as_str(), escaped(&broken.code)),
        (None, Some(time)) => format!("<td class=\"good\">✓ {time:.1}</td>"),
        (None, None) => "<td class=\"none\">-</td>".to_owned(),
    }
}

fn broken(html: &mut String, standing: &Standing) {
    if standing.broken() == 0 {
        return;
    }
    html.push_str("<h2>What broke</h2><ul>");
    for probe in &standing.last {
        let Some(broken) = &probe.broken else { continue };
        write!(
            html,
            "<li>Instance at <b>{}</b>, phone at <b>{}</b>: {} broke with <code>{}</code>: {}</li>",
            escaped(&probe.instance_node),
            escaped(&probe.phone_node),
            broken.step.as_str(),
            escaped(&broken.code),
            escaped(&broken.message),
        )
        .ok();
    }
    html.push_str("</ul>");
}

fn history(html: &mut String, standing: &Standing, now: UnixTime) {
    html.push_str("<h2>Earlier rounds</h2><ol class=\"history\">");
    for (at, passed, all) in &standing.history {
        let (class, sign) = if passed == all { ("good", "✓") } else { ("bad", "✗") };
        let ago = now.as_secs().saturating_sub(*at);
        write!(html, "<li class=\"{class}\" title=\"{passed} of {all} passed, {ago} s ago\">{sign}</li>").ok();
    }
    html.push_str("</ol>");
}

/// Text of others, as text of the page.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Broken;

    fn standing(broken: Option<Broken>) -> Standing {
        let mut standing = Standing { nodes: vec!["a".to_owned()], ..Standing::default() };
        let steps = vec![(Step::Request, 0.0123)];
        let probe = Probe {
            instance_node: "a".to_owned(),
            phone_node: "a".to_owned(),
            steps,
            broken,
            credential_ends_at: None,
        };
        standing.add(vec![probe], UnixTime::from_secs(1000));
        standing
    }

    #[test]
    fn the_page_says_what_was_seen_and_how_long_ago() {
        let good = page(&standing(None), 30, UnixTime::from_secs(1007));
        assert!(good.contains("✓ all 1 probes pass") && good.contains("✓ 12.3") && good.contains("7 s ago"), "{good}");
        let late = page(&standing(None), 30, UnixTime::from_secs(2000));
        assert!(late.contains("no round has ended for too long") && !late.contains("✓ all"), "{late}");
    }

    #[test]
    fn what_a_relay_says_is_text_of_the_page() {
        let broken = Broken::new(Step::Register, "<script>", "<img src=x onerror='alert(1)'>\"&");
        let bad = page(&standing(Some(broken)), 30, UnixTime::from_secs(1000));
        assert!(bad.contains("✗ 1 of 1 probes fail") && !bad.contains("<script") && !bad.contains("<img"), "{bad}");
        assert!(bad.contains("&lt;script&gt;") && bad.contains("onerror=&#39;alert(1)&#39;&gt;&quot;&amp;"), "{bad}");
    }
}
