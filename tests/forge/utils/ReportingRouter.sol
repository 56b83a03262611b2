// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {IUnlockCallback} from "@uniswap/v4-core/src/interfaces/callback/IUnlockCallback.sol";
import {BalanceDelta} from "@uniswap/v4-core/src/types/BalanceDelta.sol";
import {Currency} from "@uniswap/v4-core/src/types/Currency.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";

/// @dev A router of ERC-20 tokens that tells for whom it swaps, and takes and pays tokens as that one's.
contract ReportingRouter is IUnlockCallback {
    IPoolManager private immutable POOL_MANAGER;
    address public transient msgSender;

    constructor(IPoolManager poolManager) {
        POOL_MANAGER = poolManager;
    }

    function swap(PoolKey calldata key, SwapParams calldata params, bytes calldata hookData) external {
        require(msgSender == address(0), "a swap is pending");
        msgSender = msg.sender;
        POOL_MANAGER.unlock(abi.encode(key, params, hookData));
        msgSender = address(0);
    }

    function unlockCallback(bytes calldata data) external returns (bytes memory) {
        require(msg.sender == address(POOL_MANAGER), "not the PoolManager");
        (PoolKey memory key, SwapParams memory params, bytes memory hookData) =
            abi.decode(data, (PoolKey, SwapParams, bytes));
        BalanceDelta delta = POOL_MANAGER.swap(key, params, hookData);
        _settle(key.currency0, delta.amount0());
        _settle(key.currency1, delta.amount1());
        return "";
    }

    function _settle(Currency currency, int256 amount) private {
        if (amount > 0) return POOL_MANAGER.take(currency, msgSender, uint256(amount));
        POOL_MANAGER.sync(currency);
        require(IERC20(Currency.unwrap(currency)).transferFrom(msgSender, address(POOL_MANAGER), uint256(-amount)));
        POOL_MANAGER.settle();
    }
}
