package no_unlimited_approvals_test

import data.no_unlimited_approvals as policy

known := "0x00000000000000000000000000000000000000c1"

stranger := "0x000000000000000000000000000000000000dead"

largest := 115792089237316195423570985008687907853269984665640564039457584007913129639935

parameters := {"limit": 1000, "spenders": [known]}

approval(spender, amount) := {"call": {"function": "approve", "args": {"spender": spender, "amount": amount}}}

increase(spender, amount) := {"call": {
	"function": "increaseAllowance",
	"args": {"spender": spender, "addedValue": amount},
}}

for_all(approved) := {"call": {
	"function": "setApprovalForAll",
	"args": {"operator": known, "approved": approved},
}}

test_allows_a_bounded_approval if {
	policy.allow with input as approval(known, 1000) with data.params as parameters
	count(policy.deny) == 0 with input as approval(known, 1000) with data.params as parameters
	policy.allow with input as increase(known, 1000) with data.params as parameters
}

test_denies_an_unlimited_approval if {
	not policy.allow with input as approval(known, largest) with data.params as parameters
	message := sprintf("an approval of %v is more than the limit of 1000", [largest])
	policy.deny == {message} with input as approval(known, largest) with data.params as parameters
	not policy.allow with input as increase(known, largest) with data.params as parameters
}

test_denies_an_unknown_spender if {
	not policy.allow with input as approval(stranger, 1) with data.params as parameters
	message := "0x000000000000000000000000000000000000dead may not be approved"
	policy.deny == {message} with input as approval(stranger, 1) with data.params as parameters
}

test_allows_withdrawing_any_approval if {
	policy.allow with input as approval(stranger, 0) with data.params as parameters
	count(policy.deny) == 0 with input as approval(stranger, 0) with data.params as parameters
	policy.allow with input as for_all(false) with data.params as parameters
	count(policy.deny) == 0 with input as for_all(false) with data.params as parameters
}

test_denies_an_operator_of_all_tokens if {
	not policy.allow with input as for_all(true) with data.params as parameters
	policy.deny["an operator of all tokens is never approved"] with input as for_all(true)
		with data.params as parameters
}
