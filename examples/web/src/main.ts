import { load } from "@pulse/trust";
import wasm from "@pulse/trust/pulse_trust.wasm";

import { CheckSection } from "./check_section.ts";
import { byId } from "./dom.ts";
import { MakeSection } from "./make_section.ts";

try {
  const pulse = await load(wasm);
  const check = new CheckSection(pulse);
  new MakeSection(pulse, (code) => check.show(code));
  document.documentElement.dataset["ready"] = "true";
} catch (error) {
  const place = byId("load-error", HTMLElement);
  place.textContent = `The page could not start: ${String(error)}`;
  place.hidden = false;
}
