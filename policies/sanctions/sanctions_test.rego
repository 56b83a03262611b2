package sanctions_test

import data.sanctions

caller := "0x00000000000000000000000000000000000000d1"

recipient := "0x000000000000000000000000000000000000beef"

found(addresses) := {"listed": {"addresses": addresses}}

test_allows_if_no_list_has_an_address_of_the_call if {
	sanctions.allow with data.wasm as found([])
	count(sanctions.deny) == 0 with data.wasm as found([])
}

test_denies_with_each_address_that_a_list_has if {
	not sanctions.allow with data.wasm as found([caller])
	sanctions.deny == {"0x000000000000000000000000000000000000beef is on a list of sanctioned addresses"}
		with data.wasm as found([recipient])
	count(sanctions.deny) == 2 with data.wasm as found([caller, recipient])
}

test_denies_once_for_an_address_that_two_lists_have if {
	count(sanctions.deny) == 1 with data.wasm as found([caller, caller])
}

test_denies_without_an_answer_of_the_lists if {
	not sanctions.allow with data.wasm as {}
	not sanctions.allow with data.wasm as {"listed": {}}
}
