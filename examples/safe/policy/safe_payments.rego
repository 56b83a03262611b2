# Payments of the chain's currency by a Safe: plain calls, to listed recipients, up to a limit.
package safe_payments

default allow := false

allow if {
	is_plain
	transaction.value <= data.params.limit
	transaction.to in data.params.recipients
}

transaction := input.call.args

# A call without data and without a refund, which would pay an account of the owners' choice.
is_plain if {
	transaction.operation == 0
	transaction.data == "0x"
	transaction.gasPrice == 0
	transaction.signatures == "0x"
	input.intent.value == 0
}

deny contains "only plain payments are allowed: no data, no delegatecall, no refund" if not is_plain

deny contains sprintf("%v wei is more than the limit of %v", [transaction.value, data.params.limit]) if {
	transaction.value > data.params.limit
}

deny contains sprintf("%v is not a listed recipient", [transaction.to]) if {
	not transaction.to in data.params.recipients
}
