// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Equivocation} from "../../../contracts/challenge/Equivocation.sol";
import {FalseHandover} from "../../../contracts/challenge/FalseHandover.sol";
import {Offences} from "../../../contracts/challenge/Offences.sol";
import {Handover} from "../../../contracts/interfaces/IEpochMirror.sol";
import {FaultTerms, IFault, IOffences, RecordedOffence} from "../../../contracts/interfaces/IOffences.sol";
import {IOperatorRegistry} from "../../../contracts/interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../../../contracts/interfaces/Protocol.sol";
import {MirrorTestBase} from "../crosschain/MirrorTestBase.sol";
import {AssentTestBase} from "../utils/AssentTestBase.sol";
import {EpochTestBase} from "../utils/EpochTestBase.sol";
import {OffenceProofs} from "../utils/OffenceProofs.sol";

/// @dev Offences of 100 operators, all of which signed. Without the 21,000 of a transaction and its calldata.
contract GasOfOffencesTest is MirrorTestBase, OffenceProofs {
    uint256 private constant MANY = 100;

    EpochId private epoch;
    RecordedOnly private offences;
    IFault private equivocation;
    IFault private falseHandover;

    function setUp() public override {
        super.setUp();
        for (uint256 i = OPERATORS; i < MANY; ++i) {
            registerOperator(i, WEIGHT);
        }
        epoch = commitNext(0, MANY);
        equivocation = new Equivocation(registry);
        falseHandover = new FalseHandover(registry);
        FaultTerms[] memory terms = new FaultTerms[](2);
        (terms[0], terms[1]) = (FaultTerms(equivocation, 1e18), FaultTerms(falseHandover, 1e18));
        offences = new RecordedOnly(registry, terms);
    }

    function activationDelay() internal pure override(AssentTestBase, EpochTestBase) returns (uint48) {
        return EpochTestBase.activationDelay();
    }

    function test_RecordEquivocation() public {
        bytes memory proof = equivocationOn(0, epoch, 0, MANY);
        assertLe(_measure("equivocation", equivocation, proof), 420_000);
    }

    function test_RecordFalseHandover() public {
        Handover memory handover = handoverTo(epoch, epoch);
        bytes memory proof = abi.encode(handover, bytes(""), signHandover(handover, 0, MANY));
        _measure("falseHandover", falseHandover, proof);
    }

    function _measure(string memory what, IFault fault, bytes memory proof) private returns (uint256 used) {
        bytes memory data = abi.encodeCall(IOffences.recordOffence, (fault, proof));
        (address table,,,) = registry.epochs(epoch);
        address[4] memory touched = [address(registry), address(taskManager), address(mirror), table];
        for (uint256 i = 0; i < touched.length; ++i) {
            vm.cool(touched[i]);
        }
        uint256 before = gasleft();
        (bool success, bytes memory reason) = address(offences).call(data);
        used = before - gasleft();
        assertTrue(success, vm.toString(reason));
        vm.snapshotValue("offences", what, used);
    }
}

/// @dev Nothing is punished here.
contract RecordedOnly is Offences {
    constructor(IOperatorRegistry registry, FaultTerms[] memory terms) Offences(registry, 6 days, terms) {}

    function _punish(bytes32, RecordedOffence memory, OperatorSetId, address) internal pure override {
        revert("not measured");
    }

    function _slashesAtOnce() internal pure override returns (bool) {
        return true;
    }
}
