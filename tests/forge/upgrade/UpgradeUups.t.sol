// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestedNamespacedVault, NamespacedVault} from "./NamespacedVault.sol";
import {IVault, UpgradeTestBase} from "./UpgradeTestBase.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";

/// @dev A UUPS proxy before a vault whose state is in namespaces.
contract UpgradeUupsTest is UpgradeTestBase {
    using SlotDerivation for string;

    function deployVault() internal override {
        (earlier, later) = (address(new NamespacedVault()), address(new AttestedNamespacedVault()));
        string memory name = "Savings of everybody, with a name that is longer than a slot";
        vault = IVault(address(new ERC1967Proxy(earlier, abi.encodeCall(IVault.initialize, (owner, name)))));
    }

    function upgrade(address implementation, bytes memory call) internal override {
        vm.prank(owner);
        UUPSUpgradeable(address(vault)).upgradeToAndCall(implementation, call);
    }

    function versionSlot() internal pure override returns (bytes32) {
        return string("openzeppelin.storage.Initializable").erc7201Slot();
    }

    function alreadyInitialized() internal pure override returns (bytes4) {
        return Initializable.InvalidInitialization.selector;
    }
}
