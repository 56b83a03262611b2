package business_payments_test

import data.allowlist
import data.opening_hours
import data.spending_limit

vault := "0x00000000000000000000000000000000000000c1"

token := "0x00000000000000000000000000000000000000a1"

supplier := "0x000000000000000000000000000000000000beef"

stranger := "0x000000000000000000000000000000000000dead"

# 2026-01-05 was a Monday; 00:00 UTC is 1767571200.
monday_noon := 1767571200 + 43200

sunday_noon := monday_noon - 86400

limits := {"currency": 0, "tokens": {token: 500}}

hours := {"days": [0, 1, 2, 3, 4], "from": 540, "until": 1020, "offset": 60}

calls := {"calls": [{
	"target": vault,
	"signature": "pay(address,address,uint256)",
	"value": 0,
	"addresses": {"recipient": [supplier]},
	"limits": {},
}]}

payment(recipient, amount, time) := {
	"intent": {"to": vault, "value": 0},
	"task": {"time": time},
	"call": {
		"function": "pay",
		"signature": "pay(address,address,uint256)",
		"args": {"token": token, "recipient": recipient, "amount": amount},
	},
}

# The policies that allow a call.
allowing(request) := {policy | some policy, true in {
	"limit": limit_allows(request),
	"hours": hours_allow(request),
	"calls": calls_allow(request),
}}

limit_allows(request) := allowed if {
	allowed := spending_limit.allow with input as request with data.params as limits
}

hours_allow(request) := allowed if allowed := opening_hours.allow with input as request with data.params as hours

calls_allow(request) := allowed if allowed := allowlist.allow with input as request with data.params as calls

test_all_allow_a_payment_to_a_listed_recipient_at_noon if {
	allowing(payment(supplier, 500, monday_noon)) == {"limit", "hours", "calls"}
}

test_the_limit_denies_more if allowing(payment(supplier, 501, monday_noon)) == {"hours", "calls"}

test_the_hours_deny_a_sunday if allowing(payment(supplier, 500, sunday_noon)) == {"limit", "calls"}

test_the_list_denies_another_recipient if allowing(payment(stranger, 500, monday_noon)) == {"limit", "hours"}
