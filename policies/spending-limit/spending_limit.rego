# A limit for each call: of the chain's currency, and of each token.
package spending_limit

default allow := false

allow if {
	input.intent.value <= data.params.currency
	input.call.function == "receive"
}

allow if {
	input.intent.value <= data.params.currency
	amount <= data.params.tokens[token]
}

# A token's own function, or that of a treasury.
token := input.intent.to if input.call.function == "transfer"

token := input.call.args.token if input.call.function == "pay"

amount := input.call.args.amount

deny contains sprintf("%v wei is more than the limit of %v", [input.intent.value, data.params.currency]) if {
	input.intent.value > data.params.currency
}

deny contains sprintf("the token %v has no limit, and cannot be spent", [token]) if not data.params.tokens[token]

deny contains sprintf("%v is more than the limit of %v for the token %v", [amount, data.params.tokens[token], token]) if {
	amount > data.params.tokens[token]
}
