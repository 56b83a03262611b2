// A project that depends on the packed @assent/viem: builds the intent of a call.
import assert from "node:assert/strict";
import { intentFor, intentToJson } from "@assent/viem";
import { parseAbi } from "viem";

const address = (digit) => `0x${digit.repeat(40)}`;
const intent = intentFor({
  abi: parseAbi(["function pay(address token, address recipient, uint256 amount)"]),
  functionName: "pay",
  args: [address("1"), address("2"), 250n],
  from: address("3"),
  to: address("4"),
  chainId: 1,
});
const json = JSON.parse(intentToJson(intent));
assert.equal(json.to.toLowerCase(), address("4"));
assert.match(json.data, /fa$/);
console.log("built an intent");
