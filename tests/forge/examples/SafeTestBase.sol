// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {Intent} from "../../../contracts/interfaces/Protocol.sol";
import {AssentTestKit} from "../../../contracts/testing/AssentTestKit.sol";
import {AuthorizationEncoding} from "../../../contracts/testing/AuthorizationEncoding.sol";
import {ISafe} from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import {Enum} from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";

/// @dev The arguments of `execTransaction` but the signatures.
struct SafeTransaction {
    address to;
    uint256 value;
    bytes data;
    Enum.Operation operation;
    uint256 safeTxGas;
    uint256 baseGas;
    uint256 gasPrice;
    address gasToken;
    address payable refundReceiver;
}

/// @dev A Safe as its npm package compiled it, with three owners of whom two must sign.
abstract contract SafeTestBase is AssentTestKit {
    uint256 internal constant THRESHOLD = 2;
    string private constant ARTIFACTS = "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/";

    /// @dev In the order of their addresses, in which a Safe wants their signatures.
    uint256[] internal ownerKeys;
    address[] internal owners;
    address internal executor = makeAddr("executor");

    function deploySafe() internal returns (ISafe) {
        if (owners.length == 0) _makeOwners();
        address singleton = deployArtifact("Safe.sol/Safe.json");
        bytes memory setup = abi.encodeCall(
            ISafe.setup, (owners, THRESHOLD, address(0), "", address(0), address(0), 0, payable(address(0)))
        );
        address factory = deployArtifact("proxies/SafeProxyFactory.sol/SafeProxyFactory.json");
        return ISafe(payable(ISafeProxyFactory(factory).createProxyWithNonce(singleton, setup, 0)));
    }

    function deployArtifact(string memory path) internal returns (address) {
        return deployCode(string.concat(ARTIFACTS, path));
    }

    /// @dev A plain call.
    function transactionOf(address to, uint256 value, bytes memory data)
        internal
        pure
        returns (SafeTransaction memory transaction)
    {
        (transaction.to, transaction.value, transaction.data) = (to, value, data);
    }

    /// @dev What operators decide on.
    function intentOf(ISafe safe, SafeTransaction memory transaction) internal view returns (Intent memory) {
        return intentOf(executor, address(safe), 0, _executionOf(transaction, ""));
    }

    /// @dev By the first `THRESHOLD` owners, for the Safe's next nonce.
    function signaturesOf(ISafe safe, SafeTransaction memory transaction) internal view returns (bytes memory) {
        return signaturesOf(safe, transaction, THRESHOLD);
    }

    function signaturesOf(ISafe safe, SafeTransaction memory transaction, uint256 signers)
        internal
        view
        returns (bytes memory)
    {
        return signaturesOf(_hashOf(safe, transaction), signers);
    }

    function signaturesOf(bytes32 hash, uint256 signers) internal view returns (bytes memory signatures) {
        for (uint256 i = 0; i < signers; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(ownerKeys[i], hash);
            signatures = abi.encodePacked(signatures, r, s, v);
        }
    }

    /// @dev The owners sign, and the executor sends the transaction without an authorization.
    function execute(ISafe safe, SafeTransaction memory transaction) internal returns (bytes memory refusal) {
        return executeWith(safe, transaction, signaturesOf(safe, transaction));
    }

    /// @dev The owners sign, and the executor sends the transaction with the authorization behind the signatures.
    function execute(ISafe safe, SafeTransaction memory transaction, bytes memory authorization)
        internal
        returns (bytes memory refusal)
    {
        bytes memory signatures = signaturesOf(safe, transaction);
        return executeWith(safe, transaction, AuthorizationEncoding.trailing(signatures, authorization));
    }

    /// @dev The revert data; empty if the transaction succeeded.
    function executeWith(ISafe safe, SafeTransaction memory transaction, bytes memory signatures)
        internal
        returns (bytes memory refusal)
    {
        vm.prank(executor);
        (bool success, bytes memory returned) = address(safe).call(_executionOf(transaction, signatures));
        if (!success) refusal = returned;
    }

    function _makeOwners() private {
        ownerKeys = [uint256(3), 1, 2];
        for (uint256 i = 0; i < ownerKeys.length; ++i) {
            for (uint256 j = i; j > 0 && vm.addr(ownerKeys[j - 1]) > vm.addr(ownerKeys[j]); --j) {
                (ownerKeys[j - 1], ownerKeys[j]) = (ownerKeys[j], ownerKeys[j - 1]);
            }
        }
        for (uint256 i = 0; i < ownerKeys.length; ++i) {
            owners.push(vm.addr(ownerKeys[i]));
        }
    }

    function _hashOf(ISafe safe, SafeTransaction memory transaction) private view returns (bytes32) {
        return safe.getTransactionHash(
            transaction.to,
            transaction.value,
            transaction.data,
            transaction.operation,
            transaction.safeTxGas,
            transaction.baseGas,
            transaction.gasPrice,
            transaction.gasToken,
            transaction.refundReceiver,
            safe.nonce()
        );
    }

    function _executionOf(SafeTransaction memory transaction, bytes memory signatures)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(
            ISafe.execTransaction,
            (
                transaction.to,
                transaction.value,
                transaction.data,
                transaction.operation,
                transaction.safeTxGas,
                transaction.baseGas,
                transaction.gasPrice,
                transaction.gasToken,
                transaction.refundReceiver,
                signatures
            )
        );
    }
}

/// @dev The package has no interface of its factory.
interface ISafeProxyFactory {
    function createProxyWithNonce(address singleton, bytes memory initializer, uint256 saltNonce)
        external
        returns (address proxy);
}
