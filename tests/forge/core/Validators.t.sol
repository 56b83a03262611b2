// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Epoch, IAttestationValidator} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, EpochId, IRefusals, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {FaultyValidator} from "../utils/FaultyValidator.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @dev Only the registry publishes epochs to its validators.
contract ValidatorsTest is TrailingPath {
    function test_AddingIsAnnouncedAndReadable() public {
        ITaskManager second = deployTaskManager();
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.ValidatorAdded(second);
        vm.prank(owner);
        registry.addValidator(second);
        assertEq(registry.validators().length, 2);
        assertEq(address(registry.validators()[1]), address(second));
    }

    function test_RevertWhen_StrangerAddsAValidator() public {
        ITaskManager second = deployTaskManager();
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger));
        vm.prank(stranger);
        registry.addValidator(second);
    }

    function test_RevertWhen_ValidatorIsNoContractOrAddedBeforeOrAnotherRegistrys() public {
        _assertInvalid(IAttestationValidator(stranger));
        _assertInvalid(taskManager);
        IOperatorRegistry other = deployRegistry();
        IAttestationValidator foreign =
            IAttestationValidator(deployCode("TaskManager.sol:TaskManager", abi.encode(other)));
        _assertInvalid(foreign);
    }

    function test_RevertWhen_ThereAreTooManyValidators() public {
        for (uint256 i = registry.validators().length; i < registry.MAX_VALIDATORS(); ++i) {
            ITaskManager next = deployTaskManager();
            vm.prank(owner);
            registry.addValidator(next);
        }
        ITaskManager last = deployTaskManager();
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.TooManyValidators.selector, 16));
        vm.prank(owner);
        registry.addValidator(last);
    }

    function test_EveryValidatorHearsOfEveryChangeAtOnce() public {
        ITaskManager second = deployTaskManager();
        vm.prank(owner);
        registry.addValidator(second);
        commitEpoch(0, OPERATORS);
        _assertAgree(second, EpochId.wrap(2));
        _assertAgree(second, FIRST_EPOCH);
        skip(1 hours);
        commitEpoch(0, OPERATORS);
        _assertAgree(second, EpochId.wrap(2));
        vm.prank(owner);
        registry.revokeEpochs(only(EpochId.wrap(3)));
        _assertAgree(second, EpochId.wrap(3));
        (,, uint48 validUntil,) = second.epochs(EpochId.wrap(3));
        assertEq(validUntil, 0);
    }

    function test_EpochsFromBeforeAreUnknownUntilAnybodyPublishesThem() public {
        ITaskManager second = deployTaskManager();
        vm.prank(owner);
        registry.addValidator(second);
        counter.setAssentTaskManager(second);
        taskManager = second;

        Attestation memory attestation = attest(protectedCall());
        assertRefused(
            attestation.intent, authorize(attestation), abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, 1)
        );
        vm.prank(stranger);
        registry.publishEpoch(FIRST_EPOCH);
        _assertAgree(second, FIRST_EPOCH);
        assertPasses(attestation.intent, authorize(attestation));
    }

    function test_PublishingARevokedEpochDoesNotReviveIt() public {
        vm.prank(owner);
        registry.revokeEpochs(only(FIRST_EPOCH));
        vm.prank(stranger);
        registry.publishEpoch(FIRST_EPOCH);
        Attestation memory attestation = attest(protectedCall());
        assertRefused(
            attestation.intent, authorize(attestation), abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1)
        );
    }

    /* VALIDATORS WITH A FAULT */

    /// @dev One that reverts, one that takes all gas, one whose revert data is long, and one whose code is gone.
    function test_ValidatorWithAFaultBlocksNothing() public {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            FaultyValidator faulty = new FaultyValidator(registry, FaultyValidator.Fault(i));
            _addFirst(faulty);
            if (i == 3) vm.etch(address(faulty), "");

            vm.expectEmit(address(registry));
            emit IOperatorRegistry.ValidatorUpdateFailed(faulty, FIRST_EPOCH);
            vm.prank(owner);
            registry.revokeEpochs(only(FIRST_EPOCH));
            _assertAgree(taskManager, FIRST_EPOCH);
            EpochId epoch = commitEpoch(0, OPERATORS);
            _assertAgree(taskManager, epoch);
            assertEq(registry.latestEpoch(OPERATOR_SET), epoch);
            vm.revertToState(snapshot);
        }
    }

    function test_PublishingRepeatsWhatAValidatorRefused() public {
        FaultyValidator faulty = new FaultyValidator(registry, FaultyValidator.Fault.Reverts);
        _addFirst(faulty);
        commitEpoch(0, OPERATORS);
        assertEq(faulty.updates(), 0);
        faulty.repair();
        vm.prank(stranger);
        registry.publishEpoch(EpochId.wrap(2));
        assertEq(faulty.updates(), 1);
    }

    function test_ValidatorThatTakesAllGasLeavesEnoughToRevoke() public {
        vm.prank(owner);
        registry.removeValidator(taskManager);
        for (uint256 i = 1; i < registry.MAX_VALIDATORS(); ++i) {
            FaultyValidator faulty = new FaultyValidator(registry, FaultyValidator.Fault.TakesAllGas);
            vm.prank(owner);
            registry.addValidator(faulty);
        }
        vm.prank(owner);
        registry.addValidator(taskManager);
        vm.prank(owner);
        uint256 before = gasleft();
        registry.revokeEpochs{gas: 16_000_000}(only(FIRST_EPOCH));
        assertLt(before - gasleft(), 16_000_000);
        _assertAgree(taskManager, FIRST_EPOCH);
    }

    /// @dev The caller of an activation chooses the gas, and must not choose which validators learn of it.
    function testFuzz_GasLeavesNoValidatorBehind(uint32 gas) public {
        EpochId next = EpochId.wrap(2);
        vm.prank(owner);
        (bool success,) = address(registry).call{gas: gas % 2_000_000}(
            abi.encodeCall(registry.commitEpoch, (OPERATOR_SET, operatorAddresses(0, OPERATORS)))
        );
        if (!success) assertEq(registry.epochCount(), 1);
        _assertAgree(taskManager, FIRST_EPOCH);
        _assertAgree(taskManager, next);
    }

    /// @dev Every amount around the one that is just enough.
    function test_NoGasLeavesAValidatorBehind() public {
        bytes memory data = abi.encodeCall(registry.revokeEpochs, (only(FIRST_EPOCH)));
        uint256 succeeded = 0;
        for (uint256 gas = 20_000; gas < 700_000; gas += gas < 60_000 ? 97 : 9973) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(owner);
            (bool success,) = address(registry).call{gas: gas}(data);
            if (success) ++succeeded;
            _assertAgree(taskManager, FIRST_EPOCH);
            vm.revertToState(snapshot);
        }
        assertGt(succeeded, 0);
    }

    /// @dev For one whose update costs more, the gas that is left would suffice to go on without it.
    function test_NoGasLeavesAValidatorBehindThatNeedsMuch() public {
        FaultyValidator costly = new FaultyValidator(registry, FaultyValidator.Fault.NeedsMuchGas);
        vm.startPrank(owner);
        registry.removeValidator(taskManager);
        registry.addValidator(costly);
        vm.stopPrank();
        bytes memory data = abi.encodeCall(registry.revokeEpochs, (only(FIRST_EPOCH)));
        assertNoGasLeavesBehind(costly, owner, address(registry), data, 700_000);
    }

    /// @dev A validator gets 500,000 gas. A revocation that cannot give it so much reverts, with a margin for the call.
    function test_GasOfAnUpdateIsBoundedAndItsMarginSmall() public {
        FaultyValidator validator = new FaultyValidator(registry, FaultyValidator.Fault.Reverts);
        vm.startPrank(owner);
        registry.removeValidator(taskManager);
        registry.addValidator(validator);
        vm.stopPrank();
        vm.expectCall(address(validator), 0, 500_000, abi.encodePacked(IAttestationValidator.updateEpoch.selector));
        uint256 enough = _leastGasOfRevocation();

        // With less, a validator without a fault gets 63/64 of what is left, which tells what was spent before.
        validator.repair();
        vm.prank(owner);
        registry.revokeEpochs{gas: 400_000}(only(FIRST_EPOCH));
        uint256 spent = 400_000 - validator.gasOfUpdate() * 64 / 63;
        assertGt(enough - spent, uint256(500_000) * 64 / 63 + 6000);
        assertLt(enough - spent, uint256(500_000) * 64 / 63 + 11_000);
    }

    /* REMOVING */

    function test_RemovedValidatorReceivesNothingMore() public {
        ITaskManager second = deployTaskManager();
        vm.startPrank(owner);
        registry.addValidator(second);
        vm.expectEmit(address(registry));
        emit IOperatorRegistry.ValidatorRemoved(taskManager);
        registry.removeValidator(taskManager);
        vm.stopPrank();
        assertEq(registry.validators().length, 1);
        assertEq(address(registry.validators()[0]), address(second));
        EpochId epoch = commitEpoch(0, OPERATORS);
        _assertAgree(second, epoch);
        (address table,,,) = taskManager.epochs(epoch);
        assertEq(table, address(0));

        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.UnknownValidator.selector, taskManager));
        vm.prank(owner);
        registry.removeValidator(taskManager);
        // It can come back.
        vm.prank(owner);
        registry.addValidator(taskManager);
        registry.publishEpoch(epoch);
        _assertAgree(taskManager, epoch);
    }

    function test_RevertWhen_EpochToPublishDoesNotExist() public {
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 2));
        registry.publishEpoch(EpochId.wrap(2));
    }

    function test_RevertWhen_AnybodyButTheRegistryTellsOfAnEpoch() public {
        Epoch memory epoch = Epoch({
            table: address(this), operatorSet: OPERATOR_SET, validUntil: type(uint48).max, expiresAt: type(uint48).max
        });
        address[3] memory callers = [owner, stranger, address(counter)];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IAttestationValidator.NotOperatorRegistry.selector, callers[i]));
            vm.prank(callers[i]);
            taskManager.updateEpoch(FIRST_EPOCH, epoch);
        }
    }

    /// @dev Whatever is called, and in whatever order, a validator added from the first knows what the registry knows.
    function testFuzz_ValidatorAgreesWithTheRegistry(uint8[16] calldata steps) public {
        for (uint256 i = 0; i < steps.length; ++i) {
            if (steps[i] % 3 == 0) commitEpoch(0, 1 + steps[i] % OPERATORS);
            if (steps[i] % 3 == 1) skip(uint256(steps[i]) * 1 hours);
            if (steps[i] % 3 == 2) {
                EpochId epoch = EpochId.wrap(uint32(1 + steps[i] % registry.epochCount()));
                vm.prank(owner);
                registry.revokeEpochs(only(epoch));
            }
        }
        for (uint32 i = 1; i <= registry.epochCount(); ++i) {
            _assertAgree(taskManager, EpochId.wrap(i));
        }
    }

    function _assertAgree(ITaskManager validator, EpochId epoch) private view {
        (address table, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt) = registry.epochs(epoch);
        (address tableThere, OperatorSetId operatorSetThere, uint48 validUntilThere, uint48 expiresAtThere) =
            validator.epochs(epoch);
        assertEq(expiresAtThere, expiresAt);
        assertEq(tableThere, table);
        assertEq(operatorSetThere, operatorSet);
        assertEq(validUntilThere, validUntil);
    }

    /// @dev The least gas with which the owner can revoke the first epoch.
    function _leastGasOfRevocation() private returns (uint256 enough) {
        bytes memory data = abi.encodeCall(registry.revokeEpochs, (only(FIRST_EPOCH)));
        uint256 tooLittle = 400_000;
        enough = 700_000;
        while (enough - tooLittle > 1) {
            uint256 middle = (tooLittle + enough) / 2;
            uint256 snapshot = vm.snapshotState();
            vm.prank(owner);
            (bool success,) = address(registry).call{gas: middle}(data);
            vm.revertToStateAndDelete(snapshot);
            if (success) enough = middle;
            else tooLittle = middle;
        }
    }

    /// @dev Ahead of the TaskManager, which must still be told.
    function _addFirst(IAttestationValidator validator) private {
        vm.startPrank(owner);
        registry.removeValidator(taskManager);
        registry.addValidator(validator);
        registry.addValidator(taskManager);
        vm.stopPrank();
    }

    function _assertInvalid(IAttestationValidator validator) private {
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.InvalidValidator.selector, validator));
        vm.prank(owner);
        registry.addValidator(validator);
    }
}
