// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IAttestationValidator, SignedRoot} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {Attestation, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {Authorization} from "../../../contracts/libraries/Authorization.sol";
import {CAP_MULTIPLE, Precompiles} from "../../../contracts/libraries/Precompiles.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {BLS12381Caller} from "../utils/BLS12381Caller.sol";
import {TrailingPath} from "../utils/ClientTestBase.sol";
import {Test} from "forge-std/Test.sol";

/// @dev What the chain can withhold: precompiles and gas. Neither may ever turn a refusal into a pass, nor pass for a
/// fault of the authorization.
contract ChainFaultsTest is TrailingPath {
    BLS12381Caller private library_;
    Attestation private attestation;
    bytes private authorization;
    bytes private key;
    bytes private signature;

    function setUp() public override {
        super.setUp();
        library_ = new BLS12381Caller();
        attestation = attest(protectedCall());
        authorization = authorize(attestation);
        key = OperatorKeys.publicKey(1234);
        signature = OperatorKeys.sign(1234, "message", OperatorKeys.SIGNATURE_TAG);
    }

    /* MISSING PRECOMPILES */

    function test_RevertWhen_ChainHasNoPrecompiles() public {
        Intent memory intent = attestation.intent;
        _removePrecompiles();
        assertRefused(intent, authorization, _missing(Precompiles.MAP_FP_TO_G1));
        vm.expectRevert(_missing(Precompiles.MAP_FP_TO_G1));
        library_.verify("message", OperatorKeys.SIGNATURE_TAG, signature, key);
    }

    function test_RevertWhen_ChainHasNoPrecompilesForNonSigners() public {
        uint16[3] memory lengths = [0, 255, 257];
        bytes memory withAbsent = authorize(attestation, OPERATORS, 1);
        for (uint256 i = 0; i < lengths.length; ++i) {
            vm.mockCall(Precompiles.G2ADD, bytes(""), new bytes(lengths[i]));
            assertRefused(attestation.intent, withAbsent, _missing(Precompiles.G2ADD));
        }
    }

    /// @dev The chain is found at fault at the first non-signer, for any bitmap, in the same word or the next.
    function test_RevertWhen_ChainHasNoPrecompilesAndOperatorsAfterTheFirstDoNotExist() public {
        bytes memory own = sign(taskManager.digestOf(attestation), 1, OPERATORS);
        bytes[2] memory bitmaps = [bytes(hex"0101"), new bytes(33)];
        (bitmaps[1][0], bitmaps[1][32]) = (0x01, 0x01);
        _removePrecompiles();
        for (uint256 i = 0; i < bitmaps.length; ++i) {
            bytes memory withAbsent = encode(attestation, FIRST_EPOCH, own, bitmaps[i], new bytes32[](0));
            assertRefused(attestation.intent, withAbsent, _missing(Precompiles.G2ADD));
        }
    }

    function test_RevertWhen_ChainHasNoPrecompilesForManyRoots() public {
        SignedRoot[] memory roots = new SignedRoot[](2);
        roots[0] = SignedRoot("root", sign("root", 0, OPERATORS), "");
        roots[1] = roots[0];
        vm.mockCall(Precompiles.G1MSM, bytes(""), bytes(""));
        vm.expectRevert(_missing(Precompiles.G1MSM));
        taskManager.recordRoots(FIRST_EPOCH, roots);
    }

    /// @dev Each by itself, of those that a verification calls.
    function test_RevertWhen_DeployedWhereAPrecompileIsMissing() public {
        address[5] memory precompiles =
            [Precompiles.G1ADD, Precompiles.G1MSM, Precompiles.G2ADD, Precompiles.PAIRING, Precompiles.MAP_FP_TO_G1];
        for (uint256 i = 0; i < precompiles.length; ++i) {
            vm.mockCall(precompiles[i], bytes(""), bytes(""));
            vm.expectRevert(_missing(precompiles[i]));
            deployTaskManager();
            vm.clearMockedCalls();
        }
    }

    function test_RevertWhen_AnyWrappedPrecompileIsMissing() public {
        _removePrecompiles();
        vm.expectRevert(_missing(Precompiles.G1ADD));
        library_.g1Add(new bytes(256));
        vm.expectRevert(_missing(Precompiles.G1MSM));
        library_.g1Multiply(new bytes(160));
        vm.expectRevert(_missing(Precompiles.G2ADD));
        library_.g2Add(new bytes(512));
        vm.expectRevert(_missing(Precompiles.G2MSM));
        library_.g2Multiply(new bytes(288));
        vm.expectRevert(_missing(Precompiles.PAIRING));
        library_.pairing(new bytes(768));
        vm.expectRevert(_missing(Precompiles.MAP_FP_TO_G1));
        library_.mapToG1(new bytes(64));
    }

    /* TOO LITTLE GAS */

    /// @dev Whatever gas a call gets, it passes or fails for want of gas.
    function test_GoodAuthorizationNeverLooksBadForWantOfGas() public {
        bytes memory data = trail(attestation.intent.data, authorization);
        (uint256 passed, uint256 insufficient) = _sweep(address(counter), data, 90_000, 260_000, 61);
        assertGt(passed, 0, "never enough gas");
        assertGt(insufficient, 0, "never InsufficientGas");
    }

    function test_GoodAuthorizationWithNonSignersNeverLooksBadForWantOfGas() public {
        bytes memory data = trail(attestation.intent.data, authorize(attestation, OPERATORS, 2));
        (uint256 passed, uint256 insufficient) = _sweep(address(counter), data, 90_000, 270_000, 67);
        assertGt(passed, 0, "never enough gas");
        assertGt(insufficient, 0, "never InsufficientGas");
    }

    function test_GoodRootsNeverLookBadForWantOfGas() public {
        SignedRoot[] memory roots = new SignedRoot[](2);
        roots[0] = SignedRoot("root", sign("root", 0, OPERATORS), "");
        roots[1] = SignedRoot("another", sign("another", 1, OPERATORS), hex"01");
        bytes memory data = abi.encodeCall(IAttestationValidator.recordRoots, (FIRST_EPOCH, roots));
        (uint256 passed, uint256 insufficient) = _sweep(address(taskManager), data, 60_000, 330_000, 71);
        assertGt(passed, 0, "never enough gas");
        assertGt(insufficient, 0, "never InsufficientGas");
    }

    /// @dev With so much in use, each further word of memory costs about 40 gas.
    function test_GoodSignatureNeverLooksBadForWantOfGasWithMuchMemoryInUse() public {
        bytes memory data = abi.encodeCall(
            library_.verifyWithMemoryInUse, (300_000, "message", OperatorKeys.SIGNATURE_TAG, signature, key)
        );
        (uint256 passed, uint256 insufficient) = _sweep(address(library_), data, 200_000, 480_000, 211);
        assertGt(passed, 0, "never enough gas");
        assertGt(insufficient, 0, "never InsufficientGas");
    }

    function test_GoodSignatureOfALongMessageNeverLooksBadForWantOfGas() public {
        bytes memory message = new bytes(50_000);
        bytes memory own = OperatorKeys.sign(1234, message, OperatorKeys.SIGNATURE_TAG);
        bytes memory data = abi.encodeCall(library_.verify, (message, OperatorKeys.SIGNATURE_TAG, own, key));
        (uint256 passed, uint256 insufficient) = _sweep(address(library_), data, 20_000, 400_000, 293);
        assertGt(passed, 0, "never enough gas");
        assertGt(insufficient, 0, "never InsufficientGas");
    }

    function test_ForgedAuthorizationNeverPassesForWantOfGas() public {
        bytes memory forged = bytes.concat(authorization);
        forged[Authorization.EVIDENCE_OFFSET] ^= 0x01;
        bytes memory data = trail(attestation.intent.data, forged);
        for (uint256 gas_ = 20_000; gas_ < 250_000; gas_ += 97) {
            vm.prank(agent);
            (bool success,) = address(counter).call{value: 1 ether, gas: gas_}(data);
            assertFalse(success);
        }
    }

    /// @dev A signature that PAIRING rejects is reported as such once the gas is that of its cap and of a second call.
    /// With less it is never taken for a valid one.
    function test_BadSignatureLooksBadWithTheGasOfItsCap() public {
        bytes memory bad = bytes.concat(authorization);
        bad[Authorization.BITMAP_LENGTH_OFFSET - 1] ^= 0x01; // A point off the curve, which PAIRING rejects.
        bytes memory data = trail(attestation.intent.data, bad);
        for (uint256 gas_ = 100_000; gas_ < 1_000_000; gas_ += 20_000) {
            vm.prank(agent);
            (bool success, bytes memory returned) = address(counter).call{value: 1 ether, gas: gas_}(data);
            assertFalse(success);
            if (gas_ < 600_000) continue;
            assertEq(returned, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
        }
    }

    /// @dev With ever more gas, good input first fails for want of it, and then passes. Bad input is never told to be
    /// bad with less gas than valid input needs. It is with the gas of the cap and of a second call.
    function test_WantOfGasAndBadInputAreToldApart() public {
        bytes memory input = new bytes(40 * 384);
        bytes memory good = abi.encodeCall(library_.pairing, (input));
        input[input.length - 1] = 0x01;
        bytes memory bad = abi.encodeCall(library_.pairing, (input));
        uint256 price = 37_700 + 40 * 32_600;
        uint256 enough = _leastAnswered(good, price, 2 * price);
        uint256 told = _leastAnswered(bad, price, 6 * price);
        assertGt(told, enough, "bad input was told to be bad where good input fails");
        assertLt(told, CAP_MULTIPLE * price + price * 4 / 3 * 64 / 63 + 100_000, "bad input was taken for want of gas");
        for (uint256 gas_ = enough - 110_000; gas_ < told; gas_ += told / 40) {
            assertFalse(_isAnswered(bad, gas_), "want of gas was taken for bad input");
        }
    }

    /// @dev The least gas with which the precompile is said to have answered.
    function _leastAnswered(bytes memory data, uint256 tooLittle, uint256 enough) private returns (uint256) {
        assertFalse(_isAnswered(data, tooLittle));
        assertTrue(_isAnswered(data, enough), "never enough gas");
        while (enough - tooLittle > 1) {
            uint256 middle = (tooLittle + enough) / 2;
            if (_isAnswered(data, middle)) enough = middle;
            else tooLittle = middle;
        }
        return enough;
    }

    /// @dev Whether the pairings' precompile is said to have accepted or rejected the input; it fails for want of gas
    /// otherwise.
    function _isAnswered(bytes memory data, uint256 gas_) private returns (bool answered) {
        bytes memory returned;
        (answered, returned) = address(library_).call{gas: gas_}(data);
        if (answered) {
            (bool isGood,) = abi.decode(returned, (bool, bytes));
            assertEq(isGood, data[data.length - 1] == 0, "good input was rejected for want of gas");
        } else if (returned.length != 0) {
            assertEq(returned, abi.encodeWithSelector(Precompiles.InsufficientGas.selector));
        }
    }

    /// @dev Bad bytes make a precompile burn what it is given: no more than its cap, and a second call's price.
    function test_BadSignatureBurnsNoMoreThanTheCap() public {
        bytes memory bad = bytes.concat(authorization);
        bad[Authorization.BITMAP_LENGTH_OFFSET - 1] ^= 0x01; // The signature's last byte.
        Intent memory intent = attestation.intent;
        uint256 before = gasleft();
        askView(intent, agent, bad);
        uint256 used = before - gasleft();
        before = gasleft();
        askView(intent, agent, authorization);
        uint256 price = 37_700 + 2 * 32_600;
        assertLt(used, before - gasleft() + CAP_MULTIPLE * price + 10_000);
    }

    /* PRICES THAT RISE */

    /// @dev A precompile that fails whatever it is asked has too little gas. One that fails for this signature only
    /// rejects it.
    function test_RejectionIsWhatOnlyThisInputMeets() public {
        Intent memory intent = attestation.intent;
        vm.mockCallRevert(Precompiles.PAIRING, bytes(""), bytes(""));
        assertRefused(intent, authorization, abi.encodeWithSelector(Precompiles.InsufficientGas.selector));
        // Points at infinity have zeros where a signature has none.
        vm.mockCall(Precompiles.PAIRING, new bytes(768), abi.encode(1));
        assertRefused(intent, authorization, abi.encodeWithSelector(IRefusals.MalformedSignature.selector));
    }

    /// @dev Calls with every amount of gas from `least` to `most` by `step`, each from the same state.
    function _sweep(address target, bytes memory data, uint256 least, uint256 most, uint256 step)
        private
        returns (uint256 passed, uint256 insufficient)
    {
        uint256 value = target == address(counter) ? 1 ether : 0;
        for (uint256 gas_ = least; gas_ < most; gas_ += step) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(agent);
            (bool success, bytes memory returned) = target.call{value: value, gas: gas_}(data);
            vm.revertToStateAndDelete(snapshot);
            if (success) {
                if (returned.length != 0) assertTrue(abi.decode(returned, (bool)), "a valid signature was rejected");
                ++passed;
            } else if (returned.length != 0) {
                assertEq(returned, abi.encodeWithSelector(Precompiles.InsufficientGas.selector));
                ++insufficient;
            }
        }
    }

    /// @dev Answers for the BLS precompiles as the empty accounts in their places would: success, and nothing.
    function _removePrecompiles() private {
        for (uint160 precompile = 0x0b; precompile <= 0x10; ++precompile) {
            vm.mockCall(address(precompile), bytes(""), bytes(""));
        }
    }

    function _missing(address precompile) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, precompile);
    }
}

/// @dev The same on an EVM that really lacks them: Prague was the first to have them.
/// forge-config: default.evm_version = "cancun"
contract EvmWithoutPrecompilesTest is Test {
    function test_RevertWhen_ChainHasNoPrecompiles() public {
        BLS12381Caller library_ = new BLS12381Caller();
        vm.expectRevert(abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, Precompiles.MAP_FP_TO_G1));
        library_.hashToG1("message", OperatorKeys.SIGNATURE_TAG);
        vm.expectRevert(abi.encodeWithSelector(Precompiles.PrecompileMissing.selector, Precompiles.PAIRING));
        library_.pairing(new bytes(768));
    }
}
