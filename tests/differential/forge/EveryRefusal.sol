// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {IVerifierOracle} from "../oracle/IVerifierOracle.sol";
import {Dice} from "./Dice.sol";
import {VerificationDifferentialTestBase} from "./VerificationDifferentialTestBase.sol";

/// @dev So that a generator that no longer reaches a branch is seen. `forge test -vv` prints how many fell to each
/// refusal.
abstract contract EveryRefusal is VerificationDifferentialTestBase {
    uint256 private constant RUNS = 60;

    /// @dev To which a call on no way comes here; empty if it comes to all.
    function unreachable() internal pure virtual returns (string[] memory) {}

    function test_EveryRefusalAndAcceptanceIsReached() public {
        string[20] memory refusals = _refusals();
        uint256[] memory reached = new uint256[](refusals.length);
        uint256 accepted = 0;
        Dice.Cup memory dice = Dice.Cup(1);
        for (uint256 i = 0; i < RUNS; ++i) {
            IVerifierOracle.Verdict[] memory verdicts = compare(dice, ATTEMPTS);
            accepted += _count(verdicts, 0);
            for (uint256 j = 0; j < refusals.length; ++j) {
                reached[j] += _count(verdicts, bytes4(keccak256(bytes(refusals[j]))));
            }
        }
        emit log_named_uint("accepted", accepted);
        assertGt(accepted, RUNS * ATTEMPTS / 8, "too few are accepted");
        for (uint256 j = 0; j < refusals.length; ++j) {
            emit log_named_uint(refusals[j], reached[j]);
            assertEq(reached[j] > 0, !_isUnreachable(refusals[j]), refusals[j]);
        }
    }

    function _isUnreachable(string memory refusal) private pure returns (bool isOne) {
        string[] memory none = unreachable();
        for (uint256 i = 0; i < none.length; ++i) {
            if (keccak256(bytes(none[i])) == keccak256(bytes(refusal))) return true;
        }
    }

    function _count(IVerifierOracle.Verdict[] memory verdicts, bytes4 selector) private pure returns (uint256 count) {
        for (uint256 i = 0; i < verdicts.length; ++i) {
            if (bytes4(verdicts[i].refusal) == selector) ++count;
        }
    }

    /// @dev All of docs/protocol.md, "What is checked, in this order".
    function _refusals() private pure returns (string[20] memory) {
        return [
            "PolicyNotSet()",
            "MalformedAuthorization()",
            "WrongChain(uint256,uint256)",
            "WrongSender(address,address)",
            "WrongTask(bytes32,bytes32)",
            "AttestationNotYetValid(uint48,uint256)",
            "AttestationExpired(uint48,uint256)",
            "LifetimeTooLong(uint48,uint256)",
            "AttestationVoided(uint48,uint48)",
            "AttestationAlreadySpent(address,uint256)",
            "UnknownEpoch(uint32)",
            "EpochExpired(uint32,uint48)",
            "EpochRevoked(uint32)",
            "RootNotRecorded(uint32,bytes32)",
            "ExpirationBeyondEpoch(uint48,uint48)",
            "NonSignerOutOfRange()",
            "QuorumNotReached(uint256,uint256)",
            "MalformedSignature()",
            "InvalidSignature()",
            "PolicyDenied(bytes32)"
        ];
    }
}
