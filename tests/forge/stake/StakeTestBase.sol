// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAdmission} from "../../../contracts/interfaces/IAdmission.sol";
import {EigenLayerSettings, StrategyWeight} from "../../../contracts/interfaces/IEigenLayerStake.sol";
import {KeeperSettings} from "../../../contracts/interfaces/IEpochKeeper.sol";
import {MemberTerms} from "../../../contracts/interfaces/IMemberStake.sol";
import {EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {EigenLayerStake} from "../../../contracts/stake/EigenLayerStake.sol";
import {EpochKeeper} from "../../../contracts/stake/EpochKeeper.sol";
import {OperatorAllowlist} from "../../../contracts/stake/OperatorAllowlist.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {EigenLayerTestBase} from "./EigenLayerTestBase.sol";

/// @title StakeTestBase
/// @notice Assent on EigenLayer's stake: epochs of seven days, and six more in which their operators can be slashed.
abstract contract StakeTestBase is EigenLayerTestBase {
    uint96 internal constant MIN_WEIGHT = 100e18;
    uint96 internal constant MAX_WEIGHT = 10_000e18;
    uint48 internal constant CHALLENGE_WINDOW = 6 days;
    /// @dev What is left of the challenge window is the time to punish.
    uint48 internal constant RECORDING_WINDOW = 5 days;
    /// @dev Thirteen days in blocks, one less than EigenLayer's delay.
    uint32 internal constant LOOKAHEAD = 93_600;
    uint256 internal constant STAKE = 500e18;

    EigenLayerStake internal stake;
    OperatorAllowlist internal allowlist;
    EpochKeeper internal keeper;

    /// @dev A registry whose weights are the stake in as many strategies. Commits no epoch.
    function deployStake(uint256 strategyCount) internal {
        vm.warp(1_800_000_000);
        ownerStakeSource = new OwnerStakeSource(owner);
        registry = deployRegistry();
        taskManager = deployTaskManager();
        vm.prank(owner);
        registry.addValidator(taskManager);
        deployEigenLayer(strategyCount);
        stake = new EigenLayerStake(settings(), weighed());
        vm.prank(owner);
        registry.setStakeSource(stake);
        createAvs(address(stake));
        createOperatorSet(OPERATOR_SET);
    }

    /// @dev A keeper owns the registry from then on.
    function deployKeeper() internal {
        keeper = new EpochKeeper(
            owner,
            KeeperSettings({
                operatorRegistry: registry,
                notice: 3 days,
                interval: 12 hours,
                haltQuorum: 5000,
                minOperators: 1,
                guardian: address(0)
            })
        );
        vm.prank(owner);
        registry.transferOwnership(address(keeper));
        keeper.acceptRegistry();
    }

    function settings() internal virtual returns (EigenLayerSettings memory) {
        return EigenLayerSettings({
            allocationManager: allocationManager,
            avs: avs,
            lookahead: LOOKAHEAD,
            blockTime: uint32(BLOCK_TIME),
            members: memberTerms()
        });
    }

    /// @dev Any share, and no list of those who may join.
    function memberTerms() internal virtual returns (MemberTerms memory) {
        return MemberTerms({
            operatorRegistry: registry,
            admission: IAdmission(address(0)),
            minWeight: MIN_WEIGHT,
            maxWeight: MAX_WEIGHT,
            maxMembers: 100,
            maxShare: 10_000,
            challengeWindow: CHALLENGE_WINDOW
        });
    }

    /// @dev A share weighs one.
    function weighed() internal view returns (StrategyWeight[] memory list) {
        list = new StrategyWeight[](strategies.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = StrategyWeight(strategies[i], 1e18);
        }
    }

    /// @dev Operators `first` to `first + count - 1` join with stake and keys.
    function addMembers(uint256 first, uint256 count) internal {
        stakeAndAllocate(OPERATOR_SET, first, count, STAKE);
        for (uint256 i = first; i < first + count; ++i) {
            registerKey(i);
            join(OPERATOR_SET, i);
        }
    }

    function weightOf(uint256 index) internal view returns (uint96) {
        return stake.weightsOf(OPERATOR_SET, operatorAddresses(index, 1))[0];
    }

    /// @dev As the registry's owner.
    function commitMembers() internal returns (EpochId) {
        return commitMembers(OPERATOR_SET);
    }

    function commitMembers(OperatorSetId operatorSet) internal returns (EpochId) {
        address[] memory members = stake.membersOf(operatorSet);
        vm.prank(owner);
        return registry.commitEpoch(operatorSet, members);
    }
}
