import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { openPage, scratch } from "./page.mjs";

const verdict = (page) => page.locator("#verdict").textContent();
const scanned = (page) => page.getByRole("textbox", { name: "Pairing code" });

/** Makes the example's code: its text, and the element that shows it. */
async function example(page) {
  await page.getByRole("button", { name: "Fill in an example" }).click();
  await page.getByRole("button", { name: "Make the code" }).click();
  const compact = await page.getByLabel("Compact code").inputValue();
  return { compact, qr: page.getByRole("img", { name: "QR code of the pairing code" }) };
}

/** Gives the section a file as dropping or pasting does. */
function give(page, kind, base64, type) {
  const job = ([kind, base64, type]) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "code", { type }));
    const event =
      kind === "drop"
        ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    document.getElementById("scanned").dispatchEvent(event);
  };
  return page.evaluate(job, [kind, base64, type]);
}

test("an image file with a QR code is read: chosen, dropped and pasted", async (t) => {
  const page = await openPage(t);
  const { compact, qr } = await example(page);
  const png = await qr.screenshot();

  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Open image" }).click();
  await (await chooser).setFiles({ name: "code.png", mimeType: "image/png", buffer: png });
  await page.locator("#report").waitFor();
  assert.equal(await scanned(page).inputValue(), compact);
  assert.equal(await verdict(page), "The code passes every check");

  for (const kind of ["drop", "paste"]) {
    await page.getByRole("button", { name: "Clear" }).click();
    await give(page, kind, png.toString("base64"), "image/png");
    await page.locator("#report").waitFor();
    assert.equal(await scanned(page).inputValue(), compact, kind);
  }

  const svg = await qr.locator("svg").evaluate((svg) => new XMLSerializer().serializeToString(svg));
  await page.getByRole("button", { name: "Clear" }).click();
  await give(page, "drop", Buffer.from(svg).toString("base64"), "image/svg+xml");
  await page.locator("#report").waitFor();
  assert.equal(await scanned(page).inputValue(), compact, "svg");
});

test("a large photo of the code, turned and noisy, is read", async (t) => {
  const page = await openPage(t);
  const { compact } = await example(page);
  const photo = await page.evaluate(async () => {
    const svg = new XMLSerializer().serializeToString(document.querySelector("#qr svg"));
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 3000, height: 2200 });
    const context = canvas.getContext("2d");
    context.fillStyle = "#8a7f70";
    context.fillRect(0, 0, 3000, 2200);
    context.translate(1500, 1100);
    context.rotate(0.2);
    context.drawImage(image, -700, -700, 1400, 1400);
    const pixels = context.getImageData(0, 0, 3000, 2200);
    let state = 1;
    for (let at = 0; at < pixels.data.length; at++) {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      if (at % 4 !== 3) pixels.data[at] += ((state >> 16) % 61) - 30;
    }
    context.putImageData(pixels, 0, 0);
    return canvas.toDataURL("image/jpeg", 0.7).split(",")[1];
  });
  await give(page, "drop", photo, "image/jpeg");
  await page.locator("#report").waitFor();
  assert.equal(await scanned(page).inputValue(), compact);
});

test("a picture without a code, and a file that is no picture, are told apart", async (t) => {
  const page = await openPage(t);
  const status = page.locator("#check-status");
  const blank = await page.locator("h1").screenshot();
  await give(page, "drop", blank.toString("base64"), "image/png");
  await status.getByText("No QR code was found").waitFor();
  await give(page, "drop", Buffer.from("no picture").toString("base64"), "image/png");
  await status.getByText("cannot open this file as an image").waitFor();
  assert.ok(await page.locator("#report").isHidden());
});

test("a dropped text is checked", async (t) => {
  const page = await openPage(t);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/plain", "https://example.test/");
    const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
    document.getElementById("check").dispatchEvent(event);
  });
  assert.equal(await verdict(page), "Do not pair with this code");
});

test("the camera reads a code", async (t) => {
  const first = await openPage(t);
  const { compact } = await example(first);
  const luma = await first.evaluate(async () => {
    const svg = new XMLSerializer().serializeToString(document.querySelector("#qr svg"));
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const context = canvas.getContext("2d");
    context.fillStyle = "#777";
    context.fillRect(0, 0, 640, 480);
    context.drawImage(image, 90, 10, 460, 460);
    return [...context.getImageData(0, 0, 640, 480).data].filter((_, at) => at % 4 === 0);
  });
  const video = path.join(await scratch(t), "camera.y4m");
  const frame = Buffer.concat([Buffer.from("FRAME\n"), Buffer.from(luma), Buffer.alloc((640 * 480) / 2, 128)]);
  await writeFile(video, Buffer.concat([Buffer.from("YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420\n"), frame, frame]));
  assert.ok((await readFile(video)).length > 900_000);

  const fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];
  const page = await openPage(t, { http: true, arguments: [...fake, `--use-file-for-fake-video-capture=${video}`] });
  await page.getByRole("button", { name: "Use camera" }).click();
  await page.locator("#report").waitFor();
  assert.equal(await scanned(page).inputValue(), compact);
  assert.ok(await page.locator("#camera").isHidden(), "the camera goes off once a code was found");
});

test("the camera goes off with Escape, and a machine without one is told as such", async (t) => {
  const fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];
  const page = await openPage(t, { http: true, arguments: fake });
  const button = page.getByRole("button", { name: "Use camera" });
  await button.click();
  await page.locator("#check-status").getByText("The camera is on").waitFor();
  assert.equal(await button.getAttribute("aria-pressed"), "true");
  await page.keyboard.press("Escape");
  assert.equal(await button.getAttribute("aria-pressed"), "false");
  assert.equal(await page.locator("#camera").evaluate((video) => video.srcObject), null);

  const without = await openPage(t, { http: true });
  await without.getByRole("button", { name: "Use camera" }).click();
  await without.locator("#check-status.error").waitFor();
});
