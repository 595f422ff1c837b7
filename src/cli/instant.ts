/** A time in which a zone has one offset from UTC; milliseconds since 1970, UTC. */
interface Stretch {
  readonly from: number
  readonly until: number
  readonly offsetMs: number
}

/** The last one of each zone, because most instants of a list lie in the same few. */
const stretches = new Map<string, Stretch>()

/** An instant for people: `2025-11-21 03:00:12`, in `timezone`. @param time milliseconds since 1970, UTC. */
export function formatInstant(time: number, timezone: string): string {
  // Without `Intl.DateTimeFormat`, of which the first one takes longer to make than many a command.
  let stretch = stretches.get(timezone)
  if (!stretch || time < stretch.from || time >= stretch.until) {
    stretch = stretchAt(time, timezone)
    stretches.set(timezone, stretch)
  }
  const local = time + stretch.offsetMs
  const day = Math.floor(local / dayMs)
  const second = Math.floor((local - day * dayMs) / 1000)
  return `${dateOf(day)} ${digits(second / 3600)}:${digits((second / 60) % 60)}:${digits(second % 60)}`
}

const dayMs = 86_400_000
const written = { day: NaN, date: '' }

/** `2025-11-21`. The last one is kept, because the next instant of a list is often of the same day. */
function dateOf(day: number): string {
  if (day !== written.day) {
    written.date = new Date(day * dayMs).toISOString().slice(0, -14)
    written.day = day
  }
  return written.date
}

function digits(number: number): string {
  return number < 10 ? `0${Math.floor(number)}` : String(Math.floor(number))
}

function stretchAt(time: number, timezone: string): Stretch {
  const there = Temporal.Instant.fromEpochMilliseconds(Math.floor(time)).toZonedDateTimeISO(timezone)
  // one millisecond on, so that a transition at this very moment counts
  const previous = there.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
  const next = there.getTimeZoneTransition('next')
  return {
    from: previous?.epochMilliseconds ?? -Infinity,
    until: next?.epochMilliseconds ?? Infinity,
    offsetMs: there.offsetNanoseconds / 1e6,
  }
}
