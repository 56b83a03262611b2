# Payments of an agent for some time: small ones by itself, larger ones with the approval of a named person.
package agent_session

default allow := false

allow if {
	is_in_session
	input.call.function == "pay"
	amount <= data.params.limit
}

allow if {
	is_in_session
	input.call.function == "payApproved"
	amount <= data.params.approvedLimit
	is_approved
}

is_in_session if {
	input.intent.from == data.params.agent
	input.task.time >= data.params.start
	input.task.time < data.params.end
	calls <= data.params.callsPerHour
}

# The client's calls in the last hour, those that are attested and not spent, and this one.
calls := ((data.wasm.calls.count + data.wasm.pending.count) + data.wasm.pending_approved.count) + 1

is_approved if approver in data.params.approvers

# A contract approved exactly this (ERC-1271).
is_approved if {
	data.wasm.approval.approver in data.params.approvers
	data.wasm.approval.hash == approval_hash
}

amount := input.call.args.amount

# Who signed exactly this payment of this client with this nonce.
approver := assent.ecdsa_recover(approval_hash, input.call.args.approval) if {
	# 0x and 65 bytes. The approval of a contract is longer.
	count(input.call.args.approval) == 132
}

approval_hash := assent.eip712_hash(approval)

approval := {
	"types": {
		"EIP712Domain": [
			{"name": "name", "type": "string"},
			{"name": "chainId", "type": "uint256"},
			{"name": "verifyingContract", "type": "address"},
		],
		"PaymentApproval": [
			{"name": "token", "type": "address"},
			{"name": "recipient", "type": "address"},
			{"name": "amount", "type": "uint256"},
			{"name": "nonce", "type": "uint256"},
		],
	},
	"primaryType": "PaymentApproval",
	"domain": {
		"name": "Agent session",
		"chainId": input.intent.chain_id,
		"verifyingContract": input.task.client,
	},
	"message": {
		"token": input.call.args.token,
		"recipient": input.call.args.recipient,
		"amount": amount,
		"nonce": input.task.nonce,
	},
}

deny contains sprintf("%v is not the session's agent", [input.intent.from]) if input.intent.from != data.params.agent

deny contains "the session has not begun" if input.task.time < data.params.start

deny contains "the session has ended" if input.task.time >= data.params.end

deny contains sprintf("%v is more than %v, which the agent can pay by itself", [amount, data.params.limit]) if {
	input.call.function == "pay"
	amount > data.params.limit
}

deny contains sprintf("%v is more than %v, which can be approved", [amount, data.params.approvedLimit]) if {
	input.call.function == "payApproved"
	amount > data.params.approvedLimit
}

deny contains "no approver signed this payment" if {
	input.call.function == "payApproved"
	not is_approved
}

deny contains message if {
	calls > data.params.callsPerHour
	message := sprintf("it would be call %v of the last hour, of %v", [calls, data.params.callsPerHour])
}
