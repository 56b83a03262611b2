import { type Hex, concat, numberToHex, size, slice } from "viem";
import { type Authorization, authorizationIn, decodeAuthorization, encodeAuthorization } from "./authorization.js";
import { InvalidFieldError } from "./errors/invalidField.js";
import { MalformedAuthorizationError } from "./errors/malformedAuthorization.js";
import { bytesIn } from "./fields.js";

const SELECTOR_LENGTH = 4;
const SUFFIX_LENGTH = 2;

export type WithAuthorizationParameters = {
  /** The calldata of the call, with its selector. */
  readonly calldata: Hex;
  readonly transaction?: never;
  /** The authorization, or its bytes. */
  readonly authorization: Authorization | Hex;
};

export type TransactionWithAuthorizationParameters<transaction extends { readonly data: Hex }> = {
  /** The transaction that makes the call: what viem's `sendTransaction` takes. */
  readonly transaction: transaction;
  readonly calldata?: never;
  /** The authorization, or its bytes. */
  readonly authorization: Authorization | Hex;
};

/** A transaction with an authorization. A client's own `dataSuffix` is not appended to it. */
export type TransactionWithAuthorization<transaction> = Omit<transaction, "data" | "dataSuffix"> & {
  readonly data: Hex;
  readonly dataSuffix: "0x";
};

/**
 * Appends an authorization to calldata, as a function under `onlyAttested` expects it.
 *
 * Nothing may follow the authorization. If the client has a `dataSuffix`, give the `transaction` in place of its
 * `calldata`: viem then sends it without that suffix.
 *
 * @param parameters - {@link WithAuthorizationParameters} or {@link TransactionWithAuthorizationParameters}
 * @returns The whole calldata, or the transaction with it
 * @throws {InvalidFieldError} when the calldata has no selector, the authorization is missing, or the transaction has
 * a `dataSuffix` itself
 * @throws {MalformedAuthorizationError} when the bytes given are not an authorization
 */
export function withAuthorization(parameters: WithAuthorizationParameters): Hex;
export function withAuthorization<const transaction extends { readonly data: Hex }>(
  parameters: TransactionWithAuthorizationParameters<transaction>,
): TransactionWithAuthorization<transaction>;
export function withAuthorization(
  parameters: WithAuthorizationParameters | TransactionWithAuthorizationParameters<{ readonly data: Hex }>,
): Hex | TransactionWithAuthorization<{ readonly data: Hex }> {
  const { transaction, calldata, authorization } = parameters;
  if (transaction === undefined) return attestedCalldata("calldata", calldata, authorization);
  if ((transaction as { dataSuffix?: Hex }).dataSuffix !== undefined) {
    const problem = "nothing may follow the authorization";
    throw new InvalidFieldError({ field: "transaction.dataSuffix", problem });
  }
  // viem appends the client's suffix to a transaction without one, and "0x" appends nothing.
  const data = attestedCalldata("transaction.data", transaction.data, authorization);
  return { ...transaction, data, dataSuffix: "0x" };
}

function attestedCalldata(field: string, calldata: unknown, authorization: Authorization | Hex): Hex {
  const data = bytesIn(field, calldata);
  if (size(data) < SELECTOR_LENGTH) {
    const problem = `${size(data)} bytes; the calldata of a protected call begins with a selector of 4`;
    throw new InvalidFieldError({ field, problem });
  }
  return concat([data, authorizationSuffix(authorization)]);
}

/**
 * Returns what follows the calldata of a protected call: the authorization and its length.
 *
 * `simulateContract`, `writeContract` and `estimateContractGas` append it when it is their `dataSuffix`.
 *
 * @throws {MalformedAuthorizationError} when the bytes given are not an authorization
 */
export function authorizationSuffix(authorization: Authorization | Hex): Hex {
  const encoded = encodeAuthorization(asAuthorization(authorization));
  return concat([encoded, numberToHex(size(encoded), { size: SUFFIX_LENGTH })]);
}

export type SplitCalldataReturnType = {
  /** The calldata without the authorization. */
  readonly data: Hex;
  readonly authorization: Authorization;
};

/**
 * Splits the whole calldata of a protected call.
 *
 * @param calldata - The calldata with the authorization appended
 * @returns {@link SplitCalldataReturnType}
 * @throws {MalformedAuthorizationError} when no authorization is appended, or it does not parse
 */
export function splitCalldata(calldata: Hex): SplitCalldataReturnType {
  const all = bytesIn("calldata", calldata);
  const end = size(all) - SUFFIX_LENGTH;
  const start = end - (end < 0 ? 0 : Number(slice(all, end)));
  if (start < SELECTOR_LENGTH) {
    throw new MalformedAuthorizationError({
      field: "length",
      offset: Math.max(end, 0),
      problem: `no authorization is appended to the calldata of ${size(all)} bytes`,
    });
  }
  // `slice` refuses a start at the end, where the authorization is empty.
  const encoded = start === end ? "0x" : slice(all, start, end);
  return { data: slice(all, 0, start), authorization: decodeAuthorization(encoded) };
}

/** Returns an authorization; bytes are parsed strictly. */
export function asAuthorization(authorization: Authorization | Hex): Authorization {
  return typeof authorization === "string" ? decodeAuthorization(authorization) : authorizationIn(authorization);
}
