// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {RelayedExecutor} from "../../contracts/examples/RelayedExecutor.sol";
import {Intent} from "../../contracts/interfaces/Protocol.sol";
import {AssentTestKit} from "../../contracts/testing/AssentTestKit.sol";
import {RelayTarget} from "./RelayTarget.sol";

/// @dev Of Safe's own contracts, which the test takes as Safe built them.
interface ISafeSetup {
    function setup(
        address[] calldata owners,
        uint256 threshold,
        address to,
        bytes calldata data,
        address fallbackHandler,
        address paymentToken,
        uint256 payment,
        address payable paymentReceiver
    ) external;

    function createProxyWithNonce(address singleton, bytes memory initializer, uint256 saltNonce)
        external
        returns (address proxy);

    function getMessageHashForSafe(address safe, bytes memory message) external view returns (bytes32);
}

/// @dev Relayed calls whose `from` is a contract wallet: a Safe, which answers as ERC-1271 demands.
contract RelayedExecutorOfSafeTest is AssentTestKit {
    string private constant ARTIFACTS = "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/";
    uint64 private constant MINIMUM_GAS = 300_000;

    uint256 private aliceKey;
    uint256 private bobKey;
    uint48 private deadline;
    RelayedExecutor private executor;
    RelayTarget private target;
    ISafeSetup private handler;
    address private safe;
    address private otherSafe;

    function setUp() public {
        deployAssent();
        deadline = uint48(block.timestamp + 5 minutes);
        executor = new RelayedExecutor(address(this), taskManager, assentPolicy());
        target = new RelayTarget(address(executor));
        handler = ISafeSetup(_deployArtifact("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler"));
        address singleton = _deployArtifact("Safe.sol/Safe");
        ISafeSetup factory = ISafeSetup(_deployArtifact("proxies/SafeProxyFactory.sol/SafeProxyFactory"));
        address[] memory owners = new address[](1);
        (owners[0], aliceKey) = makeAddrAndKey("alice");
        (, bobKey) = makeAddrAndKey("bob");
        bytes memory setup = abi.encodeCall(
            ISafeSetup.setup, (owners, 1, address(0), "", address(handler), address(0), 0, payable(address(0)))
        );
        safe = factory.createProxyWithNonce(singleton, setup, 1);
        otherSafe = factory.createProxyWithNonce(singleton, setup, 2);
    }

    function test_RelaysWhatTheOwnersOfASafeSigned() public {
        bytes memory authorization = attest(_intent(safe), address(executor));
        _relay(_intent(safe), _sign(aliceKey, safe, authorization), authorization);
        assertEq(target.sender(), safe);
        assertEq(target.number(), 7);
    }

    function test_RevertWhen_WhoeverSignedOwnsNoneOfTheSafe() public {
        bytes memory authorization = attest(_intent(safe), address(executor));
        _assertNotSigned(_intent(safe), _sign(bobKey, safe, authorization), authorization);
    }

    function test_RevertWhen_AnOwnerSignedForHerselfAndNotForTheSafe() public {
        bytes memory authorization = attest(_intent(safe), address(executor));
        bytes32 digest = executor.digestOf(_intent(safe), bytes32(authorization), MINIMUM_GAS, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, digest);
        _assertNotSigned(_intent(safe), abi.encodePacked(r, s, v), authorization);
    }

    function test_RevertWhen_OneSafesSignatureIsUsedForAnotherOfTheSameOwner() public {
        bytes memory authorization = attest(_intent(safe), address(executor));
        bytes memory signature = _sign(aliceKey, safe, authorization);
        _assertNotSigned(_intent(otherSafe), signature, attest(_intent(otherSafe), address(executor)));
    }

    function _intent(address from) private view returns (Intent memory) {
        return intentOf(from, address(target), 0, abi.encodeCall(target.record, (7)));
    }

    /// @dev A Safe's owners sign a message of the Safe's that holds the digest.
    function _sign(uint256 key, address from, bytes memory authorization) private view returns (bytes memory) {
        bytes32 digest = executor.digestOf(_intent(from), bytes32(authorization), MINIMUM_GAS, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, handler.getMessageHashForSafe(from, abi.encode(digest)));
        return abi.encodePacked(r, s, v);
    }

    function _relay(Intent memory intent, bytes memory signature, bytes memory authorization) private {
        executor.relay(intent, MINIMUM_GAS, deadline, signature, authorization);
    }

    function _assertNotSigned(Intent memory intent, bytes memory signature, bytes memory authorization) private {
        vm.expectRevert(abi.encodeWithSelector(RelayedExecutor.NotSignedBySender.selector, intent.from));
        _relay(intent, signature, authorization);
    }

    function _deployArtifact(string memory name) private returns (address) {
        return deployCode(string.concat(ARTIFACTS, name, ".json"));
    }
}
