// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PolicyClient} from "../PolicyClient.sol";
import {ITaskManager} from "../interfaces/ITaskManager.sol";
import {Policy} from "../interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20, ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";

/// @title GatedVault
/// @notice An example: an ERC-4626 vault that anybody may deposit in, and from which assets leave only with an
/// authorization behind the calldata of `withdraw` and `redeem`. Neither operators nor owner can take a depositor's
/// assets: whoever withdraws still needs the shares, or an allowance of them.
/// @dev The intent's `from` is the caller, which need not be the owner of the shares: a policy looks at `owner` and
/// `receiver` in the calldata too. Shares are ERC-20 tokens and move without the gate; whoever receives them needs an
/// authorization of its own to withdraw, but can sell them as well. To gate that too,
/// mark `transfer` and `transferFrom` `onlyAttested` (not `_update`, which a withdrawal runs through as well).
///
/// `maxWithdraw` and `maxRedeem` tell what an authorization could let through at most, not whether there will be one; a
/// contract that withdraws from vaults by itself cannot use this one unless it passes authorizations on. The calldata
/// is attested, and the rate is not: `withdraw` pays exactly the assets attested, for shares at the present rate;
/// `redeem` burns exactly the shares attested, for assets at the present rate. Limits in assets call for `withdraw`.
contract GatedVault is ERC4626, PolicyClient, Ownable2Step {
    /// @param asset What is deposited. Its decimals are the shares' decimals.
    /// @param owner Who chooses the policy, and so could open the gate, but not withdraw what is others'.
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
