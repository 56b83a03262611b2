// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

// What Assent uses of Symbiotic's core.

/// @title ISymbioticFactory
/// @notice Symbiotic's factory of vaults.
interface ISymbioticFactory {
    /// @notice Returns whether a contract was created by this factory.
    function isEntity(address account) external view returns (bool);
}

/// @title ISymbioticVault
/// @notice Stake of one collateral. A withdrawal waits for the rest of the vault's epoch and the whole next one.
interface ISymbioticVault {
    /// @notice Returns the token that is staked.
    function collateral() external view returns (address);

    /// @notice Returns the account that gets what is slashed.
    function burner() external view returns (address);

    /// @notice Returns the contract that says whose stake it is.
    function delegator() external view returns (address);

    /// @notice Returns the contract that slashes; zero if none does.
    function slasher() external view returns (address);

    /// @notice Returns how long stake can be slashed after it is captured, in seconds.
    function epochDuration() external view returns (uint48);
}

/// @title ISymbioticDelegator
/// @notice Says whose stake a vault is. Of the type for one operator and one network.
interface ISymbioticDelegator {
    /// @notice Returns the type: 3 for one operator and one network.
    function TYPE() external view returns (uint64);

    /// @notice Returns the network.
    function network() external view returns (address);

    /// @notice Returns the operator.
    function operator() external view returns (address);

    /// @notice Returns the stake of an operator in a subnetwork at a time, in the past or now.
    /// @param subnetwork The network's address, then 96 bits that the network chooses.
    function stakeAt(bytes32 subnetwork, address operator, uint48 timestamp, bytes calldata hints)
        external
        view
        returns (uint256);
}

/// @title ISymbioticInstantSlasher
/// @notice Slashes a vault's stake, without anyone's veto.
interface ISymbioticInstantSlasher {
    /// @notice Returns the type: 0 for one without a veto.
    function TYPE() external view returns (uint64);

    /// @notice Returns what can still be slashed of the stake that an operator had at a time.
    /// @dev Zero once the vault's epoch duration is over, or after a later stake of the operator was slashed.
    function slashableStake(bytes32 subnetwork, address operator, uint48 captureTimestamp, bytes calldata hints)
        external
        view
        returns (uint256);

    /// @notice Slashes the stake that an operator had at a time. Only the network's middleware may call it.
    function slash(bytes32 subnetwork, address operator, uint256 amount, uint48 captureTimestamp, bytes calldata hints)
        external
        returns (uint256 slashed);
}
