// A real anvil with the precompiles of EIP-2537, on its own port.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { type Abi, type Hex } from "viem";

const ROOT = new URL("../../../../", import.meta.url);

export type Anvil = { readonly url: string; readonly stop: () => void };

/** The mnemonic of the accounts that anvil funds. */
export const MNEMONIC = "test test test test test test test test test test test junk";

export async function startAnvil(hardfork = "osaka"): Promise<Anvil> {
  const program = new URL("node_modules/.bin/anvil", ROOT);
  if (!existsSync(program)) throw new Error("anvil is not installed: run `npm ci` in the repository's root");
  const options = ["--port", "0", "--hardfork", hardfork];
  const child = spawn(program.pathname, options, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (status) => reject(new Error(`anvil ended with ${status}: ${output}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const [, address] = /Listening on (\S+)/.exec(output) ?? [];
      if (address !== undefined) resolve(`http://${address}`);
    });
  });
  return { url, stop: () => child.kill() };
}

/** What forge made of a contract. */
export function artifact(name: string): { readonly abi: Abi; readonly bytecode: Hex } {
  const path = new URL(`out/${name}.sol/${name}.json`, ROOT);
  if (!existsSync(path)) {
    throw new Error(`${name} is not compiled: run \`npx forge build contracts\` in the repository's root`);
  }
  const { abi, bytecode } = JSON.parse(readFileSync(path, "utf8")) as { abi: Abi; bytecode: { object: Hex } };
  return { abi, bytecode: bytecode.object };
}

/** A file of the repository, by its path from the root. */
export function repositoryFile(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}
