// Removes what an earlier build left: `tsc` would let the output of a source stand that is no longer there.
import { rmSync } from "node:fs";

for (const directory of process.argv.slice(2)) {
  rmSync(new URL(`../${directory}`, import.meta.url), { recursive: true, force: true });
}
