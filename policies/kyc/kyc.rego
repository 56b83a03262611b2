# Only calls by and for accounts that an identity registry verified, in permitted countries.
package kyc

default allow := false

allow if {
	count(subjects) > 0
	every subject in subjects { is_permitted(subject) }
}

# Who must be verified: the caller, and who gets or gives what is moved.
subjects contains input.intent.from

subjects contains input.call.args.to

subjects contains input.call.args.from

subjects contains input.call.args.recipient

subjects contains input.call.args.receiver

is_permitted(subject) if {
	is_verified(subject)
	data.params.countries[country_of(subject)]
}

is_verified(subject) if data.wasm.identity[subject].verified

country_of(subject) := sprintf("%v", [data.wasm.identity[subject].country])

deny contains sprintf("the registry has not verified %v", [subject]) if {
	some subject in subjects
	not is_verified(subject)
}

deny contains sprintf("%v is in the country %v, which is not permitted", [subject, country_of(subject)]) if {
	some subject in subjects
	is_verified(subject)
	not data.params.countries[country_of(subject)]
}
