/** Whether the account page of the SDK was built. Where CI is set its absence is a failure. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const MANIFEST = fileURLToPath(new URL("../../../src/sekisho/ui/assets/manifest.json", import.meta.url));
export const HAS_BUNDLE = existsSync(MANIFEST);

if (!HAS_BUNDLE && process.env["CI"]) throw new Error("MISSING: the account page. Run `make ui` first.");
