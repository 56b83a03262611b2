// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ConflictingObservations, SignedObservation} from "../../../contracts/challenge/ConflictingObservations.sol";
import {DoubleStatement} from "../../../contracts/challenge/DoubleStatement.sol";
import {SigningDomain} from "../../../contracts/challenge/TaskStatements.sol";
import {EpochSignature} from "../../../contracts/crosschain/EpochSignature.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {EpochId} from "../../../contracts/interfaces/Protocol.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {MirrorTestBase} from "../crosschain/MirrorTestBase.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

/// @dev Two observations of one source for one task by one operator prove its offence.
contract ConflictingObservationsTest is MirrorTestBase, OffenceProofs {
    using RLP for RLP.Encoder;

    bytes32 private constant TASK = keccak256("task");
    bytes32 private constant SOURCE = keccak256("price");
    bytes32 private constant BLOCK = keccak256("block");
    bytes32 private constant OUTPUT = keccak256('{"value":"4"}');
    bytes32 private constant OTHER_OUTPUT = keccak256('{"value":"5"}');

    ConflictingObservations private fault;

    function setUp() public override {
        super.setUp();
        fault = new ConflictingObservations(registry);
    }

    function activationDelay() internal pure override(AssentTestBase, EpochTestBase) returns (uint48) {
        return EpochTestBase.activationDelay();
    }

    function test_TwoOutputsOfOneSourceAreAnOffence() public view {
        (EpochId epoch, bytes32 id, bytes memory nonSigners) =
            fault.prove(_proof(_signed(BLOCK, OUTPUT, 2), _signed(BLOCK, OTHER_OUTPUT, 1)));
        assertEq(epoch, FIRST_EPOCH);
        assertEq(id, keccak256(abi.encode(TASK, SOURCE)));
        assertEq(nonSigners, firstBits(2));
    }

    /// @dev Computed here as docs/protocol.md says.
    function test_TheDigestIsThatOfTheProtocol() public {
        SignedObservation memory signed = _signed(BLOCK, OUTPUT, 0);
        bytes32 digest = _digest(OUTPUT);
        assertEq(signed.signature, signUnder(digest, 0, OPERATORS, OBSERVATION_TAG));
        bytes memory proof = _proof(signed, signed);
        vm.expectRevert(abi.encodeWithSelector(DoubleStatement.SameStatement.selector, digest));
        fault.prove(proof);
    }

    function test_WhatWasObservedForAnotherChainIsPunishedAtHome() public {
        onAway();
        bytes memory proof = _proof(_signed(BLOCK, OUTPUT, 0), _signed(BLOCK, OTHER_OUTPUT, 0));
        onHome();
        (,, bytes memory nonSigners) = fault.prove(proof);
        assertEq(nonSigners, "");
    }

    function test_WhoSignedInTwoEpochsIsPunishedInThatOfTheFirstStatement() public {
        EpochId later = commitNext(1, OPERATORS - 1);
        SignedObservation memory second = observation(later, TASK, SOURCE, BLOCK, OTHER_OUTPUT, 3, OPERATORS);
        second.nonSigners = allBut(2, OPERATORS - 1, OPERATORS - 1);
        (EpochId epoch,, bytes memory nonSigners) = fault.prove(_proof(second, _signed(BLOCK, OUTPUT, 0)));
        assertEq(epoch, later);
        assertEq(nonSigners, allBut(2, OPERATORS - 1, OPERATORS - 1));
        (epoch,, nonSigners) = fault.prove(_proof(_signed(BLOCK, OUTPUT, 0), second));
        assertEq(epoch, FIRST_EPOCH);
        assertEq(nonSigners, allBut(3, OPERATORS, OPERATORS));
    }

    /* REFERENCE BLOCKS */

    function test_ObservationsAtDifferentBlocksAreAnOffence() public view {
        fault.prove(_proof(_at(1_800_000_000, OUTPUT), _at(1_800_000_012, OUTPUT)));
        fault.prove(_proof(_at(1_800_000_012, OUTPUT), _at(1_800_000_000, OTHER_OUTPUT)));
    }

    /// @dev An operator's journal forgets what it signed, but not before that.
    function test_RevertWhen_TheJournalMayHaveForgotten() public {
        uint256 time = 1_800_000_000;
        fault.prove(_proof(_at(time, OUTPUT), _at(time + 60 days - 1, OUTPUT)));
        bytes memory proof = _proof(_at(time, OUTPUT), _at(time + 60 days, OUTPUT));
        vm.expectRevert(abi.encodeWithSelector(DoubleStatement.TooFarApart.selector, time, time + 60 days));
        fault.prove(proof);
        proof = _proof(_at(time + 60 days, OUTPUT), _at(time, OUTPUT));
        vm.expectRevert(abi.encodeWithSelector(DoubleStatement.TooFarApart.selector, time + 60 days, time));
        fault.prove(proof);
    }

    function test_RevertWhen_TheHeaderIsAnotherBlocks() public {
        SignedObservation memory first = _at(1_800_000_000, OUTPUT);
        SignedObservation memory second = _at(1_800_000_012, OUTPUT);
        fault.prove(_proof(first, second));
        first.blockHeader = second.blockHeader;
        bytes memory proof = _proof(first, second);
        bytes4 refusal = ConflictingObservations.WrongBlockHeader.selector;
        vm.expectRevert(abi.encodeWithSelector(refusal, first.referenceBlock, second.referenceBlock));
        fault.prove(proof);
        second.blockHeader = "";
        proof = _proof(_at(1_800_000_000, OUTPUT), second);
        vm.expectRevert(abi.encodeWithSelector(refusal, second.referenceBlock, keccak256("")));
        fault.prove(proof);
    }

    /// @dev A hash of which no header is known dates nothing.
    function test_RevertWhen_TheHeaderDoesNotParse() public {
        SignedObservation memory first = _signed(keccak256("no header"), OUTPUT, 0);
        first.blockHeader = "no header";
        bytes memory proof = _proof(first, _at(1_800_000_000, OUTPUT));
        vm.expectRevert();
        fault.prove(proof);
    }

    /* REFUSALS */

    function test_RevertWhen_BothAreTheSame() public {
        bytes memory proof = _proof(_signed(BLOCK, OUTPUT, 0), _signed(BLOCK, OUTPUT, 1));
        vm.expectPartialRevert(DoubleStatement.SameStatement.selector);
        fault.prove(proof);
    }

    function test_RevertWhen_AnyFieldWasChanged() public {
        SignedObservation memory first = _signed(BLOCK, OUTPUT, 0);
        SignedObservation memory second = _signed(BLOCK, OTHER_OUTPUT, 0);
        fault.prove(_proof(first, second));
        _assertRefused(abi.encode(domain(), ~TASK, SOURCE, first, second));
        _assertRefused(abi.encode(domain(), TASK, ~SOURCE, first, second));
        second.output = ~second.output;
        _assertRefused(_proof(first, second));
        second = _signed(BLOCK, OTHER_OUTPUT, 0);
        (first.referenceBlock, second.referenceBlock) = (~BLOCK, ~BLOCK);
        _assertRefused(_proof(first, second));
    }

    function test_RevertWhen_AnOperatorIsSaidToHaveSignedThatDidNot() public {
        SignedObservation memory framed = _signed(BLOCK, OTHER_OUTPUT, 1);
        framed.nonSigners = "";
        _assertRefused(_proof(_signed(BLOCK, OUTPUT, 0), framed));
    }

    /// @dev An attestation's root can be any 32 bytes, so the tags differ.
    function test_RevertWhen_ItIsSignedAsAnAttestation() public {
        SignedObservation memory other = _signed(BLOCK, OTHER_OUTPUT, 0);
        bytes32 digest = _digest(OTHER_OUTPUT);
        assertEq(other.signature, signUnder(digest, 0, OPERATORS, OBSERVATION_TAG));
        other.signature = sign(digest, 0, OPERATORS);
        _assertRefused(_proof(_signed(BLOCK, OUTPUT, 0), other));
        other.signature = signUnder(digest, 0, OPERATORS, OperatorKeys.EPOCH_APPROVAL_TAG);
        _assertRefused(_proof(_signed(BLOCK, OUTPUT, 0), other));
    }

    function test_RevertWhen_ThereIsNoSuchEpoch() public {
        SignedObservation memory unknown = _signed(BLOCK, OTHER_OUTPUT, 0);
        unknown.epoch = EpochId.wrap(9);
        bytes memory proof = _proof(_signed(BLOCK, OUTPUT, 0), unknown);
        vm.expectRevert(abi.encodeWithSelector(IOperatorRegistry.NoSuchEpoch.selector, 9));
        fault.prove(proof);
    }

    function _assertRefused(bytes memory proof) private {
        vm.expectRevert(EpochSignature.InvalidEpochSignature.selector);
        fault.prove(proof);
    }

    /* SIGNING */

    function _proof(SignedObservation memory first, SignedObservation memory second)
        private
        view
        returns (bytes memory)
    {
        return abi.encode(domain(), TASK, SOURCE, first, second);
    }

    /// @dev By all operators of the first epoch but the first `absent`.
    function _signed(bytes32 referenceBlock, bytes32 output, uint256 absent)
        private
        view
        returns (SignedObservation memory)
    {
        return observation(FIRST_EPOCH, TASK, SOURCE, referenceBlock, output, absent, OPERATORS);
    }

    /// @dev At a block of this time.
    function _at(uint256 timestamp, bytes32 output) private view returns (SignedObservation memory signed) {
        bytes memory header = _header(timestamp);
        signed = _signed(keccak256(header), output, 0);
        signed.blockHeader = header;
    }

    /// @dev As of Ethereum since Prague; all but the time is of no matter.
    function _header(uint256 timestamp) private pure returns (bytes memory) {
        RLP.Encoder memory fields = RLP.encoder();
        for (uint256 i = 0; i < 21; ++i) {
            if (i == 6) fields = fields.push(new bytes(256));
            else if (i == 11) fields = fields.push(timestamp);
            else fields = fields.push(keccak256(abi.encode(i)));
        }
        return fields.encode();
    }

    function _digest(bytes32 output) private view returns (bytes32) {
        SigningDomain memory of_ = domain();
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Observation(bytes32 taskId,bytes32 source,bytes32 referenceBlock,bytes32 output)"),
                TASK,
                SOURCE,
                BLOCK,
                output
            )
        );
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Assent"),
                keccak256("1"),
                of_.chainId,
                of_.taskManager
            )
        );
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }
}
