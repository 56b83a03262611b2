// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Offences} from "../challenge/Offences.sol";
import {EigenLayerSet, IAllocationManager, SlashingParams} from "../interfaces/IEigenLayer.sol";
import {FaultTerms, RecordedOffence} from "../interfaces/IOffences.sol";
import {OperatorSetId} from "../interfaces/Protocol.sol";
import {EigenLayerStake} from "./EigenLayerStake.sol";
import {LibSort} from "solady/utils/LibSort.sol";
import {LibString} from "solady/utils/LibString.sol";

/// @title EigenLayerSlasher
/// @notice Slashes the stake of operators on EigenLayer for proved offences.
/// @dev The sets' account must appoint it for `slashOperator`. It has no owner: only a proof makes it slash. What is
/// slashed is burnt, or is redistributed as the set says. The reporter gets nothing of it (see `ReporterReward`).
contract EigenLayerSlasher is Offences {
    /// @notice The source of the operators' weights.
    EigenLayerStake public immutable STAKE;
    /// @notice EigenLayer's AllocationManager.
    IAllocationManager public immutable ALLOCATION_MANAGER;
    /// @notice The account that the operator sets belong to.
    address public immutable AVS;

    /// @param stake The source of the operators' weights, for the registry whose epochs' operators are punished.
    /// @param challengeWindow How long after an epoch's end an offence can be recorded, in seconds. Below that of the
    /// stake: the rest is the time to punish.
    /// @param punished The faults, and which share of the operator's allocation to the set each costs.
    constructor(EigenLayerStake stake, uint48 challengeWindow, FaultTerms[] memory punished)
        Offences(stake.OPERATOR_REGISTRY(), challengeWindow, punished)
    {
        _requireWithin(challengeWindow, stake.CHALLENGE_WINDOW());
        STAKE = stake;
        ALLOCATION_MANAGER = stake.ALLOCATION_MANAGER();
        AVS = stake.AVS();
    }

    /// @inheritdoc Offences
    /// @dev What is slashed backs all epochs that there are, so that no second slash for the same deed is due in them.
    function _punish(bytes32, RecordedOffence memory offence, OperatorSetId operatorSet, address operator)
        internal
        override
    {
        uint32 set = OperatorSetId.unwrap(operatorSet);
        address[] memory strategies = ALLOCATION_MANAGER.getStrategiesInOperatorSet(EigenLayerSet(AVS, set));
        LibSort.sort(strategies);
        uint256[] memory wads = new uint256[](strategies.length);
        for (uint256 i = 0; i < wads.length; ++i) {
            wads[i] = offence.wad;
        }
        string memory description = LibString.toHexString(uint256(offence.id), 32);
        ALLOCATION_MANAGER.slashOperator(AVS, SlashingParams(operator, set, strategies, wads, description));
    }

    /// @inheritdoc Offences
    function _slashesAtOnce() internal pure override returns (bool) {
        return true;
    }
}
