// Makes dist/index.html: script, style and WebAssembly in one file, under a policy that names the two by their hashes,
// so that the page opens from a disk and asks nobody for anything.
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const source = new URL("../src/", import.meta.url);
const target = new URL("../dist/", import.meta.url);

const bundled = await build({
  entryPoints: [fileURLToPath(new URL("main.ts", source)), fileURLToPath(new URL("style.css", source))],
  outdir: fileURLToPath(target),
  bundle: true,
  minify: true,
  write: false,
  format: "esm", // a module may wait for the WebAssembly
  target: ["es2022", "chrome100", "firefox100", "safari16"],
  conditions: ["browser"],
  loader: { ".wasm": "binary" },
  banner: { js: "/* Holds jsQR, https://github.com/cozmo/jsQR, Apache-2.0 */" },
});
const made = (ending) => bundled.outputFiles.find(({ path }) => path.endsWith(ending)).text;
// What would end the element early, written so that it does not.
const script = made(".js").replaceAll(/<\/script/gi, "<\\/script");
const style = made(".css");
if (/<\/style/i.test(style)) throw new Error("the style ends itself");

const policy = [
  "default-src 'none'",
  `script-src '${hash(script)}' 'wasm-unsafe-eval'`,
  `style-src '${hash(style)}'`,
  "img-src blob: data:", // an image file that is read, and no favicon
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const page = fill(await readFile(new URL("index.html", source), "utf8"), {
  "{{policy}}": policy,
  "/*{{style}}*/": style,
  "/*{{script}}*/": script,
});
await mkdir(target, { recursive: true });
await writeFile(new URL("index.html", target), page);
console.log(`dist/index.html: ${page.length} characters`);

function hash(text) {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function fill(template, values) {
  return Object.entries(values).reduce((text, [place, value]) => {
    const [before, after, ...more] = text.split(place);
    if (after === undefined || more.length > 0) throw new Error(`index.html has ${place} not exactly once`);
    return before + value + after;
  }, template);
}
