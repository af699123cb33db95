import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";

import { openPage, screenshots } from "./page.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
await mkdir(screenshots, { recursive: true });

/** Those of the README, which are taken anew with UPDATE_PICTURES=1. */
const pictures = path.resolve(import.meta.dirname, "../pictures");
const shown = ["passed-light-desk.png", "refused-dark-phone.png"];

const click = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** The states that the page can be in. */
const states = {
  empty: async () => {},
  passed: async (page) => {
    await click(page, "Fill in an example");
    await click(page, "Make the code");
    await click(page, "Check this code");
    await page.getByLabel("Fingerprint that the instance shows").fill("FC:78:D9");
  },
  refused: async (page) => {
    await page.getByRole("textbox", { name: "Pairing code" }).fill(
      "pulse://connect?auth_token=t&instance_id=relay_0&relay_url=ws%3A%2F%2Frelay.example.test",
    );
    await click(page, "Check");
    await click(page, "Make the code");
  },
};

for (const colorScheme of ["light", "dark"]) {
  for (const [name, reach] of Object.entries(states)) {
    for (const [device, viewport] of Object.entries({ desk: { width: 1280, height: 900 }, phone: { width: 360, height: 780 } })) {
      test(`${name}, ${colorScheme}, ${device}: axe finds no violation`, async (t) => {
        const page = await openPage(t, { colorScheme, viewport });
        await reach(page);
        await page.screenshot({ path: path.join(screenshots, `${name}-${colorScheme}-${device}.png`), fullPage: true });
        if (process.env.UPDATE_PICTURES && shown.includes(`${name}-${colorScheme}-${device}.png`)) {
          await mkdir(pictures, { recursive: true });
          await page.locator("#check").screenshot({ path: path.join(pictures, `${name}-${colorScheme}-${device}.png`) });
        }
        await page.evaluate(axe);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations", "incomplete"] }));
        assert.ok(found.passes.length > 15, "axe looked at next to nothing");
        assert.deepEqual(
          found.violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html.slice(0, 200))]),
          [],
        );
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${overflow} px wider than the screen`);
      });
    }
  }
}
