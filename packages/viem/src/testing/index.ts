export { TestOperator, aggregateSignatures } from "./operators.js";
export { type SignAttestationParameters, signAttestation } from "./signAttestation.js";
