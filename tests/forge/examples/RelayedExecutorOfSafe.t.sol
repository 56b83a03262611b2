// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RelayedExecutor} from "../../../contracts/examples/RelayedExecutor.sol";
import {Intent} from "../../../contracts/interfaces/Protocol.sol";
import {RelayTarget} from "../utils/RelayTarget.sol";
import {ISafe, ISafeProxyFactory, SafeTestBase} from "./SafeTestBase.sol";

/// @dev Of Safe's fallback handler, which answers as ERC-1271 demands.
interface IMessageHasher {
    function getMessageHashForSafe(address safe, bytes memory message) external view returns (bytes32);
}

/// @dev Relayed calls whose `from` is a contract wallet: a Safe, which answers as ERC-1271 demands.
contract RelayedExecutorOfSafeTest is SafeTestBase {
    uint64 private constant MINIMUM_GAS = 300_000;

    uint256 private aliceKey;
    uint256 private bobKey;
    uint48 private deadline;
    RelayedExecutor private relayed;
    RelayTarget private target;
    IMessageHasher private handler;
    address private safe;
    address private otherSafe;

    function setUp() public {
        deployAssent();
        deadline = uint48(block.timestamp + 5 minutes);
        relayed = new RelayedExecutor(address(this), taskManager, assentPolicy());
        target = new RelayTarget(address(relayed));
        handler = IMessageHasher(
            deployArtifact("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler.json")
        );
        address singleton = deployArtifact("Safe.sol/Safe.json");
        ISafeProxyFactory factory =
            ISafeProxyFactory(deployArtifact("proxies/SafeProxyFactory.sol/SafeProxyFactory.json"));
        address[] memory alice = new address[](1);
        (alice[0], aliceKey) = makeAddrAndKey("alice");
        (, bobKey) = makeAddrAndKey("bob");
        bytes memory setup = abi.encodeCall(
            ISafe.setup, (alice, 1, address(0), "", address(handler), address(0), 0, payable(address(0)))
        );
        safe = factory.createProxyWithNonce(singleton, setup, 1);
        otherSafe = factory.createProxyWithNonce(singleton, setup, 2);
    }

    function test_RelaysWhatTheOwnersOfASafeSigned() public {
        bytes memory authorization = attest(_intent(safe), address(relayed));
        _relay(_intent(safe), _sign(aliceKey, safe, authorization), authorization);
        assertEq(target.sender(), safe);
        assertEq(target.number(), 7);
    }

    function test_RevertWhen_WhoeverSignedOwnsNoneOfTheSafe() public {
        bytes memory authorization = attest(_intent(safe), address(relayed));
        _assertNotSigned(_intent(safe), _sign(bobKey, safe, authorization), authorization);
    }

    function test_RevertWhen_AnOwnerSignedForHerselfAndNotForTheSafe() public {
        bytes memory authorization = attest(_intent(safe), address(relayed));
        bytes32 digest = relayed.digestOf(_intent(safe), bytes32(authorization), MINIMUM_GAS, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, digest);
        _assertNotSigned(_intent(safe), abi.encodePacked(r, s, v), authorization);
    }

    function test_RevertWhen_OneSafesSignatureIsUsedForAnotherOfTheSameOwner() public {
        bytes memory authorization = attest(_intent(safe), address(relayed));
        bytes memory signature = _sign(aliceKey, safe, authorization);
        _assertNotSigned(_intent(otherSafe), signature, attest(_intent(otherSafe), address(relayed)));
    }

    function _intent(address from) private view returns (Intent memory) {
        return intentOf(from, address(target), 0, abi.encodeCall(target.record, (7)));
    }

    /// @dev A Safe's owners sign a message of the Safe's that holds the digest.
    function _sign(uint256 key, address from, bytes memory authorization) private view returns (bytes memory) {
        bytes32 digest = relayed.digestOf(_intent(from), bytes32(authorization), MINIMUM_GAS, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, handler.getMessageHashForSafe(from, abi.encode(digest)));
        return abi.encodePacked(r, s, v);
    }

    function _relay(Intent memory intent, bytes memory signature, bytes memory authorization) private {
        relayed.relay(intent, MINIMUM_GAS, deadline, signature, authorization);
    }

    function _assertNotSigned(Intent memory intent, bytes memory signature, bytes memory authorization) private {
        vm.expectRevert(abi.encodeWithSelector(RelayedExecutor.NotSignedBySender.selector, intent.from));
        _relay(intent, signature, authorization);
    }
}
