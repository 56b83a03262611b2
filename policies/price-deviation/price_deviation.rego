# Swaps at a price on which a feed and a web service agree, with bounded slippage.
package price_deviation

default allow := false

allow if {
	is_pair
	lowest > 0
	not is_apart
	offered >= demanded
}

is_pair if {
	input.call.args.tokenIn == data.params.tokenIn
	input.call.args.tokenOut == data.params.tokenOut
}

prices := [data.wasm.price.chain, data.wasm.price.web]

lowest := min(prices)

highest := max(prices)

is_apart if (highest - lowest) * 10000 > lowest * data.params.deviation

# Both sides of: minAmountOut ≥ amountIn · price · (1 - slippage), times the units and 10,000. Of two prices, the seller
# gets the higher one.
offered := (input.call.args.minAmountOut * data.params.unitIn) * 10000

demanded := ((input.call.args.amountIn * highest) * data.params.unitOut) * (10000 - data.params.slippage)

deny contains "the swap is of another pair of tokens" if not is_pair

deny contains "a price is zero" if lowest == 0

deny contains message if {
	is_apart
	message := sprintf(
		"the prices %v of the chain and %v of the web differ by more than %v basis points",
		[data.wasm.price.chain, data.wasm.price.web, data.params.deviation],
	)
}

deny contains message if {
	offered < demanded
	message := sprintf(
		"%v is accepted for %v: more than %v basis points less than the price %v",
		[input.call.args.minAmountOut, input.call.args.amountIn, data.params.slippage, highest],
	)
}
