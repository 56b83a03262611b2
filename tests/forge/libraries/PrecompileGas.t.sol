// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Precompiles} from "../../../contracts/libraries/Precompiles.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {BLS12381Caller} from "../utils/BLS12381Caller.sol";
import {Test} from "forge-std/Test.sol";

/// @dev The gas that precompiles get, and the gas that is kept to report why one failed.
contract PrecompileGasTest is Test {
    BLS12381Caller private library_;

    function setUp() public {
        library_ = new BLS12381Caller();
    }

    /// @dev By the prices of EIP-2537.
    function test_CallsWhoseInputMayBeRejectedGetFourTimesTheirPrice() public {
        _expectCall(Precompiles.G1ADD, 375);
        library_.g1Add(new bytes(256));
        _expectCall(Precompiles.G1MSM, 12_000);
        library_.g1Multiply(new bytes(160));
        _expectCall(Precompiles.G2ADD, 600);
        library_.g2Add(new bytes(512));
        _expectCall(Precompiles.G2MSM, 22_500);
        library_.g2Multiply(new bytes(288));
        _expectCall(Precompiles.MAP_FP_TO_G1, 5500);
        library_.mapToG1(new bytes(64));
        _expectCall(Precompiles.PAIRING, 37_700 + 32_600 * 3);
        library_.pairing(new bytes(384 * 3));
    }

    function test_PairingOfASignatureGetsFourTimesItsPrice() public {
        bytes memory signature = OperatorKeys.sign(1234, "message", OperatorKeys.SIGNATURE_TAG);
        _expectCall(Precompiles.PAIRING, 37_700 + 32_600 * 2);
        library_.verify("message", OperatorKeys.SIGNATURE_TAG, signature, OperatorKeys.publicKey(1234));
    }

    /// @dev The second call gets at most three quarters of the gas that is left.
    function test_GasIsKeptToReportThatThereWasTooLittle() public {
        bytes memory input = new bytes(160);
        input[127] = 0x01; // No point of the curve.
        bytes memory data = abi.encodeCall(library_.g1Multiply, (input));
        uint256 cap = 4 * 12_000;
        uint256 least = cap * 64 / 63 + 4000;
        for (uint256 gas_ = least; gas_ < least + 10_000; gas_ += 53) {
            (bool success, bytes memory returned) = address(library_).call{gas: gas_}(data);
            assertFalse(success);
            assertEq(returned, abi.encodeWithSelector(Precompiles.InsufficientGas.selector));
        }
        (bool isAnswered, bytes memory answer) = address(library_).call{gas: least + 20_000}(data);
        assertTrue(isAnswered);
        (bool isAccepted,) = abi.decode(answer, (bool, bytes));
        assertFalse(isAccepted);
    }

    function _expectCall(address precompile, uint64 price) private {
        vm.expectCall(precompile, 0, 4 * price, "");
    }
}
