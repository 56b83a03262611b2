// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {IProposedChanges} from "../../../contracts/interfaces/IProposedChanges.sol";
import {IStakeSource} from "../../../contracts/interfaces/IStakeSource.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {OwnerStakeSource} from "../../../contracts/stake/OwnerStakeSource.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";
import {SlashableStakeSource} from "../utils/SlashableStakeSource.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @dev Stake source, validators and delays change only after notice.
contract ProposedChangesTest is EpochTestBase {
    bytes[] private changes;

    function setUp() public override {
        super.setUp();
        ITaskManager second = deployTaskManager();
        changes.push(abi.encodeCall(registry.setStakeSource, (new OwnerStakeSource(owner))));
        changes.push(abi.encodeCall(registry.addValidator, (second)));
        changes.push(abi.encodeCall(registry.removeValidator, (taskManager)));
        changes.push(abi.encodeCall(registry.setActivationDelay, (12 hours)));
        changes.push(abi.encodeCall(registry.setGracePeriod, (2 hours)));
        changes.push(abi.encodeCall(registry.setEpochLifetime, (EPOCH_LIFETIME + 1)));
    }

    /* NOTICE */

    function test_RevertWhen_ChangeWasNotProposed() public {
        for (uint256 i = 0; i < changes.length; ++i) {
            _assertRefused(changes[i], _notProposed(changes[i]));
        }
    }

    function test_ProposedChangeIsAnnouncedAndAppliesOnceAfterTheDelay() public {
        for (uint256 i = 0; i < changes.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            uint48 from = uint48(block.timestamp) + 1 days;
            vm.expectEmit(address(registry));
            emit IProposedChanges.ChangeProposed(keccak256(changes[i]), changes[i], from);
            vm.prank(owner);
            registry.proposeChange(changes[i]);
            assertEq(registry.proposedChanges(keccak256(changes[i])), from);

            vm.warp(from - 1);
            _assertRefused(
                changes[i],
                abi.encodeWithSelector(IProposedChanges.ChangeTooEarly.selector, keccak256(changes[i]), from)
            );
            vm.warp(from);
            _apply(changes[i]);
            // A lifetime that is set already is not raised.
            if (i != 5) _assertRefused(changes[i], _notProposed(changes[i]));
            vm.revertToState(snapshot);
        }
    }

    function test_RevertWhen_AnotherChangeIsAppliedThanWasProposed() public {
        _propose(abi.encodeCall(registry.setGracePeriod, (2 hours)));
        skip(1 days);
        bytes memory other = abi.encodeCall(registry.setGracePeriod, (2 hours + 1));
        _assertRefused(other, _notProposed(other));
        // The same with bytes behind it is another calldata.
        other = bytes.concat(abi.encodeCall(registry.setGracePeriod, (2 hours)), hex"00");
        _assertRefused(other, _notProposed(other));
        _apply(abi.encodeCall(registry.setGracePeriod, (2 hours)));
        assertEq(registry.gracePeriod(), 2 hours);
    }

    /// @dev Otherwise an owner could propose everything ahead of time, and notice would mean nothing.
    function test_ProposalExpires() public {
        _propose(changes[4]);
        skip(1 days + registry.CHANGE_WINDOW() - 1);
        uint256 snapshot = vm.snapshotState();
        _apply(changes[4]);
        vm.revertToState(snapshot);
        skip(1);
        _assertRefused(changes[4], _notProposed(changes[4]));
    }

    function test_ProposalCanBeCanceled() public {
        _propose(changes[4]);
        vm.expectEmit(address(registry));
        emit IProposedChanges.ChangeCanceled(keccak256(changes[4]));
        vm.prank(owner);
        registry.cancelChange(changes[4]);
        skip(1 days);
        _assertRefused(changes[4], _notProposed(changes[4]));
        vm.expectRevert(_notProposed(changes[4]));
        vm.prank(owner);
        registry.cancelChange(changes[4]);
    }

    function test_RevertWhen_StrangerProposesCancelsOrApplies() public {
        _propose(changes[4]);
        skip(1 days);
        vm.startPrank(stranger);
        bytes memory expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger);
        vm.expectRevert(expected);
        registry.proposeChange(changes[4]);
        vm.expectRevert(expected);
        registry.cancelChange(changes[4]);
        vm.expectRevert(expected);
        registry.setGracePeriod(2 hours);
    }

    /// @dev Nothing is in force that notice would protect, so that a deployment is finished in one go.
    function test_BeforeTheFirstEpochNoNoticeIsNeeded() public {
        registry = deployRegistry();
        taskManager = deployTaskManager();
        vm.startPrank(owner);
        registry.addValidator(taskManager);
        registry.setGracePeriod(0);
        registry.setActivationDelay(2 days);
        registry.setEpochLifetime(8 days);
        registry.setStakeSource(new OwnerStakeSource(owner));
    }

    function test_ShorterDelayIsItselfDelayed() public {
        bytes memory noDelay = abi.encodeCall(registry.setActivationDelay, (0));
        _propose(noDelay);
        skip(1 days);
        _apply(noDelay);
        assertEq(registry.activationDelay(), 0);
        // From here on the owner has chosen to give no notice.
        _apply(changes[4]);
    }

    /* EPOCH LIFETIME */

    function test_EpochLifetimeIsKeptOrLoweredAtOnceAndRaisedWithNotice() public {
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.EpochLifetimeChanged(3 days);
        vm.prank(owner);
        registry.setEpochLifetime(3 days);
        assertEq(expiresAtOf(commit(0, 3)), block.timestamp + 3 days);
        // Committed epochs keep their end.
        assertEq(expiresAtOf(FIRST_EPOCH), block.timestamp + EPOCH_LIFETIME);
        vm.prank(owner);
        registry.setEpochLifetime(3 days);
        bytes memory raise = abi.encodeCall(registry.setEpochLifetime, (4 days));
        _assertRefused(raise, _notProposed(raise));
        _propose(raise);
        skip(1 days);
        _apply(raise);
        assertEq(registry.epochLifetime(), 4 days);
    }

    function test_EpochLifetimeIsNeverAboveWhatTheStakeSourceCanSlash() public {
        SlashableStakeSource source = new SlashableStakeSource(EPOCH_LIFETIME);
        _change(abi.encodeCall(registry.setStakeSource, (source)));
        bytes memory raise = abi.encodeCall(registry.setEpochLifetime, (EPOCH_LIFETIME + 1));
        _propose(raise);
        skip(1 days);
        bytes memory expected =
            abi.encodeWithSelector(IOperatorRegistry.EpochLifetimeTooLong.selector, EPOCH_LIFETIME + 1, EPOCH_LIFETIME);
        _assertRefused(raise, expected);

        // A source that slashes for less is refused, until the lifetime is lowered.
        SlashableStakeSource shorter = new SlashableStakeSource(EPOCH_LIFETIME - 1);
        bytes memory change = abi.encodeCall(registry.setStakeSource, (shorter));
        _propose(change);
        skip(1 days);
        _assertRefused(
            change,
            abi.encodeWithSelector(IOperatorRegistry.EpochLifetimeTooLong.selector, EPOCH_LIFETIME, EPOCH_LIFETIME - 1)
        );
        vm.prank(owner);
        registry.setEpochLifetime(EPOCH_LIFETIME - 1);
        _apply(change);
    }

    /// @dev The source's answer may change after the lifetime was set.
    function test_EpochEndsWhenTheStakeCanNoLongerBeSlashed() public {
        SlashableStakeSource source = new SlashableStakeSource(EPOCH_LIFETIME);
        _change(abi.encodeCall(registry.setStakeSource, (source)));
        source.setSlashableFor(3 days);
        assertEq(expiresAtOf(commit(0, 3)), block.timestamp + 3 days);
        revoke(SECOND_EPOCH);
        source.setSlashableFor(2 days);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.DelaysTooLong.selector, 1 days, GRACE_PERIOD, 2 days));
        registry.commitEpoch(OPERATOR_SET, operatorAddresses(0, 3));
    }

    /// @dev OwnerStakeSource, with no stake, sets no limit.
    function test_EpochLifetimeIsNeverAboveThirtyDays() public {
        bytes memory raise = abi.encodeCall(registry.setEpochLifetime, (30 days + 1));
        _propose(raise);
        _propose(abi.encodeCall(registry.setEpochLifetime, (30 days)));
        skip(1 days);
        _assertRefused(
            raise, abi.encodeWithSelector(IOperatorRegistry.EpochLifetimeTooLong.selector, 30 days + 1, 30 days)
        );
        _apply(abi.encodeCall(registry.setEpochLifetime, (30 days)));
    }

    /* DELAYS */

    /// @dev Otherwise commits could keep a set without an epoch in force.
    function test_RevertWhen_DelaysDoNotEndBeforeAnEpochDoes() public {
        vm.prank(owner);
        _expectDelaysTooLong(1 days, 1 days, 2 days);
        registry.setEpochLifetime(2 days);
        _assertTooLong(abi.encodeCall(registry.setActivationDelay, (6 days)), 6 days, 1 days, 7 days);
        _assertTooLong(abi.encodeCall(registry.setGracePeriod, (6 days)), 1 days, 6 days, 7 days);
        uint48 most = type(uint48).max;
        _assertTooLong(abi.encodeCall(registry.setGracePeriod, (most)), 1 days, most, 7 days);
        _change(abi.encodeCall(registry.setGracePeriod, (6 days - 1)));

        bytes memory arguments = abi.encode(owner, ownerStakeSource, 2 days, 1 days, 1 days);
        _expectDelaysTooLong(1 days, 1 days, 2 days);
        this.deploy(arguments);
        this.deploy(abi.encode(owner, ownerStakeSource, 2 days + 1, 1 days, 1 days));
    }

    function deploy(bytes calldata arguments) external returns (address deployed) {
        bytes memory creation = bytes.concat(vm.getCode("OperatorRegistry.sol:OperatorRegistry"), arguments);
        assembly {
            deployed := create(0, add(creation, 0x20), mload(creation))
            if iszero(deployed) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    function test_RevertWhen_StakeSourceIsNoContract() public {
        bytes memory change = abi.encodeCall(registry.setStakeSource, (IStakeSource(stranger)));
        _propose(change);
        skip(1 days);
        _assertRefused(change, abi.encodeWithSelector(IOperatorRegistry.InvalidStakeSource.selector, stranger));
    }

    /* OWNERSHIP */

    function test_RevertWhen_OwnershipIsRenounced() public {
        vm.expectRevert(IProposedChanges.OwnershipCannotBeRenounced.selector);
        vm.prank(owner);
        registry.renounceOwnership();
        assertEq(registry.owner(), owner);
    }

    /* PRIVATE */

    function _propose(bytes memory change) private {
        vm.prank(owner);
        registry.proposeChange(change);
    }

    function _apply(bytes memory change) private {
        vm.prank(owner);
        Address.functionCall(address(registry), change);
    }

    function _change(bytes memory change) private {
        _propose(change);
        skip(1 days);
        _apply(change);
    }

    function _assertTooLong(bytes memory change, uint48 delay, uint48 grace, uint48 lifetime) private {
        _propose(change);
        skip(1 days);
        bytes4 tooLong = IOperatorRegistry.DelaysTooLong.selector;
        _assertRefused(change, abi.encodeWithSelector(tooLong, delay, grace, lifetime));
    }

    function _expectDelaysTooLong(uint48 delay, uint48 grace, uint48 lifetime) private {
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.DelaysTooLong.selector, delay, grace, lifetime));
    }

    function _notProposed(bytes memory change) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProposedChanges.ChangeNotProposed.selector, keccak256(change));
    }

    function _assertRefused(bytes memory change, bytes memory expected) private {
        vm.prank(owner);
        (bool success, bytes memory reason) = address(registry).call(change);
        assertFalse(success);
        assertEq(reason, expected);
    }
}
