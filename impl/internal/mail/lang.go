package mail

import (
	"fmt"
	"time"
)

// lang is a language that e-mails are written in.
type lang struct {
	tag   string // BCP 47, and the name of the folder of its templates
	kinds map[string]kind
	days  [7]string  // from Sunday
	month [12]string // from January
	date  string     // how to put weekday, day, month and year together
}

// languages are those that there are templates in; the first is the default.
func languages() []*lang {
	return []*lang{
		{
			tag:   "en",
			days:  [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
			month: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
			date:  "%s %d %s %d",
		},
		{
			tag:   "es",
			days:  [7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
			month: [12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
			date:  "%s %d de %s de %d",
		},
	}
}

// moment says a time in words, in UTC, for nobody knows where its reader is:
// "Friday 27 November 2026, 14:05 UTC". It is cut to the minute, so that what is
// valid until then is not said to be valid for longer.
func (l *lang) moment(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf(l.date, l.days[t.Weekday()], t.Day(), l.month[t.Month()-1], t.Year()) + t.Format(", 15:04 UTC")
}
