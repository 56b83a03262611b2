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

/// @notice How a router tells for whom it swaps. Uniswap's routers have it.
interface IMsgSender {
    function msgSender() external view returns (address);
}

/// @title GatedHook
/// @notice An example: a Uniswap v4 hook for pools in which every swap needs an authorization, which is the swap's
/// `hookData`.
/// @dev A hook sees the router, not the trader. So it asks the router, and believes none that its owner does not trust:
/// a router is worth trust if `msgSender()` is whoever called it, is that for the whole swap, and pays and is paid as
/// that one says. Then nobody can use another's authorization: under another trader the task is another.
///
/// The intent: `from` the trader, `to` the hook, no value, `data` = `dataOf(router, key, params)`, which says which
/// pool, which way, how much and down to which price. Not attested are who receives the output and its least amount:
/// the trader tells the router, in a transaction of its own, and the Universal Router swaps down to any price.
/// Liquidity is not gated, nor are pools of the same tokens with other hooks.
///
/// The PoolManager does not call a hook for the hook's own swaps: never let this contract make calls that others
/// choose.
contract GatedHook is PolicyClient, Ownable2Step {
    /// @notice Whether a router may swap changed.
    event RouterTrusted(address indexed router, bool trusted);

    /// @notice Only the PoolManager calls a hook.
    error NotPoolManager(address caller);
    /// @notice The owner does not trust the router to tell for whom it swaps.
    error RouterNotTrusted(address router);

    /// @notice The PoolManager whose pools may name this hook.
    IPoolManager public immutable POOL_MANAGER;
    /// @notice Which routers are believed.
    mapping(address router => bool trusted) public isTrustedRouter;

    /// @dev To be deployed with a CREATE2 salt under which the address's permission bits are those of `beforeSwap`
    /// alone.
    /// @param owner Who chooses the policy and the routers, and so could open the gate.
    constructor(IPoolManager poolManager, address owner, ITaskManager taskManager, Policy memory policy)
        Ownable(owner)
    {
        Hooks.Permissions memory permissions;
        permissions.beforeSwap = true;
        Hooks.validateHookPermissions(IHooks(address(this)), permissions);
        POOL_MANAGER = poolManager;
        _assentInitialize(taskManager, policy);
    }

    /// @notice Spends the authorization of a swap that is about to happen. PoolManager only.
    /// @dev Anybody else who is called in a trader's transaction could spend what the trader has not used. A swap that
    /// fails leaves its authorization unspent.
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
        assentTaskManager().spend(swap, assentPolicy(), authorization);
        return (IHooks.beforeSwap.selector, BeforeSwapDeltaLibrary.ZERO_DELTA, 0);
    }

    /// @notice Has a router believed from now on, or no longer. Owner only.
    function setRouterTrusted(address router, bool trusted) external onlyOwner {
        isTrustedRouter[router] = trusted;
        emit RouterTrusted(router, trusted);
    }

    /// @notice The intent's `data`: this hook's call as the PoolManager makes it, without the authorization.
    function dataOf(address router, PoolKey calldata key, SwapParams calldata params)
        public
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IHooks.beforeSwap, (router, key, params, ""));
    }

    function _assentAuthorizeChange() internal override onlyOwner {}
}
