// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {PolicyClient} from "../../../contracts/PolicyClient.sol";
import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {CounterAfter, CounterBefore} from "../upgrade/Proxies.t.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {SlotDerivation} from "@openzeppelin/contracts/utils/SlotDerivation.sol";

/// @dev The next version, with its bases in another order and state before and behind the old.
contract ReorderedCounter is PolicyClient, OwnableUpgradeable, UUPSUpgradeable {
    uint256 public count;
    bytes32[50] private _filler;
    mapping(uint256 => uint256) private _more;

    constructor() {
        _disableInitializers();
    }

    function increment(uint256 by) external payable onlyAttested {
        count += by;
    }

    /// @dev Writes every slot that it can name.
    function fill() external {
        for (uint256 i = 0; i < _filler.length; ++i) {
            (_filler[i], _more[i]) = (bytes32(type(uint256).max), type(uint256).max);
        }
    }

    function execute(Intent calldata intent, bytes calldata authorization) external returns (bytes memory) {
        return _assentExecute(intent, authorization);
    }

    function _assentAuthorizeChange() internal view override onlyOwner {}
    function _authorizeUpgrade(address) internal override onlyOwner {}
}

/// @dev State of a client written where something else of the contract stands, or the other way round.
contract AttackStorageTest is TrailingPath {
    using SlotDerivation for string;

    bytes32 private constant NAMESPACE = 0x775bcae047544c0ff1bf72751e7823236a3ff3789295e7d770bca6883ef01b00;

    CounterAfter private proxy;

    function setUp() public override {
        super.setUp();
        bytes memory initialization = abi.encodeCall(CounterBefore.initialize, (owner));
        proxy = CounterAfter(address(new ERC1967Proxy(address(new CounterBefore()), initialization)));
    }

    /// @dev Seen from outside: all that the upgrade writes, slot by slot.
    function test_UpgradeToAClientWritesNoSlotThatWasInUse() public {
        CounterBefore(address(proxy)).increment(41);
        address next = address(new CounterAfter());
        vm.record();
        _upgrade(next, abi.encodeCall(CounterAfter.initializePolicy, (taskManager, policy())));
        (, bytes32[] memory written) = vm.accesses(address(proxy));
        assertGt(written.length, 0);
        for (uint256 i = 0; i < written.length; ++i) {
            bool isExpected = written[i] == NAMESPACE || written[i] == bytes32(uint256(NAMESPACE) + 1)
                || written[i] == ERC1967Utils.IMPLEMENTATION_SLOT
                || written[i] == string("openzeppelin.storage.Initializable").erc7201Slot();
            assertTrue(isExpected, vm.toString(written[i]));
        }
        assertEq(proxy.count(), 41);
        assertEq(proxy.owner(), owner);
    }

    /// @dev A protected call writes only the integrator's slots; spent nonces are in the TaskManager.
    function test_ProtectedCallWritesNoSlotOfTheClients() public {
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        vm.record();
        assertPasses(intent, authorization);
        (, bytes32[] memory written) = vm.accesses(address(counter));
        assertEq(written.length, 1);
        assertEq(written[0], bytes32(0));
    }

    function test_NamespaceIsNobodyElses() public pure {
        assertEq(string("assent.storage.PolicyClient").erc7201Slot(), NAMESPACE);
        string[8] memory others = [
            "openzeppelin.storage.Initializable",
            "openzeppelin.storage.Ownable",
            "openzeppelin.storage.Ownable2Step",
            "openzeppelin.storage.AccessControl",
            "openzeppelin.storage.Pausable",
            "openzeppelin.storage.ReentrancyGuard",
            "openzeppelin.storage.ERC20",
            "openzeppelin.storage.EIP712"
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            _assertApart(others[i].erc7201Slot());
        }
        _assertApart(ERC1967Utils.IMPLEMENTATION_SLOT);
        _assertApart(ERC1967Utils.ADMIN_SLOT);
        _assertApart(ERC1967Utils.BEACON_SLOT);
    }

    /// @dev Bases in another order and new state move neither the policy nor what is spent.
    function test_UpgradeThatReordersBasesCollidesWithNothing() public {
        _upgrade(address(new CounterAfter()), abi.encodeCall(CounterAfter.initializePolicy, (taskManager, policy())));
        counter = ProtectedCounter(address(proxy));
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        assertPasses(intent, authorization);

        _upgrade(address(new ReorderedCounter()), abi.encodeCall(ReorderedCounter.fill, ()));
        assertEq(abi.encode(proxy.assentPolicy()), abi.encode(policy()));
        assertEq(address(proxy.assentTaskManager()), address(taskManager));
        assertEq(proxy.owner(), owner);
        assertRefused(
            intent,
            authorization,
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(proxy), NONCE)
        );
        assertPasses(intent, authorize(attestationOf(address(proxy), intent, NONCE + 1)));
        assertEq(proxy.count(), 10);
    }

    /// @dev Back to code that knows of no policy and on again: what was spent and demanded meanwhile is as it was.
    function test_RevertWhen_DowngradeAndUpgradeWouldBringASpentAuthorizationBack() public {
        address after_ = address(new CounterAfter());
        _upgrade(after_, abi.encodeCall(CounterAfter.initializePolicy, (taskManager, policy())));
        counter = ProtectedCounter(address(proxy));
        Intent memory intent = protectedCall();
        bytes memory authorization = authorize(attest(intent));
        assertPasses(intent, authorization);

        _upgrade(address(new CounterBefore()), "");
        CounterBefore(address(proxy)).increment(1);
        _upgrade(after_, "");
        assertRefused(
            intent,
            authorization,
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(proxy), NONCE)
        );
    }

    function _assertApart(bytes32 slot) private pure {
        uint256 distance = uint256(slot) > uint256(NAMESPACE)
            ? uint256(slot) - uint256(NAMESPACE)
            : uint256(NAMESPACE) - uint256(slot);
        assertGt(distance, 256);
    }

    function _upgrade(address next, bytes memory call) private {
        vm.prank(owner);
        UUPSUpgradeable(address(proxy)).upgradeToAndCall(next, call);
    }
}
