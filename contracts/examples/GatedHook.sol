// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {PolicyClient} from "../PolicyClient.sol";
import {AttestedCall, ITaskManager} from "../interfaces/ITaskManager.sol";
import {Policy} from "../interfaces/Protocol.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {Hooks} from "@uniswap/v4-core/src/libraries/Hooks.sol";
import {BeforeSwapDelta, BeforeSwapDeltaLibrary} from "@uniswap/v4-core/src/types/BeforeSwapDelta.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";

/// @notice The interface with which a router names the account it swaps for. Uniswap's routers have it.
interface IMsgSender {
    function msgSender() external view returns (address);
}

/// @title GatedHook
/// @notice An example: a Uniswap v4 hook for pools in which every swap needs an authorization, which is the swap's
/// `hookData`.
/// @dev A hook sees the router, not the trader, so it asks a router that its owner trusts. A router can be trusted if
/// `msgSender()` is its caller during the whole swap, and it pays and is paid as that caller says. Then no one can use
/// another trader's authorization: for another trader the task differs.
/// @dev The intent: `from` the trader, `to` the hook, no value, `data` = `dataOf(router, key, params)`, which has the
/// pool, the direction, the amount and the price limit.
/// @dev Warning: The receiver of the output and its least amount are not attested. The trader gives them to the router
/// in its own transaction, and the Universal Router swaps down to any price.
/// @dev Warning: Liquidity is not gated, nor are pools of the same tokens with other hooks.
/// @dev Warning: The PoolManager does not call a hook for the hook's own swaps: never let this contract make calls that
/// others choose.
contract GatedHook is PolicyClient, Ownable2Step {
    /// @notice Emitted when a router becomes trusted or untrusted.
    event RouterTrusted(address indexed router, bool trusted);

    /// @notice Thrown when the caller is not the PoolManager.
    error NotPoolManager(address caller);
    /// @notice Thrown when the owner does not trust the router.
    error RouterNotTrusted(address router);

    /// @notice The PoolManager whose pools may name this hook.
    IPoolManager public immutable POOL_MANAGER;
    /// @notice Whether the owner trusts a router.
    mapping(address router => bool trusted) public isTrustedRouter;

    /// @dev Deploy it with a CREATE2 salt for which `beforeSwap` is the only permission bit of the address.
    /// @param owner The account that chooses the policy and the routers. It could open the gate.
    constructor(IPoolManager poolManager, address owner, ITaskManager taskManager, Policy memory policy)
        Ownable(owner)
    {
        Hooks.Permissions memory permissions;
        permissions.beforeSwap = true;
        Hooks.validateHookPermissions(IHooks(address(this)), permissions);
        POOL_MANAGER = poolManager;
        _assentInitialize(taskManager, policy);
    }

    /// @notice Spends the authorization of a swap before it happens. Only the PoolManager may call it.
    /// @dev Any other contract called in a trader's transaction could spend the trader's unused authorizations. A swap
    /// that reverts leaves its authorization unspent.
    function beforeSwap(address router, PoolKey calldata key, SwapParams calldata params, bytes calldata authorization)
        external
        returns (bytes4, BeforeSwapDelta, uint24)
    {
        if (msg.sender != address(POOL_MANAGER)) revert NotPoolManager(msg.sender);
        if (!isTrustedRouter[router]) revert RouterNotTrusted(router);
        address trader = IMsgSender(router).msgSender();
        AttestedCall memory swap = AttestedCall({
            caller: trader,
            from: trader,
            to: address(this),
            value: 0,
            dataHash: keccak256(dataOf(router, key, params)),
            chainId: block.chainid
        });
        assentTaskManager().spend(swap, assentPolicy(), assentIssuanceFloor(), authorization);
        return (IHooks.beforeSwap.selector, BeforeSwapDeltaLibrary.ZERO_DELTA, 0);
    }

    /// @notice Sets whether a router is trusted. Only the owner may call it.
    function setRouterTrusted(address router, bool trusted) external onlyOwner {
        isTrustedRouter[router] = trusted;
        emit RouterTrusted(router, trusted);
    }

    /// @notice Returns the intent's `data`: this hook's call as the PoolManager makes it, without the authorization.
    function dataOf(address router, PoolKey calldata key, SwapParams calldata params)
        public
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IHooks.beforeSwap, (router, key, params, ""));
    }

    function _assentAuthorizeChange() internal override onlyOwner {}
}
