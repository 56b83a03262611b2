// What is mutated, which artifacts hold its code, and which suites see a fault in it first.

const TASK_MANAGER = "contracts/TaskManager.sol:TaskManager";
const REGISTRY = "contracts/OperatorRegistry.sol:OperatorRegistry";
const COUNTER = "tests/forge/utils/ProtectedCounter.sol:ProtectedCounter";
const example = (name) => `contracts/examples/${name}.sol:${name}`;
const VAULT = example("TreasuryVault");
const SAFE_GUARD = example("SafeAttestationGuard");
const ACCOUNT_HOOK = example("AttestationHook");
const BEHIND_PROXY = "tests/forge/upgrade/Proxies.t.sol:CounterAfter";
const FALLBACK = "tests/forge/core/Binding.t.sol:ProtectedFallback";
const LIBRARY_CALLER = "tests/forge/utils/BLS12381Caller.sol:BLS12381Caller";
const BATCH_CALLER = "tests/forge/utils/SignatureBatchCaller.sol:SignatureBatchCaller";
const stake = (name) => `contracts/stake/${name}.sol:${name}`;
const EIGENLAYER = stake("EigenLayerStake");
const SYMBIOTIC = stake("SymbioticStake");
const EIGENLAYER_SLASHER = stake("EigenLayerSlasher");
const SYMBIOTIC_SLASHER = stake("SymbioticSlasher");
const ALLOWLIST = stake("OperatorAllowlist");
const SHARE_CAP = "tests/forge/stake/ShareCap.t.sol:ShareCapTest";
const MIRROR = "contracts/crosschain/EpochMirror.sol:EpochMirror";
const fault = (name) => `contracts/challenge/${name}.sol:${name}`;
const FAULTS = [fault("Equivocation"), fault("ConflictingObservations"), fault("FalseHandover")];
const FAULT_SUITES = ["Equivocation", "ConflictingObservations", "FalseHandover"];
const EXACT_PAYER = "tests/forge/core/ExactArguments.t.sol:ExactPayer";
const CLIENTS = [COUNTER, VAULT, BEHIND_PROXY, FALLBACK, EXACT_PAYER];

