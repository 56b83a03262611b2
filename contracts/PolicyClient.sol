// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPolicyClient} from "./interfaces/IPolicyClient.sol";
import {AttestedCall, ITaskManager} from "./interfaces/ITaskManager.sol";
import {IRefusals, Intent, MAX_EPOCH_LIFETIME, OperatorSetId, Policy} from "./interfaces/Protocol.sol";
import {Pointer} from "./types/Pointer.sol";
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
/// `onlyAttestedExactly(abi.encode(...))` with its arguments, or pass an intent to `_assentExecute`. Give the client
/// its policy in the constructor or initializer with `_assentInitialize`; until then every protected call is refused.
/// @dev All state is in one ERC-7201 namespace, so that a deployed contract behind a proxy can inherit it.
/// @dev It takes no names from its host: each name contains "assent" except `onlyAttested` and `onlyAttestedExactly`,
/// and what begins with an underscore is internal. Refusals revert with the errors of `IRefusals`, which is no base of
/// this contract.
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

    /// @notice Refuses a call unless an authorization is appended to its ordinary calldata, which must be the selector
    /// and these arguments, and nothing else. The default for new contracts:
    /// `function pay(address to, uint256 amount) external onlyAttestedExactly(abi.encode(to, amount))`.
    /// @dev The caller, this contract, `msg.value` and every byte of calldata before the authorization must be as
    /// attested. The nonce is spent before the function's body runs, so reentrancy finds it spent.
    /// @dev Warning: In the body use `msg.sender`, the attested `from`. `_msgSender()` of an ERC-2771 recipient is the
    /// end of the calldata if the caller is the trusted forwarder: operators must deny calls from a forwarder.
    /// @dev Warning: Do not offer protected payable functions through a multicall: each inner call sees the same
    /// `msg.value`.
    /// @param encodedArguments `abi.encode` of all arguments, in their order.
    modifier onlyAttestedExactly(bytes memory encodedArguments) {
        _assentSpendTrailing();
        _assentRequireExact(encodedArguments);
        _;
    }

    /// @notice Refuses a call unless an authorization is appended to its ordinary calldata. For functions whose
    /// arguments cannot be encoded again; all else is as with `onlyAttestedExactly`.
    /// @dev Warning: Solidity decodes arguments from the whole of `msg.data`. If attested calldata is shorter than the
    /// arguments, or its offsets point past its end, they are read from the authorization. Operators must deny such
    /// calldata.
    modifier onlyAttested() {
        _assentSpendTrailing();
        _;
    }

    /// @dev Executes exactly the intent, once, if its authorization is valid and its `from` is the caller.
    /// @dev The value comes from this contract's balance. In a payable function the caller sends exactly this value, or
    /// none: anything else would stay here.
    /// @return result What the called contract returned. Its revert is passed on.
    // In a function that is not payable no value is sent.
    // slither-disable-next-line msg-value-in-nonpayable
    function _assentExecute(Intent calldata intent, bytes calldata authorization)
        internal
        returns (bytes memory result)
    {
        (PolicyTerms terms, bytes32 policyId) = _assentRequirePolicy();
        AttestedCall memory attestedCall = _assentCall(intent, msg.sender);
        Pointer input = _assentAllocateInput(authorization);
        // In assembly: in memory a struct has the words that the ABI demands. Memory-safe: writes only to what is
        // allocated.
        assembly ("memory-safe") {
            mcopy(add(input, 0x04), attestedCall, 0xc0)
        }
        _assentSpend(input, terms, policyId, authorization);
        if (msg.value != 0 && msg.value != intent.value) revert AssentWrongValue(intent.value, msg.value);
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

    /// @dev Reverts unless the caller may revoke attestations. Override it if the owner is slow, as behind a timelock.
    /// An account that acts at once can then revoke, and do no more than refuse calls.
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
        uint48 floor = terms.issuanceFloor();
        return terms.taskManager().check(address(this), attestedCall, assentPolicy(), floor, authorization);
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
        bool isSet;
        // In assembly: saves every protected call 40 gas. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            terms := sload(_ASSENT_STORAGE)
            policyId := sload(add(_ASSENT_STORAGE, 1))
            isSet := and(gt(policyId, 0), gt(and(terms, TASK_MANAGER_MASK), 0))
        }
        if (!isSet) revert IRefusals.PolicyNotSet();
    }

    // In a function that is not payable the value is zero, and the intent says so.
    // slither-disable-next-line msg-value-in-nonpayable
    function _assentSpendTrailing() private {
        (PolicyTerms terms, bytes32 policyId) = _assentRequirePolicy();
        bytes calldata authorization = _assentTrailingAuthorization();
        Pointer input = _assentAllocateInput(authorization);
        // In assembly: saves 150 gas of a struct that is copied. Memory-safe: writes only to what is allocated, and
        // after the free memory pointer, where nothing is needed afterwards.
        assembly ("memory-safe") {
            // The hash of the ordinary calldata, before the call is written over it.
            calldatacopy(add(input, 0x04), 0, authorization.offset)
            let dataHash := keccak256(add(input, 0x04), authorization.offset)
            mstore(add(input, 0x04), caller())
            mstore(add(input, 0x24), caller())
            mstore(add(input, 0x44), address())
            mstore(add(input, 0x64), callvalue())
            mstore(add(input, 0x84), dataHash)
            mstore(add(input, 0xa4), chainid())
        }
        _assentSpend(input, terms, policyId, authorization);
    }

    /// @dev Compares the ordinary calldata after the selector with the arguments as Solidity encodes them. It has an
    /// authorization.
    function _assentRequireExact(bytes memory encodedArguments) private pure {
        bytes calldata authorization = _assentTrailingAuthorization();
        uint256 end;
        // In assembly: Solidity has no offset of calldata. Memory-safe: it touches no memory.
        assembly ("memory-safe") {
            end := authorization.offset
        }
        if (keccak256(msg.data[_ASSENT_SELECTOR_LENGTH:end]) != keccak256(encodedArguments)) {
            revert AssentArgumentsNotExact();
        }
    }

    /// @dev Allocates the input of `spend` and writes the selector.
    function _assentAllocateInput(bytes calldata authorization) private pure returns (Pointer input) {
        bytes4 selector = ITaskManager.spend.selector;
        // In assembly: saves the compiler's zeros. Memory-safe: allocates whole words and writes only there.
        assembly ("memory-safe") {
            input := mload(0x40)
            mstore(0x40, add(input, and(add(authorization.length, 0x1c3), not(0x1f))))
            mstore(input, selector)
        }
    }

    /// @dev Calls `taskManager.spend(attestedCall, policy, issuanceFloor, authorization)`, and nothing else.
    /// @param input Pointer to what `_assentAllocateInput` allocated, with the attested call written there.
    function _assentSpend(Pointer input, PolicyTerms terms, bytes32 policyId, bytes calldata authorization) private {
        // In assembly: saves 900 gas of the compiler's encoding. The call's input:
        //
        //     0x000  selector (4 bytes)
        //     0x004  attestedCall (0xc0 bytes)
        //     0x0c4  policyId, operatorSet, quorum, maxLifetime
        //     0x144  issuanceFloor
        //     0x164  offset of the authorization, counted from 0x004
        //     0x184  length of the authorization
        //     0x1a4  authorization
        //
        // Memory-safe: writes only to what is allocated, and before it reverts over the rest of memory.
        assembly ("memory-safe") {
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
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
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
