import assert from "node:assert/strict";
import { test } from "node:test";
import { createWalletClient, http, zeroAddress } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { foundry } from "viem/chains";
import { decodeRefusal } from "@assent/viem";
import { MNEMONIC, artifact, startAnvil } from "./anvil.js";

test("a chain without the precompiles is told from a refusal of the authorization", async (context) => {
  const anvil = await startAnvil("cancun");
  context.after(anvil.stop);
  const account = mnemonicToAccount(MNEMONIC);
  const owner = createWalletClient({ account, chain: foundry, transport: http(anvil.url) });
  const deployment = owner.deployContract({ ...artifact("TaskManager"), args: [zeroAddress] });
  const refusal = decodeRefusal(await deployment.catch((error: unknown) => error));
  assert(refusal?.name === "PrecompileMissing");
  assert.equal(refusal.kind, "chain");
  assert.equal(refusal.args.precompile, "0x000000000000000000000000000000000000000d");
});
