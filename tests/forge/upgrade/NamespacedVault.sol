// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Policy} from "../../../contracts/interfaces/Protocol.sol";
import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";
import {ERC20Upgradeable} from "@openzeppelin/contracts-upgradeable/token/ERC20/ERC20Upgradeable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title A live vault whose state is in namespaces (ERC-7201): a share for each wei
contract NamespacedVault is ERC20Upgradeable, OwnableUpgradeable, UUPSUpgradeable {
    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        _disableInitializers();
    }

    function initialize(address owner, string calldata name) external initializer {
        __ERC20_init(name, "SHARE");
        __Ownable_init(owner);
    }

    function deposit() external payable {
        _mint(msg.sender, msg.value);
    }

    function withdraw(address payable recipient, uint256 amount) external virtual {
        _withdraw(recipient, amount);
    }

    function _withdraw(address payable recipient, uint256 amount) internal {
        _burn(msg.sender, amount);
        Address.sendValue(recipient, amount);
    }

    function _authorizeUpgrade(address) internal override onlyOwner {}
}

/// @title The same vault, whose withdrawals operators authorise
/// @dev Its bases were initialised under the earlier code, and are not again.
/// @custom:oz-upgrades-from NamespacedVault
/// @custom:oz-upgrades-unsafe-allow missing-initializer
contract AttestedNamespacedVault is NamespacedVault, PolicyClient {
    /// @dev Once, and in the transaction of the upgrade: the first caller sets it.
    function initializePolicy(ITaskManager taskManager, Policy calldata policy) external reinitializer(2) {
        _assentInitialize(taskManager, policy);
    }

    function withdraw(address payable recipient, uint256 amount) external override onlyAttested {
        _withdraw(recipient, amount);
    }

    function _assentAuthorizeChange() internal override onlyOwner {}
}
