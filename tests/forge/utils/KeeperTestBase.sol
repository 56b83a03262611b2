// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {KeeperSettings} from "../../../contracts/interfaces/IEpochKeeper.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {EpochKeeper} from "../../../contracts/stake/EpochKeeper.sol";
import {EpochTestBase} from "./EpochTestBase.sol";
import {ListedStakeSource} from "./ListedStakeSource.sol";

/// @title KeeperTestBase
/// @notice A registry that a keeper owns, with seven members and their epoch in force, an interval after its commit.
abstract contract KeeperTestBase is EpochTestBase {
    uint48 internal constant NOTICE = 3 days;
    uint48 internal constant INTERVAL = 12 hours;
    uint16 internal constant HALT_QUORUM = 5000;
    uint16 internal constant MIN_OPERATORS = 4;

    address internal guardian = makeAddr("guardian");
    address internal keepersOwner = makeAddr("keeper's owner");
    ListedStakeSource internal source;
    EpochKeeper internal keeper;
    /// @dev The keeper's first.
    EpochId internal current;

    function setUp() public virtual override {
        super.setUp();
        source = new ListedStakeSource();
        source.setMembers(operatorAddresses(0, OPERATORS), WEIGHT);
        bytes memory change = abi.encodeCall(registry.setStakeSource, (source));
        vm.startPrank(owner);
        registry.proposeChange(change);
        skip(activationDelay());
        registry.setStakeSource(source);
        keeper = new EpochKeeper(keepersOwner, keeperSettings());
        registry.transferOwnership(address(keeper));
        vm.stopPrank();
        keeper.acceptRegistry();
        current = commitAndActivate();
        skip(INTERVAL);
    }

    function keeperSettings() internal view returns (KeeperSettings memory) {
        return KeeperSettings({
            operatorRegistry: registry,
            notice: NOTICE,
            interval: INTERVAL,
            haltQuorum: HALT_QUORUM,
            minOperators: MIN_OPERATORS,
            guardian: guardian
        });
    }

    function commitAndActivate() internal returns (EpochId epoch) {
        epoch = keeper.commit(OPERATOR_SET);
        skip(activationDelay());
        registry.activateEpoch(epoch);
    }

    /// @dev Operators `first` to `end - 1` of those that have registered.
    function signRevocation(EpochId epoch, uint256 first, uint256 end) internal view returns (bytes memory) {
        return signUnder(keeper.revocationDigest(epoch), first, end, keeper.EPOCH_TAG());
    }
}
