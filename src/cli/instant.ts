/** Making one takes longer than a thousand uses of it. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** An instant for people: `2025-11-21 03:00:12`, in `timezone`. @param time milliseconds since 1970, UTC. */
export function formatInstant(time: number, timezone: string): string {
  let format = formats.get(timezone)
  if (!format) {
    format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: timezone })
    formats.set(timezone, format)
  }
  return format.format(time)
}
