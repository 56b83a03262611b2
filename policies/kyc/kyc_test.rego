package kyc_test

import data.kyc

caller := "0x00000000000000000000000000000000000000d1"

other := "0x000000000000000000000000000000000000beef"

parameters := {"registry": "0x00000000000000000000000000000000000000e1", "countries": {"756": "Switzerland"}}

transfer := {
	"intent": {"from": caller},
	"call": {"function": "transfer", "args": {"to": other, "amount": 5}},
}

calls := [
	transfer,
	{"intent": {"from": caller}, "call": {"function": "transferFrom", "args": {"from": other, "to": caller, "amount": 5}}},
	{"intent": {"from": caller}, "call": {"function": "pay", "args": {"token": caller, "recipient": other, "amount": 5}}},
	{"intent": {"from": caller}, "call": {"function": "deposit", "args": {"assets": 5, "receiver": other}}},
]

known(identity) := {"identity": {caller: {"verified": true, "country": 756}, other: identity}}

test_allows_verified_accounts_of_permitted_countries if {
	every call in calls {
		kyc.allow with input as call with data.params as parameters
			with data.wasm as known({"verified": true, "country": 756})
		count(kyc.deny) == 0 with input as call with data.params as parameters
			with data.wasm as known({"verified": true, "country": 756})
	}
}

test_denies_an_account_that_is_not_verified_in_each_role if {
	every call in calls {
		not kyc.allow with input as call with data.params as parameters with data.wasm as known({"verified": false})
		kyc.deny == {"the registry has not verified 0x000000000000000000000000000000000000beef"} with input as call
			with data.params as parameters
			with data.wasm as known({"verified": false})
	}
}

test_denies_another_country if {
	not kyc.allow with input as transfer with data.params as parameters
		with data.wasm as known({"verified": true, "country": 408})
	kyc.deny == {"0x000000000000000000000000000000000000beef is in the country 408, which is not permitted"}
		with input as transfer
		with data.params as parameters
		with data.wasm as known({"verified": true, "country": 408})
}

test_denies_a_caller_that_is_not_verified if {
	unknown := "0x000000000000000000000000000000000000dead"
	stranger := json.patch(transfer, [{"op": "replace", "path": "/intent/from", "value": unknown}])
	not kyc.allow with input as stranger with data.params as parameters
		with data.wasm as known({"verified": true, "country": 756})
	count(kyc.deny) == 1 with input as stranger with data.params as parameters
		with data.wasm as known({"verified": true, "country": 756})
}

test_denies_without_an_answer_of_the_registry if {
	not kyc.allow with input as transfer with data.params as parameters with data.wasm as {}
	not kyc.allow with input as transfer with data.params as parameters with data.wasm as {"identity": {}}
}