// In the order of the verification path; the rest comes last.
export const TARGETS = [
  {
    file: "contracts/TaskManager.sol",
    artifacts: [TASK_MANAGER],
    suites: ["TaskManager", "Refusals", "RecordedRoots"],
  },
  {
    file: "contracts/AttestationValidator.sol",
    callsPrecompiles: true,
    artifacts: [TASK_MANAGER],
    suites: ["Refusals", "RecordedRoots", "Epochs", "QuorumRefusals"],
  },
  {
    file: "contracts/PolicyClient.sol",
    artifacts: CLIENTS,
    suites: ["PolicyClient", "Refusals", "ExplicitIntent", "ExactArguments"],
  },
  {
    file: "contracts/types/PolicyTerms.sol",
    artifacts: CLIENTS,
    suites: ["PolicyClient", "Refusals", "ExplicitIntent"],
  },
  {
    file: "contracts/types/Pointer.sol",
    artifacts: [TASK_MANAGER, BATCH_CALLER],
    suites: ["SignatureBatch", "Batch", "RecordedRoots"],
  },
  {
    file: "contracts/libraries/Authorization.sol",
    artifacts: [TASK_MANAGER, "tests/forge/utils/AuthorizationReader.sol:AuthorizationReader"],
    suites: ["Authorization", "Refusals", "RecordedRoots"],
  },
  {
    file: "contracts/libraries/Quorum.sol",
    artifacts: [TASK_MANAGER, ...CLIENTS, "tests/forge/libraries/Quorum.t.sol:QuorumTest"],
    suites: ["Quorum", "QuorumRefusals", "PolicyClient"],
  },
  {
    file: "contracts/libraries/OperatorTable.sol",
    callsPrecompiles: true,
    artifacts: [TASK_MANAGER, REGISTRY, "tests/forge/libraries/OperatorTable.t.sol:OperatorTableTest"],
    suites: ["QuorumRefusals", "LargeSets", "OperatorTable"],
  },
  {
    file: "contracts/libraries/Bitmap.sol",
    artifacts: [EIGENLAYER_SLASHER, SYMBIOTIC_SLASHER, ...FAULTS, "tests/forge/libraries/Bitmap.t.sol:BitmapTest"],
    suites: ["Bitmap", "EigenLayerSlasher", "Equivocation"],
  },
  {
    file: "contracts/libraries/SignatureBatch.sol",
    callsPrecompiles: true,
    artifacts: [TASK_MANAGER, BATCH_CALLER],
    suites: ["SignatureBatch", "Batch", "RecordedRoots"],
  },
  {
    file: "contracts/libraries/Precompiles.sol",
    callsPrecompiles: true,
    artifacts: [
      TASK_MANAGER,
      REGISTRY,
      LIBRARY_CALLER,
      "tests/forge/libraries/BLS12381Points.t.sol:BLS12381PointsTest",
    ],
    suites: ["BLS12381", "BLS12381Points", "CurveVectors", "Batch"],
  },
  {
    file: "contracts/libraries/BLS12381.sol",
    callsPrecompiles: true,
    artifacts: [
      TASK_MANAGER,
      REGISTRY,
      LIBRARY_CALLER,
      "tests/forge/libraries/BLS12381.t.sol:BLS12381Test",
      "tests/forge/libraries/BLS12381Points.t.sol:BLS12381PointsTest",
    ],
    suites: ["BLS12381", "BLS12381Points", "CurveVectors", "OperatorTable"],
  },
  {
    file: "contracts/libraries/HashToCurve.sol",
    callsPrecompiles: true,
    artifacts: [TASK_MANAGER, REGISTRY, LIBRARY_CALLER, "tests/forge/libraries/CurveVectors.t.sol:CurveVectorsTest"],
    suites: ["CurveVectors", "BLS12381", "PrecompileFaults"],
  },
  {
    file: "contracts/OperatorRegistry.sol",
    artifacts: [REGISTRY],
    suites: ["OperatorRegistry", "Epochs", "Validators"],
  },
  {
    file: "contracts/stake/OwnerStakeSource.sol",
    artifacts: ["contracts/stake/OwnerStakeSource.sol:OwnerStakeSource"],
    suites: ["OperatorRegistry", "QuorumRefusals"],
  },
  {
    file: "contracts/stake/ShareCap.sol",
    artifacts: [EIGENLAYER, SHARE_CAP],
    suites: ["ShareCap", "EigenLayerMembers"],
  },
  {
    file: "contracts/stake/MemberStake.sol",
    artifacts: [EIGENLAYER, SYMBIOTIC],
    suites: ["EigenLayerMembers", "SymbioticStake", "EigenLayerWeights"],
  },
  {
    file: "contracts/stake/EigenLayerStake.sol",
    artifacts: [EIGENLAYER],
    suites: ["EigenLayerMembers", "EigenLayerWeights"],
  },
  {
    file: "contracts/stake/SymbioticStake.sol",
    artifacts: [SYMBIOTIC],
    suites: ["SymbioticStake", "SymbioticSlasher"],
  },
  {
    file: "contracts/stake/EpochKeeper.sol",
    artifacts: [stake("EpochKeeper")],
    suites: ["EpochKeeper", "KeeperOnEigenLayer", "SymbioticSlasher"],
  },
  { file: "contracts/stake/OperatorAllowlist.sol", artifacts: [ALLOWLIST], suites: ["EigenLayerMembers"] },
  { file: "contracts/stake/EigenLayerSlasher.sol", artifacts: [EIGENLAYER_SLASHER], suites: ["EigenLayerSlasher"] },
  {
    file: "contracts/stake/SymbioticSlasher.sol",
    artifacts: [SYMBIOTIC_SLASHER],
    suites: ["SymbioticSlasher", "ReporterReward"],
  },
  {
    file: "contracts/challenge/Offences.sol",
    artifacts: [EIGENLAYER_SLASHER, SYMBIOTIC_SLASHER],
    suites: ["EigenLayerSlasher", "SymbioticSlasher", "ReporterReward"],
  },
  {
    file: "contracts/challenge/ReporterReward.sol",
    artifacts: [fault("ReporterReward")],
    suites: ["ReporterReward"],
  },
  { file: "contracts/challenge/SignedFault.sol", artifacts: FAULTS, suites: FAULT_SUITES },
  { file: "contracts/challenge/DoubleStatement.sol", artifacts: FAULTS, suites: FAULT_SUITES },
  { file: "contracts/challenge/TaskStatements.sol", artifacts: FAULTS, suites: FAULT_SUITES },
  { file: "contracts/challenge/Equivocation.sol", artifacts: [fault("Equivocation")], suites: ["Equivocation"] },
  {
    file: "contracts/challenge/ConflictingObservations.sol",
    artifacts: [fault("ConflictingObservations")],
    suites: ["ConflictingObservations"],
  },
  { file: "contracts/challenge/FalseHandover.sol", artifacts: [fault("FalseHandover")], suites: ["FalseHandover"] },
  { file: "contracts/crosschain/EpochMirror.sol", artifacts: [MIRROR], suites: ["EpochMirror"] },
  {
    file: "contracts/crosschain/EpochHandover.sol",
    artifacts: [MIRROR, fault("FalseHandover")],
    suites: ["EpochMirror", "FalseHandover"],
  },
  {
    file: "contracts/crosschain/EpochSignature.sol",
    artifacts: [MIRROR, stake("EpochKeeper"), ...FAULTS],
    suites: ["EpochMirror", "EpochKeeper", ...FAULT_SUITES],
  },
  { file: "contracts/examples/TreasuryVault.sol", artifacts: [VAULT], suites: ["TreasuryVault"] },
  { file: "contracts/examples/GatedVault.sol", artifacts: [example("GatedVault")], suites: ["GatedVault"] },
  {
    file: "contracts/examples/RelayedExecutor.sol",
    artifacts: [example("RelayedExecutor")],
    suites: ["RelayedExecutor", "RelayedExecutorOfSafe"],
  },
  {
    file: "contracts/examples/SafeAttestationGuard.sol",
    artifacts: [SAFE_GUARD],
    suites: ["SafeAttestationGuard", "RelayedExecutorOfSafe"],
  },
  {
    file: "contracts/examples/AttestationHook.sol",
    artifacts: [ACCOUNT_HOOK],
    suites: ["AttestationHook", "AttestationHookInstallation"],
  },
  {
    file: "contracts/examples/TrailingAuthorization.sol",
    artifacts: [SAFE_GUARD, ACCOUNT_HOOK, "tests/forge/examples/TrailingAuthorization.t.sol:TrailingAuthorizationTest"],
    suites: ["TrailingAuthorization", "SafeAttestationGuard", "AttestationHook"],
  },
  {
    file: "contracts/examples/DelayedExit.sol",
    artifacts: [SAFE_GUARD, ACCOUNT_HOOK],
    suites: ["SafeAttestationGuard", "AttestationHook"],
  },
  // Not GatedHook: its address says what it hooks, and is found for its unmutated code.
];

// All contracts that are deployed from artifacts, so that a mutant of theirs needs no test compiled anew.
export function deployedArtifacts() {
  const all = new Set(TARGETS.flatMap((target) => target.artifacts));
  return [...all].filter((artifact) => !artifact.endsWith("Test"));
}
