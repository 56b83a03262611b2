// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BLS12381, G1Point, G2Point, MODULUS_HIGH, MODULUS_LOW} from "../../../contracts/libraries/BLS12381.sol";
import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {OperatorKeys} from "../../../contracts/testing/OperatorKeys.sol";
import {BLS12381Caller} from "../utils/BLS12381Caller.sol";
import {Test} from "forge-std/Test.sol";

/// @dev The library by itself, as a project without Assent would use it.
contract BLS12381Test is Test {
    bytes private constant TAG = OperatorKeys.SIGNATURE_TAG;
    uint256 private constant SECRET = 0xa55e27;

    /// @dev Made with blst 0.3.17, its C library: `blst_keygen` of the bytes 1 to 32 without info,
    /// `blst_sk_to_pk_in_g2` (with the halves of each coordinate swapped into the order of EIP-2537). Then
    /// `blst_sign_pk_in_g2` of the message hashed by `blst_hash_to_g1`.
    bytes private constant BLST_KEY = hex"1254c5cba0b319c2f4a4b5899756541cf422add2feca68cd6512c66d85bf91108357869a7fc7e3ea3486401a31f7d692"
        hex"01c2f7f9244ead8e5aa7190b332c0199d77e9898350b3314c389375f652618ab9ffd4f37be1a3b5c4799574a9f38d19d"
        hex"082b677d8020a3ce92fa493da5aadbc9945d196f756e69890001e38e6748b9ff9c908df2f38979c9b39350abc0ed5404"
        hex"065eab39bcffa6e1b166a60bfd78589ab4d8ad4ead0e720567bb0dbce4a671031783e79bf98e25bf710ba065ae4a587c";
    bytes private constant BLST_SIGNATURE_OF_NOTHING = hex"17c5bb1e4000e7c288db6345bd414dead0775b21788c6135382260ef36742ace691d0ede17268e559c92cc34c4950dfa"
        hex"1108debefcdec9fcaff140d0ec71d249daad0abe0a2240552a002db302a3c9e89eae01335531d3f0df02a8b3d2739c3b";
    bytes private constant BLST_SIGNATURE_OF_ABC = hex"0b9c06f341cd55e154b2fbd120bcd1dcda82511a3df46b17b7de8d04af52e1b5e3ad32a1c43fde380db3e835c1200168"
        hex"12e0ecc4de4994e03dd23bd1b75a43f73d5eb86702c71de87dc39d60b2a150d195b1313c919c90db0af234cd01347b77";
    bytes private constant BLST_SIGNATURE_OF_LONG_MESSAGE = hex"11ceef1981c51ed7ac2f730d4b5b83776ae52f76edb2e9e8b530f896d5bff4b44a29634fa21e150af989ab7fc20990a2"
        hex"0759535c2c612e42bd6fd379a188c3c17ddad5d5a8509ab8b3a0e7853f54cf6b7e9a8d149d19ee81731d76771915f9ad";
    bytes private constant LONG_MESSAGE =
        "Assent: a message that is longer than one block of SHA-256, which has sixty-four bytes.";

    /// @dev drand's public network `quicknet` (scheme bls-unchained-g1-rfc9380), decompressed with py_ecc 8.0.0: its
    /// key, and rounds 1000 and 1001. A round's message is the SHA-256 of its number in eight bytes.
    bytes private constant DRAND_TAG = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
    bytes private constant DRAND_KEY = hex"0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
        hex"03cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        hex"0e5db2b6bfbb01c867749cadffca88b36c24f3012ba09fc4d3022c5c37dce0f977d3adb5d183c7477c442b1f04515273"
        hex"01a714f2edb74119a2f2b0d5a7c75ba902d163700a61bc224ededd8e63aef7be1aaf8e93d7a9718b047ccddb3eb5d68b";
    bytes private constant DRAND_ROUND_1000 = hex"144679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
        hex"11f92e4521ef54f047b64b85fa98db2d46f0f44add1f60b93f8a0dbddd63b34f238657c2d93aed18b90bddd60a01b6d2";
    bytes private constant DRAND_ROUND_1001 = hex"133bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"
        hex"15725954c8f0c9afc82902f9f39d202a4fbe48d7cd5ed3ab26c458f6773b385639e980a4fe3073672572fa77fbdbded0";

    BLS12381Caller private library_;
    bytes private key;
    bytes private signature;

    function setUp() public {
        library_ = new BLS12381Caller();
        key = OperatorKeys.publicKey(SECRET);
        signature = OperatorKeys.sign(SECRET, "message", TAG);
    }

    /* SIGNATURES MADE BY OTHERS */

    function test_SignaturesOfBlstVerify() public view {
        assertTrue(library_.verify("", TAG, BLST_SIGNATURE_OF_NOTHING, BLST_KEY));
        assertTrue(library_.verify("abc", TAG, BLST_SIGNATURE_OF_ABC, BLST_KEY));
        assertTrue(library_.verify(LONG_MESSAGE, TAG, BLST_SIGNATURE_OF_LONG_MESSAGE, BLST_KEY));
        assertFalse(library_.verify("abd", TAG, BLST_SIGNATURE_OF_ABC, BLST_KEY));
        assertFalse(library_.verify("", TAG, BLST_SIGNATURE_OF_ABC, BLST_KEY));
    }

    function test_RoundsOfDrandVerify() public view {
        bytes memory round1000 = bytes.concat(sha256(abi.encodePacked(uint64(1000))));
        bytes memory round1001 = bytes.concat(sha256(abi.encodePacked(uint64(1001))));
        assertTrue(library_.verify(round1000, DRAND_TAG, DRAND_ROUND_1000, DRAND_KEY));
        assertTrue(library_.verify(round1001, DRAND_TAG, DRAND_ROUND_1001, DRAND_KEY));
        assertFalse(library_.verify(round1001, DRAND_TAG, DRAND_ROUND_1000, DRAND_KEY));
        assertFalse(library_.verify(round1000, TAG, DRAND_ROUND_1000, DRAND_KEY));
        assertFalse(library_.verify(round1000, DRAND_TAG, DRAND_ROUND_1000, BLST_KEY));
    }

    /* MESSAGES, TAGS AND KEYS OF ALL KINDS */

    function testFuzz_OwnSignatureVerifiesAndNoOther(bytes memory message, bytes memory tag, uint256 secret)
        public
        view
    {
        vm.assume(tag.length > 0);
        secret = bound(secret, 1, OperatorKeys.ORDER - 1);
        bytes memory publicKey = OperatorKeys.publicKey(secret);
        bytes memory own = OperatorKeys.sign(secret, message, tag);
        assertTrue(library_.verify(message, tag, own, publicKey));
        assertFalse(library_.verify(bytes.concat(message, hex"00"), tag, own, publicKey));
        assertFalse(library_.verify(message, bytes.concat(tag, hex"00"), own, publicKey));
        if (secret != SECRET) assertFalse(library_.verify(message, tag, own, key));
    }

    function test_MessagesOfEveryLengthAreHashed() public view {
        uint256[8] memory lengths = [uint256(0), 1, 31, 32, 33, 64, 1000, 100_000];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory message = new bytes(lengths[i]);
            assertTrue(library_.verify(message, TAG, OperatorKeys.sign(SECRET, message, TAG), key));
        }
    }

    function test_TagsOfEveryLengthButZeroAreTaken() public {
        uint256[5] memory lengths = [uint256(1), 254, 255, 256, 1000];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes memory tag = new bytes(lengths[i]);
            assertTrue(library_.verify("message", tag, OperatorKeys.sign(SECRET, "message", tag), key));
        }
        vm.expectRevert(HashToCurve.EmptyDomainSeparationTag.selector);
        library_.verify("message", "", signature, key);
    }

    /* ENCODINGS THAT ARE NOT POINTS */

    function test_RevertWhen_FieldElementIsNotCanonical() public {
        // p itself in the place of each coordinate: 2 of the signature, 4 of the key.
        for (uint256 i = 0; i < 2; ++i) {
            _assertReverts(_withModulusAt(signature, 48 * i), key, BLS12381.FieldElementNotCanonical.selector);
        }
        for (uint256 i = 0; i < 4; ++i) {
            _assertReverts(signature, _withModulusAt(key, 48 * i), BLS12381.FieldElementNotCanonical.selector);
        }
    }

    function testFuzz_RevertWhen_StructHoldsMoreThanAFieldElement(uint256 high, uint256 low) public {
        vm.assume(high > MODULUS_HIGH || (high == MODULUS_HIGH && low >= MODULUS_LOW));
        assertFalse(BLS12381.isCanonical(G1Point(high, low, 0, 0)));
        assertFalse(BLS12381.isCanonical(G1Point(0, 0, high, low)));
        assertTrue(BLS12381.isCanonical(G1Point(MODULUS_HIGH, MODULUS_LOW - 1, 0, 0)));
    }

    function test_RevertWhen_PointIsOffTheCurve() public {
        _assertReverts(_withFlippedBit(signature), key, BLS12381.PointNotOnCurve.selector);
        _assertReverts(signature, _withFlippedBit(key), BLS12381.PointNotOnCurve.selector);
    }

    function test_RevertWhen_PointIsOutsideTheSubgroup() public {
        // From the vectors of EIP-2537: on the curve, not of prime order.
        string memory json = vm.readFile("tests/vectors/eip2537/fail-pairing_check_bls.json");
        bytes memory outsideG1 = _input(json, "[17]", "bls_pairing_e(G1_not_in_correct_subgroup,0)");
        bytes memory outsideG2 = _input(json, "[18]", "bls_pairing_e(0,G2_not_in_correct_subgroup)");
        (G1Point memory first,) = abi.decode(outsideG1, (G1Point, G2Point));
        (, G2Point memory second) = abi.decode(outsideG2, (G1Point, G2Point));
        bytes4 expected = BLS12381.PointNotInSubgroup.selector;
        _assertReverts(OperatorKeys.encodeG1(first), key, expected);
        _assertReverts(signature, BLS12381.encode(second), expected);

        vm.expectRevert(expected);
        library_.requireInSubgroupOfG1(first);
        vm.expectRevert(expected);
        library_.requireInSubgroupOfG2(second);
    }

    function test_RevertWhen_PointIsInfinity() public {
        _assertReverts(new bytes(96), key, BLS12381.PointAtInfinity.selector);
        _assertReverts(signature, new bytes(192), BLS12381.PointAtInfinity.selector);
        _assertReverts(new bytes(96), new bytes(192), BLS12381.PointAtInfinity.selector);
    }

    function test_RevertWhen_LengthIsWrong() public {
        _assertReverts("", key, BLS12381.EmptyInput.selector);
        _assertReverts(signature, "", BLS12381.EmptyInput.selector);
        vm.expectRevert(abi.encodeWithSelector(BLS12381.WrongPointLength.selector, 96, 95));
        library_.verify("message", TAG, new bytes(95), key);
        vm.expectRevert(abi.encodeWithSelector(BLS12381.WrongPointLength.selector, 96, 97));
        library_.verify("message", TAG, new bytes(97), key);
        vm.expectRevert(abi.encodeWithSelector(BLS12381.WrongPointLength.selector, 192, 191));
        library_.verify("message", TAG, signature, new bytes(191));
        vm.expectRevert(abi.encodeWithSelector(BLS12381.WrongPointLength.selector, 192, 193));
        library_.verify("message", TAG, signature, new bytes(193));
    }

    /* ARITHMETIC */

    function testFuzz_KeysAddLikeTheirSecrets(uint256 a, uint256 b) public view {
        a = bound(a, 1, OperatorKeys.ORDER - 1);
        b = bound(b, 1, OperatorKeys.ORDER - 1);
        G2Point memory sum = library_.add(_point(a), _point(b));
        uint256 secret = addmod(a, b, OperatorKeys.ORDER);
        assertEq(abi.encode(sum), abi.encode(_point(secret)));
        assertEq(abi.encode(BLS12381.negate(_point(a))), abi.encode(_point(OperatorKeys.ORDER - a)));
        assertTrue(BLS12381.isInfinity(library_.add(_point(a), BLS12381.negate(_point(a)))));
    }

    function test_NegativeOfInfinityIsInfinity() public pure {
        assertTrue(BLS12381.isInfinity(BLS12381.negate(G2Point(0, 0, 0, 0, 0, 0, 0, 0))));
    }

    function test_RevertWhen_AddingAPointOffTheCurve() public {
        G2Point memory off = _point(2);
        G2Point memory on = _point(3);
        off.y1Low ^= 1;
        vm.expectRevert(BLS12381.PointNotOnCurve.selector);
        library_.add(off, on);
    }

    function testFuzz_PointsAreReadAsTheyAreWritten(uint128[4] memory high, uint256[4] memory low) public pure {
        G2Point memory point = G2Point(high[0], low[0], high[1], low[1], high[2], low[2], high[3], low[3]);
        assertEq(abi.encode(BLS12381.decodeG2(BLS12381.encode(point))), abi.encode(point));
    }

    function _assertReverts(bytes memory signature_, bytes memory key_, bytes4 expected) private {
        vm.expectRevert(expected);
        library_.verify("message", TAG, signature_, key_);
    }

    function _withFlippedBit(bytes memory point) private pure returns (bytes memory flipped) {
        flipped = bytes.concat(point);
        flipped[flipped.length - 1] ^= 0x01;
    }

    function _withModulusAt(bytes memory point, uint256 offset) private pure returns (bytes memory spoiled) {
        spoiled = bytes.concat(point);
        bytes memory modulus = abi.encodePacked(uint128(MODULUS_HIGH), MODULUS_LOW);
        for (uint256 i = 0; i < 48; ++i) {
            spoiled[offset + i] = modulus[i];
        }
    }

    function _input(string memory json, string memory place, string memory name) private pure returns (bytes memory) {
        assertEq(vm.parseJsonString(json, string.concat(place, ".Name")), name);
        return vm.parseBytes(string.concat("0x", vm.parseJsonString(json, string.concat(place, ".Input"))));
    }

    function _point(uint256 secret) private view returns (G2Point memory) {
        return BLS12381.decodeG2(OperatorKeys.publicKey(secret));
    }
}
