// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title ExampleToken
/// @notice A token for the examples. Its deployer receives the whole supply.
contract ExampleToken is ERC20 {
    /// @param supply The whole supply, in the token's smallest unit (18 decimals).
    constructor(uint256 supply) ERC20("Example Token", "EXT") {
        _mint(msg.sender, supply);
    }
}
