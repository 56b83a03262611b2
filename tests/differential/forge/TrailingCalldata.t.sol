// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase, TrailingPath} from "../../forge/utils/ClientTestBase.sol";
import {ProtectedCounter} from "../../forge/utils/ProtectedCounter.sol";
import {IVerifierOracle} from "../oracle/IVerifierOracle.sol";
import {AuthorizationBytes} from "./AuthorizationBytes.sol";
import {ChainReader, Question} from "./ChainReader.sol";
import {Dice} from "./Dice.sol";
import {Splice} from "./Splice.sol";
import {VerifierOracle} from "./VerifierOracle.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @dev Whatever follows the selector of a protected function: both sides find the same authorization in it, or none.
contract TrailingCalldataDifferentialTest is TrailingPath, ChainReader, VerifierOracle {
    using AuthorizationBytes for bytes;
    using Dice for Dice.Cup;
    using LibBytes for bytes;
    using Splice for bytes;

    /// @dev Without arguments, so that nothing but the modifier reads the calldata.
    bytes private constant SELECTOR = abi.encodePacked(ProtectedCounter.protectedNoOp.selector);

    uint256 private constant ATTEMPTS = 4;
    bytes private good;

    function setUp() public override(ClientTestBase) {
        super.setUp();
        Intent memory intent = Intent(agent, address(counter), 0, SELECTOR, block.chainid);
        Attestation memory attestation = attest(intent);
        good = trail(SELECTOR, authorize(attestation, OPERATORS, 1));
    }

    function testFuzz_AnyBytesBehindTheSelectorAreDecidedAlike(bytes memory anything, uint16 length) public {
        Question memory asked = question(2);
        bytes[] memory onChain = new bytes[](2);
        onChain[0] = _call(asked, bytes.concat(SELECTOR, anything));
        onChain[1] = _call(asked, bytes.concat(SELECTOR, anything, bytes2(length % uint16(anything.length % 300 + 8))));
        _compare(asked, onChain);
    }

    function testFuzz_TamperedTrailingFormsAreDecidedAlike(uint256 seed) public {
        Dice.Cup memory dice = Dice.Cup(seed);
        Question memory asked = question(ATTEMPTS);
        bytes[] memory onChain = new bytes[](ATTEMPTS);
        for (uint256 i = 0; i < ATTEMPTS; ++i) {
            onChain[i] = _call(asked, _tamper(good, dice));
        }
        _compare(asked, onChain);
    }

    function _tamper(bytes memory trailing, Dice.Cup memory dice) private pure returns (bytes memory) {
        uint256 end = trailing.length - 2;
        uint256 way = dice.below(8);
        if (way == 0) return trailing; // As it is.
        if (way == 1) return trailing.overwrite(end, abi.encodePacked(uint16(end - 6 + dice.below(6))));
        if (way == 2) return trailing.overwrite(end, dice.randomBytes(2));
        if (way == 3) return trailing.slice(0, 4 + dice.below(end - 2));
        if (way == 4) return bytes.concat(trailing, dice.randomBytes(1 + dice.below(4)));
        if (way == 5) return trailing.splice(4, 0, dice.randomBytes(1 + dice.below(40))); // More ordinary calldata.
        bytes memory authorization = trailing.slice(4, end);
        if (way == 6) return trail(SELECTOR, authorization.mutate(dice));
        // An authorization that begins within the selector: well formed, except for what precedes it.
        uint256 shared = 1 + dice.below(4);
        return bytes.concat(SELECTOR, authorization.slice(shared, end - 4), bytes2(uint16(end - 4)));
    }

    /// @dev Makes the call, and leaves no trace of it.
    function _call(Question memory asked, bytes memory data) private returns (bytes memory refusal) {
        IVerifierOracle.Call memory call;
        (call.isTrailing, call.data) = (true, data);
        // No more than one attestation has been signed, and no root recorded.
        addCase(asked, agent, 0, good.slice(4), call);
        uint256 snapshot = vm.snapshotState();
        vm.prank(agent);
        (bool success, bytes memory returned) = address(counter).call(data);
        require(vm.revertToStateAndDelete(snapshot));
        if (!success) refusal = returned;
    }

    function _compare(Question memory asked, bytes[] memory onChain) private {
        IVerifierOracle.Verdict[] memory verdicts = askVerify(asked.tables, casesOf(asked));
        assertEq(verdicts.length, onChain.length);
        for (uint256 i = 0; i < verdicts.length; ++i) {
            assertEq(verdicts[i].refusal, onChain[i], "verifier and contracts differ");
        }
    }
}
