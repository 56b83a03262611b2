// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase} from "../../forge/utils/ClientTestBase.sol";
import {IVerifierOracle} from "../oracle/IVerifierOracle.sol";
import {ChainReader, Question} from "./ChainReader.sol";
import {Dice} from "./Dice.sol";
import {Attempt, DifferentialWorld} from "./DifferentialWorld.sol";
import {VerifierOracle} from "./VerifierOracle.sol";

/// @title Calls with random authorizations, good and tampered with: contracts and verifier decide alike
/// @dev Each is asked for by the view and then made, and what the verifier is told is read from the chain just before.
/// The verifier must refuse with the very revert data, and accept what the contracts accept; that is then tried once
/// more, and must be spent.
abstract contract VerificationDifferentialTestBase is DifferentialWorld, ChainReader, VerifierOracle {
    using Dice for Dice.Cup;

    /// @dev Attempts of one run. The verifier validates the operators' keys once for all of them.
    uint256 internal constant ATTEMPTS = 8;

    function setUp() public virtual override(DifferentialWorld, ClientTestBase) {
        super.setUp();
    }

    /// @dev Fewer runs than of the other tests: each signs and verifies up to 16 calls.
    /// forge-config: ffi.fuzz.runs = 500
    function testFuzz_ContractsAndVerifierDecideAlike(uint256 seed) public {
        compare(Dice.Cup(seed), ATTEMPTS);
    }

    /* WHAT DIFFERS FROM WAY TO WAY */

    /// @dev Last changes without which the call could not be made.
    function prepare(Attempt memory attempted) internal view virtual {}

    function callOf(Attempt memory attempted) internal view virtual returns (IVerifierOracle.Call memory call) {
        (call.intent, call.authorization) = (abi.encode(attempted.intent), attempted.authorization);
    }

    function randomIntent(Dice.Cup memory dice) internal view virtual override returns (Intent memory) {
        bytes memory data = dice.oneIn(8) ? bytes("") : dice.randomBytes(dice.below(200));
        return Intent(agent, address(recorder), dice.below(1 ether), data, block.chainid);
    }

    function mutateIntent(Attempt memory attempted, Dice.Cup memory dice) internal virtual override {
        Intent memory intent = attempted.intent;
        uint256 field = dice.below(6);
        if (field == 0) attempted.caller = stranger;
        if (field == 1) intent.from = stranger;
        if (field == 2) intent.to = address(uint160(dice.roll()));
        if (field == 3) intent.value = dice.roll();
        if (field == 4) intent.data = bytes.concat(intent.data, dice.randomBytes(1));
        if (field == 5) intent.chainId = dice.roll();
    }

    /* COMPARISON */

    function compare(Dice.Cup memory dice, uint256 attempts)
        internal
        returns (IVerifierOracle.Verdict[] memory verdicts)
    {
        Question memory asked = question(2 * attempts);
        IVerifierOracle.Verdict[] memory onChain = new IVerifierOracle.Verdict[](2 * attempts);
        for (uint256 i = 0; i < attempts; ++i) {
            uint256 snapshot = vm.snapshotState();
            _attemptTwice(dice, asked, onChain);
            require(vm.revertToStateAndDelete(snapshot));
        }
        verdicts = askVerify(asked.tables, casesOf(asked));
        assertEq(verdicts.length, asked.caseCount);
        for (uint256 i = 0; i < verdicts.length; ++i) {
            assertEq(verdicts[i].refusal, onChain[i].refusal, "verifier and contracts differ");
            assertEq(verdicts[i].taskId, onChain[i].taskId, "another task");
        }
    }

    /// @dev The second time only if the first succeeded.
    function _attemptTwice(Dice.Cup memory dice, Question memory asked, IVerifierOracle.Verdict[] memory onChain)
        private
    {
        Attempt memory attempted = randomAttempt(dice);
        for (uint256 mutations = dice.below(3); mutations > 0; --mutations) {
            mutate(attempted, dice);
        }
        prepare(attempted);
        uint256 index = asked.caseCount;
        onChain[index] = _attempt(attempted, asked);
        if (onChain[index].refusal.length > 0) return;
        onChain[index + 1] = _attempt(attempted, asked);
        bytes4 refusal = bytes4(onChain[index + 1].refusal);
        assertEq(refusal, IRefusals.AttestationAlreadySpent.selector, "accepted twice");
    }

    function _attempt(Attempt memory attempted, Question memory asked)
        private
        returns (IVerifierOracle.Verdict memory verdict)
    {
        addCase(asked, attempted.caller, attempted.root, attempted.authorization, callOf(attempted));
        verdict.refusal = attempt(attempted.intent, attempted.caller, attempted.authorization);
        if (verdict.refusal.length == 0) verdict.taskId = bytes32(attempted.authorization);
    }
}
