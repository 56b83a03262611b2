// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IEpochKeeper} from "../interfaces/IEpochKeeper.sol";
import {IOffences, Punishment} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {IReporterReward} from "../interfaces/IReporterReward.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title ReporterReward
/// @notice Pays those who report offences a fixed reward for each operator whose stake was slashed.
/// @dev Anyone funds it, by sending tokens. It has no owner, and pays nothing else.
/// @dev Warning: the reward must be worth less than the least slash, or operators report themselves for gain. The least
/// is the source's minimum weight times the least share of a fault. An operator that reports itself loses the rest.
contract ReporterReward is IReporterReward {
    using SafeERC20 for IERC20;

    /// @inheritdoc IReporterReward
    IOffences public immutable OFFENCES;
    /// @inheritdoc IReporterReward
    IEpochKeeper public immutable KEEPER;
    /// @inheritdoc IReporterReward
    address public immutable TOKEN;
    /// @inheritdoc IReporterReward
    uint256 public immutable REWARD;
    IOperatorRegistry private immutable _OPERATOR_REGISTRY;

    /// @inheritdoc IReporterReward
    mapping(OperatorSetId operatorSet => mapping(address operator => uint48)) public rewardedSlash;

    /// @param offences The contract that punishes offences.
    /// @param keeper The keeper that commits the epochs.
    /// @param token The token of the reward, which takes no fee of a transfer.
    /// @param reward The reward for an operator, in the token's smallest unit.
    constructor(IOffences offences, IEpochKeeper keeper, address token, uint256 reward) {
        _OPERATOR_REGISTRY = offences.OPERATOR_REGISTRY();
        if (reward == 0 || keeper.OPERATOR_REGISTRY() != _OPERATOR_REGISTRY) revert InvalidRewardSettings();
        OFFENCES = offences;
        KEEPER = keeper;
        // A reward in no token pays no one.
        // slither-disable-next-line missing-zero-check
        TOKEN = token;
        REWARD = reward;
    }

    /// @inheritdoc IReporterReward
    // The slash is marked as rewarded before its reward is paid.
    // slither-disable-next-line reentrancy-events
    function claim(bytes32 id, address[] calldata operators) external {
        for (uint256 i = 0; i < operators.length; ++i) {
            Punishment memory punishment = OFFENCES.punishmentOf(id, operators[i]);
            if (punishment.slashedAt == 0) revert NotSlashed(id, operators[i]);
            OperatorSetId operatorSet = _useSlash(operators[i], punishment);
            uint256 balance = IERC20(TOKEN).balanceOf(address(this));
            if (balance < REWARD) revert InsufficientFunds(balance, REWARD);
            IERC20(TOKEN).safeTransfer(punishment.reporter, REWARD);
            emit ReporterRewarded(id, operatorSet, operators[i], punishment.epoch, punishment.reporter, REWARD);
        }
    }

    /// @dev Marks a slash as rewarded, if the epoch's weights were read after the one that was rewarded last. So the
    /// operator had the least weight again, and each reward takes at least the least slash.
    function _useSlash(address operator, Punishment memory punishment) private returns (OperatorSetId operatorSet) {
        uint48 committedAt = KEEPER.committedAt(punishment.epoch);
        if (committedAt == 0) revert UnknownCommit(punishment.epoch);
        (, operatorSet,,) = _OPERATOR_REGISTRY.epochs(punishment.epoch);
        uint48 last = rewardedSlash[operatorSet][operator];
        if (committedAt <= last) revert AlreadyRewarded(operatorSet, operator, committedAt, last);
        rewardedSlash[operatorSet][operator] = punishment.slashedAt;
    }
}
