// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {IRefusals} from "../interfaces/Protocol.sol";
import {Authorization} from "../libraries/Authorization.sol";
import {Bytes} from "@openzeppelin/contracts/utils/Bytes.sol";
import {LibBytes} from "solady/utils/LibBytes.sol";

/// @title TrailingAuthorization
/// @notice Finds the authorization behind bytes that a guard or a hook is handed:
/// `bytes ‖ authorization ‖ uint16 length`.
library TrailingAuthorization {
    using Bytes for bytes;

    /// @dev Bytes behind an authorization that give its length.
    uint256 private constant LENGTH_SUFFIX = 2;

    /// @notice The bytes before the authorization, and the authorization. `MalformedAuthorization` if it is missing;
    /// whether it parses, the TaskManager finds.
    function split(bytes memory trailed) internal pure returns (bytes memory head, bytes memory authorization) {
        if (trailed.length < Authorization.LEAST_LENGTH + LENGTH_SUFFIX) revert IRefusals.MalformedAuthorization();
        uint256 end = trailed.length - LENGTH_SUFFIX;
        uint256 length = uint16(bytes2(trailed.slice(end)));
        if (length < Authorization.LEAST_LENGTH || length > end) revert IRefusals.MalformedAuthorization();
        return (trailed.slice(0, end - length), trailed.slice(end - length, end));
    }

    /// @notice The nonce of an authorization that `split` found.
    function nonceOf(bytes memory authorization) internal pure returns (uint256) {
        return uint256(LibBytes.load(authorization, Authorization.NONCE_OFFSET));
    }
}
