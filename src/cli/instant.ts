/** An instant for people: `2025-11-21 03:00:12`, in `timezone`. @param time milliseconds since 1970, UTC. */
export function formatInstant(time: number, timezone: string): string {
  return new Date(time).toLocaleString('sv-SE', { timeZone: timezone })
}
