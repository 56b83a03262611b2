import { type Hex, concat, numberToHex, size, slice } from "viem";
import { type Authorization, decodeAuthorization, encodeAuthorization } from "./authorization.js";
import { InvalidFieldError } from "./errors/invalidField.js";
import { MalformedAuthorizationError } from "./errors/malformedAuthorization.js";
import { bytesIn } from "./fields.js";

const SELECTOR_LENGTH = 4;
const SUFFIX_LENGTH = 2;

export type WithAuthorizationParameters = {
  /** The calldata of the call, with its selector. */
  readonly calldata: Hex;
  /** The authorization, or its bytes. */
  readonly authorization: Authorization | Hex;
};

/**
 * Appends an authorization to calldata, as a function under `onlyAttested` expects it.
 *
 * @param parameters - {@link WithAuthorizationParameters}
 * @returns The whole calldata
 * @throws {MalformedAuthorizationError} when the bytes given are not an authorization
 */
export function withAuthorization(parameters: WithAuthorizationParameters): Hex {
  const data = bytesIn("calldata", parameters.calldata);
  if (size(data) < SELECTOR_LENGTH) {
    const problem = `${size(data)} bytes; the calldata of a protected call begins with a selector of 4`;
    throw new InvalidFieldError({ field: "calldata", problem });
  }
  return concat([data, authorizationSuffix(parameters.authorization)]);
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
  return typeof authorization === "string" ? decodeAuthorization(authorization) : authorization;
}
