// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PolicyClient} from "../PolicyClient.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {Policy} from "../interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20, ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @title GatedVault
/// @notice An example: an ERC-4626 vault with open deposits, from which assets leave only with an authorization
/// appended to the calldata of `withdraw` and `redeem`. Neither operators nor owner can take a depositor's assets: the
/// caller also needs the shares, or an allowance of them.
/// @dev The intent's `from` is the caller, which need not be the owner of the shares. A policy should also look at
/// `owner` and `receiver` in the calldata.
/// @dev Warning: Shares are ERC-20 tokens and move without the gate. Their receiver needs its own authorization to
/// withdraw, but can sell them. To gate that too, mark `transfer` and `transferFrom` `onlyAttested` (not `_update`,
/// which withdrawals call).
/// @dev `maxWithdraw` and `maxRedeem` return the most that an authorization could authorize, not whether there will be
/// one. A contract that withdraws from vaults by itself cannot use this one unless it passes authorizations on.
/// @dev The calldata is attested, the rate is not: `withdraw` pays exactly the attested assets, for shares at the
/// current rate; `redeem` burns exactly the attested shares, for assets at the current rate. For limits in assets use
/// `withdraw`.
contract GatedVault is ERC4626, PolicyClient, Ownable2Step {
    /// @param asset The deposited token. Its decimals are the shares' decimals.
    /// @param owner The account that chooses the policy. It could open the gate, but not withdraw others' assets.
    constructor(IERC20 asset, address owner, ITaskManager taskManager, Policy memory policy)
        ERC20("Gated Vault Share", "GVS")
        ERC4626(asset)
        Ownable(owner)
    {
        _assentInitialize(taskManager, policy);
    }

    /// @dev The gate stands where all assets leave, not at each function that leads there: none can be forgotten, nor
    /// added later beside it. One authorization is one withdrawal.
    function _withdraw(address caller, address receiver, address shareholder, uint256 assets, uint256 shares)
        internal
        override
        onlyAttested
    {
        super._withdraw(caller, receiver, shareholder, assets, shares);
    }

    function _assentAuthorizeChange() internal override onlyOwner {}
}
