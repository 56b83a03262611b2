# A limit for each call and for each day, which attestations that are not spent yet count towards.
package spending_window

default allow := false

allow if {
	is_token
	amount <= data.params.perCall
	total <= data.params.perWindow
}

amount := input.call.args.amount

is_token if input.call.args.token == data.params.token

# What left the client in the window, what is attested and neither spent nor expired, and this payment.
total := (data.wasm.spent.sum + data.wasm.pending.sum) + amount

deny contains sprintf("the token %v cannot be spent", [input.call.args.token]) if not is_token

deny contains sprintf("%v is more than the limit of %v for one call", [amount, data.params.perCall]) if {
	amount > data.params.perCall
}

deny contains message if {
	total > data.params.perWindow
	message := sprintf(
		"%v spent and %v pending in the last day and %v more exceed the limit of %v",
		[data.wasm.spent.sum, data.wasm.pending.sum, amount, data.params.perWindow],
	)
}
