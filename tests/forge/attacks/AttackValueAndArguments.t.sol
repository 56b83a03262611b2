// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {ComposedCounter} from "../utils/ComposedCounter.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Multicallable} from "solady/utils/Multicallable.sol";

/// @dev Credits whom it is called by with what it is paid.
abstract contract Till is ProtectedCounter {
    mapping(address payer => uint256) public credit;

    function pay() external payable onlyAttested {
        credit[msg.sender] += msg.value;
    }
}

contract SoladyTill is Till, Multicallable {}

/// @dev As the documentation says not to: a payable multicall over protected payable functions.
contract CarelessTill is Till {
    function multicall(bytes[] calldata calls) external payable {
        for (uint256 i = 0; i < calls.length; ++i) {
            Address.functionDelegateCall(address(this), calls[i]);
        }
    }
}

/// @dev Remembers what it read as arguments.
contract ArgumentReader is ProtectedCounter {
    uint256 public number;
    bytes public text;
    bytes32[4] public words;

    function take(uint256 number_, bytes calldata text_) external onlyAttested {
        (number, text) = (number_, text_);
    }

    function takeWords(bytes32[4] calldata words_) external onlyAttested {
        words = words_;
    }
}

/// @dev What an integrator can get wrong around a protected function. Where the attack works, the test shows how far.
contract AttackValueAndArgumentsTest is TrailingPath {
    ArgumentReader private reader;

    function setUp() public override {
        super.setUp();
        reader = new ArgumentReader();
        reader.initialize(taskManager, policy());
    }

    /* MSG.VALUE WITHIN A MULTICALL */

    function test_RevertWhen_ValueIsReusedWithinOpenZeppelinsMulticall() public {
        ComposedCounter client = new ComposedCounter(stranger);
        client.initialize(taskManager, policy());
        bytes memory call = abi.encodeCall(ProtectedCounter.increment, (1));
        vm.prank(agent);
        (bool success,) = address(client).call{value: 1 ether}(_twice(address(client), call, 1 ether));
        assertFalse(success);
        // Without value, what was attested with it is not attested.
        vm.prank(agent);
        (, bytes memory reason) = address(client).call(_twice(address(client), call, 1 ether));
        assertEq(bytes4(reason), IRefusals.WrongTask.selector);
        assertEq(client.count(), 0);
    }

    function test_RevertWhen_ValueIsReusedWithinSoladysMulticall() public {
        Till till = new SoladyTill();
        till.initialize(taskManager, policy());
        vm.prank(agent);
        (bool success,) =
            address(till).call{value: 1 ether}(_twice(address(till), abi.encodeCall(Till.pay, ()), 1 ether));
        assertFalse(success);
        assertEq(till.credit(agent), 0);
    }

    /// @dev Documented: two attestations of 1 ether each are both spent on the one ether. A third use of either is
    /// refused.
    function test_ValueIsReusedWithinAPayableMulticallOfTheIntegrator() public {
        Till till = new CarelessTill();
        till.initialize(taskManager, policy());
        bytes memory calls = _twice(address(till), abi.encodeCall(Till.pay, ()), 1 ether);
        vm.prank(agent);
        (bool success,) = address(till).call{value: 1 ether}(calls);
        assertTrue(success);
        assertEq(till.credit(agent), 2 ether);
        assertEq(address(till).balance, 1 ether);

        vm.prank(agent);
        (success,) = address(till).call{value: 1 ether}(calls);
        assertFalse(success);
        assertEq(till.credit(agent), 2 ether);
    }

    function test_RevertWhen_PayableMulticallPaysOtherThanTheAttestedValue() public {
        Till till = new CarelessTill();
        till.initialize(taskManager, policy());
        bytes memory calls = _twice(address(till), abi.encodeCall(Till.pay, ()), 1 ether);
        vm.prank(agent);
        (, bytes memory reason) = address(till).call{value: 2 ether}(calls);
        assertEq(bytes4(reason), IRefusals.WrongTask.selector);
    }

    /* TRAILING BYTES THAT DECODE AS ARGUMENTS */

    /// @dev Calldata that is complete in itself is read as if nothing followed it.
    function testFuzz_TrailingBytesChangeNoArgumentOfCompleteCalldata(uint256 number, bytes calldata text, uint8 absent)
        public
    {
        bytes memory call = abi.encodeCall(ArgumentReader.take, (number, text));
        _take(call, absent % 3);
        assertEq(reader.number(), number);
        assertEq(reader.text(), text);
    }

    /// @dev Documented: where attested calldata lacks its arguments, they are read from the authorization. The
    /// signature is among them, of which the caller may have more than one, so that operators approved none of what is
    /// read.
    function test_ArgumentsThatAttestedCalldataLacksAreReadFromTheAuthorization() public {
        bytes memory call = bytes.concat(ArgumentReader.takeWords.selector);
        uint256 snapshot = vm.snapshotState();
        bytes memory authorization = _take(call, 0);
        bytes32 withAllSigning = reader.words(3);
        assertEq(reader.words(0), bytes32(authorization), "not the task id");
        assertEq(uint256(reader.words(1)), NONCE);
        vm.revertToState(snapshot);
        _take(call, 1);
        assertNotEq(reader.words(3), withAllSigning);
    }

    /// @dev Documented: the offset is attested, and leads to the nonce as a length and to `issuedAt` as the text.
    function test_OffsetBehindAttestedCalldataIsFollowedIntoTheAuthorization() public {
        bytes memory call = abi.encodePacked(ArgumentReader.take.selector, uint256(7), uint256(96));
        _take(call, 0);
        assertEq(reader.number(), 7);
        assertEq(reader.text(), abi.encodePacked(bytes3(bytes6(uint48(block.timestamp)))));
    }

    /// @dev Only the operators can bring that about: complete calldata cannot be cut, nor an offset in it changed.
    function test_RevertWhen_CallerCutsAttestedCalldataSoThatTrailingBytesAreArguments() public {
        bytes memory call = abi.encodeCall(ArgumentReader.take, (7, "attested"));
        Intent memory intent = _intent(address(reader), call, 0);
        bytes memory authorization = authorize(attestationOf(address(reader), intent, NONCE));
        for (uint256 length = 4; length < call.length; ++length) {
            bytes memory cut = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                cut[i] = call[i];
            }
            vm.prank(agent);
            (bool success,) = address(reader).call(trail(cut, authorization));
            assertFalse(success);
        }
        vm.prank(agent);
        (bool uncut,) = address(reader).call(trail(call, authorization));
        assertTrue(uncut);
    }

    /// @dev Makes the attested call and returns its authorization.
    function _take(bytes memory call, uint256 absent) private returns (bytes memory authorization) {
        Intent memory intent = _intent(address(reader), call, 0);
        authorization = authorize(attestationOf(address(reader), intent, NONCE), OPERATORS, absent);
        vm.prank(agent);
        (bool success,) = address(reader).call(trail(call, authorization));
        assertTrue(success);
    }

    /// @dev A multicall of the same call twice, with an attestation for each.
    function _twice(address client, bytes memory call, uint256 value) private view returns (bytes memory) {
        bytes[] memory calls = new bytes[](2);
        for (uint256 i = 0; i < 2; ++i) {
            calls[i] = trail(call, authorize(attestationOf(client, _intent(client, call, value), i)));
        }
        return abi.encodeCall(Multicall.multicall, (calls));
    }

    function _intent(address client, bytes memory call, uint256 value) private view returns (Intent memory) {
        return Intent(agent, client, value, call, block.chainid);
    }
}
