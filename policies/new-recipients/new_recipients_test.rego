package new_recipients_test

import data.new_recipients

token := "0x00000000000000000000000000000000000000a1"

recipient := "0x000000000000000000000000000000000000beef"

stranger := "0x000000000000000000000000000000000000dead"

parameters := {"token": token, "coolDown": 100, "newLimit": 10, "limit": 500}

payment(of, amount) := {
	"task": {"time": 1000},
	"call": {"function": "pay", "args": {"token": of, "recipient": recipient, "amount": amount}},
}

paid(to, value, time) := {"args": {"from": stranger, "to": to, "value": value}, "block": 5, "time": time}

seen(events, number, pending) := {
	"transfers": {"count": number, "events": events, "from_block": 1},
	"pending": {"count": 1, "sum": pending},
}

is_allowed(amount, observed) if {
	new_recipients.allow with input as payment(token, amount) with data.params as parameters with data.wasm as observed
	count(new_recipients.deny) == 0 with input as payment(token, amount) with data.params as parameters
		with data.wasm as observed
}

reasons(of, amount, observed) := found if {
	found := new_recipients.deny with input as payment(of, amount) with data.params as parameters
		with data.wasm as observed
	not new_recipients.allow with input as payment(of, amount) with data.params as parameters
		with data.wasm as observed
}

known := seen([paid(recipient, "1", 900)], 1, 0)

test_allows_a_recipient_that_was_paid_before_the_cool_down if {
	is_allowed(500, known)
	is_allowed(500, seen([paid(recipient, "1", 900)], 70, 400))
}

test_denies_more_than_the_limit if {
	reasons(token, 501, known) == {"501 is more than the limit of 500"}
}

test_allows_little_for_a_new_recipient if {
	is_allowed(10, seen([], 0, 0))
	is_allowed(10, seen([paid(stranger, "900", 1)], 1, 0))
	is_allowed(4, seen([paid(recipient, "6", 901)], 1, 0))
}

test_denies_more_for_a_new_recipient if {
	reasons(token, 5, seen([paid(recipient, "6", 901)], 1, 0)) == {
		"0x000000000000000000000000000000000000beef is new: with 6 received and 0 pending, 5 more exceed the limit of 10",
	}
	count(reasons(token, 11, seen([], 0, 0))) == 1
}

test_two_attestations_under_way_cannot_break_the_limit_together if {
	is_allowed(6, seen([], 0, 0))
	reasons(token, 6, seen([], 0, 6)) == {
		"0x000000000000000000000000000000000000beef is new: with 0 received and 6 pending, 6 more exceed the limit of 10",
	}
}

test_denies_a_recipient_that_may_be_new if {
	reasons(token, 1, seen([paid(stranger, "900", 1)], 65, 0)) == {
		"0x000000000000000000000000000000000000beef is not among the newest recipients, and there are more: it may be new",
	}
}

test_denies_another_token if {
	reasons(stranger, 1, known) == {"the token 0x000000000000000000000000000000000000dead cannot be paid"}
}

test_amounts_are_exact if {
	large := 10000000000000000000000000000000000
	limits := object.union(parameters, {"newLimit": large, "limit": large})
	one := seen([paid(recipient, "1", 950)], 1, 0)
	new_recipients.allow with input as payment(token, large - 1) with data.params as limits with data.wasm as one
	not new_recipients.allow with input as payment(token, large) with data.params as limits with data.wasm as one
}
