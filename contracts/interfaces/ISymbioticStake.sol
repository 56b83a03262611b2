// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IMemberStake, MemberTerms} from "./IMemberStake.sol";
import {ISymbioticFactory} from "./ISymbiotic.sol";
import {OperatorSetId} from "./Protocol.sol";

/// @notice A collateral of vaults, and what it weighs.
struct CollateralWeight {
    address collateral;
    /// @dev The weight of 1e18 of its smallest units.
    uint96 multiplier;
}

/// @notice The settings of a `SymbioticStake`.
struct SymbioticSettings {
    /// @dev Symbiotic's factory of vaults.
    ISymbioticFactory vaultFactory;
    /// @dev The account that is the network on Symbiotic. Its subnetworks are the operator sets.
    address network;
    /// @dev The account that gets what is slashed.
    address burner;
    /// @dev The least epoch duration of a vault, in seconds.
    uint48 vaultDuration;
    /// @dev The terms on which operators are members.
    MemberTerms members;
}

/// @notice Why a vault cannot back an operator in a set.
enum VaultFault {
    /// @dev It is not a vault of Symbiotic's factory.
    NotVault,
    /// @dev It has no delegator of the type for one operator and one network: others could have its stake slashed.
    SharedStake,
    /// @dev Its delegator is for another network.
    OtherNetwork,
    /// @dev Its delegator is for another operator.
    OtherOperator,
    /// @dev It has no slasher, or one with a veto.
    NotSlashable,
    /// @dev What is slashed goes to another account than the settings name.
    OtherBurner,
    /// @dev Its collateral does not weigh.
    OtherCollateral,
    /// @dev Stake can leave it too early.
    ShortDuration,
    /// @dev It backs another set, or another vault backs the operator in this one.
    AlreadyBacked
}

/// @title ISymbioticStake
/// @notice Weighs operators by the stake that Symbiotic can slash, and decides which of them may join.
interface ISymbioticStake is IMemberStake {
    /// @notice Emitted when a vault backs an operator in a set, for good.
    event VaultAdded(OperatorSetId indexed operatorSet, address indexed operator, address indexed vault);

    /// @notice Thrown when the vault cannot back the operator in the set.
    error UnfitVault(address vault, VaultFault reason);
    /// @notice Thrown when the operator is a member of the set already.
    error AlreadyMember(OperatorSetId operatorSet, address operator);
    /// @notice Thrown when the operator is not a member of the set.
    error NotMember(OperatorSetId operatorSet, address operator);
    /// @notice Thrown at deployment when there are no collaterals, they do not ascend, or one weighs nothing.
    error InvalidCollaterals();
    /// @notice Thrown at deployment when the network or the burner is zero.
    error ZeroAccount();

    /// @notice Joins a set with a vault, or joins it again with the same. The operator calls it.
    /// @dev A vault backs one operator in one set, and an operator has one vault in a set, for good. So what it signs
    /// in an epoch can be punished after it has left.
    function joinSet(OperatorSetId operatorSet, address vault) external;

    /// @notice Leaves a set. The operator calls it, and can at any time.
    function leaveSet(OperatorSetId operatorSet) external;

    /// @notice Returns the vault that backs an operator in a set, member or not; zero if it never joined.
    function vaultOf(OperatorSetId operatorSet, address operator) external view returns (address);

    /// @notice Returns what 1e18 of a collateral's smallest units weigh; zero if it does not weigh.
    function multiplierOf(address collateral) external view returns (uint96);

    /// @notice Returns the subnetwork that is an operator set on Symbiotic.
    function subnetworkOf(OperatorSetId operatorSet) external view returns (bytes32);
}
