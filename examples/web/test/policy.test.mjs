import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage } from "./page.mjs";

test("the page's policy lets nothing in and nothing out", async (t) => {
  const page = await openPage(t, { http: true, expectBlocked: true });
  const outcome = await page.evaluate(async () => {
    const blocked = [];
    document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
    const refused = await fetch("/other").then(
      () => "fetched",
      () => "refused",
    );
    const script = document.createElement("script");
    script.textContent = "globalThis.injected = true";
    document.body.append(script);
    document.body.append(Object.assign(document.createElement("img"), { src: "/picture.png" }));
    document.body.append(Object.assign(document.createElement("iframe"), { src: "/frame" }));
    document.body.setAttribute("style", "color: red");
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { refused, injected: globalThis.injected === true, blocked: blocked.sort() };
  });
  assert.deepEqual(outcome, {
    refused: "refused",
    injected: false,
    blocked: ["connect-src", "frame-src", "img-src", "script-src-elem", "style-src-attr"],
  });
});
