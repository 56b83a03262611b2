// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Offences} from "../challenge/Offences.sol";
import {EigenLayerSet, IAllocationManager, SlashingParams} from "../interfaces/IEigenLayer.sol";
import {FaultTerms} from "../interfaces/IOffences.sol";
import {IOperatorRegistry} from "../interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../interfaces/Protocol.sol";
import {LibSort} from "solady/utils/LibSort.sol";
import {LibString} from "solady/utils/LibString.sol";

/// @title EigenLayerSlasher
/// @notice Slashes the stake of operators on EigenLayer for proved offences.
/// @dev The sets' account must appoint it for `slashOperator`. It has no owner: only a proof makes it slash. What is
/// slashed is burnt, or is redistributed as the set says. The reporter gets nothing of it (see `ReporterReward`).
contract EigenLayerSlasher is Offences {
    /// @notice EigenLayer's AllocationManager.
    IAllocationManager public immutable ALLOCATION_MANAGER;
    /// @notice The account that the operator sets belong to.
    address public immutable AVS;

    /// @param allocationManager EigenLayer's AllocationManager.
    /// @param avs The account that the operator sets belong to.
    /// @param operatorRegistry The registry whose epochs' operators are punished.
    /// @param challengeWindow How long after an epoch's end an offence can be recorded, in seconds: at most that of the
    /// `EigenLayerStake`, after which stake may be free.
    /// @param punished The faults, and which share of the operator's allocation to the set each costs.
    constructor(
        IAllocationManager allocationManager,
        address avs,
        IOperatorRegistry operatorRegistry,
        uint48 challengeWindow,
        FaultTerms[] memory punished
    ) Offences(operatorRegistry, challengeWindow, punished) {
        ALLOCATION_MANAGER = allocationManager;
        // An account without operator sets has no one to slash.
        // slither-disable-next-line missing-zero-check
        AVS = avs;
    }

    /// @inheritdoc Offences
    function _punish(EpochId, OperatorSetId operatorSet, address operator, uint64 wad, bytes32 id) internal override {
        uint32 set = OperatorSetId.unwrap(operatorSet);
        address[] memory strategies = ALLOCATION_MANAGER.getStrategiesInOperatorSet(EigenLayerSet(AVS, set));
        LibSort.sort(strategies);
        uint256[] memory wads = new uint256[](strategies.length);
        for (uint256 i = 0; i < wads.length; ++i) {
            wads[i] = wad;
        }
        string memory description = LibString.toHexString(uint256(id), 32);
        ALLOCATION_MANAGER.slashOperator(AVS, SlashingParams(operator, set, strategies, wads, description));
    }

    /// @inheritdoc Offences
    function _slashesAtOnce() internal pure override returns (bool) {
        return true;
    }
}
