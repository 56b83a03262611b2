// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AssentTestKit} from "../../../contracts/testing/AssentTestKit.sol";
import {Account as SmartAccount} from "@openzeppelin/contracts/account/Account.sol";
import {AccountERC7579} from "@openzeppelin/contracts/account/extensions/draft-AccountERC7579.sol";
import {AccountERC7579Hooked} from "@openzeppelin/contracts/account/extensions/draft-AccountERC7579Hooked.sol";
import {ERC4337Utils, IEntryPointExtra} from "@openzeppelin/contracts/account/utils/ERC4337Utils.sol";
import {IEntryPoint, PackedUserOperation} from "@openzeppelin/contracts/interfaces/IERC4337.sol";
import {IERC7579Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {SignerECDSA} from "@openzeppelin/contracts/utils/cryptography/signers/SignerECDSA.sol";
import {Vm} from "forge-std/Vm.sol";

/// @dev OpenZeppelin's modular account, of one key, which knows nothing of Assent.
contract ModularAccount is AccountERC7579Hooked, SignerECDSA {
    constructor(address signer) SignerECDSA(signer) {}

    function entryPoint() public pure override returns (IEntryPoint) {
        return ERC4337Utils.ENTRYPOINT_V08;
    }

    function _rawSignatureValidation(bytes32 hash, bytes calldata signature)
        internal
        view
        override(AccountERC7579, SignerECDSA)
        returns (bool)
    {
        return SignerECDSA._rawSignatureValidation(hash, signature);
    }
}

/// @dev The entry point as its npm package compiled it, at its own address, and a bundler that sends user operations
/// there.
abstract contract EntryPointTestBase is AssentTestKit {
    IEntryPoint internal constant ENTRY_POINT = ERC4337Utils.ENTRYPOINT_V08;
    bytes32 private constant REVERT_REASON = keccak256("UserOperationRevertReason(bytes32,address,uint256,bytes)");
    bytes32 private constant OPERATION_EVENT =
        keccak256("UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)");

    address internal bundler = makeAddr("bundler");
    address internal signer;
    uint256 internal signerKey;

    function deployEntryPoint() internal {
        (signer, signerKey) = makeAddrAndKey("signer");
        deployCodeTo("node_modules/@account-abstraction/contracts/artifacts/EntryPoint.json", address(ENTRY_POINT));
    }

    function deployAccount() internal returns (ModularAccount account) {
        account = new ModularAccount(signer);
        vm.deal(address(account), 10 ether);
    }

    /// @dev The account makes one plain call.
    function executionOf(address to, uint256 value, bytes memory data) internal pure returns (bytes memory) {
        return abi.encodeCall(IERC7579Execution.execute, (0, abi.encodePacked(to, value, data)));
    }

    /// @dev The account's next operation, signed.
    function operationOf(SmartAccount account, bytes memory callData)
        internal
        view
        returns (PackedUserOperation memory operation)
    {
        operation.sender = address(account);
        operation.nonce = account.getNonce();
        operation.callData = callData;
        operation.accountGasLimits = bytes32(abi.encodePacked(uint128(300_000), uint128(2_000_000)));
        operation.preVerificationGas = 100_000;
        operation.gasFees = bytes32(abi.encodePacked(uint128(1 gwei), uint128(1 gwei)));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(signerKey, IEntryPointExtra(address(ENTRY_POINT)).getUserOpHash(operation));
        operation.signature = abi.encodePacked(r, s, v);
    }

    /// @dev Signs and sends one operation. Returns why its execution was reverted; empty if it was not.
    function handle(SmartAccount account, bytes memory callData) internal returns (bytes memory refusal) {
        PackedUserOperation[] memory operations = new PackedUserOperation[](1);
        operations[0] = operationOf(account, callData);
        return handle(operations)[0];
    }

    /// @dev One transaction of the bundler.
    function handle(PackedUserOperation[] memory operations) internal returns (bytes[] memory refusals) {
        vm.recordLogs();
        vm.prank(bundler, bundler);
        ENTRY_POINT.handleOps(operations, payable(bundler));
        return _refusalsIn(vm.getRecordedLogs(), operations.length);
    }

    /// @dev The reason of an operation's revert precedes its own event.
    function _refusalsIn(Vm.Log[] memory logs, uint256 count) private pure returns (bytes[] memory refusals) {
        refusals = new bytes[](count);
        uint256 handled = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == REVERT_REASON) (, refusals[handled]) = abi.decode(logs[i].data, (uint256, bytes));
            if (logs[i].topics[0] != OPERATION_EVENT) continue;
            (, bool success,,) = abi.decode(logs[i].data, (uint256, bool, uint256, uint256));
            require(success == (refusals[handled++].length == 0), "reverted without a reason");
        }
        require(handled == count);
    }
}
