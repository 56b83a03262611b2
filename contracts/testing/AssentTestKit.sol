// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {IOwnerStakeSource} from "../interfaces/IOwnerStakeSource.sol";
import {IPolicyClient} from "../interfaces/IPolicyClient.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {Attestation, EpochId, Intent, OperatorSetId, Policy} from "../interfaces/Protocol.sol";
import {Precompiles} from "../libraries/Precompiles.sol";
import {PolicyEvidence} from "../policy/PolicyEvidence.sol";
import {AssentBytecode} from "./AssentBytecode.sol";
import {AuthorizationEncoding} from "./AuthorizationEncoding.sol";
import {MerkleTree} from "./MerkleTree.sol";
import {OperatorKeys} from "./OperatorKeys.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {Test} from "forge-std/Test.sol";
import {VmSafe} from "forge-std/Vm.sol";

/// @title AssentTestKit
/// @notice Deploys Assent for the tests of a contract that inherits `PolicyClient`. The contracts have the bytecode
/// that runs on chain. Operators have real keys and sign in the EVM. It needs no FFI and no node, and nothing is
/// mocked.
///
///     contract TreasuryTest is AssentTestKit {
///         function setUp() public {
///             deployAssent();
///             treasury = new Treasury(owner, taskManager, assentPolicy());
///         }
///
///         function test_Pays() public {
///             Intent memory intent = intentOf(agent, address(treasury), 0, abi.encodeCall(Treasury.pay, (bob, 5)));
///             callAttested(intent, attest(intent));
///         }
///
///         function test_RevertWhen_OperatorsDeny() public {
///             Intent memory intent = intentOf(agent, address(treasury), 0, abi.encodeCall(Treasury.pay, (bob, 5)));
///             callRefused(intent, deny(intent), IRefusals.PolicyDenied.selector);
///         }
///     }
///
/// @dev The EVM needs the hardfork Osaka: `evm_version = "osaka"` in foundry.toml, with any compiler. Each attestation
/// has the client's next nonce and is for the client's policy. If a contract executes intents, the intent's target is
/// not the client: give the client as the second argument.
/// @dev A prank applies to the test's own calls only: the kit suspends it while it makes calls. `vm.expectRevert`
/// applies to the next call, and attesting makes calls: make the authorization first, or use `callRefused`.
abstract contract AssentTestKit is Test {
    /// @notice Thrown when the EVM lacks the BLS12-381 precompiles (EIP-2537, Prague): set `evm_version = "osaka"`.
    error PrecompilesMissing();
    /// @notice Thrown when the EVM lacks the instruction CLZ (EIP-7939, Osaka): set `evm_version = "osaka"`.
    error InstructionMissing();
    /// @notice Thrown when an attestation is made before `deployAssent()`: call it in `setUp`.
    error AssentNotDeployed();
    /// @notice Thrown when the address has no code or no policy, so that it is not the client. If a contract executes
    /// intents, give that contract as the client.
    error NotPolicyClient(address client);
    /// @notice Thrown when the client's TaskManager is not the kit's: initialize the client with `taskManager`.
    error OtherTaskManager(address client, ITaskManager asked);
    /// @notice Thrown when the kit makes calls between `vm.expectRevert` and the call it is for: make the authorization
    /// before `vm.expectRevert`, or use `callRefused`.
    error KitCalledAfterExpectRevert();
    /// @notice Thrown when a call that must be refused succeeds.
    error NotRefused(bytes4 refusal);
    /// @notice Thrown when there are fewer operators than that.
    error NoSuchOperators(uint256 nonSigners, uint256 operators);

    /// @dev The operator set of the kit's operators.
    OperatorSetId internal constant OPERATOR_SET = OperatorSetId.wrap(1);
    /// @dev How long the kit's attestations are valid if the policy allows it, in seconds.
    uint48 internal constant ATTESTATION_LIFETIME = 10 minutes;
    /// @dev How long a superseded epoch stays valid, in seconds.
    uint48 internal constant GRACE_PERIOD = 1 days;
    /// @dev How long an epoch is valid at most, in seconds.
    uint48 internal constant EPOCH_LIFETIME = 7 days;
    /// @dev How long an epoch is pending, in seconds: here each counts at once, and no change needs notice.
    uint48 internal constant ACTIVATION_DELAY = 0;
    /// @dev Each operator's weight.
    uint96 internal constant OPERATOR_WEIGHT = 100;

    address internal assentOwner = makeAddr("Assent's owner");
    IOwnerStakeSource internal ownerStakeSource;
    IOperatorRegistry internal operatorRegistry;
    ITaskManager internal taskManager;
    /// @dev The epoch whose operators sign.
    EpochId internal currentEpoch;
    /// @dev Number of operators in the epoch.
    uint256 internal operatorCount;
    /// @dev The nonce of a client's next attestation.
    mapping(address client => uint256 nonce) internal nextNonce;
    uint256 private _deployments;

    /// @dev Runs the function as if the test had no prank, and restores the prank for the test's next call.
    modifier withoutPrank() {
        bytes memory restoration = _suspendPrank();
        _refusePendingExpectRevert();
        _;
        if (restoration.length > 0) _cheat(restoration);
    }

    /* SET-UP */

    /// @dev Deploys Assent with seven operators of equal weight. If a test forks a chain, call it after that.
    function deployAssent() internal {
        deployAssent(7);
    }

    /// @dev Deploys Assent with this number of operators of equal weight.
    function deployAssent(uint256 operators) internal withoutPrank {
        _requirePrecompiles();
        _requireInstruction();
        // A test's chain begins at second 1, from which an hour cannot be subtracted.
        if (block.timestamp < 365 days) vm.warp(1_800_000_000);
        ownerStakeSource = IOwnerStakeSource(_deploy(AssentBytecode.OWNER_STAKE_SOURCE, abi.encode(assentOwner)));
        bytes memory arguments =
            abi.encode(assentOwner, ownerStakeSource, EPOCH_LIFETIME, ACTIVATION_DELAY, GRACE_PERIOD);
        operatorRegistry = IOperatorRegistry(_deploy(AssentBytecode.OPERATOR_REGISTRY, arguments));
        taskManager = ITaskManager(_deploy(AssentBytecode.TASK_MANAGER, abi.encode(operatorRegistry)));
        vm.prank(assentOwner);
        operatorRegistry.addValidator(taskManager);
        _registerOperators(operators);
        commitEpoch();
    }

    /// @dev Returns a policy with a quorum of two thirds of the weight and a lifetime of at most an hour.
    function assentPolicy() internal pure returns (Policy memory) {
        return Policy({policyId: keccak256("policy"), operatorSet: OPERATOR_SET, quorum: 6667, maxLifetime: 1 hours});
    }

    /// @dev Returns the id of the policy with these rules (their hash) and parameters (their root), which
    /// `assent policy build` prints.
    function policyIdOf(bytes32 rules, bytes32 parameters) internal pure returns (bytes32) {
        return PolicyEvidence.policyId(rules, parameters);
    }

    /// @dev Returns a call on this chain.
    function intentOf(address from, address to, uint256 value, bytes memory data)
        internal
        view
        returns (Intent memory)
    {
        return Intent({from: from, to: to, value: value, data: data, chainId: block.chainid});
    }

    /* ATTESTATIONS */

    /// @dev All operators allow the call.
    function attest(Intent memory intent) internal returns (bytes memory authorization) {
        return attest(intent, intent.to);
    }

    /// @dev The same, for a client that executes intents.
    function attest(Intent memory intent, address client) internal returns (bytes memory authorization) {
        return authorize(attestationOf(intent, client));
    }

    /// @dev All operators deny the call: refused with `PolicyDenied`.
    function deny(Intent memory intent) internal returns (bytes memory authorization) {
        return deny(intent, intent.to);
    }

    function deny(Intent memory intent, address client) internal returns (bytes memory authorization) {
        Attestation memory attestation = attestationOf(intent, client);
        attestation.decision = 0;
        return authorize(attestation);
    }

    /// @dev All operators allow the call, and the attestation has just expired: refused with `AttestationExpired`.
    function expired(Intent memory intent) internal returns (bytes memory authorization) {
        return expired(intent, intent.to);
    }

    function expired(Intent memory intent, address client) internal returns (bytes memory authorization) {
        Attestation memory attestation = attestationOf(intent, client);
        attestation.expiration = uint48(block.timestamp);
        return authorize(attestation);
    }

    /// @dev All but the first `nonSigners` operators allow the call. Below the quorum: refused with `QuorumNotReached`.
    function withNonSigners(Intent memory intent, uint256 nonSigners) internal returns (bytes memory authorization) {
        return withNonSigners(intent, intent.to, nonSigners);
    }

    function withNonSigners(Intent memory intent, address client, uint256 nonSigners)
        internal
        returns (bytes memory authorization)
    {
        return authorize(attestationOf(intent, client), nonSigners);
    }

    /// @dev Signed by a key that is no operator's: refused with `InvalidSignature`.
    function forged(Intent memory intent) internal returns (bytes memory authorization) {
        return forged(intent, intent.to);
    }

    function forged(Intent memory intent, address client) internal withoutPrank returns (bytes memory authorization) {
        Attestation memory attestation = attestationOf(intent, client);
        bytes memory signature = OperatorKeys.sign(uint256(keccak256("forger")), taskManager.digestOf(attestation));
        return AuthorizationEncoding.direct(attestation, currentEpoch, signature, "", new bytes32[](0));
    }

    /// @dev All operators allow all calls with one signature. Each authorization carries its Merkle proof.
    function batch(Intent[] memory intents) internal returns (bytes[] memory authorizations) {
        address[] memory clients = new address[](intents.length);
        for (uint256 i = 0; i < intents.length; ++i) {
            clients[i] = intents[i].to;
        }
        return batch(intents, clients);
    }

    function batch(Intent[] memory intents, address[] memory clients)
        internal
        withoutPrank
        returns (bytes[] memory authorizations)
    {
        (Attestation[] memory attestations, bytes32[] memory leaves) = _attestationsOf(intents, clients);
        bytes memory signature = _sign(MerkleTree.rootOf(leaves), 0);
        authorizations = new bytes[](intents.length);
        for (uint256 i = 0; i < intents.length; ++i) {
            authorizations[i] = AuthorizationEncoding.direct(
                attestations[i], currentEpoch, signature, "", MerkleTree.proofOf(leaves, i)
            );
        }
    }

    /// @dev The same with the batch's root recorded, so that the authorizations carry no signature.
    function recordedBatch(Intent[] memory intents, address[] memory clients)
        internal
        withoutPrank
        returns (bytes[] memory authorizations)
    {
        (Attestation[] memory attestations, bytes32[] memory leaves) = _attestationsOf(intents, clients);
        bytes32 root = MerkleTree.rootOf(leaves);
        taskManager.recordRoot(currentEpoch, SignedRoot({root: root, signature: _sign(root, 0), nonSigners: ""}));
        authorizations = new bytes[](intents.length);
        for (uint256 i = 0; i < intents.length; ++i) {
            authorizations[i] =
                AuthorizationEncoding.recorded(attestations[i], currentEpoch, MerkleTree.proofOf(leaves, i));
        }
    }

    /* ONE FIELD AT A TIME */

    /// @dev Returns what `attest` signs, for a test that changes a field first. Takes the client's next nonce.
    function attestationOf(Intent memory intent, address client) internal withoutPrank returns (Attestation memory) {
        Policy memory policy = _policyOf(client);
        return attestationOf(intent, client, policy, nextNonce[client]++);
    }

    /// @dev The same under any policy and with any nonce, also for a client without a policy.
    function attestationOf(Intent memory intent, address client, Policy memory policy, uint256 nonce)
        internal
        view
        withoutPrank
        returns (Attestation memory)
    {
        uint48 lifetime = policy.maxLifetime < ATTESTATION_LIFETIME ? policy.maxLifetime : ATTESTATION_LIFETIME;
        return Attestation({
            taskId: taskManager.taskIdOf(client, policy.policyId, intent, nonce),
            policyId: policy.policyId,
            policyClient: client,
            nonce: nonce,
            issuedAt: uint48(block.timestamp),
            expiration: uint48(block.timestamp) + lifetime,
            decision: 1,
            evidence: keccak256("evidence"),
            intent: intent
        });
    }

    /// @dev Signed by all operators.
    function authorize(Attestation memory attestation) internal view returns (bytes memory authorization) {
        return authorize(attestation, 0);
    }

    /// @dev Signed by all but the first `nonSigners` operators.
    function authorize(Attestation memory attestation, uint256 nonSigners)
        internal
        view
        withoutPrank
        returns (bytes memory authorization)
    {
        bytes memory signature = _sign(taskManager.digestOf(attestation), nonSigners);
        bytes memory bitmap = AuthorizationEncoding.firstBits(nonSigners);
        return AuthorizationEncoding.direct(attestation, currentEpoch, signature, bitmap, new bytes32[](0));
    }

    /* CALLS */

    /// @dev Makes the call with the authorization appended to the calldata: from the pranked caller if there is one,
    /// otherwise from the intent's sender. Returns the call's result or passes on its revert, so that
    /// `vm.expectRevert` before it works.
    function callAttested(Intent memory intent, bytes memory authorization) internal returns (bytes memory) {
        bytes memory data = _prepareCall(intent, authorization);
        return Address.functionCallWithValue(intent.to, data, intent.value);
    }

    /// @dev Makes the same call and requires that it reverts with the error of this selector. Returns the revert data.
    /// A call that reverts with another error reverts here with that error.
    function callRefused(Intent memory intent, bytes memory authorization, bytes4 refusal)
        internal
        returns (bytes memory revertData)
    {
        _requireNoExpectRevert();
        bytes memory data = _prepareCall(intent, authorization);
        bool success;
        (success, revertData) = intent.to.call{value: intent.value}(data);
        if (success) revert NotRefused(refusal);
        // The first four bytes are the selector.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (revertData.length < 4 || bytes4(revertData) != refusal) {
            assembly ("memory-safe") {
                revert(add(revertData, 0x20), mload(revertData))
            }
        }
    }

    /* EPOCHS */

    /// @dev Commits the next epoch, with the same operators; the previous one stays valid for the grace period.
    function commitEpoch() internal withoutPrank {
        address[] memory operators = new address[](operatorCount);
        for (uint256 i = 0; i < operatorCount; ++i) {
            operators[i] = operatorAddress(i);
        }
        vm.prank(assentOwner);
        currentEpoch = operatorRegistry.commitEpoch(OPERATOR_SET, operators);
    }

    /// @dev Revokes the epoch: all that it signed is refused with `EpochRevoked`, until `commitEpoch` begins another.
    function revokeEpoch() internal withoutPrank {
        EpochId[] memory revoked = new EpochId[](1);
        revoked[0] = currentEpoch;
        vm.prank(assentOwner);
        operatorRegistry.revokeEpochs(revoked);
    }

    /// @dev Returns the account of an operator.
    function operatorAddress(uint256 index) internal pure returns (address) {
        uint256 first = uint256(keccak256("Assent's operators")) & type(uint160).max & ~uint256(0xffff);
        // The last sixteen bits are the index, so that addresses ascend as an epoch requires.
        // forge-lint: disable-next-line(unsafe-typecast)
        return address(uint160(first + index));
    }

    /* PRIVATE */

    function _requireNoExpectRevert() private view withoutPrank {}

    /// @dev Pranks the intent's sender unless the test has a prank. Returns the calldata of the call.
    function _prepareCall(Intent memory intent, bytes memory authorization) private returns (bytes memory) {
        bytes memory restoration = _suspendPrank();
        if (restoration.length > 0) _cheat(restoration);
        else vm.prank(intent.from);
        return AuthorizationEncoding.trailing(intent.data, authorization);
    }

    /// @dev Stops the test's prank. Returns the cheatcode that restores it; empty without a prank.
    function _suspendPrank() private view returns (bytes memory restoration) {
        (VmSafe.CallerMode mode, address sender, address origin) = _readCallers();
        bool once = mode == VmSafe.CallerMode.Prank;
        if (!once && mode != VmSafe.CallerMode.RecurrentPrank) return "";
        _cheat(abi.encodeCall(vm.stopPrank, ()));
        (VmSafe.CallerMode rest, address restSender,) = _readCallers();
        // The prank of an outer call is reported too, but neither applies here nor can be stopped here.
        if (rest == mode && restSender == sender) return "";
        return abi.encodeWithSignature(once ? "prank(address,address)" : "startPrank(address,address)", sender, origin);
    }

    /// @dev Fails if the kit's next call would be taken for the one that `vm.expectRevert` expects to revert. A second
    /// `vm.expectRevert` fails while one is pending. Then a call that fails without data shows whose that is: forge
    /// changes its result unless an outer call expects the revert.
    function _refusePendingExpectRevert() private view {
        bool pending = !_cheat(abi.encodeWithSignature("expectRevert()"));
        // BLAKE2F (EIP-152) fails unless its input has 213 bytes.
        (bool success, bytes memory result) = address(9).staticcall{gas: 1000}("");
        if (pending && (success || result.length > 0)) revert KitCalledAfterExpectRevert();
    }

    function _readCallers() private view returns (VmSafe.CallerMode, address sender, address origin) {
        // What a failed call returned cannot be decoded.
        // forge-lint: disable-next-line(unchecked-call)
        (, bytes memory callers) = address(vm).staticcall(abi.encodeCall(vm.readCallers, ()));
        return abi.decode(callers, (VmSafe.CallerMode, address, address));
    }

    /// @dev A static call, so that views can be attested in too. Forge answers it like any other.
    function _cheat(bytes memory cheatcode) private view returns (bool success) {
        (success,) = address(vm).staticcall(cheatcode);
    }

    function _deploy(bytes memory creationCode, bytes memory arguments) private returns (address) {
        return Create2.deploy(0, bytes32(_deployments++), bytes.concat(creationCode, arguments));
    }

    function _registerOperators(uint256 count) private {
        operatorCount = count;
        address[] memory operators = new address[](count);
        uint96[] memory weights = new uint96[](count);
        for (uint256 i = 0; i < count; ++i) {
            (operators[i], weights[i]) = (operatorAddress(i), OPERATOR_WEIGHT);
            uint256 secret = OperatorKeys.secretKey(i);
            bytes memory key = OperatorKeys.publicKey(secret);
            bytes memory proof = OperatorKeys.proofOfPossession(secret, operatorRegistry, operators[i], key);
            vm.prank(operators[i]);
            operatorRegistry.registerOperator(key, proof);
        }
        vm.prank(assentOwner);
        ownerStakeSource.setWeights(OPERATOR_SET, operators, weights);
    }

    /// @dev Signs with all but the first `nonSigners` operators: the sum of their secrets signs as the sum of their
    /// signatures.
    function _sign(bytes32 root, uint256 nonSigners) private view returns (bytes memory) {
        if (nonSigners >= operatorCount) revert NoSuchOperators(nonSigners, operatorCount);
        uint256 sum = 0;
        for (uint256 i = nonSigners; i < operatorCount; ++i) {
            sum = addmod(sum, OperatorKeys.secretKey(i), OperatorKeys.ORDER);
        }
        return OperatorKeys.sign(sum, root);
    }

    function _attestationsOf(Intent[] memory intents, address[] memory clients)
        private
        returns (Attestation[] memory attestations, bytes32[] memory leaves)
    {
        attestations = new Attestation[](intents.length);
        leaves = new bytes32[](intents.length);
        for (uint256 i = 0; i < intents.length; ++i) {
            attestations[i] = attestationOf(intents[i], clients[i]);
            leaves[i] = taskManager.digestOf(attestations[i]);
        }
    }

    /// @dev Returns the client's policy. Reverts with the reason if no authorization could be accepted.
    function _policyOf(address client) private view returns (Policy memory policy) {
        if (address(taskManager) == address(0)) revert AssentNotDeployed();
        if (client.code.length == 0) revert NotPolicyClient(client);
        try IPolicyClient(client).assentTaskManager() returns (ITaskManager asked) {
            if (asked != taskManager) revert OtherTaskManager(client, asked);
        } catch {
            revert NotPolicyClient(client);
        }
        return IPolicyClient(client).assentPolicy();
    }

    function _requirePrecompiles() private view {
        // Infinity plus infinity is infinity. A call of a missing precompile succeeds too, but returns nothing.
        (bool success, bytes memory sum) = Precompiles.G1ADD.staticcall(new bytes(256));
        if (!success || sum.length != 128) revert PrecompilesMissing();
    }

    /// @dev The code is bytes, since this file also compiles for an EVM without CLZ: it creates an account whose code
    /// is clz(0).
    function _requireInstruction() private {
        bytes memory creationCode = hex"5f1e5f5260205ff3";
        address account;
        assembly ("memory-safe") {
            account := create(0, add(creationCode, 0x20), mload(creationCode))
        }
        if (account == address(0)) revert InstructionMissing();
    }
}
