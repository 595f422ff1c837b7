/** `40 minutes`, `26 hours`, `3 days`: rounded down. */
export function ageOf(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 120) return `${minutes} minutes`
  const hours = Math.floor(minutes / 60)
  return hours <= 72 ? `${hours} hours` : `${Math.floor(hours / 24)} days`
}
