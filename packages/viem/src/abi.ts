// Made from the Solidity sources by scripts/generate-abi.mjs; `npm run generate` makes it anew.

/** Why an authorization is refused, in the order of the checks. */
export const refusalErrors = [
  {"inputs":[],"name":"PolicyNotSet","type":"error"},
  {"inputs":[],"name":"MalformedAuthorization","type":"error"},
  {"inputs":[{"name":"expected","type":"uint256"},{"name":"actual","type":"uint256"}],"name":"WrongChain","type":"error"},
  {"inputs":[{"name":"expected","type":"address"},{"name":"actual","type":"address"}],"name":"WrongSender","type":"error"},
  {"inputs":[{"name":"expected","type":"bytes32"},{"name":"actual","type":"bytes32"}],"name":"WrongTask","type":"error"},
  {"inputs":[{"name":"expiration","type":"uint48"},{"name":"timestamp","type":"uint256"}],"name":"AttestationExpired","type":"error"},
  {"inputs":[{"name":"expiration","type":"uint48"},{"name":"latest","type":"uint256"}],"name":"LifetimeTooLong","type":"error"},
  {"inputs":[{"name":"policyClient","type":"address"},{"name":"nonce","type":"uint256"}],"name":"AttestationAlreadySpent","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"}],"name":"UnknownEpoch","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"},{"name":"validUntil","type":"uint48"}],"name":"EpochExpired","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"}],"name":"EpochRevoked","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"},{"name":"root","type":"bytes32"}],"name":"RootNotRecorded","type":"error"},
  {"inputs":[],"name":"NonSignerOutOfRange","type":"error"},
  {"inputs":[{"name":"signed","type":"uint256"},{"name":"required","type":"uint256"}],"name":"QuorumNotReached","type":"error"},
  {"inputs":[],"name":"MalformedSignature","type":"error"},
  {"inputs":[],"name":"InvalidSignature","type":"error"},
  {"inputs":[{"name":"taskId","type":"bytes32"}],"name":"PolicyDenied","type":"error"},
] as const;

/** A chain that cannot make a check. */
export const chainFaultErrors = [
  {"inputs":[{"name":"precompile","type":"address"}],"name":"PrecompileMissing","type":"error"},
  {"inputs":[],"name":"InsufficientGas","type":"error"},
] as const;

/** What client and TaskManager refuse their owners. */
export const administrationErrors = [
  {"inputs":[],"name":"AssentAlreadyInitialized","type":"error"},
  {"inputs":[{"name":"taskManager","type":"address"}],"name":"AssentInvalidTaskManager","type":"error"},
  {"inputs":[{"name":"policyId","type":"bytes32"},{"name":"quorum","type":"uint16"},{"name":"maxLifetime","type":"uint48"}],"name":"AssentInvalidPolicy","type":"error"},
  {"inputs":[],"name":"InstructionMissing","type":"error"},
  {"inputs":[{"name":"caller","type":"address"}],"name":"NotOperatorRegistry","type":"error"},
] as const;

