const minuteMs = 60_000

/** `Sunday 22 November 2026 at 03:00 CET`, or as it is said in another language. */
export function formatMoment(at: number, locale: string, timezone: string): string {
  const day = new Intl.DateTimeFormat(locale, { timeZone: timezone, dateStyle: 'full' }).format(at)
  const time = new Intl.DateTimeFormat(locale, {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).format(at)
  return `${day}, ${time}`
}

/** The two largest of days, hours and minutes: `1 day and 4 hours`; at least a minute. */
export function formatLength(ms: number, locale: string): string {
  const minutes = Math.max(1, Math.round(ms / minuteMs))
  const parts = [
    ['day', Math.floor(minutes / 1440)],
    ['hour', Math.floor((minutes % 1440) / 60)],
    ['minute', minutes % 60],
  ] as const
  const first = parts.findIndex(([, count]) => count > 0)
  const words = parts
    .slice(first, first + 2)
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count))
  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(words)
}
