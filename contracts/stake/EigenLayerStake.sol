// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {DeregisterParams, EigenLayerSet, IAVSRegistrar, IAllocationManager} from "../interfaces/IEigenLayer.sol";
import {EigenLayerSettings, IEigenLayerStake, StrategyWeight} from "../interfaces/IEigenLayerStake.sol";
import {IMemberStake} from "../interfaces/IMemberStake.sol";
import {IMembershipSource} from "../interfaces/IMembershipSource.sol";
import {IStakeSource} from "../interfaces/IStakeSource.sol";
import {OperatorSetId} from "../interfaces/Protocol.sol";
import {MemberStake} from "./MemberStake.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibSort} from "solady/utils/LibSort.sol";

/// @title EigenLayerStake
/// @notice Weighs operators by the stake that EigenLayer can slash, and decides which of them may join.
/// @dev It has no owner and holds nothing. A weight that it returns stays slashable for `LOOKAHEAD` blocks, whatever
/// the operator and its stakers do afterwards: EigenLayer delays every exit for longer.
/// @dev Warning: EigenLayer's governance can upgrade or pause its contracts, and the sets' account can remove a
/// strategy from a set or appoint another slasher. See docs/stake.md.
contract EigenLayerStake is IEigenLayerStake, MemberStake {
    using FixedPointMathLib for uint256;

    /// @notice The most strategies. With the most members, bounds the gas of a commit.
    uint256 public constant MAX_STRATEGIES = 5;

    /// @dev The shares that a multiplier is the weight of.
    uint256 private constant UNIT = 1e18;

    /// @notice EigenLayer's AllocationManager.
    IAllocationManager public immutable ALLOCATION_MANAGER;
    /// @notice The account that the operator sets belong to.
    address public immutable AVS;
    /// @notice For how many blocks after it is read a weight stays slashable.
    uint32 public immutable LOOKAHEAD;
    /// @notice The least time from one block to the next, in seconds.
    /// @dev Warning: If the chain's blocks become faster, EigenLayer's delays become shorter, and this contract must be
    /// replaced.
    uint32 public immutable BLOCK_TIME;

    StrategyWeight[] private _strategies;

    /// @param settings The settings, which never change.
    /// @param weighed The strategies that weigh, in ascending order.
    constructor(EigenLayerSettings memory settings, StrategyWeight[] memory weighed) MemberStake(settings.members) {
        _requireContract(address(settings.allocationManager));
        uint32 delay = settings.allocationManager.DEALLOCATION_DELAY();
        if (settings.lookahead >= delay) revert LookaheadTooLong(settings.lookahead, delay);
        uint256 time = uint256(settings.lookahead) * settings.blockTime;
        if (settings.members.challengeWindow >= time) {
            revert ChallengeWindowTooLong(settings.members.challengeWindow, time);
        }
        ALLOCATION_MANAGER = settings.allocationManager;
        AVS = settings.avs;
        LOOKAHEAD = settings.lookahead;
        BLOCK_TIME = settings.blockTime;
        _setStrategies(weighed);
    }

    /* JOINING AND LEAVING */

    /// @inheritdoc IAVSRegistrar
    function registerOperator(address operator, address avs, uint32[] calldata operatorSetIds, bytes calldata)
        external
    {
        _requireAllocationManager();
        if (avs != AVS) revert WrongAvs(avs);
        _requireKey(operator);
        for (uint256 i = 0; i < operatorSetIds.length; ++i) {
            _join(OperatorSetId.wrap(operatorSetIds[i]), operator);
        }
    }

    /// @inheritdoc IAVSRegistrar
    /// @dev Checks nothing else: an operator must always be able to leave.
    function deregisterOperator(address operator, address, uint32[] calldata operatorSetIds) external {
        _requireAllocationManager();
        for (uint256 i = 0; i < operatorSetIds.length; ++i) {
            emit OperatorLeft(OperatorSetId.wrap(operatorSetIds[i]), operator);
        }
    }

    /// @inheritdoc IMemberStake
    /// @dev Needs this contract to be the account's appointee for `deregisterFromOperatorSets`.
    function eject(OperatorSetId operatorSet, address operator) external {
        _requireEjectable(operatorSet, operator, _memberCount(operatorSet));
        uint32[] memory ids = new uint32[](1);
        ids[0] = OperatorSetId.unwrap(operatorSet);
        ALLOCATION_MANAGER.deregisterFromOperatorSets(DeregisterParams(operator, AVS, ids));
    }

    /* VIEWS */

    /// @inheritdoc IAVSRegistrar
    function supportsAVS(address avs) external view returns (bool) {
        return avs == AVS;
    }

    /// @inheritdoc IMembershipSource
    function membersOf(OperatorSetId operatorSet) external view returns (address[] memory members) {
        members = ALLOCATION_MANAGER.getMembers(_setOf(operatorSet));
        LibSort.sort(members);
    }

    /// @inheritdoc IStakeSource
    function weightsOf(OperatorSetId operatorSet, address[] calldata operators)
        external
        view
        returns (uint96[] memory weights)
    {
        return _weigh(operatorSet, operators, _stakesOf(operatorSet, operators));
    }

    /// @inheritdoc IStakeSource
    /// @dev The time for which a weight stays slashable, without the challenge window: nothing that an epoch's
    /// operators sign can be used later than that.
    function slashableFor() external view returns (uint48) {
        // An exit that begins in the block after the weight was read.
        uint256 blocks = FixedPointMathLib.min(LOOKAHEAD, ALLOCATION_MANAGER.DEALLOCATION_DELAY());
        uint256 time = (blocks * BLOCK_TIME).zeroFloorSub(CHALLENGE_WINDOW);
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint48(FixedPointMathLib.min(time, type(uint48).max));
    }

    /// @inheritdoc IEigenLayerStake
    function strategies() external view returns (StrategyWeight[] memory) {
        return _strategies;
    }

    /* MEMBERS */

    function _requireAllocationManager() private view {
        if (msg.sender != address(ALLOCATION_MANAGER)) revert NotAllocationManager(msg.sender);
    }

    function _join(OperatorSetId operatorSet, address operator) private {
        // EigenLayer has added the operator before.
        uint256 count = _memberCount(operatorSet);
        uint96 weight = _requireFit(operatorSet, operator, count, _stakeOf(operatorSet, operator));
        emit OperatorJoined(operatorSet, operator, weight);
    }

    function _memberCount(OperatorSetId operatorSet) private view returns (uint256) {
        return ALLOCATION_MANAGER.getMemberCount(_setOf(operatorSet));
    }

    /// @inheritdoc MemberStake
    /// @dev EigenLayer counts the stake of operators that have left.
    function _isMember(OperatorSetId operatorSet, address operator) internal view override returns (bool) {
        return ALLOCATION_MANAGER.isMemberOfOperatorSet(operator, _setOf(operatorSet));
    }

    function _setOf(OperatorSetId operatorSet) private view returns (EigenLayerSet memory) {
        return EigenLayerSet(AVS, OperatorSetId.unwrap(operatorSet));
    }

    /* WEIGHTS */

    /// @inheritdoc MemberStake
    function _stakeOf(OperatorSetId operatorSet, address operator) internal view override returns (uint256) {
        address[] memory operators = new address[](1);
        operators[0] = operator;
        return _stakesOf(operatorSet, operators)[0];
    }

    /// @dev Returns what each operator's slashable shares weigh, members or not.
    function _stakesOf(OperatorSetId operatorSet, address[] memory operators)
        private
        view
        returns (uint256[] memory stakes)
    {
        EigenLayerSet memory set = _setOf(operatorSet);
        (address[] memory slashable, uint256[] memory multipliers) = _slashableStrategies(set);
        uint256[][] memory shares =
            ALLOCATION_MANAGER.getMinimumSlashableStake(set, operators, slashable, uint32(block.number) + LOOKAHEAD);
        stakes = new uint256[](operators.length);
        for (uint256 i = 0; i < operators.length; ++i) {
            for (uint256 j = 0; j < slashable.length; ++j) {
                // A strategy whose shares overflow stops no commit.
                uint256 product = shares[i][j].saturatingMul(multipliers[j]);
                stakes[i] = stakes[i].saturatingAdd(product / UNIT);
            }
        }
    }

    /// @dev Returns the strategies that weigh and that the set can slash. EigenLayer counts the stake in others, too.
    function _slashableStrategies(EigenLayerSet memory set)
        private
        view
        returns (address[] memory slashable, uint256[] memory multipliers)
    {
        address[] memory inSet = ALLOCATION_MANAGER.getStrategiesInOperatorSet(set);
        slashable = new address[](_strategies.length);
        multipliers = new uint256[](_strategies.length);
        uint256 count = 0;
        for (uint256 i = 0; i < _strategies.length; ++i) {
            StrategyWeight memory weighed = _strategies[i];
            if (!_contains(inSet, weighed.strategy)) continue;
            (slashable[count], multipliers[count]) = (weighed.strategy, weighed.multiplier);
            ++count;
        }
        // Memory-safe: shortens an array.
        assembly ("memory-safe") {
            mstore(slashable, count)
        }
    }

    function _contains(address[] memory list, address element) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == element) return true;
        }
        return false;
    }

    /* SETTINGS */

    function _setStrategies(StrategyWeight[] memory weighed) private {
        if (weighed.length == 0 || weighed.length > MAX_STRATEGIES) revert InvalidStrategies();
        address previous = address(0);
        for (uint256 i = 0; i < weighed.length; ++i) {
            if (weighed[i].strategy <= previous || weighed[i].multiplier == 0) revert InvalidStrategies();
            previous = weighed[i].strategy;
            _strategies.push(weighed[i]);
        }
    }
}
