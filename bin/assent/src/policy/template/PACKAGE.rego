# Payments up to a limit, to known recipients.
package PACKAGE

default allow := false

allow if {
	input.call.function == "pay"
	input.call.args.amount <= data.params.limit
	input.call.args.recipient in data.params.recipients
}

# The reasons that the caller is told.
deny contains sprintf("%v is more than the limit of %v", [input.call.args.amount, data.params.limit]) if {
	input.call.args.amount > data.params.limit
}

deny contains sprintf("%v is not a known recipient", [input.call.args.recipient]) if {
	not input.call.args.recipient in data.params.recipients
}
