// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator, SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {Precompiles} from "../../../contracts/libraries/Precompiles.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {BLS12381Caller} from "../utils/BLS12381Caller.sol";

/// @dev Precompiles that fail once, in the midst of what went well before. No point and no pass may come of it.
contract PrecompileFaultsTest is AssentTestBase {
    address private constant SHA256 = address(0x02);
    address private constant MODEXP = address(0x05);
    bytes private constant MESSAGE = "message";
    /// @dev The base field's modulus (RFC 9380, section 8.8.1) in 64 bytes.
    bytes private constant MODULUS = hex"000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd7"
        hex"64774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";

    BLS12381Caller private library_;

    function setUp() public {
        library_ = new BLS12381Caller();
    }

    function test_RevertWhen_AnyOneHashOfAnExpandedMessageFails() public {
        _assertHashingFailsWithoutAny(SHA256, _hashedBytes());
    }

    function test_RevertWhen_EitherFieldElementIsNotMapped() public {
        _assertHashingFailsWithoutAny(Precompiles.MAP_FP_TO_G1, _elements());
    }

    function test_RevertWhen_PrecompileOfHashingIsMissingWhicheverCallFindsIt() public {
        _assertMissingAtAny(SHA256, _hashedBytes());
        _assertMissingAtAny(Precompiles.MAP_FP_TO_G1, _elements());
    }

    function test_RevertWhen_MappedPointsAreNotAdded() public {
        _assertHashingFailsWithout(Precompiles.G1ADD, "");
    }

    /// @dev Only one word that is 1 says that a product is one.
    function test_PairingThatAnswersOtherThanOneWordOfOneProvesNothing() public {
        bytes memory signature = OperatorKeys.sign(1234, MESSAGE, OperatorKeys.SIGNATURE_TAG);
        bytes memory key = OperatorKeys.publicKey(1234);
        assertTrue(library_.verify(MESSAGE, OperatorKeys.SIGNATURE_TAG, signature, key));
        vm.mockCall(Precompiles.PAIRING, bytes(""), abi.encode(2));
        assertFalse(library_.verify(MESSAGE, OperatorKeys.SIGNATURE_TAG, signature, key));
        vm.mockCall(Precompiles.PAIRING, bytes(""), abi.encode(1, 1));
        vm.expectRevert(abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, Precompiles.PAIRING));
        library_.verify(MESSAGE, OperatorKeys.SIGNATURE_TAG, signature, key);
    }

    function test_RevertWhen_PrecompileAnswersMoreThanAPoint() public {
        vm.mockCall(Precompiles.G1ADD, bytes(""), new bytes(129));
        vm.expectRevert(abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, Precompiles.G1ADD));
        library_.g1Add(new bytes(256));
        vm.mockCall(Precompiles.G1ADD, bytes(""), new bytes(128));
        library_.g1Add(new bytes(256));
    }

    /// @dev Hashed messages are points of the subgroup, so a precompile that refuses their sum is at fault, not a
    /// signature.
    function test_RevertWhen_SumOfManyRootsHashesIsRefused() public {
        deployAssent(2);
        SignedRoot[] memory roots = new SignedRoot[](1);
        roots[0] = SignedRoot("root", sign("root", 0, 2), "");
        vm.mockCallRevert(Precompiles.G1MSM, bytes(""), bytes(""));
        vm.expectRevert(abi.encodeWithSelector(Precompiles.InsufficientGas.selector));
        taskManager.recordRoots(EpochId.wrap(1), roots);
        vm.clearMockedCalls();
        taskManager.recordRoots(EpochId.wrap(1), roots);
    }

    /// @dev CLZ is 256 only for zero.
    function test_RevertWhen_DeployedWhereTheInstructionThatCountsZerosFindsNoBit() public {
        deployAssent(1);
        vm.warp(0);
        vm.expectRevert(IAttestationValidator.InstructionMissing.selector);
        deployTaskManager();
        vm.warp(1);
        deployTaskManager();
    }

    /// @dev What SHA-256 is asked for, in this order.
    function _hashedBytes() private view returns (bytes[] memory inputs) {
        inputs = new bytes[](5);
        bytes memory tagged = abi.encodePacked(OperatorKeys.SIGNATURE_TAG, uint8(OperatorKeys.SIGNATURE_TAG.length));
        inputs[0] = abi.encodePacked(new bytes(64), MESSAGE, uint16(128), uint8(0), tagged);
        bytes32 seed = sha256(inputs[0]);
        bytes32 previous;
        for (uint8 block_ = 1; block_ <= 4; ++block_) {
            inputs[block_] = abi.encodePacked(seed ^ previous, block_, tagged);
            previous = sha256(inputs[block_]);
        }
    }

    /// @dev What MAP_FP_TO_G1 is asked for.
    function _elements() private view returns (bytes[] memory inputs) {
        inputs = new bytes[](2);
        bytes32[4] memory expanded = HashToCurve.expandMessage(MESSAGE, OperatorKeys.SIGNATURE_TAG);
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory element = abi.encodePacked(expanded[2 * i], expanded[2 * i + 1]);
            (, inputs[i]) = MODEXP.staticcall(abi.encodePacked(abi.encode(64, 1, 64), element, uint8(1), MODULUS));
        }
    }

    function _answers(address precompile, bytes[] memory inputs) private view returns (bytes[] memory answers) {
        answers = new bytes[](inputs.length);
        for (uint256 i = 0; i < inputs.length; ++i) {
            (, answers[i]) = precompile.staticcall(inputs[i]);
        }
    }

    function _assertHashingFailsWithoutAny(address precompile, bytes[] memory inputs) private {
        for (uint256 i = 0; i < inputs.length; ++i) {
            _assertHashingFailsWithout(precompile, inputs[i]);
        }
    }

    /// @dev Lets the precompile be gone from the first, the second ... of the calls on.
    function _assertMissingAtAny(address precompile, bytes[] memory inputs) private {
        bytes[] memory answers = _answers(precompile, inputs);
        for (uint256 answered = 0; answered < inputs.length; ++answered) {
            vm.mockCall(precompile, bytes(""), bytes(""));
            for (uint256 i = 0; i < answered; ++i) {
                vm.mockCall(precompile, inputs[i], answers[i]);
            }
            _assertHashingReverts(abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, precompile));
        }
    }

    /// @dev Lets the precompile fail only for this input, in each way in which it can.
    function _assertHashingFailsWithout(address precompile, bytes memory input) private {
        bytes memory gone = abi.encodeWithSelector(Precompiles.InsufficientGas.selector);
        // With all inputs alike the precompile also answers the question whether it is there.
        bytes memory silent =
            input.length == 0 ? abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, precompile) : gone;
        vm.mockCallRevert(precompile, input, bytes(""));
        _assertHashingReverts(gone);
        vm.mockCall(precompile, input, bytes(""));
        _assertHashingReverts(silent);
        uint8[2] memory wrongLengths = [31, 129];
        for (uint256 i = 0; i < wrongLengths.length; ++i) {
            vm.mockCall(precompile, input, new bytes(wrongLengths[i]));
            _assertHashingReverts(silent);
        }
        library_.hashToG1(MESSAGE, OperatorKeys.SIGNATURE_TAG);
    }

    function _assertHashingReverts(bytes memory expected) private {
        vm.expectRevert(expected);
        library_.hashToG1(MESSAGE, OperatorKeys.SIGNATURE_TAG);
        vm.clearMockedCalls();
    }
}
