// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Handover, IEpochMirror, MirrorSettings} from "../../contracts/interfaces/IEpochMirror.sol";
import {EpochId, MAX_EPOCH_LIFETIME, OperatorSetId} from "../../contracts/interfaces/Protocol.sol";
import {Quorum} from "../../contracts/libraries/Quorum.sol";
import {UnconstrainedChain} from "./UnconstrainedChain.sol";

/// @title MirrorProof
/// @notice What an `EpochMirror` accepts, in any state without validators, at any time.
/// @dev Its bytecode is the build's own. Validators are called after an epoch changed, and decide nothing here.
contract MirrorProof is UnconstrainedChain {
    address private constant TABLE = address(0x7ab1e);
    uint256 private constant HOME_CHAIN = 1;
    address private constant HOME_REGISTRY = address(0x2e915742);
    uint16 private constant QUORUM = 6667;
    uint16 private constant HALT_QUORUM = 5000;
    uint256 private constant OPERATORS = 3;
    uint256 private constant TOTAL_WEIGHT = 600;
    /// @dev The slot of the list of validators.
    bytes32 private constant VALIDATORS = bytes32(uint256(6));
    address private constant OWNER = address(0x0e7);
    address private constant GUARDIAN = address(0x60a4d);

    IEpochMirror private mirror;

    function setUp() public {
        etchPrecompiles();
        vm.warp(1_800_000_000);
        MirrorSettings memory settings = MirrorSettings({
            homeChain: HOME_CHAIN,
            homeRegistry: HOME_REGISTRY,
            quorum: QUORUM,
            haltQuorum: HALT_QUORUM,
            gracePeriod: 1 hours,
            notice: 1 days,
            guardian: GUARDIAN
        });
        bytes memory arguments = abi.encode(OWNER, settings);
        mirror = IEpochMirror(deploy("cache/symbolic/out/EpochMirror.sol/EpochMirror.json", arguments));
        svm.enableSymbolicStorage(address(mirror));
        vm.store(address(mirror), VALIDATORS, bytes32(0));
        vm.etch(TABLE, _signersTable());
        warpToAnyTime(40);
    }

    function check_AcceptedOnlyIfTheLatestEpochSigned(Handover memory handover) public {
        EpochId latest = _latest(handover.operatorSet);
        vm.assume(_accept(handover, ""));
        assert(EpochId.unwrap(handover.signedBy) == EpochId.unwrap(latest));
        assert(EpochId.unwrap(latest) != 0);
        assert(pairingHolds());
    }

    function check_AcceptedOnlyWithAQuorum(Handover memory handover) public {
        _latest(handover.operatorSet);
        bytes memory nonSigners = _anyNonSigners();
        vm.assume(_accept(handover, nonSigners));
        assert(_signedWeight(nonSigners) >= Quorum.portionOf(TOTAL_WEIGHT, QUORUM));
    }

    function check_AcceptedOnlyFromAnUnexpiredEpoch(Handover memory handover) public {
        EpochId latest = _latest(handover.operatorSet);
        uint48 validUntil = _validUntil(latest);
        vm.assume(_accept(handover, ""));
        assert(block.timestamp < validUntil);
    }

    function check_AcceptedOnlyALaterUnknownEpochOfItsHome(Handover memory handover) public {
        EpochId latest = _latest(handover.operatorSet);
        (address known,, uint48 validUntil,) = mirror.epochs(handover.epoch);
        vm.assume(_accept(handover, ""));
        assert(handover.homeChain == HOME_CHAIN && handover.homeRegistry == HOME_REGISTRY);
        assert(EpochId.unwrap(handover.epoch) > EpochId.unwrap(latest));
        // One that was revoked before it was here has an end.
        assert(known == address(0) && validUntil == 0);
    }

    function check_AcceptedOnlyUntilItsEndAndWithinALifetime(Handover memory handover) public {
        _latest(handover.operatorSet);
        vm.assume(_accept(handover, ""));
        assert(block.timestamp < handover.expiresAt);
        assert(handover.committedAt <= block.timestamp);
        assert(handover.expiresAt <= uint256(handover.committedAt) + MAX_EPOCH_LIFETIME);
        (, OperatorSetId operatorSet, uint48 validUntil, uint48 expiresAt) = mirror.epochs(handover.epoch);
        assert(OperatorSetId.unwrap(operatorSet) == OperatorSetId.unwrap(handover.operatorSet));
        assert(validUntil == handover.expiresAt && expiresAt == handover.expiresAt);
    }

    /// @dev Of any epoch that is here. A revoked one ends at zero.
    function check_AHandoverExtendsNoEpoch(Handover memory handover, EpochId epoch) public {
        _latest(handover.operatorSet);
        uint48 before = _validUntil(epoch);
        vm.assume(_isKnown(epoch));
        vm.assume(_accept(handover, ""));
        assert(_validUntil(epoch) <= before);
    }

    function check_ANewGenesisExtendsNoEpoch(OperatorSetId operatorSet, EpochId next, uint48 expiresAt, EpochId epoch)
        public
    {
        uint48 before = _validUntil(epoch);
        vm.assume(_isKnown(epoch));
        vm.prank(svm.createAddress("caller"));
        bytes memory call = abi.encodeCall(IEpochMirror.setGenesis, (operatorSet, next, expiresAt, _nextTable()));
        (bool success,) = address(mirror).call(call);
        vm.assume(success);
        assert(_validUntil(epoch) <= before);
    }

    function check_RevokedOnlyIfItsOperatorsSigned(EpochId epoch) public {
        vm.assume(_revoke(epoch, ""));
        assert(pairingHolds());
        assert(_validUntil(epoch) == 0);
    }

    function check_RevokedOnlyWithTheHaltQuorum(EpochId epoch) public {
        bytes memory nonSigners = _anyNonSigners();
        vm.assume(_revoke(epoch, nonSigners));
        assert(_signedWeight(nonSigners) >= Quorum.portionOf(TOTAL_WEIGHT, HALT_QUORUM));
    }

    function check_OnlyTheGuardianRevokesByItself(EpochId epoch, address caller) public {
        EpochId[] memory revoked = new EpochId[](1);
        revoked[0] = epoch;
        bool isKnown = _isKnown(epoch);
        vm.prank(caller);
        (bool success,) = address(mirror).call(abi.encodeCall(IEpochMirror.guardianRevoke, (revoked)));
        vm.assume(success);
        assert(caller == GUARDIAN);
        assert(_validUntil(epoch) == (isKnown ? 0 : 1));
    }

    function check_OnlyTheOwnerSetsAGenesis(address caller, OperatorSetId operatorSet, EpochId next, uint48 expiresAt)
        public
    {
        (, bytes memory owner) = address(mirror).call(abi.encodeWithSignature("owner()"));
        vm.prank(caller);
        bytes memory call = abi.encodeCall(IEpochMirror.setGenesis, (operatorSet, next, expiresAt, _nextTable()));
        (bool success,) = address(mirror).call(call);
        vm.assume(success);
        assert(caller == abi.decode(owner, (address)));
    }

    function reach_AnAcceptedHandover(Handover memory handover) public {
        _latest(handover.operatorSet);
        assert(!_accept(handover, ""));
    }

    function reach_ARevocation(EpochId epoch) public {
        assert(!_revoke(epoch, ""));
    }

    /* PARTS */

    /// @dev The set's latest epoch, which has the table of three operators.
    function _latest(OperatorSetId operatorSet) private view returns (EpochId latest) {
        latest = mirror.latestEpoch(operatorSet);
        (address table,,,) = mirror.epochs(latest);
        vm.assume(table == TABLE);
    }

    function _validUntil(EpochId epoch) private view returns (uint48 validUntil) {
        (,, validUntil,) = mirror.epochs(epoch);
    }

    function _isKnown(EpochId epoch) private view returns (bool) {
        (address table,,,) = mirror.epochs(epoch);
        return table != address(0);
    }

    function _accept(Handover memory handover, bytes memory nonSigners) private returns (bool success) {
        bytes memory call = abi.encodeCall(IEpochMirror.accept, (handover, _nextTable(), nonSigners, _signature()));
        (success,) = address(mirror).call(call);
    }

    /// @dev Of any epoch with the table of three operators.
    function _revoke(EpochId epoch, bytes memory nonSigners) private returns (bool success) {
        (address table,,,) = mirror.epochs(epoch);
        vm.assume(table == TABLE);
        (success,) = address(mirror).call(abi.encodeCall(IEpochMirror.revoke, (epoch, nonSigners, _signature())));
    }

    function _signature() private returns (bytes memory) {
        return svm.createBytes(96, "signature");
    }

    /// @dev No byte or one, each on a separate path: with any of the operators, and with one that is not in the epoch.
    function _anyNonSigners() private returns (bytes memory) {
        uint256 bitmap = anyBelow(17, "non-signers");
        return bitmap == 16 ? bytes("") : bytes.concat(bytes1(uint8(bitmap)));
    }

    /// @dev As the bitmap is specified: bit i of the byte is operator i.
    function _signedWeight(bytes memory nonSigners) private pure returns (uint256 signed) {
        signed = TOTAL_WEIGHT;
        if (nonSigners.length == 0) return signed;
        for (uint256 i = 0; i < OPERATORS; ++i) {
            if (uint8(nonSigners[0]) >> i & 1 == 1) signed -= 100 * (i + 1);
        }
    }

    /// @dev Operator i weighs 100 · (i + 1). The keys do not matter here.
    function _signersTable() private pure returns (bytes memory code) {
        bytes memory counts = bytes.concat(bytes12(uint96(TOTAL_WEIGHT)), bytes2(uint16(OPERATORS)), bytes1(0));
        code = bytes.concat(bytes1(0), new bytes(192), counts);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            code = bytes.concat(code, new bytes(192), bytes12(uint96(100 * (i + 1))), bytes20(0));
        }
    }

    /// @dev The next epoch's table: one operator. Which does not matter here.
    function _nextTable() private pure returns (bytes memory) {
        return bytes.concat(new bytes(192), bytes12(uint96(100)), bytes2(uint16(1)), bytes1(0), new bytes(224));
    }
}
