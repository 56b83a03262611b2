// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ExampleToken} from "../../../contracts/examples/ExampleToken.sol";
import {TreasuryVault} from "../../../contracts/examples/TreasuryVault.sol";
import {IAttestationValidator} from "../../../contracts/interfaces/IAttestationValidator.sol";
import {ITaskManager} from "../../../contracts/interfaces/ITaskManager.sol";
import {Attestation, IRefusals, Intent, OperatorSetId, Policy} from "../../../contracts/interfaces/Protocol.sol";
import {Attesting, Signed} from "./Attesting.sol";
import {Digests} from "./Digests.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {Vm} from "forge-std/Vm.sol";

/// @title Two vaults with one agent, what must become of every call, and what became of it
abstract contract Treasury is Attesting {
    struct Use {
        address client;
        uint256 nonce;
        bytes32 taskId;
    }

    uint256 internal constant TOKENS = 1e24;
    uint256 internal constant ETHER = 1e24;

    address public agent = makeAddr("agent");
    address public recipient = makeAddr("recipient");
    ExampleToken public token;
    TreasuryVault[2] public vaults;

    /* AS IT SHOULD BE */

    mapping(address client => Policy) internal policies;
    mapping(address client => uint48) public floors;
    mapping(address client => uint256) internal tokensPaid;
    mapping(address client => uint256) internal etherPaid;
    mapping(address client => uint256) internal tokensGiven;
    mapping(address client => uint256) internal etherGiven;
    mapping(address client => mapping(uint256 word => uint256)) internal spent;
    mapping(address client => mapping(uint256 word => uint256)) internal burned;
    mapping(address client => uint256[] words) internal wordsTouched;
    mapping(address client => mapping(uint256 word => bool)) private _isTouched;

    /* AS IT WAS SEEN */

    /// @dev From the logs of every successful call of any caller.
    Use[] internal usesSeen;
    mapping(address client => mapping(uint256 nonce => uint256)) internal timesUsed;
    mapping(uint32 epoch => mapping(bytes32 root => bool)) internal isRootSeen;
    uint256 internal rootsSeen;

    function deployTreasury() internal {
        token = new ExampleToken(10 * TOKENS);
        for (uint32 i = 0; i < 2; ++i) {
            Policy memory first = Policy({
                policyId: keccak256(abi.encode("policy", i)),
                operatorSet: OperatorSetId.wrap(i + 1),
                quorum: 6667,
                maxLifetime: 1 hours
            });
            TreasuryVault vault = new TreasuryVault(owner, agent, taskManager, first);
            (vaults[i], policies[address(vault)]) = (vault, first);
            require(token.transfer(address(vault), TOKENS));
            vm.deal(address(vault), ETHER);
        }
        vm.deal(address(this), ETHER);
    }

    /* WHAT SHOULD BE */

    function policyOf(address client) external view returns (Policy memory) {
        return policies[client];
    }

    function isSpent(address client, uint256 nonce) public view returns (bool) {
        return (spent[client][nonce >> 8] >> (nonce & 0xff)) & 1 == 1;
    }

    /// @dev What must become of genuinely signed attestations: the protocol's checks in their order, and then the
    /// payment. Empty if it must succeed.
    function refusalOf(address client, Signed memory signed) public view returns (bytes memory refusal) {
        refusal = refusalBeforeSignature(client, signed);
        if (refusal.length != 0) return refusal;
        if (signed.attestation.decision != 1) {
            return abi.encodeWithSelector(IRefusals.PolicyDenied.selector, signed.attestation.taskId);
        }
        (uint256 tokens, uint256 ethers) = _paymentIn(signed.attestation.intent);
        uint256 balance = token.balanceOf(client);
        if (tokens > balance) {
            return abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, client, balance, tokens);
        }
        if (ethers > client.balance) {
            return abi.encodeWithSelector(Errors.InsufficientBalance.selector, client.balance, ethers);
        }
    }

    /// @dev Checks 3 to 9. Whatever gets past them with a signature of something else is an `InvalidSignature`.
    function refusalBeforeSignature(address client, Signed memory signed) public view returns (bytes memory) {
        Policy memory terms = policies[client];
        (Intent memory intent, uint256 nonce) = (signed.attestation.intent, signed.attestation.nonce);
        if (intent.to == client) {
            // A client fills the chain in.
            intent = Intent(intent.from, intent.to, intent.value, intent.data, block.chainid);
        } else if (intent.chainId != block.chainid) {
            return abi.encodeWithSelector(IRefusals.WrongChain.selector, block.chainid, intent.chainId);
        }
        bytes32 taskId = taskIdOf(client, terms.policyId, intent, nonce);
        if (taskId != signed.attestation.taskId) {
            return abi.encodeWithSelector(IRefusals.WrongTask.selector, taskId, signed.attestation.taskId);
        }
        bytes memory refusal = _refusalByTime(client, signed.attestation, terms.maxLifetime);
        if (refusal.length != 0) return refusal;
        if (isSpent(client, nonce)) {
            return abi.encodeWithSelector(IRefusals.AttestationAlreadySpent.selector, client, nonce);
        }
        return _refusalByEpoch(terms, signed);
    }

    function taskIdOf(address client, bytes32 policyId, Intent memory intent, uint256 nonce)
        public
        view
        returns (bytes32)
    {
        return Digests.taskId(block.chainid, address(taskManager), client, policyId, intent, nonce);
    }

    function noteBurned(address client, uint256 word, uint256 mask) public {
        _touch(client, word);
        // A nonce that was used is not burned by this.
        burned[client][word] |= mask & ~spent[client][word];
        spent[client][word] |= mask;
    }

    function noteSpent(address client, uint256 nonce) public {
        _touch(client, nonce >> 8);
        spent[client][nonce >> 8] |= 1 << (nonce & 0xff);
    }

    function noteGiven(address client, uint256 tokens, uint256 ethers) public {
        tokensGiven[client] += tokens;
        etherGiven[client] += ethers;
    }

    function voidAttestations(TreasuryVault vault, uint48 newFloor) external {
        vm.prank(owner);
        vault.voidAssentAttestations(newFloor);
        floors[address(vault)] = newFloor;
    }

    function setPolicy(TreasuryVault vault, Policy memory newPolicy) external {
        vm.prank(owner);
        vault.setAssentPolicy(newPolicy);
        policies[address(vault)] = newPolicy;
    }

    /* CALLS */

    /// @dev Makes the call with an attestation that operators did sign; it must end as `refusalOf` says.
    function perform(address client, Signed memory signed) external returns (bytes memory refusal) {
        bytes memory expected = refusalOf(client, signed);
        refusal = offer(client, agent, signed.attestation.intent, authorizationOf(signed));
        assertEq(refusal, expected, "a signed attestation met with another end");
        if (refusal.length == 0) _notePaid(client, signed);
    }

    /// @dev Calls the client's function if the intent is to the client itself, and else hands it the intent.
    function offer(address client, address caller, Intent memory intent, bytes memory authorization)
        public
        returns (bytes memory refusal)
    {
        bytes memory data = intent.to == client
            ? trail(intent.data, authorization)
            : abi.encodeCall(TreasuryVault.execute, (intent, authorization));
        (bool success, bytes memory returned) = transact(caller, client, data);
        if (!success) refusal = returned;
    }

    /// @inheritdoc Attesting
    function transact(address caller, address target, bytes memory data)
        public
        override
        returns (bool success, bytes memory returned)
    {
        vm.recordLogs();
        vm.prank(caller);
        (success, returned) = target.call(data);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; success && i < logs.length; ++i) {
            if (logs[i].topics[0] == ITaskManager.AttestationSpent.selector) _seeUse(logs[i]);
            if (logs[i].topics[0] == IAttestationValidator.RootRecorded.selector) _seeRecord(logs[i]);
        }
    }

    /* PRIVATE */

    /// @dev Checks 5 and 6.
    function _refusalByTime(address client, Attestation memory attestation, uint48 maxLifetime)
        private
        view
        returns (bytes memory)
    {
        (uint48 issuedAt, uint48 expiration) = (attestation.issuedAt, attestation.expiration);
        if (issuedAt > block.timestamp) {
            return abi.encodeWithSelector(IRefusals.AttestationNotYetValid.selector, issuedAt, block.timestamp);
        }
        if (block.timestamp >= expiration) {
            return abi.encodeWithSelector(IRefusals.AttestationExpired.selector, expiration, block.timestamp);
        }
        uint256 latest = uint256(issuedAt) + maxLifetime;
        if (expiration > latest) {
            return abi.encodeWithSelector(IRefusals.LifetimeTooLong.selector, expiration, latest);
        }
        if (issuedAt < floors[client]) {
            return abi.encodeWithSelector(IRefusals.AttestationVoided.selector, issuedAt, floors[client]);
        }
        return "";
    }

    /// @dev Checks 8 and 9.
    function _refusalByEpoch(Policy memory terms, Signed memory signed) private view returns (bytes memory) {
        (uint32 number, FrozenEpoch storage epoch) = (signed.epoch, frozen[signed.epoch]);
        if (!epoch.known || epoch.operatorSet != OperatorSetId.unwrap(terms.operatorSet)) {
            return abi.encodeWithSelector(IRefusals.UnknownEpoch.selector, number);
        }
        bool isOver = signed.recorded ? epoch.revoked : !isInForce(number);
        if (isOver) return refusalByEpochsEnd(number);
        uint256 weight = signed.recorded ? recordedWeights[number][signed.root] : weightWithout(number, signed.absent);
        if (signed.recorded && weight == 0) {
            return abi.encodeWithSelector(IRefusals.RootNotRecorded.selector, number, signed.root);
        }
        uint48 expiration = signed.attestation.expiration;
        if (signed.recorded && expiration > epoch.expiresAt) {
            return abi.encodeWithSelector(IRefusals.ExpirationBeyondEpoch.selector, expiration, epoch.expiresAt);
        }
        uint256 required = requiredWeight(number, terms.quorum);
        if (weight < required) return abi.encodeWithSelector(IRefusals.QuorumNotReached.selector, weight, required);
        return "";
    }

    /// @dev Every intent of these tests pays the recipient, in one of three ways.
    function _paymentIn(Intent memory intent) private view returns (uint256 tokens, uint256 ethers) {
        if (intent.to == recipient) return (0, intent.value);
        (bytes memory data, uint256 amount) = (intent.data, 0);
        // The last argument.
        assembly ("memory-safe") {
            amount := mload(add(data, mload(data)))
        }
        return (amount, 0);
    }

    function _notePaid(address client, Signed memory signed) private {
        noteSpent(client, signed.attestation.nonce);
        (uint256 tokens, uint256 ethers) = _paymentIn(signed.attestation.intent);
        tokensPaid[client] += tokens;
        etherPaid[client] += ethers;
    }

    function _touch(address client, uint256 word) private {
        if (_isTouched[client][word]) return;
        _isTouched[client][word] = true;
        wordsTouched[client].push(word);
    }

    function _seeUse(Vm.Log memory log) private {
        assertEq(log.emitter, address(taskManager), "only this TaskManager spends");
        address client = address(uint160(uint256(log.topics[1])));
        (uint256 nonce,,) = abi.decode(log.data, (uint256, uint32, bytes32));
        usesSeen.push(Use(client, nonce, log.topics[2]));
        ++timesUsed[client][nonce];
    }

    function _seeRecord(Vm.Log memory log) private {
        (uint32 epoch, bytes32 root) = (uint32(uint256(log.topics[1])), log.topics[2]);
        if (!isRootSeen[epoch][root]) ++rootsSeen;
        isRootSeen[epoch][root] = true;
    }
}
