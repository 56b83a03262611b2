// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G1Point} from "../../../contracts/libraries/BLS12381.sol";
import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {BLS12381Caller} from "../utils/BLS12381Caller.sol";
import {Test} from "forge-std/Test.sol";

/// @dev Known answers of RFC 9380 and EIP-2537, from tests/vectors.
contract CurveVectorsTest is Test {
    BLS12381Caller private library_ = new BLS12381Caller();

    function test_HashToCurveGivesThePointsOfRfc9380() public view {
        string memory json = vm.readFile("tests/vectors/rfc9380-g1.json");
        bytes memory tag = bytes(vm.parseJsonString(json, ".dst"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, _at(".vectors", count, "")); ++count) {
            bytes memory message = bytes(vm.parseJsonString(json, _at(".vectors", count, ".message")));
            bytes memory expected = bytes.concat(
                vm.parseJsonBytes(json, _at(".vectors", count, ".x")),
                vm.parseJsonBytes(json, _at(".vectors", count, ".y"))
            );
            assertEq(OperatorKeys.encodeG1(HashToCurve.hashToG1(message, tag)), expected);
        }
        assertEq(count, 5);
    }

    function test_ExpandedMessagesAreThoseOfRfc9380() public view {
        _assertExpanded("tests/vectors/rfc9380-expand-message-xmd-sha256.json", 38);
        // A tag this long is hashed first (section 5.3.3).
        _assertExpanded("tests/vectors/rfc9380-expand-message-xmd-sha256-long-dst.json", 256);
    }

    function test_PrecompilesGiveTheResultsOfEip2537() public view {
        _assertResults("add_G1_bls", library_.g1Add, 256, 9);
        _assertResults("add_G2_bls", library_.g2Add, 512, 9);
        _assertResults("map_fp_to_G1_bls", library_.mapToG1, 64, 5);
        // Products of one point; the library makes no others.
        _assertResults("msm_G1_bls", library_.g1Multiply, 160, 10);
        _assertResults("pairing_check_bls", library_.pairing, 0, 12);
    }

    function test_PrecompilesRefuseWhatEip2537Refuses() public view {
        _assertFailures("fail-add_G1_bls", library_.g1Add, 7);
        _assertFailures("fail-add_G2_bls", library_.g2Add, 6);
        _assertFailures("fail-map_fp_to_G1_bls", library_.mapToG1, 5);
        _assertFailures("fail-msm_G1_bls", library_.g1Multiply, 8);
        _assertFailures("fail-pairing_check_bls", library_.pairing, 23);
    }

    function test_GeneratorIsOfPrimeOrder() public view {
        library_.requireInSubgroupOfG2(BLS12381.generatorG2());
        assertFalse(BLS12381.isInfinity(BLS12381.generatorG2()));
    }

    /// @dev `length` of the inputs to take, zero for any.
    function _assertResults(
        string memory name,
        function(bytes memory) external view returns (bool, bytes memory) precompile,
        uint256 length,
        uint256 expectedCount
    ) private view {
        string memory json = vm.readFile(string.concat("tests/vectors/eip2537/", name, ".json"));
        uint256 count = 0;
        for (uint256 i = 0; vm.keyExistsJson(json, _at("", i, "")); ++i) {
            bytes memory input = _hex(json, _at("", i, ".Input"));
            if (length != 0 && input.length != length) continue;
            (bool success, bytes memory output) = precompile(input);
            string memory what = vm.parseJsonString(json, _at("", i, ".Name"));
            assertTrue(success, what);
            assertEq(output, _hex(json, _at("", i, ".Expected")), what);
            ++count;
        }
        assertEq(count, expectedCount, name);
    }

    function _assertFailures(
        string memory name,
        function(bytes memory) external view returns (bool, bytes memory) precompile,
        uint256 expectedCount
    ) private view {
        string memory json = vm.readFile(string.concat("tests/vectors/eip2537/", name, ".json"));
        uint256 count = 0;
        for (; vm.keyExistsJson(json, _at("", count, "")); ++count) {
            string memory what = vm.parseJsonString(json, _at("", count, ".Name"));
            try precompile(_hex(json, _at("", count, ".Input"))) returns (bool success, bytes memory) {
                assertFalse(success, what);
            } catch {}
        }
        assertEq(count, expectedCount, name);
    }

    function _assertExpanded(string memory path, uint256 tagLength) private view {
        string memory json = vm.readFile(path);
        bytes memory tag = bytes(vm.parseJsonString(json, ".dst"));
        assertEq(tag.length, tagLength);
        uint256 count = 0;
        for (uint256 i = 0; vm.keyExistsJson(json, _at(".vectors", i, "")); ++i) {
            if (vm.parseJsonUint(json, _at(".vectors", i, ".lengthInBytes")) != 128) continue;
            bytes memory message = bytes(vm.parseJsonString(json, _at(".vectors", i, ".message")));
            bytes memory expected = vm.parseJsonBytes(json, _at(".vectors", i, ".uniformBytes"));
            assertEq(abi.encodePacked(HashToCurve.expandMessage(message, tag)), expected);
            ++count;
        }
        assertEq(count, 5);
    }

    function _hex(string memory json, string memory key) private pure returns (bytes memory) {
        return vm.parseBytes(string.concat("0x", vm.parseJsonString(json, key)));
    }

    function _at(string memory list, uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]", field);
    }
}
