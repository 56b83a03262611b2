// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPolicyClient} from "./interfaces/IPolicyClient.sol";
import {AttestedCall, ITaskManager} from "./interfaces/ITaskManager.sol";
import {IRefusals, Intent, MAX_EPOCH_LIFETIME, OperatorSetId, Policy} from "./interfaces/Protocol.sol";
import {
    ISSUANCE_FLOOR_MASK,
    ISSUANCE_FLOOR_SHIFT,
    MAX_LIFETIME_SHIFT,
    OPERATOR_SET_MASK,
    OPERATOR_SET_SHIFT,
    PolicyTerms,
    PolicyTermsLibrary,
    QUORUM_MASK,
    QUORUM_SHIFT,
    TASK_MANAGER_MASK
} from "./types/PolicyTerms.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title PolicyClient
/// @notice The base of a contract that refuses calls that operators have not authorized. Either mark a function
/// `onlyAttested`, or pass an intent to `_assentExecute`. Give the client its policy in the constructor or initializer
/// with `_assentInitialize`; until then every protected call is refused.
/// @dev All state is in one ERC-7201 namespace, so that a deployed contract behind a proxy can inherit it.
/// @dev It takes no names from its host: each name contains "assent" except `onlyAttested`, and what begins with an
/// underscore is internal. Refusals revert with the errors of `IRefusals`, which is no base of this contract.
abstract contract PolicyClient is IPolicyClient {
    /// @custom:storage-location erc7201:assent.storage.PolicyClient
    struct AssentStorage {
        PolicyTerms terms;
        bytes32 policyId;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("assent.storage.PolicyClient")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant _ASSENT_STORAGE = 0x775bcae047544c0ff1bf72751e7823236a3ff3789295e7d770bca6883ef01b00;

    /// @dev Bytes after an authorization that give its length.
    uint256 private constant _ASSENT_LENGTH_SUFFIX = 2;
    /// @dev Bytes of a function selector.
    uint256 private constant _ASSENT_SELECTOR_LENGTH = 4;

    /* FOR INTEGRATORS */

    /// @notice Refuses a call unless an authorization is appended to its ordinary calldata.
    /// @dev The caller, this contract, `msg.value` and every byte of calldata before the authorization must be as
    /// attested. The nonce is spent before the function's body runs, so reentrancy finds it spent.
    /// @dev Warning: Solidity decodes arguments from the whole of `msg.data`. If attested calldata is shorter than the
    /// arguments, or its offsets point past its end, they are read from the authorization. Operators must deny such
    /// calldata; a contract cannot detect it.
    /// @dev Warning: Do not offer protected payable functions through a multicall: each inner call sees the same
    /// `msg.value`.
    modifier onlyAttested() {
        _assentSpendTrailing();
        _;
    }

    /// @dev Executes exactly the intent, once, if its authorization is valid and its `from` is the caller.
    /// @return result What the called contract returned. Its revert is passed on.
    function _assentExecute(Intent calldata intent, bytes calldata authorization)
        internal
        returns (bytes memory result)
    {
        (PolicyTerms terms, bytes32 policyId) = _assentRequirePolicy();
        _assentSpend(terms, policyId, _assentCall(intent, msg.sender), authorization);
        if (intent.data.length == 0) {
            Address.sendValue(payable(intent.to), intent.value);
            return "";
        }
        return Address.functionCallWithValue(intent.to, intent.data, intent.value);
    }

    /// @dev Gives the client its TaskManager and policy, once.
    /// @dev Warning: Call it in the constructor, or in an initializer that no one can call before you.
    function _assentInitialize(ITaskManager initialTaskManager, Policy memory initialPolicy) internal {
        if (address(_assentStorage().terms.taskManager()) != address(0)) revert AssentAlreadyInitialized();
        _assentSetTaskManager(initialTaskManager);
        _assentSetPolicy(initialPolicy);
    }

    /// @dev Reverts unless the caller may change the policy and the TaskManager. Override it with your access control:
    /// `function _assentAuthorizeChange() internal override onlyOwner {}`.
    /// @dev Warning: Who can change the policy can have every call authorized: put a timelock before it.
    function _assentAuthorizeChange() internal virtual;

    /// @dev Reverts unless the caller may revoke attestations. Override it if the owner is slow, as behind a timelock:
    /// an account that acts at once can then revoke, and do no more than refuse calls.
    function _assentAuthorizeRevocation() internal virtual {
        _assentAuthorizeChange();
    }

    /* FOR THE OWNER */

    /// @inheritdoc IPolicyClient
    function setAssentPolicy(Policy calldata newPolicy) external {
        _assentAuthorizeChange();
        _assentSetPolicy(newPolicy);
    }

    /// @inheritdoc IPolicyClient
    function setAssentTaskManager(ITaskManager newTaskManager) external {
        _assentAuthorizeChange();
        _assentSetTaskManager(newTaskManager);
    }

    /// @inheritdoc IPolicyClient
    function burnAssentNonces(uint256 word, uint256 mask) external {
        _assentAuthorizeRevocation();
        (PolicyTerms terms,) = _assentRequirePolicy();
        terms.taskManager().burnNonces(word, mask);
    }

    /// @inheritdoc IPolicyClient
    function voidAssentAttestations(uint48 newFloor) external {
        _assentAuthorizeRevocation();
        AssentStorage storage $ = _assentStorage();
        PolicyTerms terms = $.terms;
        (uint48 currentFloor, uint256 latest) = (terms.issuanceFloor(), block.timestamp + MAX_EPOCH_LIFETIME);
        if (newFloor <= currentFloor || newFloor > latest) revert AssentInvalidFloor(newFloor, currentFloor, latest);
        $.terms = terms.withIssuanceFloor(newFloor);
        emit AssentAttestationsVoided(newFloor);
    }

    /* VIEWS */

    /// @inheritdoc IPolicyClient
    function checkAssentAuthorization(Intent calldata intent, address caller, bytes calldata authorization)
        external
        view
        returns (bytes32 taskId)
    {
        (PolicyTerms terms,) = _assentRequirePolicy();
        AttestedCall memory attestedCall = _assentCall(intent, caller);
        return
            terms.taskManager().check(address(this), attestedCall, assentPolicy(), terms.issuanceFloor(), authorization);
    }

    /// @inheritdoc IPolicyClient
    function assentPolicy() public view returns (Policy memory) {
        AssentStorage storage $ = _assentStorage();
        PolicyTerms terms = $.terms;
        return Policy({
            policyId: $.policyId,
            operatorSet: terms.operatorSet(),
            quorum: terms.quorum(),
            maxLifetime: terms.maxLifetime()
        });
    }

    /// @inheritdoc IPolicyClient
    function assentIssuanceFloor() public view returns (uint48) {
        return _assentStorage().terms.issuanceFloor();
    }

    /// @inheritdoc IPolicyClient
    function assentTaskManager() public view returns (ITaskManager) {
        return _assentStorage().terms.taskManager();
    }

    /* CHECKS */

    /// @dev Check 1. Returns both words of storage. Every protected path begins here.
    function _assentRequirePolicy() private view returns (PolicyTerms terms, bytes32 policyId) {
        // In assembly: saves every protected call 11 gas. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            terms := sload(_ASSENT_STORAGE)
            policyId := sload(add(_ASSENT_STORAGE, 1))
        }
        if (address(terms.taskManager()) == address(0) || policyId == 0) revert IRefusals.PolicyNotSet();
    }

    // In a function that is not payable the value is zero, and the intent says so.
    // slither-disable-next-line msg-value-in-nonpayable
    function _assentSpendTrailing() private {
        (PolicyTerms terms, bytes32 policyId) = _assentRequirePolicy();
        bytes calldata authorization = _assentTrailingAuthorization();
        _assentSpend(
            terms,
            policyId,
            AttestedCall({
                caller: msg.sender,
                from: msg.sender,
                to: address(this),
                value: msg.value,
                dataHash: _assentHashCalldataBefore(authorization),
                chainId: block.chainid
            }),
            authorization
        );
    }

    /// @dev Calls `taskManager.spend(attestedCall, policy, issuanceFloor, authorization)`, and nothing else.
    function _assentSpend(
        PolicyTerms terms,
        bytes32 policyId,
        AttestedCall memory attestedCall,
        bytes calldata authorization
    ) private {
        bytes4 selector = ITaskManager.spend.selector;
        // In assembly: saves 900 gas of the compiler's encoding. In memory a struct has the words that the ABI demands.
        // The call's input:
        //
        //     0x000  selector (4 bytes)
        //     0x004  attestedCall (0xc0 bytes)
        //     0x0c4  policyId, operatorSet, quorum, maxLifetime
        //     0x144  issuanceFloor
        //     0x164  offset of the authorization, counted from 0x004
        //     0x184  length of the authorization
        //     0x1a4  authorization
        //
        // Memory-safe: writes only after the free memory pointer, and nothing there is needed afterwards.
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, selector)
            mcopy(add(input, 0x04), attestedCall, 0xc0)
            mstore(add(input, 0xc4), policyId)
            mstore(add(input, 0xe4), and(shr(OPERATOR_SET_SHIFT, terms), OPERATOR_SET_MASK))
            mstore(add(input, 0x104), and(shr(QUORUM_SHIFT, terms), QUORUM_MASK))
            mstore(add(input, 0x124), shr(MAX_LIFETIME_SHIFT, terms))
            mstore(add(input, 0x144), and(shr(ISSUANCE_FLOOR_SHIFT, terms), ISSUANCE_FLOOR_MASK))
            mstore(add(input, 0x164), 0x180)
            mstore(add(input, 0x184), authorization.length)
            calldatacopy(add(input, 0x1a4), authorization.offset, authorization.length)
            let manager := and(terms, TASK_MANAGER_MASK)
            let success := call(gas(), manager, 0, input, add(0x1a4, authorization.length), 0, 0)
            // A call of an account without code succeeds and returns nothing: that must not authorize anything.
            if iszero(and(success, eq(returndatasize(), 0x20))) {
                returndatacopy(input, 0, returndatasize())
                revert(input, returndatasize())
            }
        }
    }

    /// @dev Returns the bytes between the ordinary calldata and the two bytes at the very end, which give their number.
    function _assentTrailingAuthorization() private pure returns (bytes calldata authorization) {
        bool fits;
        // In assembly: saves 250 gas of Solidity's checks of calldata slices. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            let end := sub(calldatasize(), _ASSENT_LENGTH_SUFFIX)
            authorization.length := shr(240, calldataload(end))
            authorization.offset := sub(end, authorization.length)
            let least := add(authorization.length, add(_ASSENT_SELECTOR_LENGTH, _ASSENT_LENGTH_SUFFIX))
            fits := iszero(lt(calldatasize(), least))
        }
        if (!fits) revert IRefusals.MalformedAuthorization();
    }

    /* HASHES */

    /// @dev Returns keccak256 of the ordinary calldata.
    function _assentHashCalldataBefore(bytes calldata authorization) private pure returns (bytes32 dataHash) {
        // In assembly: saves the allocation. Memory-safe: writes only after the free memory pointer, and nothing there
        // is needed afterwards.
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0, authorization.offset)
            dataHash := keccak256(data, authorization.offset)
        }
    }

    function _assentCall(Intent calldata intent, address caller) private pure returns (AttestedCall memory) {
        return AttestedCall({
            caller: caller,
            from: intent.from,
            to: intent.to,
            value: intent.value,
            dataHash: keccak256(intent.data),
            chainId: intent.chainId
        });
    }

    /* STORAGE ACCESS */

    function _assentSetTaskManager(ITaskManager newTaskManager) private {
        if (address(newTaskManager).code.length == 0) revert AssentInvalidTaskManager(newTaskManager);
        AssentStorage storage $ = _assentStorage();
        $.terms = $.terms.withTaskManager(newTaskManager);
        emit AssentTaskManagerChanged(newTaskManager);
    }

    function _assentSetPolicy(Policy memory newPolicy) private {
        (bytes32 policyId, OperatorSetId operatorSet, uint16 quorum, uint48 maxLifetime) =
            (newPolicy.policyId, newPolicy.operatorSet, newPolicy.quorum, newPolicy.maxLifetime);
        if (!PolicyTermsLibrary.isAcceptable(newPolicy)) {
            revert AssentInvalidPolicy(policyId, operatorSet, quorum, maxLifetime);
        }
        AssentStorage storage $ = _assentStorage();
        $.terms = $.terms.withPolicy(newPolicy);
        $.policyId = policyId;
        emit AssentPolicyChanged(policyId, operatorSet, quorum, maxLifetime);
    }

    function _assentStorage() private pure returns (AssentStorage storage $) {
        // In assembly: Solidity has no other way to name a slot. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            $.slot := _ASSENT_STORAGE
        }
    }
}
