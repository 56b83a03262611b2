// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestedSequentialVault, SequentialVault} from "./SequentialVault.sol";
import {IVault, UpgradeTestBase} from "./UpgradeTestBase.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {
    ITransparentUpgradeableProxy,
    TransparentUpgradeableProxy
} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";

/// @dev OpenZeppelin's transparent proxy before a vault whose state stands slot after slot.
contract UpgradeTransparentTest is UpgradeTestBase {
    function deployVault() internal override {
        (earlier, later) = (address(new SequentialVault()), address(new AttestedSequentialVault()));
        string memory name = "Savings of everybody, with a name that is longer than a slot";
        bytes memory call = abi.encodeCall(IVault.initialize, (owner, name));
        vault = IVault(address(new TransparentUpgradeableProxy(earlier, owner, call)));
    }

    function upgrade(address implementation, bytes memory call) internal override {
        ProxyAdmin admin = ProxyAdmin(address(uint160(uint256(vm.load(address(vault), ERC1967Utils.ADMIN_SLOT)))));
        vm.prank(owner);
        admin.upgradeAndCall(ITransparentUpgradeableProxy(address(vault)), implementation, call);
    }

    /// @dev The first slot, which the version shares with the owner.
    function versionSlot() internal pure override returns (bytes32) {
        return 0;
    }

    function alreadyInitialized() internal pure override returns (bytes4) {
        return SequentialVault.AlreadyInitialized.selector;
    }
}
