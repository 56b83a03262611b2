// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Offences} from "../../contracts/challenge/Offences.sol";
import {FaultTerms, IFault, RecordedOffence} from "../../contracts/interfaces/IOffences.sol";
import {IOperatorRegistry} from "../../contracts/interfaces/IOperatorRegistry.sol";
import {EpochId, OperatorSetId} from "../../contracts/interfaces/Protocol.sol";
import {SymbolicTestBase} from "./SymbolicTestBase.sol";

/// @title Punishment
/// @notice Whatever a fault proves, an operator is punished once for an offence, a non-signer never, and in time.
contract PunishmentProof is SymbolicTestBase {
    uint48 private constant WINDOW = 6 days;
    uint256 private constant OPERATORS = 3;

    OneEpochRegistry private registry;
    ProvedFault private fault;
    CountingOffences private offences;

    function setUp() public {
        registry = new OneEpochRegistry(_table());
        fault = new ProvedFault();
        FaultTerms[] memory terms = new FaultTerms[](1);
        terms[0] = FaultTerms(fault, 1e18);
        offences = new CountingOffences(IOperatorRegistry(address(registry)), WINDOW, terms);
    }

    function check_NoOneIsPunishedTwiceForAnOffence(bytes32 id) public {
        uint256 index = anyBelow(OPERATORS, "index");
        bytes32 first = _record(id, bytes(""));
        bool punished = _punish(first, index);
        bool again = _punish(first, index);
        // Another proof of the same offence, in which these operators are offenders, too.
        bool byOther = _punish(_record(id, hex"08"), index);
        assert(punished && !again && !byOther);
        assert(offences.times(_idOf(id), operatorOf(index)) == 1);
    }

    /// @dev Whichever account has it punished, or records the offence again.
    function check_ThePunishmentIsOfItsRecordsReporter(bytes32 id) public {
        uint256 index = anyBelow(OPERATORS, "index");
        registry.setExpiry(type(uint48).max);
        fault.set(id, "");
        vm.prank(address(0xbeef));
        bytes32 record = offences.recordOffence(fault, "");
        assert(_punish(record, index));
        assert(!_punish(_record(id, hex"08"), index));
        address reporter = offences.punishmentOf(_idOf(id), operatorOf(index)).reporter;
        assert(reporter == address(0xbeef));
    }

    function check_ABitmapWithZerosAtItsEndIsNoOtherRecord(bytes32 id) public {
        bytes memory nonSigners = svm.createBytes(1, "non-signers");
        _record(id, nonSigners);
        fault.set(id, bytes.concat(nonSigners, new bytes(1)));
        assert(!_tryRecord(fault));
    }

    function check_NonSignersAreNeverPunished(bytes32 id) public {
        bytes32 record = _record(id);
        uint256 index = anyBelow(OPERATORS, "index");
        bytes memory nonSigners = offences.offenceOf(record).nonSigners;
        bool isAbsent = nonSigners.length != 0 && uint8(nonSigners[0]) >> index & 1 == 1;
        assert(_punish(record, index) != isAbsent);
    }

    function check_NoOneBeyondTheEpochIsPunished(bytes32 id, uint256 index) public {
        vm.assume(index >= OPERATORS);
        assert(!_punish(_record(id), index));
    }

    function check_NothingIsRecordedAfterTheWindow(bytes32 id, uint48 expiresAt) public {
        uint256 time = svm.createUint(64, "time");
        vm.warp(time);
        registry.setExpiry(expiresAt);
        fault.set(id, "");
        bool recorded = _tryRecord(fault);
        assert(recorded == (expiresAt != 0 && time < uint256(expiresAt) + WINDOW));
    }

    function check_OnlyItsFaultsAreRecorded(IFault other) public {
        vm.assume(address(other) != address(fault));
        registry.setExpiry(type(uint48).max);
        assert(!_tryRecord(other));
    }

    function check_NothingIsPunishedWithoutARecord(bytes32 record) public {
        assert(!_punish(record, anyBelow(OPERATORS, "index")));
    }

    function reach_Punishment(bytes32 id) public {
        assert(!_punish(_record(id), anyBelow(OPERATORS, "index")));
    }

    /// @dev With a bitmap of no byte or one, of any bits.
    function _record(bytes32 id) private returns (bytes32) {
        return _record(id, anyBelow(2, "length") == 0 ? bytes("") : svm.createBytes(1, "non-signers"));
    }

    function _record(bytes32 id, bytes memory nonSigners) private returns (bytes32) {
        registry.setExpiry(type(uint48).max);
        fault.set(id, nonSigners);
        return offences.recordOffence(fault, "");
    }

    /// @dev Returns the offence of a deed in the only epoch.
    function _idOf(bytes32 deed) private view returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(fault, deed)), EpochId.wrap(1)));
    }

    function _tryRecord(IFault of_) private returns (bool success) {
        (success,) = address(offences).call(abi.encodeCall(offences.recordOffence, (of_, "")));
    }

    function _punish(bytes32 record, uint256 index) private returns (bool success) {
        uint256[] memory indices = new uint256[](1);
        indices[0] = index;
        (success,) = address(offences).call(abi.encodeCall(offences.punish, (record, indices)));
    }

    function operatorOf(uint256 index) private pure returns (address) {
        return address(uint160(0x1000 + index));
    }

    /// @dev Three operators, whose keys do not matter here.
    function _table() private returns (address table) {
        bytes memory code = bytes.concat(bytes1(0), new bytes(204), bytes2(uint16(OPERATORS)), bytes1(0));
        for (uint256 i = 0; i < OPERATORS; ++i) {
            code = bytes.concat(code, new bytes(192), bytes12(uint96(100)), bytes20(operatorOf(i)));
        }
        table = address(0x7ab1e);
        vm.etch(table, code);
    }
}

/// @dev Counts how often each operator is punished for an offence.
contract CountingOffences is Offences {
    mapping(bytes32 id => mapping(address operator => uint256)) public times;

    constructor(IOperatorRegistry registry, uint48 window, FaultTerms[] memory terms)
        Offences(registry, window, terms)
    {}

    function _punish(bytes32, RecordedOffence memory offence, OperatorSetId, address operator) internal override {
        ++times[offence.id][operator];
    }

    function _slashesAtOnce() internal pure override returns (bool) {
        return true;
    }
}

/// @dev A fault that is proved as the proof chose.
contract ProvedFault is IFault {
    bytes32 private _id;
    bytes private _nonSigners;

    function set(bytes32 id, bytes memory nonSigners) external {
        (_id, _nonSigners) = (id, nonSigners);
    }

    function prove(bytes calldata) external view returns (EpochId, bytes32, bytes memory) {
        return (EpochId.wrap(1), _id, _nonSigners);
    }
}

/// @dev A registry with one epoch, of any end.
contract OneEpochRegistry {
    address private immutable _TABLE;
    uint48 private _expiresAt;

    constructor(address table) {
        _TABLE = table;
    }

    function setExpiry(uint48 expiresAt) external {
        _expiresAt = expiresAt;
    }

    function epochCount() external pure returns (uint32) {
        return 1;
    }

    function epochs(EpochId) external view returns (address, OperatorSetId, uint48, uint48) {
        return (_TABLE, OperatorSetId.wrap(1), _expiresAt, _expiresAt);
    }
}
