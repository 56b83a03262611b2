package health_factor_test

import data.health_factor

client := "0x00000000000000000000000000000000000000c1"

asset := "0x00000000000000000000000000000000000000a1"

stranger := "0x000000000000000000000000000000000000dead"

parameters := {
	"pool": "0x00000000000000000000000000000000000000f1",
	"oracle": "0x00000000000000000000000000000000000000f2",
	"minimum": 15000,
}

# Collateral of 1000, of which 80 % count, and a debt of 400: a health factor of 2. The asset costs 2, with 6 decimals.
position := {"position": {"collateral": 1000, "debt": 400, "threshold": 8000, "price": 2, "unit": 1000000}}

without_debt := json.patch(position, [{"op": "replace", "path": "/position/debt", "value": 0}])

call(function, args) := {
	"intent": {"from": client, "to": parameters.pool},
	"task": {"client": client},
	"call": {"function": function, "args": object.union({"asset": asset}, args)},
}

borrow(amount) := call("borrow", {"amount": amount, "onBehalfOf": client})

withdraw(amount, to) := call("withdraw", {"amount": amount, "to": to})

is_allowed(request, observed) if {
	health_factor.allow with input as request with data.params as parameters with data.wasm as observed
	count(health_factor.deny) == 0 with input as request with data.params as parameters with data.wasm as observed
}

reasons(request, observed) := found if {
	found := health_factor.deny with input as request with data.params as parameters with data.wasm as observed
	not health_factor.allow with input as request with data.params as parameters with data.wasm as observed
}

# 800 that count ÷ 1.5 = 533.33…: 133 more can be borrowed, and 66.5 of the asset are worth them.
test_allows_to_borrow_what_leaves_the_minimum if is_allowed(borrow(66500000), position)

test_denies_to_borrow_more if {
	message := concat("", [
		"the health factor would be less than 15000 basis points: ",
		"a debt of 534 against 800 that counts of the collateral",
	])
	reasons(borrow(66500001), position) == {message}
}

# 600 must count: 200 can be withdrawn, even if all of it counted.
test_allows_to_withdraw_what_leaves_the_minimum if is_allowed(withdraw(100000000, client), position)

test_denies_to_withdraw_more if {
	message := concat("", [
		"the health factor would be less than 15000 basis points: ",
		"a debt of 400 against 599 that counts of the collateral",
	])
	reasons(withdraw(100000001, client), position) == {message}
}

test_allows_to_withdraw_everything_without_debt if {
	largest := 115792089237316195423570985008687907853269984665640564039457584007913129639935
	is_allowed(withdraw(largest, client), without_debt)
	count(reasons(withdraw(largest, client), position)) == 1
}

test_always_allows_to_supply_and_to_repay if {
	unhealthy := json.patch(position, [{"op": "replace", "path": "/position/debt", "value": 900}])
	is_allowed(call("supply", {"amount": 1, "onBehalfOf": client}), unhealthy)
	is_allowed(call("repay", {"amount": 1, "onBehalfOf": client}), unhealthy)
	count(reasons(borrow(1), unhealthy)) == 1
}

test_denies_calls_for_another_account if {
	another := {"the call is for another account than the client"}
	reasons(withdraw(1, stranger), position) == another
	reasons(call("borrow", {"amount": 1, "onBehalfOf": stranger}), position) == another
	reasons(call("supply", {"amount": 1, "onBehalfOf": stranger}), position) == another
}

test_denies_calls_of_another_pool if {
	other := json.patch(borrow(1), [{"op": "replace", "path": "/intent/to", "value": stranger}])
	reasons(other, position) == {"0x000000000000000000000000000000000000dead is not the lending pool"}
}

test_amounts_are_exact if {
	large := {"position": {
		"collateral": 10000000000000000000000000000000001,
		"debt": 10000000000000000000000000000000000,
		"threshold": 10000,
		"price": 1,
		"unit": 1,
	}}
	at_one := object.union(parameters, {"minimum": 10000})
	health_factor.allow with input as borrow(1) with data.params as at_one with data.wasm as large
	not health_factor.allow with input as borrow(2) with data.params as at_one with data.wasm as large
}

test_denies_without_an_answer_of_the_pool if {
	reasons(borrow(1), {}) == set()
	reasons(withdraw(1, client), {}) == set()
}
