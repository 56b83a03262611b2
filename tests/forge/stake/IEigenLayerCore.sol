// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {EigenLayerSet, IAllocationManager} from "../../../contracts/interfaces/IEigenLayer.sol";

// What the tests use of EigenLayer's core beyond what Assent does: version 1.4, whose bytecode they deploy.

struct CreateSetParams {
    uint32 operatorSetId;
    address[] strategies;
}

struct AllocateParams {
    EigenLayerSet operatorSet;
    address[] strategies;
    uint64[] newMagnitudes;
}

struct RegisterParams {
    address avs;
    uint32[] operatorSetIds;
    bytes data;
}

struct SignatureWithExpiry {
    bytes signature;
    uint256 expiry;
}

struct Withdrawal {
    address staker;
    address delegatedTo;
    address withdrawer;
    uint256 nonce;
    uint32 startBlock;
    address[] strategies;
    uint256[] scaledShares;
}

interface IAllocationManagerCore is IAllocationManager {
    error AlreadyMemberOfSet();
    error InvalidAVSRegistrar();
    error InvalidCaller();
    error OperatorNotSlashable();
    error UninitializedAllocationDelay();
    error CurrentlyPaused();

    function updateAVSMetadataURI(address avs, string calldata metadataURI) external;
    function createOperatorSets(address avs, CreateSetParams[] calldata params) external;
    function removeStrategiesFromOperatorSet(address avs, uint32 operatorSetId, address[] calldata strategies) external;
    function setAVSRegistrar(address avs, address registrar) external;
    function setAllocationDelay(address operator, uint32 delay) external;
    function modifyAllocations(address operator, AllocateParams[] calldata params) external;
    function registerForOperatorSets(address operator, RegisterParams calldata params) external;
    function getMaxMagnitude(address operator, address strategy) external view returns (uint64);
    function pause(uint256 newPausedStatus) external;
    function unpause(uint256 newPausedStatus) external;
}

interface IDelegationManagerCore {
    error WithdrawalDelayNotElapsed();

    function registerAsOperator(address delegationApprover, uint32 allocationDelay, string calldata metadataURI)
        external;
    function delegateTo(address operator, SignatureWithExpiry calldata approval, bytes32 approverSalt) external;
    function undelegate(address staker) external returns (bytes32[] memory withdrawalRoots);
    function completeQueuedWithdrawal(Withdrawal calldata withdrawal, address[] calldata tokens, bool receiveAsTokens)
        external;
    function getQueuedWithdrawals(address staker) external view returns (Withdrawal[] memory, uint256[][] memory);
    function isDelegated(address staker) external view returns (bool);
}

interface IStrategyManagerCore {
    function addStrategiesToDepositWhitelist(address[] calldata strategies) external;
    function depositIntoStrategy(address strategy, address token, uint256 amount) external returns (uint256 shares);
    /// @dev Slashed shares that have not been burnt.
    function getBurnableShares(address strategy) external view returns (uint256);
}

interface IPermissionControllerCore {
    function setAppointee(address account, address appointee, address target, bytes4 selector) external;
}

interface IProxyAdminCore {
    function upgrade(address proxy, address implementation) external;
    function upgradeAndCall(address proxy, address implementation, bytes calldata data) external payable;
}
