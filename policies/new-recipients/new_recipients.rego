# A new recipient gets little, until some time after its first payment.
package new_recipients

default allow := false

allow if {
	is_token
	is_known
	amount <= data.params.limit
}

allow if {
	is_token
	is_complete
	amount <= data.params.limit
	total <= data.params.newLimit
}

amount := input.call.args.amount

is_token if input.call.args.token == data.params.token

is_known if {
	some event in data.wasm.transfers.events
	event.args.to == input.call.args.recipient
	event.time + data.params.coolDown <= input.task.time
}

# The source lists the newest 64 transfers. A new recipient's can be missing if there are more.
is_complete if count(data.wasm.transfers.events) == data.wasm.transfers.count

received := sum([assent.uint(event.args.value) |
	some event in data.wasm.transfers.events
	event.args.to == input.call.args.recipient
])

# What is pending may be for this recipient.
total := (received + data.wasm.pending.sum) + amount

deny contains sprintf("the token %v cannot be paid", [input.call.args.token]) if not is_token

deny contains sprintf("%v is more than the limit of %v", [amount, data.params.limit]) if amount > data.params.limit

deny contains message if {
	not is_known
	not is_complete
	message := sprintf(
		"%v is not among the newest recipients, and there are more: it may be new",
		[input.call.args.recipient],
	)
}

deny contains message if {
	not is_known
	is_complete
	total > data.params.newLimit
	message := sprintf(
		"%v is new: with %v received and %v pending, %v more exceed the limit of %v",
		[input.call.args.recipient, received, data.wasm.pending.sum, amount, data.params.newLimit],
	)
}
