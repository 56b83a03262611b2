package price_deviation_test

import data.price_deviation

token_in := "0x00000000000000000000000000000000000000a1"

token_out := "0x00000000000000000000000000000000000000a2"

# The sold token has 3 decimals, the feed 2 and the bought token 1.
parameters := {
	"tokenIn": token_in,
	"tokenOut": token_out,
	"feed": "0x00000000000000000000000000000000000000f3",
	"url": "https://prices.example.com/a1-a2",
	"unitIn": 100000,
	"unitOut": 10,
	"deviation": 100,
	"slippage": 50,
}

swap(sold, bought, amount, least) := {"call": {
	"function": "swap",
	"args": {"tokenIn": sold, "tokenOut": bought, "amountIn": amount, "minAmountOut": least},
}}

observed(chain, web) := {"price": {"chain": chain, "web": web}}

is_allowed(request, seen) if {
	price_deviation.allow with input as request with data.params as parameters with data.wasm as seen
	count(price_deviation.deny) == 0 with input as request with data.params as parameters with data.wasm as seen
}

reasons(request, seen) := found if {
	found := price_deviation.deny with input as request with data.params as parameters with data.wasm as seen
	not price_deviation.allow with input as request with data.params as parameters with data.wasm as seen
}

# 100 tokens at 2.00 are 200.0 of the other, less 0.5 %: 199.0.
test_allows_a_swap_at_the_price_less_slippage if is_allowed(swap(token_in, token_out, 100000, 1990), observed(200, 200))

test_denies_more_slippage if {
	reasons(swap(token_in, token_out, 100000, 1989), observed(200, 200)) == {
		"1989 is accepted for 100000: more than 50 basis points less than the price 200",
	}
}

test_demands_the_higher_price if {
	count(reasons(swap(token_in, token_out, 100000, 1990), observed(200, 201))) == 1
	is_allowed(swap(token_in, token_out, 100000, 2000), observed(200, 201))
}

test_allows_prices_that_differ_by_the_deviation if {
	is_allowed(swap(token_in, token_out, 100000, 2020), observed(200, 202))
	is_allowed(swap(token_in, token_out, 100000, 2020), observed(202, 200))
}

test_denies_prices_that_differ_by_more if {
	reasons(swap(token_in, token_out, 100000, 9999), observed(200, 203)) == {
		"the prices 200 of the chain and 203 of the web differ by more than 100 basis points",
	}
	count(reasons(swap(token_in, token_out, 100000, 9999), observed(203, 200))) == 1
}

test_denies_another_pair if {
	another := {"the swap is of another pair of tokens"}
	reasons(swap(token_out, token_in, 100000, 9999), observed(200, 200)) == another
	reasons(swap(token_in, token_in, 100000, 9999), observed(200, 200)) == another
}

test_denies_a_price_of_zero if {
	reasons(swap(token_in, token_out, 100000, 9999), observed(0, 0)) == {"a price is zero"}
}

test_denies_without_both_prices if {
	reasons(swap(token_in, token_out, 100000, 9999), {"price": {"chain": 200}}) == set()
	reasons(swap(token_in, token_out, 100000, 9999), {}) == set()
}

test_amounts_are_exact if {
	large := 1000000000000000000000000000000000000000
	is_allowed(swap(token_in, token_out, large * 1000, large * 199000), observed(2000000, 2000000))
	count(reasons(swap(token_in, token_out, (large * 1000) + 1, large * 199000), observed(2000000, 2000000))) == 1
}
