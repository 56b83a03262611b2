import {
  type Abi,
  type AbiParameter,
  type Address,
  type Hex,
  decodeFunctionData,
  getAbiItem,
  hexToBigInt,
  numberToHex,
  size,
  slice,
} from "viem";
import type { AttestationDocument } from "./document.js";
import { type Intent, checkedIntent, taskId } from "./intent.js";

/** A field in which a call differs from what was attested. */
export type Difference = {
  /** The field, as docs/protocol.md names it. */
  readonly field: string;
  readonly attested: string;
  readonly actual: string;
  /** The difference in a sentence; long values are shortened. */
  readonly sentence: string;
  /** The arguments or words of calldata that differ; empty for every other field. */
  readonly parts: readonly DifferencePart[];
};

/** A part of calldata that differs from what was attested. */
export type DifferencePart = {
  /** An argument that the ABI decodes, a word of 32 bytes, the selector, or the number of bytes. */
  readonly kind: "argument" | "word" | "selector" | "length";
  /** The argument's name, such as `order.amount`, or `argument 2`, `calldata word 2`, `selector`. */
  readonly label: string;
  /** The argument's Solidity type. */
  readonly type?: string;
  /** The offset of a word or the selector in the calldata. */
  readonly offset?: number;
  readonly attested: string;
  readonly actual: string;
};

export type DifferencesParameters = {
  readonly document: AttestationDocument;
  /** The call. */
  readonly intent: Intent;
  /** The ABI of the called function: names the arguments that differ. Without it words of calldata are named. */
  readonly abi?: Abi | readonly unknown[] | undefined;
  /** What the called contract demands, so far as it is known. */
  readonly expected?: ExpectedTask | undefined;
};

/** The values of a task that are the contract's own. */
export type ExpectedTask = {
  readonly chainId?: bigint | undefined;
  readonly taskManager?: Address | undefined;
  readonly policyClient?: Address | undefined;
  readonly policyId?: Hex | undefined;
};

/** The number of parts in a sentence. */
const PARTS_IN_SENTENCE = 3;

/** The longest value that is repeated in a sentence: an address. */
const LONGEST_VALUE = 42;

/**
 * Returns each field in which a call differs from the attested call: the cause of `WrongTask`.
 *
 * If only `taskId` differs, the document contradicts itself.
 */
export function differences({ document, intent, abi, expected = {} }: DifferencesParameters): Difference[] {
  const { attestation } = document;
  const attested = { ...attestation, chainId: document.chainId, taskManager: document.taskManager };
  const own = (["chainId", "taskManager", "policyClient", "policyId"] as const).map((field) =>
    difference(field, attested[field], expected[field] ?? attested[field]),
  );
  const compared = (["from", "to", "value", "data", "chainId"] as const).map((field) =>
    difference(`intent.${field}`, attestation.intent[field], intent[field], () =>
      field === "data" ? differingParts(attestation.intent, checkedIntent(intent), abi) : [],
    ),
  );
  const recomputed = taskId({ ...document, ...attestation });
  return [...own, ...compared, difference("taskId", attestation.taskId, recomputed)].flat();
}

function difference(
  field: string,
  attested: bigint | string,
  actual: bigint | string,
  partsOf: () => DifferencePart[] = () => [],
): Difference[] {
  const [one, other] = [String(attested), String(actual)];
  // Hex may be in either case.
  if (one.toLowerCase() === other.toLowerCase()) return [];
  const parts = partsOf();
  const label = field.replace(/^intent\./, "");
  const sentence = parts.length > 0 ? sentenceOf(parts) : compared(label, one, other);
  return [{ field, attested: one, actual: other, sentence, parts }];
}