/** Every protected contract's own part, and why it refuses. */
export const policyClientAbi = [
  {"anonymous":false,"inputs":[{"indexed":true,"name":"policyId","type":"bytes32"},{"indexed":false,"name":"operatorSet","type":"uint32"},{"indexed":false,"name":"quorum","type":"uint16"},{"indexed":false,"name":"maxLifetime","type":"uint48"}],"name":"AssentPolicyChanged","type":"event"},
  {"anonymous":false,"inputs":[{"indexed":false,"name":"taskManager","type":"address"}],"name":"AssentTaskManagerChanged","type":"event"},
  {"inputs":[],"name":"assentPolicy","outputs":[{"components":[{"name":"policyId","type":"bytes32"},{"name":"operatorSet","type":"uint32"},{"name":"quorum","type":"uint16"},{"name":"maxLifetime","type":"uint48"}],"name":"","type":"tuple"}],"stateMutability":"view","type":"function"},
  {"inputs":[],"name":"assentTaskManager","outputs":[{"name":"","type":"address"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"word","type":"uint256"},{"name":"mask","type":"uint256"}],"name":"burnAssentNonces","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[{"components":[{"name":"from","type":"address"},{"name":"to","type":"address"},{"name":"value","type":"uint256"},{"name":"data","type":"bytes"},{"name":"chainId","type":"uint256"}],"name":"intent","type":"tuple"},{"name":"caller","type":"address"},{"name":"authorization","type":"bytes"}],"name":"checkAssentAuthorization","outputs":[{"name":"taskId","type":"bytes32"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"components":[{"name":"policyId","type":"bytes32"},{"name":"operatorSet","type":"uint32"},{"name":"quorum","type":"uint16"},{"name":"maxLifetime","type":"uint48"}],"name":"newPolicy","type":"tuple"}],"name":"setAssentPolicy","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[{"name":"newTaskManager","type":"address"}],"name":"setAssentTaskManager","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[],"name":"PolicyNotSet","type":"error"},
  {"inputs":[],"name":"MalformedAuthorization","type":"error"},
  {"inputs":[{"name":"expected","type":"uint256"},{"name":"actual","type":"uint256"}],"name":"WrongChain","type":"error"},
  {"inputs":[{"name":"expected","type":"address"},{"name":"actual","type":"address"}],"name":"WrongSender","type":"error"},
  {"inputs":[{"name":"expected","type":"bytes32"},{"name":"actual","type":"bytes32"}],"name":"WrongTask","type":"error"},
  {"inputs":[{"name":"expiration","type":"uint48"},{"name":"timestamp","type":"uint256"}],"name":"AttestationExpired","type":"error"},
  {"inputs":[{"name":"expiration","type":"uint48"},{"name":"latest","type":"uint256"}],"name":"LifetimeTooLong","type":"error"},
  {"inputs":[{"name":"policyClient","type":"address"},{"name":"nonce","type":"uint256"}],"name":"AttestationAlreadySpent","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"}],"name":"UnknownEpoch","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"},{"name":"validUntil","type":"uint48"}],"name":"EpochExpired","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"}],"name":"EpochRevoked","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"},{"name":"root","type":"bytes32"}],"name":"RootNotRecorded","type":"error"},
  {"inputs":[],"name":"NonSignerOutOfRange","type":"error"},
  {"inputs":[{"name":"signed","type":"uint256"},{"name":"required","type":"uint256"}],"name":"QuorumNotReached","type":"error"},
  {"inputs":[],"name":"MalformedSignature","type":"error"},
  {"inputs":[],"name":"InvalidSignature","type":"error"},
  {"inputs":[{"name":"taskId","type":"bytes32"}],"name":"PolicyDenied","type":"error"},
  {"inputs":[],"name":"AssentAlreadyInitialized","type":"error"},
  {"inputs":[{"name":"taskManager","type":"address"}],"name":"AssentInvalidTaskManager","type":"error"},
  {"inputs":[{"name":"policyId","type":"bytes32"},{"name":"quorum","type":"uint16"},{"name":"maxLifetime","type":"uint48"}],"name":"AssentInvalidPolicy","type":"error"},
] as const;

