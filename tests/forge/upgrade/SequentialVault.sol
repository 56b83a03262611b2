// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Policy} from "../../../contracts/interfaces/Protocol.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title A live vault whose state stands slot after slot, as contracts had it before ERC-7201
contract SequentialVault {
    error NotOwner();
    error AlreadyInitialized();

    address public owner;
    uint8 internal version;
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;
    uint256 public total;
    string public name;
    uint256[45] private __gap;

    /// @custom:oz-upgrades-unsafe-allow constructor
    constructor() {
        version = type(uint8).max;
    }

    function initialize(address initialOwner, string calldata initialName) external {
        _become(1);
        (owner, name) = (initialOwner, initialName);
    }

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
        total += msg.value;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function withdraw(address payable recipient, uint256 amount) external virtual {
        _withdraw(recipient, amount);
    }

    function _withdraw(address payable recipient, uint256 amount) internal {
        balanceOf[msg.sender] -= amount;
        total -= amount;
        Address.sendValue(recipient, amount);
    }

    function _become(uint8 next) internal {
        if (version >= next) revert AlreadyInitialized();
        version = next;
    }
}

/// @title The same vault, whose withdrawals operators authorise
contract AttestedSequentialVault is SequentialVault, PolicyClient {
    /// @dev Once, and in the transaction of the upgrade: the first caller sets it.
    function initializePolicy(ITaskManager taskManager, Policy calldata policy) external {
        _become(2);
        _assentInitialize(taskManager, policy);
    }

    function withdraw(address payable recipient, uint256 amount) external override onlyAttested {
        _withdraw(recipient, amount);
    }

    function _assentAuthorizeChange() internal view override {
        if (msg.sender != owner) revert NotOwner();
    }
}

/// @title What the storage check is there to find: a variable before the others
contract MisplacedState {
    uint256 internal limit;
}

/// @title The same vault with its balances at other slots
contract BrokenSequentialVault is MisplacedState, SequentialVault {}
