// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {AttestationValidator} from "./AttestationValidator.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {AttestedCall, ITaskManager} from "./interfaces/ITaskManager.sol";
import {Attestation, Intent, Policy} from "./interfaces/Protocol.sol";
import {Authorization} from "./libraries/Authorization.sol";
import {EIP712} from "solady/utils/EIP712.sol";
import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";

/// @title TaskManager
/// @notice Decides whether a call is authorized, and spends its nonce. It has no owner and cannot be upgraded.
contract TaskManager is ITaskManager, AttestationValidator, EIP712 {
    using Authorization for bytes;

    bytes32 private constant INTENT_TYPEHASH =
        keccak256("Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");
    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(bytes32 taskId,bytes32 policyId,address policyClient,uint256 nonce,uint48 issuedAt,"
        "uint48 expiration,uint8 decision,bytes32 evidence,Intent intent)"
        "Intent(address from,address to,uint256 value,bytes data,uint256 chainId)"
    );

    /// @dev 256 nonces of a client, a bit each. A struct, so that a check can return the slot that is written after it.
    struct NonceWord {
        uint256 mask;
    }

    /// @inheritdoc ITaskManager
    mapping(address policyClient => mapping(uint256 word => NonceWord)) public spentNonces;

    /// @param operatorRegistry The registry whose epochs may sign.
    constructor(IOperatorRegistry operatorRegistry) AttestationValidator(operatorRegistry) {}

    /* SPENDING */

    /// @inheritdoc ITaskManager
    function spend(
        AttestedCall calldata attestedCall,
        Policy calldata policy,
        uint48 issuanceFloor,
        bytes calldata authorization
    ) external returns (bytes32 taskId) {
        NonceWord storage word;
        uint256 newMask;
        (taskId, word, newMask) = _requireAuthorized(msg.sender, attestedCall, policy, issuanceFloor, authorization);
        // The word cannot have changed since it was read: only precompiles were called.
        word.mask = newMask;
        emit AttestationSpent(
            msg.sender, taskId, authorization.nonce(), authorization.epoch(), authorization.evidence()
        );
    }

    /// @inheritdoc ITaskManager
    function burnNonces(uint256 word, uint256 mask) external {
        spentNonces[msg.sender][word].mask |= mask;
        emit NoncesBurned(msg.sender, word, mask);
    }

    /* VIEWS */

    /// @inheritdoc ITaskManager
    function check(
        address policyClient,
        AttestedCall calldata attestedCall,
        Policy calldata policy,
        uint48 issuanceFloor,
        bytes calldata authorization
    ) external view returns (bytes32 taskId) {
        (taskId,,) = _requireAuthorized(policyClient, attestedCall, policy, issuanceFloor, authorization);
    }

    /// @inheritdoc ITaskManager
    function isSpent(address policyClient, uint256 nonce) external view returns (bool) {
        return _wordOf(policyClient, nonce).mask & _bit(nonce) != 0;
    }

    /// @inheritdoc ITaskManager
    function taskIdOf(address policyClient, bytes32 policyId, Intent calldata intent, uint256 nonce)
        external
        view
        returns (bytes32)
    {
        return _taskId(policyClient, policyId, _hashIntent(intent), nonce);
    }

    /// @inheritdoc ITaskManager
    function digestOf(Attestation calldata attestation) external view returns (bytes32) {
        return _hashTypedData(
            keccak256(
                abi.encode(
                    ATTESTATION_TYPEHASH,
                    attestation.taskId,
                    attestation.policyId,
                    attestation.policyClient,
                    attestation.nonce,
                    attestation.issuedAt,
                    attestation.expiration,
                    attestation.decision,
                    attestation.evidence,
                    _hashIntent(attestation.intent)
                )
            )
        );
    }

    /* CHECKS */

    /// @dev Checks 2 to 12, in the order of the protocol. It changes no state: `check` and `spend` share it.
    /// @return taskId The attested task.
    /// @return word The word of the nonce.
    /// @return updatedMask The word with the nonce spent.
    function _requireAuthorized(
        address policyClient,
        AttestedCall calldata attestedCall,
        Policy calldata policy,
        uint48 issuanceFloor,
        bytes calldata authorization
    ) private view returns (bytes32 taskId, NonceWord storage word, uint256 updatedMask) {
        authorization.requireWellFormed();
        _requireChainAndSender(attestedCall);
        bytes32 intentHash = _hashCall(attestedCall);
        uint256 nonce = authorization.nonce();
        taskId = _taskId(policyClient, policy.policyId, intentHash, nonce);
        _requireTask(taskId, authorization.taskId());

        uint48 issuedAt = authorization.issuedAt();
        uint48 expiration = authorization.expiration();
        _requireIssued(issuedAt);
        _requireNotExpired(expiration);
        _requireLifetime(issuedAt, expiration, policy.maxLifetime);
        _requireNotVoided(issuedAt, issuanceFloor);
        word = _wordOf(policyClient, nonce);
        uint256 mask = word.mask;
        updatedMask = mask | _bit(nonce);
        if (mask == updatedMask) revert AttestationAlreadySpent(policyClient, nonce);

        bytes32 digest = _digest(policyClient, policy.policyId, intentHash, authorization);
        _requireSigned(policy.operatorSet, policy.quorum, digest, authorization);
        if (authorization.decision() != Authorization.ALLOW) revert PolicyDenied(taskId);
    }

    /// @dev Check 3.
    function _requireChainAndSender(AttestedCall calldata attestedCall) private view {
        if (attestedCall.chainId != block.chainid) revert WrongChain(block.chainid, attestedCall.chainId);
        bool isSender;
        // In assembly: saves 40 gas of masks. A word with other bits than an address is in no attested intent, so check
        // 4 refuses it. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            isSender := eq(calldataload(attestedCall), calldataload(add(attestedCall, 0x20)))
        }
        if (!isSender) revert WrongSender(attestedCall.caller, attestedCall.from);
    }

    /// @dev Check 4.
    function _requireTask(bytes32 expected, bytes32 actual) private pure {
        if (expected != actual) revert WrongTask(expected, actual);
    }

    /// @dev Check 5, first half.
    function _requireIssued(uint48 issuedAt) private view {
        if (issuedAt > block.timestamp) revert AttestationNotYetValid(issuedAt, block.timestamp);
    }

    /// @dev Check 5, second half.
    function _requireNotExpired(uint48 expiration) private view {
        if (block.timestamp >= expiration) revert AttestationExpired(expiration, block.timestamp);
    }

    /// @dev Check 6, first half. The operators signed both times, so it does not depend on when it is made.
    function _requireLifetime(uint48 issuedAt, uint48 expiration, uint48 maxLifetime) private pure {
        uint256 latest;
        unchecked {
            // Twice 48 bits cannot overflow.
            latest = uint256(issuedAt) + maxLifetime;
        }
        if (expiration > latest) revert LifetimeTooLong(expiration, latest);
    }

    /// @dev Check 6, second half.
    function _requireNotVoided(uint48 issuedAt, uint48 issuanceFloor) private pure {
        if (issuedAt < issuanceFloor) revert AttestationVoided(issuedAt, issuanceFloor);
    }

    /* HASHES */

    function _taskId(address policyClient, bytes32 policyId, bytes32 intentHash, uint256 nonce)
        private
        view
        returns (bytes32)
    {
        return EfficientHashLib.hash(
            block.chainid, uint160(address(this)), uint160(policyClient), uint256(policyId), uint256(intentHash), nonce
        );
    }

    function _digest(address policyClient, bytes32 policyId, bytes32 intentHash, bytes calldata authorization)
        private
        view
        returns (bytes32)
    {
        return _hashTypedData(
            EfficientHashLib.hash(
                uint256(ATTESTATION_TYPEHASH),
                uint256(authorization.taskId()),
                uint256(policyId),
                uint160(policyClient),
                authorization.nonce(),
                authorization.issuedAt(),
                authorization.expiration(),
                authorization.decision(),
                uint256(authorization.evidence()),
                uint256(intentHash)
            )
        );
    }

    function _hashIntent(Intent calldata intent) private pure returns (bytes32) {
        return EfficientHashLib.hash(
            uint256(INTENT_TYPEHASH),
            uint160(intent.from),
            uint160(intent.to),
            intent.value,
            uint256(keccak256(intent.data)),
            intent.chainId
        );
    }

    /// @dev The fields `from` to `chainId` of the call are those of an intent's EIP-712 struct, with its data hashed.
    function _hashCall(AttestedCall calldata attestedCall) private pure returns (bytes32 intentHash) {
        bytes32 typeHash = INTENT_TYPEHASH;
        // In assembly: saves 500 gas of reading the fields one by one. Memory-safe: writes only after the free memory
        // pointer, and nothing there is needed afterwards.
        assembly ("memory-safe") {
            let preimage := mload(0x40)
            mstore(preimage, typeHash)
            calldatacopy(add(preimage, 0x20), add(attestedCall, 0x20), 0xa0)
            intentHash := keccak256(preimage, 0xc0)
        }
    }

    function _wordOf(address policyClient, uint256 nonce) private view returns (NonceWord storage) {
        return spentNonces[policyClient][nonce >> 8];
    }

    /// @dev Returns the bit of a nonce within its word.
    function _bit(uint256 nonce) private pure returns (uint256) {
        // The order of the operands is intended: a one is shifted to the nonce's bit.
        // forge-lint: disable-next-line(incorrect-shift)
        return 1 << (nonce & 0xff);
    }

    /// @dev Returns the EIP-712 domain. The base adds the chain's id and this contract's address.
    function _domainNameAndVersion() internal pure override returns (string memory name, string memory version) {
        return ("Assent", "1");
    }
}
