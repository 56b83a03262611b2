package opening_hours_test

import data.opening_hours

parameters := {"days": [0, 1, 2, 3, 4], "from": 540, "until": 1020, "offset": 0}

at(time) := {"task": {"time": time}}

# 2026-01-05 was a Monday; 00:00 UTC is 1767571200.
monday := 1767571200

test_allows_from_opening_to_closing if {
	opening_hours.allow with input as at(monday + (9 * 3600)) with data.params as parameters
	opening_hours.allow with input as at((monday + (17 * 3600)) - 1) with data.params as parameters
	count(opening_hours.deny) == 0 with input as at(monday + (9 * 3600)) with data.params as parameters
}

test_denies_before_opening_and_after_closing if {
	not opening_hours.allow with input as at((monday + (9 * 3600)) - 1) with data.params as parameters
	not opening_hours.allow with input as at(monday + (17 * 3600)) with data.params as parameters
	opening_hours.deny == {"it is minute 1020 of day 0, outside the opening hours"}
		with input as at(monday + (17 * 3600)) with data.params as parameters
}

test_denies_on_a_weekend if {
	opening_hours.allow with input as at(monday + ((4 * 86400) + (12 * 3600))) with data.params as parameters
	not opening_hours.allow with input as at(monday + ((5 * 86400) + (12 * 3600))) with data.params as parameters
	not opening_hours.allow with input as at(monday + ((6 * 86400) + (12 * 3600))) with data.params as parameters
}

test_heeds_the_offset if {
	ahead := json.patch(parameters, [{"op": "replace", "path": "/offset", "value": 60}])
	opening_hours.allow with input as at(monday + (8 * 3600)) with data.params as ahead
	not opening_hours.allow with input as at(monday + (16 * 3600)) with data.params as ahead
}
