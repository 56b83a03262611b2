// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IEpochKeeper} from "./IEpochKeeper.sol";
import {IOffences} from "./IOffences.sol";
import {EpochId, OperatorSetId} from "./Protocol.sol";

/// @title IReporterReward
/// @notice Pays those who report offences a fixed reward for each operator whose stake was slashed.
/// @dev Anyone funds it, by sending tokens. It has no owner, and pays nothing else.
interface IReporterReward {
    /// @notice Emitted when a reporter is paid for an operator's punishment.
    event ReporterRewarded(
        bytes32 indexed id,
        OperatorSetId indexed operatorSet,
        address indexed operator,
        EpochId epoch,
        address reporter,
        uint256 amount
    );

    /// @notice Thrown when the operator's stake was not slashed for the offence.
    /// @dev It was not punished, the slash is queued or lapsed, or it was too late for any stake to be certain.
    error NotSlashed(bytes32 id, address operator);
    /// @notice Thrown when the keeper did not commit the epoch of the offence.
    error UnknownCommit(EpochId epoch);
    /// @notice Thrown when the epoch of the offence was committed before the slash that was rewarded last (Unix times):
    /// its stake was rewarded before.
    error AlreadyRewarded(OperatorSetId operatorSet, address operator, uint48 committedAt, uint48 slashedAt);
    /// @notice Thrown when the contract has too few tokens. The reward can be claimed once it has enough.
    error InsufficientFunds(uint256 balance, uint256 reward);
    /// @notice Thrown at deployment when there is no reward, or the offences are of another registry than the keeper's.
    error InvalidRewardSettings();

    /// @notice Pays the reporter of an offence the reward for each of these operators. Anyone may call it.
    /// @dev An operator is rewarded once for the stake of a commit: later offences only in epochs that were committed
    /// after the slash. Of several offences before, the first that is claimed is rewarded: claim soon.
    /// @param id The offence, together with its fault, as in its record.
    /// @param operators Operators that were punished for it, and whose stake was slashed.
    function claim(bytes32 id, address[] calldata operators) external;

    /// @notice Returns when the stake was slashed for which the operator was last rewarded (Unix time); zero if never.
    function rewardedSlash(OperatorSetId operatorSet, address operator) external view returns (uint48);

    /// @notice Returns the contract that punishes offences.
    function OFFENCES() external view returns (IOffences);

    /// @notice Returns the keeper that commits the epochs.
    function KEEPER() external view returns (IEpochKeeper);

    /// @notice Returns the token of the reward.
    function TOKEN() external view returns (address);

    /// @notice Returns the reward for an operator, in the token's smallest unit.
    function REWARD() external view returns (uint256);
}
