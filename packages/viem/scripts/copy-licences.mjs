// The licences exist once, in the repository's root; npm packs no links.
import { copyFileSync } from "node:fs";

for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  copyFileSync(new URL(`../../../${licence}`, import.meta.url), new URL(`../${licence}`, import.meta.url));
}
