// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ExampleToken} from "../../../contracts/examples/ExampleToken.sol";
import {GatedHook} from "../../../contracts/examples/GatedHook.sol";
import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestKit} from "../../../contracts/testing/AssentTestKit.sol";
import {ReportingRouter} from "../utils/ReportingRouter.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IHooks} from "@uniswap/v4-core/src/interfaces/IHooks.sol";
import {IPoolManager} from "@uniswap/v4-core/src/interfaces/IPoolManager.sol";
import {CustomRevert} from "@uniswap/v4-core/src/libraries/CustomRevert.sol";
import {Hooks} from "@uniswap/v4-core/src/libraries/Hooks.sol";
import {Pool} from "@uniswap/v4-core/src/libraries/Pool.sol";
import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";
import {Currency} from "@uniswap/v4-core/src/types/Currency.sol";
import {PoolKey} from "@uniswap/v4-core/src/types/PoolKey.sol";
import {ModifyLiquidityParams, SwapParams} from "@uniswap/v4-core/src/types/PoolOperation.sol";

/// @dev Of Uniswap's own test routers, which the test takes as Uniswap built them. They do not tell for whom they act.
interface IUniswapTestRouters {
    struct TestSettings {
        bool takeClaims;
        bool settleUsingBurn;
    }

    function modifyLiquidity(PoolKey memory key, ModifyLiquidityParams memory params, bytes memory hookData)
        external
        payable;

    function swap(PoolKey memory key, SwapParams memory params, TestSettings memory settings, bytes memory hookData)
        external
        payable;
}

