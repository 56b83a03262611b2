# No call by, to or for an address that a list of sanctioned addresses has.
package sanctions

default allow := false

allow if {
	is_array(data.wasm.listed.addresses)
	count(listed) == 0
}

# The source looks for the caller, the client, the target and every address among the arguments.
listed := {address | some address in data.wasm.listed.addresses}

deny contains sprintf("%v is on a list of sanctioned addresses", [address]) if some address in listed
