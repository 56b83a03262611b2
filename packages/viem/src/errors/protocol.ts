import { administrationErrors, chainFaultErrors, refusalErrors } from "../abi.js";

/** The custom errors of the protocol, as parts of an ABI. */
export const protocolErrors = [...refusalErrors, ...chainFaultErrors, ...administrationErrors] as const;

/** The name of every error of the protocol. */
export type RefusalName = (typeof protocolErrors)[number]["name"];
