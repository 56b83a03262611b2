// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Epoch, IAttestationValidator} from "./interfaces/IAttestationValidator.sol";
import {IOperatorRegistry} from "./interfaces/IOperatorRegistry.sol";
import {IStakeSource} from "./interfaces/IStakeSource.sol";
import {EpochId, OperatorSetId} from "./interfaces/Protocol.sol";
import {BLS12381, G1Point, G2Point} from "./libraries/BLS12381.sol";
import {OperatorTable, TableEntry, TableHead} from "./libraries/OperatorTable.sol";
import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {DynamicBufferLib} from "solady/utils/DynamicBufferLib.sol";
import {EIP712} from "solady/utils/EIP712.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

/// @title OperatorRegistry
/// @notice Operators, their keys, and the epochs committed from them.
/// @dev The owner is trusted to choose the operators of an epoch. It cannot sign for them: see docs/security.md.
contract OperatorRegistry is IOperatorRegistry, Ownable2Step, EIP712 {
    using DynamicBufferLib for DynamicBufferLib.DynamicBuffer;

    /// @notice The longest grace period, in seconds. Bounds how long superseded keys stay valid.
    uint48 public constant MAX_GRACE_PERIOD = 30 days;

    /// @notice The most validators. Bounds the gas of `revokeEpoch`, which must never run out of it.
    uint256 public constant MAX_VALIDATORS = 16;

    /// @dev Ciphersuite tag for proofs of possession (IETF BLS signature draft, section 4.2.3): an attestation's
    /// signature is not a proof.
    bytes private constant POSSESSION_TAG = "BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
    bytes32 private constant POSSESSION_TYPEHASH = keccak256("ProofOfPossession(address operator,bytes publicKey)");

    /// @inheritdoc IOperatorRegistry
    mapping(EpochId epoch => Epoch) public epochs;
    /// @inheritdoc IOperatorRegistry
    mapping(OperatorSetId operatorSet => EpochId epoch) public latestEpoch;
    /// @inheritdoc IOperatorRegistry
    mapping(bytes32 keyHash => bool) public isKeyUsed;
    /// @inheritdoc IOperatorRegistry
    IStakeSource public stakeSource;
    /// @inheritdoc IOperatorRegistry
    uint48 public gracePeriod;
    /// @inheritdoc IOperatorRegistry
    uint32 public epochCount;

    /// @dev The contract whose code is the operator's key; zero if it is not registered.
    mapping(address operator => address pointer) private _keys;
    mapping(OperatorSetId operatorSet => address[] tables) private _staged;
    IAttestationValidator[] private _validators;

    /// @param owner The account that commits and revokes epochs.
    /// @param initialStakeSource The source of weights.
    /// @param initialGracePeriod How long a superseded epoch stays valid, in seconds.
    constructor(address owner, IStakeSource initialStakeSource, uint48 initialGracePeriod) Ownable(owner) {
        _setStakeSource(initialStakeSource);
        _setGracePeriod(initialGracePeriod);
    }

    /* OPERATORS */

    /// @inheritdoc IOperatorRegistry
    function registerOperator(bytes calldata publicKey, bytes calldata proofOfPossession) external {
        if (_keys[msg.sender] != address(0)) revert OperatorAlreadyRegistered(msg.sender);
        _acceptKey(publicKey, proofOfPossession);
        emit OperatorRegistered(msg.sender, publicKey);
    }

    /// @inheritdoc IOperatorRegistry
    function rotateKey(bytes calldata publicKey, bytes calldata proofOfPossession) external {
        _requireRegistered(msg.sender);
        _acceptKey(publicKey, proofOfPossession);
        emit KeyRotated(msg.sender, publicKey);
    }

    /// @inheritdoc IOperatorRegistry
    function deregisterOperator() external {
        _requireRegistered(msg.sender);
        delete _keys[msg.sender];
        emit OperatorDeregistered(msg.sender);
    }

    /* EPOCHS */

    /// @inheritdoc IOperatorRegistry
    function stageOperators(OperatorSetId operatorSet, address[] calldata operators) external onlyOwner {
        address[] storage staged = _staged[operatorSet];
        if (operators.length != OperatorTable.CAPACITY) {
            revert WrongOperatorCount(operators.length, OperatorTable.CAPACITY, OperatorTable.CAPACITY);
        }
        if (staged.length == OperatorTable.MAX_EARLIER_TABLES) revert TooManyTables(OperatorTable.MAX_EARLIER_TABLES);

        TableHead memory head;
        bytes memory entries = _freeze(head, operatorSet, _lastStaged(staged), operators);
        address table = OperatorTable.write(head, new address[](0), entries);
        staged.push(table);
        emit OperatorsStaged(operatorSet, table);
    }

    /// @inheritdoc IOperatorRegistry
    function discardStagedOperators(OperatorSetId operatorSet) external onlyOwner {
        delete _staged[operatorSet];
        emit StagedOperatorsDiscarded(operatorSet);
    }

    /// @inheritdoc IOperatorRegistry
    // Only validators are called, which the owner trusts to be TaskManagers (docs/security.md); they call no contract.
    // slither-disable-next-line reentrancy-no-eth,reentrancy-benign,reentrancy-events
    function commitEpoch(OperatorSetId operatorSet, address[] calldata operators)
        external
        onlyOwner
        returns (EpochId epoch)
    {
        if (operators.length == 0 || operators.length > OperatorTable.CAPACITY) {
            revert WrongOperatorCount(operators.length, 1, OperatorTable.CAPACITY);
        }
        address[] memory staged = _staged[operatorSet];
        TableHead memory head;
        bytes memory entries = _freeze(head, operatorSet, _lastStaged(staged), operators);
        for (uint256 i = 0; i < staged.length; ++i) {
            _include(head, staged[i]);
        }
        head.earlierTables = uint8(staged.length);
        address table = OperatorTable.write(head, staged, entries);

        _supersede(latestEpoch[operatorSet]);
        epoch = EpochId.wrap(++epochCount);
        epochs[epoch] = Epoch({table: table, operatorSet: operatorSet, validUntil: type(uint48).max});
        publishEpoch(epoch);
        latestEpoch[operatorSet] = epoch;
        delete _staged[operatorSet];
        emit EpochCommitted(epoch, operatorSet, table, head.operatorCount, head.totalWeight);
    }

    /// @inheritdoc IOperatorRegistry
    // slither-disable-next-line reentrancy-events
    function revokeEpoch(EpochId epoch) external onlyOwner {
        if (epochs[epoch].table == address(0)) revert NoSuchEpoch(epoch);
        epochs[epoch].validUntil = 0;
        publishEpoch(epoch);
        emit EpochRevoked(epoch);
    }

    /* VALIDATORS */

    /// @inheritdoc IOperatorRegistry
    function addValidator(IAttestationValidator validator) external onlyOwner {
        if (_validators.length == MAX_VALIDATORS) revert TooManyValidators(MAX_VALIDATORS);
        if (!_isMadeForThis(validator) || _isAdded(validator)) revert InvalidValidator(validator);
        _validators.push(validator);
        emit ValidatorAdded(validator);
    }

    /// @inheritdoc IOperatorRegistry
    function publishEpoch(EpochId epoch) public {
        if (epochs[epoch].table == address(0)) revert NoSuchEpoch(epoch);
        for (uint256 i = 0; i < _validators.length; ++i) {
            _validators[i].updateEpoch(epoch, epochs[epoch]);
        }
    }

    /* SETTINGS */

    /// @inheritdoc IOperatorRegistry
    function setGracePeriod(uint48 newGracePeriod) external onlyOwner {
        _setGracePeriod(newGracePeriod);
    }

    /// @inheritdoc IOperatorRegistry
    function setStakeSource(IStakeSource newStakeSource) external onlyOwner {
        _setStakeSource(newStakeSource);
    }

    /* VIEWS */

    /// @inheritdoc IOperatorRegistry
    function publicKeyOf(address operator) external view returns (bytes memory) {
        address pointer = _keys[operator];
        return pointer == address(0) ? bytes("") : SSTORE2.read(pointer);
    }

    /// @inheritdoc IOperatorRegistry
    function validators() external view returns (IAttestationValidator[] memory) {
        return _validators;
    }

    /// @inheritdoc IOperatorRegistry
    function stagedTables(OperatorSetId operatorSet) external view returns (address[] memory) {
        return _staged[operatorSet];
    }

    /// @inheritdoc IOperatorRegistry
    function proofOfPossessionDigest(address operator, bytes calldata publicKey) public view returns (bytes32) {
        return _hashTypedData(keccak256(abi.encode(POSSESSION_TYPEHASH, operator, keccak256(publicKey))));
    }

    /* KEYS */

    /// @dev Binding the proof to the caller's address stops others from registering the key, and signing at all stops
    /// a key derived from others' keys (rogue key), whose secret is unknown.
    function _acceptKey(bytes calldata publicKey, bytes calldata proofOfPossession) private {
        G2Point memory key = BLS12381.decodeG2(publicKey);
        G1Point memory proof = BLS12381.decodeG1(proofOfPossession);
        bytes memory message = bytes.concat(proofOfPossessionDigest(msg.sender, publicKey));
        if (!BLS12381.verify(message, POSSESSION_TAG, proof, key)) revert InvalidProofOfPossession();

        // After the proof, so that only a key's holder can mark it as used.
        bytes32 keyHash = keccak256(publicKey);
        if (isKeyUsed[keyHash]) revert KeyAlreadyUsed(keyHash);
        isKeyUsed[keyHash] = true;
        _keys[msg.sender] = SSTORE2.write(publicKey);
    }

    function _requireRegistered(address operator) private view {
        if (_keys[operator] == address(0)) revert OperatorNotRegistered(operator);
    }

    /* TABLES */

    /// @dev Encodes operators' entries and fills in `head` for only these.
    /// @param previous The operator before the first of these, or zero. Strictly ascending addresses are distinct.
    function _freeze(TableHead memory head, OperatorSetId operatorSet, address previous, address[] calldata operators)
        private
        view
        returns (bytes memory)
    {
        DynamicBufferLib.DynamicBuffer memory entries;
        for (uint256 i = 0; i < operators.length; ++i) {
            address operator = operators[i];
            if (operator <= previous) revert OperatorsNotAscending(previous, operator);
            _requireRegistered(operator);
            uint96 weight = stakeSource.weightOf(operatorSet, operator);
            if (weight == 0) revert OperatorWithoutWeight(operatorSet, operator);

            bytes memory publicKey = SSTORE2.read(_keys[operator]);
            BLS12381.addInPlace(head.negatedAggregate, BLS12381.negate(BLS12381.readG2(publicKey)));
            head.totalWeight += weight;
            entries.p(OperatorTable.encodeEntry(publicKey, weight, operator));
            previous = operator;
        }
        head.operatorCount = uint16(operators.length);
        return entries.data;
    }

    // Truncation is meant: the head has fields of these lengths.
    // forge-lint: disable-next-item(unsafe-typecast)
    /// @dev Adds a staged table's operators to the head of the whole set.
    function _include(TableHead memory head, address staged) private view {
        (G2Point memory negatedAggregate, uint256 totalWeight, uint256 operatorCount,) = OperatorTable.readHead(staged);
        BLS12381.addInPlace(head.negatedAggregate, negatedAggregate);
        head.totalWeight += uint96(totalWeight);
        head.operatorCount += uint16(operatorCount);
    }

    /// @dev Returns the last staged operator; zero if none is staged.
    function _lastStaged(address[] memory staged) private view returns (address) {
        if (staged.length == 0) return address(0);
        return OperatorTable.readEntry(staged[staged.length - 1], 0, OperatorTable.CAPACITY - 1).operator;
    }

    /// @dev Never extends: a revoked epoch stays revoked.
    // slither-disable-next-line reentrancy-events
    function _supersede(EpochId epoch) private {
        uint48 validUntil = uint48(block.timestamp) + gracePeriod;
        if (EpochId.unwrap(epoch) == 0 || epochs[epoch].validUntil <= validUntil) return;
        epochs[epoch].validUntil = validUntil;
        publishEpoch(epoch);
        emit EpochSuperseded(epoch, validUntil);
    }

    function _isMadeForThis(IAttestationValidator validator) private view returns (bool) {
        return address(validator).code.length != 0 && validator.OPERATOR_REGISTRY() == address(this);
    }

    function _isAdded(IAttestationValidator validator) private view returns (bool) {
        for (uint256 i = 0; i < _validators.length; ++i) {
            if (address(_validators[i]) == address(validator)) return true;
        }
        return false;
    }

    function _setGracePeriod(uint48 newGracePeriod) private {
        if (newGracePeriod > MAX_GRACE_PERIOD) revert GracePeriodTooLong(newGracePeriod, MAX_GRACE_PERIOD);
        gracePeriod = newGracePeriod;
        emit GracePeriodChanged(newGracePeriod);
    }

    function _setStakeSource(IStakeSource newStakeSource) private {
        if (address(newStakeSource).code.length == 0) revert InvalidStakeSource(newStakeSource);
        stakeSource = newStakeSource;
        emit StakeSourceChanged(newStakeSource);
    }

    /// @dev EIP-712 domain: the chain's id and this contract's address are added by the base.
    function _domainNameAndVersion() internal pure override returns (string memory name, string memory version) {
        return ("Assent", "1");
    }
}
