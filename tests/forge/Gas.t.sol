// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, Intent} from "../../contracts/interfaces/Protocol.sol";
import {AssentTest} from "./AssentTest.sol";
import {ProtectedCounter} from "./ProtectedCounter.sol";

/// @dev Execution gas of a protected no-op against the same call unprotected, every account and slot cold, the nonce's
/// word already non-zero, without the 21,000 of a transaction and its calldata.
abstract contract GasTest is AssentTest {
    ProtectedCounter private counter;
    bytes private protectedCall;
    bytes[3] private calls;

    function operatorCount() internal pure virtual returns (uint256);

    function setUp() public {
        deployAssent(operatorCount());
        counter = new ProtectedCounter();
        counter.initialize(taskManager, policy());
        counter.burnNonces(0, 1);
        for (uint256 i = 0; i < 3; ++i) {
            calls[i] = _prepare(nonSigners(i), i + 1);
        }
    }

    function nonSigners(uint256 index) internal pure returns (uint256) {
        return [uint256(0), 1, 10][index];
    }

    function test_Unprotected() public {
        _measure("unprotected no-op", abi.encodeCall(ProtectedCounter.unprotectedNoOp, ()));
    }

    function test_ProtectedWithAllSigning() public {
        _measure("protected no-op, 0 non-signers", calls[0]);
    }

    function test_ProtectedWithOneNonSigner() public {
        _measure("protected no-op, 1 non-signer", calls[1]);
    }

    function test_ProtectedWithTenNonSigners() public {
        if (operatorCount() <= 10) return; // Ten of ten absent leave nobody to sign.
        _measure("protected no-op, 10 non-signers", calls[2]);
    }

    function _prepare(uint256 absent, uint256 nonce) private view returns (bytes memory) {
        bytes memory data = abi.encodeCall(ProtectedCounter.protectedNoOp, ());
        Intent memory intent = Intent(address(this), address(counter), 0, data, block.chainid);
        Attestation memory attestation = attestationOf(address(counter), intent, nonce);
        return trail(data, authorize(attestation, operatorCount(), absent));
    }

    function _measure(string memory name, bytes memory data) private {
        address target = address(counter);
        uint256 before = gasleft();
        (bool success, bytes memory reason) = target.call(data);
        uint256 used = before - gasleft();
        assertTrue(success, vm.toString(reason));
        vm.snapshotValue(string.concat("protected call, ", vm.toString(operatorCount()), " operators"), name, used);
    }
}

contract GasWith10OperatorsTest is GasTest {
    function operatorCount() internal pure override returns (uint256) {
        return 10;
    }
}

contract GasWith50OperatorsTest is GasTest {
    function operatorCount() internal pure override returns (uint256) {
        return 50;
    }
}

contract GasWith100OperatorsTest is GasTest {
    function operatorCount() internal pure override returns (uint256) {
        return 100;
    }
}
