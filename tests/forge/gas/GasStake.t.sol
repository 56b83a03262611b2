// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IEpochKeeper} from "../../../contracts/interfaces/IEpochKeeper.sol";
import {OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {StakeTestBase} from "../stake/StakeTestBase.sol";
import {GasTestBase} from "./GasTestBase.sol";

/// @dev Commits by anyone whose members and weights are read from EigenLayer's contracts: three sets of 1, 10 and 100
/// members.
abstract contract GasOfStakeBase is StakeTestBase, GasTestBase {
    /// @dev What a transaction may use (EIP-7825).
    uint256 private constant MOST_GAS = 16_777_216;
    uint256 private constant MOST_MEMBERS = 100;

    function strategyCount() internal pure virtual returns (uint256);

    /// @dev As deployed by default.
    function activationDelay() internal pure override returns (uint48) {
        return 1 days;
    }

    function setUp() public {
        deployStake(strategyCount());
        deployKeeper();
        createOperatorSet(_setOf(10));
        createOperatorSet(_setOf(MOST_MEMBERS));
        stakeAndAllocate(_setOf(1), 0, MOST_MEMBERS, 4 * STAKE, FULL_MAGNITUDE / 4);
        for (uint256 i = 0; i < MOST_MEMBERS; ++i) {
            registerKey(i);
            if (i < 1) join(_setOf(1), i);
            if (i < 10) _allocateAndJoin(_setOf(10), i);
            _allocateAndJoin(_setOf(MOST_MEMBERS), i);
        }
        // Before the measured calls, so that each set has an earlier epoch, which is in force.
        for (uint256 i = 1; i <= MOST_MEMBERS; i *= 10) {
            keeper.commit(_setOf(i));
        }
        skip(keeper.INTERVAL());
    }

    function test_CommitEpochOfMembers() public {
        _measure(1);
    }

    function test_CommitEpochOf10Members() public {
        _measure(10);
    }

    function test_CommitEpochOf100Members() public {
        uint256 used = _measure(100);
        if (strategyCount() == 1) assertLe(used, 10_500_000);
    }

    function _measure(uint256 count) private returns (uint256 used) {
        used = gasOf(address(keeper), abi.encodeCall(IEpochKeeper.commit, (_setOf(count))));
        assertLt(used, MOST_GAS);
        string memory what = string.concat("commit", vm.toString(count));
        if (strategyCount() > 1) what = string.concat(what, ", ", name(strategyCount(), "strategies"));
        vm.snapshotValue("stake", what, used);
    }

    function _allocateAndJoin(OperatorSetId operatorSet, uint256 index) private {
        allocate(operatorSet, index, FULL_MAGNITUDE / 4);
        join(operatorSet, index);
    }

    /// @dev A set's id is its number of members.
    function _setOf(uint256 count) private pure returns (OperatorSetId) {
        return OperatorSetId.wrap(uint32(count));
    }
}

contract GasOfOneStrategyTest is GasOfStakeBase {
    function strategyCount() internal pure override returns (uint256) {
        return 1;
    }
}

contract GasOfThreeStrategiesTest is GasOfStakeBase {
    function strategyCount() internal pure override returns (uint256) {
        return 3;
    }
}

contract GasOfFiveStrategiesTest is GasOfStakeBase {
    function strategyCount() internal pure override returns (uint256) {
        return 5;
    }
}
