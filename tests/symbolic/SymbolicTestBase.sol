// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

/// @notice The cheat codes of halmos that make values of which nothing is known.
interface ISymbolicValues {
    function createBool(string memory name) external returns (bool);
    function createUint(uint256 bits, string memory name) external returns (uint256);
    function createUint256(string memory name) external returns (uint256);
    function createBytes32(string memory name) external returns (bytes32);
    function createAddress(string memory name) external returns (address);
    function createBytes(uint256 length, string memory name) external returns (bytes memory);
    function enableSymbolicStorage(address account) external;
}

/// @title What every proof has at hand
/// @dev `cargo xtask prove` runs the functions of derived contracts with halmos. One named `check_` is proved when no
/// values whatever make it fail an `assert`. One named `reach_` ends in an `assert` that must be found to fail. It
/// shows that the proofs beside it speak of something, since what is said of accepted calls would hold if none were
/// ever accepted.
abstract contract SymbolicTestBase {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    ISymbolicValues internal constant svm = ISymbolicValues(address(uint160(uint256(keccak256("svm cheat code")))));

    /// @dev One of `0` to `bound - 1`, each on a separate path where it is a number and not a symbol: sizes have to be.
    function anyBelow(uint256 bound, string memory name) internal returns (uint256) {
        uint256 symbol = svm.createUint256(name);
        vm.assume(symbol < bound);
        uint256 least = 0;
        // By halves, so that a path carries few conditions.
        for (uint256 end = bound; end - least > 1;) {
            uint256 middle = (least + end) / 2;
            if (symbol < middle) end = middle;
            else least = middle;
        }
        return least;
    }

    function selectorOf(bytes memory refusal) internal pure returns (bytes4) {
        return refusal.length < 4 ? bytes4(0) : bytes4(refusal);
    }
}
