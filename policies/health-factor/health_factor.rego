# Calls of a lending pool that leave the client's position healthy.
package health_factor

default allow := false

allow if {
	is_for_client
	improves
}

allow if {
	is_for_client
	debt_after * data.params.minimum <= weighted_after
}

# Without debt, anything can be withdrawn.
allow if {
	is_for_client
	debt_after == 0
}

is_for_client if {
	input.intent.to == data.params.pool
	not is_for_another
}

is_for_another if input.call.args.onBehalfOf != input.task.client

is_for_another if input.call.args.to != input.task.client

improves if input.call.function in ["supply", "repay"]

position := data.wasm.position

# What the amount is worth in the oracle's unit, rounded up.
worth := ((scaled - (scaled % position.unit)) / position.unit) + min([scaled % position.unit, 1])

scaled := input.call.args.amount * position.price

debt_after := position.debt + worth if input.call.function == "borrow"

debt_after := position.debt if input.call.function == "withdraw"

# The collateral that counts, times 10,000. Of what is withdrawn everything counted, at most.
weighted_after := position.collateral * position.threshold if input.call.function == "borrow"

weighted_after := (position.collateral * position.threshold) - (worth * 10000) if input.call.function == "withdraw"

deny contains sprintf("%v is not the lending pool", [input.intent.to]) if input.intent.to != data.params.pool

deny contains "the call is for another account than the client" if is_for_another

deny contains message if {
	is_for_client
	debt_after > 0
	debt_after * data.params.minimum > weighted_after
	message := sprintf(
		"the health factor would be less than %v basis points: a debt of %v against %v that counts of the collateral",
		[data.params.minimum, debt_after, counts_after],
	)
}

# For people: rounded down.
counts_after := (weighted_after - (weighted_after % 10000)) / 10000
