# Only listed calls: of a contract, of a function, with listed arguments.
package allowlist

default allow := false

allow if {
	some call in data.params.calls
	is_target(call)
	input.intent.value <= call.value
	every name, addresses in call.addresses { input.call.args[name] in addresses }
	every name, limit in call.limits { input.call.args[name] <= limit }
}

is_target(call) if {
	call.target == input.intent.to
	call.signature == input.call.signature
}

is_target_listed if {
	some call in data.params.calls
	is_target(call)
}

deny contains sprintf("calls of %v of %v are not listed", [input.call.signature, input.intent.to]) if {
	not is_target_listed
}

deny contains sprintf("no listed call of %v has these arguments", [input.call.signature]) if {
	is_target_listed
	not allow
}
