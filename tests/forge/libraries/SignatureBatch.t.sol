// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G2Point} from "../../../contracts/libraries/BLS12381.sol";
import {Precompiles} from "../../../contracts/libraries/Precompiles.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {SignatureBatchCaller} from "../utils/SignatureBatchCaller.sol";
import {Test} from "forge-std/Test.sol";

/// @dev What many signatures checked as one rest on: coefficients that are unknown before the signatures are fixed.
contract SignatureBatchTest is Test {
    uint256 private constant SECRET = 1234;

    SignatureBatchCaller private library_ = new SignatureBatchCaller();
    G2Point private negatedKey = BLS12381.decodeG2(OperatorKeys.publicKey(OperatorKeys.ORDER - SECRET));
    bytes[] private messages = [bytes("one"), "another", "a third"];
    bytes[] private signatures;

    function setUp() public {
        for (uint256 i = 0; i < messages.length; ++i) {
            signatures.push(OperatorKeys.sign(SECRET, messages[i], OperatorKeys.SIGNATURE_TAG));
        }
    }

    function testFuzz_GoodSignaturesHoldUnderAnySeed(bytes32 seed) public view {
        assertTrue(_holds(seed, signatures));
    }

    /// @dev An attacker who could choose signatures after the coefficients are known would forge like this. That the
    /// first is accepted shows that the coefficients are made of the seed, each with its index. The second shows that
    /// they fail under another seed.
    function testFuzz_ForgeriesThatCancelUnderOneSeedAreFoundUnderAnother(bytes32 known, bytes32 seed) public view {
        vm.assume(known != seed);
        bytes[] memory forged = signatures;
        bytes memory difference = OperatorKeys.sign(1, "any point", OperatorKeys.SIGNATURE_TAG);
        forged[0] = OperatorKeys.add(forged[0], OperatorKeys.multiply(difference, _coefficient(known, 2)));
        forged[2] =
            OperatorKeys.add(forged[2], OperatorKeys.multiply(difference, OperatorKeys.ORDER - _coefficient(known, 0)));
        assertTrue(_holds(known, forged), "the forgeries do not cancel");
        assertFalse(_holds(seed, forged), "the coefficients do not depend on the seed");
    }

    function test_EmptyBatchHolds() public view {
        (bool wellFormed, bool holds) = library_.emptyHolds("seed");
        assertTrue(wellFormed);
        assertTrue(holds);
    }

    /// @dev A bad signature is the signer's fault. A bad hash is nothing that hashing returns, so then the chain is at
    /// fault: no signature passes for bad because of it.
    function test_RevertWhen_HashedMessageIsRejected() public {
        bytes memory good = abi.encode(BLS12381.decodeG1(signatures[0]));
        bytes memory bad = bytes.concat(good);
        bad[127] ^= 0x01;
        (bool wellFormed, bool holds) = library_.check(bad, good);
        assertFalse(wellFormed);
        assertFalse(holds);
        vm.expectRevert(abi.encodeWithSelector(Precompiles.InsufficientGas.selector));
        library_.check(good, bad);
    }

    function _holds(bytes32 seed, bytes[] memory signed) private view returns (bool) {
        return library_.holds(seed, messages, OperatorKeys.SIGNATURE_TAG, signed, negatedKey);
    }

    /// @dev As the library's documentation has it: 128 bits of the hash of the seed and the signature's place.
    function _coefficient(bytes32 seed, uint256 place) private pure returns (uint256) {
        return uint128(uint256(keccak256(abi.encode(seed, place))));
    }
}
