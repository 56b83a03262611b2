// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IPolicyClient} from "./interfaces/IPolicyClient.sol";
import {AttestedCall, ITaskManager} from "./interfaces/ITaskManager.sol";
import {Intent, OperatorSetId, Policy} from "./interfaces/Protocol.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title PolicyClient
/// @notice Inherit it, and either mark a function `onlyAttested`, or pass an intent to `_executeAttested`. Give it a policy
/// in the constructor or initialiser with `_initializePolicyClient`; until then every protected call is refused.
/// @dev All state is in one ERC-7201 namespace, so that it can join a deployed contract behind a proxy.
abstract contract PolicyClient is IPolicyClient {
    /// @custom:storage-location erc7201:assent.storage.PolicyClient
    struct PolicyClientStorage {
        // One slot:
        ITaskManager taskManager;
        OperatorSetId operatorSet;
        uint16 quorum;
        uint48 maxLifetime;
        // And another:
        bytes32 policyId;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("assent.storage.PolicyClient")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant STORAGE_LOCATION = 0x775bcae047544c0ff1bf72751e7823236a3ff3789295e7d770bca6883ef01b00;

    /// @dev Bytes behind an authorization that give its length.
    uint256 private constant LENGTH_SUFFIX = 2;
    /// @dev Bytes of a function selector.
    uint256 private constant SELECTOR_LENGTH = 4;

    /* FOR INTEGRATORS */

    /// @notice Lets a call through only with an authorization behind its ordinary calldata.
    /// @dev What was attested must equal the caller, this contract, `msg.value` and every byte of the calldata before the
    /// authorization. The nonce is spent before the function's body runs, so reentrancy finds it spent.
    ///
    /// Solidity decodes arguments from the whole of `msg.data`: where attested calldata is shorter than the arguments, or its
    /// offsets lead out of it, they are read from the authorization. Operators must refuse such calldata; a contract cannot
    /// see it. Do not offer protected payable functions through a multicall: each inner call sees the same `msg.value`.
    modifier onlyAttested() {
        _spendTrailing();
        _;
    }

    /// @dev Executes exactly the intent, once, if the authorization lets its `from` do so and it is the caller.
    /// @return result What the called contract returned. Its revert is passed on.
    function _executeAttested(Intent calldata intent, bytes calldata authorization)
        internal
        returns (bytes memory result)
    {
        (uint256 terms, bytes32 policyId) = _requirePolicy();
        _spend(terms, policyId, _attestedCall(intent, msg.sender), authorization);
        if (intent.data.length == 0) {
            Address.sendValue(payable(intent.to), intent.value);
            return "";
        }
        return Address.functionCallWithValue(intent.to, intent.data, intent.value);
    }

    /// @dev Gives the client its TaskManager and policy, once. Call it in the constructor, or in an initialiser that nobody
    /// can call ahead of you.
    function _initializePolicyClient(ITaskManager initialTaskManager, Policy memory initialPolicy) internal {
        if (address(_storage().taskManager) != address(0)) revert PolicyClientAlreadyInitialized();
        _setTaskManager(initialTaskManager);
        _setPolicy(initialPolicy);
    }

    /// @dev Reverts unless the caller may change the policy and burn nonces. Override it with your access control:
    /// `function _authorizePolicyChange() internal override onlyOwner {}`.
    function _authorizePolicyChange() internal virtual;

    /* FOR THE OWNER */

    /// @inheritdoc IPolicyClient
    function setPolicy(Policy calldata newPolicy) external {
        _authorizePolicyChange();
        _setPolicy(newPolicy);
    }

    /// @inheritdoc IPolicyClient
    function setTaskManager(ITaskManager newTaskManager) external {
        _authorizePolicyChange();
        _setTaskManager(newTaskManager);
    }

    /// @inheritdoc IPolicyClient
    function burnNonces(uint256 word, uint256 mask) external {
        _authorizePolicyChange();
        _requirePolicy();
        taskManager().burnNonces(word, mask);
    }

    /* VIEWS */

    /// @inheritdoc IPolicyClient
    function checkAuthorization(Intent calldata intent, address caller, bytes calldata authorization)
        external
        view
        returns (bytes32 taskId)
    {
        _requirePolicy();
        return taskManager().check(address(this), _attestedCall(intent, caller), policy(), authorization);
    }

    /// @inheritdoc IPolicyClient
    function policy() public view returns (Policy memory) {
        PolicyClientStorage storage $ = _storage();
        return Policy({policyId: $.policyId, operatorSet: $.operatorSet, quorum: $.quorum, maxLifetime: $.maxLifetime});
    }

    /// @inheritdoc IPolicyClient
    function taskManager() public view returns (ITaskManager) {
        return _storage().taskManager;
    }

    /* CHECKS */

    /// @dev Check 1, and both words of storage. Every protected path begins here.
    function _requirePolicy() private view returns (uint256 terms, bytes32 policyId) {
        // In one word: see PolicyClientStorage. To read its fields one by one costs every protected call 300 gas more.
        assembly ("memory-safe") {
            terms := sload(STORAGE_LOCATION)
            policyId := sload(add(STORAGE_LOCATION, 1))
        }
        if (_taskManagerIn(terms) == address(0) || policyId == 0) revert PolicyNotSet();
    }

    // In a function that is not payable the value is zero, and the intent says so.
    // slither-disable-next-line msg-value-in-nonpayable
    function _spendTrailing() private {
        (uint256 terms, bytes32 policyId) = _requirePolicy();
        bytes calldata authorization = _trailingAuthorization();
        _spend(
            terms,
            policyId,
            AttestedCall({
                caller: msg.sender,
                from: msg.sender,
                to: address(this),
                value: msg.value,
                dataHash: _hashOfCalldataBefore(authorization),
                chainId: block.chainid
            }),
            authorization
        );
    }

    /// @dev keccak256 of the ordinary calldata.
    function _hashOfCalldataBefore(bytes calldata authorization) private pure returns (bytes32 dataHash) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            calldatacopy(data, 0, authorization.offset)
            dataHash := keccak256(data, authorization.offset)
        }
    }

    /// @dev `taskManager().spend(attestedCall, policy(), authorization)`, and nothing else.
    function _spend(uint256 terms, bytes32 policyId, AttestedCall memory attestedCall, bytes calldata authorization)
        private
    {
        bytes4 selector = ITaskManager.spend.selector;
        // To have the compiler encode the call costs every protected call 900 gas more. A struct stands in memory word by word
        // as the ABI wants it. Memory-safe: it writes behind the free memory pointer, and nothing needs to stay.
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, selector)
            mcopy(add(input, 4), attestedCall, 192)
            mstore(add(input, 196), policyId)
            mstore(add(input, 228), and(shr(160, terms), 0xffffffff))
            mstore(add(input, 260), and(shr(192, terms), 0xffff))
            mstore(add(input, 292), shr(208, terms))
            mstore(add(input, 324), 352) // Where the authorization's length stands, behind the selector.
            mstore(add(input, 356), authorization.length)
            calldatacopy(add(input, 388), authorization.offset, authorization.length)
            let manager := shr(96, shl(96, terms))
            let success := call(gas(), manager, 0, input, add(388, authorization.length), 0, 0)
            // Where there is no contract a call succeeds and returns nothing: that must not pass for an authorization.
            if iszero(and(success, eq(returndatasize(), 32))) {
                returndatacopy(input, 0, returndatasize())
                revert(input, returndatasize())
            }
        }
    }

    /// @dev The address stands in the lowest 160 bits.
    function _taskManagerIn(uint256 terms) private pure returns (address) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return address(uint160(terms));
    }

    /// @dev The bytes between the ordinary calldata and the two bytes at the very end, which give their number.
    function _trailingAuthorization() private pure returns (bytes calldata authorization) {
        bool fits;
        // Solidity slices calldata with a check each: 250 gas more.
        assembly ("memory-safe") {
            let end := sub(calldatasize(), LENGTH_SUFFIX)
            authorization.length := shr(240, calldataload(end))
            authorization.offset := sub(end, authorization.length)
            fits := iszero(lt(calldatasize(), add(authorization.length, add(SELECTOR_LENGTH, LENGTH_SUFFIX))))
        }
        if (!fits) revert MalformedAuthorization();
    }

    function _attestedCall(Intent calldata intent, address caller) private pure returns (AttestedCall memory) {
        return AttestedCall({
            caller: caller,
            from: intent.from,
            to: intent.to,
            value: intent.value,
            dataHash: keccak256(intent.data),
            chainId: intent.chainId
        });
    }

    /* STORAGE */

    function _setTaskManager(ITaskManager newTaskManager) private {
        if (address(newTaskManager).code.length == 0) revert InvalidTaskManager(newTaskManager);
        _storage().taskManager = newTaskManager;
        emit TaskManagerChanged(newTaskManager);
    }

    function _setPolicy(Policy memory newPolicy) private {
        (bytes32 policyId, uint16 quorum, uint48 maxLifetime) =
            (newPolicy.policyId, newPolicy.quorum, newPolicy.maxLifetime);
        if (policyId == 0 || !Quorum.isAcceptable(quorum) || maxLifetime == 0) {
            revert InvalidPolicy(policyId, quorum, maxLifetime);
        }
        PolicyClientStorage storage $ = _storage();
        $.policyId = policyId;
        $.operatorSet = newPolicy.operatorSet;
        $.quorum = quorum;
        $.maxLifetime = maxLifetime;
        emit PolicyChanged(policyId, newPolicy.operatorSet, quorum, maxLifetime);
    }

    function _storage() private pure returns (PolicyClientStorage storage $) {
        // ERC-7201 leaves no way but assembly to name a slot.
        assembly ("memory-safe") {
            $.slot := STORAGE_LOCATION
        }
    }
}