/** The contract that clients ask. */
export const taskManagerAbi = [
  {"inputs":[],"name":"InstructionMissing","type":"error"},
  {"inputs":[{"name":"caller","type":"address"}],"name":"NotOperatorRegistry","type":"error"},
  {"anonymous":false,"inputs":[{"indexed":true,"name":"policyClient","type":"address"},{"indexed":true,"name":"taskId","type":"bytes32"},{"indexed":false,"name":"nonce","type":"uint256"}],"name":"AttestationSpent","type":"event"},
  {"anonymous":false,"inputs":[{"indexed":true,"name":"epoch","type":"uint32"},{"indexed":true,"name":"operatorSet","type":"uint32"},{"indexed":false,"name":"table","type":"address"},{"indexed":false,"name":"validUntil","type":"uint48"}],"name":"EpochUpdated","type":"event"},
  {"anonymous":false,"inputs":[{"indexed":true,"name":"policyClient","type":"address"},{"indexed":true,"name":"word","type":"uint256"},{"indexed":false,"name":"mask","type":"uint256"}],"name":"NoncesBurned","type":"event"},
  {"anonymous":false,"inputs":[{"indexed":true,"name":"epoch","type":"uint32"},{"indexed":true,"name":"root","type":"bytes32"},{"indexed":false,"name":"signedWeight","type":"uint256"},{"indexed":false,"name":"totalWeight","type":"uint256"}],"name":"RootRecorded","type":"event"},
  {"inputs":[],"name":"OPERATOR_REGISTRY","outputs":[{"name":"","type":"address"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"word","type":"uint256"},{"name":"mask","type":"uint256"}],"name":"burnNonces","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[{"name":"policyClient","type":"address"},{"components":[{"name":"caller","type":"address"},{"name":"from","type":"address"},{"name":"to","type":"address"},{"name":"value","type":"uint256"},{"name":"dataHash","type":"bytes32"},{"name":"chainId","type":"uint256"}],"name":"attestedCall","type":"tuple"},{"components":[{"name":"policyId","type":"bytes32"},{"name":"operatorSet","type":"uint32"},{"name":"quorum","type":"uint16"},{"name":"maxLifetime","type":"uint48"}],"name":"policy","type":"tuple"},{"name":"authorization","type":"bytes"}],"name":"check","outputs":[{"name":"taskId","type":"bytes32"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"components":[{"name":"taskId","type":"bytes32"},{"name":"policyId","type":"bytes32"},{"name":"policyClient","type":"address"},{"name":"nonce","type":"uint256"},{"name":"expiration","type":"uint48"},{"name":"decision","type":"uint8"},{"name":"evidence","type":"bytes32"},{"components":[{"name":"from","type":"address"},{"name":"to","type":"address"},{"name":"value","type":"uint256"},{"name":"data","type":"bytes"},{"name":"chainId","type":"uint256"}],"name":"intent","type":"tuple"}],"name":"attestation","type":"tuple"}],"name":"digestOf","outputs":[{"name":"","type":"bytes32"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"number","type":"uint32"}],"name":"epochs","outputs":[{"name":"table","type":"address"},{"name":"operatorSet","type":"uint32"},{"name":"validUntil","type":"uint48"},{"name":"expiresAt","type":"uint48"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"policyClient","type":"address"},{"name":"nonce","type":"uint256"}],"name":"isSpent","outputs":[{"name":"","type":"bool"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"number","type":"uint32"},{"components":[{"name":"root","type":"bytes32"},{"name":"signature","type":"bytes"},{"name":"nonSigners","type":"bytes"}],"name":"signedRoot","type":"tuple"}],"name":"recordRoot","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[{"name":"number","type":"uint32"},{"components":[{"name":"root","type":"bytes32"},{"name":"signature","type":"bytes"},{"name":"nonSigners","type":"bytes"}],"name":"signedRoots","type":"tuple[]"}],"name":"recordRoots","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[{"name":"epoch","type":"uint32"},{"name":"root","type":"bytes32"}],"name":"recordedRoots","outputs":[{"name":"signedWeight","type":"uint96"},{"name":"totalWeight","type":"uint96"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"components":[{"name":"caller","type":"address"},{"name":"from","type":"address"},{"name":"to","type":"address"},{"name":"value","type":"uint256"},{"name":"dataHash","type":"bytes32"},{"name":"chainId","type":"uint256"}],"name":"attestedCall","type":"tuple"},{"components":[{"name":"policyId","type":"bytes32"},{"name":"operatorSet","type":"uint32"},{"name":"quorum","type":"uint16"},{"name":"maxLifetime","type":"uint48"}],"name":"policy","type":"tuple"},{"name":"authorization","type":"bytes"}],"name":"spend","outputs":[{"name":"taskId","type":"bytes32"}],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[{"name":"policyClient","type":"address"},{"name":"word","type":"uint256"}],"name":"spentNonces","outputs":[{"name":"mask","type":"uint256"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"policyClient","type":"address"},{"name":"policyId","type":"bytes32"},{"components":[{"name":"from","type":"address"},{"name":"to","type":"address"},{"name":"value","type":"uint256"},{"name":"data","type":"bytes"},{"name":"chainId","type":"uint256"}],"name":"intent","type":"tuple"},{"name":"nonce","type":"uint256"}],"name":"taskIdOf","outputs":[{"name":"","type":"bytes32"}],"stateMutability":"view","type":"function"},
  {"inputs":[{"name":"number","type":"uint32"},{"components":[{"name":"table","type":"address"},{"name":"operatorSet","type":"uint32"},{"name":"validUntil","type":"uint48"},{"name":"expiresAt","type":"uint48"}],"name":"epoch","type":"tuple"}],"name":"updateEpoch","outputs":[],"stateMutability":"nonpayable","type":"function"},
  {"inputs":[],"name":"PolicyNotSet","type":"error"},
  {"inputs":[],"name":"MalformedAuthorization","type":"error"},
  {"inputs":[{"name":"expected","type":"uint256"},{"name":"actual","type":"uint256"}],"name":"WrongChain","type":"error"},
  {"inputs":[{"name":"expected","type":"address"},{"name":"actual","type":"address"}],"name":"WrongSender","type":"error"},
  {"inputs":[{"name":"expected","type":"bytes32"},{"name":"actual","type":"bytes32"}],"name":"WrongTask","type":"error"},
  {"inputs":[{"name":"expiration","type":"uint48"},{"name":"timestamp","type":"uint256"}],"name":"AttestationExpired","type":"error"},
  {"inputs":[{"name":"expiration","type":"uint48"},{"name":"latest","type":"uint256"}],"name":"LifetimeTooLong","type":"error"},
  {"inputs":[{"name":"policyClient","type":"address"},{"name":"nonce","type":"uint256"}],"name":"AttestationAlreadySpent","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"}],"name":"UnknownEpoch","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"},{"name":"validUntil","type":"uint48"}],"name":"EpochExpired","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"}],"name":"EpochRevoked","type":"error"},
  {"inputs":[{"name":"epoch","type":"uint32"},{"name":"root","type":"bytes32"}],"name":"RootNotRecorded","type":"error"},
  {"inputs":[],"name":"NonSignerOutOfRange","type":"error"},
  {"inputs":[{"name":"signed","type":"uint256"},{"name":"required","type":"uint256"}],"name":"QuorumNotReached","type":"error"},
  {"inputs":[],"name":"MalformedSignature","type":"error"},
  {"inputs":[],"name":"InvalidSignature","type":"error"},
  {"inputs":[{"name":"taskId","type":"bytes32"}],"name":"PolicyDenied","type":"error"},
] as const;
