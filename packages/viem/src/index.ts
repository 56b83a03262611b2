export {
  administrationErrors,
  chainFaultErrors,
  policyClientAbi,
  refusalErrors,
  taskManagerAbi,
} from "./abi.js";
export {
  type AttestedParameters,
  RefusedError,
  type Given,
  type Verdict,
  checkAuthorization,
  sendAttested,
  simulateAttested,
} from "./actions.js";
export {
  type Attestation,
  type AttestationStruct,
  type AttestationTypedData,
  attestationDigest,
  attestationStruct,
  attestationTypedData,
  attestationTypes,
  merkleRoot,
} from "./attestation.js";
export {
  type Authorization,
  type DirectAuthorization,
  MalformedAuthorizationError,
  type RecordedAuthorization,
  decodeAuthorization,
  encodeAuthorization,
} from "./authorization.js";
export { authorizationSuffix, splitCalldata, withAuthorization } from "./calldata.js";
export { type Decision, decisionByte } from "./decision.js";
export {
  type AttestationDocument,
  type Difference,
  authorizationOf,
  differences,
  parseAttestationDocument,
  recordedAuthorizationOf,
  rootOf,
} from "./document.js";
export { type AttestationDomain, type Eip712Domain, eip712Domain } from "./domain.js";
export { InvalidFieldError } from "./fields.js";
export { guidance } from "./guidance.js";
export {
  type CallByData,
  type CallByFunction,
  type Intent,
  type IntentTypedData,
  hashIntent,
  intentFor,
  intentToJson,
  intentTypedData,
  intentTypes,
  taskId,
} from "./intent.js";
export { type NoncePlace, noncePlace } from "./nonces.js";
export { type Refusal, type RefusalName, decodeRefusal, protocolErrors } from "./refusal.js";