/// @dev In a pool of Uniswap's PoolManager with this hook, every swap needs an authorization for that very swap.
contract GatedHookTest is AssentTestKit {
    string private constant ARTIFACTS = "node_modules/@uniswap/v4-core/out/";
    uint160 private constant PRICE_OF_ONE = 1 << 96;

    address private trader = makeAddr("trader");
    address private thief = makeAddr("thief");
    ExampleToken private token0;
    ExampleToken private token1;
    IPoolManager private poolManager;
    IUniswapTestRouters private liquidityRouter;
    IUniswapTestRouters private silentRouter;
    ReportingRouter private router;
    GatedHook private hook;

    function setUp() public {
        deployAssent();
        poolManager = IPoolManager(_deployArtifact("PoolManager", abi.encode(address(this))));
        liquidityRouter = IUniswapTestRouters(_deployArtifact("PoolModifyLiquidityTest", abi.encode(poolManager)));
        silentRouter = IUniswapTestRouters(_deployArtifact("PoolSwapTest", abi.encode(poolManager)));
        router = new ReportingRouter(poolManager);
        hook = _deployHook();
        hook.setRouterTrusted(address(router), true);
        (token0, token1) = (new ExampleToken(1000 ether), new ExampleToken(1000 ether));
        if (token0 > token1) (token0, token1) = (token1, token0);
        for (uint256 i = 0; i < 2; ++i) {
            ExampleToken token = i == 0 ? token0 : token1;
            token.approve(address(liquidityRouter), type(uint256).max);
            _fund(token, trader);
            _fund(token, thief);
        }
        _openPool(_key(3000));
    }

    function test_AttestedSwapGoesThrough() public {
        _swap(trader, _params(1 ether), _attested(trader, _params(1 ether)));
        assertEq(token0.balanceOf(trader), 99 ether);
        // A little less than one for one: the fee of 0.3 %, and the price that the swap itself moved.
        assertApproxEqRel(token1.balanceOf(trader), 100 ether + 0.987 ether, 0.001 ether);
    }

    function test_SwapsOneAfterAnotherEachHaveTheirOwn() public {
        for (uint256 i = 1; i < 4; ++i) {
            _swap(trader, _params(1 ether), _attested(trader, _params(1 ether)));
            assertEq(token0.balanceOf(trader), 100 ether - i * 1 ether);
        }
    }

    function test_LiquidityNeedsNoAuthorization() public {
        liquidityRouter.modifyLiquidity(_key(3000), ModifyLiquidityParams(-60, 60, 10 ether, 0), "");
        liquidityRouter.modifyLiquidity(_key(3000), ModifyLiquidityParams(-60, 60, -10 ether, 0), "");
    }

    function test_CheckAuthorizationForetellsTheSwap() public {
        Intent memory intent = _intent(trader, _params(1 ether));
        bytes memory authorization = attest(intent);
        hook.checkAssentAuthorization(intent, trader, authorization);
        _swap(trader, _params(1 ether), authorization);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, hook, 0));
        hook.checkAssentAuthorization(intent, trader, authorization);
    }

    /* WHAT OPERATORS DID NOT ALLOW */

    function test_RevertWhen_SwapHasNoAuthorization() public {
        _assertRefused(trader, _params(1 ether), "", IRefusals.MalformedAuthorization.selector);
    }

    function test_RevertWhen_OperatorsDidNotAllow() public {
        Intent memory intent = _intent(trader, _params(1 ether));
        _assertRefused(trader, _params(1 ether), deny(intent), IRefusals.PolicyDenied.selector);
        _assertRefused(trader, _params(1 ether), expired(intent), IRefusals.AttestationExpired.selector);
        _assertRefused(trader, _params(1 ether), forged(intent), IRefusals.InvalidSignature.selector);
        _assertRefused(trader, _params(1 ether), withNonSigners(intent, 3), IRefusals.QuorumNotReached.selector);
    }

    function test_RevertWhen_AmountDirectionOrPriceIsAnother() public {
        bytes memory authorization = _attested(trader, _params(1 ether));
        SwapParams memory params = _params(1 ether + 1);
        _assertRefused(trader, params, authorization, IRefusals.WrongTask.selector);
        params = _params(1 ether);
        params.amountSpecified = 1 ether;
        _assertRefused(trader, params, authorization, IRefusals.WrongTask.selector);
        params = _params(1 ether);
        params.sqrtPriceLimitX96 -= 1;
        _assertRefused(trader, params, authorization, IRefusals.WrongTask.selector);
        params = SwapParams(false, -1 ether, TickMath.MAX_SQRT_PRICE - 1);
        _assertRefused(trader, params, authorization, IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_PoolIsAnother() public {
        _openPool(_key(500));
        bytes memory authorization = _attested(trader, _params(1 ether));
        bytes memory refusal = _refusalOf(trader, _key(500), _params(1 ether), authorization);
        assertEq(bytes4(refusal), IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_UsedTwice() public {
        bytes memory authorization = _attested(trader, _params(1 ether));
        _swap(trader, _params(1 ether), authorization);
        _assertRefused(trader, _params(1 ether), authorization, IRefusals.AttestationAlreadySpent.selector);
    }

    /* WHO TRADES */

    function test_RevertWhen_ThiefCopiesTheAuthorizationFromTheMempool() public {
        bytes memory authorization = _attested(trader, _params(1 ether));
        _assertRefused(thief, _params(1 ether), authorization, IRefusals.WrongTask.selector);
        _swap(trader, _params(1 ether), authorization);
    }

    function test_RevertWhen_RouterIsAnotherThanTheAttested() public {
        bytes memory authorization = _attested(trader, _params(1 ether));
        router = new ReportingRouter(poolManager);
        hook.setRouterTrusted(address(router), true);
        _assertRefused(trader, _params(1 ether), authorization, IRefusals.WrongTask.selector);
    }

    function test_RevertWhen_RouterIsNotTrusted() public {
        bytes memory authorization = _attested(trader, _params(1 ether));
        hook.setRouterTrusted(address(router), false);
        bytes memory refusal = _refusalOf(trader, _key(3000), _params(1 ether), authorization);
        assertEq(refusal, abi.encodeWithSelector(GatedHook.RouterNotTrusted.selector, router));
    }

    function test_RevertWhen_RouterDoesNotTellTheTrader() public {
        bytes memory authorization = _attested(trader, _params(1 ether));
        vm.prank(trader);
        vm.expectRevert(_wrapped(abi.encodeWithSelector(GatedHook.RouterNotTrusted.selector, silentRouter)));
        silentRouter.swap(_key(3000), _params(1 ether), IUniswapTestRouters.TestSettings(false, false), authorization);

        hook.setRouterTrusted(address(silentRouter), true);
        vm.prank(trader);
        vm.expectRevert(_wrapped(""));
        silentRouter.swap(_key(3000), _params(1 ether), IUniswapTestRouters.TestSettings(false, false), authorization);
    }

    function test_RevertWhen_AnybodyButThePoolManagerSpendsAnAuthorization() public {
        bytes memory authorization = _attested(trader, _params(1 ether));
        vm.expectRevert(abi.encodeWithSelector(GatedHook.NotPoolManager.selector, thief));
        vm.prank(thief);
        hook.beforeSwap(address(router), _key(3000), _params(1 ether), authorization);
        _swap(trader, _params(1 ether), authorization);
    }

    /* BETWEEN ATTESTATION AND SWAP */

    function test_SwapStopsAtTheAttestedPriceWhereverThePriceWasBefore() public {
        SwapParams memory limited = _params(10 ether);
        limited.sqrtPriceLimitX96 = uint160(PRICE_OF_ONE * 95 / 100);
        bytes memory authorization = _attested(trader, limited);
        _swap(thief, _params(4 ether), _attested(thief, _params(4 ether)));
        _swap(trader, limited, authorization);
        assertGt(token0.balanceOf(trader), 90 ether);
        assertLt(token0.balanceOf(trader), 100 ether);
    }

    function test_SwapThatFailsLeavesItsAuthorizationUnspent() public {
        SwapParams memory limited = _params(1 ether);
        limited.sqrtPriceLimitX96 = uint160(PRICE_OF_ONE * 95 / 100);
        bytes memory authorization = _attested(trader, limited);
        _swap(thief, _params(10 ether), _attested(thief, _params(10 ether)));
        vm.expectPartialRevert(Pool.PriceLimitAlreadyExceeded.selector);
        _swap(trader, limited, authorization);
        assertFalse(taskManager.isSpent(address(hook), 0));
    }

    /* DEPLOYMENT AND OWNER */

    /// @dev Elsewhere the PoolManager would not call the hook, and so accept every swap.
    function test_RevertWhen_AddressHasOtherPermissions() public {
        uint256 salt = 0;
        while (_permissionsAt(salt) == Hooks.BEFORE_SWAP_FLAG) {
            ++salt;
        }
        vm.expectPartialRevert(Hooks.HookAddressNotValid.selector);
        new GatedHook{salt: bytes32(salt)}(poolManager, address(this), taskManager, assentPolicy());
    }

    function test_RevertWhen_AnybodyButTheOwnerChoosesRoutersOrPolicy() public {
        vm.startPrank(thief);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, thief));
        hook.setRouterTrusted(thief, true);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, thief));
        hook.setAssentPolicy(assentPolicy());
        vm.stopPrank();
        vm.expectEmit(address(hook));
        emit GatedHook.RouterTrusted(trader, true);
        hook.setRouterTrusted(trader, true);
        hook.setAssentPolicy(assentPolicy());
    }

    /* PRIVATE */

    /// @dev Of token 0 for token 1, down to any price.
    function _params(uint256 amount) private pure returns (SwapParams memory) {
        return SwapParams(true, -int256(amount), TickMath.MIN_SQRT_PRICE + 1);
    }

    function _key(uint24 fee) private view returns (PoolKey memory) {
        return PoolKey(Currency.wrap(address(token0)), Currency.wrap(address(token1)), fee, 60, IHooks(address(hook)));
    }

    function _intent(address from, SwapParams memory params) private view returns (Intent memory) {
        return intentOf(from, address(hook), 0, hook.dataOf(address(router), _key(3000), params));
    }

    function _attested(address from, SwapParams memory params) private returns (bytes memory) {
        return attest(_intent(from, params));
    }

    function _swap(address from, SwapParams memory params, bytes memory authorization) private {
        vm.prank(from);
        router.swap(_key(3000), params, authorization);
    }

    function _assertRefused(address from, SwapParams memory params, bytes memory authorization, bytes4 refusal)
        private
    {
        assertEq(bytes4(_refusalOf(from, _key(3000), params, authorization)), refusal);
    }

    /// @dev Why the hook refused, out of the error in which the PoolManager wraps it.
    function _refusalOf(address from, PoolKey memory key, SwapParams memory params, bytes memory authorization)
        private
        returns (bytes memory refusal)
    {
        vm.prank(from);
        try router.swap(key, params, authorization) {
            revert("the swap succeeded");
        } catch (bytes memory wrapped) {
            bytes memory fields = new bytes(wrapped.length - 4);
            for (uint256 i = 0; i < fields.length; ++i) {
                fields[i] = wrapped[i + 4];
            }
            (,, refusal,) = abi.decode(fields, (address, bytes4, bytes, bytes));
            assertEq(wrapped, _wrapped(refusal));
        }
    }

    function _wrapped(bytes memory refusal) private view returns (bytes memory) {
        bytes memory details = abi.encodeWithSelector(Hooks.HookCallFailed.selector);
        return
            abi.encodeWithSelector(
                CustomRevert.WrappedError.selector, hook, IHooks.beforeSwap.selector, refusal, details
            );
    }

    function _fund(ExampleToken token, address account) private {
        require(token.transfer(account, 100 ether));
        vm.prank(account);
        token.approve(address(router), type(uint256).max);
    }

    function _openPool(PoolKey memory key) private {
        poolManager.initialize(key, PRICE_OF_ONE);
        liquidityRouter.modifyLiquidity(key, ModifyLiquidityParams(-6000, 6000, 100 ether, 0), "");
    }

    /// @dev Tries salts until the address's last 14 bits ask for `beforeSwap` and nothing else: some 16,000.
    function _deployHook() private returns (GatedHook) {
        uint256 salt = 0;
        bytes32 codeHash = _hookCodeHash();
        while (_permissionsAt(salt, codeHash) != Hooks.BEFORE_SWAP_FLAG) {
            ++salt;
        }
        return new GatedHook{salt: bytes32(salt)}(poolManager, address(this), taskManager, assentPolicy());
    }

    function _permissionsAt(uint256 salt) private view returns (uint160) {
        return _permissionsAt(salt, _hookCodeHash());
    }

    function _permissionsAt(uint256 salt, bytes32 codeHash) private view returns (uint160) {
        return uint160(Create2.computeAddress(bytes32(salt), codeHash)) & Hooks.ALL_HOOK_MASK;
    }

    function _hookCodeHash() private view returns (bytes32) {
        bytes memory arguments = abi.encode(poolManager, address(this), taskManager, assentPolicy());
        return keccak256(bytes.concat(type(GatedHook).creationCode, arguments));
    }

    function _deployArtifact(string memory name, bytes memory arguments) private returns (address) {
        return deployCode(string.concat(ARTIFACTS, name, ".sol/", name, ".json"), arguments);
    }
}
