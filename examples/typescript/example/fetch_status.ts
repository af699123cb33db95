// node dist-test/example/fetch_status.js PAIRING_CODE [PATH]
// Pairs with the instance of a pairing code and shows what it answers.
import { loadPulseTrust } from "@pulse/trust";

import { pairAndFetch } from "./phone.js";

const [scanned, path = "/api/status"] = process.argv.slice(2);
if (scanned === undefined) {
  console.error("usage: fetch_status PAIRING_CODE [PATH]");
  process.exit(2);
}
const { fingerprint, status, body } = await pairAndFetch(await loadPulseTrust(), scanned, path);
console.log(`identity ${fingerprint}`);
console.log(`${path}: ${status} ${body}`);
