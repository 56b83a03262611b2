package spending_limit_test

import data.spending_limit

known := "0x00000000000000000000000000000000000000a1"

other := "0x00000000000000000000000000000000000000a2"

parameters := {"currency": 10, "tokens": {known: 500}}

transfer(token, amount, value) := {
	"intent": {"to": token, "value": value},
	"call": {"function": "transfer", "args": {"to": other, "amount": amount}},
}

payment(token, amount) := {
	"intent": {"to": other, "value": 0},
	"call": {"function": "pay", "args": {"token": token, "recipient": other, "amount": amount}},
}

currency(value) := {"intent": {"to": other, "value": value}, "call": {"function": "receive", "args": {}}}

test_allows_a_transfer_of_the_limit if {
	spending_limit.allow with input as transfer(known, 500, 0) with data.params as parameters
	count(spending_limit.deny) == 0 with input as transfer(known, 500, 0) with data.params as parameters
}

test_allows_a_payment_of_the_limit if {
	spending_limit.allow with input as payment(known, 500) with data.params as parameters
	count(spending_limit.deny) == 0 with input as payment(known, 500) with data.params as parameters
}

test_allows_currency_up_to_its_limit if {
	spending_limit.allow with input as currency(10) with data.params as parameters
	count(spending_limit.deny) == 0 with input as currency(10) with data.params as parameters
}

test_denies_more_than_the_limit if {
	not spending_limit.allow with input as transfer(known, 501, 0) with data.params as parameters
	message := "501 is more than the limit of 500 for the token 0x00000000000000000000000000000000000000a1"
	spending_limit.deny == {message} with input as transfer(known, 501, 0) with data.params as parameters
	not spending_limit.allow with input as payment(known, 501) with data.params as parameters
}

test_denies_currency_above_its_limit if {
	not spending_limit.allow with input as currency(11) with data.params as parameters
	spending_limit.deny == {"11 wei is more than the limit of 10"} with input as currency(11)
		with data.params as parameters
}

test_denies_currency_with_a_transfer_above_its_limit if {
	not spending_limit.allow with input as transfer(known, 1, 11) with data.params as parameters
}

test_denies_a_token_without_a_limit if {
	not spending_limit.allow with input as transfer(other, 1, 0) with data.params as parameters
	message := "the token 0x00000000000000000000000000000000000000a2 has no limit, and cannot be spent"
	spending_limit.deny == {message} with input as transfer(other, 1, 0) with data.params as parameters
}

test_amounts_are_exact if {
	largest := 115792089237316195423570985008687907853269984665640564039457584007913129639935
	limits := {"currency": 0, "tokens": {known: largest - 1}}
	not spending_limit.allow with input as transfer(known, largest, 0) with data.params as limits
	spending_limit.allow with input as transfer(known, largest - 1, 0) with data.params as limits
}
