export {
  administrationErrors,
  chainFaultErrors,
  policyClientAbi,
  refusalErrors,
  taskManagerAbi,
} from "./abi.js";
export {
  type CheckAuthorizationParameters,
  type CheckAuthorizationReturnType,
  checkAuthorization,
} from "./actions/checkAuthorization.js";
export type {
  AttestedAction,
  AttestedParameters,
  AttestedReturnType,
  BoundAttestedAction,
  GivenAuthorization,
  Missing,
  WithAuthorization,
  WithOptionalAuthorization,
  WithoutAuthorization,
} from "./actions/attestedAction.js";
export { type ReadPolicyParameters, type ReadPolicyReturnType, readPolicy } from "./actions/readPolicy.js";
export {
  type AuthorizationTerms,
  type RequestAuthorizationParameters,
  type RequestAuthorizationReturnType,
  requestAuthorization,
} from "./actions/requestAuthorization.js";
export { sendAttested } from "./actions/sendAttested.js";
export { sendAttestedAndWait } from "./actions/sendAttestedAndWait.js";
export { simulateAttested } from "./actions/simulateAttested.js";
export {
  type Attestation,
  type AttestationStruct,
  type AttestationTypedData,
  type MerkleRootParameters,
  attestationDigest,
  attestationStruct,
  attestationTypedData,
  attestationTypes,
  merkleRoot,
} from "./attestation.js";
export {
  type Authorization,
  type DirectAuthorization,
  type EpochId,
  type RecordedAuthorization,
  decodeAuthorization,
  encodeAuthorization,
} from "./authorization.js";
export {
  type SplitCalldataReturnType,
  type TransactionWithAuthorization,
  type TransactionWithAuthorizationParameters,
  type WithAuthorizationParameters,
  authorizationSuffix,
  splitCalldata,
  withAuthorization,
} from "./calldata.js";
export { type Decision, decisionByte } from "./decision.js";
export { type AssentActions, type AssentGatewayActions, assentActions } from "./decorators/assent.js";
export {
  type Difference,
  type DifferencePart,
  type DifferencesParameters,
  type ExpectedTask,
  differences,
} from "./differences.js";
export {
  type AttestationDocument,
  authorizationOf,
  parseAttestationDocument,
  recordedAuthorizationOf,
  rootOf,
} from "./document.js";
export { type AttestationDomain, type Eip712Domain, eip712Domain, eip712DomainTypes } from "./domain.js";
export { DeniedError, type DeniedErrorType } from "./errors/denied.js";
export { GatewayError, type GatewayErrorType } from "./errors/gateway.js";
export { InvalidFieldError, type InvalidFieldErrorType } from "./errors/invalidField.js";
export {
  MalformedAuthorizationError,
  type MalformedAuthorizationErrorType,
} from "./errors/malformedAuthorization.js";
export { type RefusalName, protocolErrors } from "./errors/protocol.js";
export { RefusedError, type RefusedErrorType } from "./errors/refused.js";
export type * from "./gateway/api.js";
export { type Gateway, requestGateway } from "./gateway/request.js";
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
export { type NoncePositionReturnType, type NonceSource, noncePosition, nonceSource } from "./nonces.js";
export { type PolicyIdParameters, type RulesHashParameters, policyId, rulesHash } from "./policyId.js";
export { type Refusal, decodeRefusal } from "./refusal.js";
