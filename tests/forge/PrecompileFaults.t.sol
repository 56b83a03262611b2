// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SignedRoot} from "../../contracts/interfaces/IAttestationValidator.sol";
import {HashToCurve} from "../../contracts/libraries/HashToCurve.sol";
import {Precompiles} from "../../contracts/libraries/Precompiles.sol";
import {OperatorKeys} from "../../contracts/testing/OperatorKeys.sol";
import {AssentTest} from "./AssentTest.sol";
import {BLS12381Caller} from "./BLS12381Caller.sol";

/// @dev Precompiles that fail once, in the midst of what went well before. No point and no pass may come of it.
contract PrecompileFaultsTest is AssentTest {
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
        bytes memory tagged = abi.encodePacked(OperatorKeys.SIGNATURE_TAG, uint8(OperatorKeys.SIGNATURE_TAG.length));
        bytes memory input = abi.encodePacked(new bytes(64), MESSAGE, uint16(128), uint8(0), tagged);
        bytes32 seed = sha256(input);
        _assertHashingFailsWithout(SHA256, input);
        bytes32 previous;
        for (uint8 block_ = 1; block_ <= 4; ++block_) {
            input = abi.encodePacked(seed ^ previous, block_, tagged);
            previous = sha256(input);
            _assertHashingFailsWithout(SHA256, input);
        }
    }

    function test_RevertWhen_EitherFieldElementIsNotReducedOrNotMapped() public {
        bytes32[4] memory expanded = HashToCurve.expandMessage(MESSAGE, OperatorKeys.SIGNATURE_TAG);
        for (uint256 element = 0; element < 2; ++element) {
            bytes memory input = abi.encodePacked(
                abi.encode(64, 1, 64), expanded[2 * element], expanded[2 * element + 1], uint8(1), MODULUS
            );
            (, bytes memory reduced) = MODEXP.staticcall(input);
            _assertHashingFailsWithout(MODEXP, input);
            _assertHashingFailsWithout(Precompiles.MAP_FP_TO_G1, reduced);
        }
    }

    function test_RevertWhen_MappedPointsAreNotAdded() public {
        _assertHashingFailsWithout(Precompiles.G1ADD, "");
    }

    /// @dev Hashed messages are points of the subgroup, so a precompile that refuses their sum is at fault, not a signature.
    function test_RevertWhen_SumOfManyRootsHashesIsRefused() public {
        deployAssent(2);
        SignedRoot[] memory roots = new SignedRoot[](1);
        roots[0] = SignedRoot("root", sign("root", 0, 2), "");
        vm.mockCallRevert(Precompiles.G1MSM, bytes(""), bytes(""));
        vm.expectRevert(abi.encodeWithSelector(Precompiles.InsufficientGas.selector));
        taskManager.recordRoots(1, roots);
        vm.clearMockedCalls();
        taskManager.recordRoots(1, roots);
    }

    /// @dev Of zero alone CLZ says 256.
    function test_RevertWhen_DeployedWhereTheInstructionThatCountsZerosFindsNoBit() public {
        deployAssent(1);
        vm.warp(0);
        vm.expectRevert(bytes(""));
        deployTaskManager();
        vm.warp(1);
        deployTaskManager();
    }

    /// @dev Lets the precompile fail for this input alone, in each way in which it can.
    function _assertHashingFailsWithout(address precompile, bytes memory input) private {
        bytes memory gone = abi.encodeWithSelector(Precompiles.InsufficientGas.selector);
        // With all inputs alike the precompile also answers the question whether it is there.
        bytes memory silent =
            input.length == 0 ? abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, precompile) : gone;
        vm.mockCallRevert(precompile, input, bytes(""));
        _assertHashingReverts(gone);
        vm.mockCall(precompile, input, bytes(""));
        _assertHashingReverts(silent);
        vm.mockCall(precompile, input, new bytes(31));
        _assertHashingReverts(silent);
        library_.hashToG1(MESSAGE, OperatorKeys.SIGNATURE_TAG);
    }

    function _assertHashingReverts(bytes memory expected) private {
        vm.expectRevert(expected);
        library_.hashToG1(MESSAGE, OperatorKeys.SIGNATURE_TAG);
        vm.clearMockedCalls();
    }
}
