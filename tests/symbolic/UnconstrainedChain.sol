// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {SymbolicTestBase} from "./SymbolicTestBase.sol";
import {UnconstrainedPairing, UnconstrainedPrecompile} from "./UnconstrainedPrecompiles.sol";

/// @title UnconstrainedChain
/// @notice The precompiles of EIP-2537 without their meaning, and any time: whether a signature holds is left open.
abstract contract UnconstrainedChain is SymbolicTestBase {
    address internal constant PAIRING = address(0x0f);

    /// @dev With any outcome of the pairing.
    function etchPrecompiles() internal {
        bytes memory ofG1 = address(new UnconstrainedPrecompile(128)).code;
        bytes memory ofG2 = address(new UnconstrainedPrecompile(256)).code;
        vm.etch(address(0x0b), ofG1);
        vm.etch(address(0x0c), ofG1);
        vm.etch(address(0x0d), ofG2);
        vm.etch(address(0x0e), ofG2);
        vm.etch(PAIRING, address(new UnconstrainedPairing()).code);
        vm.etch(address(0x10), ofG1);
    }

    /// @dev Times of so many bits: centuries are enough, and one of 256 bits would let the latest end overflow.
    function warpToAnyTime(uint256 bits) internal {
        vm.warp(svm.createUint(bits, "time"));
        vm.store(PAIRING, 0, svm.createBytes32("rejects"));
        vm.store(PAIRING, bytes32(uint256(1)), svm.createBytes32("outcome"));
    }

    function pairingHolds() internal view returns (bool) {
        return vm.load(PAIRING, 0) == 0 && uint256(vm.load(PAIRING, bytes32(uint256(1)))) == 1;
    }

    /// @dev From the build's own bytecode.
    function deploy(string memory artifact, bytes memory arguments) internal returns (address deployed) {
        bytes memory creation = bytes.concat(vm.getCode(artifact), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(creation, 0x20), mload(creation))
        }
        assert(deployed != address(0));
    }
}
