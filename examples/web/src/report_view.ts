import type { PairingCheck, PairingCode, PairingReport } from "@pulse/trust";

import { CHECK_TEXTS, asks, errorText } from "./check_texts.ts";
import { byId, element, say } from "./dom.ts";
import { compareFingerprints, showFingerprint } from "./fingerprint.ts";

const STATES = {
  passed: { sign: "✓", word: "Passed" },
  failed: { sign: "✗", word: "Failed" },
  not_reached: { sign: "–", word: "Not reached" },
} as const;

/** Where a report on a code is shown. */
export class ReportView {
  readonly #report = byId("report", HTMLElement);
  readonly #verdict = byId("verdict", HTMLElement);
  readonly #reason = byId("verdict-reason", HTMLElement);
  readonly #said = byId("said", HTMLElement);
  readonly #expected = byId("expected", HTMLInputElement);
  readonly #comparison = byId("comparison", HTMLElement);
  #fingerprint = "";

  constructor() {
    this.#expected.addEventListener("input", () => this.#compare());
  }

  /** Shows a report and moves the focus to its heading, which says what came of it. */
  show({ passed, checks, code }: PairingReport, scanned: string): void {
    const failed = checks.find(({ state }) => state === "failed");
    const others = checks.filter((check) => check !== failed);
    this.#report.hidden = false;
    this.#report.className = passed ? "good" : "bad";
    this.#verdict.textContent = passed ? "The code passes every check" : "Do not pair with this code";
    this.#reason.textContent =
      failed === undefined ? "Now compare the fingerprint." : CHECK_TEXTS[failed.name].failed;
    byId("verdict-sign", HTMLElement).textContent = passed ? "✓" : "✗";
    const line = (check: PairingCheck): HTMLElement => lineOf(check, asks(check.name, code, scanned));
    byId("failed-checks", HTMLElement).replaceChildren(...(failed === undefined ? [] : [line(failed)]));
    byId("failed-checks", HTMLElement).hidden = failed === undefined;
    byId("checks", HTMLElement).replaceChildren(...others.map(line));
    byId("other-checks-summary", HTMLElement).textContent = summary(others);
    byId("other-checks", HTMLDetailsElement).open = false;
    this.#said.hidden = !passed || code === undefined;
    if (passed && code !== undefined) this.#showCode(code);
    this.#verdict.focus();
  }

  /** Takes the report away, with all that it says. */
  clear(): void {
    this.#report.hidden = true;
    this.#fingerprint = "";
    this.#expected.value = "";
    this.#compare();
    for (const id of ["verdict", "verdict-sign", "verdict-reason", "failed-checks", "checks", "members", "fingerprint"]) {
      byId(id, HTMLElement).replaceChildren();
    }
  }

  #showCode(code: PairingCode): void {
    this.#fingerprint = code.identityFingerprint ?? "";
    showFingerprint(byId("fingerprint", HTMLElement), this.#fingerprint);
    this.#compare();
    const members: [name: string, value: string | undefined][] = [
      ["Instance", code.instanceId],
      ["Relay", code.relayUrl],
      ["Address", code.instanceUrl],
      ["Name", code.name],
      ["Token", "present (not shown)"],
    ];
    const rows = members.flatMap(([name, value]) =>
      value === undefined ? [] : [element("dt", name), element("dd", value)],
    );
    byId("members", HTMLElement).replaceChildren(...rows);
  }

  #compare(): void {
    switch (compareFingerprints(this.#expected.value, this.#fingerprint)) {
      case "empty":
        return say(this.#comparison, "");
      case "incomplete":
        return say(this.#comparison, "The same so far.");
      case "same":
        return say(this.#comparison, "✓ They are the same.", "good");
      case "different":
        return say(this.#comparison, "✗ They are different: do not pair.", "error");
    }
  }
}

/** What the folded list holds. */
function summary(checks: readonly PairingCheck[]): string {
  const passed = checks.filter(({ state }) => state === "passed").length;
  const open = checks.length - passed;
  if (open === 0) return `All ${passed} checks passed`;
  return `The other checks: ${passed} passed, ${open} not reached`;
}

function lineOf({ name, state, error }: PairingCheck, asked: string): HTMLElement {
  const item = element("li", "", state);
  const sign = element("span", STATES[state].sign, "sign");
  sign.setAttribute("aria-hidden", "true");
  const text = element("div", "");
  text.append(element("span", `${STATES[state].word}: `, "word"), asked);
  if (error !== undefined) text.append(element("p", errorText(error), "detail"));
  item.dataset["check"] = name;
  item.append(sign, text);
  return item;
}
