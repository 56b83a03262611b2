# Approvals of a bounded amount, for known spenders. Withdrawing an approval is always allowed.
package no_unlimited_approvals

default allow := false

allow if is_withdrawal

allow if {
	input.call.function in ["approve", "increaseAllowance"]
	amount <= data.params.limit
	input.call.args.spender in data.params.spenders
}

is_withdrawal if {
	input.call.function == "approve"
	input.call.args.amount == 0
}

is_withdrawal if {
	input.call.function == "setApprovalForAll"
	input.call.args.approved == false
}

amount := input.call.args.amount if input.call.function == "approve"

amount := input.call.args.addedValue if input.call.function == "increaseAllowance"

deny contains "an operator of all tokens is never approved" if input.call.args.approved

deny contains sprintf("an approval of %v is more than the limit of %v", [amount, data.params.limit]) if {
	amount > data.params.limit
}

deny contains sprintf("%v may not be approved", [input.call.args.spender]) if {
	not is_withdrawal
	not input.call.args.spender in data.params.spenders
}
