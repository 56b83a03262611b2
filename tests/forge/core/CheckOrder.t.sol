// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, EpochId, IRefusals, Intent} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase, ExplicitPath, TrailingPath} from "../utils/ClientTestBase.sol";
import {ProtectedCounter} from "../utils/ProtectedCounter.sol";

/// @dev Every fault an authorization can have, in the order in which they are looked for.
enum Fault {
    PolicyNotSet,
    TrailingByte,
    WrongChain,
    WrongSender,
    WrongTask,
    NotYetValid,
    Expired,
    LifetimeTooLong,
    Voided,
    AlreadySpent,
    UnknownEpoch,
    RevokedEpoch,
    OperatorOutsideEpoch,
    QuorumNotReached,
    MalformedSignature,
    InvalidSignature,
    Denied
}

/// @dev When an authorization has two faults, the earlier check names the error: for every pair that can be had.
abstract contract CheckOrderTest is ClientTestBase {
    uint256 private constant FAULTS = uint256(type(Fault).max) + 1;

    function test_EachFaultAloneNamesItsError() public {
        for (uint256 i = 0; i < FAULTS; ++i) {
            if (_isPossible(Fault(i))) _assertFirstNames(Fault(i), Fault(i));
        }
    }

    function test_EarlierFaultOfEveryPairNamesTheError() public {
        uint256 pairs = 0;
        for (uint256 i = 0; i < FAULTS; ++i) {
            for (uint256 j = i + 1; j < FAULTS; ++j) {
                if (!_isPossible(Fault(i)) || !_isPossible(Fault(j)) || _exclude(Fault(i), Fault(j))) continue;
                _assertFirstNames(Fault(i), Fault(j));
                ++pairs;
            }
        }
        assertEq(pairs, possiblePairs());
    }

    function test_AllFaultsTogetherNameTheFirst() public {
        uint256 faults = 0;
        for (uint256 i = FAULTS; i > 0; --i) {
            Fault fault = Fault(i - 1);
            // Of each pair that exclude one another the earlier one counts.
            if (!_isPossible(fault)) continue;
            faults |= 1 << uint8(fault);
            // No attestation is issued later, expired already, and valid for too long.
            if (fault == Fault.NotYetValid) faults &= ~(1 << uint8(Fault.LifetimeTooLong));
            if (fault == Fault.UnknownEpoch) faults &= ~(1 << uint8(Fault.RevokedEpoch));
            if (fault == Fault.MalformedSignature) faults &= ~(1 << uint8(Fault.InvalidSignature));
            _assertNames(faults, fault);
        }
    }

    function possiblePairs() internal pure virtual returns (uint256);

    function _isPossible(Fault fault) internal pure virtual returns (bool);

    function _exclude(Fault a, Fault b) private pure returns (bool) {
        return (a == Fault.UnknownEpoch && b == Fault.RevokedEpoch)
            || (a == Fault.MalformedSignature && b == Fault.InvalidSignature);
    }

    function _assertFirstNames(Fault first, Fault second) private {
        _assertNames((1 << uint8(first)) | (1 << uint8(second)), first);
    }

    /// @dev Leaves no trace.
    function _assertNames(uint256 faults, Fault first) private {
        uint256 snapshot = vm.snapshotState();
        if (_has(faults, Fault.PolicyNotSet)) {
            counter = new ProtectedCounter();
            vm.deal(address(counter), 100 ether);
        }
        Intent memory intent = protectedCall();
        if (_has(faults, Fault.WrongChain)) intent.chainId += 1;
        address caller = _has(faults, Fault.WrongSender) ? stranger : agent;

        Attestation memory attestation = attest(intent);
        _setTimes(attestation, faults);
        if (_has(faults, Fault.Denied)) attestation.decision = 0;
        bytes memory authorization = _sign(attestation, faults);
        if (_has(faults, Fault.WrongTask)) intent.value += 1;
        bytes memory expected = _errorOf(first, intent, attestation);

        _spoilChain(faults);
        string memory what = string.concat("faults ", vm.toString(bytes32(faults)));
        assertEq(attempt(intent, caller, authorization), expected, what);
        vm.revertToState(snapshot);
    }

    function _setTimes(Attestation memory attestation, uint256 faults) private view {
        if (_has(faults, Fault.NotYetValid)) attestation.issuedAt = uint48(block.timestamp + 1);
        if (_has(faults, Fault.Expired)) attestation.expiration = uint48(block.timestamp);
        if (!_has(faults, Fault.LifetimeTooLong)) return;
        if (_has(faults, Fault.Expired)) attestation.issuedAt = attestation.expiration - MAX_LIFETIME - 1;
        else attestation.expiration = attestation.issuedAt + MAX_LIFETIME + 1;
    }

    /// @dev Faults that do not lie in the authorization.
    function _spoilChain(uint256 faults) private {
        if (_has(faults, Fault.AlreadySpent)) {
            vm.prank(address(counter));
            taskManager.burnNonces(0, 1 << NONCE);
        }
        if (_has(faults, Fault.Voided)) counter.voidAssentAttestations(uint48(block.timestamp + 2));
        if (_has(faults, Fault.RevokedEpoch)) {
            vm.prank(owner);
            registry.revokeEpochs(only(FIRST_EPOCH));
        }
    }

    function _sign(Attestation memory attestation, uint256 faults) private view returns (bytes memory authorization) {
        uint256 absent = _has(faults, Fault.QuorumNotReached) ? 3 : 0;
        bytes memory nonSigners = firstBits(absent);
        if (_has(faults, Fault.OperatorOutsideEpoch)) {
            nonSigners = absent == 0 ? bytes(hex"80") : abi.encodePacked(nonSigners[0] | 0x80);
        }
        bytes32 digest = taskManager.digestOf(attestation);
        if (_has(faults, Fault.InvalidSignature)) digest = keccak256(abi.encode(digest));
        bytes memory signature = sign(digest, absent, OPERATORS);
        if (_has(faults, Fault.MalformedSignature)) signature[95] ^= 0x01;
        EpochId epoch = EpochId.wrap(_has(faults, Fault.UnknownEpoch) ? 2 : 1);
        authorization = encode(attestation, epoch, signature, nonSigners, new bytes32[](0));
        if (_has(faults, Fault.TrailingByte)) authorization = bytes.concat(authorization, hex"00");
    }

    function _errorOf(Fault fault, Intent memory call, Attestation memory attestation)
        private
        view
        returns (bytes memory)
    {
        if (fault == Fault.PolicyNotSet) return abi.encodeWithSelector(IRefusals.PolicyNotSet.selector);
        if (fault == Fault.TrailingByte) return abi.encodeWithSelector(IRefusals.MalformedAuthorization.selector);
        if (fault == Fault.WrongChain) {
            return abi.encodeWithSelector(IRefusals.WrongChain.selector, block.chainid, block.chainid + 1);
        }
        if (fault == Fault.WrongSender) return abi.encodeWithSelector(IRefusals.WrongSender.selector, stranger, agent);
        if (fault == Fault.WrongTask) {
            bytes32 task = taskManager.taskIdOf(address(counter), POLICY_ID, call, NONCE);
            return abi.encodeWithSelector(IRefusals.WrongTask.selector, task, attestation.taskId);
        }
        return _laterErrorOf(fault, attestation);
    }

    function _laterErrorOf(Fault fault, Attestation memory attestation) private view returns (bytes memory) {
        (uint48 issuedAt, uint48 expiration) = (attestation.issuedAt, attestation.expiration);
        if (fault == Fault.NotYetValid) {
            return abi.encodeWithSelector(IRefusals.AttestationNotYetValid.selector, issuedAt, block.timestamp);
        }
        if (fault == Fault.Expired) {
            return abi.encodeWithSelector(IRefusals.AttestationExpired.selector, expiration, block.timestamp);
        }
        if (fault == Fault.LifetimeTooLong) {
            return abi.encodeWithSelector(IRefusals.LifetimeTooLong.selector, expiration, issuedAt + MAX_LIFETIME);
        }
        if (fault == Fault.Voided) {
            return abi.encodeWithSelector(IRefusals.AttestationVoided.selector, issuedAt, block.timestamp + 2);
        }
        if (fault == Fault.AlreadySpent) {
            return abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, address(counter), NONCE);
        }
        if (fault == Fault.UnknownEpoch) return abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, 2);
        if (fault == Fault.RevokedEpoch) return abi.encodeWithSelector(IRefusals.EpochRevoked.selector, 1);
        if (fault == Fault.OperatorOutsideEpoch) {
            return abi.encodeWithSelector(IRefusals.NonSignerOutOfRange.selector);
        }
        if (fault == Fault.QuorumNotReached) {
            return abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 400, 467);
        }
        if (fault == Fault.MalformedSignature) return abi.encodeWithSelector(IRefusals.MalformedSignature.selector);
        if (fault == Fault.InvalidSignature) return abi.encodeWithSelector(IRefusals.InvalidSignature.selector);
        return abi.encodeWithSelector(IRefusals.PolicyDenied.selector, attestation.taskId);
    }

    function _has(uint256 faults, Fault fault) private pure returns (bool) {
        return faults & (1 << uint8(fault)) != 0;
    }
}

contract CheckOrderOfTrailingCallsTest is CheckOrderTest, TrailingPath {
    /// @dev 15 · 14 / 2 pairs but the 2 that exclude one another.
    function possiblePairs() internal pure override returns (uint256) {
        return 103;
    }

    /// @dev A client fills chain and caller in from the call itself.
    function _isPossible(Fault fault) internal pure override returns (bool) {
        return fault != Fault.WrongChain && fault != Fault.WrongSender;
    }
}

contract CheckOrderOfExplicitIntentsTest is CheckOrderTest, ExplicitPath {
    /// @dev 17 · 16 / 2 pairs but the 2 that exclude one another.
    function possiblePairs() internal pure override returns (uint256) {
        return 134;
    }

    function _isPossible(Fault) internal pure override returns (bool) {
        return true;
    }
}
