// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice An operator set of EigenLayer.
struct EigenLayerSet {
    /// @dev The account that the set belongs to.
    address avs;
    /// @dev The set's number among those of the account.
    uint32 id;
}

/// @notice What removes an operator from sets of one account.
struct DeregisterParams {
    address operator;
    address avs;
    uint32[] operatorSetIds;
}

/// @notice What slashes an operator.
struct SlashingParams {
    address operator;
    uint32 operatorSetId;
    /// @dev In ascending order.
    address[] strategies;
    /// @dev Which share of the operator's allocation to the set is slashed, of 1e18, for each strategy.
    uint256[] wadsToSlash;
    string description;
}

/// @title IAllocationManager
/// @notice What Assent uses of EigenLayer's AllocationManager: what has not changed from version 1.4 to 1.12.
interface IAllocationManager {
    /// @notice Removes an operator from sets. The operator, the sets' account or an appointee of either may call it.
    function deregisterFromOperatorSets(DeregisterParams calldata params) external;

    /// @notice Slashes an operator of a set. Only the set's account or its appointee may call it.
    /// @dev Declared without results, which version 1.4 does not return.
    function slashOperator(address avs, SlashingParams calldata params) external;

    /// @notice Returns the members of a set, in no order.
    function getMembers(EigenLayerSet calldata operatorSet) external view returns (address[] memory);

    /// @notice Returns the number of members of a set.
    function getMemberCount(EigenLayerSet calldata operatorSet) external view returns (uint256);

    /// @notice Returns whether an operator is a member of a set. One that has left is not, though it can be slashed.
    function isMemberOfOperatorSet(address operator, EigenLayerSet calldata operatorSet) external view returns (bool);

    /// @notice Returns the strategies of which a set can slash allocations.
    function getStrategiesInOperatorSet(EigenLayerSet calldata operatorSet) external view returns (address[] memory);

    /// @notice Returns the shares of each operator and strategy that a set can slash until a block at least.
    /// @dev Leaves out deallocations that take effect until then, and allocations that have not taken effect.
    /// @dev Warning: It counts operators that have left the set, and strategies that are not in it.
    /// @param futureBlock Less than `DEALLOCATION_DELAY` ahead.
    function getMinimumSlashableStake(
        EigenLayerSet calldata operatorSet,
        address[] calldata operators,
        address[] calldata strategies,
        uint32 futureBlock
    ) external view returns (uint256[][] memory);

    /// @notice Returns how many blocks an allocation stays slashable after its operator begins to withdraw it.
    function DEALLOCATION_DELAY() external view returns (uint32);
}

/// @title IAVSRegistrar
/// @notice What EigenLayer calls when an operator joins or leaves a set.
interface IAVSRegistrar {
    /// @notice Accepts operators that join, or reverts. EigenLayer has added the operator to the sets before.
    function registerOperator(address operator, address avs, uint32[] calldata operatorSetIds, bytes calldata data)
        external;

    /// @notice Receives that an operator has left.
    function deregisterOperator(address operator, address avs, uint32[] calldata operatorSetIds) external;

    /// @notice Returns whether this is the registrar of the account's sets.
    function supportsAVS(address avs) external view returns (bool);
}
