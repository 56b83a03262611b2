// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";

/// @dev What it costs to tell every validator.
contract GasOfValidatorsTest is TrailingPath {
    /// @dev With as many validators as there can be, revoking an epoch fits a transaction by far.
    function test_RevocationWithTheMostValidatorsFitsATransaction() public {
        for (uint256 i = registry.validators().length; i < registry.MAX_VALIDATORS(); ++i) {
            ITaskManager next = deployTaskManager();
            vm.prank(owner);
            registry.addValidator(next);
        }
        vm.prank(owner);
        uint256 before = gasleft();
        registry.revokeEpochs(only(FIRST_EPOCH));
        // Each learns of the epoch for the first time, in two slots.
        assertLt(before - gasleft(), 800_000);
    }
}
