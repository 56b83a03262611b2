# Calls only on some days, between two times of the day.
package opening_hours

default allow := false

allow if {
	day in data.params.days
	minute >= data.params.from
	minute < data.params.until
}

# Minutes since 1970-01-01, which was a Thursday.
local := ((input.task.time - (input.task.time % 60)) / 60) + data.params.offset

minute := local % 1440

day := (((local - minute) / 1440) + 3) % 7

deny contains sprintf("it is minute %v of day %v, outside the opening hours", [minute, day]) if not allow
