// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {AttestedCall, ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, IRefusals, Intent, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {ClientTestBase, TrailingPath} from "../utils/ClientTestBase.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

contract TaskManagerTest is TrailingPath {
    bytes32 private constant INTENT_TYPE =
        keccak256("Intent(address from,address to,uint256 value,bytes data,uint256 chainId)");

    /* SINGLE USE */

    function test_NoncesAreUsedInAnyOrder() public {
        uint256[5] memory nonces = [uint256(1000), 0, type(uint256).max, 256, 255];
        for (uint256 i = 0; i < nonces.length; ++i) {
            assertFalse(taskManager.isSpent(address(counter), nonces[i]));
            assertEq(attempt(attestationOf(address(counter), protectedCall(), nonces[i])), "");
            assertTrue(taskManager.isSpent(address(counter), nonces[i]));
        }
        assertEq(taskManager.spentNonces(address(counter), 0), 1 | (1 << 255));
        assertEq(taskManager.spentNonces(address(counter), 1), 1);
        assertEq(taskManager.spentNonces(address(counter), 1000 >> 8), 1 << (1000 % 256));
        assertEq(taskManager.spentNonces(address(counter), type(uint256).max >> 8), 1 << 255);
    }

    function test_SpendingIsAnnounced() public {
        Attestation memory attestation = attest(protectedCall());
        vm.expectEmit(address(taskManager));
        emit ITaskManager.AttestationSpent(address(counter), attestation.taskId, NONCE, FIRST_EPOCH, EVIDENCE);
        assertEq(attempt(attestation), "");
    }

    function test_BurningIsAnnouncedAndAddsToTheWord() public {
        vm.expectEmit(address(taskManager));
        emit ITaskManager.NoncesBurned(address(this), 7, 6);
        taskManager.burnNonces(7, 6);
        taskManager.burnNonces(7, 12);
        assertEq(taskManager.spentNonces(address(this), 7), 14);
        assertTrue(taskManager.isSpent(address(this), 7 * 256 + 3));
        assertFalse(taskManager.isSpent(address(this), 7 * 256));
    }

    function test_BurningTouchesNobodyElse() public {
        vm.prank(stranger);
        taskManager.burnNonces(0, type(uint256).max);
        assertEq(taskManager.spentNonces(address(counter), 0), 0);
        assertEq(attempt(attest(protectedCall())), "");
    }

    function testFuzz_SpentIsTheBitOfTheWord(uint256 nonce, uint256 other) public {
        taskManager.burnNonces(nonce >> 8, 1 << (nonce & 0xff));
        assertTrue(taskManager.isSpent(address(this), nonce));
        assertEq(taskManager.isSpent(address(this), other), other == nonce);
        assertFalse(taskManager.isSpent(address(counter), nonce));
    }

    /* ONE CLIENT'S ATTESTATION */

    function test_RevertWhen_AnotherSpendsAClientsAttestation() public {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = authorize(attestation);
        bytes32 strangersTask = taskManager.taskIdOf(stranger, POLICY_ID, attestation.intent, NONCE);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.WrongTask.selector, strangersTask, attestation.taskId));
        vm.prank(stranger);
        taskManager.spend(_callOf(attestation.intent), policy(), 0, authorization);

        assertEq(taskManager.spentNonces(address(counter), 0), 0);
        assertEq(attempt(attestation.intent, agent, authorization), "");
    }

    function test_ACheckChangesNothing() public view {
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = authorize(attestation);
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 task = taskManager.check(address(counter), _callOf(attestation.intent), policy(), 0, authorization);
            assertEq(task, attestation.taskId);
        }
    }

    function test_FloorHoldsWhateverQuorumAClientAsksFor() public {
        Policy memory lax = policy();
        Attestation memory attestation = attest(protectedCall());
        // 4 of 7 are 5714 basis points, 3 of 7 are 4285.
        bytes memory byFour = authorize(attestation, OPERATORS, 3);
        bytes memory byThree = authorize(attestation, OPERATORS, 4);
        for (uint16 quorum = 0; quorum <= 5001; quorum += 1667) {
            lax.quorum = quorum;
            taskManager.check(address(counter), _callOf(attestation.intent), lax, 0, byFour);
            vm.expectRevert(abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 300, 351));
            taskManager.check(address(counter), _callOf(attestation.intent), lax, 0, byThree);
        }
    }

    function test_RevertWhen_ClientAsksForMoreThanTheWhole() public {
        Policy memory impossible = policy();
        impossible.quorum = 10_001;
        Attestation memory attestation = attest(protectedCall());
        bytes memory authorization = authorize(attestation);
        vm.expectRevert(abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, 700, 701));
        taskManager.check(address(counter), _callOf(attestation.intent), impossible, 0, authorization);
    }

    /* DIGESTS */

    function testFuzz_TaskIdIsTheFormula(address client, bytes32 policyId, Intent memory intent, uint256 nonce)
        public
        view
    {
        bytes32 intentHash = keccak256(
            abi.encode(INTENT_TYPE, intent.from, intent.to, intent.value, keccak256(intent.data), intent.chainId)
        );
        assertEq(
            taskManager.taskIdOf(client, policyId, intent, nonce),
            keccak256(abi.encode(block.chainid, address(taskManager), client, policyId, intentHash, nonce))
        );
    }

    function testFuzz_DigestIsEip712(Attestation memory attestation) public view {
        // Numbers above 2^53 go as text, as EIP-712 tools read them.
        string memory message = string.concat(
            '{"taskId":"',
            vm.toString(attestation.taskId),
            '","policyId":"',
            vm.toString(attestation.policyId),
            '","policyClient":"',
            vm.toString(attestation.policyClient),
            '","nonce":"',
            vm.toString(bytes32(attestation.nonce)),
            '","issuedAt":',
            vm.toString(uint256(attestation.issuedAt)),
            ',"expiration":',
            vm.toString(uint256(attestation.expiration)),
            ',"decision":',
            vm.toString(uint256(attestation.decision))
        );
        message = string.concat(
            message,
            ',"evidence":"',
            vm.toString(attestation.evidence),
            '","intent":',
            _intentJson(attestation.intent),
            "}"
        );
        string memory typedData = string.concat(
            '{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},',
            '{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],',
            '"Intent":[{"name":"from","type":"address"},{"name":"to","type":"address"},',
            '{"name":"value","type":"uint256"},{"name":"data","type":"bytes"},{"name":"chainId","type":"uint256"}],',
            _attestationTypeJson(),
            '},"primaryType":"Attestation","domain":',
            _domainJson(),
            ',"message":',
            message,
            "}"
        );
        assertEq(taskManager.digestOf(attestation), vm.eip712HashTypedData(typedData));
    }

    function test_DomainIsPublished() public view {
        (, string memory name, string memory version, uint256 chainId, address verifyingContract,,) =
            IERC5267(address(taskManager)).eip712Domain();
        assertEq(name, "Assent");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifyingContract, address(taskManager));
    }

    function test_DigestFollowsTheChainsId() public {
        Attestation memory attestation = attest(protectedCall());
        bytes32 before = taskManager.digestOf(attestation);
        vm.chainId(block.chainid + 1);
        assertNotEq(taskManager.digestOf(attestation), before);
    }

    function test_DigestIsOfOneTaskManager() public {
        Attestation memory attestation = attest(protectedCall());
        assertNotEq(deployTaskManager().digestOf(attestation), taskManager.digestOf(attestation));
    }

    function _callOf(Intent memory intent) private pure returns (AttestedCall memory) {
        return AttestedCall({
            caller: intent.from,
            from: intent.from,
            to: intent.to,
            value: intent.value,
            dataHash: keccak256(intent.data),
            chainId: intent.chainId
        });
    }

    function _intentJson(Intent memory intent) private pure returns (string memory) {
        return string.concat(
            '{"from":"',
            vm.toString(intent.from),
            '","to":"',
            vm.toString(intent.to),
            '","value":"',
            vm.toString(bytes32(intent.value)),
            '","data":"',
            vm.toString(intent.data),
            '","chainId":"',
            vm.toString(bytes32(intent.chainId)),
            '"}'
        );
    }

    function _attestationTypeJson() private pure returns (string memory) {
        return string.concat(
            '"Attestation":[{"name":"taskId","type":"bytes32"},{"name":"policyId","type":"bytes32"},',
            '{"name":"policyClient","type":"address"},{"name":"nonce","type":"uint256"},',
            '{"name":"issuedAt","type":"uint48"},{"name":"expiration","type":"uint48"},',
            '{"name":"decision","type":"uint8"},{"name":"evidence","type":"bytes32"},{"name":"intent","type":"Intent"}]'
        );
    }

    function _domainJson() private view returns (string memory) {
        return string.concat(
            '{"name":"Assent","version":"1","chainId":',
            vm.toString(block.chainid),
            ',"verifyingContract":"',
            vm.toString(address(taskManager)),
            '"}'
        );
    }
}
