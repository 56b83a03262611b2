package treasury

import rego.v1

default allow := false

# What the operators sign: allow only when nothing denies.
allow if count(deny) == 0

amount := input.call.args.amount

deny contains "recipient is not on the list" if not input.call.args.to in data.params.recipients

deny contains sprintf("%v is over the limit of %v for one payment", [amount, data.params.limit]) if amount > data.params.limit

deny contains "over the day's limit" if data.wasm.spent_today + amount > data.params.daily_limit

deny contains "sanctioned" if {
	some entry in data.wasm.sanctions
	lower(entry) == lower(input.call.args.to)
}

deny contains "outside of office hours" if {
	hour := floor((input.task.time % 86400) / 3600)
	not in_office(hour)
}

in_office(hour) if {
	hour >= data.params.hours.from
	hour < data.params.hours.until
}

deny contains "price is stale" if input.task.time - data.wasm.price.at > 300
