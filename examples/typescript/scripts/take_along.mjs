// What the repository holds once, and the package takes along when it is built: the license.
import { copyFile } from "node:fs/promises";

const here = (path) => new URL(`../${path}`, import.meta.url);
await copyFile(here("../../LICENSE"), here("LICENSE"));
