import { type Hex, concat, numberToHex, size, slice } from "viem";
import {
  type Authorization,
  MalformedAuthorizationError,
  decodeAuthorization,
  encodeAuthorization,
} from "./authorization.js";
import { InvalidFieldError, bytesIn } from "./fields.js";

const SELECTOR_LENGTH = 4;
const SUFFIX_LENGTH = 2;

/** Calldata with an authorization behind it, as a function under `onlyAttested` wants it. */
export function withAuthorization(calldata: Hex, authorization: Authorization | Hex): Hex {
  const data = bytesIn("calldata", calldata);
  if (size(data) < SELECTOR_LENGTH) {
    throw new InvalidFieldError("calldata", `${size(data)} bytes, and a protected call begins with a selector of 4`);
  }
  return concat([data, authorizationSuffix(authorization)]);
}

/**
 * What follows the calldata of a protected call: the authorization and its length. viem appends it to what it encodes
 * when it is given as `dataSuffix`, to `simulateContract`, `writeContract` and `estimateContractGas`.
 *
 * @throws {MalformedAuthorizationError} when the bytes given are not an authorization.
 */
export function authorizationSuffix(authorization: Authorization | Hex): Hex {
  const encoded = encodeAuthorization(asAuthorization(authorization));
  return concat([encoded, numberToHex(size(encoded), { size: SUFFIX_LENGTH })]);
}

/**
 * Takes the calldata of a protected call apart.
 *
 * @throws {MalformedAuthorizationError} when there is no authorization behind a selector, or it does not parse.
 */
export function splitCalldata(calldata: Hex): { readonly data: Hex; readonly authorization: Authorization } {
  const all = bytesIn("calldata", calldata);
  const end = size(all) - SUFFIX_LENGTH;
  const start = end - (end < 0 ? 0 : Number(slice(all, end)));
  if (start < SELECTOR_LENGTH) {
    throw new MalformedAuthorizationError(
      "length",
      Math.max(end, 0),
      `the calldata of ${size(all)} bytes carries no authorization behind a selector`,
    );
  }
  // `slice` refuses a start at the end, where the authorization is empty.
  const encoded = start === end ? "0x" : slice(all, start, end);
  return { data: slice(all, 0, start), authorization: decodeAuthorization(encoded) };
}

/** An authorization, read strictly when it is given in bytes. */
export function asAuthorization(authorization: Authorization | Hex): Authorization {
  return typeof authorization === "string" ? decodeAuthorization(authorization) : authorization;
}
