// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {OperatorRegistry} from "../../../contracts/OperatorRegistry.sol";
import {Epoch, IAttestationValidator} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, EpochId, IRefusals, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
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
        OperatorRegistry other = new OperatorRegistry(owner, ownerStakeSource, GRACE_PERIOD);
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
        // With as many as there can be, revoking an epoch still fits a transaction by far.
        vm.prank(owner);
        uint256 before = gasleft();
        registry.revokeEpoch(FIRST_EPOCH);
        assertLt(before - gasleft(), 500_000);
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
        registry.revokeEpoch(EpochId.wrap(3));
        _assertAgree(second, EpochId.wrap(3));
        (,, uint48 validUntil) = second.epochs(EpochId.wrap(3));
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
        registry.revokeEpoch(FIRST_EPOCH);
        vm.prank(stranger);
        registry.publishEpoch(FIRST_EPOCH);
        Attestation memory attestation = attest(protectedCall());
        assertRefused(
            attestation.intent, authorize(attestation), abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1)
        );
    }

    function test_RevertWhen_EpochToPublishDoesNotExist() public {
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 2));
        registry.publishEpoch(EpochId.wrap(2));
    }

    function test_RevertWhen_AnybodyButTheRegistryTellsOfAnEpoch() public {
        Epoch memory epoch = Epoch({table: address(this), operatorSet: OPERATOR_SET, validUntil: type(uint48).max});
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
                registry.revokeEpoch(epoch);
            }
        }
        for (uint32 i = 1; i <= registry.epochCount(); ++i) {
            _assertAgree(taskManager, EpochId.wrap(i));
        }
    }

    function _assertAgree(ITaskManager validator, EpochId epoch) private view {
        (address table, OperatorSetId operatorSet, uint48 validUntil) = registry.epochs(epoch);
        (address tableThere, OperatorSetId operatorSetThere, uint48 validUntilThere) = validator.epochs(epoch);
        assertEq(tableThere, table);
        assertEq(operatorSetThere, operatorSet);
        assertEq(validUntilThere, validUntil);
    }

    function _assertInvalid(IAttestationValidator validator) private {
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.InvalidValidator.selector, validator));
        vm.prank(owner);
        registry.addValidator(validator);
    }
}
