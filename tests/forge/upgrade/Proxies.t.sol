// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {IPolicyClient} from "../../../contracts/interfaces/IPolicyClient.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {IRefusals, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {
    ITransparentUpgradeableProxy,
    TransparentUpgradeableProxy
} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

/// @dev As deployed before attestations were planned.
contract CounterBefore is OwnableUpgradeable, UUPSUpgradeable {
    uint256 public count;

    constructor() {
        _disableInitializers();
    }

    function initialize(address owner) external initializer {
        __Ownable_init(owner);
    }

    function increment(uint256 by) external payable virtual {
        count += by;
    }

    function _authorizeUpgrade(address) internal override onlyOwner {}
}

/// @dev The same counter, joined by the client.
contract CounterAfter is CounterBefore, PolicyClient {
    function initializePolicy(ITaskManager taskManager, Policy memory policy) external reinitializer(2) {
        _assentInitialize(taskManager, policy);
    }

    function initializeAll(address owner, ITaskManager taskManager, Policy memory policy) external initializer {
        __Ownable_init(owner);
        _assentInitialize(taskManager, policy);
    }

    function increment(uint256 by) external payable override onlyAttested {
        count += by;
    }

    function execute(Intent calldata intent, bytes calldata authorization) external returns (bytes memory) {
        return _assentExecute(intent, authorization);
    }

    function _assentAuthorizeChange() internal view override onlyOwner {}
}

/// @dev Behind each proxy the client is the proxy, with the proxy's storage, balance and nonces.
contract ProxiesTest is TrailingPath {
    CounterAfter private implementation;

    function setUp() public override {
        super.setUp();
        implementation = new CounterAfter();
    }

    function test_WorksBehindAnErc1967Proxy() public {
        _assertProtects(address(new ERC1967Proxy(address(implementation), _initialization())));
    }

    function test_WorksBehindATransparentProxy() public {
        _assertProtects(address(new TransparentUpgradeableProxy(address(implementation), owner, _initialization())));
    }

    function test_JoinsADeployedUupsContract() public {
        address proxy = _deployBefore();
        CounterBefore(proxy).increment(41);
        vm.prank(owner);
        UUPSUpgradeable(proxy).upgradeToAndCall(address(implementation), _policyInitialization());

        assertEq(CounterAfter(proxy).count(), 41, "the upgrade moved the counter");
        assertEq(CounterAfter(proxy).owner(), owner, "the upgrade moved the owner");
        _assertProtects(proxy);
        assertEq(CounterAfter(proxy).count(), 46);
    }

    function test_RevertWhen_UpgradedButNotInitialised() public {
        address proxy = _deployBefore();
        vm.prank(owner);
        UUPSUpgradeable(proxy).upgradeToAndCall(address(implementation), "");
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        CounterAfter(proxy).increment(1);
    }

    function test_JoinsADeployedTransparentProxy() public {
        address before = address(new CounterBefore());
        bytes memory initialization = abi.encodeCall(CounterBefore.initialize, (owner));
        address proxy = address(new TransparentUpgradeableProxy(before, owner, initialization));
        ProxyAdmin admin = ProxyAdmin(address(uint160(uint256(vm.load(proxy, ERC1967Utils.ADMIN_SLOT)))));
        vm.prank(owner);
        admin.upgradeAndCall(ITransparentUpgradeableProxy(proxy), address(implementation), _policyInitialization());
        _assertProtects(proxy);
    }

    function test_SpentNoncesOutliveAnUpgrade() public {
        address proxy = address(new ERC1967Proxy(address(implementation), _initialization()));
        _assertProtects(proxy);
        address next = address(new CounterAfter());
        vm.prank(owner);
        UUPSUpgradeable(proxy).upgradeToAndCall(next, "");
        Intent memory intent = protectedCall();
        assertRefused(
            intent,
            authorize(attest(intent)),
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, proxy, NONCE)
        );
    }

    function test_RevertWhen_AttestedToTheImplementation() public {
        address proxy = address(new ERC1967Proxy(address(implementation), _initialization()));
        counter = ProtectedCounter(address(implementation));
        bytes memory authorization = authorize(attest(protectedCall()));
        counter = ProtectedCounter(proxy);
        Intent memory intent = protectedCall();
        bytes32 task = taskManager.taskIdOf(proxy, POLICY_ID, intent, NONCE);
        assertRefused(
            intent, authorization, abi.encodeWithSelector(IRefusals.WrongTask.selector, task, bytes32(authorization))
        );
    }

    function test_RevertWhen_ImplementationItselfIsCalled() public {
        vm.expectRevert(IRefusals.PolicyNotSet.selector);
        implementation.increment(1);
    }

    function test_RevertWhen_StrangerChangesThePolicyBehindAProxy() public {
        address proxy = address(new ERC1967Proxy(address(implementation), _initialization()));
        vm.expectRevert(abi.encodeWithSelector(OwnableUpgradeable.OwnableUnauthorizedAccount.selector, stranger));
        vm.prank(stranger);
        IPolicyClient(proxy).setAssentPolicy(policy());
    }

    /// @dev Refuses without, passes once with an authorization.
    function _assertProtects(address proxy) private {
        // The paths know a client by the functions that `CounterAfter` shares with `ProtectedCounter`.
        counter = ProtectedCounter(proxy);
        Intent memory intent = protectedCall();
        assertRefused(intent, "", abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
        bytes memory authorization = authorize(attest(intent));
        uint256 balance = proxy.balance;
        assertPasses(intent, authorization);
        assertEq(proxy.balance - balance, 1 ether);
        assertTrue(taskManager.isSpent(proxy, NONCE));
        assertRefused(
            intent, authorization, abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, proxy, NONCE)
        );
    }

    function _deployBefore() private returns (address) {
        bytes memory initialization = abi.encodeCall(CounterBefore.initialize, (owner));
        return address(new ERC1967Proxy(address(new CounterBefore()), initialization));
    }

    function _initialization() private view returns (bytes memory) {
        return abi.encodeCall(CounterAfter.initializeAll, (owner, taskManager, policy()));
    }

    function _policyInitialization() private view returns (bytes memory) {
        return abi.encodeCall(CounterAfter.initializePolicy, (taskManager, policy()));
    }
}
