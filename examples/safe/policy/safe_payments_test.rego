package safe_payments_test

import data.safe_payments

supplier := "0x000000000000000000000000000000000000beef"

stranger := "0x000000000000000000000000000000000000dead"

parameters := {"limit": 10, "recipients": [supplier]}

payment(to, value, operation) := {
	"intent": {"value": 0},
	"call": {"function": "execTransaction", "args": {
		"to": to, "value": value, "data": "0x", "operation": operation, "gasPrice": 0, "signatures": "0x",
	}},
}

test_allows_a_payment_of_the_limit if {
	safe_payments.allow with input as payment(supplier, 10, 0) with data.params as parameters
	count(safe_payments.deny) == 0 with input as payment(supplier, 10, 0) with data.params as parameters
}

test_denies_more_than_the_limit if {
	not safe_payments.allow with input as payment(supplier, 11, 0) with data.params as parameters
	safe_payments.deny == {"11 wei is more than the limit of 10"}
		with input as payment(supplier, 11, 0) with data.params as parameters
}

test_denies_another_recipient if {
	not safe_payments.allow with input as payment(stranger, 1, 0) with data.params as parameters
	safe_payments.deny == {"0x000000000000000000000000000000000000dead is not a listed recipient"}
		with input as payment(stranger, 1, 0) with data.params as parameters
}

test_denies_a_delegatecall if {
	not safe_payments.allow with input as payment(supplier, 1, 1) with data.params as parameters
	safe_payments.deny == {"only plain payments are allowed: no data, no delegatecall, no refund"}
		with input as payment(supplier, 1, 1) with data.params as parameters
}
