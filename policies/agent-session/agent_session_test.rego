package agent_session_test

import data.agent_session

agent := "0x00000000000000000000000000000000000000d1"

parameters := {
	"agent": agent,
	"start": 1000,
	"end": 2000,
	"limit": 100,
	"approvedLimit": 1000,
	"callsPerHour": 5,
	"taskManager": "0x0000000000000000000000000000000000000071",
	"approvers": ["0x70997970c51812dc3a010c7d01b50e0d17dc79c8", contract],
}

# An approver that is a contract.
contract := "0x00000000000000000000000000000000000000ac"

none := {"count": 0, "sum": 0}

# No call in the last hour, nothing pending, and no approval of a contract.
quiet := {"calls": {"count": 0, "from_block": 1}, "pending": none, "pending_approved": none, "approval": {}}

busy(spent, pending, pending_approved) := object.union(quiet, {
	"calls": {"count": spent},
	"pending": {"count": pending},
	"pending_approved": {"count": pending_approved},
})

# Signed by the second account of a development node, for 900 and the nonce 7.
signature := "0x75454b6a187b2465f00aa0f0a9b0fa24d913415065c3763942079f55c9951e6233338232fb4237a87ef90a2fb936d862290fdc7d67ee450ab6a9205cf9395dd81c"

# Signed by another account.
of_a_stranger := "0xe11df0854744c5d2bfd238e440ac8519a83941696cbc6cd04073ce5b7f0dfd43414bdec0c30ebee0f2e922ecc9eb74d5a399fd94d36b370eb1accc755893d66a1b"

payment(amount, time) := {
	"intent": {"from": agent, "chain_id": 1},
	"task": {"client": "0x00000000000000000000000000000000000000c1", "nonce": 7, "time": time},
	"call": {"function": "pay", "args": {
		"token": "0x00000000000000000000000000000000000000a1",
		"recipient": "0x000000000000000000000000000000000000beef",
		"amount": amount,
	}},
}

approved(amount, nonce, signed) := {
	"intent": {"from": agent, "chain_id": 1},
	"task": {"client": "0x00000000000000000000000000000000000000c1", "nonce": nonce, "time": 1500},
	"call": {"function": "payApproved", "args": {
		"token": "0x00000000000000000000000000000000000000a1",
		"recipient": "0x000000000000000000000000000000000000beef",
		"amount": amount,
		"approval": signed,
	}},
}

test_allows_small_payments_in_the_session if {
	agent_session.allow with input as payment(100, 1000) with data.params as parameters with data.wasm as quiet
	agent_session.allow with input as payment(100, 1999) with data.params as parameters with data.wasm as quiet
	count(agent_session.deny) == 0 with input as payment(100, 1000) with data.params as parameters with data.wasm as quiet
}

test_denies_before_and_after_the_session if {
	not agent_session.allow with input as payment(1, 999) with data.params as parameters with data.wasm as quiet
	not agent_session.allow with input as payment(1, 2000) with data.params as parameters with data.wasm as quiet
	agent_session.deny == {"the session has not begun"} with input as payment(1, 999) with data.params as parameters with data.wasm as quiet
	agent_session.deny == {"the session has ended"} with input as payment(1, 2000) with data.params as parameters with data.wasm as quiet
}

test_denies_another_account if {
	stranger := json.patch(payment(1, 1500), [{"op": "replace", "path": "/intent/from", "value": "0x00"}])
	not agent_session.allow with input as stranger with data.params as parameters with data.wasm as quiet
	agent_session.deny == {"0x00 is not the session's agent"} with input as stranger with data.params as parameters with data.wasm as quiet
}

test_denies_a_larger_payment_without_approval if {
	not agent_session.allow with input as payment(101, 1500) with data.params as parameters with data.wasm as quiet
	message := "101 is more than 100, which the agent can pay by itself"
	agent_session.deny == {message} with input as payment(101, 1500) with data.params as parameters with data.wasm as quiet
}

test_allows_a_larger_payment_that_an_approver_signed if {
	agent_session.allow with input as approved(900, 7, signature) with data.params as parameters with data.wasm as quiet
	count(agent_session.deny) == 0 with input as approved(900, 7, signature) with data.params as parameters with data.wasm as quiet
}

test_denies_an_approval_of_another_payment if {
	not agent_session.allow with input as approved(901, 7, signature) with data.params as parameters with data.wasm as quiet
	not agent_session.allow with input as approved(900, 8, signature) with data.params as parameters with data.wasm as quiet
	agent_session.deny == {"no approver signed this payment"} with input as approved(901, 7, signature)
		with data.params as parameters with data.wasm as quiet
}

test_denies_an_approval_of_a_stranger if {
	not agent_session.allow with input as approved(900, 7, of_a_stranger) with data.params as parameters with data.wasm as quiet
}

test_denies_more_than_can_be_approved if {
	not agent_session.allow with input as approved(1001, 7, signature) with data.params as parameters with data.wasm as quiet
	messages := {"1001 is more than 1000, which can be approved", "no approver signed this payment"}
	agent_session.deny == messages with input as approved(1001, 7, signature) with data.params as parameters with data.wasm as quiet
}

# The approval of the contract, and what it answered to isValidSignature.
by_contract := approved(900, 7, concat("", [contract, "77777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777"]))

approved_by(approver, hash) := object.union(quiet, {"approval": {"approver": approver, "hash": hash}})

# What a wallet signs for 900 and the nonce 7.
signed_hash := "0x6cd6d419074a309920ab5863069a63c2d72a81ab1ec2f88936c45f0bcee56ae5"

test_allows_a_larger_payment_that_a_contract_approved if {
	agent_session.allow with input as by_contract with data.params as parameters
		with data.wasm as approved_by(contract, signed_hash)
	count(agent_session.deny) == 0 with input as by_contract with data.params as parameters
		with data.wasm as approved_by(contract, signed_hash)
}

test_denies_the_approval_of_a_contract_for_another_payment_or_by_another if {
	other := approved_by(contract, "0x1111111111111111111111111111111111111111111111111111111111111111")
	agent_session.deny == {"no approver signed this payment"} with input as by_contract with data.params as parameters
		with data.wasm as other
	stranger := approved_by("0x000000000000000000000000000000000000dead", signed_hash)
	agent_session.deny == {"no approver signed this payment"} with input as by_contract with data.params as parameters
		with data.wasm as stranger
	agent_session.deny == {"no approver signed this payment"} with input as by_contract with data.params as parameters
		with data.wasm as quiet
}

test_allows_the_calls_of_an_hour if {
	agent_session.allow with input as payment(1, 1500) with data.params as parameters with data.wasm as busy(4, 0, 0)
	agent_session.allow with input as payment(1, 1500) with data.params as parameters with data.wasm as busy(1, 2, 1)
}

test_denies_more_calls_than_those_of_an_hour if {
	every seen in [busy(5, 0, 0), busy(3, 2, 0), busy(2, 2, 1)] {
		not agent_session.allow with input as payment(1, 1500) with data.params as parameters with data.wasm as seen
		agent_session.deny == {"it would be call 6 of the last hour, of 5"} with input as payment(1, 1500)
			with data.params as parameters
			with data.wasm as seen
	}
}

test_denies_without_the_calls_of_the_hour if {
	not agent_session.allow with input as payment(1, 1500) with data.params as parameters with data.wasm as {}
}
