package allowlist_test

import data.allowlist

token := "0x00000000000000000000000000000000000000a1"

supplier := "0x000000000000000000000000000000000000beef"

stranger := "0x000000000000000000000000000000000000dead"

parameters := {"calls": [{
	"target": token,
	"signature": "transfer(address,uint256)",
	"value": 0,
	"addresses": {"to": [supplier]},
	"limits": {"amount": 500},
}]}

call(target, recipient, amount, value) := {
	"intent": {"to": target, "value": value},
	"call": {
		"function": "transfer",
		"signature": "transfer(address,uint256)",
		"args": {"to": recipient, "amount": amount},
	},
}

test_allows_a_listed_call if {
	allowlist.allow with input as call(token, supplier, 500, 0) with data.params as parameters
	count(allowlist.deny) == 0 with input as call(token, supplier, 500, 0) with data.params as parameters
}

test_denies_another_target if {
	not allowlist.allow with input as call(stranger, supplier, 1, 0) with data.params as parameters
	message := "calls of transfer(address,uint256) of 0x000000000000000000000000000000000000dead are not listed"
	allowlist.deny == {message} with input as call(stranger, supplier, 1, 0) with data.params as parameters
}

test_denies_another_function if {
	approval := {
		"intent": {"to": token, "value": 0},
		"call": {
			"function": "approve",
			"signature": "approve(address,uint256)",
			"args": {"spender": supplier, "amount": 1},
		},
	}
	not allowlist.allow with input as approval with data.params as parameters
}

test_denies_another_argument if {
	not allowlist.allow with input as call(token, stranger, 1, 0) with data.params as parameters
	allowlist.deny == {"no listed call of transfer(address,uint256) has these arguments"}
		with input as call(token, stranger, 1, 0) with data.params as parameters
}

test_denies_an_argument_above_its_limit if {
	not allowlist.allow with input as call(token, supplier, 501, 0) with data.params as parameters
}

test_denies_value_above_the_limit if {
	not allowlist.allow with input as call(token, supplier, 1, 1) with data.params as parameters
}

test_an_argument_that_the_function_lacks_denies if {
	listed := json.patch(parameters, [{"op": "add", "path": "/calls/0/addresses/nothing", "value": [supplier]}])
	not allowlist.allow with input as call(token, supplier, 1, 0) with data.params as listed
}
