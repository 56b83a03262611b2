// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {
    ISymbioticDelegator,
    ISymbioticInstantSlasher,
    ISymbioticVault
} from "../../../contracts/interfaces/ISymbiotic.sol";

// What the tests and `assent operator` use of Symbiotic's core beyond what the contracts do: version 1.0.3 of its
// package, whose bytecode the tests deploy.

struct VaultInit {
    address collateral;
    address burner;
    uint48 epochDuration;
    bool depositWhitelist;
    bool isDepositLimit;
    uint256 depositLimit;
    address defaultAdminRoleHolder;
    address depositWhitelistSetRoleHolder;
    address depositorWhitelistRoleHolder;
    address isDepositLimitSetRoleHolder;
    address depositLimitSetRoleHolder;
}

struct DelegatorBaseInit {
    address defaultAdminRoleHolder;
    address hook;
    address hookSetRoleHolder;
}

struct OperatorNetworkInit {
    DelegatorBaseInit base;
    address network;
    address operator;
}

struct OperatorInit {
    DelegatorBaseInit base;
    address[] networkLimitSetRoleHolders;
    address operator;
}

struct SharedInit {
    DelegatorBaseInit base;
    address[] networkLimitSetRoleHolders;
    address[] operatorNetworkSetRoleHolders;
}

struct ConfiguratorInit {
    uint64 version;
    address owner;
    bytes vaultParams;
    uint64 delegatorIndex;
    bytes delegatorParams;
    bool withSlasher;
    uint64 slasherIndex;
    bytes slasherParams;
}

interface IFactoryCore {
    function whitelist(address implementation) external;
    function totalTypes() external view returns (uint64);
}

interface IVaultConfiguratorCore {
    function create(ConfiguratorInit calldata params)
        external
        returns (address vault, address delegator, address slasher);
}

interface INetworkRegistryCore {
    function registerNetwork() external;
}

interface IOperatorRegistryCore {
    function registerOperator() external;
}

interface IMiddlewareServiceCore {
    function setMiddleware(address middleware) external;
}

interface IOptInServiceCore {
    function optIn(address where) external;
    function optOut(address where) external;
    function isOptedIn(address who, address where) external view returns (bool);
}

interface IVaultCore is ISymbioticVault {
    function deposit(address onBehalfOf, uint256 amount) external returns (uint256, uint256);
    function withdraw(address claimer, uint256 amount) external returns (uint256, uint256);
    function claim(address recipient, uint256 epoch) external returns (uint256);
    function currentEpoch() external view returns (uint256);
    function activeStake() external view returns (uint256);
    function totalStake() external view returns (uint256);
}

interface IDelegatorCore is ISymbioticDelegator {
    function grantRole(bytes32 role, address account) external;
    function setHook(address hook) external;
    function setMaxNetworkLimit(uint96 identifier, uint256 amount) external;
    function setNetworkLimit(bytes32 subnetwork, uint256 amount) external;
    function setOperatorNetworkShares(bytes32 subnetwork, address operator, uint256 shares) external;
    function stake(bytes32 subnetwork, address operator) external view returns (uint256);
    function maxNetworkLimit(bytes32 subnetwork) external view returns (uint256);
    function OPERATOR_VAULT_OPT_IN_SERVICE() external view returns (address);
    function OPERATOR_NETWORK_OPT_IN_SERVICE() external view returns (address);
}

interface ISlasherCore is ISymbioticInstantSlasher {
    error InsufficientSlash();
    error InvalidCaptureTimestamp();
    error NotNetworkMiddleware();

    function latestSlashedCaptureTimestamp(bytes32 subnetwork, address operator) external view returns (uint48);
}
