package PACKAGE_test

import data.PACKAGE

supplier := "0x000000000000000000000000000000000000beef"

stranger := "0x000000000000000000000000000000000000dead"

parameters := {"limit": 500, "recipients": [supplier]}

payment(recipient, amount) := {"call": {
	"function": "pay",
	"args": {"token": "0x00000000000000000000000000000000000000a1", "recipient": recipient, "amount": amount},
}}

test_allows_a_payment_of_the_limit if {
	PACKAGE.allow with input as payment(supplier, 500) with data.params as parameters
}

test_denies_more_than_the_limit if {
	not PACKAGE.allow with input as payment(supplier, 501) with data.params as parameters
	PACKAGE.deny == {"501 is more than the limit of 500"} with input as payment(supplier, 501)
		with data.params as parameters
}

test_denies_an_unknown_recipient if {
	not PACKAGE.allow with input as payment(stranger, 1) with data.params as parameters
	count(PACKAGE.deny) == 1 with input as payment(stranger, 1) with data.params as parameters
}

# The example parameters are data.params where a test does not replace them.
test_allows_a_small_payment_with_the_example_parameters if {
	PACKAGE.allow with input as payment(supplier, 1)
}
