import { type AbiParameterToPrimitiveType, type Hex, decodeErrorResult, encodeErrorResult } from "viem";
import { chainFaultErrors, refusalErrors } from "./abi.js";
import { type RefusalName, protocolErrors } from "./errors/protocol.js";
import { guidance } from "./guidance.js";

/**
 * A refusal by the protocol, told apart by `name`, which gives `args` their types. `kind` says who can do something
 * about it:
 *
 * - `check`: a check of the authorization failed;
 * - `chain`: the chain could not make a check;
 * - `administration`: who owns the contract asked for what it does not take.
 */
export type Refusal = {
  [error in (typeof protocolErrors)[number] as error["name"]]: {
    readonly name: error["name"];
    readonly kind: KindOf<error["name"]>;
    readonly args: ArgumentsOf<error>;
    /** What happened, in a sentence with the arguments. */
    readonly explanation: string;
    /** What to do next. */
    readonly remedy: string;
    /** The bytes with which the contract reverted. */
    readonly revertData: Hex;
  };
}[RefusalName];

type KindOf<name extends RefusalName> = name extends (typeof refusalErrors)[number]["name"]
  ? "check"
  : name extends (typeof chainFaultErrors)[number]["name"]
    ? "chain"
    : "administration";

type ArgumentsOf<error extends (typeof protocolErrors)[number]> = {
  readonly [input in error["inputs"][number] as input["name"]]: AbiParameterToPrimitiveType<input>;
};

/**
 * Reads the protocol's refusal out of revert data, or out of any error that carries them in itself or in its causes:
 * those of viem, of a wallet or of a node. `undefined` for anything else: an error of the contract's own, or no revert.
 */
export function decodeRefusal(error: unknown): Refusal | undefined {
  for (const data of revertDataIn(error)) {
    const refusal = refusalIn(data);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function refusalIn(revertData: Hex): Refusal | undefined {
  try {
    const { errorName, args } = decodeErrorResult({ abi: protocolErrors, data: revertData });
    const error = protocolErrors.find(({ name }) => name === errorName);
    if (error === undefined) return undefined; // Solidity's own `Error(string)` and `Panic(uint256)`.
    const item = { abi: [error], errorName, args } as unknown as Parameters<typeof encodeErrorResult>[0];
    // The decoder lets bytes follow; the contracts never write any.
    if (encodeErrorResult(item) !== revertData) return undefined;
    return described(error, args ?? [], revertData);
  } catch {
    return undefined; // Another contract's error, or no error's encoding.
  }
}

function described(error: (typeof protocolErrors)[number], values: readonly unknown[], revertData: Hex): Refusal {
  const { explanation, remedy } = guidance[error.name];
  const args = Object.fromEntries(error.inputs.map(({ name }, position) => [name, values[position]]));
  return {
    name: error.name,
    kind: kindOf(error.name),
    args,
    explanation: explanation.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name])),
    remedy,
    revertData,
  } as Refusal;
}

function kindOf(name: RefusalName): Refusal["kind"] {
  const among = (errors: readonly { readonly name: string }[]) => errors.some((error) => error.name === name);
  if (among(refusalErrors)) return "check";
  return among(chainFaultErrors) ? "chain" : "administration";
}

/** Where errors keep what a contract returned: viem's `raw` and `data`, wrapped by wallets and nodes in their ways. */
const CARRIERS = ["raw", "data", "cause", "error", "info", "originalError", "details"] as const;

/** Every string of bytes that may be revert data, the outermost error's first. */
function* revertDataIn(error: unknown): Generator<Hex> {
  const queue: unknown[] = [error];
  const seen = new Set<unknown>();
  for (const value of queue) {
    if (seen.has(value)) continue;
    seen.add(value);
    if (typeof value === "string") {
      // Some nodes put a word before it: "Reverted 0x…".
      const [, data] = /(?:^|\s)(0x(?:[0-9a-f]{2}){4,})$/i.exec(value) ?? [];
      if (data !== undefined) yield data.toLowerCase() as Hex;
    } else if (typeof value === "object" && value !== null) {
      queue.push(...CARRIERS.map((key) => (value as Record<string, unknown>)[key]));
    }
  }
}
