package spending_window_test

import data.spending_window

token := "0x00000000000000000000000000000000000000a1"

other := "0x00000000000000000000000000000000000000a2"

parameters := {"token": token, "perCall": 500, "perWindow": 1000}

payment(of, amount) := {"call": {"function": "pay", "args": {"token": of, "recipient": other, "amount": amount}}}

# What left the client, and what is attested and pending.
seen(spent, pending) := {"spent": {"count": 1, "sum": spent, "from_block": 5}, "pending": {"count": 1, "sum": pending}}

is_allowed(amount, observed) if {
	spending_window.allow with input as payment(token, amount) with data.params as parameters with data.wasm as observed
	count(spending_window.deny) == 0 with input as payment(token, amount) with data.params as parameters
		with data.wasm as observed
}

reasons(of, amount, observed) := found if {
	found := spending_window.deny with input as payment(of, amount) with data.params as parameters
		with data.wasm as observed
	not spending_window.allow with input as payment(of, amount) with data.params as parameters
		with data.wasm as observed
}

test_allows_the_limits if {
	is_allowed(500, seen(0, 0))
	is_allowed(500, seen(500, 0))
	is_allowed(500, seen(200, 300))
}

test_denies_more_than_the_limit_of_a_call if {
	reasons(token, 501, seen(0, 0)) == {"501 is more than the limit of 500 for one call"}
}

test_denies_more_than_the_limit_of_the_window if {
	reasons(token, 500, seen(501, 0)) == {
		"501 spent and 0 pending in the last day and 500 more exceed the limit of 1000",
	}
}

# Each of the two keeps the limit alone. The second one sees the first, which is attested and not spent.
test_two_attestations_under_way_cannot_break_the_limit_together if {
	is_allowed(500, seen(400, 0))
	is_allowed(100, seen(400, 500))
	reasons(token, 101, seen(400, 500)) == {
		"400 spent and 500 pending in the last day and 101 more exceed the limit of 1000",
	}
}

test_denies_another_token if {
	reasons(other, 1, seen(0, 0)) == {"the token 0x00000000000000000000000000000000000000a2 cannot be spent"}
}

test_denies_without_what_was_spent_or_is_pending if {
	reasons(token, 1, {"spent": {"sum": 0}}) == set()
	reasons(token, 1, {"pending": {"sum": 0}}) == set()
}

test_amounts_are_exact if {
	largest := 115792089237316195423570985008687907853269984665640564039457584007913129639935
	limits := {"token": token, "perCall": largest, "perWindow": largest}
	spending_window.allow with input as payment(token, largest - 2) with data.params as limits
		with data.wasm as seen(1, 1)
	not spending_window.allow with input as payment(token, largest - 1) with data.params as limits
		with data.wasm as seen(1, 1)
}
