// The worked example of docs/protocol.md, which a Rust test recomputes as well.
import type { Hex } from "viem";
import { repositoryFile } from "./anvil.js";

const [, section] = repositoryFile("docs/protocol.md").split("## Worked example");

/** A value of the example by its name. */
export function example(name: string): Hex {
  const line = section?.split("\n").find((candidate) => candidate.trim().startsWith(`${name}  `));
  const value = line?.trim().split(/\s{2,}/).at(1);
  if (value === undefined) throw new Error(`the worked example of docs/protocol.md has no ${name}`);
  return value as Hex;
}