function sentenceOf(parts: readonly DifferencePart[]): string {
  const first = parts.slice(0, PARTS_IN_SENTENCE);
  const sentences = first.map(({ label, attested, actual }) => compared(label, attested, actual));
  const more = parts.length - first.length;
  return [...sentences, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** Returns "label: 1 attested, 2 in the call", with long values shortened unless they then look the same. */
function compared(label: string, attested: string, actual: string): string {
  const short = [shortened(attested), shortened(actual)] as const;
  const [one, other] = short[0] === short[1] ? [attested, actual] : short;
  return `${label}: ${one} attested, ${other} in the call`;
}

function shortened(value: string): string {
  return value.length <= LONGEST_VALUE ? value : `${value.slice(0, 10)}…${value.slice(-8)}`;
}

function differingParts(attested: Intent, actual: Intent, abi: DifferencesParameters["abi"]): DifferencePart[] {
  const named = abi === undefined ? [] : differingArguments(attested.data, actual.data, abi as Abi);
  // Bytes that no argument decodes to can differ too.
  return named.length > 0 ? named : differingWords(attested.data, actual.data);
}

function differingArguments(attested: Hex, actual: Hex, abi: Abi): DifferencePart[] {
  if (attested.slice(0, 10) !== actual.slice(0, 10)) return [];
  try {
    const item = getAbiItem({ abi, name: attested.slice(0, 10) as Hex });
    if (item?.type !== "function") return [];
    const [one, other] = [attested, actual].map((data) => decodeFunctionData({ abi: [item], data }).args ?? []);
    return item.inputs.flatMap((parameter, index) =>
      compareValues(parameter.name || `argument ${index + 1}`, parameter, one?.[index], other?.[index]),
    );
  } catch {
    return []; // The arguments do not decode.
  }
}

/** Returns the innermost values that differ. */
function compareValues(label: string, parameter: AbiParameter, attested: unknown, actual: unknown): DifferencePart[] {
  const [one, other] = [text(attested, parameter.type), text(actual, parameter.type)];
  if (one === other) return [];
  const element = /^(.*)\[\d*\]$/.exec(parameter.type)?.[1];
  if (element !== undefined && Array.isArray(attested) && Array.isArray(actual) && attested.length === actual.length) {
    const inner = { ...parameter, type: element };
    return attested.flatMap((value, index) => compareValues(`${label}[${index}]`, inner, value, actual[index]));
  }
  if (parameter.type === "tuple" && "components" in parameter) {
    return parameter.components.flatMap((component, index) => {
      // viem decodes a tuple without names to an array.
      const key = Array.isArray(attested) ? index : (component.name ?? index);
      const [inner, otherInner] = [attested, actual].map((value) => (value as Record<string | number, unknown>)[key]);
      return compareValues(`${label}.${component.name || index + 1}`, component, inner, otherInner);
    });
  }
  return [{ kind: "argument", label, type: parameter.type, attested: one, actual: other }];
}

/** Returns a value as people write it in Solidity. */
function text(value: unknown, type: string): string {
  const list = (values: readonly unknown[]) => values.map((inner) => text(inner, type)).join(", ");
  if (Array.isArray(value)) return `[${list(value)}]`;
  if (typeof value === "object" && value !== null) return `(${list(Object.values(value))})`;
  return type.startsWith("string") ? JSON.stringify(value) : String(value);
}

function differingWords(attested: Hex, actual: Hex): DifferencePart[] {
  const parts: DifferencePart[] = [];
  if (size(attested) !== size(actual)) {
    const [one, other] = [attested, actual].map((data) => `${size(data)} bytes`) as [string, string];
    parts.push({ kind: "length", label: "calldata length", attested: one, actual: other });
  }
  const [selector, otherSelector] = [chunk(attested, 0, 4), chunk(actual, 0, 4)];
  if (selector !== otherSelector) {
    parts.push({ kind: "selector", label: "selector", offset: 0, attested: selector, actual: otherSelector });
  }
  const end = Math.min(size(attested), size(actual));
  for (let offset = 4; offset < end; offset += 32) {
    const [one, other] = [chunk(attested, offset, 32), chunk(actual, offset, 32)];
    const length = Math.min(one.length, other.length);
    if (one.slice(0, length) === other.slice(0, length)) continue;
    const label = `calldata word ${(offset - 4) / 32 + 1}`;
    parts.push({ kind: "word", label, offset, attested: word(one), actual: word(other) });
  }
  return parts;
}

function chunk(data: Hex, offset: number, length: number): Hex {
  const end = Math.min(offset + length, size(data));
  return offset >= end ? "0x" : slice(data, offset, end);
}

/** Returns a word without its leading zeros, as numbers and addresses are compared. */
function word(bytes: Hex): string {
  return size(bytes) === 32 ? numberToHex(hexToBigInt(bytes)) : bytes;
}
