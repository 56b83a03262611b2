// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {ComposedCounter} from "../utils/ComposedCounter.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {ERC2771Forwarder} from "@openzeppelin/contracts/metatx/ERC2771Forwarder.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {BeaconProxy} from "@openzeppelin/contracts/proxy/beacon/BeaconProxy.sol";
import {UpgradeableBeacon} from "@openzeppelin/contracts/proxy/beacon/UpgradeableBeacon.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";
import {LibCWIA} from "solady/utils/legacy/LibCWIA.sol";

/// @dev The same trailing authorization, seen through a contract in between. It is for one sender and one client, and
/// what a contract between adds to the calldata spoils it.
contract AttackThroughOthersTest is TrailingPath {
    /// @dev Of an address that ends in 0x00f4: 244 is the length of an authorization with one hash of proof.
    uint256 private constant KEY_OF_ADDRESS_LIKE_A_LENGTH = 33_764;

    ERC2771Forwarder private forwarder;
    ComposedCounter private composed;
    uint256 private agentsKey;

    function setUp() public override {
        super.setUp();
        (agent, agentsKey) = makeAddrAndKey("agent");
        forwarder = new ERC2771Forwarder("forwarder");
        composed = new ComposedCounter(address(forwarder));
        composed.initialize(taskManager, policy());
    }

    /* PROXIES */

    function test_RevertWhen_AuthorizationOfOneProxyIsSeenThroughAnother() public {
        UpgradeableBeacon beacon = new UpgradeableBeacon(address(composed), owner);
        address[4] memory proxies = [
            Clones.clone(address(composed)),
            Clones.clone(address(composed)),
            address(new BeaconProxy(address(beacon), "")),
            address(new BeaconProxy(address(beacon), ""))
        ];
        for (uint256 i = 0; i < proxies.length; ++i) {
            ProtectedCounter(proxies[i]).initialize(taskManager, policy());
        }
        for (uint256 i = 0; i < proxies.length; ++i) {
            bytes memory trailed = _trailed(proxies[i], agent, NONCE);
            for (uint256 j = 0; j < proxies.length; ++j) {
                if (i != j) assertEq(_selectorOfRefusal(agent, proxies[j], trailed), IRefusals.WrongTask.selector);
            }
            assertEq(_selectorOfRefusal(agent, address(composed), trailed), IRefusals.WrongTask.selector);
            assertEq(_call(agent, proxies[i], trailed), "");
        }
    }

    /// @dev A clone of the older kind puts its arguments and their length behind every calldata.
    function test_RevertWhen_CloneAppendsItsArgumentsToTheCalldata() public {
        address clone = LibCWIA.clone(address(composed), abi.encode("argument"));
        ProtectedCounter(clone).initialize(taskManager, policy());
        bytes memory refusal = _call(agent, clone, _trailed(clone, agent, NONCE));
        assertEq(refusal, abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector));
    }

    /* MULTICALL */

    function test_MulticallCarriesAnAuthorizationForEachCall() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = _trailed(address(composed), agent, 0);
        calls[1] = _trailed(address(composed), agent, 1);
        assertEq(_call(agent, address(composed), abi.encodeCall(Multicall.multicall, (calls))), "");
        assertEq(composed.count(), 2);
        assertEq(composed.lastSender(), agent);
    }

    function test_RevertWhen_OneAuthorizationServesTwoCallsOfAMulticall() public {
        bytes[] memory calls = new bytes[](2);
        calls[0] = _trailed(address(composed), agent, 0);
        calls[1] = calls[0];
        assertEq(
            _call(agent, address(composed), abi.encodeCall(Multicall.multicall, (calls))),
            abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(composed), 0)
        );
        assertFalse(taskManager.isSpent(address(composed), 0), "a refused multicall spent a nonce");
    }

    /// @dev Each inner call sees only its own calldata.
    function test_RevertWhen_AuthorizationStandsBehindTheMulticallOnly() public {
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(ComposedCounter.noteSender, ());
        bytes memory outer = abi.encodeCall(Multicall.multicall, (calls));
        bytes[2] memory attested = [calls[0], outer];
        for (uint256 i = 0; i < attested.length; ++i) {
            Intent memory intent = _intent(agent, address(composed), attested[i]);
            bytes memory authorization = authorize(attestationOf(address(composed), intent, NONCE));
            assertEq(
                _call(agent, address(composed), trail(outer, authorization)),
                abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector)
            );
        }
    }

    function test_RevertWhen_StrangerPutsAnothersAuthorizationIntoAMulticall() public {
        bytes[] memory calls = new bytes[](1);
        calls[0] = _trailed(address(composed), agent, NONCE);
        bytes memory multicall = abi.encodeCall(Multicall.multicall, (calls));
        assertEq(_selectorOfRefusal(stranger, address(composed), multicall), IRefusals.WrongTask.selector);
        assertEq(_call(agent, address(composed), multicall), "");
    }

    /* ERC-2771 */

    /// @dev The agent's own request, in order, with its authorization: refused, and good when the agent itself calls.
    function test_RevertWhen_AuthorizationComesThroughAnErc2771Forwarder() public {
        bytes memory trailed = _trailed(address(composed), agent, NONCE);
        ERC2771Forwarder.ForwardRequestData memory request = _request(agent, agentsKey, trailed);
        assertTrue(forwarder.verify(request));
        vm.expectRevert(Errors.FailedCall.selector);
        forwarder.execute(request);
        assertEq(
            _call(address(forwarder), address(composed), abi.encodePacked(trailed, agent)),
            abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector)
        );
        assertEq(_call(agent, address(composed), trailed), "");
        assertEq(composed.lastSender(), agent);
    }

    /// @dev `_msgSender()` is the attested `from` when it calls itself, whatever ends the authorization.
    function test_MessageSenderInAProtectedBodyIsTheAttestedCaller() public {
        assertEq(_call(agent, address(composed), _trailed(address(composed), agent, 0)), "");
        assertEq(composed.lastSender(), agent);
        assertEq(_call(stranger, address(composed), _trailed(address(composed), stranger, 1)), "");
        assertEq(composed.lastSender(), stranger);
    }

    /// @dev Documented: operators must deny calls from a forwarder. `_msgSender()` is then the end of the calldata,
    /// which is the authorization's: here the proof's last bytes and the length.
    function test_MessageSenderIsTheCalldatasEndWhereAForwarderIsTheAttestedCaller() public {
        bytes memory trailed = _trailed(address(composed), address(forwarder), NONCE);
        assertEq(_call(address(forwarder), address(composed), trailed), "");
        assertEq(composed.lastSender(), address(bytes20(LibBytes.slice(trailed, trailed.length - 20))));
        assertNotEq(composed.lastSender(), address(forwarder));
    }

    /// @dev The request's signer chose its address, so that what the forwarder appends ends a well-formed
    /// authorization.
    function test_RevertWhen_AddressAppendedByTheForwarderEndsAnAuthorization() public {
        address attacker = vm.addr(KEY_OF_ADDRESS_LIKE_A_LENGTH);
        bytes memory call = abi.encodeCall(ComposedCounter.noteSender, ());
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = bytes32(uint256(uint160(attacker)) >> 16); // Its last 18 bytes are the address's first.
        bytes memory authorization = encode(
            attestationOf(address(composed), _intent(agent, address(composed), call), NONCE),
            FIRST_EPOCH,
            sign("any root", 0, OPERATORS),
            "",
            proof
        );
        assertEq(authorization.length, uint16(uint160(attacker)));
        bytes memory data = bytes.concat(call, authorization);
        bytes memory withoutTheAddress = new bytes(data.length - 18);
        for (uint256 i = 0; i < withoutTheAddress.length; ++i) {
            withoutTheAddress[i] = data[i];
        }
        bytes memory asForwarded = abi.encodePacked(withoutTheAddress, attacker);
        assertEq(asForwarded, trail(call, authorization));

        bytes4 refusal = _selectorOfRefusal(address(forwarder), address(composed), asForwarded);
        assertEq(refusal, IRefusals.WrongTask.selector, "not even well-formed, or good");
        ERC2771Forwarder.ForwardRequestData memory request =
            _request(attacker, KEY_OF_ADDRESS_LIKE_A_LENGTH, withoutTheAddress);
        assertTrue(forwarder.verify(request));
        vm.expectRevert(Errors.FailedCall.selector);
        forwarder.execute(request);
    }

    function test_RevertWhen_AgentsExplicitIntentComesThroughAnErc2771Forwarder() public {
        Intent memory intent = _intent(agent, address(recorder), "data");
        bytes memory authorization = authorize(attestationOf(address(composed), intent, NONCE));
        bytes memory call = abi.encodeCall(ProtectedCounter.execute, (intent, authorization));
        assertEq(
            _call(address(forwarder), address(composed), abi.encodePacked(call, agent)),
            abi.encodeWithSelector(IRefusals.WrongSender.selector, address(forwarder), agent)
        );
    }

    /// @dev Documented: `from` is who calls the client. The first user of a forwarder can use an intent attested to it.
    function test_ExplicitIntentAttestedToAForwarderIsAnybodys() public {
        Intent memory intent = _intent(address(forwarder), address(recorder), "data");
        bytes memory authorization = authorize(attestationOf(address(composed), intent, NONCE));
        (address anyone, uint256 key) = makeAddrAndKey("anyone");
        bytes memory call = abi.encodeCall(ProtectedCounter.execute, (intent, authorization));
        forwarder.execute(_request(anyone, key, call));
        assertEq(recorder.calls(), 1);
    }

    /// @dev OpenZeppelin's multicall hands the appended address on to each inner call.
    function test_RevertWhen_MulticallComesThroughAnErc2771Forwarder() public {
        bytes[] memory calls = new bytes[](1);
        calls[0] = _trailed(address(composed), address(forwarder), NONCE);
        bytes memory multicall = abi.encodeCall(Multicall.multicall, (calls));
        assertEq(
            _call(address(forwarder), address(composed), abi.encodePacked(multicall, agent)),
            abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector)
        );
    }

    /* SHARED */

    function _request(address from, uint256 key, bytes memory data)
        private
        view
        returns (ERC2771Forwarder.ForwardRequestData memory request)
    {
        request = ERC2771Forwarder.ForwardRequestData({
            from: from,
            to: address(composed),
            value: 0,
            gas: 1_000_000,
            deadline: uint48(block.timestamp + 1),
            data: data,
            signature: ""
        });
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "ForwardRequest(address from,address to,uint256 value,uint256 gas,uint256 nonce,uint48 deadline,"
                    "bytes data)"
                ),
                from,
                request.to,
                request.value,
                request.gas,
                forwarder.nonces(from),
                request.deadline,
                keccak256(data)
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("forwarder"),
                keccak256("1"),
                block.chainid,
                address(forwarder)
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        request.signature = abi.encodePacked(r, s, v);
    }

    function _trailed(address client, address from, uint256 nonce) private view returns (bytes memory) {
        bytes memory call = abi.encodeCall(ComposedCounter.noteSender, ());
        return trail(call, authorize(attestationOf(client, _intent(from, client, call), nonce)));
    }

    function _intent(address from, address to, bytes memory call) private view returns (Intent memory) {
        return Intent(from, to, 0, call, block.chainid);
    }

    function _selectorOfRefusal(address caller, address target, bytes memory data) private returns (bytes4) {
        return bytes4(_call(caller, target, data));
    }

    function _call(address caller, address target, bytes memory data) private returns (bytes memory refusal) {
        vm.prank(caller);
        (bool success, bytes memory returned) = target.call(data);
        if (!success) refusal = returned;
    }
}
